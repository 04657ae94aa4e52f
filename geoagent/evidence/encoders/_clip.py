"""Unnormalised image features and text embeddings of `open_clip` models, for code that builds on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from geoagent.errors import WeightsError
from geoagent.types import Float32, Photo


def raw_features(encoder: Any, photos: Sequence[Photo]) -> Float32:
    """Return the network's features of photos, `(N, D)`, not normalised to unit length.

    Args:
        encoder: an `OpenClipEncoder` with one crop per photo.
        photos: N photos.
    """
    rows = encoder._encode([np.asarray(photo.pixels) for photo in photos])
    return np.asarray(rows, dtype=np.float32).reshape(len(photos), encoder.dim)


def text_features(
    encoder: Any,
    texts: Sequence[str],
    *,
    architecture: str,
    batch_size: int = 64,
    progress: Callable[[int, int], None] | None = None,
) -> Float32:
    """Return the embeddings of texts in the photos' embedding space, `(N, D)` float32 rows of unit length.

    Args:
        encoder: an `OpenClipEncoder`.
        texts: N texts.
        architecture: open_clip's name of the model, which determines the tokenizer.
        batch_size: number of texts per batch.
        progress: called with (done, N) before each batch.

    Raises:
        WeightsError: the model has no text encoder, or its vocabulary does not match its architecture.
    """
    import open_clip
    import torch

    model = encoder._model
    if not hasattr(model, "encode_text"):
        raise WeightsError(f"{encoder.name} has no text encoder")
    length = getattr(model, "context_length", None) or 77
    try:
        tokenizer = open_clip.get_tokenizer(architecture, context_length=length)
    except Exception as error:  # open_clip, transformers and the hub raise different types
        first = " ".join(str(error).split())[:220]
        raise WeightsError(f"the tokenizer of {architecture} cannot be loaded: {first}") from error
    rows = []
    longest = _shorten(model, tokenizer(list(texts)).to(encoder._device)) if len(texts) > batch_size else None
    with torch.inference_mode():
        for start in range(0, len(texts), batch_size):
            tokens = tokenizer(list(texts[start : start + batch_size]))[:, :longest]
            if progress is not None:
                progress(start, len(texts))
            most = getattr(model, "vocab_size", None)
            if most is not None and int(tokens.max()) >= most:
                raise WeightsError(
                    f"{encoder.name} has a vocabulary of {most} tokens, but its tokenizer returned {int(tokens.max())}"
                )
            out = model.encode_text(tokens.to(encoder._device), normalize=True)
            rows.append(out.float().cpu().numpy())
    return np.concatenate(rows).astype(np.float32) if rows else np.zeros((0, encoder.dim), dtype=np.float32)


def _shorten(model: Any, tokens: Any) -> int | None:
    """Cut a text tower's context to the longest of some texts, if that changes no embedding; None if it does.

    A causal tower that reads the last token ignores the padding behind it, which is most of its work.
    """
    import torch

    longest = int((tokens != 0).sum(dim=1).max())
    some = tokens[:: max(1, len(tokens) // 3)][:3]
    whole = getattr(model, "positional_embedding", None)
    mask = getattr(model, "attn_mask", None)
    with torch.inference_mode():
        try:
            want = model.encode_text(some, normalize=True)
            if whole is not None and mask is not None:
                model.positional_embedding = torch.nn.Parameter(whole[:longest].clone(), requires_grad=False)
                model.attn_mask = mask[:longest, :longest]
            got = model.encode_text(some[:, :longest], normalize=True)
            same = bool(((want * got).sum(dim=1) > 1 - 1e-5).all())
        except (RuntimeError, IndexError):
            same = False
    if same:
        return longest
    if whole is not None and mask is not None:
        model.positional_embedding, model.attn_mask = whole, mask
    return None


def logit_scale(encoder: Any) -> float | None:
    """Return the model's logit scale, the factor on cosine similarities of photos and texts, or None if it has none."""
    found = getattr(encoder._model, "logit_scale", None)
    return None if found is None else float(found.detach().exp())

"""What the plug `open_clip` can do besides rows of unit length, for those that build on a model of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geoagent.errors import WeightsError
from geoagent.types import Float32, Photo


def raw_features(encoder: Any, photos: Sequence[Photo]) -> Float32:
    """Return the features of photos as the network gives them, `(N, D)`, not of unit length.

    Args:
        encoder: an `OpenClipEncoder` that looks at one square a photo.
        photos: N photos.
    """
    rows = encoder._encode([np.asarray(photo.pixels) for photo in photos])
    return np.asarray(rows, dtype=np.float32).reshape(len(photos), encoder.dim)


def text_features(encoder: Any, texts: Sequence[str], *, architecture: str, batch_size: int = 64) -> Float32:
    """Return the embeddings of texts beside those of photos, `(N, D)` float32 rows of unit length.

    Args:
        encoder: an `OpenClipEncoder`.
        texts: N texts.
        architecture: what open_clip calls the model, which says how texts become tokens.
        batch_size: texts at once.

    Raises:
        WeightsError: the model has no text half, or its tokens are not those of its architecture.
    """
    import open_clip
    import torch

    model = encoder._model
    if not hasattr(model, "encode_text"):
        raise WeightsError(f"{encoder.name} has no text half")
    length = getattr(model, "context_length", None) or 77
    try:
        tokenizer = open_clip.get_tokenizer(architecture, context_length=length)
    except Exception as error:  # open_clip, transformers and the hub each raise their own
        first = " ".join(str(error).split())[:220]
        raise WeightsError(f"the tokenizer of {architecture} cannot be had: {first}") from error
    rows = []
    with torch.inference_mode():
        for start in range(0, len(texts), batch_size):
            tokens = tokenizer(list(texts[start : start + batch_size]))
            most = getattr(model, "vocab_size", None)
            if most is not None and int(tokens.max()) >= most:
                raise WeightsError(
                    f"{encoder.name} knows {most} tokens, its tokenizer gives number {int(tokens.max())}"
                )
            out = model.encode_text(tokens.to(encoder._device), normalize=True)
            rows.append(out.float().cpu().numpy())
    return np.concatenate(rows).astype(np.float32) if rows else np.zeros((0, encoder.dim), dtype=np.float32)


def logit_scale(encoder: Any) -> float | None:
    """What the model multiplies cosines of photos and texts by; None where it has no such number."""
    found = getattr(encoder._model, "logit_scale", None)
    return None if found is None else float(found.detach().exp())

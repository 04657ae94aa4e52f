"""Zero-shot world from an image-text model: sentences about each geocell, no training.

A sentence names the town, region or country of the cell; its embedding becomes the cell's row of a linear head, so that
log p(cell | photo) = scale · cos(photo, sentence) + log prior(cell) − log Z. The sentences are in a prompt file; each
cell uses the first line whose variables are all known for it, or the mean embedding of all of them. (Haas et al. 2023,
"Learning Generalized Zero-Shot Learners for Open-Domain Image Geolocalization", query a model in this way.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.errors import ConfigError, WeightsError
from geoagent.evidence.encoders._clip import logit_scale, text_features
from geoagent.places.gazetteer import Gazetteer
from geoagent.prompts import Prompt
from geoagent.types import Float32
from geoagent.worlds.head import CellHead
from geoagent.worlds.world import World

PROMPT = "zeroshot.v1"
PROMPTS = "zeroshot.v2"
"""Several sentences for each geocell, whose embeddings are averaged."""


def cell_names(world: World, gazetteer: Gazetteer) -> list[dict[str, str]]:
    """Return the known names of each cell's "city", "region" and "country"; C dictionaries.

    The town is the one with most of the cell's photos, if it lies in the cell's country.
    """
    order, start = world.support_of_cell
    named = []
    for cell, code in enumerate(world.cells.country.tolist()):
        rows = order[start[cell] : start[cell + 1]]
        spot = world.support.latlon[rows[int(world.support.log_share[rows].argmax())]] if len(rows) else None
        place = gazetteer.reverse((world.cells.centroids[cell] if spot is None else spot).tolist())
        country, region = gazetteer.country(code), gazetteer.admin1(str(world.cells.admin1[cell]))
        inside = place is not None and place.level == "city" and place.country == code
        words = {
            "city": place.name if place is not None and inside else "",
            "region": region.name if region is not None else "",
            "country": country.name if country is not None else "",
        }
        named.append({kind: word for kind, word in words.items() if word})
    return named


def sentences(prompt: Prompt, names: Sequence[Mapping[str, str]]) -> list[str]:
    """Return one sentence per cell: the first line of the prompt whose variables are all known.

    Raises:
        ConfigError: no line of the prompt has only known variables for a cell.
    """
    return [found[0] for found in all_sentences(prompt, names)]


def all_sentences(prompt: Prompt, names: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """Return for each cell every line of the prompt whose variables are all known, filled in.

    Raises:
        ConfigError: no line of the prompt has only known variables for a cell.
    """
    lines = [Prompt(prompt.name, line.strip()) for line in prompt.text.splitlines() if line.strip()]
    found = []
    for cell, known in enumerate(names):
        fitting = [line for line in lines if set(line.variables) <= set(known)]
        if not fitting:
            raise ConfigError(f"prompt {prompt.name} has no line for geocell {cell}; known variables: {dict(known)}")
        found.append([line.render(**{name: known[name] for name in line.variables}) for line in fitting])
    return found


def sentence_rows(
    encoder: Any,
    said: Sequence[Sequence[str]],
    *,
    architecture: str,
    progress: Callable[[int, int], None] | None = None,
) -> Float32:
    """Return the mean direction of each cell's sentences, `(C, D)` rows of unit length.

    Args:
        encoder: an `OpenClipEncoder` with a text tower.
        said: the sentences of each of C cells.
        architecture: as for `text_features`.
        progress: called with (done, sentences) while sentences are embedded.
    """
    different = sorted({line for lines in said for line in lines}, key=lambda line: (len(line), line))
    row = {line: i for i, line in enumerate(different)}
    embedded = text_features(encoder, different, architecture=architecture, progress=progress)
    means = np.stack([embedded[[row[line] for line in lines]].mean(axis=0) for lines in said])
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)


def make_zeroshot_world(
    *,
    model: str = "ViT-B-32",
    pretrained: str | None = None,
    checkpoint: str | Path | None = None,
    base: World | None = None,
    gazetteer: Gazetteer | None = None,
    prompt: Prompt | str = PROMPT,
    scale: float | None = None,
    prior_weight: float = 1.0,
    device: str = "auto",
    name: str = "zeroshot",
) -> World:
    """Build a world that scores photos with an image-text model of open_clip.

    Args:
        model: as for the plug `open_clip`; the model needs a text encoder.
        pretrained: as for the plug.
        checkpoint: as for the plug.
        base: world whose geocells, prior and support to use; None for the starter world.
        gazetteer: source of names; None for the built-in one.
        prompt: a prompt, or the name of a built-in one.
        scale: factor on cosines; None for the model's own.
        prior_weight: exponent of the cells' prior; 0 ignores it.
        device: as for the plug.
        name: name of the world.

    Raises:
        WeightsError: no weights, or a model without a text encoder or a scale.
        ConfigError: an invalid option.
        MissingDependency: torch, torchvision or open_clip is not installed.
    """
    if not 0 <= prior_weight < np.inf or (scale is not None and not 0 < scale < np.inf):
        raise ConfigError(f"scale must be positive and prior_weight non-negative, got {scale} and {prior_weight}")
    options: dict[str, Any] = {"model": model}
    options |= {"pretrained": pretrained} if pretrained is not None else {}
    options |= {"checkpoint": str(checkpoint)} if checkpoint is not None else {}
    encoder = plugs.build("encoders", "open_clip", None, **options, device=device)
    chosen = logit_scale(encoder) if scale is None else scale
    if chosen is None:
        raise WeightsError(f"{encoder.name} has no logit scale; pass scale=")
    world = World.load() if base is None else base
    wording = Prompt.load(prompt) if isinstance(prompt, str) else prompt
    said = sentences(wording, cell_names(world, Gazetteer.load() if gazetteer is None else gazetteer))
    folder = Path(checkpoint).expanduser() if checkpoint is not None else None
    architecture = f"local-dir:{folder}" if folder is not None and folder.is_dir() else model
    rows = sentence_rows(encoder, [[line] for line in said], architecture=architecture)
    head = CellHead(
        weight=rows * np.float32(chosen),
        bias=(prior_weight * world.log_prior).astype(np.float32),
        encoder=encoder.name,
        cells=world.cells.fingerprint,
    )
    card = {
        "made_by": "an image-text model and one sentence a geocell, without training",
        "prompt": wording.name,
        "sentences": len(set(said)),
        "example": said[int(world.log_prior.argmax())],
        "scale": chosen,
        "prior_weight": prior_weight,
        "cells_of": world.name,
        "calibrated": False,
    }
    return World(
        name=name,
        cells=world.cells,
        log_prior=world.log_prior,
        support=world.support,
        head=head,
        encoder={"name": "open_clip", **options},
        card=card,
    )

"""Calibration of a head without labelled photos: a picture that shows nothing must leave the prior as it is.

Zhao et al. 2021, "Calibrate Before Use: Improving Few-shot Performance of Language Models", subtract what a model says
about an input without content. Here the inputs are flat colours, gradients and noise. Their mean embedding becomes the
head's `mean`, so that it answers with the prior for it; the scale of the scores is the largest, up to the model's own,
at which other pictures without content move the prior by little.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from geoagent.places.geo import Float
from geoagent.types import Float32, Photo, log_normalise

MOST_NATS = 0.1
"""Most that pictures without content may move the prior, as mean Kullback-Leibler divergence."""
_SIDE_PX = 256
_STEPS = np.sqrt(0.5) ** np.arange(21)


def content_free_photos(count: int = 24, seed: int = 0) -> list[Photo]:
    """Return pictures that show nothing: flat colours, gradients, and noise, sharp or blurred."""
    rng = np.random.default_rng(seed)
    photos = []
    for i in range(count):
        first, second = rng.uniform(0, 255, (2, 3))
        if i % 4 == 0:
            pixels = np.broadcast_to(first, (_SIDE_PX, _SIDE_PX, 3))
        elif i % 4 == 1:
            ramp = np.linspace(0, 1, _SIDE_PX)[:, None, None]
            pixels = np.broadcast_to(first * ramp + second * (1 - ramp), (_SIDE_PX, _SIDE_PX, 3))
        else:
            pixels = np.clip(first + rng.normal(0, 60, (_SIDE_PX, _SIDE_PX, 3)), 0, 255)
        image = Image.fromarray(np.ascontiguousarray(pixels.astype(np.uint8)))
        if i % 4 == 3:
            image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 24))))
        photos.append(Photo(np.asarray(image)))
    return photos


def calibrate(
    rows: Float32, embeddings: Float32, log_prior: Float, most: float, nats: float = MOST_NATS
) -> tuple[Float32, float, float]:
    """Return the centre and the scale of scores.

    Args:
        rows: `(C, D)` unit embeddings of the cells' sentences.
        embeddings: `(N, D)` unit embeddings of pictures without content; every second one is held out for the scale.
        log_prior: `(C,)` log prior.
        most: largest scale, the model's own.
        nats: most that the held-out pictures may move the prior on average.

    Returns:
        The mean embedding `(D,)`, the scale, and the divergence at that scale in nats.
    """
    mean = np.asarray(embeddings[::2].mean(axis=0), dtype=np.float32)
    scores = (embeddings[1::2] - mean) @ rows.T
    scale, moved = float(most), np.inf
    for step in _STEPS:
        scale = float(most * step)
        moved = float(np.mean([_divergence(row * scale, log_prior) for row in scores]))
        if moved <= nats:
            break
    return mean, scale, moved


def _divergence(score: Float32, log_prior: Float) -> float:
    log_p = log_normalise(score.astype(np.float64) + log_prior)
    return float((np.exp(log_p) * (log_p - log_prior)).sum())

"""Which photos are no independent witnesses: those that show the same words, or views of one place.

A sighting counts 1 / Σ s over all sightings of its time line, s its likeness to each and 1 to itself, so that n photos
of one sign count as one (the effective number of Leinster & Cobbold, "Measuring diversity", Ecology 93, 2012, for order
1 weights). The same words are one witness while they may be on the same sign. The same view is one witness whenever it
was taken. Views of one town mislead an encoder in the same way even if they look different: pictures that were taken
within a day, or that speak for the same countries, are never quite independent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.album.sightings import Sighting
from geoagent.places.geo import Float
from geoagent.types import Int
from geoagent.worlds.world import World

SAME_PLACE = 0.4
"""Likeness of two pictures of one place that look as different as pictures of the world do: fitted on headings of street
panoramas, checked on others and on panoramas within 15 km of one another (`bench_witnesses.py`)."""
UNLIKE = 0.5
"""Cosine of embeddings of pictures that have nothing in common; the figures hardly depend on it."""
WORDS_HOURS, VIEWS_HOURS = 4.0, 24.0
"""Time in which likeness of words, and the chance that two views are of one town, fade to 1 / e."""
_WORDS_WITHIN, _WORDS_MOST = 24.0, 200  # hours, and photos nearest in time, whose words are compared
_VIEWS_MOST = 5000  # pictures that one is compared with; of more, evenly spaced ones stand for all
_BLOCK = 512


def weights(sightings: Sequence[Sighting], world: World) -> dict[str, float]:
    """Exponent of the text and picture evidence of each sighting, by key, in (0, 1].

    Args:
        sightings: of one time line, or of one place where they have no times.
        world: geocells that their evidence is about.
    """
    speaking = sorted((s for s in sightings if s.log_ratio is not None), key=lambda s: (s.hours, s.key))
    times = np.nan_to_num(np.array([s.hours for s in speaking]))  # without times they are of one place
    words, views = _words(speaking, times), _views(speaking, times, world)
    # What shows the same words and the same view is alike once.
    return {s.key: 1.0 / (1.0 + max(said, seen)) for s, said, seen in zip(speaking, words, views, strict=True)}


def views_alike(cosine: Float, one_place: Float | float = 1.0) -> Float:
    """Likeness of pictures by the cosine of their embeddings, and the chance that they are of one place."""
    look = np.clip((cosine - UNLIKE) / (1.0 - UNLIKE), 0.0, 1.0)
    return np.asarray(look + (1.0 - look) * SAME_PLACE * one_place)


def _words(speaking: Sequence[Sighting], times: Float) -> Float:
    """Sum of the likenesses of each sighting's words to those of the others, `(N,)`."""
    found = np.zeros(len(speaking))
    told = np.flatnonzero([bool(s.statements) for s in speaking])
    for at, i in enumerate(told.tolist()):
        near = told[max(0, at - _WORDS_MOST // 2) : at + _WORDS_MOST // 2 + 1]
        for j in near[np.abs(times[near] - times[i]) <= _WORDS_WITHIN].tolist():
            if j != i:
                fade = float(np.exp(-abs(times[i] - times[j]) / WORDS_HOURS))
                found[i] += fade * words_alike(speaking[i], speaking[j])
    return found


def words_alike(a: Sighting, b: Sighting) -> float:
    """The share of two sightings' statements in common, by nats."""
    pairs = [(a.statements.get(key, 0.0), b.statements.get(key, 0.0)) for key in set(a.statements) | set(b.statements)]
    most = sum(max(pair) for pair in pairs)
    return sum(min(pair) for pair in pairs) / most if most > 0 else 0.0


def _views(speaking: Sequence[Sighting], times: Float, world: World) -> Float:
    """Sum of the likenesses of each sighting's picture to those of the others, `(N,)`."""
    found = np.zeros(len(speaking))
    seen: Int = np.flatnonzero([s.embedding is not None for s in speaking]).astype(np.int64)
    if len(seen) < 2:
        return found
    looks = np.stack([speaking[i].embedding for i in seen.tolist()]).astype(np.float32)
    countries = np.stack([_countries(speaking[i], world) for i in seen.tolist()])
    others = np.unique(np.linspace(0, len(seen) - 1, min(len(seen), _VIEWS_MOST)).astype(np.int64))
    for start in range(0, len(seen), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(seen)))
        recent = np.exp(-np.abs(times[seen[rows], None] - times[seen[others]]) / VIEWS_HOURS)
        alike = views_alike(looks[rows] @ looks[others].T, np.maximum(recent, countries[rows] @ countries[others].T))
        alike[rows[:, None] == others] = 0.0
        found[seen[rows]] = alike.sum(axis=1) * ((len(seen) - 1) / max(len(others) - 1, 1))
    return found


def _countries(sighting: Sighting, world: World) -> Float:
    """Roots of the probabilities of the countries that a sighting speaks for; the dot product of two is their overlap."""
    assert sighting.log_ratio is not None
    logs = sighting.log_ratio + world.log_prior
    probs = np.exp(logs - logs.max())
    return np.asarray(np.sqrt(world.cells.by_country(probs / probs.sum())))

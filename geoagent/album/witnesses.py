"""Which photos are no independent witnesses: those that show the same words, or views of one place.

Of those that are heard together photo i counts 1 / (cᵢ Σⱼ sᵢⱼ / cⱼ), s their likenesses and c the number of copies of
each: n photos of one sign count as one together, and weigh no more than one on the others (after the effective number
of Leinster & Cobbold, "Measuring diversity", Ecology 93, 2012). The same words are one witness while they may be on the
same sign. The same view is one witness whenever it was taken. Views of one town mislead an encoder in the same way even
if they look different: pictures that were taken within a day, or that speak for the same countries, are never quite
independent.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.album.sightings import Sighting
from geoagent.places.geo import Float
from geoagent.worlds.world import World

SAME_PLACE = 0.4
"""Likeness of two pictures of one place that look as different as any two of the world: fitted on headings of street
panoramas, checked on others and on panoramas within 15 km of one another (`bench_witnesses.py`)."""
UNLIKE = 0.5
"""Cosine of embeddings of pictures that have nothing in common; the figures hardly depend on it."""
WORDS_HOURS, VIEWS_HOURS = 4.0, 24.0
"""Time in which likeness of words, and the chance that two views are of one town, fade to 1 / e."""
_COPY = 8  # power of a likeness at which two photos are copies of one another


def weights(alike: Float) -> Float:
    """Exponents in (0, 1] at which photos count, `(N,)`, from their likenesses, `(N, N)`."""
    copies = (alike**_COPY).sum(axis=1)
    return np.asarray(1.0 / (copies * (alike / copies).sum(axis=1)))


def alike(sightings: Sequence[Sighting], world: World) -> Float:
    """How far photos are one witness, `(N, N)`, 1 on the diagonal.

    Args:
        sightings: N photos.
        world: geocells that their evidence is about.
    """
    times = np.nan_to_num(np.array([s.hours for s in sightings]))  # without times they are of one place
    apart = np.abs(times[:, None] - times)
    found = np.eye(len(sightings))
    for i, a in enumerate(sightings):
        for j, b in enumerate(sightings[:i]):
            if a.statements and b.statements:
                found[i, j] = found[j, i] = words_alike(a, b) * np.exp(-apart[i, j] / WORDS_HOURS)
    seen = np.flatnonzero([s.embedding is not None and s.log_ratio is not None for s in sightings])
    if len(seen) > 1:
        pair = np.ix_(seen, seen)
        looks = np.stack([sightings[i].embedding for i in seen.tolist()])  # type: ignore[misc]
        countries = np.stack([_countries(sightings[i], world) for i in seen.tolist()])
        one_place = np.maximum(np.exp(-apart[pair] / VIEWS_HOURS), countries @ countries.T)
        found[pair] = np.maximum(found[pair], views_alike(np.asarray(looks @ looks.T, dtype=np.float64), one_place))
    np.fill_diagonal(found, 1.0)
    return found


def words_alike(a: Sighting, b: Sighting) -> float:
    """The share of two sightings' statements in common, by nats."""
    pairs = [(a.statements.get(key, 0.0), b.statements.get(key, 0.0)) for key in set(a.statements) | set(b.statements)]
    most = sum(max(pair) for pair in pairs)
    return sum(min(pair) for pair in pairs) / most if most > 0 else 0.0


def views_alike(cosine: Float, one_place: Float | float = 1.0) -> Float:
    """Likeness of pictures by the cosine of their embeddings, and the chance that they are of one place."""
    look = np.clip((cosine - UNLIKE) / (1.0 - UNLIKE), 0.0, 1.0)
    return np.asarray(look + (1.0 - look) * SAME_PLACE * one_place)


def _countries(sighting: Sighting, world: World) -> Float:
    """Roots of the probabilities of the countries that a sighting speaks for; the product of two is their overlap."""
    assert sighting.log_ratio is not None
    logs = sighting.log_ratio + world.log_prior
    probs = np.exp(logs - logs.max())
    return np.asarray(np.sqrt(world.cells.by_country(probs / probs.sum())))

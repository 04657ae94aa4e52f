"""Protocols of the plugs: encoder, OCR engine, constraint source, language model, search and refiner.

Each is one callable that takes evidence and returns new evidence. Nothing mutates its input, nothing is given the
agent; a test double is a small function.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from geoagent.evidence.llm_messages import Ask, Reply
from geoagent.places.geo import Float, LatLon
from geoagent.types import Candidates, Constraint, Cue, Float32, Photo, TextRegion

if TYPE_CHECKING:
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.places.gazetteer.facts import Facts
    from geoagent.worlds.world import World


@dataclass(frozen=True, slots=True)
class Assets:
    """All that a plug is given besides its own options; `model` is None unless the user configured one."""

    world: World
    gazetteer: Gazetteer
    facts: Facts
    model: LanguageModel | None = None


class Encoder(Protocol):
    """Photos to embeddings."""

    name: str
    dim: int

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length; a row does not depend on the others of its batch."""
        ...


class OcrEngine(Protocol):
    """A photo to its lines of text."""

    name: str

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the regions in reading order; () where there is no text.

        Raises:
            OcrError: the engine failed.
        """
        ...


class ConstraintSource(Protocol):
    """Regions and cues to soft constraints over places."""

    name: str

    def __call__(self, regions: tuple[TextRegion, ...], cues: tuple[Cue, ...]) -> tuple[Constraint, ...]:
        """Return constraints with ids that are unique within this source; () where nothing speaks for a place."""
        ...


class LanguageModel(Protocol):
    """A question to a reply."""

    name: str

    def __call__(self, ask: Ask) -> Reply:
        """Return the reply; whatever goes wrong outside of geoagent is its outcome, never an exception."""
        ...

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return the body that `__call__` would send first, to the letter, without sending it."""
        ...


class NeighbourSearch(Protocol):
    """An embedding to the nearest training photos inside some cells."""

    def __call__(self, embedding: Float32, cells: Sequence[int], count: int) -> Candidates:
        """Return at most `count` neighbours, most similar first, all inside `cells`."""
        ...


class Refiner(Protocol):
    """Weighted candidates to one place."""

    name: str

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the place and each candidate's share in it.

        Args:
            candidates: M ≥ 0 places.
            weights: `(M,)` not negative: posterior mass that each stands for.
            fallback: the answer where there are no candidates.
        """
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Refined:
    """A refined place and what it was made of.

    Attributes:
        latlon: the place.
        weights: `(M,)` each candidate's share, sum 1 (or empty where M = 0).
    """

    latlon: LatLon
    weights: Float

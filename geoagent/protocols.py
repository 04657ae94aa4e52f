"""Protocols of the plugs: encoder, OCR engine, constraint source, language model, search and refiner.

Each is a callable that takes evidence and returns new evidence. None mutates its input or receives the agent, so a
test double can be a small function.
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
    """Resources passed to a plug besides its options; `model` is None unless the user configured one."""

    world: World
    gazetteer: Gazetteer
    facts: Facts
    model: LanguageModel | None = None


class Encoder(Protocol):
    """Turns photos into embeddings."""

    name: str
    dim: int

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        """Return `(N, dim)` float32 rows of unit length; a row does not depend on the others of its batch."""
        ...


class OcrEngine(Protocol):
    """Reads the lines of text in a photo."""

    name: str

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the regions in reading order; () if there is no text.

        Text that was detected and could not be read may follow them, each region `unread` and with the text "".

        Raises:
            OcrError: the engine failed.
        """
        ...


class ConstraintSource(Protocol):
    """Turns regions and cues into soft constraints over places."""

    name: str

    def __call__(self, regions: tuple[TextRegion, ...], cues: tuple[Cue, ...]) -> tuple[Constraint, ...]:
        """Return constraints with ids that are unique within this source; () if no cue points to a place."""
        ...


class LanguageModel(Protocol):
    """Sends a request to a language model."""

    name: str

    def __call__(self, ask: Ask) -> Reply:
        """Return the reply; failures outside geoagent are reported in its outcome, never raised."""
        ...

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return the exact body that `__call__` would send first, without sending it."""
        ...


class NeighbourSearch(Protocol):
    """Finds the training photos nearest to an embedding inside some cells."""

    def __call__(self, embedding: Float32, cells: Sequence[int], count: int) -> Candidates:
        """Return at most `count` neighbours, most similar first, all inside `cells`."""
        ...


class Refiner(Protocol):
    """Reduces weighted candidates to one place."""

    name: str

    def __call__(self, candidates: Candidates, weights: Float, fallback: LatLon) -> Refined:
        """Return the place and each candidate's share in it.

        Args:
            candidates: M ≥ 0 places.
            weights: `(M,)` non-negative: posterior mass of each candidate.
            fallback: the place to return if there are no candidates.
        """
        ...


@dataclass(frozen=True, eq=False, slots=True)
class Refined:
    """A refined place and the candidates behind it.

    Attributes:
        latlon: the place.
        weights: `(M,)` each candidate's share, sum 1 (or empty where M = 0).
    """

    latlon: LatLon
    weights: Float

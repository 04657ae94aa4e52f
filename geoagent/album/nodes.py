"""Values of a time line: what stands in it, and what it tells one photo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geoagent.album.places import SCALES
from geoagent.places.geo import Float
from geoagent.types import Int


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A photo, or a point of a track, that says something about where its device was.

    Attributes:
        hours: when, in hours since 1970 (UTC, or any clock that all nodes share).
        error_hours: how far that may be off.
        own: places that it speaks for.
        likelihood: from K places to `(K · S + 1,)`: likelihood of its evidence in each state, 1 where it says nothing.
        visit: place that it counts as a visit of, -1 for none.
        weight: how surely it was there.
        key: what it belongs to, to leave it out of its own message.
        fixed: whether it has a position. Nodes that have none are testimonies: text and picture alone.
        nats: the most that a testimony says for any geocell.
    """

    hours: float
    error_hours: float
    own: tuple[int, ...]
    likelihood: Callable[[Int], Float]
    visit: int
    weight: float
    key: str
    fixed: bool = True
    nats: float = 0.0


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """What all others tell about one photo: probabilities of the states of K places.

    Attributes:
        rows: `(K,)` the places.
        probs: `(K · S + 1,)`, sum 1; the last is anywhere else.
        before: key of the node before it that tells most, or None.
        after: key of the one after it, or None.
        own: exponent at which the photo's own text and picture count beside the testimonies that are like them.
    """

    rows: Int
    probs: Float
    before: str | None
    after: str | None
    own: float = 1.0

    @property
    def elsewhere(self) -> float:
        """Probability of being near none of the places."""
        return float(self.probs[-1])

    def by_state(self) -> Float:
        """`(K, S)` probabilities."""
        return self.probs[:-1].reshape(len(self.rows), SCALES)


@dataclass(frozen=True, eq=False, slots=True)
class End:
    """A node from which a photo is seen, and what is known at it.

    Attributes:
        node: the node.
        rows: `(K,)` places.
        mass: `(K · S + 1,)` probabilities of its states given everything up to it, or the likelihood of it and of
            everything after.
        likely: the places where it most probably is.
    """

    node: Node
    rows: Int
    mass: Float
    likely: Int

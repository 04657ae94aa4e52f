"""Testimonies between two nodes of a time line: photos whose text or picture says something of their place.

A testimony is no step of the chain. A chain of many steps is a longer journey than one step over the same time, so
photos that hardly say anything would tear the time line apart. Instead a step from a to b counts by how likely the
testimony is on the way,

    f(a, b) = Σ_y T(a → y) L(y)^w T(y → b) / Σ_y T(a → y) T(y → b),

which is 1 where it says nothing. Several are taken as independent given the ends, each with the exponent w of its
likeness to the others that are heard (`witnesses.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geoagent.album.motion import LEAST_HOURS
from geoagent.album.nodes import Node
from geoagent.places.geo import Float

MOST = 4
"""Testimonies that are heard about one photo, or between two positions: those that say most, and nearest in time."""
_NEAR_HOURS = 6.0  # after which one counts half in that choice
_TINY = 1e-300


@dataclass(frozen=True, eq=False, slots=True)
class Heard:
    """A testimony, and the exponent at which it counts."""

    node: Node
    weight: float


def chosen(nodes: Sequence[Node], hours: float, most: int = MOST) -> list[Node]:
    """Those that say most about a time, best first."""

    def worth(node: Node) -> float:
        return node.nats / (1.0 + abs(node.hours - hours) / _NEAR_HOURS)

    return sorted(nodes, key=lambda node: (-worth(node), node.hours, node.key))[:most]


def on_the_way(first: Float, later: Float, likelihood: Float) -> Float:
    """The factor f, `(A, B)`.

    Args:
        first: `(A, Y)` probabilities of the states on the way, from each state of a.
        later: `(Y, B)` probabilities of the states of b from there.
        likelihood: `(Y,)` of the testimony, with its exponent.
    """
    return np.asarray((first * likelihood) @ later / np.maximum(first @ later, _TINY))


def spread_in_time(nodes: Sequence[Node], most: int = MOST) -> list[Node]:
    """Those that say most of nodes between two positions, one in each part of the time."""
    if len(nodes) <= most:
        return list(nodes)
    parts = np.linspace(0, len(nodes), most + 1).round().astype(int).tolist()
    return [max(nodes[a:b], key=lambda node: (node.nats, node.key)) for a, b in pairwise(parts)]


def gap(a: Node, b: Node) -> float:
    """Hours between two nodes, no less than what their clocks may be off."""
    return max(LEAST_HOURS, abs(b.hours - a.hours), a.error_hours, b.error_hours)

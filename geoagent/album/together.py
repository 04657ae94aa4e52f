"""Whether two devices travel together, and when.

Each place that one device tells is compared with where the other one was about that time, and with where the device's
own time line expects it. The ratio is evidence for "together" or "apart", which change seldom: a hidden Markov chain
with two states. Without such evidence devices are apart: a camera at home stays at home.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from geoagent.album.chain import Chain
from geoagent.album.nodes import Node
from geoagent.places.geo import Float

PRIOR = 0.3
"""Probability that two devices of one album are together before anything is known."""
CHANGE_HOURS = 200.0
"""Mean time for which devices stay together or apart."""
NEAR_HOURS = 12.0
"""Places further apart in time say nothing about being together."""
_APART_HOURS, _MOST = 0.5, 300  # nodes of a device that are compared: so far apart, and about so many
_LIMIT = 6.0  # nats that one pair of photos may contribute
_SIDE = 0.99  # share of a chance hit: two people in one town are apart and yet near


@dataclass(frozen=True, eq=False, slots=True)
class Company:
    """When a device was with another one.

    Attributes:
        times: `(N,)` hours at which it was compared, ascending; empty where it never could be.
        probs: `(N,)` probability that they were together then.
    """

    times: Float
    probs: Float

    def at(self, hours: float) -> float:
        """Probability of being together at a time; 0 where nothing is known."""
        if len(self.times) == 0:
            return 0.0
        return float(np.interp(hours, self.times, self.probs))


def company(mine: Sequence[Node], own: Chain, other: Chain) -> Company:
    """Compare a device with another one.

    Args:
        mine: nodes of the device, all of `own`.
        own: its own time line.
        other: the other device's; both over the same places.
    """
    if not other.nodes:
        return Company(np.zeros(0), np.zeros(0))
    theirs = np.array([node.hours for node in other.nodes])
    times, nats = [], []
    for node in _thinned(mine):
        if np.abs(theirs - node.hours).min() > NEAR_HOURS:
            continue
        beside = other.evidence(node)
        alone = own.evidence(node)
        times.append(node.hours)
        nats.append(float(np.clip(np.log(beside * _SIDE + alone * (1 - _SIDE)) - np.log(alone), -_LIMIT, _LIMIT)))
    return Company(np.array(times), _two_states(np.array(times), np.array(nats)))


def _thinned(nodes: Sequence[Node]) -> list[Node]:
    """Nodes at least half an hour apart, and no more than can be compared in a second or two."""
    found: list[Node] = []
    for node in sorted(nodes, key=lambda node: (node.hours, node.key)):
        if not found or node.hours - found[-1].hours >= _APART_HOURS:
            found.append(node)
    return found[:: 1 + len(found) // _MOST]


def _two_states(times: Float, nats: Float) -> Float:
    """Probability of the first of two states at each time, given its log likelihood ratio at each."""
    count = len(times)
    if count == 0:
        return np.zeros(0)
    start = np.array([PRIOR, 1 - PRIOR])
    likely = np.stack([np.exp(nats), np.ones(count)], axis=1)
    forward, backward = np.empty((count, 2)), np.ones((count, 2))
    steps = [_switch(later - earlier, start) for earlier, later in pairwise(times.tolist())]
    forward[0] = start * likely[0]
    for i in range(1, count):
        forward[i] = (forward[i - 1] @ steps[i - 1]) * likely[i]
        forward[i] /= forward[i].sum()
    for i in range(count - 2, -1, -1):
        backward[i] = steps[i] @ (likely[i + 1] * backward[i + 1])
        backward[i] /= backward[i].sum()
    both = forward * backward
    return np.asarray(both[:, 0] / both.sum(axis=1))


def _switch(hours: float, start: Float) -> Float:
    """Transition of the two states after some hours; in the long run their prior."""
    stay = np.exp(-hours / CHANGE_HOURS)
    return np.asarray(stay * np.eye(2) + (1 - stay) * start[None, :])

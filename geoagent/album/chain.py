"""Forward and backward along a time line: what each photo is told by all others, its own evidence left out.

The photos that say something about their place are the nodes of a chain. Photos without evidence of their own take no
part, so that many of them between two nodes do not add up to a journey. Messages are exact over the states of each
node (`places.py`), in time linear in photos (Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77, 1989,
section III).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from geoagent.album.motion import LEAST_HOURS
from geoagent.album.places import SCALES, Places, Step
from geoagent.places.geo import Float
from geoagent.types import Int

_ANCHORS, _FAVOURITES = 5, 8
"""Places that compete for a photo: those of the nodes nearest in time on each side, and those most often visited."""
_POSSIBLE = 0.01  # probability from which a place of a node next to a photo competes for it
_LIKELY = 1e-12  # smallest likelihood, so that no message vanishes


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
    """

    hours: float
    error_hours: float
    own: tuple[int, ...]
    likelihood: Callable[[Int], Float]
    visit: int
    weight: float
    key: str


@dataclass(frozen=True, eq=False, slots=True)
class Told:
    """What all others tell about one photo: probabilities of the states of K places.

    Attributes:
        rows: `(K,)` the places.
        probs: `(K · S + 1,)`, sum 1; the last is anywhere else.
        before: index of the last node before it, or None.
        after: index of the first node after it, or None.
    """

    rows: Int
    probs: Float
    before: int | None
    after: int | None

    @property
    def elsewhere(self) -> float:
        """Probability of being near none of the places."""
        return float(self.probs[-1])

    def by_state(self) -> Float:
        """`(K, S)` probabilities."""
        return self.probs[:-1].reshape(len(self.rows), SCALES)


class Chain:
    """A time line of nodes.

    Args:
        nodes: in any order.
        places: all places.
        step: how people move between their states.
        told_in_order: whether only visits before a time make a return likelier then. Messages to photos use all visits,
            which predicts best. To judge whether a position is wrong that would not do: the first visit of a place
            would be a return to itself, so that a far position before it were likelier wrong than true.
    """

    def __init__(self, nodes: Sequence[Node], places: Places, step: Step, *, told_in_order: bool = False) -> None:
        self.nodes = sorted(nodes, key=lambda node: (node.hours, node.key))
        self.places, self._step, self._in_order = places, step, told_in_order
        self._times = np.array([node.hours for node in self.nodes])
        known = [i for i, node in enumerate(self.nodes) if node.visit >= 0 and node.weight > 0]
        self._visit_times = self._times[known]
        self._visit_places = np.array([self.nodes[i].visit for i in known], dtype=np.int64)
        self._visit_weights = np.array([self.nodes[i].weight for i in known])
        self._visit_keys = np.array([self.nodes[i].key for i in known], dtype=object)

    def told(self, hours: float, key: str, error_hours: float = 0.0, also: tuple[int, ...] = ()) -> Told:
        """What the nodes tell about a photo taken at a time; nodes of the same key are left out.

        Args:
            hours: when.
            key: the photo's, to leave its own evidence out.
            error_hours: how far the time may be off.
            also: places that are considered in any case.
        """
        at = int(np.searchsorted(self._times, hours, side="right"))
        before, after = at - 1, at
        # A photo's own node stands at its own time.
        while before >= 0 and self.nodes[before].key == key:
            before -= 1
        while after < len(self.nodes) and self.nodes[after].key == key:
            after += 1
        first, last = (before if before >= 0 else None), (after if after < len(self.nodes) else None)
        visits = self._visits(hours, key)
        likely = [place for i in (first, last) if i is not None for place in self._likeliest(i)]
        rows = self._candidates(before, after, visits, (*also, *likely))
        if len(rows) == 0:
            return Told(rows, np.ones(1), first, last)
        if first is None:
            probs = self._step.start(rows, visits)
        else:
            elapsed = self._elapsed(first, hours, error_hours)
            probs = self._filtered[first] @ self._step.between(self._rows[first], rows, elapsed, visits)
        if last is not None:
            elapsed = self._elapsed(last, hours, error_hours)
            later = self._step.between(rows, self._rows[last], elapsed, self._visits(self.nodes[last].hours, key))
            probs = probs * (later @ self._later[last])
        return Told(rows, probs / probs.sum(), first, last)

    def evidence(self, node: Node) -> float:
        """Likelihood of a node's evidence given all nodes of this chain but those of its key, 1 on average."""
        told = self.told(node.hours, node.key, node.error_hours, also=node.own)
        return max(float(told.probs @ node.likelihood(told.rows)), _LIKELY)

    def _likeliest(self, index: int) -> list[int]:
        """The places where a node most probably is."""
        rows, probs = self.smoothed(index)
        mass = probs[:-1].reshape(len(rows), SCALES).sum(axis=1)
        top = np.argsort(-mass, kind="stable")[:_ANCHORS]
        return [int(place) for place in rows[top[mass[top] > _POSSIBLE]]]

    def smoothed(self, index: int) -> tuple[Int, Float]:
        """Places of a node, and the probabilities of their states given everything, its own evidence included."""
        probs = self._filtered[index] * self._after[index]
        return self._rows[index], probs / probs.sum()

    @cached_property
    def _rows(self) -> list[Int]:
        """Places that compete at each node."""
        rows = []
        for i, node in enumerate(self.nodes):
            sure = node.weight > 0.9 and len(node.own) == 1
            visits = self._visits(node.hours, node.key)
            rows.append(self._candidates(i - 1, i + 1, visits, node.own, few=sure))
        return rows

    @cached_property
    def _likelihoods(self) -> list[Float]:
        return [np.maximum(node.likelihood(rows), _LIKELY) for node, rows in zip(self.nodes, self._rows, strict=True)]

    @cached_property
    def _filtered(self) -> list[Float]:
        """Probabilities of the states of each node given everything up to it."""
        found: list[Float] = []
        for i, node in enumerate(self.nodes):
            visits = self._visits(node.hours, node.key)
            if i == 0:
                prior = self._step.start(self._rows[0], visits)
            else:
                prior = found[-1] @ self._step.between(self._rows[i - 1], self._rows[i], self._gap(i), visits)
            mass = prior * self._likelihoods[i]
            found.append(mass / mass.sum())
        return found

    @cached_property
    def _after(self) -> list[Float]:
        """Likelihood of everything after each node, by its states; only ratios matter."""
        found = [np.ones(len(self._rows[-1]) * SCALES + 1)] if self.nodes else []
        for i in range(len(self.nodes) - 1, 0, -1):
            node = self.nodes[i]
            step = self._step.between(
                self._rows[i - 1], self._rows[i], self._gap(i), self._visits(node.hours, node.key)
            )
            message = step @ (self._likelihoods[i] * found[-1])
            found.append(message / message.max())
        return found[::-1]

    @cached_property
    def _later(self) -> list[Float]:
        """Likelihood of each node and everything after it."""
        return [own * after for own, after in zip(self._likelihoods, self._after, strict=True)]

    def _gap(self, i: int) -> float:
        """Hours between a node and the one before it."""
        earlier, node = self.nodes[i - 1], self.nodes[i]
        return max(LEAST_HOURS, node.hours - earlier.hours, earlier.error_hours, node.error_hours)

    def _elapsed(self, i: int, hours: float, error_hours: float) -> float:
        return max(LEAST_HOURS, abs(self.nodes[i].hours - hours), self.nodes[i].error_hours, error_hours)

    def _visits(self, hours: float, key: str) -> Float:
        """`(V,)` probability of each place of a return at a time, without the visits of one photo.

        The rest to 1 are places where nobody is known to have been.
        """
        motion, others = self._step.motion, self._visit_weights * (self._visit_keys != key)
        if self._in_order:
            others = others * (self._visit_times < hours)
        weight = motion.visit_weight(hours, self._visit_times) * others
        total = weight.sum()
        if not total > 0:
            return np.zeros(len(self.places))
        share = np.bincount(self._visit_places, weight, minlength=len(self.places))
        return np.asarray(share * (motion.known(float(others.sum())) / total))

    def _candidates(self, before: int, after: int, visits: Float, own: tuple[int, ...], *, few: bool = False) -> Int:
        """Places of the nodes nearest in time on each side, those most often visited, and a node's own; ascending."""
        anchors, favourites = (2, 2) if few else (_ANCHORS, _FAVOURITES)
        found = set(own)
        for start, way in ((before, -1), (after, 1)):
            near: set[int] = set()
            i = start
            while 0 <= i < len(self.nodes) and len(near) < anchors and abs(i - start) < 50:
                near.update(self.nodes[i].own)
                i += way
            found |= near
        if visits.any():
            top = np.argsort(-visits, kind="stable")[:favourites]
            found.update(top[visits[top] > 0].tolist())
        return np.array(sorted(found), dtype=np.int64)

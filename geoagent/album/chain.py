"""Forward and backward along a time line: what each photo is told by all others, its own evidence left out.

The positions are the steps of a chain, whose messages are exact over the states of each (`places.py`), in time linear
in photos (Rabiner, "A tutorial on hidden Markov models", Proc. IEEE 77, 1989, section III). Texts and pictures are
heard between them (`testimony.py`). Where there is no position before or after a photo, the testimony that says most
takes its place. Photos without evidence take no part, so that many of them do not add up to a journey.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np

from geoagent.album import witnesses
from geoagent.album.motion import STILL
from geoagent.album.nodes import End, Node, Told
from geoagent.album.places import SCALES, Places, Step
from geoagent.album.testimony import MOST, Heard, chosen, gap, on_the_way, spread_in_time
from geoagent.places.geo import Float
from geoagent.types import Int

_ANCHORS, _FAVOURITES = 5, 8
"""Places that compete for a photo: those of the nodes nearest in time on each side, and those most often visited."""
_POSSIBLE = 0.01  # probability from which a place of a node next to a photo competes for it
_LIKELY = 1e-12  # smallest likelihood, so that no message vanishes
_NEAREST = 100  # testimonies on each side of a photo among which those are chosen that are heard
_STILL_MOST = 24  # testimonies that are heard of one place
_FARTHEST = 50  # nodes on each side among which these places are sought
_LEADING = 3  # places of a testimony that compete beside those of others

Alike = Callable[[Sequence[str]], Float]
"""From the keys of N photos to `(N, N)` likenesses, 1 on the diagonal (`witnesses.alike`)."""


def all_different(keys: Sequence[str]) -> Float:
    """Likenesses of photos that are all independent witnesses."""
    return np.eye(len(keys))


class Chain:
    """A time line of nodes.

    Args:
        nodes: in any order.
        places: all places.
        step: how people move between their states.
        alike: which testimonies are no independent witnesses.
        told_in_order: whether only visits before a time make a return likelier then. Messages to photos use all visits,
            which predicts best. To judge whether a position is wrong that would not do: the first visit of a place
            would be a return to itself, so that a far position before it were likelier wrong than true.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        places: Places,
        step: Step,
        alike: Alike = all_different,
        *,
        told_in_order: bool = False,
    ) -> None:
        self.nodes = sorted(nodes, key=lambda node: (node.hours, node.key))
        self.fixed = [node for node in self.nodes if node.fixed]
        self._said = [node for node in self.nodes if not node.fixed]
        self.places, self._step, self._alike, self._in_order = places, step, alike, told_in_order
        self._fixed_times, self._said_times = ([n.hours for n in part] for part in (self.fixed, self._said))
        self._most = _STILL_MOST if step.motion is STILL else MOST
        visits = [node for node in self.nodes if node.visit >= 0 and node.weight > 0]
        self._visit_times = np.array([node.hours for node in visits])
        self._visit_places = np.array([node.visit for node in visits], dtype=np.int64)
        self._visit_weights = np.array([node.weight for node in visits])
        self._visit_keys = np.array([node.key for node in visits], dtype=object)

    def told(self, hours: float, key: str, error_hours: float = 0.0, also: tuple[int, ...] = ()) -> Told:
        """What the nodes tell about a photo taken at a time; nodes of the same key are left out.

        Args:
            hours: when.
            key: the photo's, to leave its own evidence out.
            error_hours: how far the time may be off.
            also: places that are considered in any case.
        """
        asked = Node(hours, error_hours, also, np.ones_like, -1, 0.0, key)
        at = bisect_right(self._fixed_times, hours)
        first, last = at - 1, at
        # A photo's own node stands at its own time.
        while first >= 0 and self.fixed[first].key == key:
            first -= 1
        while last < len(self.fixed) and self.fixed[last].key == key:
            last += 1
        left = None if first < 0 else self._end(first, self._filtered)
        right = None if last >= len(self.fixed) else self._end(last, self._later)
        heard, own = self._heard(asked, left, right)
        earlier = [h for h in heard if h.node.hours <= hours]
        later = [h for h in heard if h.node.hours > hours]
        if left is None:
            left, earlier = self._instead(earlier, asked, before=True)
        if right is None:
            right, later = self._instead(later, asked, before=False)
        visits = self._visits(hours, key)
        rows = self._candidates(asked, (left, right), [*earlier, *later], visits)
        before, after = (None if end is None else end.node.key for end in (left, right))
        if len(rows) == 0:
            return Told(rows, np.ones(1), before, after)
        probs = self._step.start(rows, visits)
        if left is not None:
            probs = left.mass @ self._way((left.node, left.rows), (asked, rows), earlier, key)
        if right is not None:
            probs = probs * (self._way((asked, rows), (right.node, right.rows), later, key) @ right.mass)
        return Told(rows, probs / probs.sum(), before, after, own)

    def evidence(self, node: Node) -> float:
        """Likelihood of a node's evidence given all nodes of this chain but those of its key, 1 on average."""
        told = self.told(node.hours, node.key, node.error_hours, also=node.own)
        return max(float(told.probs @ node.likelihood(told.rows)), _LIKELY)

    def smoothed(self, index: int) -> tuple[Int, Float]:
        """Places of a position, and the probabilities of their states given everything, its own evidence included."""
        probs = self._filtered[index] * self._after[index]
        return self._rows[index], probs / probs.sum()

    def _heard(self, asked: Node, left: End | None, right: End | None) -> tuple[list[Heard], float]:
        """The testimonies between two ends, and the exponent of the photo's own evidence beside them."""
        start = 0 if left is None else bisect_left(self._said_times, left.node.hours)
        stop = len(self._said) if right is None else bisect_right(self._said_times, right.node.hours)
        near = bisect_left(self._said_times, asked.hours)
        between = self._said[max(start, near - _NEAREST) : min(stop, near + _NEAREST)]
        some = chosen([node for node in between if node.key != asked.key], asked.hours, self._most)
        if not some:
            return [], 1.0
        weights = witnesses.weights(self._alike([asked.key, *(node.key for node in some)]))
        heard = [Heard(node, weight) for node, weight in zip(some, weights[1:].tolist(), strict=True)]
        return heard, float(weights[0])

    def _end(self, index: int, masses: Sequence[Float]) -> End:
        """A position as the end from which a photo is seen."""
        rows, probs = self.smoothed(index)
        return End(self.fixed[index], rows, masses[index], _likeliest(rows, probs))

    def _instead(self, side: Sequence[Heard], asked: Node, *, before: bool) -> tuple[End | None, list[Heard]]:
        """The testimony that says most on a side without a position, as its end; and those nearer to the photo."""
        if not side:
            return None, []
        best, *others = side
        beyond = [h for h in others if (h.node.hours <= best.node.hours if before else h.node.hours >= best.node.hours)]
        visits = self._visits(best.node.hours, asked.key)
        rows = self._candidates(best.node, (None, None), [best, *beyond], visits)
        mass = self._likely(best, rows)
        if before:
            mass = mass * self._step.start(rows, np.zeros(len(self.places)))
        for other in beyond:
            step = self._between((best.node, rows), (other.node, rows), asked.key, other.node.key)
            mass = mass * np.maximum(step @ self._likely(other, rows), _LIKELY)
            mass = mass / mass.sum()
        return End(best.node, rows, mass, _likeliest(rows, mass / mass.sum())), [h for h in others if h not in beyond]

    def _way(self, a: tuple[Node, Int], b: tuple[Node, Int], heard: Sequence[Heard], key: str) -> Float:
        """Probabilities of the states of b, given those of a, with what is heard between."""
        step = self._between(a, b, key)
        for said in heard:
            both = np.union1d(np.union1d(a[1], b[1]), said.node.own[:_LEADING]).astype(np.int64)
            there = self._between(a, (said.node, both), key, said.node.key)
            step = step * on_the_way(there, self._between((said.node, both), b, key), self._likely(said, both))
        return step

    def _between(self, a: tuple[Node, Int], b: tuple[Node, Int], *keys: str) -> Float:
        """`(K · S + 1, L · S + 1)` probabilities of the states of b, given those of a."""
        return self._step.between(a[1], b[1], gap(a[0], b[0]), self._visits(b[0].hours, *keys))

    def _likely(self, said: Heard, rows: Int) -> Float:
        return np.asarray(np.maximum(said.node.likelihood(rows), _LIKELY) ** said.weight)

    @cached_property
    def _rows(self) -> list[Int]:
        """Places that compete at each position."""
        return [
            self._candidates(node, (None, None), (), self._visits(node.hours, node.key), few=len(node.own) == 1)
            for node in self.fixed
        ]

    @cached_property
    def _likelihoods(self) -> list[Float]:
        return [np.maximum(node.likelihood(rows), _LIKELY) for node, rows in zip(self.fixed, self._rows, strict=True)]

    @cached_property
    def _steps(self) -> list[Float]:
        """From each position to the next one."""
        steps = []
        for i in range(1, len(self.fixed)):
            a, b = self.fixed[i - 1], self.fixed[i]
            said = self._said[bisect_left(self._said_times, a.hours) : bisect_right(self._said_times, b.hours)]
            some = spread_in_time(said)
            weights = witnesses.weights(self._alike([node.key for node in some])) if some else ()
            heard = [Heard(node, float(weight)) for node, weight in zip(some, weights, strict=True)]
            steps.append(self._way((a, self._rows[i - 1]), (b, self._rows[i]), heard, b.key))
        return steps

    def _outside(self, index: int, *, before: bool) -> Float:
        """Likelihood of the testimonies before the first position, or after the last one, by its states."""
        node, rows = self.fixed[index], self._rows[index]
        said = [other for other in self._said if (other.hours < node.hours if before else other.hours > node.hours)]
        some = chosen(said, node.hours)
        found = np.ones(len(rows) * SCALES + 1)
        weights = witnesses.weights(self._alike([other.key for other in some])) if some else ()
        for other, weight in zip(some, weights, strict=True):
            both = np.union1d(rows, other.own[:_LEADING]).astype(np.int64)
            step = self._between((node, rows), (other, both), other.key)
            found = found * np.maximum(step @ self._likely(Heard(other, float(weight)), both), _LIKELY)
        return np.asarray(found / found.max())

    @cached_property
    def _filtered(self) -> list[Float]:
        """Probabilities of the states of each position given everything up to it."""
        found: list[Float] = []
        for i, node in enumerate(self.fixed):
            if i == 0:
                prior = self._step.start(self._rows[0], self._visits(node.hours, node.key))
                prior = prior * self._outside(0, before=True)
            else:
                prior = found[-1] @ self._steps[i - 1]
            mass = prior * self._likelihoods[i]
            found.append(mass / mass.sum())
        return found

    @cached_property
    def _after(self) -> list[Float]:
        """Likelihood of everything after each position, by its states; only ratios matter."""
        found = [self._outside(len(self.fixed) - 1, before=False)] if self.fixed else []
        for i in range(len(self.fixed) - 1, 0, -1):
            message = self._steps[i - 1] @ (self._likelihoods[i] * found[-1])
            found.append(message / message.max())
        return found[::-1]

    @cached_property
    def _later(self) -> list[Float]:
        """Likelihood of each position and everything after it."""
        return [own * after for own, after in zip(self._likelihoods, self._after, strict=True)]

    def _visits(self, hours: float, *keys: str) -> Float:
        """`(V,)` probability of each place of a return at a time, without the visits of some photos.

        The rest to 1 are places where nobody is known to have been.
        """
        motion, others = self._step.motion, self._visit_weights
        for key in keys:
            others = others * (self._visit_keys != key)
        if self._in_order:
            others = others * (self._visit_times < hours)
        weight = motion.visit_weight(hours, self._visit_times) * others
        total = weight.sum()
        if not total > 0:
            return np.zeros(len(self.places))
        share = np.bincount(self._visit_places, weight, minlength=len(self.places))
        return np.asarray(share * (motion.known(float(others.sum())) / total))

    def _candidates(
        self,
        node: Node,
        ends: tuple[End | None, End | None],
        heard: Sequence[Heard],
        visits: Float,
        *,
        few: bool = False,
    ) -> Int:
        """Places of a node, of those nearest in time on each side, of what is heard, and those most often visited."""
        anchors, favourites = (2, 2) if few else (_ANCHORS, _FAVOURITES)
        found = set(node.own)
        for nodes, times in ((self.fixed, self._fixed_times), (self._said, self._said_times)):
            at = bisect_left(times, node.hours)
            for start, way in ((at - 1, -1), (at, 1)):
                near: set[int] = set()
                i = start
                while 0 <= i < len(nodes) and len(near) < anchors and abs(i - start) < _FARTHEST:
                    near.update(() if nodes[i].key == node.key else nodes[i].own[:_LEADING])
                    i += way
                found |= near
        for said in heard:
            found.update(said.node.own[:_LEADING])
        for end in ends:
            if end is not None:
                found.update(end.likely.tolist())
        if visits.any():
            top = np.argsort(-visits, kind="stable")[:favourites]
            found.update(top[visits[top] > 0].tolist())
        return np.array(sorted(found), dtype=np.int64)


def _likeliest(rows: Int, probs: Float) -> Int:
    """The places where a node most probably is."""
    mass = probs[:-1].reshape(len(rows), SCALES).sum(axis=1)
    top = np.argsort(-mass, kind="stable")[:_ANCHORS]
    return np.asarray(rows[top[mass[top] > _POSSIBLE]])

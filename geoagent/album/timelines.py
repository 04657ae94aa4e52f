"""The time lines of an album: one a device, joined where devices were together, and what they tell each photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geoagent.album import witnesses
from geoagent.album.chain import Chain
from geoagent.album.motion import STILL, Motion
from geoagent.album.nodes import Node, Told
from geoagent.album.places import SCALES, Places, Step
from geoagent.album.sightings import Likelihoods, Sighting
from geoagent.album.together import Company, company
from geoagent.places.geo import Float
from geoagent.types import Int
from geoagent.worlds.world import World

_VISIT = 0.5  # least probability of a cell that a picture alone speaks for, to be a visit: it seldom knows the town
_WRONG = 0.99  # probability of a wrong position from which it tells other photos nothing
_DOUBTED = 0.01  # probability of a wrong position from which it counts less
TOGETHER = 0.5
"""Least probability of being together at which a device's photos are told anything by another one."""
STATED = 0.95
"""Probability that devices are together which the user says are, and that a track is that of the photos."""


@dataclass(frozen=True, eq=False, slots=True)
class Message:
    """What the other photos tell about one.

    Attributes:
        told: probabilities of the states of places.
        before: the last sighting before it that was used, or None.
        after: the first one after it, or None.
        company: probability of being together, by the device that lent its sightings.
    """

    told: Told
    before: Sighting | None
    after: Sighting | None
    company: Mapping[str, float]


class Timelines:
    """The time lines of an album.

    Args:
        sightings: photos and points of tracks, all in one time (UTC, or the same clock); those without time are no
            part.
        world: cells that texts and pictures speak of.
        motion: how people move; `STILL` for photos of one place, whatever their times.
        tracks: devices that are tracks, and taken to be those of all photos.
        joined: whether the user says that all devices were together.
    """

    def __init__(
        self,
        sightings: Sequence[Sighting],
        world: World,
        motion: Motion,
        *,
        tracks: frozenset[str] = frozenset(),
        joined: bool = False,
    ) -> None:
        if motion is STILL:  # one place: times are of no matter, and devices neither
            sightings = [replace(s, hours=0.0, error_hours=0.0, device="") for s in sightings]
        self.sightings = {s.key: s for s in sightings if s.timed}
        self._tracks, self._joined = tracks, joined
        points = [(place, extent) for s in self.sightings.values() for place, extent in s.points]
        latlon = np.array([tuple(place) for place, _ in points], dtype=np.float64).reshape(-1, 2)
        self.places, labels = Places.of(latlon, np.array([extent for _, extent in points]))
        self._rows: dict[str, Int] = {}
        at = 0
        for key, sighting in self.sightings.items():
            count = len(sighting.points)
            self._rows[key], at = labels[at : at + count], at + count
        self.likelihoods = Likelihoods(self.places, world)
        self.step = Step(self.places, motion, self.likelihoods.ground.density)

    @cached_property
    def devices(self) -> tuple[str, ...]:
        """Devices that have photos with a time, tracks included."""
        return tuple(sorted({s.device for s in self.sightings.values()}))

    @cached_property
    def nodes(self) -> Mapping[str, list[Node]]:
        """By device, the sightings that say something.

        A position that its own device's time line finds wrong is no visit: it would make a return likely.
        """
        first: dict[str, list[Node]] = {device: [] for device in self.devices}
        for key, sighting in self.sightings.items():
            if sighting.speaks:
                first[sighting.device].append(self.node(key))
        return {device: self._checked(nodes) for device, nodes in first.items()}

    def _checked(self, nodes: Sequence[Node]) -> list[Node]:
        """The nodes of a device, with the weight of visits by how likely their positions are right."""
        chain = self._chain(nodes, told_in_order=True)
        found = [node for node in nodes if not node.fixed]
        for i, node in enumerate(chain.fixed):
            rows, probs = chain.smoothed(i)
            wrong = self.likelihoods.outlier(self.sightings[node.key], rows, probs)
            found.append(replace(node, weight=node.weight * (1.0 - wrong)) if wrong > _DOUBTED else node)
        return found

    def _chain(self, nodes: Sequence[Node], *, told_in_order: bool = False) -> Chain:
        return Chain(nodes, self.places, self.step, self._alike, told_in_order=told_in_order)

    def _alike(self, keys: Sequence[str]) -> Float:
        return witnesses.alike([self.sightings[key] for key in keys], self.likelihoods.world)

    @cached_property
    def own(self) -> Mapping[str, Chain]:
        """Each device's own time line."""
        return {device: self._chain(nodes) for device, nodes in self.nodes.items()}

    @cached_property
    def company(self) -> Mapping[str, Mapping[str, Company]]:
        """By device, when it was with each other one."""
        found: dict[str, dict[str, Company]] = {device: {} for device in self.devices}
        for device in self.devices:
            for other in self.devices:
                if other == device or not self.nodes[other]:
                    continue
                if self._joined or other in self._tracks:
                    found[device][other] = Company(np.zeros(1), np.array([STATED]))
                elif device not in self._tracks:
                    found[device][other] = company(self.nodes[device], self.own[device], self.own[other])
        return found

    @cached_property
    def merged(self) -> Mapping[str, Chain]:
        """Each device's time line with the sightings of those that were with it at the time."""
        found = {}
        for device, nodes in self.nodes.items():
            lent = [
                node
                for other, shared in self.company[device].items()
                for node in self.nodes[other]
                if shared.at(node.hours) >= TOGETHER
            ]
            found[device] = self._chain([*nodes, *lent]) if lent else self.own[device]
        return found

    @cached_property
    def _judged(self) -> Mapping[str, tuple[Chain, Mapping[str, int]]]:
        """Each device's time line as positions are judged by it, and where each sighting stands in it."""
        found = {}
        for device, merged in self.merged.items():
            chain = self._chain(merged.nodes, told_in_order=True)
            found[device] = (chain, {node.key: i for i, node in enumerate(chain.fixed)})
        return found

    @cached_property
    def wrong(self) -> frozenset[str]:
        """Positions that are most probably wrong, as the whole album has it."""
        return frozenset(key for key, p in self._outliers.items() if p > _WRONG)

    @cached_property
    def _telling(self) -> Mapping[str, tuple[Chain, Chain]]:
        """Each device's own time line and the merged one, without wrong positions where others are right."""
        found = {}
        for device in self.devices:
            chains = self.own[device], self.merged[device]
            found[device] = chains
            wrong = [node.key in self.wrong for node in chains[1].fixed]
            if any(wrong) and not all(wrong):
                own, merged = ([n for n in chain.nodes if n.key not in self.wrong] for chain in chains)
                found[device] = self._chain(own), self._chain(merged)
        return found

    def node(self, key: str) -> Node:
        """One sighting as a node of a time line."""
        sighting, rows = self.sightings[key], self._rows[key]

        def likelihood(of: Int) -> Float:
            return self.likelihoods.of(sighting, of)

        fixed = sighting.gps is not None
        weight = 1.0 if fixed else self._certainty(sighting)
        visit = int(rows[0]) if len(rows) else -1
        own = tuple(dict.fromkeys(rows.tolist()))
        nats = 0.0 if sighting.log_ratio is None else float(sighting.log_ratio.max())
        return Node(sighting.hours, sighting.error_hours, own, likelihood, visit, weight, key, fixed=fixed, nats=nats)

    def told(self, key: str) -> Message | None:
        """What all others tell about one photo; None if there is nobody who could."""
        sighting = self.sightings[key]
        own, merged = self._telling[sighting.device]
        if not any(node.key != key for node in merged.nodes):
            return None
        together = {o: c.at(sighting.hours) for o, c in self.company[sighting.device].items()}
        together = {other: p for other, p in together.items() if p >= TOGETHER}
        using = merged if together else own
        told = using.told(sighting.hours, key, sighting.error_hours)
        before, after = (None if side is None else self.sightings[side] for side in (told.before, told.after))
        borrowed = [s.device for s in (before, after) if s is not None and s.device != sighting.device]
        p = min((together[device] for device in borrowed if device in together), default=1.0)
        if p < 1.0:
            told = _mixed(told, own.told(sighting.hours, key, sighting.error_hours), p)
        told = self._without_copies(told, key)
        return Message(told, before, after, {device: together[device] for device in borrowed if device in together})

    def outlier(self, key: str) -> float:
        """Probability that the position in a photo's file is wrong, as all its device's photos have it."""
        return self._outliers.get(key, 0.0)

    @cached_property
    def _outliers(self) -> Mapping[str, float]:
        """That probability of each photo, and point of a track, with a position."""
        found = {}
        for key, sighting in self.sightings.items():
            if sighting.gps is not None:
                chain, at = self._judged[sighting.device]
                found[key] = self.likelihoods.outlier(sighting, *chain.smoothed(at[key]))
        return found

    def _certainty(self, sighting: Sighting) -> float:
        """Probability of the cell that a text or picture speaks for most, as a visit of it; 0 if it is none."""
        if sighting.log_ratio is None:
            return 0.0
        most = float(np.exp((sighting.log_ratio + self.likelihoods.world.log_prior).max()))
        return most if sighting.embedding is None or most >= _VISIT else 0.0

    def _without_copies(self, told: Told, key: str) -> Told:
        """Take from a message what copies of the photo's own evidence put into it."""
        sighting = self.sightings[key]
        if told.own >= 1.0 or sighting.log_ratio is None or len(told.rows) == 0:
            return told
        alone = replace(sighting, gps=None)
        own = self.likelihoods.of(alone, told.rows)
        probs = told.probs / np.maximum(own, 1e-12) ** (1.0 - told.own)
        return replace(told, probs=probs / probs.sum())


def _mixed(a: Told, b: Told, share: float) -> Told:
    """Mixture of two messages; `share` is that of the first."""
    rows = np.union1d(a.rows, b.rows).astype(np.int64)
    mass = np.zeros((len(rows), SCALES))
    for told, part in ((a, share), (b, 1.0 - share)):
        mass[np.searchsorted(rows, told.rows)] += part * told.by_state()
    rest = share * a.elsewhere + (1.0 - share) * b.elsewhere
    return replace(a, rows=rows, probs=np.append(mass.ravel(), rest))

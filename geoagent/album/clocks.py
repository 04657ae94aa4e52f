"""What a camera's clock shows: its offset from UTC, stated by its files, found from its photos, or assumed.

A clock whose zone no file tells is compared with the other devices: at the right offset, what its photos say of their
places agrees with where the others were. Offsets in whole quarters of an hour within half a day are zones; the zone
that another device's clock shows is likelier than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from geoagent.album.chain import Chain
from geoagent.album.nodes import Node
from geoagent.places.geo import Float

STEP_HOURS = 0.25
_WIDEST_HOURS = 26.0  # a clock may be a day off, and a zone beside that
_ZONES_HOURS = 14.0
_HOME = 0.5  # prior probability that the clock shows the zone that another device shows
_ZONE = 0.4  # prior probability of the other zones together; the rest are clocks that are simply wrong
_MOST = 24  # photos that are looked at, those that say most first
_WITH = 0.8  # probability that the device is with the others at all
_NEAR_HOURS = 2.5  # offsets so near the best one are the same finding
_CLEAR = 0.8  # probability that an offset found must have
_POSSIBLE = 0.2  # probability at which the zone of another device is assumed rather than anything unclear


@dataclass(frozen=True, slots=True)
class Offset:
    """How far a clock is ahead of UTC.

    Attributes:
        hours: the offset.
        error_hours: how far it may be off.
        source: "stated" by the user, "file" where its photos tell it, "found" from what its photos show, "unclear"
            where these do not agree with what other clocks show and yet leave much open, "assumed".
        probability: that it is right, where it was found.
        says: in words, for the user; "" where there is nothing to say.
    """

    hours: float
    error_hours: float
    source: str
    probability: float = 1.0
    says: str = ""


def grid() -> Float:
    """Offsets that are tried, hours."""
    return np.arange(-_WIDEST_HOURS, _WIDEST_HOURS + STEP_HOURS / 2, STEP_HOURS)


def find_offset(nodes: Sequence[Node], others: Chain, shown: Sequence[float]) -> Offset | None:
    """Find the offset at which a device's photos agree with the others; None where what other clocks show may be right.

    Args:
        nodes: photos of the device that say something about their place; their hours are what its clock shows.
        others: the other devices, in UTC, over the same places.
        shown: offsets that the clocks of other devices show.
    """
    if not nodes or not others.nodes:
        return None
    told = sorted(nodes, key=lambda node: (-node.weight, node.hours, node.key))[:_MOST]
    first, last = others.nodes[0].hours, others.nodes[-1].hours
    offsets = grid()
    log = np.log(_prior(offsets, shown))
    for node in told:
        ratio = np.ones(len(offsets))
        for i, offset in enumerate(offsets.tolist()):
            if first - 24 <= node.hours - offset <= last + 24:
                ratio[i] = others.evidence(replace(node, hours=node.hours - offset))
        mean = float(ratio @ _prior(offsets, shown))
        log += np.log(_WITH * ratio / mean + 1 - _WITH)
    probs = np.exp(log - log.max())
    probs /= probs.sum()
    best = int(probs.argmax())
    near = np.abs(offsets - offsets[best]) <= _NEAR_HOURS
    sure = float(probs[near].sum())
    if sure < _CLEAR:
        if any(probs[np.abs(offsets - zone) < 1.0].sum() >= _POSSIBLE for zone in shown):
            return None
        near = np.ones(len(offsets), dtype=bool)
    share = probs[near] / probs[near].sum()
    centre = float(np.round((share @ offsets[near]) / STEP_HOURS) * STEP_HOURS)
    spread = float(np.sqrt(share @ (offsets[near] - centre) ** 2))
    return Offset(centre, max(spread, STEP_HOURS / 2), "found" if sure >= _CLEAR else "unclear", sure)


def _prior(offsets: Float, shown: Sequence[float]) -> Float:
    zones = np.abs(offsets) <= _ZONES_HOURS
    whole = np.isclose(offsets % 1.0, 0.0)
    prior = np.where(zones & whole, 4.0, np.where(zones, 1.0, 0.0))
    prior = _ZONE * prior / prior.sum() + (1 - _ZONE - _HOME) / len(offsets)
    known = [int(np.abs(offsets - offset).argmin()) for offset in sorted(set(shown)) if abs(offset) <= _ZONES_HOURS]
    for i in known:
        prior[i] += _HOME / len(known)
    return np.asarray(prior / prior.sum())

"""Combine a model's candidates into one constraint: they are mutually exclusive alternatives of one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.evidence.constraints._resolve import Resolved
from geoagent.evidence.cues.reading import percent
from geoagent.places.gazetteer.tally import Tally
from geoagent.types import Constraint, Place, Span

_REST = {"city": (0.72, 0.1), "admin1": (0.85, 0.15)}
"""Shares of a city's mass: the city, its admin-1 unit, the rest its country; of a unit's: the unit and its country."""
_LEAST = 0.02


@dataclass(frozen=True, slots=True)
class Weighed:
    """A resolved candidate with the model's own probability."""

    resolved: Resolved
    probability: float
    says: str


def mixture(
    weighed: Sequence[Weighed],
    believed: Callable[[str], float],
    area: Callable[[Place], tuple[Place | None, Place | None]],
    *,
    id: str,
    kind: str,
    source: str,
    model: str,
    spans: tuple[Span, ...],
) -> Constraint | None:
    """Return one constraint: with reliability r, the photo is in one of these places, weighted as by the model.

    Models are less reliable at fine levels than for countries. For each candidate, the share of mass that its level's
    reliability does not cover is therefore assigned to its country.

    Args:
        weighed: candidates.
        believed: level -> reliability.
        area: returns the admin-1 unit and the country of a place.
        id: id of the constraint.
        kind: kind of the cue.
        source: source of the constraint.
        model: name of the model for the explanation.
        spans: text that supports the constraint.

    Returns:
        The constraint, or None if no candidate is left.
    """
    kept = [w for w in weighed if w.resolved.places and w.probability >= _LEAST]
    stated = sum(w.probability for w in kept)
    if not kept or stated <= 0:
        return None
    tally = Tally()
    add = tally.add
    for one in kept:
        share = one.probability / stated
        fine = believed(one.resolved.level) / max(believed("country"), 1e-9)
        for place, weight in one.resolved.places:
            unit, state = area(place)
            own = share * weight * min(1.0, fine) if place.level != "country" else 0.0
            add(state, share * weight - own)
            if place.level == "city":
                add(place, own * _REST["city"][0])
                add(unit or state, own * _REST["city"][1])
                add(state, own * (1 - sum(_REST["city"])))
            elif place.level == "admin1":
                add(place, own * _REST["admin1"][0])
                add(state, own * _REST["admin1"][1])
    ranked = tally.ranked()
    total = sum(mass for _, mass in ranked)
    if total <= 0:
        return None
    best = max(kept, key=lambda w: w.probability)
    first = best.resolved.places[0][0]
    named = first.name if first.level == "country" else f"{first.name} ({first.country})"
    others = f", or {len(kept) - 1} other place{'s' * (len(kept) > 2)}" if len(kept) > 1 else ""
    return Constraint(
        id=id,
        kind=kind,
        value=named,
        says=f"The language model {model} takes it for {named} ({percent(best.probability)}){others}: {best.says}",
        source=source,
        places=tuple(place for place, _ in ranked),
        weights=np.array([mass / total for _, mass in ranked]),
        reliability=float(np.clip(believed("country") * min(1.0, stated), 0.02, 0.985)),
        spans=spans,
    )

"""From a model's candidates to one constraint: they exclude each other, so together they are one statement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.evidence.constraints._resolve import Resolved
from geoagent.places.gazetteer.tally import Tally
from geoagent.types import Constraint, Place, Span

_REST = {"city": (0.72, 0.1), "admin1": (0.85, 0.15)}
"""Of a city's mass: the city, its admin-1 unit, the rest its country; of a unit's: the unit and its country."""
_LEAST = 0.02


@dataclass(frozen=True, slots=True)
class Weighed:
    """A candidate that resolved, with the model's own probability."""

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
    """One constraint: with reliability r, one of these places, weighted as the model weighs them.

    What a model states at a fine level is believed less than its country; so of each candidate's mass the share that is
    not believed at its own level stays with its country.

    Args:
        weighed: candidates.
        believed: level to reliability.
        area: a place to its admin-1 unit and its country.
        id: of the constraint.
        kind: of the cue.
        source: of the constraint.
        model: name for the sentence.
        spans: text that it rests on.

    Returns:
        None where no candidate is left.
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
        says=f"The language model {model} takes it for {named} ({best.probability:.0%}){others}: {best.says}",
        source=source,
        places=tuple(place for place, _ in ranked),
        weights=np.array([mass / total for _, mass in ranked]),
        reliability=float(np.clip(believed("country") * min(1.0, stated), 0.02, 0.985)),
        spans=spans,
    )

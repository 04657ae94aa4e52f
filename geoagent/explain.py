"""Saying what the evidence did: computed from the evidence, never invented."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.answer import Best, CuePlace, CueReport
from geoagent.types import Constraint, Place, Posterior

_SHOWN = 8  # places of a cue that an answer lists


def cue_place(place: Place, weight: float) -> CuePlace:
    """One place of a cue as the answer writes it: a code for areas, a name for cities."""
    p = round(float(weight), 4)
    if place.level == "city":
        return CuePlace(code=place.country, name=place.name, p=p)
    if place.level == "admin1":
        return CuePlace(code=place.admin1 or place.country, name=place.name, p=p)
    return CuePlace(code=place.country, p=p)


def cue_report(number: int, constraint: Constraint, posterior: Posterior, cell: int, without: Best) -> CueReport:
    """What one constraint saw and did.

    Args:
        number: its place in the answer's list, from 1.
        constraint: what it says.
        posterior: where its pooled log likelihood is.
        cell: the cell of the answer, at which its nats are counted.
        without: the answer without it.
    """
    order = np.argsort(-constraint.weights, kind="stable")[:_SHOWN]
    places = [cue_place(constraint.places[i], constraint.weights[i]) for i in order if constraint.weights[i] >= 0.005]
    return CueReport(
        id=f"c{number}",
        kind=constraint.kind,
        value=constraint.value,
        says=constraint.says,
        regions=list(constraint.regions),
        places=places,
        reliability=round(constraint.reliability, 3),
        nats=round(float(posterior.contributions[constraint.id][cell]), 3),
        favours=places[0] if places else None,
        without=without,
        source=constraint.source,
    )


def favoured(place: CuePlace | None) -> str:
    """A cue's first place in words: "Stuttgart, DE"."""
    if place is None:
        return "no place"
    return f"{place.name}, {place.code}" if place.name and place.code else (place.name or place.code or "no place")


def where(best: Best | None) -> str:
    """A place in words: "Köln, North Rhine-Westphalia, DE"."""
    if best is None:
        return "nowhere"
    parts = dict.fromkeys(part for part in (best.place, best.admin1, best.country) if part)
    return ", ".join(parts) or "the whole world"


def kilometres(distance_km: float) -> str:
    """A distance with as many digits as it deserves."""
    return f"{distance_km:.1f} km" if distance_km < 10 else f"{round(distance_km):,} km".replace(",", " ")


def statements(
    text_aware: Best,
    vision_only: Best,
    confidence: float,
    radius_50_km: float,
    radius_90_km: float,
    cues: Sequence[CueReport],
    *,
    looked: bool,
    lines: int,
) -> list[str]:
    """The answer in a few statements, each of them a restatement of a number in it."""
    level = {"country": "a country", "region": "a region"}.get(text_aware.precision, "a city")
    reach = "no country is likelier than not" if text_aware.precision == "none" else f"the evidence reaches to {level}"
    said = [
        f"{where(text_aware)}: {confidence:.0%} for {text_aware.country}; {reach}.",
        f"Half of the probability lies within {kilometres(radius_50_km)} of the place, 90 % within "
        f"{kilometres(radius_90_km)}.",
    ]
    if not looked:
        said.append("The picture itself was not judged, only its text: where photos are taken stands in for it.")
    if not cues:
        said.append(
            "No text was found."
            if lines == 0
            else f"{lines} line{'s' * (lines != 1)} of text, but none speaks for a place."
        )
        return said
    for cue in [c for c in cues if c.nats > 0][:3]:
        changed = (
            f"without it: {where(cue.without)}"
            if _differs(cue.without, text_aware)
            else "without it the place is the same"
        )
        said.append(f"{cue.says} It adds {cue.nats:+.1f} nats ({changed}).")
    against = [c for c in cues if c.nats < -0.1]
    if against:
        named = "; ".join(f"{c.kind} “{c.value}” ({favoured(c.favours)})" for c in against[:3])
        said.append(f"Against it speak: {named}.")
    if _differs(vision_only, text_aware):
        said.append(f"Without any text the answer would be {where(vision_only)}.")
    return said


def _differs(a: Best, b: Best) -> bool:
    return (a.country, a.admin1, a.place) != (b.country, b.admin1, b.place)

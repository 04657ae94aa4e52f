"""Explanation of an answer, computed from the evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from geoagent.answer import Best, Comparison, CuePlace, CueReport
from geoagent.evidence.cues.language_names import language_name, script_name
from geoagent.evidence.cues.reading import percent
from geoagent.places.geo import Float, LatLon
from geoagent.types import Constraint, Place, Posterior

NOT_JUDGED = "the picture itself was not judged, only its text"
"""The warning of an answer for whose photo there is no encoder and no model that sees."""
SEEN_NOTHING = "the language model saw the picture and named no place from it"
"""The warning where a model saw a photo for which there is no encoder, and proposed nothing."""
LOOKED_FOR = (
    "signs, number plates, place names, addresses, telephone numbers, web domains, postcodes, prices, opening hours, "
    "companies, landmarks, languages and scripts"
)
"""What a text is searched for, in words; see `FINDERS` of the cues."""
_FAIR = float(np.log(3.0))  # least nats for evidence to be mentioned (Kass & Raftery 1995, section 3.2)
_SHOWN = 8  # places listed per cue


def cue_place(place: Place, weight: float) -> CuePlace:
    """One place of a cue in the form of the JSON answer: a code for areas, a name for cities."""
    p = round(float(weight), 4)
    if place.level == "city":
        return CuePlace(code=place.country, name=place.name, p=p)
    if place.level == "admin1":
        return CuePlace(code=place.admin1 or place.country, name=place.name, p=p)
    return CuePlace(code=place.country, p=p)


def cue_report(number: int, constraint: Constraint, nats: float, without: Best) -> CueReport:
    """Report of one constraint: what it rests on and what it changed.

    Args:
        number: its position in the answer's list, from 1.
        constraint: the constraint.
        nats: its pooled log likelihood at the cell of the answer.
        without: the answer without it.
    """
    order = np.argsort(-constraint.weights, kind="stable")[:_SHOWN]
    places = [cue_place(constraint.places[i], constraint.weights[i]) for i in order if constraint.weights[i] >= 0.005]
    return CueReport(
        id=f"c{number}",
        constraint=constraint.id,
        kind=constraint.kind,
        value=constraint.value,
        says=constraint.says,
        regions=list(constraint.regions),
        places=places,
        reliability=round(constraint.reliability, 3),
        nats=round(nats, 3),
        favours=places[0] if places else None,
        without=without,
        source=constraint.source,
    )


Names = Callable[[str], str]
"""From a country's ISO 3166-1 alpha-2 code to its name."""


def favoured(place: CuePlace | None, names: Names) -> str:
    """The first place of a cue as text: "Stuttgart, Germany"."""
    if place is None:
        return "no place"
    country = names(place.code.partition(".")[0]) if place.code else None
    return ", ".join(dict.fromkeys(part for part in (place.name, country) if part)) or "no place"


def named_value(kind: str, value: str) -> str:
    """What a cue is about: its value, with names of languages and scripts instead of their codes."""
    if kind == "language":
        return " or ".join(map(language_name, value.split()))
    return script_name(value) if kind == "script" else value


def where(best: Best | None, names: Names) -> str:
    """A place as text: "Köln, North Rhine-Westphalia, Germany"."""
    if best is None:
        return "nowhere"
    country = names(best.country) if best.country else None
    parts = dict.fromkeys(part for part in (best.place, best.admin1, country) if part)
    return ", ".join(parts) or "no place"


def sure_of(place: str, country: str, p: float) -> str:
    """Return "Köln, Germany: 96 % sure of Germany", or of a country alone "Germany, 96 % sure"."""
    return f"{place}, {percent(p)} sure" if place == country else f"{place}: {percent(p)} sure of {country}"


def unnamed(country: str, p: float, asked: float) -> str:
    """Say why no place is named.

    Args:
        country: name of the most probable country.
        p: its probability.
        asked: probability that was asked for; one half if nothing was.
    """
    if asked <= 0.5:
        return f"No place can be named: no country is likelier than not; the likeliest, {country}, has {percent(p)}."
    return f"No place is named: the likeliest country, {country}, has {percent(p)}; {percent(asked)} were asked for."


def nothing_found(lines: int, *, photo: bool, seen: bool = False) -> tuple[str, str]:
    """Say that no place can be named, since no picture was judged and no text speaks for a place.

    Args:
        lines: number of lines of text read.
        photo: whether there was a photo; else text alone.
        seen: whether a model saw the picture and named no place.

    Returns:
        What cannot be done, and why, to be joined by a colon.
    """
    found = "none" if lines == 0 else f"none in {lines} line{'s' * (lines != 1)} of text"
    looked_for = f"Looked for: {LOOKED_FOR}; found {found}."
    if photo:
        judged = "a language model saw the picture and named none" if seen else "the picture was not judged"
        return "No place can be named", f"{judged}, and no text in it speaks for a place. {looked_for}"
    return "No place can be named", f"the text speaks for none. {looked_for}"


def kilometres(distance_km: float) -> str:
    """A distance as text, with significant digits only."""
    return f"{distance_km:.1f} km" if distance_km < 10 else f"{round(distance_km):,} km"


_TOLD_NATS = 0.05
"""Least nats of a cue that is named: less is written as 0.0."""
_HINT_NATS = 1.0
"""Nats from which a cue is told as a hint where no place can be named."""
_KINDS = {
    "phone": "telephone number",
    "domain": "address",
    "registration": "register number",
    "company": "company form",
    "currency": "price",
    "habit": "way of writing",
    "institution": "institution's name",
    "landmark": "landmark's name",
    "regional": "word",
    "signword": "word",
    "road": "road number",
    "direction": "distance",
    "street": "street name",
}


def statements(
    text_aware: Best,
    vision_only: Best,
    confidence: float,
    radius_50_km: float | None,
    radius_90_km: float | None,
    cues: Sequence[CueReport],
    names: Names,
    *,
    looked: bool,
    photo: bool,
    seen: bool = False,
    told: bool,
    lines: int,
    comparison: Comparison | None = None,
    unnamed: str = "",
) -> list[str]:
    """The answer as a few statements, each of which restates a number in it.

    Args:
        text_aware: the answer.
        vision_only: the one without text.
        confidence: probability of its country.
        radius_50_km: of the answer.
        radius_90_km: of the answer.
        cues: strongest first.
        names: names of countries.
        looked: whether the picture was judged.
        photo: whether there was a photo.
        seen: whether a model saw the picture and named no place.
        told: whether the user gave a constraint or hint on the place.
        lines: number of lines of text read.
        comparison: comparison of picture and text.
        unnamed: why no place is named, see `unnamed`; "" where one is.
    """
    if unnamed and not looked and not cues:
        return [": ".join(nothing_found(lines, photo=photo, seen=seen))]
    level = {"country": "a country", "region": "a region", "full": "a point"}.get(text_aware.precision, "a city")
    sure = sure_of(where(text_aware, names), names(text_aware.country or ""), confidence)
    said = [unnamed or f"{sure}; the evidence reaches to {level}."]
    if radius_50_km is not None and radius_90_km is not None and text_aware.precision != "country":
        said.append(
            f"Half of the probability lies within {kilometres(radius_50_km)} of the place, 90 % within "
            f"{kilometres(radius_90_km)}."
        )
    if photo and not looked and not seen:
        only = "" if any(cue.source == "album" for cue in cues) else ", only its text"
        said.append(f"The picture itself was not judged{only}.")
    if not cues:
        said.append(
            "No text was found."
            if lines == 0
            else f"{lines} line{'s' * (lines != 1)} of text, but none speaks for a place."
        )
        return said
    if unnamed and (hint := next((c for c in cues if c.nats >= _HINT_NATS and c.favours is not None), None)):
        what = f"{_KINDS.get(hint.kind, hint.kind)} “{named_value(hint.kind, hint.value)}”"
        said.append(f"If the {what} is what it seems: {favoured(hint.favours, names)}.")
    for cue in [c for c in cues if c.nats >= _TOLD_NATS][:3]:
        changed = (
            f"without it: {where(cue.without, names)}"
            if _differs(cue.without, text_aware)
            else "without it no place can be named either"
            if unnamed
            else "without it the place is the same"
        )
        said.append(f"{cue.says} It adds {cue.nats:+.1f} nats ({changed}).")
    against = [c for c in cues if c.nats < -0.1]
    if against:
        named = "; ".join(
            f"{c.kind} “{named_value(c.kind, c.value)}” ({favoured(c.favours, names)})" for c in against[:3]
        )
        said.append(f"Against it speak: {named}.")
    if not looked and not told:
        return said  # without its text nothing is known of the photo
    if vision_only.precision == "none" and not unnamed:
        said.append("Without any text no place could be named.")
    elif _differs(vision_only, text_aware):
        without = "Without any text, by what you said," if told else "Without any text"
        said.append(f"{without} the answer would be {where(vision_only, names)}.")
    if comparison is not None and comparison.conflict:
        said.append(comparison.says)
    return said


def compared(
    vision: Posterior, text: Posterior, before: Float, vision_only: Best, text_aware: Best, names: Names
) -> Comparison:
    """Agreement of picture and text, and what the text changed.

    The agreement is log Σ v(c) t(c) / p(c), with v and t the beliefs from picture and text and p the belief before
    either: how many times likelier both are under one place than under two.

    Args:
        vision: belief from the picture and the user's input.
        text: belief from the text and the user's input.
        before: `(C,)` log probabilities from the user's input alone.
        vision_only: the answer without text.
        text_aware: the answer.
        names: names of countries.
    """
    moved_km = _apart_km(vision_only, text_aware)
    v, t = vision.log_probs, text.log_probs
    both = v + t - before
    agreement = float(both.max() + np.log(np.exp(both - both.max()).sum()))
    middle = np.logaddexp(v, t) - np.log(2.0)
    divergence = 0.5 * float(np.exp(v) @ (v - middle) + np.exp(t) @ (t - middle))
    changed: Literal["nothing", "place", "region", "country"] = "nothing"
    if vision_only.country != text_aware.country:
        changed = "country"
    elif moved_km is not None and moved_km >= 1.0:
        changed = "region" if vision_only.admin1 != text_aware.admin1 else "place"
    conflict = agreement <= -_FAIR
    if conflict:
        times = f"{np.exp(-agreement):,.0f} times"
        says = f"Picture and text disagree: two places explain them {times} better than one."
    elif agreement >= _FAIR:
        says = "Picture and text agree."
    else:
        says = "Picture and text neither agree nor disagree."
    change = ""
    if changed != "nothing" and vision_only.precision == "none":
        change = f"Without the text no place can be named; with it, it is {where(text_aware, names)}."
    elif changed != "nothing" and text_aware.precision == "none":
        change = f"Without the text it is {where(vision_only, names)}; with it, no place can be named."
    elif changed != "nothing" and where(vision_only, names) != where(text_aware, names):
        change = f"The text changed the {changed}: {where(vision_only, names)} became {where(text_aware, names)}."
    elif moved_km is not None and changed != "nothing":
        change = f"The text moved the place by {kilometres(moved_km)}."
    return Comparison(
        changed=changed,
        moved_km=None if moved_km is None else round(moved_km, 2),
        divergence_nats=round(max(0.0, divergence), 4),
        agreement_nats=round(agreement, 3),
        conflict=conflict,
        says=says,
        change=change,
    )


def _apart_km(a: Best, b: Best) -> float | None:
    """Distance between two places; None where one of them is not named or withheld."""
    if a.lat is None or a.lon is None or b.lat is None or b.lon is None:
        return None
    return LatLon(a.lat, a.lon).distance_km(LatLon(b.lat, b.lon))


def _differs(a: Best, b: Best) -> bool:
    return (a.country, a.admin1, a.place) != (b.country, b.admin1, b.place)

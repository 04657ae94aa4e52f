"""An answer in a few sentences: which place, how sure, and why."""

from __future__ import annotations

from geoagent.answer import Answer, CueReport
from geoagent.interfaces.render import (
    ALBUM,
    blank_text,
    coordinates_text,
    is_blank,
    km_text,
    nats_text,
    percent_text,
    shown,
    title_text,
    value_text,
)
from geoagent.interfaces.render._evidence import placed, where_text
from geoagent.interfaces.render.album import album_words
from geoagent.interfaces.render.names import country_name

_MOST = 3
"""Cues that are named."""
_LEAST = 0.05
"""Least nats of a cue that is named: less is written as 0.0."""
_KINDS = {
    "brand": "the brand", "company": "the form of company",
    "currency": "the currency", "direction": "the direction sign", "domain": "the web address",
    "habit": "the way of writing", "hint": "what you said:", "institution": "the institution",
    "landmark": "the landmark", "language": "the language of its text", "llm": "what the language model read:",
    "llm-picture": "what the language model saw:", "name": "the place name", "not": "what you ruled out:",
    "phone": "the telephone number", "plate": "the number plate", "postcode": "the postcode",
    "regional": "the regional word", "registration": "the register number", "road": "the road sign",
    "script": "the script of its text", "signword": "the word", "street": "the street name",
    "within": "what you said:",
}  # fmt: skip
_PLURAL = frozenset({"Bahamas", "Comoros", "Gambia", "Maldives", "Netherlands", "Philippines", "Seychelles"})
"""Names with an article beside those of islands, republics and unions."""
_WITHOUT_VALUE = frozenset({ALBUM, "language", "script"})


def in_words(code: str) -> str:
    """Return the name of a country as it stands in a sentence: "the Netherlands", "France"."""
    name = shown(country_name(code))
    article = name.startswith(("United ", "Republic of the ")) or name.endswith((" Islands", " Republic"))
    return f"the {name}" if article or name in _PLURAL else name


def place_words(answer: Answer) -> str:
    """Return "Köln, North Rhine-Westphalia, Germany", or that no place can be named."""
    best = answer.best
    if answer.status == "error":
        return "No answer"
    return where_text(best, country_name) if best is not None and best.precision != "none" else title_text(answer)


def sure_words(answer: Answer) -> str:
    """Return how sure the answer is and how near the place: one sentence, "" for an error."""
    best = answer.best
    if answer.status == "error" or best is None:
        return ""
    if is_blank(answer):
        return blank_text(answer)
    if best.precision == "none":
        if not answer.countries:
            return "The evidence points nowhere clearly enough."
        first = answer.countries[0]
        name, share = in_words(first.code), percent_words(first.p)
        return f"The evidence points nowhere clearly enough; the likeliest country, {name}, has {share}."
    sure = ""
    if best.country and answer.confidence is not None:
        share = percent_words(answer.confidence)
        sure = f"{share[:1].upper()}{share[1:]} sure of {in_words(best.country)}"
    at = placed(best)
    if at is None or answer.radius_90_km is None:
        return f"{sure}." if sure else ""
    where = coordinates_text(at.lat, at.lon, answer.radius_50_km)
    near = f"90 % within {km_text(answer.radius_90_km)} of {where}, 50 % within {km_text(answer.radius_50_km)}"
    return f"{sure}; {near}." if sure else f"{near}."


def why_words(answer: Answer, *, nats: bool = False) -> str:
    """Return what speaks most for the place: "the postcode “50672” and the place name “Köln”"; "" where nothing does.

    Args:
        answer: the answer.
        nats: add the weight of each cue.
    """
    best = answer.best
    if best is None or best.precision == "none":
        return ""
    ranked = sorted((cue for cue in answer.cues if cue.nats > _LEAST), key=lambda cue: -cue.nats)
    parts = list(dict.fromkeys(_cue(cue, answer, nats) for cue in ranked[:_MOST]))
    if len(ranked) > _MOST:
        parts.append(f"{len(ranked) - _MOST} more")
    seen = answer.looked and not any(cue.source == "llm-picture" for cue in answer.cues)
    if seen:
        parts.insert(0, "the look of the picture") if not parts else parts.append("the look of the picture")
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def percent_words(p: float) -> str:
    """Return "87 %", "more than 99 %" or "less than 1 %"."""
    return percent_text(p).replace(">", "more than ").replace("<", "less than ")


def repr_text(answer: Answer) -> str:
    """Return an answer in at most three lines, for `repr`."""
    name = shown(answer.source if answer.id is None else f"{answer.source} {answer.id}")
    if answer.status == "error":
        return f"<Answer {name}: error: {shown(answer.error or 'unknown reason')}>"
    best = answer.best
    level = f" ({best.precision})" if best is not None and best.precision != "none" else ""
    partial = ", partial" if answer.status == "partial" else ""
    why = why_words(answer, nats=True)
    lines = [f"<Answer {name}{partial}: {place_words(answer)}{level}", sure_words(answer), why and f"Why: {why}."]
    return "\n  ".join(line for line in lines if line) + ">"


def _cue(cue: CueReport, answer: Answer, nats: bool) -> str:
    kind = album_words(answer.album) if cue.kind == ALBUM else _KINDS.get(cue.kind, shown(cue.kind))
    said = kind if cue.kind in _WITHOUT_VALUE else f"{kind} “{shown(value_text(cue))}”"
    return f"{said} ({nats_text(cue.nats)} nats)" if nats else said

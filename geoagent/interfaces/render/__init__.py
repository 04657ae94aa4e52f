"""An answer for people: a map page (`map`), a report (`report`), a marked photo (`annotate`), a terminal page (`text`).

What all of them share is here: how places, distances, numbers and foreign text are written. Strings in an answer come
from signs that anybody may have painted, so every one of them passes through `shown` before it is drawn anywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from geoagent.answer import Answer, Best, CuePlace, CueReport, Prediction
from geoagent.belief.explanation import NOT_JUDGED, SEEN_NOTHING, named_value, nothing_found
from geoagent.evidence.cues.reading import percent
from geoagent.interfaces.render.names import country_name
from geoagent.optional import eyes

PALETTE = ("#b3400a", "#005a94", "#00735a", "#8a3f8f", "#8a6d00", "#b02a52", "#3f5f1f", "#51519c")
"""Colours of what cues favour, each at least 4.5 : 1 against white."""
OTHER_COLOUR = "#5b5b60"
AROUND_KM = 150.0
"""How far around an alternative its probability is counted: see `Alternative.p`."""
SURE = 0.95
"""Probability of the country from which a place that the text names counts as settled."""
SETTLED = 0.9
"""Probability of the country above which the advice on pictures stands at the end."""
UNNAMED = "No place can be named"
EYES_TEXT = f"to have pictures judged: {eyes()}"
"""Says how pictures can be judged, after a warning that they were not."""
ALBUM = "album"
"""Source of the cues that other photos give."""
NO_CUES = "No text cue contributed to this answer."
UNREAD = "text that could not be read"
"""Title of the boxes of `Answer.unread`."""

_INVISIBLE = re.compile("[\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]")
PRECISION_SAYS = {
    "none": "no place can be named",
    "country": "country only",
    "region": "region",
    "city": "city",
    "full": "exact place",
}


def shown(text: str) -> str:
    """Make untrusted text safe to look at: one line, no direction tricks, nothing that no screen can draw.

    Direction marks and zero-width signs are dropped (they can make a sign read backwards), line breaks and tabs become
    a space, other control characters and lone surrogates become U+FFFD. The zero-width joiners stay: Persian, Hindi and
    emoji need them.
    """
    kept = _INVISIBLE.sub("", re.sub(r"[\t\n\v\f\r\x85\u2028\u2029]+", " ", text))
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs") else c for c in kept)


def km_text(km: float | None) -> str:
    """Return a distance as people say it: "850 m", "4.2 km", "1,240 km"; "–" for None or what is not finite."""
    if km is None or not km < float("inf"):
        return "–"
    if km < 0.995:
        return f"{round(km * 100) * 10} m" if km >= 0.005 else "<10 m"
    return f"{km:.1f} km" if km < 9.95 else f"{round(km):,} km"


def percent_text(p: float | None) -> str:
    """Return a probability as a whole percentage that never claims certainty: "<1 %", "87 %", ">99 %"."""
    if p is None or p != p:
        return "–"
    return percent(p)


def coordinates_text(lat: float | None, lon: float | None, radius_km: float | None = None) -> str:
    """Return degrees with as many digits as the radius deserves; "" where the precision hides them.

    Args:
        lat: degrees.
        lon: degrees.
        radius_km: radius that holds half of the probability; a digit worth less than a tenth of it is not written.
    """
    if lat is None or lon is None:
        return ""
    digits = 4 if radius_km is None else next((d for km, d in ((100, 1), (10, 2), (1, 3)) if radius_km >= km), 4)
    return f"{abs(lat):.{digits}f}° {'N' if lat >= 0 else 'S'}, {abs(lon):.{digits}f}° {'E' if lon >= 0 else 'W'}"


def place_text(best: Best | None, *, country: bool = True) -> str:
    """Return "Stuttgart, Baden-Württemberg, Germany", as much of it as there is, without saying a name twice."""
    if best is None or best.precision == "none" or not (best.place or best.admin1 or best.country):
        return "no place"
    if best.precision == "country" and best.place:  # as its own gazetteer calls it
        return shown(best.place)
    parts = [best.place, best.admin1, country_name(best.country) if country and best.country else None]
    names = [shown(part) for part in parts if part]
    return ", ".join(dict.fromkeys(names))


def short_text(best: Best) -> str:
    """Return "Stuttgart, Germany": the finest name and the country, or "no place"."""
    if best.precision == "country" and best.place:
        return shown(best.place)
    if best.precision == "none":
        return "no place"
    parts = (best.place or best.admin1, country_name(best.country) if best.country else None)
    names = [shown(part) for part in parts if part]
    return ", ".join(dict.fromkeys(names)) or "no place"


def title_text(answer: Answer) -> str:
    """Return the place, or that none can be named."""
    best = answer.best
    if best is not None and best.precision != "none":
        return place_text(best)
    return _nothing_found(answer)[0] if is_blank(answer) else UNNAMED


def is_blank(answer: Answer) -> bool:
    """Whether nothing is known of the photo: no picture was judged, and no text speaks for a place."""
    return answer.status != "error" and answer.looked is False and not answer.cues


def blank_text(answer: Answer) -> str:
    """Return why no place can be named, of an answer that `is_blank`: what was looked for, and what was found."""
    why = _nothing_found(answer)[1]
    return why[:1].upper() + why[1:]


def is_vague(answer: Answer) -> bool:
    """Whether no more than a country is named; its coordinates would be those of a capital, and mean nothing."""
    best = answer.best
    return best is not None and best.precision == "country" and best.lat is not None


def is_sure(answer: Answer) -> bool:
    """Whether the text settles the place, so that it matters little that no picture was judged."""
    named = answer.best is not None and answer.best.precision in ("city", "full")
    return named and (answer.confidence or 0.0) >= SURE


def notes_text(answer: Answer, *, all_of_them: bool = True) -> list[str]:
    """Return the warnings for a reader; that of a picture that was not judged names the command to have it judged.

    Args:
        answer: the answer.
        all_of_them: also those that do not matter for this answer: of an unjudged picture where the text settles it.
    """
    blank = is_blank(answer)  # it says so in its headline
    told = [w for w in dict.fromkeys(answer.warnings) if not (blank and w == SEEN_NOTHING)]
    if not all_of_them and is_sure(answer):
        told = [w for w in told if w not in (NOT_JUDGED, SEEN_NOTHING)]
    advice = EYES_TEXT if blank else f"{NOT_JUDGED}; {EYES_TEXT}"
    advice = advice[:1].upper() + advice[1:]
    return [advice if warning == NOT_JUDGED else warning for warning in told]


def is_settled(answer: Answer) -> bool:
    """Whether a place is named and its country is so sure that a picture not judged is worth a line at the end."""
    named = answer.best is not None and answer.best.precision != "none"
    return named and (answer.confidence or 0.0) > SETTLED


def _nothing_found(answer: Answer) -> tuple[str, str]:
    seen = SEEN_NOTHING in answer.warnings
    photo = seen or any("not judged" in warning for warning in answer.warnings)
    return nothing_found(len(answer.regions), photo=photo, seen=seen)


def likeliest_text(answer: Answer) -> str:
    """Return "22 % for the likeliest country, France" where no place is named; "" where nothing is known."""
    if not answer.countries or is_blank(answer):
        return ""
    first = answer.countries[0]
    return f"{percent_text(first.p)} for the likeliest country, {shown(country_name(first.code))}"


def file_text(answer: Answer) -> str:
    """Return the position in the file by name, "Reykjavík, Iceland"; its coordinates on the open sea, "" if none."""
    gps = answer.exif_gps
    return "" if gps is None else shown(gps.place) if gps.place else coordinates_text(gps.lat, gps.lon)


def exif_distance_km(answer: Answer) -> float | None:
    """Return how far the file's position is from the answer; None without one, or of an answer without a position."""
    named = answer.best is not None and answer.best.precision not in ("none", "country")
    return answer.exif_gps.distance_km if named and answer.exif_gps is not None else None


def alone_text(answer: Answer) -> str:
    """Return what `vision_only` is called: without a picture half it rests on what the user stated."""
    return "what you said alone" if answer.looked is False else "picture only"


def beside_text(answer: Answer) -> str:
    """Return what `text_aware` rests on beside the picture: "the text", "the other photos" of its album, or both."""
    sources = {cue.source for cue in answer.cues}
    if ALBUM not in sources:
        return "the text"
    return "the text and the other photos" if sources - {ALBUM, "user"} else "the other photos"


def both_text(answer: Answer) -> str:
    """Return what `text_aware` is called where a picture was judged."""
    beside = beside_text(answer).replace("the ", "")
    return f"picture, {beside}" if " and " in beside else f"picture and {beside}"


def halves(answer: Answer) -> list[tuple[str, Prediction | None]]:
    """Return what is worth showing side by side, by name: picture, text and both.

    Where no picture was judged, text alone is the answer, and only what the user stated can be set beside it.
    """
    if answer.looked is not False:
        both = (both_text(answer), answer.text_aware)
        return [(alone_text(answer), answer.vision_only), ("text only", answer.text_only), both]
    sources = {cue.source == "user" for cue in answer.cues}
    told = [(alone_text(answer), answer.vision_only), (f"with {beside_text(answer)}", answer.text_aware)]
    return told if sources == {True, False} else []


def change_text(answer: Answer) -> str:
    """Return in one line what the text changed; "" where one of the halves is not there, or nothing was read."""
    if answer.vision_only is None or answer.text_aware is None or all(cue.source == "user" for cue in answer.cues):
        return ""
    if not halves(answer):
        return ""
    seen, both = answer.vision_only.best, answer.text_aware.best
    told = any(cue.source == "user" for cue in answer.cues)
    says = "The picture and what you said say" if told else "The picture alone says"
    if answer.looked is False:
        says = "What you said alone says"
    if short_text(seen) == short_text(both):
        before, after = answer.vision_only.confidence, answer.text_aware.confidence
        sure = f"{percent_text(before)} sure of the country, {percent_text(after)} with {beside_text(answer)}"
        return "" if seen.precision == "none" else f"{says} the same place ({sure})."
    return f"{says} {short_text(seen)}; with {beside_text(answer)} it is {short_text(both)}."


def favours_text(cue: CueReport) -> str:
    """Return what a cue raised most, or what it names first, as "Stuttgart, Germany"; "" where it names nothing."""
    place: CuePlace | None = cue.favours or max(cue.places, key=lambda p: p.p, default=None)
    if place is None:
        return ""
    code = (place.code or "").partition(".")[0]  # the country's: nobody knows admin-1 units by their codes
    names = (place.name, country_name(code) if code else None)
    return ", ".join(dict.fromkeys(shown(name) for name in names if name))


def value_text(cue: CueReport) -> str:
    """Return what a cue is about: its value, with names of languages and scripts instead of their codes."""
    return named_value(cue.kind, cue.value)


def nats_text(nats: float) -> str:
    """Return a contribution with its sign: "+4.2", "−0.3", "0.0"."""
    rounded = round(nats, 1)
    return "0.0" if rounded == 0 else f"{'+' if rounded > 0 else '−'}{abs(rounded):.1f}"


def cue_colours(cues: Sequence[CueReport]) -> tuple[str, ...]:
    """Return one `#rrggbb` a cue; cues that favour the same place share theirs, the strongest place gets the first."""
    strength: dict[str, float] = {}
    for cue in cues:
        label = favours_text(cue)
        strength[label] = max(strength.get(label, 0.0), abs(cue.nats))
    ranked = sorted((label for label in strength if label), key=lambda label: -strength[label])
    colours = dict(zip(ranked, PALETTE, strict=False))
    return tuple(colours.get(favours_text(cue), OTHER_COLOUR) for cue in cues)


def region_numbers(answer: Answer) -> dict[int, list[int]]:
    """Return, for every region that a cue rests on, the numbers (from 1) of those cues."""
    numbers: dict[int, list[int]] = {}
    for number, cue in enumerate(answer.cues, start=1):
        for region in cue.regions:
            if 0 <= region < len(answer.regions):
                numbers.setdefault(region, []).append(number)
    return numbers

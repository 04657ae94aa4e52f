"""Web and e-mail addresses: a country-code domain indicates the country."""

from __future__ import annotations

import re
from collections.abc import Collection

from geoagent.evidence.cues.boxes import gap_x, gap_y, height
from geoagent.evidence.cues.reading import Line, Reading, listed
from geoagent.types import Cue

# The last label may be misread ("c0m") or followed by a path, and non-Latin top-level domains exist.
_ADDRESS = re.compile(
    r"(?:(?P<mail>[\w.+-]{1,64})@)?(?P<host>(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,5}[^\W\d_]{2,12})(?![\w@])", re.UNICODE
)
_CUT_OFF = re.compile(r"\.[^\W\d_]?(?!\w)")
"""What follows an address whose last label was cut off: ".edu.c"."""
_NUMBER = re.compile(r"\d{1,2}")
_SURE_PLATE, _AGREES = 0.4, 0.2
"""Least strength of a plate, and its weight in a country of an address, for the two to say one thing."""
_ON_A_CAR, _REACH = 0.08, 6.0
"""Factor on an address that agrees with the number plate that it stands over, since both are of one car, and how many
heights of the plate are between them at most."""
_GENERIC_HOSTS = frozenset(
    {"gmail", "yahoo", "hotmail", "outlook", "icloud", "gmx", "facebook", "instagram", "youtube"}
)


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each address whose top-level domain belongs to a country."""
    cues = []
    surely = [cue for cue in earlier if cue.kind == "plate" and cue.strength >= _SURE_PLATE]
    lines = {line.region: line for line in reading.lines}
    plates = [(cue, lines[span.region]) for cue in surely for span in cue.spans]
    for line in reading.lines:
        for match in _ADDRESS.finditer(line.text):
            host = match.group("host").casefold()
            labels = host.split(".")
            if not (
                match.group("mail")
                or labels[0] in ("www", "http", "m")
                or len(labels) > 2
                or _looks_like_host(match.group("host"))
            ):
                continue
            if labels[-2] == "www" or (len(labels) == 2 and not match.group("mail") and _NUMBER.fullmatch(labels[0])):
                continue  # "www.af" was cut off, and "46.tc" is no name
            if labels[-2] in _GENERIC_HOSTS or _CUT_OFF.match(line.text, match.end()):
                continue
            known = reading.facts.tlds.get(".".join(labels[-2:])) if len(labels) > 2 else None
            tld = ".".join(labels[-2:]) if known is not None else labels[-1]
            known = known or reading.facts.tlds.get(labels[-1])
            if known is None or not known.countries:
                continue
            inside = {}
            if known.place:
                for code in known.countries:
                    places = [m.place for m in reading.gazetteer.lookup(known.place, k=1, countries={code: 1.0})]
                    if places and places[0].country == code:
                        inside[code] = ((places[0], 0.8),)
            on_a_car = any(_on_its_car(line, plate) for cue, plate in plates if _agree(cue, known.countries))
            owner = known.place or listed(reading, dict(known.countries))
            cues.append(
                Cue(
                    kind="domain",
                    value="." + tld,
                    says=f"The address “{match.group()}” ends in .{tld}, the domain of {owner}.",
                    spans=(line.span(match.start(), match.end()),),
                    countries=dict(known.countries),
                    inside=inside,
                    strength=known.strength * (_ON_A_CAR if on_a_car else 1.0),
                )
            )
    return cues


def _agree(plate: Cue, countries: Collection[str]) -> bool:
    """Whether a plate is likely one of some countries: of the two likeliest for it."""
    likeliest = sorted(plate.countries, key=lambda code: -plate.countries[code])[:2]
    return any(code in likeliest and plate.countries[code] >= _AGREES for code in countries)


def _on_its_car(line: Line, plate: Line) -> bool:
    """Whether an address is one of a dealer or hirer on the car of a plate: smaller, and close above or below it."""
    a, b = line.box, plate.box
    if a is None or b is None:
        return abs(line.region - plate.region) == 1
    return gap_x(a, b) < 0 and height(a) <= height(b) and gap_y(a, b) <= _REACH * height(b)


def _looks_like_host(host: str) -> bool:
    """Whether two labels without "www" are an address rather than two sentences without a space ("open.Sunday")."""
    return host == host.lower() or host == host.upper()

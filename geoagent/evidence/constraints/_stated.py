"""Places in free-text replies, for models that do not follow a schema.

The last text that looks like an answer counts: fields named city, country and the like, even in malformed JSON; else a
sentence that says where the photo was taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from geoagent.evidence.constraints._resolve import stated_nothing

_FIELD = (
    r"[\"'“*`]*\b(?P<{0}>{1})[\"'”*`]*\s*[:=]\s*(?:[*`]*\s*[\"“](?P<{0}_quoted>[^\n\"“”{{}}:]*?),?[\"”]|"
    r"[\"'“*`]*\s*(?P<{0}_value>[^\n{{}}\"“”:*`]*?)\s*[,.]?[\"'”*`]*\s*(?=[,;}}\n)]|$))"
)
_CITY = re.compile(_FIELD.format("city", r"city|town|place|location|municipality"), re.IGNORECASE)
_REGION = re.compile(_FIELD.format("region", r"state|province|region|admin1"), re.IGNORECASE)
_COUNTRY = re.compile(_FIELD.format("country", r"country|nation"), re.IGNORECASE)
_PLACE = (
    r"((?:[A-ZÀ-Þ][\w'’.\-]*)(?:\s+(?:de|del|da|do|la|las|los|le|di|of|the|and|al|el|upon)?\s*[A-ZÀ-Þ][\w'’.\-]*){0,4})"
)
_SAID = re.compile(
    r"(?:taken|located|situated|is|be|scene|photo|image|location|guess|place)\s+(?:\w+\s+){0,4}?(?:in|near|at|of|from|is|like)\s+"
    rf"(?:the (?:city|town|country|state|region|province) of\s+)?{_PLACE}(?:,\s*{_PLACE})?(?:,\s*{_PLACE})?"
)


@dataclass(frozen=True, slots=True)
class Stated:
    """A place in a model's words; "" for parts that it did not name."""

    city: str
    region: str
    country: str


def stated_place(text: str) -> Stated | None:
    """Return the place stated in a free-text reply, or None if there is none."""
    fields = [
        _last(pattern, name, text) for pattern, name in ((_CITY, "city"), (_REGION, "region"), (_COUNTRY, "country"))
    ]
    if any(fields):
        return Stated(*fields)
    said = [match.groups() for match in _SAID.finditer(text)]
    for parts in reversed(said):
        names = [part.rstrip(".") for part in parts if part]
        if len(names) == 1:
            return Stated("", "", names[0])
        if names:
            return Stated(names[0], names[1] if len(names) > 2 else "", names[-1])
    return None


def _last(pattern: re.Pattern[str], name: str, text: str) -> str:
    found = [match.group(f"{name}_quoted") or match.group(f"{name}_value") or "" for match in pattern.finditer(text)]
    found = [value.strip(" \t'\"“”,") for value in found]
    found = [value for value in found if value and len(value) <= 80 and not stated_nothing(value)]
    return found[-1] if found else ""

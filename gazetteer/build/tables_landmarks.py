"""The table of landmarks: written by hand, and airports with a code of IATA."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import airportsdata
from tables_common import hand, normalise

from geoagent.evidence.scripts import script_of

AIRPORT = re.compile(r"\b(?:airport|aeroport\w*|flughafen|airfield)\b", re.IGNORECASE)
_MANY = 3  # a name of more airports ("Santa Rosa Airport") says little
_KINDS_OF_NAME = {"": 100, "?": 55, "~": 20}
"""Reliability of a name in percent by the sign after it."""


def landmarks(_: Path) -> dict[str, Any]:
    """{"rows": [[name, kind, city, country, lat, lon], …], "names": {key: [row, percent, …]}}."""
    rows: list[list[Any]] = []
    names: dict[str, dict[int, int]] = {}
    for written, kind, city, countries, lat, lon in hand("landmarks", 6):
        forms = [form.strip() for form in written.split(";") if form.strip()]
        bare_forms = [form.rstrip("?~") for form in forms]
        shown = next((form for form in bare_forms if script_of(form) == "Latn"), bare_forms[0])
        for country in countries.split():
            rows.append([shown, kind, city, country, float(lat), float(lon)])
            for form, bare in zip(forms, bare_forms, strict=True):
                names.setdefault(normalise(bare), {})[len(rows) - 1] = _KINDS_OF_NAME[form[len(bare) :]]
    by_hand = set(names)
    of_airports: dict[str, dict[int, int]] = {}
    for port in airportsdata.load("IATA").values():
        key = normalise(port["name"])
        if not AIRPORT.search(port["name"]) or len(key.split()) < 2 or key in by_hand:
            continue
        rows.append(
            [port["name"], "airport", port["city"], port["country"], round(port["lat"], 3), round(port["lon"], 3)]
        )
        of_airports.setdefault(key, {})[len(rows) - 1] = 90
    names |= {key: found for key, found in of_airports.items() if len(found) <= _MANY}
    return {
        "rows": rows,
        "names": {key: [x for pair in found.items() for x in pair] for key, found in sorted(names.items())},
    }

"""The table of number plates: converts our short notation to regular expressions, and region codes to places."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tables_common import hand

_TOKENS = {
    "D": r"\d",
    "L": "[A-ZÄÖÜŠČŽĐŠ]",
    "K": "[АВЕКМНОРСТУХABEKMHOPCTYX]",
    "G": "[ABEZHIKMNOPTYXΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]",
    "A": "[ء-ي]",
    "H": "[\u3040-\u9fff]",
    "_": r"[ ·.]{1,2}",
    "=": "[-–]",
    "-": r"[ .·–-]?",
}


def plates(_: Path) -> dict[str, Any]:
    """Country -> {"p": [[strict, loose, weight], …], "r": {code: place}}.

    The strict expression requires the separators, the loose one omits them, as OCR often does. A
    place is a city, or "@" and the name of an admin-1 unit.
    """
    table: dict[str, Any] = {}
    for country, pattern, weight, regions in hand("plates", 4):
        strict, loose = _expression(pattern, joined=False), _expression(pattern, joined=True)
        re.compile(strict), re.compile(loose)
        row = table.setdefault(country, {"p": []})
        row["p"].append([strict, loose, float(weight)])
        if regions:
            row["r"] = {}
    for country, codes in hand("plate_regions", 2):
        table[country].setdefault("r", {}).update(pair.split("=", 1) for pair in codes.split(";"))
    for country, codes in hand("plate_bands", 2):
        table[country]["b"] = dict(pair.split("=", 1) for pair in codes.split(";"))
    for country, colours in hand("plate_colours", 2):
        pairs = (pair.split("=", 1) for pair in colours.split(";"))
        table[country]["col"] = {colour: float(share) for colour, share in pairs}
    return table


def _expression(pattern: str, *, joined: bool) -> str:
    out, i = [], 0
    while i < len(pattern):
        char = pattern[i]
        if char == "[":
            end = pattern.index("]", i) + 1
            out.append(pattern[i:end])
            i = end
            continue
        if char == "\\":
            out.append(re.escape(pattern[i + 1]))
            i += 2
            continue
        token = _TOKENS.get(char, char)
        if joined and char in "_=":
            token = r"[ ·.–-]{0,2}"
        out.append(f"(?:{token})" if char in "_=" and not joined else token)
        i += 1
    return "".join(out)

"""Tables of street words, sign words and regionalisms."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import get_day_names, get_month_names
from tables_common import hand, normalise, weights

POSITIONS = {"b": "before", "a": "after", "g": "glued", "": "either"}
# libpostal files that are used, and its codes that differ from ours.
STREET_FILES = {
    "street_types": "either",
    "concatenated_suffixes_separable": "glued",
    "concatenated_suffixes_inseparable": "glued",
}
LANGUAGE = {"nb": "no", "fil": "tl", "gsw": "de"}
DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october"]
MONTHS += ["november", "december"]
CLDR = """
af am ar as az be bg bn bs ca cs cy da de el en es et eu fa fi fo fr ga gd gl gu ha he hi hr hu hy
id ig is it ja ka kk km kn ko ky lb lo lt lv mg mk ml mn mr ms mt my ne nl no or pa pl ps pt rm ro
ru rw si sk sl sn so sq sr sv sw ta te tg th ti tk tr ug uk ur uz vi wo xh yo zh zu dz kl mi om st
tn ckb
"""


def _libpostal(sources: Path, names: list[str]) -> list[tuple[str, str, list[str]]]:
    """Return (file, language, forms of one word) of the dictionaries named."""
    root = next(sources.glob("*pelias-parser*/package/resources/libpostal/dictionaries"))
    rows = []
    for path in sorted(root.glob("*/*.txt")):
        if path.stem in names and path.parent.name != "all":
            language = LANGUAGE.get(path.parent.name, path.parent.name)
            rows += [
                (path.stem, language, line.split("|")) for line in path.read_text("utf-8").splitlines() if line.strip()
            ]
    return rows


def streets(sources: Path) -> dict[str, Any]:
    """Build the table of street words: the hand-written table, and libpostal for words that it lacks."""
    table: dict[str, Any] = {}
    for forms, languages, position, where in hand("streets", 4):
        for key in {normalise(form): 0 for form in forms.split(";")}:
            row = {"l": languages.split(), "p": POSITIONS[position]}
            if where:
                row["c"] = weights(where)[0]
            if key in table:
                raise ValueError(f"{key!r} is listed twice in streets.tsv")
            table[key] = row
    known, dropped = set(table), {key for row in hand("not_streets", 1) for key in row[0].split(";")}
    for file, language, forms in _libpostal(sources, list(STREET_FILES)):
        for key in map(normalise, forms):
            if key in known or key in dropped or len(key) < (4 if key.isascii() else 2) or key.isdigit():
                continue
            row = table.setdefault(key, {"l": [], "p": STREET_FILES[file]})
            if language not in row["l"]:
                row["l"].append(language)
    return {key: row for key, row in sorted(table.items()) if key in known or len(row["l"]) <= 8}


def _calendar(table: dict[str, list[str]]) -> None:
    """Add names of days and months."""
    for language in CLDR.split():
        locale = Locale.parse(language if language != "sr" else "sr_Cyrl")
        for one in [locale] + ([Locale.parse("sr_Latn")] if language == "sr" else []):
            for width in ("wide", "abbreviated"):
                days = [(DAYS[i], name) for i, name in get_day_names(width, "stand-alone", one).items()]
                months = [(MONTHS[i - 1], name) for i, name in get_month_names(width, "format", one).items()]
                for concept, name in days + months:
                    key = normalise(name)
                    short = 3 if key.isascii() else 2
                    if len(key) >= short and not any(c.isdigit() for c in key):
                        _say(table, key, concept, language)


def _say(table: dict[str, list[str]], key: str, concept: str, language: str) -> None:
    row = table.setdefault(key, [concept])
    if language not in row[1:]:
        row.append(language)


def signwords(sources: Path) -> dict[str, Any]:
    """Build the table of sign words and of words found on signs everywhere."""
    international = {normalise(word) for row in hand("international", 1) for word in row[0].split(";")} - {""}
    table: dict[str, list[str]] = {}
    concepts: list[str] = []
    for language, cells in chain(hand("signwords", 2), hand("signwords_more", 2)):
        if language == "@":
            concepts = cells.split(";")
            continue
        words = cells.split(";")
        if len(words) != len(concepts):
            raise ValueError(
                f"sign words: {language} has {len(words)} cells after {concepts[0]!r}, expected {len(concepts)}"
            )
        for concept, forms in zip(concepts, words, strict=True):
            for key in (normalise(form) for form in forms.split("/")):
                if len(key) >= (
                    3 if key.isascii() else 1
                ):  # "op", "pa", "ti": too short to distinguish from a misreading
                    _say(table, key, concept, language)
    _calendar(table)
    for file, language, forms in _libpostal(sources, ["place_names", "building_types", "post_office"]):
        key = normalise(forms[0])
        if len(key) >= (5 if key.isascii() else 2):
            _say(table, key, "post office" if file == "post_office" else "kind of place", language)
    words = {key: row for key, row in sorted(table.items()) if key not in international and len(row) <= 13}
    return {"words": words, "international": sorted(international)}


def regionalisms(_: Path) -> dict[str, Any]:
    """Build the table of words whose use is national or regional."""
    table: dict[str, Any] = {}
    for words, where, note, admin1, city in hand("regionalisms", 5):
        countries, strength = weights(where)
        for key in {normalise(word): 0 for word in words.split(";")}:
            if key in table:
                raise ValueError(f"{key!r} is listed twice in regionalisms.tsv")
            row: dict[str, Any] = {"c": countries} | ({"s": strength} if strength < 1 else {})
            table[key] = row | {k: v for k, v in (("admin1", admin1), ("city", city), ("note", note)) if v}
    return dict(sorted(table.items()))

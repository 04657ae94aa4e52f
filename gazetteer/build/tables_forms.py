"""Tables of company forms, registration labels and currencies, all hand-written."""

from __future__ import annotations

import importlib
import re
import unicodedata
from pathlib import Path
from typing import Any

from tables_common import hand, normalise, spellings, tidy, weights


def _is_letters(key: str) -> bool:
    """Whether a key is such a short Latin or Cyrillic string that only capitals distinguish it from a word."""
    compact = key.replace(" ", "")
    return len(compact) <= 3 and all(ord(c) < 0x530 for c in compact)


def _placed(table: dict[str, Any], forms: str, where: str, **more: Any) -> None:
    """Add a row; forms that coincide without points and brackets keep their countries by spelling."""
    countries, strength = weights(where)
    for key, written in spellings(forms).items():
        row = table.get(key)
        if row is None:
            table[key] = row = {"w": written, "c": countries}
            if strength < 1:
                row["s"] = strength
            if _is_letters(key):
                row["case"] = True
            row |= {name: value for name, value in more.items() if value}
            continue
        variants = row.setdefault("v", {one: row["c"] for one in row["w"]})
        for one in written:
            old = variants.get(one, countries)
            variants[one] = tidy({c: (old.get(c, 0.0) + countries.get(c, 0.0)) / 2 for c in old | countries})
        row["w"] = list(variants)
        row["s"] = min(row.get("s", 1.0), strength)
        both = {c: (row["c"].get(c, 0.0) + countries.get(c, 0.0)) / 2 for c in row["c"] | countries}
        row["c"] = tidy(both)


def companies(_: Path) -> dict[str, Any]:
    """Build the table of company forms."""
    table: dict[str, Any] = {}
    for forms, where in hand("companies", 2):
        _placed(table, forms, where)
    return dict(sorted(table.items()))


def registration(_: Path) -> dict[str, Any]:
    """Build the table of registration labels."""
    table: dict[str, Any] = {}
    for forms, where, pattern, checksum in hand("registration", 4):
        re.compile(pattern)
        _placed(table, forms, where, re=pattern, sum=checksum)
    for labels, country, pattern, regions in hand("registration_numbers", 4):
        re.compile(pattern)
        codes: Any = dict(p.split("=", 1) for p in regions.split(";")) if "=" in regions else regions
        for key in spellings(labels):
            table[key].setdefault("n", []).append([country, pattern, codes])
    return dict(sorted(table.items()))


def taxnumbers(_: Path) -> dict[str, Any]:
    """Build the table of numbers that need no label: country -> [[pattern, checksum, checksum required, source]]."""
    table: dict[str, Any] = {}
    for country, pattern, checksum, needs, source in hand("taxnumbers", 5):
        re.compile(pattern)
        if checksum:
            importlib.import_module(f"stdnum.{checksum}")
        if needs not in ("form", "sum") or not source:
            raise ValueError(f"taxnumbers.tsv: {country} {pattern} needs a pattern or checksum, and a source")
        table.setdefault(country, []).append([pattern, checksum, needs == "sum", source])
    return dict(sorted(table.items()))


def currency(_: Path) -> dict[str, Any]:
    """Build the table of currency forms; its keys keep their spelling."""
    table: dict[str, Any] = {}
    for forms, where, iso, position in hand("currency", 4):
        countries, strength = weights(where)
        for form in {unicodedata.normalize("NFKC", f.strip()): 0 for f in forms.split(";")}:
            if form in table:
                raise ValueError(f"{form!r} is listed twice in currency.tsv")
            row: dict[str, Any] = {"c": countries}
            if strength < 1:
                row["s"] = strength
            if iso:
                row["iso"] = iso
            if position:
                row["p"] = {"b": "before", "a": "after"}[position]
            if form.isascii() and len(normalise(form).replace(" ", "")) <= 3 and any(c.isalpha() for c in form):
                row["case"] = True
            table[form] = row
    return dict(sorted(table.items()))

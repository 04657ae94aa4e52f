"""Spellings for the name index: selection of keys, and order of their places."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import marisa_trie
import numpy as np
from entries import Entry

from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.score import static_score

HERE = Path(__file__).resolve().parent
CODE_COUNTRIES = ("US", "CA", "AU", "BR", "IN", "CH", "IT")
UMLAUTS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "Å": "Aa", "ø": "oe", "Ø": "Oe"}
)
PRIMARY, ALTERNATE, CODE, DERIVED = 0, 1, 2, 3
# Scripts in which one or two characters make a name.
DENSE = re.compile(r"[\u3400-\u9fff\uac00-\ud7af\u3040-\u30ff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")


def iso_spellings(
    iso: dict[str, Any], rows: list[dict[str, Any]], translated: dict[str, set[str]]
) -> dict[str, set[str]]:
    """Map ISO 3166-2 codes to all names of the unit, in every language of the sources."""
    out: dict[str, set[str]] = defaultdict(set)
    for code, row in iso.items():
        out[code].add(row["name"])
        for part in (row["localOtherName"] or "").split(","):
            out[code].add(re.sub(r"\s*\([a-z]{3}\)\s*$", "", part).strip())
    for row in rows:
        out[row["code"]] |= {row["name"], *translated.get(row["name"], ())}
    for names in out.values():
        for name in list(names):
            bracket = re.match(r"^(.*?)\s*[\[(](.*)[\])]$", name)
            if bracket:
                names.discard(name)
                names |= {bracket[1], bracket[2]}
        names.discard("")
    return out


def add_codes(units: dict[str, Entry]) -> None:
    """Add the postal abbreviations written after a town as codes of units."""
    for iso_code, entry in units.items():
        country, _, code = iso_code.partition("-")
        if country in CODE_COUNTRIES and 2 <= len(code) <= 3 and code.isalpha():
            entry.add(code, CODE)


def add_by_hand(table: list[Entry]) -> int:
    """Apply additions.tsv: names missing from all sources. Returns the number added; a missing target is an error."""
    targets: dict[tuple[str, str], Entry] = {}
    for entry in sorted(table, key=lambda e: e.population):
        prefix = {"country": "#", "admin1": "@", "city": ""}[entry.level]
        targets[entry.country, prefix + normalise(entry.name)] = entry
        if entry.level == "admin1":
            targets.setdefault((entry.country, "@" + entry.admin1.lower()), entry)
    for entry in sorted(table, key=lambda e: -e.population):
        prefix = {"country": "#", "admin1": "@", "city": ""}[entry.level]
        for name in entry.names:
            targets.setdefault((entry.country, prefix + normalise(name)), entry)
    count, missing = 0, []
    for line in (HERE / "additions.tsv").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        country, target, names = line.split("\t")
        mark = target[0] if target[0] in "@#" else ""
        body = target[1:] if mark else target
        entry_found = targets.get((country, mark + normalise(body))) or targets.get((country, mark + body.lower()))
        if entry_found is None:
            missing.append(f"{country} {target}")
            continue
        for name in names.split("|"):
            entry_found.add(name.strip(" ="), PRIMARY if name.startswith("=") else ALTERNATE)
            count += 1
    if missing:
        raise SystemExit(f"additions.tsv: no such place: {'; '.join(missing)}")
    return count


def usable(key: str, kind: int) -> bool:
    """Whether a key can name a place: not only digits, not one letter, not two Latin letters unless a code."""
    letters = sum(c.isalpha() for c in key)
    if letters == 0 or len(key) < 2 or len(key) > 80 or "http" in key:
        return False
    return not (len(key) == 2 and not DENSE.search(key) and kind != CODE)


def spellings(entry: Entry) -> dict[str, int]:
    """Map keys to kinds for one entry, including derived spellings."""
    out: dict[str, int] = {}

    def add(text: str, kind: int) -> None:
        key = normalise(text)
        if usable(key, kind):
            out[key] = min(kind, out.get(key, 9))

    for name, kind in entry.names.items():
        add(name, kind)
        bare = re.sub(r"\s*[\[(].*?[\])]\s*", " ", name).strip()
        if bare != name and len(bare) > 3:
            add(bare, max(kind, ALTERNATE))
        if kind == PRIMARY and "/" in name:
            for part in name.split("/"):
                add(part, PRIMARY)
    if entry.country in {"DE", "AT", "CH", "LI", "SE", "FI", "NO", "DK", "EE"}:
        add(entry.name.translate(UMLAUTS), DERIVED)
    return out


def index(table: list[Entry]) -> tuple[marisa_trie.Trie, np.ndarray, np.ndarray, dict[str, int]]:
    """Return the trie of keys, links per key `(T,)` uint8, links `(L, 3)` uint8 little-endian of entry << 2 | kind."""
    links: dict[str, list[tuple[float, int, int]]] = defaultdict(list)
    for i, entry in enumerate(table):
        for key, kind in spellings(entry).items():
            links[key].append((-static_score(entry.level, entry.population, kind), i, kind))
    trie = marisa_trie.Trie(links.keys(), order=marisa_trie.LABEL_ORDER)
    counts = np.zeros(len(trie), dtype=np.uint8)
    packed: list[list[int]] = [[] for _ in range(len(trie))]
    for key, rows in links.items():
        ident = trie[key]
        ordered = sorted(rows)[:255]
        counts[ident] = len(ordered)
        packed[ident] = [i << 2 | kind for _, i, kind in ordered]
    flat = np.array([value for row in packed for value in row], dtype="<u4")
    if flat.max() >= 1 << 24:
        raise SystemExit("too many entries for 24-bit links")
    return trie, counts, flat.view(np.uint8).reshape(-1, 4)[:, :3].copy(), {"names": len(trie), "links": len(flat)}

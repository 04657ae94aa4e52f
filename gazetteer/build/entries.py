"""The table of places: countries, then admin-1 units, then their sub-units, then cities."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rapidfuzz import fuzz

from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.geo import haversine_km, spherical_mean

GENERIC = frozenset(
    "oblast oblasti krai kray respublika republic province provincia provinsi provincie region regione regiao"  # noqa: SIM905
    " state estado departamento department departement district county governorate prefecture canton sheng shi zizhiqu"
    " municipality city of the de du des la le el al del di do da special autonomous capital territory federal"
    " muhafazat mintaqat wilaya wilayat ostan oblys vilayet viloyati kraj judet megye lan fylke maakond rajons novads"
    " distrito parish division zone voivodeship wojewodztwo changwat tinh thanh pho gouvernorat ad as ash az an ar"
    " community comunidad comunitat autonoma foral principado principality local government area island islands".split()
)


@dataclass
class Entry:
    """One place of the table; `names` maps each spelling to its kind (0 primary, 1 alternate, 2 code, 3 derived)."""

    name: str
    level: str
    country: str
    admin1: str
    lat: float
    lon: float
    population: int
    names: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, kind: int) -> None:
        """Add a spelling; the better (lower) kind wins."""
        self.names[name] = min(kind, self.names.get(name, 9))


def cities(rows: list[dict[str, Any]], countries: dict[str, Any]) -> list[Entry]:
    """Return the cities in the order country, admin-1, name."""
    out = []
    for row in rows:
        if row["countrycode"] not in countries:
            continue
        code = f"{row['countrycode']}.{row['admin1code']}" if row["admin1code"] else ""
        entry = Entry(
            row["name"].strip(),
            "city",
            row["countrycode"],
            code,
            row["latitude"],
            row["longitude"],
            int(row["population"]),
        )
        entry.add(entry.name, 0)
        for other in row["alternatenames"]:
            code_like = len(other) <= 4 and other.isascii() and other.isupper() and other != entry.name
            entry.add(other, 2 if code_like else 1)
        out.append(entry)
    return sorted(out, key=lambda e: (e.country, e.admin1, e.name, e.lat, e.lon))


def admin1_names(places: list[Entry], rows: list[dict[str, Any]]) -> dict[str, str]:
    """Map GeoNames admin-1 codes to names, by majority over places in both sources."""
    by_place = {(r["country_code"], round(r["latitude"], 3), round(r["longitude"], 3)): r for r in rows}
    by_name: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_name[row["country_code"], row["city"]].append(row)
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for place in places:
        found = by_place.get((place.country, round(place.lat, 3), round(place.lon, 3)))
        if found is None:
            near = by_name.get((place.country, place.name), [])
            found = next(
                (r for r in near if math.hypot(r["latitude"] - place.lat, r["longitude"] - place.lon) < 0.1), None
            )
        if found is not None and found.get("state") and place.admin1:
            votes[place.admin1][found["state"]] += 1
    return {code: max(sorted(count.items()), key=lambda item: item[1])[0] for code, count in votes.items()}


def _centre(members: list[Entry]) -> tuple[float, float]:
    """Return the member nearest to the population-weighted mean, so that the place is a town rather than a lake."""
    latlon = np.array([(m.lat, m.lon) for m in members])
    weights = np.array([math.sqrt(m.population + 100.0) for m in members])
    try:
        mean = spherical_mean(latlon, weights)
    except ValueError:
        return members[0].lat, members[0].lon
    nearest = int(haversine_km((mean.lat, mean.lon), latlon).argmin())
    return float(latlon[nearest, 0]), float(latlon[nearest, 1])


def country_entries(
    countries: dict[str, Any], places: list[Entry], names: dict[str, set[str]], more: dict[str, set[str]]
) -> list[Entry]:
    """Return one entry per country: CLDR's and iso-codes' names, GeoNames' population, a town in its middle."""
    from babel import Locale

    english = Locale("en").territories
    members: dict[str, list[Entry]] = defaultdict(list)
    for place in places:
        members[place.country].append(place)
    out = []
    for code in sorted(countries):
        name = str(english.get(code, countries[code]["name"]))
        lat, lon = _centre(members[code]) if members[code] else LAND_WITHOUT_TOWNS.get(code, (math.nan, math.nan))
        if math.isnan(lat):
            continue
        entry = Entry(name, "country", code, "", lat, lon, int(countries[code]["population"]))
        entry.add(name, 0)
        entry.add(countries[code]["name"], 1)
        for other in names.get(code, set()) | more.get(code, set()):
            entry.add(other, 1)
        out.append(entry)
    return out


LAND_WITHOUT_TOWNS = {
    "AQ": (-77.846, 166.676), "BV": (-54.423, 3.413), "HM": (-53.081, 73.504), "IO": (-7.313, 72.411),
    "TF": (-49.352, 70.219), "UM": (19.282, 166.647), "GS": (-54.283, -36.5),
}  # fmt: skip


def admin1_entries(places: list[Entry], names: dict[str, str]) -> list[Entry]:
    """Return one entry per GeoNames admin-1 code, named by majority, else after its largest place."""
    members: dict[str, list[Entry]] = defaultdict(list)
    for place in places:
        if place.admin1:
            members[place.admin1].append(place)
    out = []
    for code, inside in sorted(members.items()):
        if code.endswith(".00") and code not in names:
            continue
        lat, lon = _centre(inside)
        largest = max(inside, key=lambda e: e.population)
        entry = Entry(
            names.get(code, largest.name), "admin1", code[:2], code, lat, lon, sum(e.population for e in inside)
        )
        entry.add(entry.name, 0 if code in names else 3)
        out.append(entry)
    return out


def core(name: str) -> str:
    """A unit's name without words for the type of unit, without spaces."""
    words = normalise(re.sub(r"[\[(].*?[\])]", " ", name)).split()
    kept = [w for w in words if w not in GENERIC]
    return "".join(kept or words)


def join_iso(units: list[Entry], iso: dict[str, Any], spellings: dict[str, set[str]]) -> dict[str, Entry]:
    """Map ISO 3166-2 codes to GeoNames units: by name, then by similar name, then by place and rank."""
    by_country: dict[str, list[Entry]] = defaultdict(list)
    for unit in units:
        by_country[unit.country].append(unit)
    joined: dict[str, Entry] = {}
    taken: set[str] = set()
    ordered = sorted(iso, key=lambda c: (iso[c]["parentCode"] is not None, c))
    for least in (100.0, 86.0):
        for code in ordered:
            if code in joined:
                continue
            best, best_ratio = None, least
            cores = {core(s) for s in spellings[code]} - {""}
            for unit in by_country[code[:2]]:
                if unit.admin1 in taken:
                    continue
                ratio = max((fuzz.ratio(core(unit.name), c) for c in cores), default=0.0)
                if unit.admin1 == code.replace("-", ".") and ratio >= 80:
                    ratio = 100.0
                if ratio >= best_ratio and (best is None or ratio > best_ratio):
                    best, best_ratio = unit, ratio
            if best is not None:
                joined[code] = best
                taken.add(best.admin1)
    return joined

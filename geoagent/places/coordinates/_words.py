"""Words and signs in coordinates, in the languages that maps and cameras write."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Mapping

AXES = {"N": ("lat", 1), "S": ("lat", -1), "E": ("lon", 1), "W": ("lon", -1)}
"""Hemisphere letters: axis and sign."""


def _words(said: str) -> frozenset[str]:
    return frozenset(said.split())


_NAMES = {
    "N": "n north nord norte noord norden север северной с nb northern kuzey",
    "S": "s south sud sur sul süd sued zuid süden юг южной ю zb southern",
    "E": "e east est este leste ost oost östlich восток восточной в ol eastern ö ø øst öst l osten",
    "W": "w west ouest oeste ovest vest väst запад западной з wl western westen",
}
HEMISPHERES: Mapping[str, str] = {name: letter for letter, names in _NAMES.items() for name in _words(names)}
"""From a word, casefolded, to its letter. "o" is missing: it is east in German and west in French and Spanish."""

LABELS: Mapping[str, str] = {
    name: axis
    for axis, names in {
        "lat": "lat latitude latitud latitudine gpslatitude breite breitengrad szerokość широта 緯度 纬度 위도",
        "lon": "lon lng long longitude longitud longitudine gpslongitude länge längengrad долгота 経度 经度 경도",
    }.items()
    for name in _words(names)
}
MARKS: Mapping[str, int] = {
    name: level
    for level, names in enumerate(
        (
            "° d deg degs degree degrees grad grados degrés degré graus gradi градусов градуса град",
            "' m min mins minute minutes minuten minutos minuti мин минут",
            "\" '' sec secs second seconds sekunden segundos secondes secondi сек секунд",
        )
    )
    for name in _words(names)
}
"""Signs and words of degrees, minutes and seconds. "s" is missing: it may be south."""
NOISE = _words(
    "gps position pos coordinates coordinate coords coord koordinaten coordonnées coordenadas latlng latlon координаты"
    " at location point ref decimal"
)
JOINING = _words("and und et y и")
GERMAN = _words("breite länge breitengrad längengrad süd süden norden")
ROMANCE = _words("norte sur sul sud latitud longitud latitudine longitudine gradi grados graus est este leste")

_PHRASES = (
    (r"с(?:ев(?:ерн(?:ой|ая))?)?\.?\s*ш(?:ир(?:оты|ота)?)?\b\.?", "N"),
    (r"ю(?:жн(?:ой|ая))?\.?\s*ш(?:ир(?:оты|ота)?)?\b\.?", "S"),
    (r"в(?:ост(?:очн(?:ой|ая))?)?\.?\s*д(?:олг(?:оты|ота)?)?\b\.?", "E"),
    (r"з(?:ап(?:адн(?:ой|ая))?)?\.?\s*д(?:олг(?:оты|ота)?)?\b\.?", "W"),
    (r"пн\.?\s*ш\b\.?", "N"),
    (r"пд\.?\s*ш\b\.?", "S"),
    (r"сх\.?\s*д\b\.?", "E"),
    (r"зх\.?\s*д\b\.?", "W"),
    (r"(?:n|nördl(?:iche[rn]?|\.)?)\.?\s*br(?:eite)?\b\.?", "N"),
    (r"(?:s|südl(?:iche[rn]?|\.)?)\.?\s*br(?:eite)?\b\.?", "S"),
    (r"(?:ö|östl(?:iche[rn]?|\.)?)\.?\s*l(?:änge)?\b\.?", "E"),
    (r"(?:w|westl(?:iche[rn]?|\.)?)\.?\s*l(?:änge)?\b\.?", "W"),
    (r"北緯|北纬|북위|شمالا?", "N"),
    (r"南緯|南纬|남위|جنوبا?", "S"),
    (r"東経|東經|东经|동경|شرقا?", "E"),
    (r"西経|西經|西经|서경|غربا?", "W"),
    (r"[度도]", "°"),
    (r"[分분]", "'"),
    (r"[秒초]", '"'),
)
_COMPILED = tuple((re.compile(rf"(?<![^\W\d_]){said}", re.IGNORECASE), f" {means} ") for said, means in _PHRASES[:-7])
_CHARACTERS = tuple((re.compile(said), f" {means} ") for said, means in _PHRASES[-7:])
_GLUED = re.compile(r"((?<=\d)(?:deg|min|sec|[dms]))(?=[NSEWO](?![^\W\d_]))")  # "30sN"
_SIGNS = str.maketrans(
    dict.fromkeys("º˚∘⁰", "°")
    | dict.fromkeys("′’‘´`ʹʼ＇‵", "'")
    | dict.fromkeys("″”“„˝ʺ＂〃‟", '"')
    | dict.fromkeys("−–—‒‐‑﹣－", "-")
    | dict.fromkeys("،，、", ",")
    | {"؛": ";", "；": ";", "٫": ".", "．": ".", "：": ":", "／": "/", "∶": ":", "＋": "+", "\t": " ", "±": " ± "}
)


def plain_signs(text: str) -> str:
    """Return the text with one sign for each meaning: ° ' " - , and ASCII digits; phrases become letters N, S, E, W."""
    text = html.unescape(text).translate(_SIGNS)
    kept = []
    for character in text:
        if unicodedata.category(character) in ("Cf", "Cc") and character not in "\n\r":
            continue
        digit = unicodedata.decimal(character, None)
        kept.append(
            str(digit) if digit is not None else " " if character.isspace() and character != "\n" else character
        )
    text = "".join(kept)
    text = _GLUED.sub(r"\1 ", text)
    for pattern, letter in (*_COMPILED, *_CHARACTERS):
        text = pattern.sub(letter, text)
    return text.strip()

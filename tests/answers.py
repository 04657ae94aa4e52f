"""Answers that look like real ones, for the tests of everything that draws them."""

from __future__ import annotations

from typing import Any

import numpy as np

from geoagent.answer import (
    Alternative,
    Answer,
    Best,
    CountryShare,
    CuePlace,
    CueReport,
    ExifGps,
    NeighbourReport,
    Prediction,
    RegionReport,
)
from geoagent.types import Photo

HOSTILE = (
    '</script><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>'
    " \u202egnp.exe\u2066 [bold]x[/bold] {{data}} \u2028 \ud800 \x1b[31m"
)


def box(
    text: str, x: float, y: float, w: float, h: float, script: str = "Latn", language: str | None = "de"
) -> RegionReport:
    corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
    return RegionReport(text=text, polygon_px=corners, confidence=0.93, script=script, language=language)


def shares(**p: float) -> list[CountryShare]:
    return [CountryShare(code=code, p=value) for code, value in p.items()]


STUTTGART = Best(lat=48.7758, lon=9.1829, place="Stuttgart", admin1="Baden-Württemberg", country="DE", precision="city")
LINZ = Best(lat=48.3064, lon=14.2861, place="Linz", admin1="Oberösterreich", country="AT", precision="region")


def full(**changes: Any) -> Answer:
    """Picture and text, phone number and a misleading brand."""
    vision = Prediction(
        best=LINZ,
        radius_50_km=210,
        radius_90_km=840,
        confidence=0.31,
        countries=shares(AT=0.31, DE=0.29, CH=0.2, CZ=0.12, PL=0.08),
    )
    text = Prediction(
        best=STUTTGART, radius_50_km=14, radius_90_km=120, confidence=0.9, countries=shares(DE=0.9, AT=0.06, CH=0.04)
    )
    aware = Prediction(
        best=STUTTGART,
        radius_50_km=8.4,
        radius_90_km=46,
        confidence=0.958,
        countries=shares(DE=0.958, AT=0.024, CH=0.012, CZ=0.004, PL=0.002),
    )
    cues = [
        CueReport(
            id="lexicon:0",
            kind="phone",
            value="+49 711",
            says="Calling code +49 is Germany's and area code 711 is Stuttgart's.",
            regions=[1],
            places=[CuePlace(code="DE", name="Stuttgart", p=0.9)],
            reliability=0.93,
            nats=4.21,
            favours=CuePlace(code="DE", name="Stuttgart", p=0.9),
            without=LINZ,
        ),
        CueReport(
            id="lexicon:1",
            kind="language",
            value="de",
            says="The sign is in German.",
            regions=[0, 2],
            places=[CuePlace(code="DE", p=0.6), CuePlace(code="AT", p=0.3)],
            reliability=0.8,
            nats=0.82,
            favours=CuePlace(code="DE", p=0.6),
            without=STUTTGART,
        ),
        CueReport(
            id="llm:0",
            kind="company",
            value="Swisscom",
            says="A Swiss telephone company's name stands on the booth.",
            regions=[3],
            places=[CuePlace(code="CH", p=1.0)],
            reliability=0.4,
            nats=-0.55,
            favours=CuePlace(code="CH", p=1.0),
            without=STUTTGART,
            source="llm",
        ),
        CueReport(
            id="lexicon:2",
            kind="postcode",
            value="70173",
            says="Five digits before a town's name: a German postcode, here of Stuttgart.",
            regions=[1],
            places=[CuePlace(code="DE", name="Stuttgart", p=0.7)],
            reliability=0.85,
            nats=2.6,
            favours=CuePlace(code="DE", name="Stuttgart", p=0.9),
            without=STUTTGART,
        ),
    ]
    values: dict[str, Any] = {
        "source": "fotos/bäckerei-königstraße.jpg",
        "status": "ok",
        "best": STUTTGART,
        "radius_50_km": 8.4,
        "radius_90_km": 46.0,
        "confidence": 0.958,
        "countries": aware.countries,
        "vision_only": vision,
        "text_only": text,
        "text_aware": aware,
        "cues": cues,
        "alternatives": [
            Alternative(lat=49.4875, lon=8.466, place="Mannheim", admin1="Baden-Württemberg", country="DE", p=0.11),
            Alternative(lat=47.3769, lon=8.5417, place="Zürich", country="CH", p=0.03),
            Alternative(lat=48.3064, lon=14.2861, place="Linz", country="AT", p=0.02),
        ],
        "regions": [
            box("Bäckerei Müller", 60, 40, 420, 70),
            box("70173 Stuttgart Tel. 0711 / 22 33 44", 70, 150, 380, 40),
            box("Frische Brezeln", 90, 230, 240, 44),
            box("Swisscom", 470, 300, 130, 34),
            box("17", 520, 380, 30, 26, "Zyyy", None),
        ],
        "neighbours": [
            NeighbourReport(
                ref=f"places/stuttgart-{i}",
                lat=48.70 + 0.03 * i,
                lon=9.05 + 0.05 * ((i * 7) % 6),
                weight=0.3 / (i + 1),
                similarity=0.81 - 0.02 * i,
            )
            for i in range(8)
        ],
        "explanation": "The calling code decides between Germany and Austria, which the picture alone could not.",
        "warnings": ["The photo is small (640 × 480): text below 12 px was not read."],
        "world": {"name": "toy", "cells": 812, "fingerprint": "9f31c2d4"},
        "versions": {"geoagent": "0.1.0", "rapidocr": "3.10.1"},
        "timings_s": {"look": 0.21, "read": 1.42},
        "exif_gps": ExifGps(lat=48.7834, lon=9.1815, distance_km=0.86),
    }
    return Answer(**(values | changes))


def no_cues() -> Answer:
    """A street without text: the picture alone."""
    best = Best(lat=-33.9, lon=18.6, place="Cape Town", admin1="Western Cape", country="ZA", precision="region")
    seen = Prediction(
        best=best,
        radius_50_km=310,
        radius_90_km=1900,
        confidence=0.62,
        countries=shares(ZA=0.62, AU=0.2, NZ=0.1, NA=0.08),
    )
    return Answer(
        source="street.jpg",
        status="ok",
        best=best,
        radius_50_km=310,
        radius_90_km=1900,
        confidence=0.62,
        countries=seen.countries,
        vision_only=seen,
        text_aware=seen,
    )


def partial() -> Answer:
    """No weights: text alone, and a warning that says so."""
    whole = full()
    return full(
        status="partial",
        vision_only=None,
        text_aware=whole.text_only,
        radius_50_km=14.0,
        radius_90_km=120.0,
        neighbours=[],
        exif_gps=None,
        warnings=["The picture was not looked at: no weights for the encoder open_clip. Only the text was used."],
    )


def error() -> Answer:
    return Answer.failed("holiday/broken.jpg", "broken.jpg: not a photo that can be read (truncated JPEG)")


def nowhere() -> Answer:
    """Nothing to go by: the prior of where photos are taken, which names no place."""
    best = Best(lat=None, lon=None, place=None, precision="none")
    seen = Prediction(
        best=best, radius_50_km=None, radius_90_km=None, confidence=0.09, countries=shares(US=0.09, CN=0.08, FR=0.07)
    )
    return Answer(
        source="wall.jpg",
        status="ok",
        best=best,
        confidence=0.09,
        abstained=True,
        countries=seen.countries,
        vision_only=seen,
        text_only=seen,
        text_aware=seen,
    )


def phantom() -> Answer:
    """The same as earlier versions wrote it: it tells the likeliest point, though it names no place."""
    best = Best(lat=40.7, lon=-74.0, place="United States", country="US", precision="none")
    seen = nowhere().text_aware
    assert seen is not None
    seen = seen.model_copy(update={"best": best, "radius_50_km": 7121.0, "radius_90_km": 13453.0})
    return nowhere().model_copy(
        update={
            "best": best,
            "abstained": False,
            "radius_50_km": 7121.0,
            "radius_90_km": 13453.0,
            "vision_only": seen,
            "text_only": seen,
            "text_aware": seen,
            "neighbours": [NeighbourReport(ref="New York", lat=40.7, lon=-74.0, weight=1.0, similarity=None)],
            "exif_gps": ExifGps(lat=38.7, lon=-9.1, distance_km=4468.0),
        }
    )


def country_only() -> Answer:
    """What --max-precision country leaves."""
    best = Best(lat=None, lon=None, place=None, country="DE", precision="country")
    seen = Prediction(best=best, radius_50_km=0, radius_90_km=0, confidence=0.9, countries=shares(DE=0.9, AT=0.1))
    return Answer(
        source="private.jpg",
        status="ok",
        best=best,
        confidence=0.9,
        countries=seen.countries,
        text_aware=seen,
        alternatives=[Alternative(lat=None, lon=None, place=None, country="AT", p=0.1)],
        warnings=["The answer is cut to the country, as asked."],
    )


def fiji() -> Answer:
    """Both sides of ±180°."""
    best = Best(lat=-16.8, lon=179.6, place="Labasa", admin1="Northern", country="FJ", precision="region")
    seen = Prediction(
        best=best, radius_50_km=140, radius_90_km=620, confidence=0.7, countries=shares(FJ=0.7, TO=0.2, WS=0.1)
    )
    return Answer(
        source="reef.jpg",
        status="ok",
        best=best,
        radius_50_km=140,
        radius_90_km=620,
        confidence=0.7,
        countries=seen.countries,
        text_aware=seen,
        vision_only=Prediction(
            best=Best(lat=-13.8, lon=-172.1, place="Samoa", country="WS", precision="country"),
            radius_50_km=500,
            radius_90_km=1400,
            confidence=0.4,
            countries=shares(WS=0.4, FJ=0.3, TO=0.3),
        ),
        alternatives=[Alternative(lat=-21.1, lon=-175.2, place="Nukuʻalofa", country="TO", p=0.2)],
    )


def hostile() -> Answer:
    """Every string that a stranger can write is an attack."""
    bad = HOSTILE
    best = Best(lat=10.0, lon=20.0, place=bad, admin1=bad, country="TD", precision="city")
    cue = CueReport(
        id=bad,
        kind=bad,
        value=bad,
        says=bad,
        regions=[0, 99],
        places=[CuePlace(name=bad, p=1.0)],
        reliability=0.5,
        nats=1.0,
        favours=CuePlace(name=bad, p=1.0),
        without=best,
        source=bad,
    )
    return Answer(
        id=bad,
        source=bad,
        status="ok",
        error=bad,
        best=best,
        radius_50_km=10,
        radius_90_km=50,
        confidence=0.5,
        countries=[CountryShare(code=bad, p=0.5), CountryShare(code="TD", p=0.5)],
        cues=[cue],
        regions=[
            RegionReport(
                text=bad, polygon_px=[(5, 5), (90, 5), (90, 40), (5, 40)], confidence=0.5, script=bad, language=bad
            )
        ],
        neighbours=[NeighbourReport(ref=bad, lat=10, lon=20, weight=1.0, similarity=float("nan"))],
        explanation=bad,
        warnings=[bad],
        world={bad: bad},
        versions={bad: bad},
        timings_s={bad: 1.0},
        alternatives=[Alternative(lat=11, lon=21, place=bad, country=bad, p=0.1)],
    )


ALL = {
    "full": full,
    "no_cues": no_cues,
    "partial": partial,
    "error": error,
    "country_only": country_only,
    "nowhere": nowhere,
    "fiji": fiji,
    "hostile": hostile,
}


def photo(width: int = 640, height: int = 480, scale: float = 1.0) -> Photo:
    """A made-up shop front, grey sky above, with light boards where `full` has its text."""
    rng = np.random.default_rng(5)
    pixels = np.full((height, width, 3), 150, dtype=np.uint8) + rng.integers(0, 24, (height, width, 1), dtype=np.uint8)
    for region in full().regions:
        (x0, y0), _, (x1, y1), _ = [(x / scale, y / scale) for x, y in region.polygon_px]
        pixels[int(y0) : int(y1), int(x0) : int(x1)] = (236, 230, 214)
    return Photo(pixels, source="made.jpg", scale=scale)


OUTLINES: dict[str, Any] = {
    "type": "FeatureCollection",
    "attribution": "hand-made",
    "features": [
        {"type": "Feature", "properties": {"country": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for code, ring in {
            "DE": [[6, 51], [7, 47.6], [13, 47.6], [15, 51], [14, 54], [9, 54.8], [6, 51]],
            "AT": [[9.6, 47.2], [17, 46.9], [17, 48.6], [13, 48.3], [9.6, 47.2]],
            "CH": [[6, 46.2], [9, 46], [10.4, 46.9], [8.5, 47.7], [6, 46.2]],
            "FJ": [[177, -18.3], [179.9, -19], [-179.5, -17], [179, -16], [177, -18.3]],
            "TD": [[14, 8], [24, 9], [24, 20], [15, 23], [14, 8]],
            "AQ": [[-180, -90], [-180, -84], [0, -70], [180, -84], [180, -90], [-180, -90]],
        }.items()
    ]
    + [
        {
            "type": "Feature",
            "properties": {"country": "NZ"},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [
                    [[[167, -46], [170, -46], [174, -41], [172, -40.5], [167, -46]]],
                    [[[173, -39], [178, -38], [175, -41], [173, -39]]],
                ],
            },
        }
    ],
}

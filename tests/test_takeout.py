"""Sidecars of Google Takeout."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pictures import GPS_LYON, save

from geoagent.evidence.capture import capture_of
from geoagent.places.geo import LatLon


def takeout(lat: float = 0.0, lon: float = 0.0, timestamp: object = "1688477412") -> str:
    place = {"latitude": lat, "longitude": lon, "altitude": 0.0}
    return json.dumps({"title": "x.jpg", "photoTakenTime": {"timestamp": timestamp}, "geoData": place})


@pytest.mark.parametrize(
    ("photo", "side"),
    [
        ("IMG_1.jpg", "IMG_1.jpg.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metadata.json"),
        ("IMG_1.jpg", "IMG_1.jpg.supplemental-metad.json"),
        ("IMG_1.jpg", "IMG_1.jpg.suppl.json"),
        ("IMG_1(2).jpg", "IMG_1.jpg(2).json"),
        ("IMG_1(2).jpg", "IMG_1.jpg.supplemental-metadata(2).json"),
        ("IMG_1-edited.jpg", "IMG_1.jpg.json"),
        (f"{'a' * 60}.jpg", f"{'a' * 46}.json"),
        (f"{'b' * 38}.jpg", f"{'b' * 38}.jpg.sup.json"),
        ("Lake (2).jpg", "Lake (2).jpg.json"),
        ("Lake (2).jpg", "Lake (2).jpg.supplemental-metadata.json"),
        ("IMG_7-bewerkt.jpg", "IMG_7.jpg.supplemental-metadata.json"),
        ("IMG_7-ha editado(1).jpg", "IMG_7.jpg(1).json"),
        ("IMG_7-編集済み.jpg", "IMG_7.jpg.json"),
    ],
)
def test_sidecars_of_takeout(tmp_path: Path, photo: str, side: str):
    save(tmp_path / photo)
    (tmp_path / side).write_text(takeout(45.5, -73.25), "utf-8")
    found = capture_of(tmp_path / photo)
    assert found.utc == datetime(2023, 7, 4, 13, 30, 12, tzinfo=UTC)
    assert found.source == "sidecar"
    assert found.position == LatLon(45.5, -73.25)


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{", '{"photoTakenTime": 3}', '{"title": "x"}', "[" * 200_000),
        *(takeout(0, 0, "x"), takeout(91, 5, 0), takeout(10**400, 1, 10**400)),
    ],
)
def test_sidecars_that_tell_nothing(tmp_path: Path, content: str):
    save(tmp_path / "x.jpg")
    (tmp_path / "x.jpg.json").write_text(content, "utf-8")
    found = capture_of(tmp_path / "x.jpg")
    assert found.position is None
    assert found.utc is None


def test_the_photos_own_position_counts_before_that_of_a_sidecar(tmp_path: Path):
    save(tmp_path / "x.jpg", original="2023:07:04 10:30:15", gps=GPS_LYON)
    (tmp_path / "x.jpg.json").write_text(takeout(10.0, 20.0), "utf-8")
    assert capture_of(tmp_path / "x.jpg").position.distance_km(LatLon(45.764, 4.83569)) < 0.01

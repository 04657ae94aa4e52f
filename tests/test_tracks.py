"""Tracks: GPX, KML and Google's location history."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from geoagent.errors import InputError
from geoagent.evidence.tracks import read_track

NOON = 1_688_472_000.0  # 2023-07-04T12:00:00Z


def gpx(points: list[tuple[object, object, str]]) -> str:
    body = "".join(
        f'<trkpt lat="{lat}" lon="{lon}">' + (f"<time>{when}</time>" if when else "") + "</trkpt>"
        for lat, lon, when in points
    )
    return (
        f'<?xml version="1.0"?><gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{body}</trkseg></trk></gpx>'
    )


def write(path: Path, content: object) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_gpx(tmp_path: Path):
    track = read_track(
        write(
            tmp_path / "a.gpx",
            gpx([(48.2, 11.6, "2023-07-04T12:01:00Z"), (48.1, 11.5, "2023-07-04T12:00:00Z"), (48.3, 11.7, "")]),
        )
    )
    assert track.source == "a.gpx"
    assert track.utc_s.tolist() == [NOON, NOON + 60]
    assert track.latlon.tolist() == [[48.1, 11.5], [48.2, 11.6]]
    assert np.isnan(track.accuracy_m).all()


@pytest.mark.parametrize("when", ["2023-07-04T14:00:00+02:00", "2023-07-04T12:00:00.000Z", "2023-07-04T12:00:00"])
def test_zones_of_times(tmp_path: Path, when: str):
    assert read_track(write(tmp_path / "a.gpx", gpx([(1, 2, when)]))).utc_s.tolist() == [NOON]


KML = """<kml xmlns="http://www.opengis.net/kml/2.2" xmlns:gx="http://www.google.com/kml/ext/2.2"><Document>
<Placemark><gx:Track><when>2023-07-04T12:00:00Z</when><when>2023-07-04T12:01:00Z</when>
<gx:coord>11.5 48.1 500</gx:coord><gx:coord>11.6 48.2 501</gx:coord></gx:Track></Placemark>
<Placemark><TimeStamp><when>2023-07-04T12:02:00Z</when></TimeStamp><Point><coordinates>11.7,48.3,0</coordinates></Point>
</Placemark></Document></kml>"""


def test_kml_and_kmz(tmp_path: Path):
    plain = read_track(write(tmp_path / "a.kml", KML))
    assert plain.latlon.tolist() == [[48.1, 11.5], [48.2, 11.6], [48.3, 11.7]]
    assert plain.utc_s.tolist() == [NOON, NOON + 60, NOON + 120]
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("doc.kml", KML)
    assert read_track(tmp_path / "a.kmz").latlon.tolist() == plain.latlon.tolist()


@pytest.mark.parametrize(
    "content",
    [
        {
            "locations": [
                {
                    "latitudeE7": 481_000_000,
                    "longitudeE7": 115_000_000,
                    "timestamp": "2023-07-04T12:00:00Z",
                    "accuracy": 9,
                },
                {"timestamp": "2023-07-04T12:05:00Z"},
            ]
        },
        {"locations": [{"latitudeE7": 481_000_000, "longitudeE7": 115_000_000, "timestampMs": "1688472000000"}]},
        {
            "semanticSegments": [
                {
                    "startTime": "2023-07-04T14:00:00.000+02:00",
                    "endTime": "2023-07-04T16:00:00.000+02:00",
                    "timelinePath": [{"point": "48.1°, 11.5°", "time": "2023-07-04T14:00:00.000+02:00"}],
                }
            ]
        },
        [
            {
                "startTime": "2023-07-04T12:00:00Z",
                "endTime": "2023-07-04T13:00:00Z",
                "timelinePath": [{"point": "geo:48.100000,11.500000", "durationMinutesOffsetFromStartTime": "0"}],
            }
        ],
        {
            "timelineObjects": [
                {
                    "placeVisit": {
                        "location": {"latitudeE7": 481_000_000, "longitudeE7": 115_000_000},
                        "duration": {"startTimestamp": "2023-07-04T12:00:00Z", "endTimestamp": "2023-07-04T13:00:00Z"},
                    }
                }
            ]
        },
        {
            "semanticSegments": [
                {
                    "startTime": "2023-07-04T12:00:00Z",
                    "endTime": "2023-07-04T13:00:00Z",
                    "visit": {"topCandidate": {"placeLocation": {"latLng": "48.1°, 11.5°"}}},
                }
            ]
        },
        [
            {
                "startTime": "2023-07-04T12:00:00Z",
                "endTime": "2023-07-04T13:00:00Z",
                "activity": {"start": "geo:48.1,11.5", "end": "geo:48.2,11.6"},
            }
        ],
    ],
)
def test_google(tmp_path: Path, content: object):
    track = read_track(write(tmp_path / "history.json", content))
    assert track.utc_s[0] == NOON
    assert track.latlon[0].tolist() == [48.1, 11.5]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "no track that is known"),
        ("hello", "no track that is known"),
        ("{}", "no location history"),
        ("[1, 2]", "holds no points"),
        ("<html></html>", "no GPX or KML"),
        ("<gpx><trkpt lat='1'", "damaged"),
        (gpx([]), "holds no points"),
        (gpx([(48.1, 11.5, "")]), "holds no times"),
        (gpx([(98.1, 11.5, "2023-07-04T12:00:00Z")]), "point 1"),
        (gpx([("nan", 11.5, "2023-07-04T12:00:00Z")]), "point 1"),
        (gpx([(1, 2, "1970-01-01T00:00:00Z")]), "holds no times"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><gpx></gpx>', "entities"),
    ],
)
def test_tracks_that_are_none(tmp_path: Path, content: str, says: str):
    with pytest.raises(InputError, match=says):
        read_track(write(tmp_path / "x.gpx", content))


def test_a_missing_track(tmp_path: Path):
    with pytest.raises(InputError, match="cannot be read"):
        read_track(tmp_path / "no.gpx")


def test_an_archive_without_kml(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.kmz", "w") as archive:
        archive.writestr("readme.txt", "x")
    with pytest.raises(InputError, match="without a KML"):
        read_track(tmp_path / "a.kmz")

"""Tracks: GPX, KML and Google's location history."""

from __future__ import annotations

import json
import zipfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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
        {
            "rawSignals": [
                {"wifiScan": {"deliveryTime": "2023-07-04T11:00:00Z"}},
                {"position": {"LatLng": "48.1°, 11.5°", "accuracyMeters": 8, "timestamp": "2023-07-04T14:00:00+02:00"}},
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
        (f'<!--{"-x" * 50_000}--><!DOCTYPE x [<!ENTITY a "b">]><gpx></gpx>', "entities"),
        ('<?xml version="1.0" encoding="none-such"?><gpx></gpx>', "damaged"),
        (gpx([(1, 2, "2023-07-04T12:00:00Z"), (3, 4, ""), (98.1, 11.5, "2023-07-04T12:00:00Z")]), "point 3.*swap"),
        (gpx([(0, 0, "2023-07-04T12:00:00Z")]), "0, 0"),
        (gpx([(1, 2, "2999-01-01T00:00:00Z")]), "no times between 1990 and today"),
        ("[" * 200_000, "no track that is known"),
        ('{"locations": [{"latitudeE7": 1' + "0" * 400 + ', "longitudeE7": 1, "timestampMs": 1e12}]}', "point 1"),
        ('{"locations": [{"latitudeE7": 1, "longitudeE7": 1, "timestampMs": 1' + "0" * 400 + "}]}", "holds no times"),
        ('<gpx creator="geoagent 1.0 (estimates)"><wpt lat="1" lon="2"/></gpx>', "estimates made by geoagent"),
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


def test_a_damaged_archive(tmp_path: Path):
    with zipfile.ZipFile(tmp_path / "a.kmz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("doc.kml", KML * 50)
    content = bytearray((tmp_path / "a.kmz").read_bytes())
    content[45:60] = b"\xff" * 15
    (tmp_path / "a.kmz").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        read_track(tmp_path / "a.kmz")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(tmp_path: Path, encoding: str):
    plain = gpx([(48.1, 11.5, "2023-07-04T12:00:00Z")]).removeprefix('<?xml version="1.0"?>')
    marked = f'<?xml version="1.0" encoding="{encoding.removesuffix("-sig")[:6].rstrip("-")}"?>{plain}'
    (tmp_path / "a.gpx").write_bytes(marked.encode(encoding))
    assert read_track(tmp_path / "a.gpx").latlon.tolist() == [[48.1, 11.5]]
    bomb = marked.replace("<gpx", '<!DOCTYPE gpx [<!ENTITY a "b">]><gpx', 1)
    (tmp_path / "b.gpx").write_bytes(bomb.encode(encoding))
    with pytest.raises(InputError, match="entities"):
        read_track(tmp_path / "b.gpx")


def test_what_is_left_out_is_counted(tmp_path: Path):
    points = [(48.1, 11.5, "2023-07-04T12:00:00Z"), (1, 2, ""), (1, 2, "soon"), (3, 4, "1980-01-06T00:00:00Z")]
    points += [(0, 0, "2023-07-04T12:01:00Z"), (5, 6, "2999-07-04T12:01:00Z")]
    track = read_track(write(tmp_path / "a.gpx", gpx(points)))
    assert track.latlon.tolist() == [[48.1, 11.5]]
    assert "of 6 points" in track.notes[0]
    for what in ("2 without a time", "1 of before 1990", "1 of the future", "1 at 0, 0"):
        assert what in track.notes[0]
    assert read_track(write(tmp_path / "b.gpx", gpx(points[:1]))).notes == ()


@pytest.mark.parametrize(
    ("lat_e7", "lon_e7"), [(-335_000_000, 1_512_000_000), (407_000_000, -740_000_000), (-10, -1_799_000_000)]
)
def test_places_of_google_that_lost_their_sign(tmp_path: Path, lat_e7: int, lon_e7: int):
    row = {"latitudeE7": lat_e7 % 2**32, "longitudeE7": lon_e7 % 2**32, "timestamp": "2023-07-04T12:00:00Z"}
    found = read_track(write(tmp_path / "Records.json", {"locations": [row]}))
    assert found.latlon[0].tolist() == pytest.approx([lat_e7 / 1e7, lon_e7 / 1e7])


def test_a_journey_of_the_old_monthly_files(tmp_path: Path):
    journey = {
        "startLocation": {"latitudeE7": 481_000_000, "longitudeE7": 115_000_000},
        "endLocation": {"latitudeE7": 483_000_000, "longitudeE7": 117_000_000},
        "duration": {"startTimestampMs": "1688472000000", "endTimestampMs": "1688473200000"},
        "simplifiedRawPath": {
            "points": [
                {"latE7": 482_000_000, "lngE7": 116_000_000, "timestampMs": "1688472600000", "accuracyMeters": 7}
            ]
        },
    }
    track = read_track(write(tmp_path / "2023_JULY.json", {"timelineObjects": [{"activitySegment": journey}]}))
    assert track.latlon.tolist() == [[48.1, 11.5], [48.2, 11.6], [48.3, 11.7]]
    assert track.utc_s.tolist() == [NOON, NOON + 600, NOON + 1200]
    assert track.accuracy_m[1] == 7


def test_a_visit_in_kml_is_its_begin_and_its_end(tmp_path: Path):
    kml = (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Placemark><TimeSpan><begin>2023-07-04T12:00:00Z</begin>'
        "<end>2023-07-04T13:00:00Z</end></TimeSpan><Point><coordinates>\n11.5,48.1,0 </coordinates></Point>"
        "</Placemark></kml>"
    )
    track = read_track(write(tmp_path / "a.kml", kml))
    assert track.utc_s.tolist() == [NOON, NOON + 3600]


POINTS = st.lists(
    st.tuples(
        st.floats(1, 90).map(lambda lat: round(lat, 7)),
        st.floats(-180, 180).map(lambda lon: round(lon, 7)),
        st.integers(946_684_800, 1_735_689_600),
        st.integers(-56, 56),
    ),
    min_size=1,
    max_size=20,
)


@given(POINTS)
def test_a_track_there_and_back_in_any_zone(tmp_path_factory: pytest.TempPathFactory, points: list):
    rows = [
        (lat, lon, datetime.fromtimestamp(when, timezone(timedelta(minutes=15 * quarters))).isoformat())
        for lat, lon, when, quarters in points
    ]
    track = read_track(write(tmp_path_factory.mktemp("tracks") / "a.gpx", gpx(rows)))
    expected = sorted((when, lat, lon) for lat, lon, when, _ in points)
    assert track.utc_s.tolist() == [when for when, _, _ in expected]
    assert track.latlon.tolist() == [[lat, lon] for _, lat, lon in expected]

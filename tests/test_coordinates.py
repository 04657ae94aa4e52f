"""Coordinates as people and programs write them."""

from __future__ import annotations

import json
import sys
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import CoordinateError, MissingDependency
from geoagent.places.coordinates import read_coordinates

pytestmark = pytest.mark.quick


def position(text: str) -> tuple[float, float]:
    found = read_coordinates(text)
    assert found is not None, text
    return found.position.lat, found.position.lon


def dms(value: float, digits: int = 2) -> tuple[int, int, str]:
    units = round(abs(value) * 3600 * 10**digits)
    degrees, rest = divmod(units, 3600 * 10**digits)
    minutes, rest = divmod(rest, 60 * 10**digits)
    return degrees, minutes, f"{rest / 10**digits:.{digits}f}"


def dm(value: float) -> tuple[int, str]:
    degrees, rest = divmod(round(abs(value) * 60 * 10**4), 60 * 10**4)
    return degrees, f"{rest / 10**4:.4f}"


def signed(pattern: str, lat: float, lon: float, how: str) -> str:
    """The two coordinates in a pattern with {0} degrees, {1} minutes, {2} seconds and {h} the letter."""
    parts = dms if how == "dms" else dm
    a = pattern.format(*parts(lat), h="NS"[lat < 0])
    return f"{a}|{pattern.format(*parts(lon), h='EW'[lon < 0])}"


def joined(pattern: str, how: str, between: str):
    return lambda lat, lon: signed(pattern, lat, lon, how).replace("|", between)


def comma(value: float) -> str:
    return f"{value:.5f}".replace(".", ",")


def iso(lat: float, lon: float) -> str:
    return f"{lat:+09.5f}{lon:+010.5f}/"


LETTERS = {"N": "с.ш.", "S": "ю.ш.", "E": "в.д.", "W": "з.д."}


def cyrillic(lat: float, lon: float) -> str:
    said = signed("{0}° {1}′ {2}″ {h}", lat, lon, "dms").replace("|", " ")
    return "".join(LETTERS.get(c, c) for c in said)


FORMATS = {
    "decimal, comma": lambda lat, lon: f"{lat:.5f}, {lon:.5f}",
    "decimal, space": lambda lat, lon: f"{lat:.5f} {lon:.5f}",
    "decimal, semicolon": lambda lat, lon: f"{lat:.5f};{lon:.5f}",
    "decimal, slash": lambda lat, lon: f"{lat:.5f} / {lon:.5f}",
    "decimal, brackets": lambda lat, lon: f"({lat:.5f}, {lon:.5f})",
    "decimal comma, semicolon": lambda lat, lon: f"{comma(lat)}; {comma(lon)}",
    "decimal comma, space": lambda lat, lon: f"{comma(lat)} {comma(lon)}",
    "decimal comma, comma": lambda lat, lon: f"{comma(lat)}, {comma(lon)}",
    "decimal, minus sign": lambda lat, lon: f"{lat:.5f}°, {lon:.5f}°".replace("-", "−"),
    "decimal, letters": lambda lat, lon: f"{abs(lat):.5f}° {'NS'[lat < 0]}, {abs(lon):.5f}° {'EW'[lon < 0]}",
    "decimal, letters before, lon first": (
        lambda lat, lon: f"{'EW'[lon < 0]} {abs(lon):.5f} {'NS'[lat < 0]} {abs(lat):.5f}"
    ),
    "labels": lambda lat, lon: f"Lat: {lat:.5f} Lon: {lon:.5f}",
    "labels, lon first": lambda lat, lon: f"Longitude = {lon:.5f}, Latitude = {lat:.5f}",
    "ExifTool": joined("{0} deg {1}' {2}\" {h}", "dms", ", "),
    "two primes": joined("{0:02d}°{1:02d}'{2}''{h}", "dms", " "),
    "typographic": joined("{0}° {1}′ {2}″ {h}", "dms", " "),
    "quotes": joined("{0}° {1}’ {2}” {h}", "dms", " "),
    "words": joined("{0} degrees {1} min {2} sec {h}", "dms", " / "),
    "letters for signs": joined("{0}d{1}m{2}s{h}", "dms", " "),
    "letters before": joined("{h}{0}°{1}'{2}\"", "dms", " "),
    "numbers alone": joined("{0} {1} {2} {h}", "dms", " "),
    "colons": joined("{0}:{1}:{2}{h}", "dms", " "),
    "minutes": joined("{0}° {1}' {h}", "dm", ", "),
    "geocaching": joined("{h} {0}° {1}", "dm", " "),
    "XMP": joined("{0},{1}{h}", "dm", " "),
    "Cyrillic": cyrillic,
    "ISO 6709": iso,
    "geo": lambda lat, lon: f"geo:{lat:.5f},{lon:.5f}",
    "WKT": lambda lat, lon: f"POINT ({lon:.5f} {lat:.5f})",
    "GeoJSON": lambda lat, lon: json.dumps({"type": "Point", "coordinates": [lon, lat]}),
    "JSON": lambda lat, lon: json.dumps({"lat": lat, "lng": lon}),
    "Google": lambda lat, lon: f"https://www.google.com/maps/@{lat:.5f},{lon:.5f},15z",
    "Google pin": lambda lat, lon: f"https://www.google.de/maps/place/X/@1.5,2.5,15z/data=!8m2!3d{lat:.5f}!4d{lon:.5f}",
    "Google query": lambda lat, lon: f"https://maps.google.com/?q={lat:.5f},{lon:.5f}",
    "Google place": lambda lat, lon: (
        "https://www.google.com/maps/place/" + quote(signed("{0}°{1}'{2}\"{h}", lat, lon, "dms").replace("|", " "))
    ),
    "OpenStreetMap": lambda lat, lon: f"https://www.openstreetmap.org/#map=15/{lat:.5f}/{lon:.5f}",
    "OpenStreetMap pin": lambda lat, lon: f"https://www.openstreetmap.org/?mlat={lat:.5f}&mlon={lon:.5f}#map=5/1/2",
    "Apple": lambda lat, lon: f"https://maps.apple.com/?ll={lat:.5f},{lon:.5f}&z=10",
    "Bing": lambda lat, lon: f"https://www.bing.com/maps?cp={lat:.5f}~{lon:.5f}&lvl=11",
    "Yandex": lambda lat, lon: f"https://yandex.ru/maps/?ll={lon:.5f}%2C{lat:.5f}&z=9",
    "2GIS": lambda lat, lon: f"https://2gis.ru/geo/{lon:.5f},{lat:.5f}",
    "Waze": lambda lat, lon: f"https://www.waze.com/ul?ll={lat:.5f}%2C{lon:.5f}&navigate=yes",
    "HERE": lambda lat, lon: f"https://share.here.com/l/{lat:.5f},{lon:.5f},Somewhere",
    "Mapillary": lambda lat, lon: f"https://www.mapillary.com/app/?lat={lat:.5f}&lng={lon:.5f}&z=17",
    "GeoHack": lambda lat, lon: (
        "https://geohack.toolforge.org/geohack.php?params="
        + signed("{0}_{1}_{2}_{h}", lat, lon, "dms").replace("|", "_")
        + "_type:city"
    ),
}


@pytest.mark.parametrize("name", FORMATS)
@given(lat=st.floats(-90, 90), lon=st.floats(-180, 180))
def test_every_notation_reads_back(name: str, lat: float, lon: float) -> None:
    text = FORMATS[name](lat, lon)
    read = position(text)
    assert read[0] == pytest.approx(lat, abs=1.1e-5), text
    assert read[1] == pytest.approx(lon, abs=1.1e-5) or abs(abs(lon) - 180) < 1e-5, text


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("41 deg 24' 12.2\" N, 2 deg 10' 26.5\" E", (41.403389, 2.174028)),
        ("60°23'36''N 005°19'27''E", (60.393333, 5.324167)),
        ("-23.5505 -46.6333", (-23.5505, -46.6333)),
        ("GPS Position : 41 deg 24' 12.2\" S, 2 deg 10' 26.5\" W", (-41.403389, -2.174028)),
        ("602336N0051927E", (60.393333, 5.324167)),
        ("N602336 E0051927", (60.393333, 5.324167)),
        ("6023.600,N,00519.450,E", (60.393333, 5.324167)),
        ("60,23,36N 5,19,27E", (60.393333, 5.324167)),
        ("60-23-36N 005-19-27E", (60.393333, 5.324167)),
        ("60d23m36sN5d19m27sE", (60.393333, 5.324167)),
        ("北緯60度23分36秒 東経5度19分27秒", (60.393333, 5.324167)),
        ("60° 23′ 36″ n. Br., 5° 19′ 27″ w. L.", (60.393333, -5.324167)),
        ("52° 22′ NB, 4° 53′ OL", (52.366667, 4.883333)),
        ("٤١٫٤، ٢٫١٧", (41.4, 2.17)),
        ("41,4, 2,17", (41.4, 2.17)),
        ("41,4034,2,1740", (41.4034, 2.1740)),
        ("41.4 norte 2.17 oeste", (41.4, -2.17)),
        ("-0° 30', 0° 15'", (-0.5, 0.25)),
        ("41&deg;24'N 2&deg;10'E", (41.4, 2.166667)),
        ("+4124+00210/", (41.4, 2.166667)),
        ("+412412-0021027/", (41.403333, -2.174167)),
        ("+41.4034+002.1740+012.5CRSWGS_84/", (41.4034, 2.174)),
        ("geo:0,0?q=41.4,2.17(Home)", (41.4, 2.17)),
        ("SRID=4326;POINT Z (2.17 41.4 12)", (41.4, 2.17)),
        ('{"GPSLatitude": "41 deg 24\' 0.00\\" S", "GPSLongitude": "2 deg 30\' 0.00\\" W"}', (-41.4, -2.5)),
        ('{"type": "Feature", "geometry": {"type": "Point", "coordinates": [2.17, 41.4]}}', (41.4, 2.17)),
        ("https://www.bing.com/maps?sp=point.41.4_2.17_Here&cp=1~2", (41.4, 2.17)),
        ("https://yandex.com/maps/?pt=2.17,41.4,pm2&ll=1,2", (41.4, 2.17)),
        ("https://www.google.com/maps/search/41.4,+2.17", (41.4, 2.17)),
        ("https://maps.apple.com/?q=41.4,2.17", (41.4, 2.17)),
        ("Fish shop\nhttps://www.openstreetmap.org/?mlat=41.4&mlon=2.17", (41.4, 2.17)),
        ("www.openstreetmap.org/#map=12/41.4/2.17", (41.4, 2.17)),
        ("comgooglemaps://?q=41.4,2.17", (41.4, 2.17)),
        ("https://example.org/view?latitude=41.4&longitude=2.17", (41.4, 2.17)),
        ("https://wego.here.com/directions/mix//41.4,2.17", (41.4, 2.17)),
        ("8FH4C54F+9J", (41.405937, 2.174063)),
        ("8fh4c54f+9j", (41.405937, 2.174063)),
    ],
)  # fmt: skip
def test_notations_of_programs(text: str, want: tuple[float, float]) -> None:
    assert position(text) == pytest.approx(want, abs=1e-5)


@pytest.mark.parametrize(
    ("text", "km"),
    [
        ("41.4,2.17,12", 12), ("41.4, 2.17, 12 km", 12), ("41.4,2.17,3e1", 30), ("41,4; 2,17; 12", 12),
        ("41.4 N, 2.17 E, 12", 12), ("41.4 N 2.17 E within 5 km", 5), ("41.4, 2.17 ± 80 m", 0.08),
        ("41.4, 2.17, 10 miles", 16.09344), ("geo:41.4,2.17;u=250", 0.25), ("geo:41.4,2.17;crs=wgs84;u=3000", 3),
        ("41.4,2.17,5 mi", 8.04672),
        ("41.4; 2.17; 2.5 km", 2.5), ("41,4 2,17 2,5 km", 2.5), ("41.4, 2.17 (5 km)", 5), ("41.4, 2.17", None),
        ("geo:41.4,2.17,30", None), ("8FH4C54F+9J", None), ("8FH40000+", 70.7),
    ],
)  # fmt: skip
def test_a_radius_is_read_in_kilometres(text: str, km: float | None) -> None:
    found = read_coordinates(text)
    assert found is not None
    assert tuple(found.position) == pytest.approx((41.4, 2.17), abs=0.5)
    assert found.radius_km == (None if km is None else pytest.approx(km, rel=0.02))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("41° 24' N 2° 10' O", "east in German and west in French"),
        ("23° 33' S, 46° 38' O", "east in German"),
        ("41,24,2,17", "may mean"),
        ("41.40-2.17", "dash"),
        ("41.40 - 2.17", "dash"),
        ("41.4 N 2.17", "may belong"),
        ("41.4 2.17 10", "third number"),
        ("41 24 2", "third number"),
        ("41.4, 2.17, 120 m", "radius or a height"),
        ("-41.4 N, 2.17 E", "disagree"),
        ("41.4 N, 2.17 N", "two latitudes"),
        ("41.4 E, 2.17 W", "two longitudes"),
        ("lat 41.4 lat 2.17", "two latitudes"),
        ("41° 24' N", "one coordinate"),
        ("41° 75' N, 2° 10' E", "end at 60"),
        ("41.5° 24' N, 2° 10' E", "fraction"),
        ("24' 41° N, 2° 10' E", "order"),
        ("+41.4+00210/", "same units"),
        ("41.4034°, 2.1740° (Sagrada)", "alone"),
        ("150.45,30.52", "swap"),
        ("30.52 N, 200 E", "longitude 200"),
        ("30.52,-180.5", "longitude -180.5"),
        ("nan,2", "finite"),
        ("POINT(2.17 141.4)", "latitude"),
        ("LINESTRING(1 2, 3 4)", "one point"),
        ("SRID=3857;POINT(1 2)", "3857"),
        ('{"type": "LineString", "coordinates": [[1, 2], [3, 4]]}', "Point"),
        ('{"name": "x"}', "without one latitude"),
        ("geo:0,0?q=Bergen", "no coordinates"),
        ("geo:41.4", "expected geo:"),
        ("geo:41.4,2.17;crs=utm", "utm"),
        ("geo:41.4,2.17;u=near", "metres"),
        ("geo:41.4,2.17;u=-8", "metres"),
        ("https://maps.app.goo.gl/x1Y2", "short link"),
        ("https://goo.gl/maps/abc", "short link"),
        ("https://yandex.ru/maps/-/CDabc", "short link"),
        ("https://osm.org/go/0JhJf", "short link"),
        ("https://www.google.com/maps/place/Bergen", "no coordinates"),
        ("https://www.google.com/maps/dir/41.4,2.17/41.5,2.2/", "2 places"),
        ("https://example.org/p/41.4,2.17", "no coordinates"),
        ("https://example.org/?q=41.4,2.17", "no coordinates"),
        ("https://map.baidu.com/?latlng=39.9,116.4", "shift"),
        ("https://www.openstreetmap.org/node/240109189", "no coordinates"),
        ("https://w3w.co/filled.count.soap", "what3words"),
        ("///daring.lion.race", "what3words"),
        ("daring.lion.race", "what3words"),
        ("C54F+9J Barcelona", "short plus code"),
        ("8F0H4C54+", "no plus code"),
    ],
)  # fmt: skip
def test_what_has_two_readings_or_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(CoordinateError, match=why):
        read_coordinates(text)


@pytest.mark.parametrize(
    "text",
    ["", "Bergen", "10 Downing Street", "5003 Bergen", "75011", "48.2", "St. Gallen", "Route 66, km 12", "a" * 5000,
     "12:30", "1 2 3 4 5 °", "São Paulo", "L'Aquila", "7 Mile Beach", "E 18", "{", "'", "++", "exif"],
)  # fmt: skip
def test_names_are_left_to_others(text: str) -> None:
    try:
        assert read_coordinates(text) is None
    except CoordinateError:
        assert "°" in text


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("POINT(2.17 41.4)", "longitude, then latitude"),
        ("https://yandex.ru/maps/?ll=2.17,41.4", "longitude, then latitude"),
        ("https://www.google.com/maps/@41.4,2.17,12z", "centre of its map"),
        ("41 deg 24' 12\", 2 deg 10' 26\"", "no hemisphere"),
        ("41.4 N, 2.17", "read as east"),
        ("-41.4 S, 2.17 E", "minus sign says the same"),
        ("Breite 48,2 Länge 16,3 O", "east, as in German"),
        ("Latitud 40,4 N, Longitud 3,7 O", "west, as in French and Spanish"),
    ],
)
def test_how_it_was_read_is_said(text: str, note: str) -> None:
    found = read_coordinates(text)
    assert found is not None
    assert any(note in said for said in found.notes), found.notes


@given(st.text(max_size=40) | st.text("0123456789.,;/-+°'\" NSEWO()", max_size=30))
def test_any_text_is_read_or_refused_in_one_way(text: str) -> None:
    try:
        found = read_coordinates(text)
    except (CoordinateError, MissingDependency):
        return
    assert found is None or abs(found.position.lat) <= 90


class TestMgrs:
    @given(lat=st.floats(-79.9, 83.9), lon=st.floats(-180, 179.999))
    def test_it_reads_back(self, lat: float, lon: float) -> None:
        mgrs = pytest.importorskip("mgrs", reason="mgrs is not installed (pip install 'geoagent-photo[coordinates]')")
        code = mgrs.MGRS().toMGRS(lat, lon)
        read = read_coordinates(code)
        assert read is not None
        assert haversine(read.position, (lat, lon)) < 0.003

    @pytest.mark.parametrize(
        ("text", "want"),
        [
            ("31TDF3098484147", (41.403, 2.174)), ("31T DF 30984 84147", (41.403, 2.174)),
            ("31tdf3184", (41.406, 2.18)),
            ("56HLH3490551930", (-33.85, 151.22)), ("18TWL8364507415", (40.72, -74.01)),
        ],
    )  # fmt: skip
    def test_squares_are_their_middle(self, text: str, want: tuple[float, float]) -> None:
        pytest.importorskip("mgrs", reason="mgrs is not installed (pip install 'geoagent-photo[coordinates]')")
        assert position(text) == pytest.approx(want, abs=0.02)

    @pytest.mark.parametrize("text", ["31TDF123", "61TDF1234", "31TDF12 3456", "31TAA1212"])
    def test_no_square_is_refused(self, text: str) -> None:
        pytest.importorskip("mgrs", reason="mgrs is not installed (pip install 'geoagent-photo[coordinates]')")
        with pytest.raises(CoordinateError, match="MGRS"):
            read_coordinates(text)

    def test_what_to_install_is_said(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "mgrs", None)
        with pytest.raises(MissingDependency, match=r"pip install 'geoagent-photo\[coordinates\]'"):
            read_coordinates("31TDF3098484147")


def haversine(point: object, other: tuple[float, float]) -> float:
    from geoagent.places.geo import haversine_km

    return float(haversine_km(tuple(point), other))  # type: ignore[call-overload]

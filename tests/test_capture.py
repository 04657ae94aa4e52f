"""When, with what and as what a photo was taken."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from geoagent.errors import PhotoError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.taken import of_exif, of_name, of_xmp
from geoagent.places.geo import LatLon
from geoagent.types import Device

ORIGINAL, OFFSET, FRACTION = 0x9003, 0x9011, 0x9291


def save(
    path: Path,
    *,
    original: str = "",
    offset: str = "",
    fraction: str = "",
    make: str = "",
    model: str = "",
    software: str = "",
    serial: str = "",
    gps: dict[int, object] | None = None,
    size: tuple[int, int] = (64, 48),
    **options: object,
) -> Path:
    """A small picture with EXIF data."""
    image = Image.new("RGB", size, "grey")
    exif = image.getexif()
    for tag, value in ((0x10F, make), (0x110, model), (0x131, software)):
        if value:
            exif[tag] = value
    details = exif.get_ifd(0x8769)
    for tag, value in ((ORIGINAL, original), (OFFSET, offset), (FRACTION, fraction), (0xA431, serial)):
        if value:
            details[tag] = value
    if gps:
        exif.get_ifd(0x8825).update(gps)
    image.save(path, exif=exif, **options)
    return path


GPS_LYON = {1: "N", 2: (45.0, 45.0, 50.4), 3: "E", 4: (4.0, 50.0, 8.5)}


def test_a_phone_tells_clock_zone_and_position(tmp_path: Path):
    path = save(
        tmp_path / "x.jpg",
        original="2023:07:04 10:30:15",
        offset="+02:00",
        fraction="250",
        make="Google",
        model="Pixel 7",
        gps={**GPS_LYON, 7: (8.0, 30.0, 2.0), 29: "2023:07:04", 31: 12.5},
    )
    found = capture_of(path)
    assert found.clock == datetime(2023, 7, 4, 10, 30, 15, 250_000)
    assert found.utc == datetime(2023, 7, 4, 8, 30, 15, 250_000, UTC)
    assert (found.source, found.error_s) == ("exif", 0.5)
    assert found.device == Device("Google", "Pixel 7")
    assert found.device.name == "Google Pixel 7"
    assert found.position.distance_km(LatLon(45.764, 4.83569)) < 0.01
    assert found.accuracy_m == 12.5
    assert found.position_utc == datetime(2023, 7, 4, 8, 30, 2, tzinfo=UTC)
    assert found.form == "photo"
    assert found.doubts == ()


def test_a_gps_stamp_tells_utc_of_a_clock_without_zone(tmp_path: Path):
    path = save(
        tmp_path / "x.jpg",
        original="2019:12:31 23:30:00",
        make="Canon",
        model="Canon EOS 6D",
        serial="0712",
        gps={**GPS_LYON, 7: (22.0, 29.0, 48.0), 29: "2019:12:31"},
    )
    found = capture_of(path)
    assert found.clock == datetime(2019, 12, 31, 23, 30)
    assert found.utc == datetime(2019, 12, 31, 22, 29, 48, tzinfo=UTC)
    assert found.device == Device("Canon", "Canon EOS 6D", "0712")
    assert found.device.name == "Canon EOS 6D"


def test_a_camera_without_zone(tmp_path: Path):
    found = capture_of(save(tmp_path / "x.jpg", original="2016:02:29 06:07:08", make="NIKON", model="D3300"))
    assert found.clock == datetime(2016, 2, 29, 6, 7, 8)
    assert found.utc is None
    assert found.position is None


@pytest.mark.parametrize(
    ("name", "clock", "utc"),
    [
        ("IMG_20230704_153012.jpg", datetime(2023, 7, 4, 15, 30, 12), None),
        ("20191224_080910.jpg", datetime(2019, 12, 24, 8, 9, 10), None),
        ("2021-03-05 17.45.59.jpg", datetime(2021, 3, 5, 17, 45, 59), None),
        ("VID-2020-01-31-235959.jpg", datetime(2020, 1, 31, 23, 59, 59), None),
        ("signal-2022-10-09-081500.jpg", datetime(2022, 10, 9, 8, 15, 0), None),
        ("PXL_20230704_133012345.jpg", None, datetime(2023, 7, 4, 13, 30, 12, 345_000, UTC)),
        ("PXL_20240229_000001000.MP.jpg", None, datetime(2024, 2, 29, 0, 0, 1, tzinfo=UTC)),
        ("Screenshot_2024-05-06-07-08-09.png", datetime(2024, 5, 6, 7, 8, 9), None),
        ("WhatsApp Image 2023-07-04 at 15.30.12.jpeg", datetime(2023, 7, 4, 15, 30, 12), None),
        ("20230704153012.jpg", datetime(2023, 7, 4, 15, 30, 12), None),
    ],
)
def test_times_in_names(name: str, clock: datetime | None, utc: datetime | None):
    found = of_name(name)
    assert (found.clock, found.utc, found.source) == (clock, utc, "name")
    assert found.error_s < 60


@pytest.mark.parametrize("name", ["IMG-20230704-WA0012.jpg", "VID-20191231-WA0001.jpg", "Photo 2021-03-05.jpg"])
def test_a_day_in_a_name_is_known_to_half_a_day(name: str):
    found = of_name(name)
    assert found.clock.hour == 12
    assert found.error_s == 12 * 3600


@pytest.mark.parametrize(
    "name",
    [
        "DSC_0042.jpg",
        "IMG_1234.JPG",
        "20231345_250000.jpg",
        "2023-02-30 10.00.00.jpg",
        "19700101_000000.jpg",
        "29990101_000000.jpg",
        "photo-1234567890123.jpg",
        "a.jpg",
        "report-2023.jpg",
    ],
)
def test_names_without_a_time(name: str):
    assert of_name(name) is None


@given(
    st.datetimes(datetime(1996, 1, 1), datetime(2025, 12, 31)),
    st.integers(-14 * 4, 14 * 4).map(lambda quarters: quarters * 15),
)
def test_exif_offsets_there_and_back(when: datetime, minutes: int):
    when = when.replace(microsecond=0)
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    found = of_exif({}, {ORIGINAL: when.strftime("%Y:%m:%d %H:%M:%S"), OFFSET: offset})
    assert found.clock == when
    assert found.utc.replace(tzinfo=None) == when - timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "value",
    ["0000:00:00 00:00:00", "1970:01:01 00:00:00", "    :  :     :  :  ", "2023:13:01 00:00:00", "2099:01:01 10:00:00"],
)
def test_impossible_exif_times_are_none(value: str):
    assert of_exif({}, {ORIGINAL: value}) is None


@pytest.mark.parametrize("offset", ["", "02:00", "+25:00", "   :  ", "GMT", "+02:99"])
def test_offsets_that_are_none(offset: str):
    found = of_exif({}, {ORIGINAL: "2023:07:04 10:00:00", OFFSET: offset})
    assert found.clock == datetime(2023, 7, 4, 10)
    assert found.utc is None


def test_a_clock_that_was_never_set_is_no_time(tmp_path: Path):
    found = capture_of(save(tmp_path / "x.jpg", original="2000:01:01 00:03:12", make="Canon", model="PowerShot A70"))
    assert found.clock is None
    assert "never" in found.doubts[0]


def test_utc_wins_over_a_clock_that_is_days_off(tmp_path: Path):
    path = save(
        tmp_path / "x.jpg",
        original="2012:01:01 10:00:00",
        make="Sony",
        model="DSC-HX20V",
        gps={**GPS_LYON, 7: (9.0, 0.0, 0.0), 29: "2014:05:06"},
    )
    found = capture_of(path)
    assert found.clock is None
    assert found.utc == datetime(2014, 5, 6, 9, tzinfo=UTC)
    assert found.source == "gps"
    assert "days apart" in found.doubts[0]


@pytest.mark.parametrize(
    ("text", "clock", "utc"),
    [
        (b'exif:DateTimeOriginal="2021-08-01T12:00:00"', datetime(2021, 8, 1, 12), None),
        (
            b"<photoshop:DateCreated>2021-08-01T12:00:00.5+05:30</photoshop:DateCreated>",
            datetime(2021, 8, 1, 12, 0, 0, 500_000),
            datetime(2021, 8, 1, 6, 30, 0, 500_000, UTC),
        ),
        (b'xmp:CreateDate="2021-08-01T12:00:00Z"', datetime(2021, 8, 1, 12), datetime(2021, 8, 1, 12, tzinfo=UTC)),
    ],
)
def test_times_in_xmp(text: bytes, clock: datetime, utc: datetime | None):
    found = of_xmp(b"<rdf:Description " + text + b"/>")
    assert (found.clock, found.utc) == (clock, utc)


def test_a_sidecar_of_xmp(tmp_path: Path):
    save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg.xmp").write_text('<x exif:DateTimeOriginal="2018-09-10T11:12:13+01:00"/>', "utf-8")
    found = capture_of(tmp_path / "a.jpg")
    assert found.utc == datetime(2018, 9, 10, 10, 12, 13, tzinfo=UTC)
    assert found.source == "xmp"


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
    "content", ["", "[]", "{", '{"photoTakenTime": 3}', takeout(0, 0, "x"), takeout(91, 5, 0), '{"title": "x"}']
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


@pytest.mark.parametrize(
    ("name", "options", "form"),
    [
        ("Screenshot_20230704-153012.png", {}, "screenshot"),
        ("Bildschirmfoto 2023-07-04 um 15.30.12.png", {}, "screenshot"),
        ("截屏2023-07-04.png", {}, "screenshot"),
        ("x.png", {"size": (1170, 2532)}, "screenshot"),
        ("x.png", {"size": (1920, 1080)}, "screenshot"),
        ("x.png", {"size": (1920, 1080), "make": "Panasonic", "model": "DMC-GH4"}, "photo"),
        ("x.jpg", {"make": "EPSON", "model": "Perfection V600", "software": "EPSON Scan"}, "document"),
        ("x.jpg", {"software": "CamScanner"}, "document"),
        ("x.jpg", {"size": (1240, 1754)}, "document"),
        ("x.jpg", {"size": (2550, 3300)}, "document"),
        ("x.jpg", {"size": (1600, 1200)}, "unknown"),
        ("IMG-20230704-WA0003.jpg", {"size": (1200, 1600)}, "unknown"),
        ("x.jpg", {"make": "Apple", "model": "iPhone 14"}, "photo"),
    ],
)
def test_photos_screenshots_and_documents(tmp_path: Path, name: str, options: dict, form: str):
    found = capture_of(save(tmp_path / name, **options))
    assert found.form == form
    assert bool(found.why_form) == (form in ("screenshot", "document"))


def test_a_scan_in_black_and_white(tmp_path: Path):
    Image.new("1", (300, 400)).save(tmp_path / "x.tif")
    assert capture_of(tmp_path / "x.tif").form == "document"


@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe1\x00\x10Exif\0\0broken", b"%PDF-1.4"])
def test_files_that_are_no_photos(tmp_path: Path, content: bytes):
    (tmp_path / "x.jpg").write_bytes(content)
    with pytest.raises(PhotoError):
        capture_of(tmp_path / "x.jpg")


def test_a_missing_file(tmp_path: Path):
    with pytest.raises(PhotoError, match="no such file"):
        capture_of(tmp_path / "x.jpg")


@pytest.mark.parametrize("make", ["Canon\0\0", "  Canon  ", "Ca\nnon", "C" * 500])
def test_strange_makes_are_cleaned(tmp_path: Path, make: str):
    found = capture_of(save(tmp_path / "x.jpg", make=make, model="X"))
    assert found.device.make.isprintable()
    assert len(found.device.make) <= 80
    assert found.device.make == found.device.make.strip()

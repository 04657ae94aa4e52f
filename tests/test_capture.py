"""When, with what and as what a photo was taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pictures import GPS_LYON, OFFSET, ORIGINAL, save
from PIL import Image

from geoagent.errors import PhotoError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.taken import of_exif, of_xmp, unrolled
from geoagent.places.geo import LatLon
from geoagent.types import Device


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


@pytest.mark.parametrize("length", [255, 252, 240])
def test_names_that_leave_no_room_for_those_of_sidecars(tmp_path: Path, length: int):
    path = save(tmp_path / f"{'x' * (length - 4)}.jpg", original="2011:10:09 08:07:06")
    assert capture_of(path).clock == datetime(2011, 10, 9, 8, 7, 6)


@given(st.datetimes(datetime(2019, 5, 1), datetime(2025, 12, 31)), st.floats(-14 * 3600, 14 * 3600))
def test_weeks_that_a_receiver_lost_come_back(when: datetime, apart_s: float):
    fix = when.replace(tzinfo=UTC)
    clock = fix + timedelta(seconds=apart_s)
    assert unrolled(fix - timedelta(weeks=1024), clock) == fix
    assert unrolled(fix, clock) == fix


@pytest.mark.parametrize("days", [3, 700, 7100, 7300, -40])
def test_stamps_that_are_off_otherwise_are_left_alone(days: int):
    clock = datetime(2023, 3, 2, 12, tzinfo=UTC)
    assert unrolled(clock - timedelta(days=days), clock) == clock - timedelta(days=days)


def test_a_receiver_that_lost_weeks(tmp_path: Path):
    path = save(
        tmp_path / "x.jpg",
        original="2021:09:10 14:00:05",
        make="Panasonic",
        model="DMC-TZ20",
        gps={**GPS_LYON, 7: (12.0, 0.0, 1.0), 29: "2002:01:25"},
    )
    found = capture_of(path)
    assert found.clock == datetime(2021, 9, 10, 14, 0, 5)
    assert found.utc == found.position_utc == datetime(2021, 9, 10, 12, 0, 1, tzinfo=UTC)
    assert found.error_s == 10.0
    assert "1024 weeks" in found.doubts[0]


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("IMG_20200101_101010.jpg", {"original": "2023:07:04 12:00:00"}, "its EXIF data and of its name"),
        ("PXL_20200101_101010000.jpg", {"original": "2023:07:04 12:00:00", "offset": "+02:00"}, "of its name"),
        (
            "x.jpg",
            {
                "original": "2023:07:04 12:00:00",
                "offset": "+02:00",
                "gps": {**GPS_LYON, 7: (9.0, 0.0, 0.0), 29: "2023:06:01"},
            },
            "its GPS stamp are 33 days",
        ),
        ("WhatsApp Image 2023-07-04 at 15.30.12.jpg", {}, "messenger"),
        ("Photo 04-07-2023.jpg", {}, "2023-07-04 or 2023-04-07"),
    ],
)
def test_what_does_not_agree_is_told(tmp_path: Path, name: str, options: dict, says: str):
    assert says in "; ".join(capture_of(save(tmp_path / name, **options)).doubts)


@pytest.mark.parametrize("name", ["IMG_20230705_020000.jpg", "IMG-20230703-WA0004.jpg", "x.jpg"])
def test_what_zones_explain_is_no_doubt(tmp_path: Path, name: str):
    path = save(tmp_path / name, original="2023:07:04 12:00:00", make="Canon", model="EOS R")
    assert capture_of(path).doubts == ()


@pytest.mark.parametrize(("make", "clock"), [("Apple", datetime(2015, 1, 1, 0, 1, 10)), ("Canon", None)])
def test_new_year_on_a_phone_is_new_year(tmp_path: Path, make: str, clock: datetime | None):
    assert capture_of(save(tmp_path / "x.jpg", original="2015:01:01 00:01:10", make=make, model="X 6")).clock == clock


def test_a_day_alone_tells_no_zone(tmp_path: Path):
    gps = {**GPS_LYON, 7: (8.0, 30.0, 2.0), 29: "2023:07:04"}
    found = capture_of(save(tmp_path / "IMG-20230704-WA0001.jpg", gps=gps))
    assert found.clock is None
    assert found.utc == datetime(2023, 7, 4, 8, 30, 2, tzinfo=UTC)


def test_the_serial_number_of_a_raw_file(tmp_path: Path):
    image = Image.new("RGB", (16, 16))
    exif = image.getexif()
    exif[0x10F], exif[0x110], exif[0xC62F] = "Leica Camera AG", "Leica M10", "5 123 456"
    image.save(tmp_path / "x.jpg", exif=exif)
    assert capture_of(tmp_path / "x.jpg").device == Device("Leica Camera AG", "Leica M10", "5 123 456")


@pytest.mark.parametrize(
    ("value", "offset"), [("9999:12:31 23:59:59", "-05:00"), ("0001:01:01 00:00:00", "+05:00"), ("9999:99:99", "x")]
)
def test_times_at_the_ends_of_the_calendar(value: str, offset: str):
    assert of_exif({}, {ORIGINAL: value, OFFSET: offset}) is None
    assert of_xmp(f'xmp:CreateDate="{value[:10].replace(":", "-")}T{value[11:]}{offset}"'.encode()) is None


def test_a_day_in_xmp_is_known_to_half_a_day():
    found = of_xmp(b'<x photoshop:DateCreated="2017-06-05"/>')
    assert (found.clock, found.error_s) == (datetime(2017, 6, 5, 12), 12 * 3600)

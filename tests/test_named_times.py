"""Times in names of files."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.evidence.named_times import of_name


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
        ("IMG_20220304_111213(2).jpg", datetime(2022, 3, 4, 11, 12, 13), None),
        ("00100dPORTRAIT_00100_BURST20190203040506789_COVER.jpg", datetime(2019, 2, 3, 4, 5, 6, 789_000), None),
        ("Screenshot 2022-03-04 at 3.05.06 PM.png", datetime(2022, 3, 4, 15, 5, 6), None),
        ("Screen Shot 2018-11-02 at 12.05.09 AM.png", datetime(2018, 11, 2, 0, 5, 9), None),
        ("Screenshot 2024-01-02 at 12.00.01\u202fPM.png", datetime(2024, 1, 2, 12, 0, 1), None),
        ("WhatsApp Image 2021-06-07 at 9.08.07 AM.jpeg", datetime(2021, 6, 7, 9, 8, 7), None),
        ("Bildschirmfoto 2022-03-04 um 15.16.17.png", datetime(2022, 3, 4, 15, 16, 17), None),
        ("Capture d’écran 2022-03-04 à 15.16.17.png", datetime(2022, 3, 4, 15, 16, 17), None),
        ("Schermata 2022-03-04 alle 15.16.17.png", datetime(2022, 3, 4, 15, 16, 17), None),
        ("截屏2022-03-04 下午3.16.17.png", datetime(2022, 3, 4, 15, 16, 17), None),
        ("WP_20150607_18_19_20_Pro.jpg", datetime(2015, 6, 7, 18, 19, 20), None),
        ("photo_12@04-03-2022_15-16-17.jpg", datetime(2022, 3, 4, 15, 16, 17), None),
        ("Photo 25-12-2021, 18 19 20.jpg", datetime(2021, 12, 25, 18, 19, 20), None),
    ],
)
def test_times_in_names(name: str, clock: datetime | None, utc: datetime | None):
    found = of_name(name)
    assert (found.clock, found.utc, found.source) == (clock, utc, "name")
    assert found.error_s < 60


@pytest.mark.parametrize(
    "name",
    [
        *("IMG-20230704-WA0012.jpg", "VID-20191231-WA0001.jpg", "Photo 2021-03-05.jpg", "WP_20150607_003.jpg"),
        *("2021-03-05.jpg", "20210305 (2).jpg", "Photo 25-12-2021.jpg", "Foto 12-25-2021.jpg", "Bild 04.03.2021.jpg"),
    ],
)
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
        "123456789_20230704.jpg",
        "1920-01-02 10.11.12.jpg",
        "Photo 31-02-2021.jpg",
        "order-20230704-120000123456.jpg",
    ],
)
def test_names_without_a_time(name: str):
    assert of_name(name) is None


@pytest.mark.parametrize(
    ("name", "clock", "apart_days"),
    [
        ("Photo 04-03-2021.jpg", datetime(2021, 3, 4, 12), 30),
        ("IMG-01-12-2020.jpg", datetime(2020, 12, 1, 12), 324),
        ("Photo 11-12-2021, 10 11 12.jpg", datetime(2021, 12, 11, 10, 11, 12), 29),
        ("Photo 05-05-2021, 10 11 12.jpg", datetime(2021, 5, 5, 10, 11, 12), 0),
    ],
)
def test_a_day_that_may_be_a_month_is_as_far_off(name: str, clock: datetime, apart_days: int):
    found = of_name(name)
    assert found.clock == clock
    assert found.error_s == pytest.approx(apart_days * 86400 or 2.0)
    assert bool(found.doubt) == bool(apart_days)


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("IMG-20210607-WA0001.jpg", True),
        ("WhatsApp Image 2021-06-07 at 09.08.07.jpeg", True),
        ("signal-2021-06-07-090807.jpg", True),
        ("photo_1@07-06-2021_09-08-07.jpg", True),
        ("IMG_20210607_090807.jpg", False),
        ("2021-06-07 09.08.07.jpg", False),
    ],
)
def test_names_by_messengers_are_of_when_they_were_sent(name: str, sent: bool):
    assert ("messenger" in of_name(name).doubt) == sent


FORMS = ["IMG_%Y%m%d_%H%M%S", "%Y-%m-%d %H.%M.%S", "VID_%Y%m%d_%H%M%S_HDR", "signal-%Y-%m-%d-%H%M%S", "%Y%m%d%H%M%S"]
FORMS += ["Screenshot %Y-%m-%d at %I.%M.%S %p", "photo_7@%d-%m-%Y_%H-%M-%S", "Bildschirmfoto %Y-%m-%d um %H.%M.%S"]


@given(st.datetimes(datetime(1995, 1, 1), datetime(2025, 12, 31)), st.sampled_from(FORMS))
def test_what_is_written_is_read(when: datetime, form: str):
    when = when.replace(microsecond=0)
    found = of_name(when.strftime(form) + ".jpg")
    assert (found.clock, found.utc) == (when, None)


@given(st.text(max_size=40))
def test_any_name_is_read_or_holds_no_time(name: str):
    found = of_name(name)
    assert found is None or found.possible

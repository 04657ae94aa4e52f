"""Time zones of places."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.places.geo import LatLon
from geoagent.places.zones import utc_offset_hours, zone_at

JULY, JANUARY = datetime(2024, 7, 4, 12, tzinfo=UTC), datetime(2024, 1, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("place", "country", "when", "expected"),
    [
        ((50.94, 6.96), "DE", JULY, (2.0, "Europe/Berlin")),
        ((50.94, 6.96), "DE", JANUARY, (1.0, "Europe/Berlin")),
        ((59.9, 10.7), "NO", JULY, (2.0, "Europe/Oslo")),
        ((28.6, 77.2), "IN", JULY, (5.5, "Asia/Kolkata")),
        ((-33.87, 151.2), "AU", JANUARY, (11.0, "Australia/Sydney")),
        ((-31.95, 115.86), "AU", JANUARY, (8.0, "Australia/Perth")),
        ((37.77, -122.42), "US", JULY, (-7.0, "America/Los_Angeles")),
        ((0.0, -30.0), "", JULY, (-2.0, "")),
    ],
)
def test_clocks_show_the_time_of_their_country_and_season(place, country, when, expected):
    assert utc_offset_hours(LatLon(*place), country, when) == expected


@given(st.floats(-90, 90), st.floats(-180, 179.9), st.sampled_from(["US", "RU", "BR", "CN", "FR", "XX"]))
def test_every_place_has_an_offset(lat, lon, country):
    hours, name = utc_offset_hours(LatLon(lat, lon), country, JULY)
    assert -12 <= hours <= 14
    assert name == zone_at(LatLon(lat, lon), country)
    assert bool(name) == (country != "XX")

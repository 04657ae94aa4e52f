"""Coordinates that cannot be mistaken quietly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import CoordinateError, ShapeError
from geoagent.places.geo import (
    EARTH_RADIUS_KM,
    LatLon,
    bearing_deg,
    check_latlon,
    compass_point,
    from_unit,
    haversine_km,
    latlon_from_lonlat,
    lonlat_from_latlon,
    spherical_mean,
    to_unit,
    weighted_radius_km,
)

lats = st.floats(-90, 90)
lons = st.floats(-180, 180)
places = st.tuples(lats, lons)


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((48.8566, 2.3522), (40.7128, -74.006), 5837),  # Paris, New York
        ((0, 0), (0, 180), math.pi * EARTH_RADIUS_KM),
        ((90, 0), (90, 77), 0),
        ((-17, 179.9), (-17, -179.9), 21.3),  # across the antimeridian
        ((51.5, 0), (51.5, 360), 0),
    ],
)
def test_distance(a, b, km):
    assert haversine_km(a, b) == pytest.approx(km, abs=1)


@given(places, places)
def test_distance_is_symmetric_and_bounded(a, b):
    there = float(haversine_km(a, b))
    assert there == pytest.approx(float(haversine_km(b, a)), abs=1e-6)
    assert 0 <= there <= math.pi * EARTH_RADIUS_KM + 1e-6


@given(places)
def test_unit_vectors_come_back(place):
    back = from_unit(to_unit(place))
    assert float(haversine_km(place, back)) < 1e-3


def test_distance_broadcasts():
    assert haversine_km(np.zeros((3, 1, 2)), np.ones((4, 2))).shape == (3, 4)


@pytest.mark.parametrize("value", [(91, 0), (-120.5, 30), (math.nan, 0), (0, math.inf), (0, 361)])
def test_impossible_coordinates_are_refused(value):
    with pytest.raises(CoordinateError):
        LatLon(*value)


def test_swapped_coordinates_are_named():
    with pytest.raises(CoordinateError, match="swap lat and lon"):
        LatLon(139.7, 35.6)


def test_longitude_wraps_and_shape_is_checked():
    assert LatLon(0, 181).lon == -179
    with pytest.raises(ShapeError, match="lat then lon"):
        check_latlon([1.0, 2.0, 3.0])


def test_the_border_swaps_and_swaps_back():
    ours = np.array([[50.94, 6.96]])
    assert lonlat_from_latlon(ours).tolist() == [[6.96, 50.94]]
    assert latlon_from_lonlat(lonlat_from_latlon(ours)).tolist() == ours.tolist()


def test_mean_across_the_antimeridian():
    mean = spherical_mean([(-17, 178.0), (-17, -179.9)])
    assert abs(mean.lon) > 178
    assert mean.lat == pytest.approx(-17, abs=0.1)


def test_mean_of_antipodes_is_refused():
    with pytest.raises(CoordinateError, match="antipodal"):
        spherical_mean([(0, 0), (0, 180)])


@pytest.mark.parametrize("weights", [[-1, 2], [0, 0], [math.nan, 1]])
def test_unusable_weights_are_refused(weights):
    with pytest.raises(CoordinateError):
        spherical_mean([(0, 0), (1, 1)], weights)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(-1, 1)), min_size=1, max_size=8), st.floats(-80, 80), lons)
def test_mean_of_close_places_is_the_planar_mean(offsets, lat, lon):
    spots = np.array([(lat + 0.05 * a, lon + 0.05 * b) for a, b in offsets])
    mean = spherical_mean(spots)
    planar = spots.mean(axis=0)
    assert float(haversine_km((mean.lat, mean.lon), planar)) < 0.05


def test_radius_holds_its_share():
    centre = LatLon(0, 0)
    spots = np.array([(0, 0), (0, 1), (0, 2), (0, 3)])
    assert weighted_radius_km(centre, spots, [1, 1, 1, 1], 0.5) == pytest.approx(111.2, abs=0.1)
    assert weighted_radius_km(centre, spots, [0, 0, 0, 1], 0.5) == pytest.approx(333.6, abs=0.2)


@pytest.mark.parametrize(
    ("start", "end", "bearing", "point"),
    [
        ((0, 0), (1, 0), 0.0, "N"),
        ((0, 0), (0, 1), 90.0, "E"),
        ((0, 179), (0, -179), 90.0, "E"),  # across the date line
        ((10, 20), (-10, 20), 180.0, "S"),
        ((51.5074, -0.1278), (48.8566, 2.3522), 148.12, "SSE"),
        ((40.6413, -73.7781), (51.4700, -0.4543), 51.38, "NE"),
        ((0, 0), (1, -0.01), 359.43, "N"),
    ],
)
def test_bearings(start, end, bearing, point):
    found = bearing_deg(LatLon(*start), LatLon(*end))
    assert found == pytest.approx(bearing, abs=0.05)
    assert compass_point(found) == point

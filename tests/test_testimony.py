"""Texts and pictures of an album: heard between positions, discounted where they are one witness."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from albums import BERLIN, LYON, PARIS, moved
from hypothesis import given, settings
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.album import witnesses
from geoagent.album.motion import STILL, Motion
from geoagent.album.sightings import Sighting, leading_places
from geoagent.album.timelines import Timelines
from geoagent.places.geo import LatLon
from geoagent.worlds.world import World


@pytest.fixture(scope="module")
def world() -> World:
    return GeoAgent.load(ocr="nothing", world="starter", looks=False).assets.world


def speaks(world: World, key: str, hours: float, place: LatLon, nats: float = 6.0, look: int | None = None) -> Sighting:
    """A photo whose evidence speaks for the cells within 60 km of a place; `look` numbers what it looks like."""
    near = np.arccos(np.clip(world.cells.unit @ _unit(place), -1, 1)) * 6371 < 60
    near[world.cells.at(place)] = True
    logs = world.log_prior + np.where(near, nats, 0.0)
    logs -= np.logaddexp.reduce(logs)
    seen = None
    if look is not None:
        seen = np.zeros(64, dtype=np.float32)
        seen[look] = 1.0
    ratio = logs - world.log_prior
    leading = leading_places(logs, ratio, world, [(place, 5.0)])
    return Sighting(key, "camera", hours, log_ratio=ratio, leading=leading, embedding=seen)


def _unit(place: LatLon) -> np.ndarray:
    lat, lon = np.radians((place.lat, place.lon))
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def near(lines: Timelines, key: str, place: LatLon, km: float = 50.0) -> float:
    """Probability that the album puts a photo within some kilometres of a place."""
    message = lines.told(key)
    assert message is not None
    told, total = message.told, 0.0
    for row, states in zip(told.rows.tolist(), told.by_state().tolist(), strict=True):
        if LatLon(*lines.places.latlon[row].tolist()).distance_km(place) <= km:
            total += sum(p for p, scale in zip(states, (0.25, 4.0, 40.0, 400.0), strict=True) if scale <= km)
    return total


@settings(max_examples=20, deadline=None)
@given(hours=st.lists(st.floats(0.1, 99.9), min_size=1, max_size=30), asked=st.floats(1.0, 99.0))
def test_photos_that_say_nothing_take_nothing_away(world: World, hours: list[float], asked: float):
    anchors = [Sighting("a", "camera", 0.0, gps=LYON), Sighting("b", "camera", 100.0, gps=moved(LYON, 2.0))]
    photo = Sighting("x", "camera", asked)
    mute = [speaks(world, f"n{i}", h, LYON, nats=0.0) for i, h in enumerate(hours)]
    alone = near(Timelines([*anchors, photo], world, Motion.load()), "x", LYON)
    among = near(Timelines([*anchors, photo, *mute], world, Motion.load()), "x", LYON)
    assert among == pytest.approx(alone, abs=1e-6)


def test_pictures_all_over_a_journey_do_not_lose_its_end(world: World):
    """As steps of the chain, forty photos that hardly say anything would add up to forty journeys."""
    anchors = [Sighting("a", "camera", 0.0, gps=LYON), Sighting("b", "camera", 50.0, gps=LYON)]
    photo = Sighting("x", "camera", 25.0)
    weak = [speaks(world, f"n{i:02d}", 1.0 + i * 1.2, moved(LYON, 30.0), nats=1.0, look=i % 60) for i in range(40)]
    alone = near(Timelines([*anchors, photo], world, Motion.load()), "x", LYON)
    assert near(Timelines([*anchors, photo, *weak], world, Motion.load()), "x", LYON) > alone - 0.05


def test_a_picture_says_more_the_nearer_it_is_in_time(world: World):
    elsewhere = []
    for hours in (1.0, 24.0, 200.0, 2000.0):
        shown = [speaks(world, "s", 0.0, BERLIN, nats=12.0), Sighting("x", "camera", hours)]
        message = Timelines(shown, world, Motion.load()).told("x")
        assert message is not None
        elsewhere.append(message.told.elsewhere)
    assert elsewhere == sorted(elsewhere)
    assert elsewhere[0] + 0.01 < elsewhere[-1]


def test_a_testimony_between_two_positions_says_which_of_them_is_near(world: World):
    anchors = [Sighting("a", "camera", 0.0, gps=PARIS), Sighting("b", "camera", 24.0, gps=BERLIN)]
    photo = Sighting("x", "camera", 12.0)
    for place, other in ((PARIS, BERLIN), (BERLIN, PARIS)):
        lines = Timelines([*anchors, photo, speaks(world, "s", 11.0, place)], world, Motion.load())
        assert near(lines, "x", place) > 3 * near(lines, "x", other)


def test_the_same_view_many_times_is_one_witness(world: World):
    """Twenty photos of one wrong view must not outvote two views of another place."""
    right = [speaks(world, f"r{i}", 10.0 + i, PARIS, look=i) for i in range(2)]
    wrong = [speaks(world, f"w{i:02d}", 12.0 + i / 10, BERLIN, look=9) for i in range(20)]
    photo = Sighting("x", "camera", 11.5)
    lines = Timelines([*right, photo, *wrong], world, STILL)
    assert near(lines, "x", PARIS) > near(lines, "x", BERLIN)


def test_witnesses(world: World):
    a, b = speaks(world, "a", 0.0, PARIS, look=1), speaks(world, "b", 0.0, PARIS, look=2)
    same, later = speaks(world, "c", 5000.0, PARIS, look=1), speaks(world, "d", 5000.0, BERLIN, look=2)
    alike = witnesses.alike([a, b, same, later], world)
    assert alike == pytest.approx(alike.T)
    assert np.diag(alike) == pytest.approx(np.ones(4))
    assert alike[0, 1] == pytest.approx(witnesses.SAME_PLACE)  # looks different, same day
    assert alike[0, 2] == pytest.approx(1.0)  # the same view, months later
    assert alike[1, 2] > 0.3  # looks different, months later, speaks for the same country
    assert alike[0, 3] < 0.2  # looks different, months later, speaks for another country


def test_words_are_one_witness_while_they_may_be_on_one_sign(world: World):
    said = {("place", "Lyon"): 5.0, ("language", "fr"): 1.0}
    first = replace(speaks(world, "a", 0.0, LYON), statements=said)
    alike = witnesses.alike([first, replace(first, key="b"), replace(first, key="c", hours=48.0)], world)
    assert alike[0, 1] == pytest.approx(1.0)
    assert alike[0, 2] < 0.01
    shown = [first, *(replace(first, key=str(i)) for i in range(20)), speaks(world, "z", 0.0, PARIS)]
    found = witnesses.weights(witnesses.alike(shown, world))
    assert found[:21].sum() == pytest.approx(1.0, abs=0.01)  # twenty-one photos of one sign
    assert found[21] == pytest.approx(1.0, abs=0.01)  # and another one
    other = replace(first, key="d", statements={("place", "Paris"): 5.0, ("language", "fr"): 1.0})
    assert witnesses.alike([first, other], world)[0, 1] == pytest.approx(1 / 11)


def test_an_exact_place_does_not_win_over_a_likelier_town():
    from geoagent.belief.spreads import densest_point
    from geoagent.types import Candidates

    at = np.array([[45.76, 4.84], [48.86, 2.35], [48.87, 2.36]])
    nan = np.full(3, np.nan, dtype=np.float32)
    found = Candidates(
        at, np.zeros(3, dtype=np.int64), np.zeros(3), nan, ("",) * 3, "place", np.array([0.01, 5.0, 6.0])
    )
    assert densest_point(found, np.array([0.2, 0.5, 0.3]), np.arange(3)) in (1, 2)


def test_an_exact_place_near_a_likelier_town_does_not_win_either():
    """Bonn, exactly, at one percent, is as near to Köln as a town is wide."""
    from geoagent.belief.spreads import densest_point
    from geoagent.types import Candidates

    nan = np.full(2, np.nan, dtype=np.float32)
    at, extent = np.array([[50.9333, 6.95], [50.7374, 7.0982]]), np.array([11.0, 0.01])
    found = Candidates(at, np.zeros(2, dtype=np.int64), np.zeros(2), nan, ("",) * 2, "place", extent)
    assert densest_point(found, np.array([0.99, 0.01]), np.arange(2)) == 0
    assert densest_point(found, np.array([0.1, 0.9]), np.arange(2)) == 1

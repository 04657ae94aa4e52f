"""Photos of an album as evidence for one another."""

from __future__ import annotations

import math
import random
from datetime import datetime, timedelta

import numpy as np
import pytest
from albums import BERLIN, CAMERA, LYON, PARIS, PHONE, SIGN, START, album, moved, photo
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.agent.album_run import answer_of
from geoagent.evidence.tracks import Track
from geoagent.places.geo import LatLon
from geoagent.types import Device

AGENT = GeoAgent.load(ocr="nothing")


def best(agent: GeoAgent, made, key: str):
    return answer_of(agent, made, key).best


def test_two_photos_with_positions_place_the_one_between_them(agent: GeoAgent):
    made = album(
        agent,
        [photo(agent, "a", 0, LYON), photo(agent, "b", 12), photo(agent, "c", 52, moved(LYON, -0.6, -0.3))],
    )
    answer = answer_of(agent, made, "b")
    assert (answer.best.place, answer.best.country) == ("Lyon", "FR")
    assert LatLon(answer.best.lat, answer.best.lon).distance_km(LYON) < 1.0
    assert answer.radius_90_km < 3.0
    assert answer.confidence > 0.95
    cue = answer.cues[0]
    assert (cue.kind, cue.source) == ("album", "album")
    assert cue.says == (
        "Two photos of the same camera, 12 minutes before and 40 minutes after, have positions in Lyon, 671 m apart."
    )
    assert cue.nats > 5
    assert cue.without.precision == "none"
    assert [(w.source, w.minutes, w.rests_on) for w in answer.album.witnesses] == [
        ("a", -12.0, "position"),
        ("c", 40.0, "position"),
    ]


def test_text_helps_the_photos_before_and_after_it(agent: GeoAgent):
    made = album(agent, [photo(agent, "a", 0), photo(agent, "b", 11, lines=SIGN), photo(agent, "c", 300)])
    for key, least in (("a", 0.8), ("c", 0.6)):
        answer = answer_of(agent, made, key)
        assert (answer.best.place, answer.best.country) == ("Lyon", "FR"), key
        assert answer.confidence > least, key
    assert "points to Lyon" in answer_of(agent, made, "a").cues[0].says


def test_the_further_in_time_the_wider_the_radius(agent: GeoAgent):
    radii = []
    for hours in (0.2, 3, 24, 400):
        made = album(agent, [photo(agent, "a", 0, LYON), photo(agent, "b", hours * 60)])
        answer = answer_of(agent, made, "b")
        radii.append(answer.radius_90_km if answer.radius_90_km is not None else math.inf)
    assert radii == sorted(radii)
    assert radii[0] < 10 < 50 < radii[-1]


def test_the_own_position_is_no_evidence_for_its_own_photo(agent: GeoAgent):
    made = album(
        agent, [photo(agent, "a", 0, LYON), photo(agent, "b", 10, moved(LYON, 0.2)), photo(agent, "c", 20, PARIS)]
    )
    message = answer_of(agent, made, "c")
    assert message.best.place == "Lyon"
    assert message.album.wrong_position > 0.9
    assert any("does not fit the photos around it" in warning for warning in message.warnings)


def test_an_album_of_one_photo_is_that_photo(agent: GeoAgent):
    alone = photo(agent, "a", 0, LYON, SIGN)
    made = album(agent, [alone])
    answer = answer_of(agent, made, "a")
    plain = agent.answer(alone.observation)
    ignored = {"timings_s", "album", "settings"}
    assert answer.model_dump(exclude=ignored) == plain.model_dump(exclude=ignored)
    assert made.observed("a").album == ()


def test_leaving_the_cue_out_gives_the_answer_alone(agent: GeoAgent):
    photos = [
        photo(agent, "a", 0, LYON),
        photo(agent, "b", 30, lines=("Bäckerei", "Köln")),
        photo(agent, "c", 60, LYON),
    ]
    made = album(agent, photos)
    with_it = made.observed("b")
    assert len(with_it.album) == 1
    without = agent.answer(with_it, without=["album"])
    plain = agent.answer(photos[1].observation)
    ignored = {"timings_s", "warnings"}
    assert without.model_dump(exclude=ignored) == plain.model_dump(exclude=ignored)


@given(st.integers(0, 10_000))
def test_the_order_of_files_changes_nothing(seed: int):
    rng = random.Random(seed)
    places = [LYON, moved(LYON, 3), PARIS, None, None, BERLIN]
    photos = [photo(AGENT, f"p{i}", rng.uniform(0, 5000), rng.choice(places), SIGN if i == 3 else ()) for i in range(8)]
    shuffled = photos[:]
    rng.shuffle(shuffled)
    one, other = album(AGENT, photos), album(AGENT, shuffled)
    for each in photos:
        a, b = one.observed(each.key).album, other.observed(each.key).album
        assert len(a) == len(b)
        if a:
            assert a[0].says == b[0].says
            assert a[0].reliability == pytest.approx(b[0].reliability)
            assert np.allclose(a[0].spread.latlon, b[0].spread.latlon)
            assert np.allclose(a[0].spread.mass, b[0].spread.mass)


@given(st.integers(0, 19), st.sampled_from([LatLon(0.5, 100.0), LatLon(-33.9, 18.4), LatLon(64.1, -21.9), BERLIN]))
def test_one_wrong_position_among_twenty_right_ones_moves_none_of_them(which: int, wrong: LatLon):
    photos = [photo(AGENT, f"{i:02d}", 13 * i, wrong if i == which else moved(LYON, 0.1 * i)) for i in range(20)]
    made = album(AGENT, photos)
    for each in photos:
        found = best(AGENT, made, each.key)
        right = moved(LYON, 0.1 * int(each.key))
        assert found.place == "Lyon", each.key
        assert LatLon(found.lat, found.lon).distance_km(right) < 2.5, each.key
    assert made.report(f"{which:02d}").wrong_position > 0.95
    assert all(made.report(each.key).wrong_position < 0.1 for each in photos if int(each.key) != which)


def test_a_journey_is_believed(agent: GeoAgent):
    """A position a continent off with a day between is no outlier."""
    tokyo = LatLon(35.6812, 139.7671)
    photos = [photo(agent, f"l{i}", 20 * i, moved(LYON, 0.1 * i)) for i in range(6)]
    photos += [photo(agent, f"t{i}", 1500 + 20 * i, moved(tokyo, 0.1 * i)) for i in range(6)]
    made = album(agent, photos)
    assert max(made.report(each.key).wrong_position for each in photos) < 0.1
    assert best(agent, made, "t3").place == "Tokyo"


def test_photos_without_a_time_take_no_part(agent: GeoAgent):
    timeless = photo(agent, "x", 0, clock=None, utc=None, source=None)
    made = album(agent, [photo(agent, "a", 0, LYON), timeless, photo(agent, "b", 10)])
    assert made.observed("x").album == ()
    assert made.report("x").part is False
    assert made.report("x").why_not == "its file does not tell when it was taken"


@pytest.mark.parametrize(("form", "why"), [("screenshot", "it is a screenshot by its name"), ("document", "a scan")])
def test_screenshots_and_documents_neither_give_nor_take(agent: GeoAgent, form: str, why: str):
    odd = photo(agent, "odd", 5, BERLIN, SIGN, form=form, why_form=why)
    plain = [photo(agent, "a", 0), photo(agent, "b", 9)]
    made = album(agent, [plain[0], odd, plain[1]])
    assert all(made.observed(key).album == () for key in ("a", "odd", "b"))
    assert made.report("odd").why_not == why


def test_what_a_photo_shows_can_overrule_its_neighbours(agent: GeoAgent):
    berlin = ("Bäckerei Müller", "10115 Berlin", "Tel. 030 2345678", "www.baecker-mueller.de")
    made = album(
        agent, [photo(agent, "a", 0, LYON), photo(agent, "b", 20, lines=berlin), photo(agent, "c", 40, moved(LYON, 1))]
    )
    answer = answer_of(agent, made, "b")
    assert any("speaks against the photos around it" in warning for warning in answer.warnings)
    assert answer.album.agreement_nats < -3


def test_two_devices_of_different_persons_do_not_move_each_other(agent: GeoAgent):
    mine = [photo(agent, f"m{i}", 180 * i, moved(LYON, i)) for i in range(8)]
    home = [photo(agent, f"h{i}", 60 + 180 * i, BERLIN if i % 2 else None, device=CAMERA) for i in range(8)]
    both, one, other = album(agent, mine + home), album(agent, mine), album(agent, home)
    for each, alone in ((mine, one), (home, other)):
        for taken in each:
            a, b = both.observed(taken.key).album, alone.observed(taken.key).album
            assert len(a) == len(b) == 1
            assert a[0].says == b[0].says
            assert np.allclose(a[0].spread.mass.sum(), b[0].spread.mass.sum())
            assert a[0].reliability == pytest.approx(b[0].reliability, abs=1e-3)
    assert best(agent, both, "h2").place == "Berlin"


def test_a_camera_without_any_evidence_is_not_coupled_unless_said(agent: GeoAgent):
    photos = [photo(agent, f"m{i}", 60 * i, moved(LYON, i)) for i in range(4)]
    photos += [photo(agent, "c", 70, device=CAMERA)]
    assert album(agent, photos).observed("c").album == ()
    joined = album(agent, photos, joined=True)
    assert best(agent, joined, "c").place == "Lyon"


def test_a_camera_whose_signs_agree_is_coupled(agent: GeoAgent):
    photos = [photo(agent, f"m{i}", 60 * i, moved(LYON, i)) for i in range(4)]
    photos += [photo(agent, "sign", 65, lines=SIGN, device=CAMERA), photo(agent, "c", 150, device=CAMERA)]
    answer = answer_of(agent, album(agent, photos), "c")
    assert answer.best.place == "Lyon"
    assert "Google Pixel 7" in answer.cues[0].says


TRAIN = [
    (LatLon(48.137, 11.575), "80331 München"),
    (LatLon(48.401, 9.987), "89073 Ulm"),
    (LatLon(48.775, 9.182), "70173 Stuttgart"),
    (LatLon(49.009, 8.404), "76133 Karlsruhe"),
    (LatLon(49.488, 8.469), "68159 Mannheim"),
    (LatLon(50.110, 8.680), "60311 Frankfurt am Main"),
]


def by_train(agent: GeoAgent, ahead_h: float) -> list:
    """A day on trains: a phone with positions and its zone, and a camera that reads signs by a clock of its own."""
    photos = []
    for i, (town, sign) in enumerate(TRAIN):
        photos += [photo(agent, f"p{i}{j}", 120 * i + 20 * j, moved(town, 0.2 * j)) for j in range(4)]
        own = {"device": CAMERA, "ahead_h": ahead_h, "zone": False}
        photos.append(photo(agent, f"s{i}", 120 * i + 30, lines=(sign,), **own))
        photos.append(photo(agent, f"n{i}", 120 * i + 35, **own))
    return photos


def test_a_camera_eight_hours_off_is_found_and_said(agent: GeoAgent):
    made = album(agent, by_train(agent, ahead_h=10.0))
    assert len(made.notes) == 1
    assert made.notes[0].startswith("the clock of Canon EOS 80D 0123 seems to be 10 hours ahead of UTC")
    assert made.report("n2").clock == made.notes[0]
    for i, (town, _) in enumerate(TRAIN):
        found = best(agent, made, f"n{i}")
        assert LatLon(found.lat, found.lon).distance_km(town) < 25, i


def test_a_camera_in_the_zone_of_the_phone_says_nothing(agent: GeoAgent):
    made = album(agent, by_train(agent, ahead_h=2.0))
    assert made.notes == ()
    found = best(agent, made, "n3")
    assert LatLon(found.lat, found.lon).distance_km(TRAIN[3][0]) < 25


def test_a_stated_clock_is_taken(agent: GeoAgent):
    photos = [photo(agent, f"m{i}", 60 * i, moved(LYON, 40 * i)) for i in range(4)]
    photos += [photo(agent, "c", 60, device=CAMERA, zone=False, ahead_h=5.5)]
    made = album(agent, photos, clocks=(("canon*", 5.5),), joined=True)
    assert made.clocks.hours("c")[0] == pytest.approx(made.clocks.hours("m1")[0])
    assert made.report("c").clock == "you said that the clock of Canon EOS 80D 0123 is 5.5 hours ahead of UTC"


def test_clocks_without_any_zone_are_taken_for_one(agent: GeoAgent):
    photos = [photo(agent, "a", 0, LYON, zone=False), photo(agent, "b", 15, zone=False)]
    assert best(agent, album(agent, photos), "b").place == "Lyon"


def test_a_track_places_photos(agent: GeoAgent):
    hours = np.arange(0, 5, 1 / 12)
    start = START.timestamp()
    track = Track(
        "walk.gpx",
        start + hours * 3600,
        np.array([tuple(moved(LYON, 4 * h)) for h in hours]),
        np.full(len(hours), np.nan),
    )
    made = album(agent, [photo(agent, "a", 31), photo(agent, "b", 200)], [track])
    for key, minutes in (("a", 31), ("b", 200)):
        answer = answer_of(agent, made, key)
        assert LatLon(answer.best.lat, answer.best.lon).distance_km(moved(LYON, 4 * minutes / 60)) < 0.6
        assert "the track was in" in answer.cues[0].says


def test_one_place_joins_the_evidence_of_all_its_photos(agent: GeoAgent):
    """Neither sign alone names the town for sure, and the times are years apart."""
    photos = [
        photo(agent, "a", 0, lines=("Springfield Public Library",)),
        photo(agent, "b", 2_000_000, lines=("Call (217) 555-0142",)),
        photo(agent, "c", 9_000_000),
    ]
    answer = answer_of(agent, album(agent, photos, same_place=True), "c")
    assert answer.best.country == "US"
    assert answer.best.place == "Springfield"
    assert answer.best.admin1 == "Illinois"


def test_copies_of_one_sign_are_one_witness(agent: GeoAgent):
    weak = ("Pizzeria Roma",)
    once = album(agent, [photo(agent, "a", 0, lines=weak), photo(agent, "x", 5)])
    often = album(agent, [*(photo(agent, f"a{i}", 0.2 * i, lines=weak) for i in range(6)), photo(agent, "x", 5)])
    told = [made.observed("x").album for made in (once, often)]
    shares = [dict(made[0].by_country()) if made else {} for made in told]
    for code in set(shares[0]) | set(shares[1]):
        assert shares[1].get(code, 0.0) == pytest.approx(shares[0].get(code, 0.0), abs=0.15), code
    for i in range(6):  # nor does a copy tell the others what they show themselves
        alone = agent.answer(often.photos[f"a{i}"].observation).confidence
        assert answer_of(agent, often, f"a{i}").confidence < alone + 0.1


def test_a_cap_hides_what_the_album_tells(agent: GeoAgent):
    capped = agent.using(max_precision="country")
    made = album(capped, [photo(agent, "a", 0, LYON), photo(agent, "b", 12), photo(agent, "c", 52, LYON)])
    answer = answer_of(capped, made, "b")
    assert answer.best.place == "France"
    assert "Lyon" not in answer.to_json()
    assert answer.album.witnesses == []
    assert answer.album.taken is None


def test_a_claim_is_weighed_with_the_album(agent: GeoAgent):
    made = album(agent, [photo(agent, "a", 0, LYON), photo(agent, "b", 11), photo(agent, "c", 30, LYON)])
    found = agent.verify(made.observed("b"), "Berlin, Germany")
    assert found.verdict == "contradicted"
    assert any("Lyon" in weighed.says and weighed.nats < -3 for weighed in found.evidence)


def test_within_and_hints_hold_in_an_album(agent: GeoAgent):
    german = agent.using(within=("DE",))
    made = album(german, [photo(agent, "a", 0, LYON), photo(agent, "b", 11)])
    assert best(german, made, "b").country in ("DE", None)


def test_thousands_of_places_are_merged(agent: GeoAgent):
    rng = np.random.default_rng(0)
    from geoagent.album.places import Places

    latlon = np.column_stack([rng.uniform(40, 55, 6000), rng.uniform(-5, 20, 6000)])
    places, labels = Places.of(latlon, np.full(6000, 0.02))
    assert len(places) <= 2000
    assert len(labels) == 6000
    assert labels.max() == len(places) - 1


def test_a_photo_at_the_same_second_as_another(agent: GeoAgent):
    made = album(agent, [photo(agent, "a", 0, LYON), photo(agent, "b", 0), photo(agent, "c", 0, LYON)])
    assert best(agent, made, "b").place == "Lyon"


def test_a_position_that_is_wrong_tells_the_others_nothing(agent: GeoAgent):
    """Not even the photo of the same phone twenty minutes earlier, whose own position is no evidence for itself."""
    sign = ["Bäckerei am Dom", "Tel. 0221 4710234", "50667 Köln"]
    made = album(
        agent,
        [
            photo(agent, "sign", 0, lines=sign, device=CAMERA),
            photo(agent, "bonn", 240, LatLon(50.7374, 7.0982)),
            photo(agent, "odd", 260, LatLon(40.7, -74.0)),
        ],
    )
    assert made.report("odd").wrong_position > 0.9
    assert made.report("bonn").wrong_position < 0.1
    assert made.notes[-1] == "the position in the file of odd does not fit the photos around"
    assert "almost certainly wrong" in answer_of(agent, made, "odd").warnings[-1]
    for key in ("sign", "bonn"):
        assert "odd" not in {witness.source for witness in made.report(key).witnesses}
        assert best(agent, made, key).country == "DE"


def test_near_the_pole_and_the_date_line(agent: GeoAgent):
    for there in (LatLon(78.22, 15.65), LatLon(-17.71, 178.06), LatLon(-16.99, -179.95), LatLon(-89.9, 0.0)):
        made = album(
            agent, [photo(agent, "a", 0, there), photo(agent, "b", 10), photo(agent, "c", 20, moved(there, 0.05))]
        )
        found = best(agent, made, "b")
        assert LatLon(found.lat, found.lon).distance_km(there) < 3


def test_a_wrong_clock_of_years_is_told_from_its_capture(agent: GeoAgent):
    """A photo whose time is years off stands alone on its time line, and says little of the others."""
    stray = photo(agent, "x", 0, BERLIN, utc=START - timedelta(days=4000), clock=datetime(2012, 7, 1))
    made = album(agent, [photo(agent, "a", 0, LYON), photo(agent, "b", 11), stray])
    assert best(agent, made, "b").place == "Lyon"


def test_a_device_by_its_serial_number(agent: GeoAgent):
    """Two cameras of one model are two devices."""
    one, two = Device("Canon", "Canon EOS 80D", "1"), Device("Canon", "Canon EOS 80D", "2")
    photos = [photo(agent, f"a{i}", 30 * i, LYON, device=one) for i in range(3)]
    photos += [photo(agent, f"b{i}", 15 + 30 * i, BERLIN, device=two) for i in range(3)]
    made = album(agent, photos)
    assert {best(agent, made, f"a{i}").place for i in range(3)} == {"Lyon"}
    assert {best(agent, made, f"b{i}").place for i in range(3)} == {"Berlin"}
    assert PHONE.name == "Google Pixel 7"
    assert one.name == "Canon EOS 80D"


@pytest.mark.parametrize("days", [(0, 20, 60), (0, 300, 9000)])
def test_true_positions_that_are_far_apart_in_place_and_time_are_not_called_wrong(
    agent: GeoAgent, days: tuple[int, int, int]
):
    places = (LatLon(-12.97, -38.5), LatLon(-23.55, -46.63), LatLon(49.61, 6.13))
    photos = [photo(agent, name, 24 * 60 * day, place) for name, day, place in zip("abc", days, places, strict=True)]
    made = album(agent, photos)
    assert all(made.report(name).wrong_position < 0.2 for name in "abc")
    assert not any("does not fit" in warning for name in "abc" for warning in made.observed(name).warnings)


def test_one_gps_stamp_that_is_hours_old_tells_no_zone(agent: GeoAgent):
    photos = [photo(agent, f"p{i}", 10 * i, LYON, ahead_h=2.0) for i in range(4)]
    stale = photo(agent, "stale", 45, LYON, ahead_h=3.72)  # its UTC is of a fix 1 h 43 min before
    asked = photo(agent, "q", 46, zone=False, ahead_h=2.0)
    made = album(agent, [*photos, stale, asked])
    assert made.clocks.hours("q")[0] == pytest.approx(made.clocks.hours("p0")[0] + 46 / 60, abs=0.01)


def test_an_album_that_agrees_makes_a_sign_no_vaguer(agent: GeoAgent):
    """What the album says of a wide surrounding leaves the place in the town to the sign."""
    sign = ["Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln", "Tel. 0221 4710 234"]
    bonn = LatLon(50.7374, 7.0982)
    made = album(agent, [photo(agent, "sign", 0, lines=sign), photo(agent, "bonn", 240, bonn)])
    alone = agent.answer(made.photos["sign"].observation)
    together = agent.answer(made.observed("sign"))
    assert together.best.place == alone.best.place == "Köln"
    assert together.best.precision == alone.best.precision
    assert together.radius_90_km <= 1.5 * alone.radius_90_km

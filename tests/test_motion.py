"""How people move: the density, its files, and fitting it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from geoagent.album.chain import Chain, Node
from geoagent.album.motion import STILL, Motion, feasible
from geoagent.album.places import EARTH_KM2, Places, Step
from geoagent.errors import InputError
from geoagent.interfaces.cli import main
from geoagent.places.geo import EARTH_RADIUS_KM, Float
from geoagent.types import Int
from geoagent.worlds.training.motion import PROTOCOLS, Hidden, Positions, fit, known_part, positions_in, read_positions

MOTION = Motion.load()


@given(st.floats(0.02, 2000.0))
def test_the_density_holds_at_most_one(hours: float):
    """What is faster than an airliner is left out, and after a long time nothing is."""
    km = np.geomspace(1e-3, np.pi * EARTH_RADIUS_KM * 0.98, 20_000)
    ring = 2 * np.pi * EARTH_RADIUS_KM * np.sin(km / EARTH_RADIUS_KM)
    total = np.trapezoid(MOTION.density(km, np.array(hours)) * ring, km)
    assert total < 1.02
    assert hours < 24 or total > 0.9


@given(st.floats(0.02, 500.0), st.floats(0.0, 3000.0), st.floats(1.01, 3.0))
def test_the_density_falls_with_distance(hours: float, km: float, factor: float):
    near, far = MOTION.density(np.array([km, km * factor + 0.001]), np.array(hours))
    assert far <= near


def test_people_are_further_after_longer():
    km = np.geomspace(0.01, 5000, 4000)
    ring = 2 * np.pi * EARTH_RADIUS_KM * np.sin(km / EARTH_RADIUS_KM)
    beyond = [
        float(np.trapezoid((MOTION.density(km, np.array(h)) * ring)[km > 25], km[km > 25])) for h in (0.2, 2, 24, 240)
    ]
    assert beyond == sorted(beyond)


def test_nobody_is_faster_than_an_airliner():
    assert feasible(np.array(800.0), np.array(1.0)) == 1.0
    assert feasible(np.array(5000.0), np.array(1.0)) < 1e-9
    assert feasible(np.array(5000.0), np.array(8.0)) == 1.0


def test_returns_grow_with_time_and_with_what_is_known():
    near, back = (
        np.array(shares) for shares in zip(*(MOTION.returns(np.array(h)) for h in (0.1, 1, 10, 100)), strict=True)
    )
    assert (np.diff(back) > 0).all()
    assert (near + back < 1).all()
    assert MOTION.known(0) == 0 < MOTION.known(1) < MOTION.known(50) < 1
    assert STILL.returns(np.array(5.0)) == (0.0, 0.0)


def test_a_visit_counts_more_at_its_time_of_day():
    week = 168.0
    same, other = MOTION.visit_weight(10_000.0, np.array([10_000.0 - week, 10_000.0 - week + 12.0]))
    assert same > other


def test_parameters_come_back_as_they_were(tmp_path: Path):
    MOTION.save(tmp_path / "m.json", {"source": "test"})
    assert Motion.load(tmp_path / "m.json") == MOTION
    assert json.loads((tmp_path / "m.json").read_text("utf-8"))["card"] == {"source": "test"}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"format": "geoagent.motion/1", "parameters": {"far": 1}}',
        '{"format": "other", "parameters": {}}',
    ],
)
def test_files_that_hold_no_motion(tmp_path: Path, content: str):
    (tmp_path / "m.json").write_text(content, "utf-8")
    with pytest.raises(InputError):
        Motion.load(tmp_path / "m.json")


@pytest.mark.parametrize("changes", [{"far": 1.0}, {"back": -0.1}, {"local_km": 0.0}, {"daily": float("nan")}])
def test_impossible_parameters(changes: dict[str, float]):
    with pytest.raises(InputError):
        replace(MOTION, **changes)


def person(seed: int, count: int = 60) -> Positions:
    """Somebody who lives in one town, goes to three places of it, and travels twice."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 24 * 40, count))
    spots = np.array([[45.76, 4.83], [45.78, 4.87], [45.73, 4.80]])
    latlon = spots[rng.integers(0, 3, count)] + rng.normal(0, 0.0005, (count, 2))
    for start in (200.0, 600.0):
        away = (hours > start) & (hours < start + 60)
        latlon[away] = np.array([48.86, 2.35]) + rng.normal(0, 0.01, (int(away.sum()), 2))
    return Positions(hours, latlon)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_what_is_fitted_is_what_the_chain_tells(protocol: str):
    """The fit predicts hidden positions at once; the chain does it one by one, with a few places at each."""
    positions = person(3, 40)
    known = known_part(len(positions), protocol, np.random.default_rng(2))
    hidden = Hidden(positions, known)
    masses = hidden.masses(MOTION).sum(axis=2)
    anchors = np.flatnonzero(known)
    places, labels = Places.of(positions.latlon[anchors], np.full(len(anchors), 0.02))

    def likelihood(at: int):
        def of(rows: Int) -> Float:
            found = np.full((len(rows), 4), 1e-12)
            found[rows == at, 0] = EARTH_KM2
            return np.append(found.ravel(), 1e-12)

        return of

    nodes = [
        Node(float(positions.hours[i]), 0.0, (int(v),), likelihood(int(v)), int(v), 1.0, str(i))
        for i, v in zip(anchors, labels, strict=True)
    ]
    chain = Chain(nodes, places, Step(places, MOTION))
    for row, i in enumerate(np.flatnonzero(~known)):
        told = chain.told(float(positions.hours[i]), f"hidden {i}")
        mine = np.zeros(len(places))
        mine[told.rows] = told.by_state().sum(axis=1)
        # The same places lead; the chain also knows "elsewhere", and leaves unlikely places out.
        assert np.abs(mine / mine.sum() - masses[row]).sum() < 0.5
        assert mine[int(masses[row].argmax())] > 0.4 * mine.max()


def test_fitting_finds_what_predicts_better():
    pytest.importorskip("scipy", reason="scipy is not installed (pip install 'geoagent-photo[train]')")
    people = [person(seed) for seed in range(3)]
    told: list[tuple[str, int, int]] = []
    found = fit(people, seed=1, steps=120, progress=lambda *each: told.append(each))
    assert told[-1] == ("fitting", 120, 120)
    other = [person(seed) for seed in range(10, 13)]

    def score(motion: Motion) -> float:
        rng = np.random.default_rng(0)
        cases = [Hidden(p, known_part(len(p), protocol, rng)) for p in other for protocol in PROTOCOLS]
        return float(np.mean([case.score(motion).mean() for case in cases]))

    assert score(found) > score(replace(MOTION, local_km=200.0, back=0.01, near_return=0.01))
    assert found == fit(people, seed=1, steps=120)


def test_too_few_positions():
    pytest.importorskip("scipy", reason="scipy is not installed (pip install 'geoagent-photo[train]')")
    with pytest.raises(InputError, match="10 positions"):
        fit([person(1, 5)])


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ("person,utc,lat,lon\na,yesterday,1,2\n", "no time"),
        ("person,lat,lon\na,1,2\n", "expected columns"),
        ("person,utc,lat,lon\na,2020-01-01T00:00:00Z,95,2\n", "lat"),
    ],
)
def test_tables_that_are_none(tmp_path: Path, table: str, says: str):
    (tmp_path / "t.csv").write_text(table, "utf-8")
    with pytest.raises(InputError, match=says):
        read_positions(tmp_path / "t.csv")


def test_calibrate_motion(tmp_path: Path):
    pytest.importorskip("scipy", reason="scipy is not installed (pip install 'geoagent-photo[train]')")
    rows = ["person,utc,lat,lon"]
    for name, seed in (("a", 1), ("b", 2)):
        positions = person(seed, 40)
        for hours, (lat, lon) in zip(positions.hours, positions.latlon.tolist(), strict=True):
            when = np.datetime64("2020-01-01T00:00:00") + np.timedelta64(int(hours * 3600), "s")
            rows.append(f"{name},{when}Z,{lat:.5f},{lon:.5f}")
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n", "utf-8")
    out = tmp_path / "m.json"
    result = CliRunner().invoke(
        main, ["calibrate", "motion", str(tmp_path / "t.csv"), "--out", str(out), "--steps", "60"]
    )
    assert result.exit_code == 0, result.output
    assert "80 positions of 2 persons or cameras" in result.output
    assert set(asdict(Motion.load(out))) == set(asdict(MOTION))


def test_positions_of_a_folder_without_any(tmp_path: Path):
    (tmp_path / "x.jpg").write_bytes(b"no photo")
    assert positions_in(tmp_path) == {}

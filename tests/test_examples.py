"""The sample photos, from pixels, with the default engine: each script is read well enough to name the place."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from geoagent import GeoAgent

PHOTOS = Path(__file__).resolve().parents[1] / "examples" / "photos"
ROWS = list(csv.DictReader((PHOTOS / "expected.csv").read_text("utf-8").splitlines()))
PLACES = {  # a quarter or a street of note that the sign names is the headline, else the city
    "th_chiangmai": "Nimmanhaemin",
    "bg_plovdiv": "Plovdiv",
    "ge_tbilisi": "Rustaveli Avenue",
    "il_haifa": "Haifa",
}


@pytest.fixture(scope="module")
def default() -> GeoAgent:
    return GeoAgent.load()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["file"].removesuffix(".jpg"))
def test_every_example_is_placed_in_its_country(default: GeoAgent, row: dict[str, str]):
    best = default.locate(PHOTOS / row["file"]).best
    if not row["country"]:
        assert best.precision == "none"
        return
    assert best.country == row["country"]
    assert best.precision != "none"
    if place := PLACES.get(row["file"].removesuffix(".jpg")):
        assert best.place == place

"""The failing inputs made after public reports: each row gives what is right (skipped where the data are absent)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from conftest import shared_data

from geoagent import Answer, GeoAgent
from geoagent.errors import InputError
from geoagent.places.geo import LatLon


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in shared_data("reports", name).read_text("utf-8").splitlines()]


def p(answer: Answer, country: str) -> float:
    return next((c.p for c in answer.countries if c.code == country), 0.0)


def near(answer: Answer, lat: float, lon: float, km: float = 25.0) -> bool:
    best = answer.best
    return (
        best.lat is not None and best.lon is not None and LatLon(best.lat, best.lon).distance_km(LatLon(lat, lon)) < km
    )


def kinds(answer: Answer) -> set[str]:
    return {cue.kind for cue in answer.cues}


TEXTS: dict[str, Callable[[Answer], bool]] = {
    "crimea-phone": lambda a: near(a, 44.61, 33.52),
    "street-kirova": lambda a: a.best.precision in ("none", "country"),
    "kosovo-377": lambda a: p(a, "XK") > 0.3 and p(a, "MC") > 0.05,
    "street-strasbourg": lambda a: a.best.country == "FR" and a.best.precision == "country",
    "street-warszawska": lambda a: a.best.country == "PL" and a.best.precision == "country",
    "genoa-ny": lambda a: near(a, 42.67, -76.54),
    "zip4": lambda a: near(a, 41.88, -87.63) and "phone" not in kinds(a),
    "bethlehem": lambda a: near(a, 31.70, 35.20),
    "lazy-dog": lambda a: kinds(a) <= {"language"},
    "vanity-call": lambda a: a.countries[0].code == "US" and "street" not in kinds(a),
    "freephone-00800": lambda a: not a.cues,
    "albanian-377": lambda a: max(p(a, "XK"), p(a, "AL")) > p(a, "MC"),
}
CLAIMS = {
    "Kiev, Ukraine": "Kyiv",
    "Georgia": "Georgia, United States",
    "Bethlehem, PA": "Bethlehem, Pennsylvania",
    "Genoa, NY": None,
    "Washington": "Washington, District of Columbia",
    "Washington, DC": "Washington, District of Columbia",
    "Sevastopol, Russia": "Sevastopol",
    "Jerusalem, Palestine": "Jerusalem",
}


@pytest.mark.parametrize("id", TEXTS)
def test_signs(agent, id):
    (row,) = [row for row in rows("texts.jsonl") if row["id"] == id]
    assert TEXTS[id](agent.locate_text(row["lines"])), row["right"]


@pytest.mark.parametrize("claim", CLAIMS)
def test_claims(agent, claim):
    (row,) = [row for row in rows("claims.jsonl") if row["claim"] == claim]
    understood, seen = CLAIMS[claim], agent.observe_text(row["texts"])
    if understood is None:
        with pytest.raises(InputError, match="knows no"):
            agent.verify(seen, claim)
        return
    found = agent.verify(seen, claim)
    assert found.verdict == "supported"
    assert found.understood.startswith(understood)
    if "other reading" in row["right"] or "both readings" in row["right"]:
        assert found.other_readings
    if "note" in row["right"]:
        assert any("disputed" in warning for warning in found.warnings)

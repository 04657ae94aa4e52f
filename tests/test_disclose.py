"""What a capped answer gives away: nothing finer than the cap, anywhere in its JSON."""

from __future__ import annotations

import json

import pytest

from geoagent import GeoAgent

LINES = ["Bürgeramt Stadt Köln", "Severinstraße 12", "50678 Köln", "Tel. +49 221 4710 234"]
FINE = {
    "country": ("Köln", "50678", "221", "Severin", "50.93", "6.95"),
    "region": ("Köln", "50678", "221", "50.93", "6.95"),
}


@pytest.fixture(scope="module", params=["country", "region", "city"])
def capped(request):
    return request.param, GeoAgent.load(ocr="nothing", max_precision=request.param).locate_text(LINES)


def test_the_cap_holds_for_every_prediction(capped):
    cap, answer = capped
    for part in (answer.best, answer.text_aware.best, answer.vision_only.best, *(c.without for c in answer.cues)):
        assert part.precision in {"country": ("none", "country"), "region": ("none", "country", "region")}.get(
            cap, ("none", "country", "region", "city")
        )
    assert answer.best.country == "DE"
    assert any("capped" in w for w in answer.warnings)


def test_nothing_finer_stands_anywhere(capped):
    cap, answer = capped
    if cap == "city":
        assert answer.best.place == "Köln"
        return
    data = json.loads(answer.to_json())
    for key in ("versions", "timings_s", "world", "countries"):
        data.pop(key)
    for part in ("vision_only", "text_only", "text_aware"):
        data[part].pop("countries")
    text = json.dumps(
        [data["best"], data["cues"], data["regions"], data["neighbours"], data["explanation"]], ensure_ascii=False
    )
    for word in FINE[cap]:
        assert word not in text, word


def test_full_precision_hides_nothing():
    answer = GeoAgent.load(ocr="nothing").locate_text(LINES)
    assert answer.best.place == "Köln"
    assert answer.best.precision == "city"
    assert "Köln" in answer.regions[0].text

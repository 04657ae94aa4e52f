"""The confidence of our recogniser's lines: a probability that the line is right, beside the engine's own score."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest

from geoagent import plugs
from geoagent.evidence.legibility import legibility
from geoagent.evidence.ocr import Piece, join_fragments
from geoagent.evidence.ocr._classes import SCRIPTS
from geoagent.evidence.ocr._multiscript import MODEL, MultiscriptLines
from geoagent.evidence.photos import open_photo
from geoagent.types import TextRegion

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
ENGINE = plugs.build("ocr", "multiscript", None)
CARD = json.loads(MODEL.with_suffix(".json").read_text("utf-8"))
CROP = open_photo(EXAMPLES / "bg_plovdiv.jpg").pixels[:, :, ::-1]


def piece(x: float, text: str, confidence: float, right: float | None) -> Piece:
    corners = np.array([[x, 0], [x + 50, 0], [x + 50, 20], [x, 20]], dtype=np.float32)
    return Piece(corners, text, confidence, right=right)


def test_the_card_has_a_fit_for_every_script() -> None:
    assert set(CARD["confidence"]) == set(SCRIPTS)
    for fit in CARD["confidence"].values():
        assert fit["slope"] > 0
        assert fit["brier_fitted"] < fit["brier"] + 0.005  # the few scripts that are nearly always right lose nothing
        assert fit["lines"] >= 100


@pytest.mark.parametrize("name", ["bg_plovdiv", "gr_thessaloniki", "ge_tbilisi", "in_madurai", "bd_khulna"])
def test_a_line_of_a_script_states_the_fitted_probability(name: str) -> None:
    regions = [r for r in ENGINE(open_photo(EXAMPLES / f"{name}.jpg")) if r.stated is not None]
    assert regions
    for region in regions:
        fit = CARD["confidence"][region.engine.rpartition("/")[2]]
        odds = math.log(region.score / max(1 - region.score, 1e-3))
        expected = 1 / (1 + math.exp(-fit["intercept"] - fit["slope"] * odds))
        assert region.confidence == pytest.approx(expected, abs=0.15)  # exact but for lines joined of two
        assert region.confidence != region.score


def test_a_latin_line_keeps_what_rapidocr_states() -> None:
    for region in ENGINE(open_photo(EXAMPLES / "hu_szeged.jpg")):
        assert region.stated is None
        assert region.score == region.confidence


def test_a_line_joined_of_two_is_right_if_both_are() -> None:
    (line,) = join_fragments([piece(0, "ул", 0.98, 0.9), piece(55, "Вазов", 0.97, 0.8)])
    assert line.right == pytest.approx(0.72)
    (mixed,) = join_fragments([piece(0, "02", 0.99, None), piece(55, "555", 0.98, 0.5)])
    assert mixed.right == pytest.approx(0.495)
    (plain,) = join_fragments([piece(0, "Rue", 0.99, None), piece(55, "Lepic", 0.98, None)])
    assert plain.right is None


def test_a_model_without_a_card_states_its_own_confidence(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "own.onnx")
    crop = np.ascontiguousarray(CROP[200:280, 350:1040])
    for card in (None, "{}", "nothing", '{"confidence": {"Cyrl": {"slope": 1}}}'):
        if card is not None:
            (tmp_path / "own.json").write_text(card, "utf-8")
        assert MultiscriptLines(tmp_path / "own.onnx", 1).read(crop, "Cyrl").right is None


@pytest.mark.parametrize("score", [0.3, 0.6, 0.8, 0.9, 0.97])
def test_the_engines_own_score_says_how_far_a_line_speaks_for_a_place(score: float) -> None:
    assert legibility(TextRegion("Пловдив", confidence=0.1, stated=score)) == legibility(
        TextRegion("Пловдив", confidence=score)
    )

"""Our own recogniser of lines, and the engine that joins it with RapidOCR."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent import plugs
from geoagent.errors import ConfigError, OcrError
from geoagent.evidence.ocr._both import BothLines
from geoagent.evidence.ocr._classes import SCRIPTS, Classes, logical
from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.ocr._multiscript import MODEL, MultiscriptLines
from geoagent.evidence.photos import open_photo
from geoagent.types import Photo

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
CLASSES = Classes(tuple("ab1〓Жж\u0915\u093f\u0985\u05d0\u05d1\u1112\u1161\u11ab"))
ENGINE = plugs.build("ocr", "multiscript", None)


def steps(*classes: int, p: float = 0.9) -> np.ndarray:
    """`(T, K)` probabilities with one class at each step, and the rest spread evenly."""
    count = len(CLASSES.characters) + 1
    rows = np.full((len(classes), count), (1 - p) / (count - 1), dtype=np.float32)
    rows[np.arange(len(classes)), list(classes)] = p
    return rows


def index(*characters: str) -> list[int]:
    return [CLASSES.characters.index(c) + 1 for c in characters]


def test_every_character_has_the_script_of_its_block():
    of = dict(zip(CLASSES.characters, CLASSES.scripts[1:].tolist(), strict=True))
    assert of == {
        "a": "Latn", "b": "Latn", "1": "", "〓": "Hani", "Ж": "Cyrl", "ж": "Cyrl", "\u0915": "Deva", "\u093f": "Deva",
        "\u0985": "Beng", "\u05d0": "Hebr", "\u05d1": "Hebr", "\u1112": "Hang", "\u1161": "Hang", "\u11ab": "Hang",
    }  # fmt: skip


def test_repeats_are_one_character_and_a_blank_divides_them():
    zh = index("Ж")[0]
    assert CLASSES.decode(steps(zh, zh, 0, zh, 0), "Cyrl")[0] == "ЖЖ"
    text, confidence = CLASSES.decode(steps(zh, zh, zh), "Cyrl")
    assert text == "Ж"
    assert confidence == pytest.approx(0.81, abs=1e-4)
    assert CLASSES.decode(steps(0, 0), "Cyrl") == ("", 0.0)
    assert CLASSES.decode(np.zeros((0, 15), dtype=np.float32), "Cyrl") == ("", 0.0)


def test_jamo_become_syllables():
    assert CLASSES.decode(steps(*index("\u1112", "\u1161", "\u11ab")), "Hang")[0] == "한"


def test_a_line_is_held_to_its_script():
    mixed = steps(*index("\u0915", "\u0985"))
    assert CLASSES.decode(mixed, "Deva")[0].startswith("\u0915")
    assert "\u0985" not in CLASSES.decode(mixed, "Deva")[0]
    assert CLASSES.shares(mixed).keys() >= {"Deva", "Beng"}


@pytest.mark.parametrize(
    ("seen", "typed"),
    [
        ("\u05d1\u05d0", "\u05d0\u05d1"),
        ("12 \u05d1\u05d0", "\u05d0\u05d1 12"),
        ("\u05d1\u05d0 TAXI 03-512", "TAXI 03-512 \u05d0\u05d1"),
        ("TAXI 03", "TAXI 03"),
        ("", ""),
    ],
)
def test_right_to_left_lines_are_turned_and_numbers_are_not(seen: str, typed: str):
    assert logical(seen) == typed


@given(st.text(alphabet="\u05d0\u05d1\u05d2 12AB-", max_size=20))
def test_turning_keeps_every_character(text: str):
    assert sorted(logical(text)) == sorted(text)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("bg_plovdiv", ["Аптека", "Пловдив"]),
        ("gr_thessaloniki", ["Φαρμακείο", "Θεσσαλονίκη"]),
        ("th_chiangmai", ["เชียงใหม่"]),
        ("de_koeln", ["Bäckerei", "50672 Köln"]),
    ],
)
def test_examples_are_read(name: str, words: list[str]):
    text = " ".join(region.text for region in ENGINE(open_photo(EXAMPLES / f"{name}.jpg")))
    assert all(word in text for word in words), text


def test_a_photo_without_text_has_none():
    assert ENGINE(Photo(np.full((300, 400, 3), 127, dtype=np.uint8))) == ()
    assert ENGINE(open_photo(EXAMPLES / "no_text.jpg")) == ()


def test_two_threads_read_the_same():
    photo = open_photo(EXAMPLES / "th_chiangmai.jpg")
    found: list[list[str]] = []
    threads = [threading.Thread(target=lambda: found.append([r.text for r in ENGINE(photo)])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[1]


def test_noise_is_no_evidence():
    rng = np.random.default_rng(7)
    lines = MultiscriptLines()
    for _ in range(10):
        crop = rng.integers(0, 255, (40, 200, 3), dtype=np.uint8)
        assert all(lines.read(crop, script).confidence < 0.8 for script in SCRIPTS)


def test_scripts_are_chosen_and_checked():
    assert plugs.build("ocr", "multiscript", None, scripts=["Thai"]).scripts == ("Thai",)
    assert plugs.build("ocr", "multiscript", None, scripts="Thai").scripts == ("Thai",)
    for wrong in (["Tibt"], [], "Latn"):
        with pytest.raises(ConfigError, match="choose from Arab"):
            plugs.build("ocr", "multiscript", None, scripts=wrong)


def test_a_broken_model_is_one_line(tmp_path: Path):
    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(OcrError, match="reinstall geoagent") as caught:
        MultiscriptLines(tmp_path / "broken.onnx").read(np.zeros((40, 100, 3), dtype=np.uint8), "Thai")
    assert "\n" not in str(caught.value)


def test_the_card_is_that_of_the_model():
    import hashlib

    card = json.loads(MODEL.with_suffix(".json").read_text("utf-8"))
    assert card["sha256"] == hashlib.sha256(MODEL.read_bytes()).hexdigest()
    assert tuple(card["scripts"]) == SCRIPTS
    assert card["licence"]
    assert card["training"]
    assert set(card["validation"]) == set(SCRIPTS)


class OfOneScript:
    """A recogniser that reads the same text of one or more scripts in every line."""

    def __init__(self, names: dict[str, str], confidence: float, latin: float = 0.0) -> None:
        self.names = names
        self._guess = Guess("Grek", names["Grek"], confidence, fits=True, latin=latin)

    def read(self, crop: np.ndarray, script: str) -> Guess:
        return replace(self._guess, script=script, text=self.names[script])


def test_of_two_recognisers_the_surer_one_counts():
    crop = np.zeros((48, 200, 3), dtype=np.uint8)
    own, other = OfOneScript({"Grek": "α", "Thai": "ก"}, 0.7), OfOneScript({"Grek": "β", "Tibt": "ཀ"}, 0.9, latin=0.4)
    both = BothLines(own, other)
    assert set(both.names) == {"Grek", "Thai", "Tibt"}
    assert both.names["Grek"] == "α or β"
    assert both.read(crop, "Grek") == Guess("Grek", "β", 0.9, fits=True, latin=0.4)
    assert both.read(crop, "Thai").text == "ก"
    assert both.read(crop, "Tibt").text == "ཀ"


def test_where_both_are_equally_sure_the_first_counts():
    both = BothLines(OfOneScript({"Grek": "α"}, 0.9), OfOneScript({"Grek": "β"}, 0.9, latin=0.4))
    guess = both.read(np.zeros((48, 200, 3), dtype=np.uint8), "Grek")
    assert (guess.text, guess.latin) == ("α", 0.4)

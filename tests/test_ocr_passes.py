"""Further looks at a photo: turned, enlarged; and the flag that asks for them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from geoagent import plugs
from geoagent.evidence.ocr._passes import back, look, union
from geoagent.evidence.ocr._rapid import Crop, Reading
from geoagent.interfaces.cli import main
from geoagent.types import Photo


def sign(*lines: str, size: int = 48) -> np.ndarray:
    # Not much wider than high: the detector enlarges the shorter side to 736 px, and a strip to ten times the pixels.
    image = Image.new("RGB", (560, max(300, 90 + 90 * len(lines))), "white")
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        draw.text((40, 40 + 90 * i), line, fill="black", font=ImageFont.load_default(size))
    return np.asarray(image)


def crop(x: float, y: float, text: str, confidence: float) -> Crop:
    box = np.array([[x, y], [x + 80, y], [x + 80, y + 20], [x, y + 20]], dtype=np.float32)
    return Crop(box, np.zeros((20, 80, 3), np.uint8), Reading(text, confidence, 0), confidence, True)


@given(st.sampled_from([1, 3]), st.integers(0, 39), st.integers(0, 19))
def test_a_corner_of_a_turned_photo_comes_back_to_its_place(turns, x, y):
    pixels = np.zeros((20, 40), dtype=np.uint8)
    pixels[y, x] = 1
    row, column = np.argwhere(np.rot90(pixels, turns) == 1)[0]
    centre = np.array([[column + 0.5, row + 0.5]] * 4, dtype=np.float32)
    assert back(centre, turns, 40, 20)[0] == pytest.approx([x + 0.5, y + 0.5])


def test_of_two_readings_of_one_text_the_surer_stays():
    first, second = [crop(0, 0, "R0MA", 0.6)], [crop(2, 1, "ROMA", 0.9), crop(300, 200, "BAR", 0.8)]
    assert [c.reading.text for c in union(first, second)] == ["ROMA", "BAR"]
    assert [c.reading.text for c in union(second, first)] == ["ROMA", "BAR"]


@pytest.fixture(scope="module")
def engine():
    return plugs.build("ocr", "rapidocr", None, thorough=True)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_photo_is_read_and_its_boxes_lie_in_it(engine, turns):
    pixels = np.ascontiguousarray(np.rot90(sign("Bahnhofstrasse", "Apotheke am Markt", "geschlossen"), turns))
    regions = engine(Photo(pixels))
    read = " ".join(region.text for region in regions).lower()
    assert "apotheke" in read
    assert "bahnhof" in read
    height, width = pixels.shape[:2]
    for region in regions:
        assert region.polygon_px.min() >= 0
        assert region.polygon_px[:, 0].max() <= width
        assert region.polygon_px[:, 1].max() <= height


def test_the_flag_asks_for_them(tmp_path):
    path = tmp_path / "sign.png"
    Image.fromarray(sign("Apotheke")).save(path)
    result = CliRunner().invoke(main, ["read", str(path), "--thorough", "--ocr", "rapidocr", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["regions"][0]["text"] == "Apotheke"
    refused = CliRunner().invoke(main, ["read", str(path), "--thorough", "--ocr", "nothing"])
    assert refused.exit_code == 2


@pytest.mark.parametrize(
    ("side", "confidence", "looks"),
    [(300, 0.2, 4), (300, 0.95, 1), (1600, 0.2, 1)],
    ids=["small and unread", "small and read", "large"],
)
def test_a_small_photo_that_makes_little_sense_is_looked_at_again(side, confidence, looks):
    seen: list[tuple[int, int]] = []

    class OneLine:
        """Finds the same line in every photo."""

        def find(self, photo):
            seen.append((photo.width_px, photo.height_px))
            return [crop(10, 10, "word", confidence)], 1.0

    crops, scale = look(OneLine(), Photo(np.zeros((side // 2, side, 3), np.uint8)), thorough=False)
    assert len(seen) == looks
    assert [each.reading.text for each in crops] == ["word"] * len(crops)
    assert scale == 1.0
    if looks > 1:
        assert seen[-1] == (2 * side, side), "the last look is at it enlarged"


@pytest.mark.parametrize(("upright", "text"), [(True, "p"), (False, "9336 39")])
def test_what_another_model_reads_upright_is_not_turned(upright, text):
    class NotItsScript:
        """Makes little sense of the lines from any side, and by chance a little more of them turned."""

        def find(self, photo):
            turned = photo.height_px > photo.width_px
            return [crop(10, 10, "9336 39" if turned else "p", 0.5)], 1.0

    photo = Photo(np.zeros((150, 300, 3), np.uint8))
    asked: list[int] = []

    def reads_others(crops):
        asked.append(len(crops))
        return upright

    crops, _ = look(NotItsScript(), photo, thorough=False, reads_others=reads_others)
    assert crops[0].reading.text == text
    assert asked == [1]


def test_a_small_sign_in_a_script_that_rapidocr_lacks_is_read_upright():
    try:
        font = ImageFont.truetype("DejaVuSans.ttf", 44)
    except OSError:
        pytest.skip("the font DejaVu Sans (fonts-dejavu-core) is not installed")
    image = Image.new("RGB", (900, 700), "#f2c715")
    lines = ("Аптека", "Средняя школа", "улица Пушкина", "Продукты")
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((90 + 40 * row, 60 + 140 * row), line, "#161616", font)
    regions = plugs.build("ocr", "multiscript", None)(Photo(np.asarray(image)))
    assert [region.text for region in regions] == list(lines)

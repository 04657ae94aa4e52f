"""Lines that RapidOCR reads surely as Latin although they are in a script with look-alike letters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, features

from geoagent import plugs
from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.ocr._many import ManyScripts
from geoagent.evidence.ocr._multiscript import MODEL, MultiscriptLines
from geoagent.evidence.ocr._rapid import Crop, Reader, Reading
from geoagent.types import UInt8


class Says:
    """A recogniser that always says the same."""

    names: Mapping[str, str] = {"Grek": "x/Grek", "Arab": "x/Arab"}

    def __init__(self, text: str, script: str, confidence: float, latin: float) -> None:
        self._guess = Guess(script, text, confidence, True, latin)

    def read(self, crop: UInt8, script: str) -> Guess:
        return self._guess if script == self._guess.script else Guess(script, latin=self._guess.latin)


def finally_read(shown: str, sure: float, text: str, script: str, confidence: float, latin: float) -> str:
    reader = Reader(max_side_px=2000, threads=1, min_score=0.5, join=True, retry=True)
    engine = ManyScripts("x", reader, Says(text, script, confidence, latin))
    box = np.array([[0, 0], [200, 0], [200, 30], [0, 30]], dtype=np.float32)
    crop = Crop(box, np.zeros((30, 200, 3), np.uint8), Reading(shown, sure, 0), sure, True)
    return engine._finally([crop])[0].piece.text


@pytest.mark.parametrize(
    ("shown", "sure", "text", "script", "confidence", "latin"),
    [
        ("EYKAPNIA", 0.99, "ΕΥΚΑΡΠΙΑ", "Grek", 0.95, 0.4),
        ("EAIA", 1.0, "ΕΛΙΑ", "Grek", 0.9, 0.5),
        ("n|unn", 0.9, "ελιά", "Grek", 0.92, 0.1),
        ("GPPG", 0.91, "٠٢٣٨", "Arab", 0.85, 0.2),
        ("283 370", 0.92, "٠٨٦ ٦٤٨", "Arab", 0.9, 0.0),
    ],
)
def test_another_script_is_taken_where_it_is_much_surer(
    shown: str, sure: float, text: str, script: str, confidence: float, latin: float
) -> None:
    assert finally_read(shown, sure, text, script, confidence, latin) == text


@pytest.mark.parametrize(
    ("shown", "sure", "text", "script", "confidence", "latin"),
    [
        ("TAXI", 0.99, "ΤΑΧΙ", "Grek", 0.95, 0.1),
        ("LOGIA", 0.99, "ΛΟΓΙΑ", "Grek", 0.95, 0.9),
        ("EAIA", 1.0, "ΕΛΙΑ", "Grek", 0.75, 0.1),
        ("MGW", 1.0, "ΜΣΩ", "Grek", 0.95, 0.3),
        ("AC4921CB", 0.94, "ΑΕ4921ΣΒ", "Grek", 0.95, 0.3),
        ("Hotel", 0.99, "Ηοτελ", "Grek", 0.99, 0.1),
        ("111 111", 0.92, "١١١ ١١١", "Arab", 0.95, 0.0),
    ],
)
def test_else_what_rapidocr_read_stays(
    shown: str, sure: float, text: str, script: str, confidence: float, latin: float
) -> None:
    assert finally_read(shown, sure, text, script, confidence, latin) == shown


def drawn(text: str) -> Crop:
    font = ImageFont.truetype("DejaVuSans-Bold.ttf", 44)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("RGB", (int(right - left) + 16, int(bottom - top) + 12), "white")
    ImageDraw.Draw(image).text((8 - left, 6 - top), text, font=font, fill="black")
    pixels = np.asarray(image)[:, :, ::-1].copy()
    h, w = pixels.shape[:2]
    box = np.array([[0, 0], [w, 0], [w, h], [0, h]], dtype=np.float32)
    return Crop(box, pixels, Reading("", 0.0, 0), 0.0, False)


def has_font() -> bool:
    try:
        ImageFont.truetype("DejaVuSans-Bold.ttf", 10)
    except OSError:
        return False
    return bool(features.check("freetype2"))


@pytest.mark.skipif(not has_font(), reason="no DejaVu Sans on this machine (Debian: fonts-dejavu-core)")
@pytest.mark.parametrize(
    ("text", "script"),
    [("ΕΥΚΑΡΠΙΑ", "Grek"), ("ΘΕΡΜΗ ΛΑΡΙΣΑ", "Grek"), ("ГОРОДИЩЕ", "Cyrl"), ("ՄԱՍԻՍ", "Armn"), ("თბილისი", "Geor")],
)
def test_the_model_tells_capitals_of_a_script_from_latin_ones(text: str, script: str) -> None:
    guess = MultiscriptLines(MODEL, 1).read(drawn(text).pixels, script)
    assert guess.text == text
    assert guess.confidence - guess.latin > 0.3


@pytest.mark.skipif(not has_font(), reason="no DejaVu Sans on this machine (Debian: fonts-dejavu-core)")
@pytest.mark.parametrize("text", ["EXIT", "TAXI STAND", "MARKET", "PHARMACIE", "BAR TABAC"])
def test_latin_capitals_stay_latin(text: str) -> None:
    shown = drawn(text)
    crop = Crop(shown.box, shown.pixels, Reading(text, 0.99, 0), 0.99, True)
    assert plugs.build("ocr", "multiscript", None)._finally([crop])[0].piece.text == text

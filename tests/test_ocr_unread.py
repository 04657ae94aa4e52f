"""Text that was detected and could not be read: which boxes count, and that they are told and never evidence."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont, features

from geoagent import GeoAgent, plugs
from geoagent.agent.reading import unread_text
from geoagent.answer import Answer
from geoagent.evidence.ocr import Piece
from geoagent.evidence.ocr._rapid import Crop, Reading
from geoagent.evidence.ocr._unread import unread_regions
from geoagent.types import Photo, TextRegion

AGENT = GeoAgent.load(ocr="nothing")
PHOTO = Photo(np.zeros((800, 1000, 3), dtype=np.uint8), scale=2.0)


def crop(x: float, y: float, width: int, height: int) -> Crop:
    box = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)
    return Crop(box, np.zeros((height, width, 3), np.uint8), Reading("", 0.0, 0), 0.0, False)


def unread(*crops: Crop, kept: tuple[bool, ...] = ()) -> tuple[TextRegion, ...]:
    pieces = [Piece(c.box, "Word" if keeps else "", 0.9) for c, keeps in zip(crops, kept, strict=True)]
    return unread_regions(PHOTO, crops, pieces, kept, 1.0, "rapidocr/x")


def test_a_line_without_a_reading_is_a_box_in_pixels_of_the_original() -> None:
    (region,) = unread(crop(100, 200, 150, 30), crop(400, 500, 150, 30), kept=(False, True))
    assert region.unread
    assert (region.text, region.script, region.script_is_evidence) == ("", "Zyyy", False)
    assert region.polygon_px.tolist() == [[200, 400], [500, 400], [500, 460], [200, 460]]


@pytest.mark.parametrize(
    ("width", "height", "counts"), [(150, 30, True), (60, 8, False), (30, 30, False), (30, 150, True)]
)
def test_specks_and_squares_are_no_text(width: int, height: int, counts: bool) -> None:
    assert bool(unread(crop(100, 200, width, height), kept=(False,))) is counts


def test_a_box_inside_a_line_that_was_read_is_part_of_it() -> None:
    inside = crop(110, 202, 90, 26)
    assert unread(crop(100, 200, 300, 30), inside, kept=(True, False)) == ()
    assert len(unread(crop(100, 200, 300, 30), crop(500, 202, 90, 26), kept=(True, False))) == 1


def test_boxes_come_from_the_top_down() -> None:
    found = unread(crop(100, 500, 150, 30), crop(100, 100, 150, 30), kept=(False, False))
    assert [float(region.polygon_px[0, 1]) for region in found] == [200, 1000]


def test_they_are_told_and_nothing_reads_them() -> None:
    corners = np.array([[0, 0], [90, 0], [90, 30], [0, 30]], dtype=np.float32)
    lines = (TextRegion("Apotheke Dresden", corners, 0.95, "Latn"),)
    lost = tuple(TextRegion("", corners, 0.0, unread=True) for _ in range(3))
    plain, told = AGENT.understand(lines), AGENT.understand(lines + lost)
    assert told.regions == plain.regions == lines
    assert told.unread == lost
    assert [c.id for c in told.constraints] == [c.id for c in plain.constraints] != []
    assert plain.warnings == ()
    assert told.warnings == ("3 places with text could not be read",)
    assert unread_text(1) == "1 place with text could not be read"


def test_the_answer_lists_the_boxes_and_its_place_stays() -> None:
    corners = np.array([[0, 0], [90, 0], [90, 30], [0, 30]], dtype=np.float32)
    photo = Photo(np.full((40, 120, 3), 200, dtype=np.uint8))

    def answer(*regions: TextRegion) -> Answer:
        class Given:
            name = "given"

            def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
                return regions

        return replace(AGENT, ocr=Given()).locate(photo)

    line, lost = TextRegion("Apotheke Dresden", corners, 0.95, "Latn"), TextRegion("", corners, 0.0, unread=True)
    plain, told = answer(line), answer(line, lost)
    assert [place.polygon_px for place in told.unread] == [[(0, 0), (90, 0), (90, 30), (0, 30)]]
    assert plain.unread == []
    assert set(told.warnings) - set(plain.warnings) == {"1 place with text could not be read"}
    same = {"unread", "warnings", "timings_s"}
    assert told.model_dump(exclude=same) == plain.model_dump(exclude=same)


def _sign(text: str) -> Photo:
    """A photo of a blue sign, in a font of this machine that has the text's characters."""
    if shutil.which("fc-list") is None or not features.check("raqm"):
        pytest.skip("needs fontconfig's fc-list and Pillow with libraqm")
    wanted = " ".join(f"{ord(char):x}" for char in sorted(set(text) - {" "}))
    done = subprocess.run(
        ["fc-list", f":charset={wanted}:style=Regular", "file"], check=True, capture_output=True, text=True
    )
    fonts = sorted(line.strip().removesuffix(":") for line in done.stdout.splitlines())
    if not fonts:
        pytest.skip(f"no font on this machine has {text!r} (Debian: fonts-noto-core)")
    image = Image.new("RGB", (1200, 800), (120, 130, 110))
    draw = ImageDraw.Draw(image)
    draw.rectangle((150, 250, 1000, 500), fill=(20, 60, 150))
    draw.text((200, 300), text, font=ImageFont.truetype(fonts[0], 60), fill="white")
    return Photo(np.asarray(image))


@pytest.mark.parametrize("name", ["multiscript", "rapidocr"])
@pytest.mark.parametrize("text", ["ལྷ་ས་གྲོང་ཁྱེར། ཟ་ཁང་", "ߒߞߏ ߞߊ߲ߓߍ"], ids=["Tibetan", "NKo"])
def test_a_sign_in_a_script_that_nobody_reads_is_boxed(name: str, text: str) -> None:
    found = plugs.build("ocr", name, None)(_sign(text))
    lost = [region for region in found if region.unread]
    assert lost
    assert found[len(found) - len(lost) :] == tuple(lost)  # after the lines that were read
    for region in lost:
        (x0, y0), (x1, y1) = region.polygon_px.min(axis=0), region.polygon_px.max(axis=0)
        assert 150 - 20 <= x0 < x1 <= 1000 + 20  # boxes have a margin
        assert 250 - 20 <= y0 < y1 <= 500 + 20
        assert region.engine.startswith("rapidocr/")
    text_evidence = AGENT.understand(found)
    assert text_evidence.warnings[0] == unread_text(len(lost))

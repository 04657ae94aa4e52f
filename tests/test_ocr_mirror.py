"""Text that stands mirrored in a photo: what is read flipped, where it is, and what is left as it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geoagent import GeoAgent, plugs
from geoagent.agent.reading import mirrored_text
from geoagent.evidence.ocr import Piece
from geoagent.evidence.ocr._mirror import Read, gain, mirror_back, settle
from geoagent.evidence.ocr._rapid import Crop, Reading, mirror_box
from geoagent.evidence.photos import open_photo
from geoagent.types import Photo, TextRegion

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
ENGINE = plugs.build("ocr", "multiscript", None)
BOX = np.array([[10, 20], [60, 22], [59, 40], [9, 38]], dtype=np.float32)


def read(text: str, confidence: float, *, mirrored: bool = False) -> Read:
    crop = Crop(BOX, np.zeros((20, 50, 3), np.uint8), Reading(text, confidence, 0), confidence, confidence >= 0.85)
    return Read(crop, crop.piece, "x", mirrored)


def settled(upright: list[tuple[str, float]], flipped: list[tuple[str, float]]) -> list[str]:
    over = {text: read(*there, mirrored=True) for (text, _), there in zip(upright, flipped, strict=True)}
    found = settle([read(*each) for each in upright], lambda crops: [over[crop.reading.text] for crop in crops])
    return [each.piece.text for each in found]


@pytest.mark.parametrize(
    ("upright", "flipped"),
    [
        ([("fzoq", 0.6)], [("post", 1.0)]),
        ([("TIXƎ", 0.5), ("AVATAR", 0.99)], [("EXIT", 0.99), ("AVATAR", 0.99)]),
        ([("KIIN", 0.93), ("CA2", 0.67)], [("KIRIN", 1.0), ("CLASS", 1.0)]),
        ([("eɔ", 0.3), ("SAƎ", 0.4)], [("an der Brücke", 0.97), ("SEA", 0.9)]),
        ([("600L", 0.8)], [("7009", 1.0)]),
    ],
)
def test_a_photo_that_reads_surer_flipped_is_read_flipped(
    upright: list[tuple[str, float]], flipped: list[tuple[str, float]]
) -> None:
    assert settled(upright, flipped) == [text for text, _ in flipped]


@pytest.mark.parametrize(
    ("upright", "flipped"),
    [
        ([("post", 1.0)], [("fzoq", 0.6)]),
        ([("AVATAR", 0.84)], [("AVATAR", 0.84)]),
        ([("faint", 0.6)], [("taint", 0.62)]),
        ([("M21", 0.55)], [("RICE", 0.8)]),
        ([("++++++++++", 0.58)], [("十十十十十十十十", 0.95)]),
        ([("Bäckerei", 1.0), ("BO", 0.7)], [("bƎ", 0.5), ("OB", 0.9)]),
    ],
)
def test_any_other_photo_stays_as_it_is(upright: list[tuple[str, float]], flipped: list[tuple[str, float]]) -> None:
    assert settled(upright, flipped) == [text for text, _ in upright]


def test_nothing_is_read_again_where_nothing_is_doubtful() -> None:
    def never(crops: object) -> list[Read]:
        raise AssertionError("read again")

    assert [each.piece.text for each in settle([read("Hotel", 0.97)], never)] == ["Hotel"]


def test_lettering_of_a_window_is_told_from_the_street_behind_it() -> None:
    upright = [("Rathausplatz", 1.0), ("Apotheke", 0.99), ("éfaC ɿɘd", 0.4)]
    flipped = [("zalqzuadtaЯ", 0.5), ("ɘʞɘdtoqA", 0.5), ("Café der", 0.98)]
    assert settled(upright, flipped) == ["Rathausplatz", "Apotheke", "Café der"]


def test_a_line_that_is_surer_flipped_is_believed_less() -> None:
    upright, flipped = [read("Rathausplatz", 1.0), read("SLO", 0.6)], [read("x", 0.3), read("OLS", 0.9)]
    over = dict(zip(("Rathausplatz", "SLO"), flipped, strict=True))
    found = settle(upright, lambda crops: [over[crop.reading.text] for crop in crops])
    assert [(each.piece.confidence, each.piece.trusted) for each in found] == [(1.0, True), (0.3, False)]


def test_what_is_not_read_either_way_decides_nothing() -> None:
    assert gain(Piece(BOX, "abcdef", 0.3), Piece(BOX, "uvwxyz", 0.79)) == 0
    assert gain(Piece(BOX, "abcdef", 0.5), Piece(BOX, "uvwxyz", 1.0)) == pytest.approx(6 * np.log(2))


@pytest.mark.parametrize("width", [100.0, 640.0, 1920.0])
def test_boxes_are_mirrored_and_back(width: float) -> None:
    over = mirror_box(BOX, width)
    assert over[0].tolist() == [width - 60, 22]
    assert mirror_box(over, width).tolist() == BOX.tolist()
    region = mirror_back(TextRegion("EXIT", over), width)
    assert region.mirrored
    assert region.polygon_px.tolist() == BOX.tolist()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("de_koeln", "50672 Köln"),
        ("th_chiangmai", "เชียงใหม่"),
        ("il_haifa", "04-555-0142"),
        ("cn_chengdu", "老四川火锅店"),
        ("bg_plovdiv", "Иван Вазов 15"),
    ],
)
def test_a_mirrored_example_reads_as_it_should(name: str, words: str) -> None:
    photo = open_photo(EXAMPLES / f"{name}.jpg")
    plain = ENGINE(photo)
    over = ENGINE(replace(photo, pixels=np.ascontiguousarray(photo.pixels[:, ::-1])))
    assert not any(region.mirrored for region in plain)
    assert over
    assert all(region.mirrored for region in over)
    (there,) = [region for region in plain if words in region.text]
    (here,) = [region for region in over if words in region.text]
    expected = mirror_box(there.polygon_px, photo.original_px[0])
    assert np.abs(here.polygon_px - expected).max() < 30


def test_rapidocr_alone_reads_mirrored_text_too() -> None:
    photo = open_photo(EXAMPLES / "hu_szeged.jpg")
    engine = plugs.build("ocr", "rapidocr", None)
    over = engine(replace(photo, pixels=np.ascontiguousarray(photo.pixels[:, ::-1])))
    assert "6720 Szeged" in [region.text for region in over if region.mirrored]


def test_the_answer_says_so() -> None:
    agent = GeoAgent.load(ocr="multiscript")
    photo = open_photo(EXAMPLES / "pl_krakow.jpg")
    answer = agent.locate(Photo(np.ascontiguousarray(photo.pixels[:, ::-1])))
    assert answer.countries[0].code == "PL"
    assert "the text is mirrored in the photo and was read mirrored" in answer.warnings
    assert not any("mirrored" in warning for warning in agent.locate(photo).warnings)


def test_where_only_some_text_is_mirrored_the_regions_are_named() -> None:
    regions = [TextRegion("a"), TextRegion("b", mirrored=True), TextRegion("c", mirrored=True)]
    assert mirrored_text(regions).endswith("region 1, 2")

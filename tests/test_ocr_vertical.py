"""Chinese and Japanese in columns: found, read downwards, right to left, and kept apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from geoagent import GeoAgent, plugs
from geoagent.types import Photo

FONTS = Path("/usr/share/fonts")
JAPANESE = FONTS / "opentype/ipafont-gothic/ipag.ttf"
CHINESE = FONTS / "truetype/droid/DroidSansFallbackFull.ttf"
PAPER, INK = (245, 245, 240), (20, 20, 30)


def font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    if not path.is_file():
        pytest.skip("no font with Han characters is installed (apt-get install fonts-ipafont-gothic)")
    return ImageFont.truetype(str(path), size)


@pytest.fixture(scope="module")
def engine():
    return plugs.build("ocr", "rapidocr", None)


def columns(lines: list[str], path: Path, size: int, pitch: float = 1.1, across: tuple[str, ...] = ()) -> Photo:
    """A board with lines written downwards, the first at the right, and lines across above them."""
    board = Image.new("RGB", (900, 900), PAPER)
    draw, letters = ImageDraw.Draw(board), font(path, size)
    for i, line in enumerate(across):
        draw.text((60, 30 + i * 2 * size), line, INK, letters)
    for i, line in enumerate(lines):
        for j, char in enumerate(line):
            draw.text((780 - i * 2 * size, 150 + int(j * size * pitch)), char, INK, letters)
    return Photo(np.asarray(board))


@pytest.mark.parametrize(("size", "pitch"), [(64, 1.1), (40, 1.15), (50, 1.7), (26, 1.05), (80, 1.2)])
@pytest.mark.parametrize(
    ("lines", "path"),
    [
        (["京都市東山区"], JAPANESE),
        (["居酒屋", "営業中"], JAPANESE),
        (["無断駐車お断り"], JAPANESE),
        (["北京市朝阳区", "人民医院"], CHINESE),
        (["台北市政府", "中山路店", "上海小笼包"], CHINESE),
    ],
)
def test_columns_are_read_downwards_and_from_the_right(engine, lines, path, size, pitch):
    regions = engine(columns(lines, path, size, pitch))
    assert [region.text for region in regions] == lines
    for region in regions:
        width, height = np.ptp(region.polygon_px, axis=0)
        assert height > 1.5 * width
        assert region.script in {"Hani", "Jpan"}
        assert region.script_is_evidence == (len(region.text) >= 3)


def test_a_line_across_stays_a_line_beside_columns(engine):
    regions = engine(columns(["京都市東山区", "清水寺門前"], JAPANESE, 48, across=("観光案内所",)))
    assert [region.text for region in regions] == ["観光案内所", "京都市東山区", "清水寺門前"]


@pytest.mark.parametrize(
    ("lines", "path", "country"), [(["京都市東山区"], JAPANESE, "JP"), (["北京市朝阳区"], CHINESE, "CN")]
)
def test_a_place_in_a_column_is_found_on_the_map(lines, path, country, tmp_path):
    photo = columns(lines, path, 60)
    Image.fromarray(photo.pixels).save(tmp_path / "column.png")
    answer = GeoAgent.load(ocr="rapidocr").locate(tmp_path / "column.png")
    assert answer.best.country == country
    assert any(cue.kind == "name" for cue in answer.cues)

"""The OCR seam: layout of lines, and what every engine owes its callers."""

import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from geoagent import plugs
from geoagent.errors import ConfigError, OcrError
from geoagent.evidence.ocr import Piece, join_fragments, polygon, reading_order
from geoagent.evidence.ocr._rapid import thread_count
from geoagent.evidence.photos import open_photo
from geoagent.protocols import OcrEngine
from geoagent.types import Photo, TextRegion

ROOT = Path(__file__).resolve().parents[1]
SIGNS = ROOT.parent / "shared" / "data" / "signs"
EXAMPLES = ROOT / "examples" / "photos"


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return plugs.build("ocr", "rapidocr", None)


def board(*lines: str, size: tuple[int, int] = (700, 640), letter: int = 60) -> Image.Image:
    image = Image.new("RGB", size, (240, 238, 230))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((60, 60 + row * letter * 2), line, (20, 20, 30), ImageFont.load_default(letter))
    return image


def texts(regions: tuple[TextRegion, ...]) -> list[str]:
    return [region.text for region in regions]


def same(one: tuple[TextRegion, ...], other: tuple[TextRegion, ...]) -> bool:
    return len(one) == len(other) and all(
        a.text == b.text and a.confidence == b.confidence and np.array_equal(a.polygon_px, b.polygon_px)
        for a, b in zip(one, other, strict=True)
    )


# --- layout ---------------------------------------------------------------------------------------------------------


def piece(text: str, x: float, y: float, width: float = 100, height: float = 20, turned: int = 0) -> Piece:
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], dtype=np.float32)
    return Piece(np.roll(corners, -turned, axis=0), text, 0.9)


def test_fragments_on_one_baseline_become_one_line() -> None:
    (line,) = join_fragments([piece("York", 112, 2), piece("New", 0, 0)])
    assert line.text == "New York"
    assert line.corners.tolist() == [[0, 0], [212, 2], [212, 22], [0, 20]]
    assert line.confidence == pytest.approx(0.9)
    (numbers,) = join_fragments([piece("Tel.", 0, 0), piece("0711", 110, 0), piece("22", 220, 0)])
    assert numbers.text == "Tel. 0711 22"
    (han,) = join_fragments([piece("上海", 0, 0), piece("市", 110, 0, width=20)])
    assert han.text == "上海市"


@pytest.mark.parametrize(
    ("x", "y", "height", "text"),
    [(125, 0, 20, "far"), (105, 9, 20, "lower"), (105, 0, 40, "larger"), (0, 25, 20, "below"), (105, 0, 20, "穴")],
)
def test_other_fragments_stay_apart(x: float, y: float, height: float, text: str) -> None:
    assert len(join_fragments([piece("New", 0, 0), piece(text, x, y, height=height)])) == 2


def test_column_takes_its_lone_character() -> None:
    column, head = piece("入を禁ず", 0, 40, 30, 150, turned=1), piece("立", 0, 0, 30, 32)
    assert column.is_column
    (line,) = join_fragments([column, head])
    assert line.text == "立入を禁ず"


def test_reading_order_is_rows_then_columns_from_the_right() -> None:
    rows = [piece("d", 0, 100), piece("b", 200, 4), piece("a", 0, 0), piece("c", 0, 50)]
    assert [p.text for p in reading_order(rows)] == ["a", "b", "c", "d"]
    columns = [piece("左の列", 0, 0, 20, 100, turned=1), piece("右の列", 30, 2, 20, 100, turned=1)]
    assert [p.text for p in reading_order(columns)] == ["右の列", "左の列"]


def test_polygon_starts_at_the_top_left_inside_the_frame() -> None:
    corners = polygon(piece("x", -5, 10, turned=2), 2.0, 150, 90)
    assert corners.tolist() == [[0, 20], [150, 20], [150, 60], [0, 60]]
    assert corners.dtype == np.float32


@given(st.lists(st.tuples(*[st.floats(0, 500)] * 2, *[st.floats(1, 300)] * 2, st.integers(0, 3)), max_size=12))
def test_layout_loses_nothing(rows: list[tuple[float, float, float, float, int]]) -> None:
    pieces = [piece(f"w{i}", *row) for i, row in enumerate(rows)]
    ordered = reading_order(join_fragments(pieces))
    words = sorted(word for line in ordered for word in line.text.split())
    assert words == sorted(p.text for p in pieces)


# --- every engine ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["rapidocr", "nothing"])
def any_engine(request: pytest.FixtureRequest, engine: OcrEngine) -> OcrEngine:
    return engine if request.param == engine.name else plugs.build("ocr", request.param, None)


def test_contract(any_engine: OcrEngine) -> None:
    assert any_engine.name in plugs.names("ocr")
    photo = Photo(np.asarray(board("Main Street 12", "Springfield")), scale=2.0)
    regions = any_engine(photo)
    assert isinstance(regions, tuple)
    for region in regions:
        assert region.polygon_px.shape == (4, 2)
        assert (region.polygon_px >= 0).all()
        assert (region.polygon_px <= [1400, 1280]).all()
        assert 0 <= region.confidence <= 1
        assert region.text == region.text.strip() != ""
        assert region.engine.startswith(any_engine.name)
    assert same(regions, any_engine(photo))


@pytest.mark.parametrize("size", [(1, 1), (3, 800), (13, 13), (800, 18), (18, 800)])
def test_blank_photo_has_no_text(any_engine: OcrEngine, size: tuple[int, int]) -> None:
    assert any_engine(open_photo(Image.new("RGB", size, (128, 130, 128)))) == ()


# --- RapidOCR -------------------------------------------------------------------------------------------------------


def test_text_is_read_where_it_stands(engine: OcrEngine) -> None:
    first, second = engine(open_photo(board("Main Street 12", "Springfield")))
    assert (first.text, second.text) == ("Main Street 12", "Springfield")
    assert (first.script, first.script_is_evidence) == ("Latn", True)
    assert first.confidence > 0.9
    left, top = first.polygon_px.min(axis=0)
    right, bottom = first.polygon_px.max(axis=0)
    assert 40 <= left <= 65 < 400 < right
    assert 50 <= top <= 80 < 110 <= bottom <= 150


def test_polygons_are_pixels_of_the_original(engine: OcrEngine) -> None:
    whole = board("Springfield", size=(1600, 1300), letter=150)
    (large,) = engine(open_photo(whole))
    (small,) = engine(open_photo(whole, max_side_px=800))
    (least,) = plugs.build("ocr", "rapidocr", None, max_side_px=600)(open_photo(whole))
    for other in (small, least):
        assert other.text == large.text == "Springfield"
        assert np.abs(other.polygon_px - large.polygon_px).max() < 40


def test_photo_turned_by_exif_reads_the_same(engine: OcrEngine, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    board("Main Street 12").transpose(Image.Transpose.ROTATE_90).save(path, quality=95, exif=exif.tobytes())
    assert texts(engine(open_photo(path))) == ["Main Street 12"]


@pytest.mark.parametrize("turn", [Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270])
def test_photo_lying_or_upside_down_is_read(engine: OcrEngine, turn: Image.Transpose) -> None:
    regions = engine(open_photo(board("Main Street 12", "Springfield", "Public Library").transpose(turn)))
    assert sorted(texts(regions)) == ["Main Street 12", "Public Library", "Springfield"]


def test_calls_from_two_threads_do_not_mix(engine: OcrEngine) -> None:
    photos = [open_photo(board("Main Street 12")), open_photo(board("Public Library", "Springfield"))]
    alone = [engine(photo) for photo in photos]
    got: dict[int, tuple[TextRegion, ...]] = {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: engine(photos[i])})) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(got[i], alone[i]) for i in range(2))


@pytest.mark.parametrize(
    ("asked", "named", "expected"),
    [(None, "1", 1), (2, "1", 2), (None, "3", 3), (None, "", 4), (None, "all", 4), (None, "0", 4), (99, "", 4)],
)
def test_threads_are_those_asked_for_or_named_by_the_environment(
    asked: int | None, named: str, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    monkeypatch.setenv("OMP_NUM_THREADS", named)
    assert thread_count(asked) == expected


def test_bad_options_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_side_px"):
        plugs.build("ocr", "rapidocr", None, max_side_px=10)
    with pytest.raises(ConfigError, match="min_score"):
        plugs.build("ocr", "rapidocr", None, min_score=2.0)
    with pytest.raises(ConfigError, match="colour"):
        plugs.build("ocr", "rapidocr", None, colour="red")


@pytest.mark.parametrize("broken", ["absent", "no models", "crash"])
def test_broken_installation_is_one_clear_line(broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    module = types.ModuleType("rapidocr")
    module.__file__ = str(tmp_path / "__init__.py")
    if broken == "crash":
        (tmp_path / "models").mkdir()
        for part in ("det", "rec"):
            (tmp_path / "models" / f"x_{part}_y.onnx").touch()
        module.RapidOCR = lambda params: 1 / 0  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rapidocr", None if broken == "absent" else module)
    reader = plugs.build("ocr", "rapidocr", None)
    with pytest.raises(OcrError, match="pip install") as caught:
        reader(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))
    assert "\n" not in str(caught.value)


def test_nothing_is_printed_or_imported_early() -> None:
    code = """
import sys
from geoagent import plugs
engine = plugs.build("ocr", "rapidocr", None)
assert not {"rapidocr", "cv2", "onnxruntime"} & set(sys.modules)
import numpy as np
from geoagent.types import Photo
engine(Photo(np.full((200, 300, 3), 99, dtype=np.uint8)))
assert "rapidocr" in sys.modules
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("de_koeln", ["Bäckerei Hofmann", "50672 Köln", "0221 4710 234"]),
        ("cn_chengdu", ["老四川火锅店", "028-86650142"]),
        ("jp_shinjuku", ["駐車禁止", "新宿区役所", "関係者以外", "立入を禁ず"]),
        ("us_woodstock", ["WOODSTOCK", "VERMONT"]),
        ("no_text", []),
    ],
)
def test_sample_photos(engine: OcrEngine, name: str, words: list[str]) -> None:
    read = texts(engine(open_photo(EXAMPLES / f"{name}.jpg")))
    assert all(any(word in line for line in read) for word in words), read
    assert words or read == []


@pytest.mark.parametrize("name", ["gr_thessaloniki", "bg_plovdiv", "th_chiangmai"])
def test_script_that_it_cannot_read_is_no_evidence(engine: OcrEngine, name: str) -> None:
    assert not any(region.script_is_evidence for region in engine(open_photo(EXAMPLES / f"{name}.jpg")))


@pytest.mark.skipif(not (SIGNS / "truth.csv").is_file(), reason="no ../shared/data/signs beside this checkout")
@pytest.mark.parametrize(
    ("file", "words", "foreign"),
    [
        ("cn_shanghai_yuyuan.jpg", ["愚园路", "Yuyuan Rd"], ()),
        ("jp_parking_vertical.jpg", ["駐車を御遠慮下さい"], ()),
        ("gr_parking.jpg", ["STOP"], ("AYTOKINHTOY",)),
        ("th_bangkok.jpg", [], ("launnvan",)),
        ("eg_station.png", ["Railway", "Station"], ()),
    ],
)
def test_real_signs(engine: OcrEngine, file: str, words: list[str], foreign: tuple[str, ...]) -> None:
    regions = engine(open_photo(SIGNS / file))
    assert all(any(word in line for line in texts(regions)) for word in words)
    assert not any(region.script_is_evidence for region in regions if region.text in foreign)

"""Many scripts: Tesseract's models beside RapidOCR, the engine that chooses itself, and PaddleOCR."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import threading
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example as tried
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from geoagent import plugs
from geoagent.errors import ConfigError, MissingDependency, OcrError
from geoagent.evidence.ocr import _tessdata
from geoagent.evidence.ocr._layout import together
from geoagent.evidence.ocr._lines import tidy
from geoagent.evidence.photos import open_photo
from geoagent.evidence.scripts import clean
from geoagent.protocols import OcrEngine
from geoagent.types import Photo, TextRegion

ROOT = Path(__file__).resolve().parents[1]
SIGNS = ROOT.parent / "shared" / "data" / "signs"
EXAMPLES = ROOT / "examples" / "photos"
TESSEROCR = importlib.util.find_spec("tesserocr") is not None
NEEDED = ("Cyrl", "Grek", "Thai", "Deva")
LACKING = [code for code in NEEDED if code not in _tessdata.installed()]
WHY = f"run: {_tessdata.packages_command(LACKING)}" if LACKING else "run: pip install tesserocr"
many = pytest.mark.skipif(
    not TESSEROCR or bool(LACKING),
    reason=f"tesserocr or its script models are not installed ({WHY})",
)


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return plugs.build("ocr", "tesseract", None)


@pytest.fixture(scope="module")
def rapid() -> OcrEngine:
    return plugs.build("ocr", "rapidocr", None)


@pytest.fixture
def tessdata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for model files, the only one that is looked into."""
    monkeypatch.setattr(_tessdata, "FOLDERS", ())
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    return tmp_path


def board(*lines: str) -> Image.Image:
    image = Image.new("RGB", (700, 640), (240, 238, 230))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((60, 60 + row * 120), line, (20, 20, 30), ImageFont.load_default(60))
    return image


def example(name: str) -> Photo:
    return open_photo(EXAMPLES / f"{name}.jpg")


def texts(regions: tuple[TextRegion, ...]) -> list[str]:
    return [region.text for region in regions]


def same(one: tuple[TextRegion, ...], other: tuple[TextRegion, ...]) -> bool:
    return len(one) == len(other) and all(
        a.text == b.text and a.confidence == b.confidence and np.array_equal(a.polygon_px, b.polygon_px)
        for a, b in zip(one, other, strict=True)
    )


# --- RapidOCR's models of one's own ----------------------------------------------------------------------------------


def bundled(part: str) -> Path:
    rapidocr = pytest.importorskip("rapidocr")
    return max((Path(rapidocr.__file__).parent / "models").glob(f"*_{part}_*.onnx"))


def test_a_model_by_its_path_reads_the_scripts_of_its_characters(tmp_path: Path):
    model = tmp_path / "greek.onnx"  # the recogniser that comes with RapidOCR knows Greek letters, without accents
    model.write_bytes(bundled("rec").read_bytes())
    for models in (str(model), [str(model)], str(tmp_path)):
        engine = plugs.build("ocr", "rapidocr", None, models=models)
        assert engine.scripts == ("Grek",)
    regions = engine(example("gr_thessaloniki"))
    assert any(region.engine == "rapidocr/greek" and region.script == "Grek" for region in regions)


def test_models_that_are_none_are_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="no ONNX file at"):
        plugs.build("ocr", "rapidocr", None, models=str(tmp_path))
    with pytest.raises(ConfigError, match="has no character set"):
        plugs.build("ocr", "rapidocr", None, models=str(bundled("det")))
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ConfigError, match="cannot be read"):
        plugs.build("ocr", "rapidocr", None, models=str(tmp_path / "x.onnx"))


@pytest.mark.parametrize(
    ("lines", "evident"),
    [
        ((("태양", 0.89), ("마테차", 0.63)), True),
        ((("태양", 0.79), ("마테차", 0.63)), False),
        ((("태양", 0.89), ("마테차", 0.55)), False),
        ((("태양의 차", 0.79),), False),
    ],
)
def test_two_unsure_lines_of_one_script_are_evidence_together(lines, evident):
    regions = tuple(TextRegion(text, confidence=sure, script="Hang", script_is_evidence=False) for text, sure in lines)
    assert all(region.script_is_evidence is evident for region in together(regions))


# --- which models there are -----------------------------------------------------------------------------------------


def test_models_are_found_by_script_and_by_language(tessdata: Path):
    (tessdata / "script").mkdir()
    for name in ("script/Cyrillic", "rus", "ell", "eng", "Latin", "HanS", "osd", "ben", "Bengali"):
        (tessdata / f"{name}.traineddata").touch()
    found = {code: model.name for code, model in _tessdata.installed().items()}
    assert found == {"Cyrl": "script/Cyrillic", "Grek": "ell", "Beng": "Bengali"}


def test_the_own_folder_wins_and_a_folder_above_it_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for folder in ("own/tessdata", "system/4/tessdata", "system/5/tessdata"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "Thai.traineddata").touch()
    (tmp_path / "system/4/tessdata/Greek.traineddata").touch()
    monkeypatch.setattr(_tessdata, "FOLDERS", (f"{tmp_path}/system/*/tessdata", f"{tmp_path}/nowhere/tessdata"))
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path / "own"))
    models = _tessdata.installed()
    assert models["Thai"].folder == tmp_path / "own/tessdata"
    assert models["Grek"].folder == tmp_path / "system/4/tessdata"
    monkeypatch.delenv("TESSDATA_PREFIX")
    assert _tessdata.installed()["Thai"].folder == tmp_path / "system/5/tessdata"


def test_missing_models_are_named_with_the_command(tessdata: Path):
    with pytest.raises(OcrError, match=r"any script; run: apt-get install .*tesseract-ocr-script-cyrl"):
        plugs.build("ocr", "tesseract", None)
    (tessdata / "Greek.traineddata").touch()
    with pytest.raises(OcrError, match=r"Thai, Deva; .*script-thai tesseract-ocr-script-deva, or .*TESSDATA_PREFIX"):
        plugs.build("ocr", "tesseract", None, scripts=["Grek", "Thai", "Deva"])


@pytest.mark.parametrize("scripts", [["Klingon"], ["Latn"], [], "Grek"])
def test_scripts_that_there_is_no_model_for_are_refused(scripts: object):
    with pytest.raises(ConfigError, match="scripts"):
        plugs.build("ocr", "tesseract", None, scripts=scripts)


def test_missing_library_names_the_extra(tessdata: Path, monkeypatch: pytest.MonkeyPatch):
    (tessdata / "Greek.traineddata").touch()
    monkeypatch.setitem(sys.modules, "tesserocr", None)
    with pytest.raises(MissingDependency, match=r"pip install 'geoagent-photo\[tesseract\]'"):
        plugs.build("ocr", "tesseract", None)


@pytest.mark.skipif(not TESSEROCR, reason="tesserocr is not installed (pip install 'geoagent-photo[tesseract]')")
def test_damaged_model_is_one_clear_line(tessdata: Path):
    (tessdata / "Greek.traineddata").write_bytes(b"no model")
    reader = plugs.build("ocr", "tesseract", None)
    with pytest.raises(OcrError, match=r"Greek\.traineddata") as caught:
        reader(example("gr_thessaloniki"))
    assert "\n" not in str(caught.value)


# --- auto -----------------------------------------------------------------------------------------------------------


def test_auto_takes_what_reads_most_scripts():
    assert plugs.build("ocr", "auto", None).name == "multiscript"
    chosen = plugs.build("ocr", "auto", None, scripts=["Grek", "Tibt"], max_side_px=900)
    assert (chosen.name, chosen.scripts) == ("multiscript", ("Grek",))
    assert plugs.build("ocr", "auto", None, scripts=["Latn"]).name == "rapidocr"
    with pytest.raises(ConfigError, match="colour"):
        plugs.build("ocr", "auto", None, colour="red")


# --- text as it would be typed --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "read", "typed"),
    [
        ("Thai", "เช ี ยง ใหม ่ 12", "เชียงใหม่ 12"),
        ("Hang", "서 울 시 KT 12 호", "서울시 KT 12 호"),
        ("Arab", "\u200fﻣﺤﻄﺔ مصر\u202c", "محطة مصر"),
        ("Arab", "کیف", "كيف"),
        ("Cyrl", "ул.  Мира\n", "ул. Мира"),
        ("Deva", "क्‍ष राजीव", "क्‍ष राजीव"),
    ],
)
def test_text_is_tidied(script: str, read: str, typed: str):
    assert tidy(read, script) == typed


@given(st.text(), st.sampled_from(["Thai", "Hang", "Arab", "Cyrl"]))
@tried("\u0339 \u0334", "Thai")
def test_tidied_text_is_clean(text: str, script: str):
    assert clean(tidy(text, script)) == tidy(text, script)


# --- reading --------------------------------------------------------------------------------------------------------


@many
@pytest.mark.parametrize(
    ("name", "script", "words"),
    [
        ("bg_plovdiv", "Cyrl", ["Аптека", "Пловдив", "032 555 014"]),
        ("gr_thessaloniki", "Grek", ["Αριστοτέλους", "Φαρμακείο", "Θεσσαλονίκη"]),
        ("th_chiangmai", "Thai", ["เชียงใหม่"]),
    ],
)
def test_sample_photos_of_other_scripts(engine: OcrEngine, name: str, script: str, words: list[str]):
    regions = engine(example(name))
    assert all(any(word in line for line in texts(regions)) for word in words), texts(regions)
    assert {r.script for r in regions if r.script_is_evidence} == {script}
    assert {r.engine.partition("/")[0] for r in regions if r.script == script} == {"tesseract"}


@many
@pytest.mark.parametrize("name", ["de_koeln", "tr_izmir", "cn_chengdu"])
def test_what_rapidocr_reads_stays_as_it_is(engine: OcrEngine, rapid: OcrEngine, name: str):
    assert same(engine(example(name)), rapid(example(name)))


@many
def test_contract(engine: OcrEngine):
    assert engine.name == "tesseract"
    photo = example("bg_plovdiv")
    regions = engine(photo)
    for region in regions:
        assert region.polygon_px.shape == (4, 2)
        assert (region.polygon_px >= 0).all()
        assert (region.polygon_px <= [photo.width_px * photo.scale, photo.height_px * photo.scale]).all()
        assert 0 <= region.confidence <= 1
        assert region.text == clean(region.text) != ""
    assert same(regions, engine(photo))


@many
@pytest.mark.parametrize("size", [(1, 1), (3, 800), (13, 13), (800, 18), (640, 480)])
def test_blank_photo_has_no_text(engine: OcrEngine, size: tuple[int, int]):
    assert engine(open_photo(Image.new("RGB", size, (128, 130, 128)))) == ()


@many
def test_only_the_scripts_that_were_asked_for_are_read():
    reader = plugs.build("ocr", "tesseract", None, scripts=["Thai"])
    assert not any(region.script == "Cyrl" for region in reader(example("bg_plovdiv")))
    assert any(region.script == "Thai" for region in reader(example("th_chiangmai")))


@many
def test_upside_down_letters_of_rapidocr_do_not_hide_what_stands_upright(engine: OcrEngine):
    turned = example("bg_plovdiv").pixels.transpose(1, 0, 2)[:, ::-1]
    regions = engine(Photo(np.ascontiguousarray(turned)))
    assert any("Пловдив" in line for line in texts(regions))


@many
def test_calls_from_two_threads_do_not_mix(engine: OcrEngine):
    photos = [example("bg_plovdiv"), example("th_chiangmai")]
    alone = [engine(photo) for photo in photos]
    got: dict[int, tuple[TextRegion, ...]] = {}
    threads = [threading.Thread(target=lambda i=i: got.update({i: engine(photos[i])})) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(same(got[i], alone[i]) for i in range(2))


@many
def test_nothing_is_printed_or_imported_early_and_the_environment_stays():
    code = f"""
import os, sys
before = dict(os.environ)
from geoagent import plugs
engine = plugs.build("ocr", "tesseract", None)
assert not {{"rapidocr", "cv2", "onnxruntime", "tesserocr"}} & set(sys.modules)
from geoagent.evidence.photos import open_photo
assert engine(open_photo({str(EXAMPLES / "gr_thessaloniki.jpg")!r}))
assert "tesserocr" in sys.modules
assert os.environ.get("OMP_THREAD_LIMIT") == before.get("OMP_THREAD_LIMIT")
"""
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@many
@pytest.mark.skipif(not (SIGNS / "truth.csv").is_file(), reason="no ../shared/data/signs beside this checkout")
@pytest.mark.parametrize(
    ("file", "words", "evident"),
    [
        ("gr_parking.jpg", ["ΠΡΟΣΟΧΗ", "ΑΥΤΟΚΙΝΗΤΟΥ"], {"Grek"}),
        ("ua_delivery.jpg", ["доставка"], {"Cyrl"}),
        ("in_anandvihar.jpg", ["Anand Vihar (ISBT)"], {"Deva"}),
        ("cn_shanghai_yuyuan.jpg", ["愚园路"], set()),
        ("nl_plate.jpg", [], set()),
    ],
)
def test_real_signs(engine: OcrEngine, file: str, words: list[str], evident: set[str]):
    regions = engine(open_photo(SIGNS / file))
    assert all(any(word in line for line in texts(regions)) for word in words), texts(regions)
    assert {r.script for r in regions if r.script_is_evidence} - {"Latn", "Hani"} == evident


# --- PaddleOCR ------------------------------------------------------------------------------------------------------


def stand_in(monkeypatch: pytest.MonkeyPatch, predict: object) -> dict[str, object]:
    """Put a module in PaddleOCR's place; return the options that it is built with."""
    given_options: dict[str, object] = {}

    class PaddleOCR:
        def __init__(self, **options: object) -> None:
            sys.stdout.write("Creating model: PP-OCRv5")
            given_options.update(options)

        def predict(self, image: object) -> object:
            return predict(image)  # type: ignore[operator]

    module = types.ModuleType("paddleocr")
    module.PaddleOCR = PaddleOCR  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "paddleocr", module)
    return given_options


@pytest.fixture
def model_folders(tmp_path: Path) -> dict[str, str]:
    folders = {"detection_dir": tmp_path / "det", "recognition_dir": tmp_path / "cyrillic_rec"}
    for folder in folders.values():
        folder.mkdir()
        (folder / "inference.yml").touch()
    return {name: str(folder) for name, folder in folders.items()}


def test_paddle_results_become_regions(
    model_folders: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    seen: list[np.ndarray] = []

    def predict(image: np.ndarray) -> list[dict[str, object]]:
        seen.append(image)
        box = np.array([[10, 10], [210, 10], [210, 40], [10, 40]], dtype=np.int16)
        lower = box + np.array([0, 90])
        blob = np.array([[0, 60], [30, 55], [60, 60], [60, 80], [0, 80]])
        return [
            {
                "rec_polys": [lower, box, blob, box, box],
                "rec_texts": ["Пловдив", "ул. Иван\u200e Вазов", "32", "", "?"],
                "rec_scores": [0.97, 0.8, 1.0000001, 0.0, 0.2],
            }
        ]

    options = stand_in(monkeypatch, predict)
    reader = plugs.build("ocr", "paddle", None, **model_folders)
    photo = Photo(np.full((300, 400, 3), (200, 100, 50), dtype=np.uint8), scale=2.0)
    regions = reader(photo)
    assert texts(regions) == ["ул. Иван Вазов", "32", "Пловдив"]
    assert [r.script for r in regions] == ["Cyrl", "Zyyy", "Cyrl"]
    assert [r.script_is_evidence for r in regions] == [False, False, True]
    assert [r.confidence for r in regions] == pytest.approx([0.8, 1.0, 0.97])
    assert regions[2].polygon_px.tolist() == [[20, 200], [420, 200], [420, 260], [20, 260]]
    assert regions[1].polygon_px.tolist() == [[0, 110], [120, 110], [120, 160], [0, 160]]
    assert {r.engine for r in regions} == {"paddle/cyrillic_rec"}
    assert seen[0][0, 0].tolist() == [50, 100, 200]  # BGR
    assert options["text_recognition_model_dir"] == model_folders["recognition_dir"]
    assert options["use_textline_orientation"] is False
    assert capsys.readouterr().out == ""
    assert same(regions, reader(photo))


def test_paddle_failure_is_one_clear_line(model_folders: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    def predict(image: object) -> object:
        raise RuntimeError("trace\nout of memory")

    stand_in(monkeypatch, predict)
    with pytest.raises(OcrError, match=r"paddle failed on .*: out of memory"):
        plugs.build("ocr", "paddle", None, **model_folders)(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))


@pytest.mark.parametrize("answers", [True, False])
def test_paddle_without_models_or_network_says_so(answers: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def refuse(*_: object, **__: object) -> socket.socket:
        if not answers:
            threading.Event().wait()  # for ever: only a timeout ends it
        raise OSError("no route")

    stand_in(monkeypatch, lambda image: [])
    monkeypatch.setenv("PADDLE_PDX_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(OcrError, match="detection_dir and recognition_dir"):
        plugs.build("ocr", "paddle", None, timeout_s=0.2)(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))
    # What was downloaded before is used without a network.
    (tmp_path / "official_models" / "PP-OCRv5_mobile_rec").mkdir(parents=True)
    (tmp_path / "official_models" / "PP-OCRv5_mobile_rec" / "inference.yml").touch()
    assert plugs.build("ocr", "paddle", None)(Photo(np.zeros((64, 64, 3), dtype=np.uint8))) == ()


def test_paddle_refuses_folders_without_a_model(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"text recognition model of PaddleOCR 3: inference\.yml is missing"):
        plugs.build("ocr", "paddle", None, recognition_dir=str(tmp_path))
    with pytest.raises(ConfigError, match="min_score"):
        plugs.build("ocr", "paddle", None, min_score=-1)
    with pytest.raises(ConfigError, match="timeout_s"):
        plugs.build("ocr", "paddle", None, timeout_s=0)


def test_paddle_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "paddleocr", None)
    with pytest.raises(MissingDependency, match=r"pip install 'geoagent-photo\[paddle\]'"):
        plugs.build("ocr", "paddle", None)(Photo(np.zeros((64, 64, 3), dtype=np.uint8)))

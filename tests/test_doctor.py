"""What an installation says about itself."""

from __future__ import annotations

import importlib.util
import json
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from geoagent import plugs
from geoagent.evidence.ocr import _tessdata
from geoagent.evidence.ocr._classes import SCRIPTS
from geoagent.interfaces import doctor
from geoagent.interfaces.cli import main


@pytest.fixture
def tessdata(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for model files, the only one that is looked into."""
    monkeypatch.setattr(_tessdata, "FOLDERS", ())
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    monkeypatch.setattr(_tessdata, "has_package", lambda: True)
    monkeypatch.setattr(doctor, "_data", dict)  # loads for seconds, and is looked at once above
    return tmp_path


def examine() -> dict[str, Any]:
    return doctor.examine(timeout_s=0.01)


def test_report_is_plain_json_and_knows_every_engine():
    report = json.loads(json.dumps(examine()))
    assert set(report["ocr_engines"]) == set(plugs.names("ocr"))
    assert report["ocr_engines"]["rapidocr"] == "ready"
    assert {"Latn", "Hani", "Jpan"} <= set(report["scripts_readable"])
    assert report["geoagent"]["cores"] >= 1
    assert "countries" in report["data"]["starter_world"]


def test_every_script_is_read_without_another_package(tessdata: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_tessdata, "has_package", lambda: False)
    report = examine()
    assert set(report["scripts_readable"]) == {"Latn", "Hani", "Jpan", *SCRIPTS}
    assert report["scripts_by_model"] == {"rapidocr": ["Hani", "Jpan", "Latn"], "multiscript": sorted(SCRIPTS)}
    assert report["ocr_engines"]["auto"] == "ready: multiscript"
    assert report["ocr_engines"]["tesseract"].startswith("not installed")
    assert not [line for line in report["install_for_more"] if "tesseract" in line]


def test_models_of_tesseract_that_are_there_are_named(tessdata: Path):
    (tessdata / "Greek.traineddata").touch()
    (tessdata / "rus.traineddata").touch()
    report = examine()
    assert report["scripts_by_model"]["tesseract"] == ["Cyrl", "Grek"]
    assert report["ocr_engines"]["tesseract"] == "ready"


def test_models_given_by_path_are_opened_and_listed(tessdata: Path, tmp_path: Path):
    rapidocr = pytest.importorskip("rapidocr")
    bundled = max((Path(rapidocr.__file__).parent / "models").glob("*_rec_*.onnx"))
    model = tmp_path / "greek.onnx"  # the recogniser that comes with RapidOCR knows Greek letters
    model.write_bytes(bundled.read_bytes())
    settings = tmp_path / "settings.toml"
    settings.write_text(f'ocr = {{name = "rapidocr", models = "{model}"}}\n', "utf-8")
    asked = CliRunner().invoke(main, ["doctor", "--config", str(settings), "--json"])
    assert asked.exit_code == 0, asked.output
    report = json.loads(asked.stdout)
    assert report["ocr_models_by_path"] == {"Grek": str(model)}
    assert report["scripts_by_model"]["rapidocr"] == ["Grek", "Hani", "Jpan", "Latn"]
    model.unlink()
    asked = CliRunner().invoke(main, ["doctor", "--config", str(settings)])
    assert asked.exit_code == 2
    assert "no ONNX file at" in asked.stderr


def test_broken_rapidocr_reads_nothing(tessdata: Path, monkeypatch: pytest.MonkeyPatch):
    real = doctor.version

    def version(package: str) -> str:
        if package == "onnxruntime":
            raise PackageNotFoundError(package)
        return real(package)

    (tessdata / "Greek.traineddata").touch()
    monkeypatch.setattr(doctor, "version", version)
    report = examine()
    assert report["scripts_readable"] == []
    assert "pip install" in report["ocr_engines"]["rapidocr"]
    assert "pip install" in report["ocr_engines"]["tesseract"]


@pytest.mark.skipif(importlib.util.find_spec("paddleocr") is not None, reason="PaddleOCR is installed")
def test_absent_engine_says_so():
    assert examine()["ocr_engines"]["paddle"] == "not installed"


def test_offline_hub_is_not_asked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    real = doctor.socket.create_connection

    def connect(address: Any, *args: Any, **options: Any) -> Any:
        assert address[0] == "127.0.0.1", "asked the network"
        return real(address, *args, **options)

    monkeypatch.setattr(doctor.socket, "create_connection", connect)
    assert examine()["encoders"]["model_hub"].startswith("not reachable")


def test_the_language_model_is_never_on_by_itself(tessdata: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    report = examine()
    assert report["language_model"].startswith("none")
    assert "sk-x" not in json.dumps(report)
    monkeypatch.setattr(doctor, "_version", lambda package: None)
    report = examine()
    assert any("geoagent-photo[llm]" in line for line in report["install_for_more"])


def test_people_read_whole_lines(tessdata: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(doctor, "_advice", lambda *_: [])
    lines = CliRunner().invoke(main, ["doctor"]).stdout.splitlines()
    assert lines[lines.index("language model") + 1].startswith("  none")
    assert lines[lines.index("install for more") + 1] == "  nothing"
    assert lines[0].startswith("geoagent 0.")
    assert " works: it reads text in 25 scripts and judges " in lines[0]
    assert lines[lines.index("scripts by model") + 1] == "  rapidocr: Han, Japanese, Latin"
    assert "Arabic, Armenian, Bengali" in lines[lines.index("scripts readable") + 1]
    text = "\n".join(lines)
    assert "[" not in text
    assert "Hani" not in text
    assert lines[lines.index("local language models") + 1].startswith("  Ollama: ")

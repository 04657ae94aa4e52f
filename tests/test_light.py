"""Importing geoagent, and asking for help, costs little and needs nothing optional."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HEAVY = (
    "torch", "torchvision", "open_clip", "paddle", "paddleocr", "geopandas", "faiss", "openai", "ray", "fastapi",
    "starlette", "uvicorn",
)  # fmt: skip


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_import_loads_nothing_heavy():
    loaded = run("import sys, geoagent; print(' '.join(sys.modules))").split()
    assert not set(HEAVY) & set(loaded)
    assert "numpy" not in loaded


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from geoagent.interfaces.cli import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    )
    loaded = run(code).split()
    assert not {*HEAVY, "numpy", "pydantic", "rapidocr", "onnxruntime", "phonenumbers"} & set(loaded)


def test_everything_but_the_extras_works_without_them():
    blocked = "; ".join(f"sys.modules[{name!r}] = None" for name in HEAVY)
    use = "from geoagent import GeoAgent\nprint(GeoAgent.load(ocr='nothing').locate_text(['Köln']).status)"
    code = f"import sys; {blocked}\n{use}"
    assert run(code).strip() == "ok"


def test_public_names_exist():
    import geoagent

    for name in geoagent.__all__:
        assert getattr(geoagent, name) is not None
    assert set(geoagent.__all__) <= set(dir(geoagent))


def test_reading_a_photo_leaves_no_device_id_behind(tmp_path: Path):
    """The wheels of ONNX Runtime send usage data under an id that they keep, unless they are told not to."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "ORT_"))}
    own |= {"HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "GEOAGENT_CACHE": str(tmp_path / "ours")}
    photo = Path(__file__).resolve().parents[1] / "examples" / "photos" / "no_text.jpg"
    command = [sys.executable, "-m", "geoagent", "locate", str(photo)]
    done = subprocess.run(command, env=own, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "No place can be named" in done.stdout
    assert {path.name for path in tmp_path.iterdir()} <= {"ours"}

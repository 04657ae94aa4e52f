"""The documentation: the page of the Python API is current, and the site builds without a warning."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import geoagent

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_api", ROOT / "docs" / "make_api.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_the_api_is_current(maker: ModuleType) -> None:
    there = maker.PAGE.read_text("utf-8")
    assert there == maker.page(), "run: python docs/make_api.py"


def test_every_public_name_is_on_the_page(maker: ModuleType) -> None:
    shown = set(re.findall(r"^`from geoagent import (\w+)`$", maker.page(), re.MULTILINE))
    errors = {"GeoAgentError"}  # in the list of errors
    assert shown == set(geoagent.__all__) - errors - {"__version__"}
    assert "`GeoAgentError`" in maker.page()


def test_what_the_page_says_to_import_can_be_imported(maker: ModuleType) -> None:
    found = re.findall(r"^`from ([\w.]+) import (\w+)`$", maker.page(), re.MULTILINE)
    assert len(found) > 40
    for module, name in found:
        assert hasattr(importlib.import_module(module), name), f"{module}.{name}"


def test_every_method_on_the_page_has_its_signature_and_says_what_it_does(maker: ModuleType) -> None:
    parts = re.split(r"^#{3,4} ", maker.page(), flags=re.MULTILINE)[1:]
    assert len(parts) > 100
    for part in parts:
        title = part.partition("\n")[0]
        words = re.sub(r"```.*?```|^`from [^\n]*$", "", part.partition("\n")[2], flags=re.MULTILINE | re.DOTALL)
        assert words.strip(), f"{title} has no docstring"


def test_a_name_that_is_gone_is_told(maker: ModuleType) -> None:
    with pytest.raises(LookupError, match="Nothing"):
        list(maker.entry("answer.Nothing", short=False))


def built(folder: Path, config: Path) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (pip install 'geoagent-photo[docs]')")
    pytest.importorskip("material", reason="mkdocs-material is not installed (pip install 'geoagent-photo[docs]')")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=quiet)


@pytest.mark.slow
def test_the_site_builds_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    done = built(tmp_path / "site", ROOT / "mkdocs.yml")
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = {path.relative_to(tmp_path / "site").as_posix(): path for path in (tmp_path / "site").rglob("*.html")}
    assert {"index.html", "api/index.html", "outputs/index.html", "gazetteer/SOURCES/index.html"} <= set(pages)
    assert len(pages) >= 1 + len(list((ROOT / "docs").glob("*.md")))
    assert (tmp_path / "site" / "examples" / "notebooks" / "tour.ipynb").is_file()
    for name, path in pages.items():
        text = path.read_text("utf-8")
        loaded = re.findall(r"<(?:script|img|iframe|source)\b[^>]*\bsrc=\"?(https?:[^\" >]+)", text)
        loaded += re.findall(r"<link\b[^>]*\brel=\"?(?:stylesheet|preconnect|icon)[^>]*href=\"?(https?:[^\" >]+)", text)
        assert not loaded, f"{name} loads {loaded}"
    assert "geoagent estimates where a photo was taken" in pages["index.html"].read_text("utf-8")


@pytest.mark.slow
def test_a_link_into_nowhere_fails_the_build(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[away](nowhere.md)\n", "utf-8")
    config = (ROOT / "mkdocs.yml").read_text("utf-8").partition("nav:")[0].replace("hooks: [docs/site_hook.py]\n", "")
    (tmp_path / "mkdocs.yml").write_text(config, "utf-8")
    done = built(tmp_path / "site", tmp_path / "mkdocs.yml")
    assert done.returncode == 1
    assert "nowhere.md" in done.stderr

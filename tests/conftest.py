"""What all tests share: data loaded once, where the measuring data are, a toy world, and no network.

Tests run in one process a core (pytest-xdist). `pytest -m quick` leaves out what starts servers or processes, uses real
OCR, or trains. Hypothesis tries few examples by default and ten times as many under
`HYPOTHESIS_PROFILE=thorough`, which CI sets.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from geoagent import GeoAgent
from geoagent.agent import core
from geoagent.config import Config
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.geocells import Geocells, cells
from geoagent.protocols import OcrEngine
from geoagent.types import Photo, TextRegion
from geoagent.worlds import home
from geoagent.worlds.world import Support, World

# The default world of whoever runs the tests must not decide what they see.
if home.default() is not None:
    os.environ["GEOAGENT_CACHE"] = tempfile.mkdtemp(prefix="geoagent-tests-")

# A script that starts the tests in the background has them ignore Ctrl+C, and so would the processes they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# For the worker processes: one a core already uses the machine, so threads of numeric libraries would only compete.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# No example has a deadline, since the machine may be busy. CI repeats itself: it tries the same examples every time.
EXAMPLES = 20
for profile, factor in (("default", 1), ("thorough", 10)):
    settings.register_profile(
        profile,
        max_examples=factor * EXAMPLES,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
        derandomize="CI" in os.environ,
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))

SLOW = {
    "test_album_cli",
    "test_bad_files",
    "test_bulk",
    "test_calibration",
    "test_comparison",
    "test_container",
    "test_examples",
    "test_eyes",
    "test_export_cli",
    "test_file_names",
    "test_folders",
    "test_geoclip",
    "test_llm_cli",
    "test_llm_client",
    "test_llm_real_server",
    "test_llm_source",
    "test_mcp_http",
    "test_map_browser",
    "test_ocr",
    "test_ocr_multiscript",
    "test_ocr_passes",
    "test_ocr_tesseract",
    "test_ocr_vertical",
    "test_resume",
    "test_training",
    "test_web",
    "test_web_album",
    "test_web_everybody",
    "test_web_load",
    "test_web_login",
    "test_web_metrics",
    "test_web_page",
    "test_web_page_album",
    "test_web_refused",
    "test_web_token",
    "test_web_tools",
    "test_wheel",
    "test_workers",
}
"""Modules that `-m quick` leaves out."""


ONCE = {
    "test_album",
    "test_album_cli",
    "test_bad_files",
    "test_calibration",
    "test_cli",
    "test_comparison",
    "test_examples",
    "test_export_cli",
    "test_file_names",
    "test_folders",
    "test_llm_cli",
    "test_llm_client",
    "test_llm_real_server",
    "test_llm_source",
    "test_mcp_http",
    "test_ocr_multiscript",
    "test_ocr_passes",
    "test_ocr_vertical",
    "test_real_reading",
    "test_report",
    "test_reported_signs",
    "test_reports",
    "test_resume",
    "test_scenes",
    "test_testimony",
    "test_verification",
    "test_web",
    "test_web_album",
    "test_web_load",
    "test_web_refused",
    "test_web_token",
    "test_web_tools",
    "test_wheel",
    "test_workers",
}
"""Long modules that `.ci/run` need not repeat with every extra, since none changes what the default engine reads, how a
text is weighed, or how readers are kept. What they skipped, and their property tests, are run again nevertheless."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep-passed", type=Path, help="write the names of the tests that passed to this file")
    parser.addoption("--passed", type=Path, help="leave out the tests of ONCE that are in this file")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark as quick what is not slow, as a module or by its own marker; leave out what need not be run again."""
    if config.option.passed is not None:
        passed = frozenset(config.option.passed.read_text("utf-8").split("\n"))
        again = [item for item in items if not _need_not_repeat(item, passed)]
        config.hook.pytest_deselected(items=[item for item in items if _need_not_repeat(item, passed)])
        items[:] = again
    for item in items:
        if item.path.stem not in SLOW and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


def _need_not_repeat(item: pytest.Item, passed: frozenset[str]) -> bool:
    drawn = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)  # with more examples another time
    return item.path.stem in ONCE and item.nodeid in passed and not drawn


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line for each reason to skip, with how many tests it skips: what to install for a complete run."""
    if config.option.keep_passed is not None:
        passed = (report.nodeid for report in terminalreporter.stats.get("passed", ()))
        config.option.keep_passed.write_text("".join(f"{name}\n" for name in passed), "utf-8")
    reasons = Counter(
        report.longrepr[2].removeprefix("Skipped: ") for report in terminalreporter.stats.get("skipped", ())
    )
    if reasons:
        terminalreporter.section("skipped")
        for reason, count in reasons.most_common():
            terminalreporter.write_line(f"{count:4d}  {reason}")


SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """A path of the measuring data; skips the test where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"measuring data absent: ../shared/data/{'/'.join(parts)}")
    return path


def _share_what_ships(owner: Any) -> None:
    """Have `owner.load()` read what ships once a process: it is frozen, so tests may share it."""
    load, shipped = owner.load, cache(owner.load)
    owner.load = lambda folder=None: shipped() if folder is None else load(folder)


for owner in (Gazetteer, Facts, World):
    _share_what_ships(owner)


cells.PRESET = 0  # the worlds that tests write are packed ten times faster, with a third more bytes


class Remembering:
    """An engine that reads each photo once: the same pixels give the same regions, which tests/test_ocr.py checks."""

    def __init__(self, engine: OcrEngine) -> None:
        self.name, self._engine = engine.name, engine
        self._read: dict[tuple[bytes, float], tuple[TextRegion, ...]] = {}

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        pixels = np.ascontiguousarray(photo.pixels)
        key = hashlib.sha256(pixels).digest() + repr(pixels.shape).encode(), photo.scale
        if key not in self._read:
            self._read[key] = self._engine(photo)
        return self._read[key]


def _share_engines() -> None:
    """Have the agents of a process share each engine that ships: its models take a second or two to load.

    Tests of the engines themselves make their own, with `plugs.build`.
    """
    parts_of, engines = core.parts_of, dict[str, OcrEngine]()

    def shared(config: Config, *, looks: bool = True) -> dict[str, Any]:
        parts = parts_of(config, looks=looks)
        if looks and config.ocr.name in ("auto", "multiscript", "rapidocr"):
            key = config.ocr.model_dump_json()
            parts["ocr"] = engines.setdefault(key, Remembering(parts["ocr"]))
        return parts

    core.parts_of = shared


_share_engines()


@pytest.fixture(scope="session")
def agent() -> GeoAgent:
    """The default agent without OCR."""
    return GeoAgent.load(ocr="nothing")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Tests reach this machine and nothing else."""
    real = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> object:
        if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "localhost", "::1"):
            raise OSError(f"a test tried to reach {address}")
        return real(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", guarded)


def square(lat: float, lon: float, half: float = 1.0) -> bytes:
    """A square polygon as WKB, lon and lat in that order."""
    import shapely

    return bytes(shapely.to_wkb(shapely.box(lon - half, lat - half, lon + half, lat + half)))


def make_world(**changes: object) -> World:
    """Twelve cells in four countries: AA and BB with four, CC with three, DD (far away, in Fiji's place) with one."""
    centres = [
        (10, 10),
        (10, 12),
        (12, 10),
        (12, 12),
        (10, 20),
        (10, 22),
        (12, 20),
        (12, 22),
        (40, 10),
        (40, 12),
        (42, 10),
        (-17, 179),
    ]
    country = ["AA"] * 4 + ["BB"] * 4 + ["CC"] * 3 + ["DD"]
    admin1 = ["AA.1", "AA.1", "AA.2", "AA.2", "BB.1", "BB.1", "BB.2", "BB.2", "CC.1", "CC.1", "CC.2", "DD.1"]
    cells = Geocells(
        np.array(centres, dtype=float),
        np.array(country),
        np.array(admin1),
        np.full(12, 40.0),
        [square(*c) for c in centres],
    )
    prior = np.array([4, 3, 2, 1, 4, 3, 2, 1, 2, 2, 1, 0.5])
    spots = np.array([(lat + d, lon + d) for lat, lon in centres for d in (-0.5, 0.5)])
    fields: dict[str, object] = {
        "name": "toy",
        "cells": cells,
        "log_prior": np.log(prior),
        "support": Support(spots, np.repeat(np.arange(12), 2), np.tile(np.log([0.75, 0.25]), 12), np.full(24, 2.0)),
    }
    return World(**{**fields, **changes})  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def toy() -> World:
    """The toy world."""
    return make_world()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser."""
    from browsing import CHROMIUM, chromium

    if not CHROMIUM:
        pytest.skip("Chromium is not installed (apt-get install chromium)")
    with chromium() as here:
        yield here


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    """The page, with an engine that reads what a test photo says; a module may have one of its own."""
    from web_server import running

    from geoagent.interfaces.web.limits import Limits

    with running(Limits(photo_mb=60)) as here:
        yield here


@pytest.fixture
def visit(browser: Any, server: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page of the server; see `browsing.visitors`."""
    from browsing import visitors

    with visitors(browser, server.url) as open_page:
        yield open_page

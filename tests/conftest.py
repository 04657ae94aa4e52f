"""What all tests share: data loaded once, where the measuring data are, a toy world, and no network.

Tests run in one process a core (pytest-xdist). `pytest -m quick` leaves out what starts servers or processes, uses real
OCR, or trains. Hypothesis tries few examples by default and ten times as many under
`HYPOTHESIS_PROFILE=thorough`, which CI sets.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from geoagent import GeoAgent
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.geocells import Geocells
from geoagent.worlds import home
from geoagent.worlds.world import Support, World

# The default world of whoever runs the tests must not decide what they see.
if home.default() is not None:
    os.environ["GEOAGENT_CACHE"] = tempfile.mkdtemp(prefix="geoagent-tests-")

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
    "test_calibration",
    "test_comparison",
    "test_examples",
    "test_eyes",
    "test_export_cli",
    "test_folders",
    "test_geoclip",
    "test_llm_cli",
    "test_llm_client",
    "test_llm_real_server",
    "test_llm_source",
    "test_map_browser",
    "test_ocr",
    "test_ocr_multiscript",
    "test_ocr_passes",
    "test_ocr_tesseract",
    "test_ocr_vertical",
    "test_resume",
    "test_training",
    "test_web",
    "test_web_everybody",
    "test_web_load",
    "test_web_page",
    "test_web_refused",
    "test_web_tools",
    "test_wheel",
}
"""Modules that `-m quick` leaves out."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark as quick what is not slow, as a module or by its own marker."""
    for item in items:
        if item.path.stem not in SLOW and item.get_closest_marker("slow") is None:
            item.add_marker(pytest.mark.quick)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line for each reason to skip, with how many tests it skips: what to install for a complete run."""
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

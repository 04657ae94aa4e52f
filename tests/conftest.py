"""What all tests share: where the measuring data are, a toy world, and no network."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from geoagent.places.geocells import Geocells
from geoagent.worlds.world import Support, World

# A gate must say the same twice: CI tries the same examples every time, and a run at a desk looks for new ones.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def shared_data(*parts: str) -> Path:
    """A path of the measuring data; skips the test where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"measuring data absent: ../shared/data/{'/'.join(parts)}")
    return path


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

"""State of a training on disk, so that an interrupted one goes on where it stopped and gives the same world."""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import ConfigError
from geoagent.optional import needs
from geoagent.places.geocells import Geocells
from geoagent.worlds.training.group import Group
from geoagent.worlds.training.places_table import Table

EVERY_S = 60.0
"""Seconds between states that are written: what an interruption loses at most."""
_MARK, _CELLS = "settings.json", "cells.npz"


class Checkpoints:
    """A folder of states, or nothing where no folder is given. Only the first process reads and writes.

    All processes are given the same arguments.

    Args:
        folder: where states are kept; None to keep none.
        mark: of the data and settings; see `mark_of`.
        resume: whether to go on from the states in the folder; they are deleted otherwise.
        group: the processes that train together.
        every_s: least seconds between two states; `EVERY_S` by default.

    Raises:
        ConfigError: the folder's states belong to other data or settings.
    """

    def __init__(
        self,
        folder: Path | None = None,
        mark: str = "",
        *,
        resume: bool = False,
        group: Group | None = None,
        every_s: float | None = None,
    ) -> None:
        self.folder, self._mark, self._group = folder, mark, group or Group()
        self._every_s = EVERY_S if every_s is None else every_s
        self._last = time.monotonic()
        problem = self._group.given(lambda: self._open(resume))
        if problem:
            raise ConfigError(problem)

    def _open(self, resume: bool) -> str:
        if self.folder is None:
            return ""
        path = self.folder / _MARK
        if path.exists() and resume:
            if json.loads(path.read_text("utf-8")) == self._mark:
                return ""
            return (
                f"{self.folder} holds a training with other data or settings; repeat its command with --resume, or "
                "leave out --resume to begin anew"
            )
        if self.folder.exists():
            if not path.exists() and any(self.folder.iterdir()):
                return f"{self.folder} exists and holds no interrupted training; move it away"
            shutil.rmtree(self.folder)
        return ""

    def _made(self) -> Path:
        """The folder, which is made when there is something to keep: a table that cannot be used leaves none."""
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder / _MARK
        if not mark.exists():
            mark.write_text(json.dumps(self._mark), "utf-8")
        return self.folder

    def due(self) -> bool:
        """Whether it is time to write a state again, as the first process says; all have to ask."""
        if self.folder is None:
            return False
        return self._group.given(lambda: time.monotonic() - self._last >= self._every_s)

    def save(self, name: str, state: Mapping[str, Any]) -> None:
        """Write a state of tensors and plain values, atomically; nothing without a folder or in another process."""
        if self.folder is None or not self._group.first:
            return
        import torch

        path = self._made() / f"{name}.pt"
        made = path.with_suffix(".new")
        torch.save(dict(state), made)
        made.replace(path)
        self._last = time.monotonic()

    def load(self, name: str) -> dict[str, Any] | None:
        """Return the last state of that name, in every process; None if there is none."""
        return self._group.given(lambda: self._read(name))

    def _read(self, name: str) -> dict[str, Any] | None:
        path = None if self.folder is None else self.folder / f"{name}.pt"
        if path is None or not path.exists():
            return None
        with needs("train", "torch"):
            import torch
        found: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        return found

    def cells(self, make: Callable[[], Geocells]) -> Geocells:
        """Return the geocells that are kept here, in every process; the first one makes them where none are."""
        return self._group.given(lambda: self._cells(make))

    def _cells(self, make: Callable[[], Geocells]) -> Geocells:
        path = None if self.folder is None else self.folder / _CELLS
        if path is not None and path.exists():
            with np.load(path, allow_pickle=False) as data:
                parts = {name: data[name] for name in ("centroids", "country", "admin1", "radius_km")}
                ends, raw = np.cumsum(data["lengths"]).tolist(), data["wkb"].tobytes()
            shapes = [raw[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True)] if ends else None
            return Geocells(**parts, wkb=shapes)
        made = make()
        if path is not None:
            self._made()
            shapes = [] if made.wkb is None else list(made.wkb() if callable(made.wkb) else made.wkb)
            part = path.with_suffix(".new.npz")
            np.savez(
                part,
                centroids=made.centroids,  # in full precision, unlike a world's: labels must stay the same
                country=made.country,
                admin1=made.admin1,
                radius_km=made.radius_km,
                lengths=np.array([len(shape) for shape in shapes], dtype=np.int64),
                wkb=np.frombuffer(b"".join(shapes), dtype=np.uint8),
            )
            part.replace(path)
        return made

    def clear(self) -> None:
        """Delete all states: the training is done."""
        if self.folder is not None and self._group.first:
            shutil.rmtree(self.folder, ignore_errors=True)


def mark_of(settings: Any, table: Table, cells: Geocells | None) -> str:
    """Return a digest of the data and settings of a training; the number of processes does not count.

    Args:
        settings: a dataclass.
        table: the places; of their features a hundred rows count.
        cells: custom geocells, if any.
    """
    told = asdict(settings)
    told.get("head", {}).pop("device", None)
    told.get("head", {}).pop("budget_s", None)
    text = json.dumps([told, None if cells is None else cells.fingerprint], sort_keys=True)
    digest = hashlib.sha256(text.encode())
    digest.update(np.ascontiguousarray(table.latlon).tobytes())
    assert table.split is not None
    digest.update(np.ascontiguousarray(table.split).tobytes())
    if table.views is not None:
        digest.update(str(table.views.shape).encode())
        some = np.unique(np.linspace(0, len(table) - 1, 100).astype(np.int64))
        digest.update(np.ascontiguousarray(table.views[some]).tobytes())
    return digest.hexdigest()

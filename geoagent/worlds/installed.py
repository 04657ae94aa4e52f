"""Worlds on this machine: finding, listing, verifying and downloading them."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import GeoAgentError, InputError, WorldError
from geoagent.resources import cache_dir
from geoagent.worlds.world import World

_CHUNK = 1 << 20
_MOST_BYTES = 20 << 30  # a zip that says it unpacks to more is no world


def home() -> Path:
    """Folder of the worlds that can be named instead of given by path."""
    return cache_dir() / "worlds"


def find(name: str | Path | None) -> Path | None:
    """Turn a name or a path into a world's folder; None, the starter world, stays None.

    A path wins over a name.
    """
    if name is None or str(name) == "starter":
        return None
    path = Path(name)
    named = home() / str(name)
    return named if not path.exists() and path.name == str(name) and named.is_dir() else path


def listed() -> list[dict[str, Any]]:
    """What is known of the starter world and of every world in `home()`; a broken one says why."""
    rows = [{**World.load().summary(), "folder": "(ships with geoagent)"}]
    for folder in sorted(home().glob("*/world.json")) if home().is_dir() else []:
        try:
            rows.append({**World.load(folder.parent).summary(), "folder": str(folder.parent)})
        except GeoAgentError as error:
            rows.append({"name": folder.parent.name, "folder": str(folder.parent), "error": str(error)})
    return rows


def info(world: World) -> dict[str, Any]:
    """Summary, calibration and card of a world."""
    return {**world.summary(), "calibration": dict(world.calibration), "card": dict(world.card)}


def verify(folder: Path | None) -> list[str]:
    """Load every part of a world and use it once.

    Returns:
        What is wrong, in words; empty where the world is whole.
    """
    try:
        world = World.load(folder)
        problems = []
        cells = world.cells
        if cells.polygons:
            outside = np.flatnonzero(cells.assign(world.support.latlon) != world.support.cell)
            share = len(outside) / max(len(world.support.cell), 1)
            if share > 0.1:
                problems.append(f"{share:.0%} of the support places lie outside their geocells")
        shares = np.bincount(world.support.cell, np.exp(world.support.log_share), minlength=len(cells))
        if np.abs(shares - 1).max() > 0.05:
            problems.append("the support's shares do not sum to 1 in every geocell")
        if world.head is not None:
            log_probs = world.head(np.ones(world.head.dim, dtype=np.float32) / np.sqrt(world.head.dim))
            if not np.isfinite(log_probs).all() or abs(np.exp(log_probs).sum() - 1) > 1e-6:
                problems.append("the head gives no probabilities")
    except GeoAgentError as error:
        return [str(error)]
    return problems


def download(
    address: str,
    *,
    name: str | None = None,
    sha256: str | None = None,
    timeout_s: float = 10.0,
    progress: Callable[[str, int, int], None] | None = None,
) -> Path:
    """Fetch a zipped world and unpack it into `home()`.

    Args:
        address: https, or a file's path.
        name: what it is called here; the file's name without ".zip" where absent.
        sha256: refuse anything else.
        timeout_s: how long to wait for the server.
        progress: told how far it is.

    Raises:
        InputError: the address cannot be fetched, or is no zip.
        WorldError: what came is no world, or not the one that was asked for, or there is one of that name.
    """
    target = home() / (name or Path(address.split("?")[0]).name.removesuffix(".zip"))
    if target.exists():
        raise WorldError(f"there is a world named {target.name!r} already: remove {target} or choose another --name")
    home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home(), prefix=".fetch-") as folder:
        archive = Path(folder) / "world.zip"
        digest = _fetch(address, archive, timeout_s, progress)
        if sha256 is not None and digest != sha256.lower():
            raise WorldError(f"{address}: expected SHA-256 {sha256}, got {digest}; nothing was kept")
        unpacked = _unpack(archive, Path(folder) / "world")
        problems = verify(unpacked)
        if problems:
            raise WorldError(f"{address} holds no sound world: {problems[0]}")
        shutil.move(unpacked, target)
    return target


def _fetch(address: str, target: Path, timeout_s: float, progress: Callable[[str, int, int], None] | None) -> str:
    digest = hashlib.sha256()
    local = Path(address)
    if "://" in address and not address.startswith("https://"):
        raise InputError(f"{address}: worlds are fetched over https only")
    try:
        source = local.open("rb") if local.is_file() else urllib.request.urlopen(address, timeout=timeout_s)
        with source, target.open("wb") as out:
            total = int(getattr(source, "headers", {}).get("Content-Length") or 0)
            while block := source.read(_CHUNK):
                out.write(block)
                digest.update(block)
                if progress is not None:
                    progress("fetching", out.tell(), total)
    except (urllib.error.URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise InputError(f"{address} cannot be fetched: {reason}; give a file's path, or try with a network") from error
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack a zip that holds a world at its top or in one folder; names that leave the folder are refused."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            if sum(entry.file_size for entry in zipped.infolist()) > _MOST_BYTES:
                raise InputError("the zip unpacks to more than 20 GiB")
            for entry in zipped.infolist():
                inside = (target / entry.filename).resolve()
                if not inside.is_relative_to(target.resolve()):
                    raise InputError(f"the zip names a file outside its folder: {entry.filename!r}")
            zipped.extractall(target)
    except zipfile.BadZipFile as error:
        raise InputError("what came is no zip file") from error
    metas = sorted(target.glob("world.json")) or sorted(target.glob("*/world.json"))
    if not metas:
        raise WorldError("the zip holds no world.json")
    return metas[0].parent

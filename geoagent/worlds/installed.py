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
from geoagent.worlds.home import find, home
from geoagent.worlds.world import World

__all__ = ["download", "find", "home", "info", "listed", "verify"]

_CHUNK = 1 << 20
_MOST_BYTES = 20 << 30  # larger unpacked sizes are rejected


def listed() -> list[dict[str, Any]]:
    """List the starter world and every world in `home()`; a broken one has the reason."""
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
    """Verify a world: load every part and use it once.

    Returns:
        Descriptions of the problems; empty if the world is valid.
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
    """Download a zipped world and unpack it into `home()`.

    Args:
        address: https URL, or a file path.
        name: name to install it under; by default the file name without ".zip".
        sha256: expected checksum; any other file is rejected.
        timeout_s: timeout for the server.
        progress: progress callback.

    Raises:
        InputError: the address cannot be fetched, or is not a zip.
        WorldError: the file is not a world, has the wrong checksum, or a world of that name exists.
    """
    target = home() / (name or Path(address.split("?")[0]).name.removesuffix(".zip"))
    if target.exists():
        raise WorldError(f"a world named {target.name!r} already exists: remove {target} or choose another --name")
    home().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home(), prefix=".fetch-") as folder:
        archive = Path(folder) / "world.zip"
        digest = _fetch(address, archive, timeout_s, progress)
        if sha256 is not None and digest != sha256.lower():
            raise WorldError(f"{address}: expected SHA-256 {sha256}, got {digest}; nothing was kept")
        unpacked = _unpack(archive, Path(folder) / "world")
        problems = verify(unpacked)
        if problems:
            raise WorldError(f"{address} does not contain a valid world: {problems[0]}")
        shutil.move(unpacked, target)
    return target


def _fetch(address: str, target: Path, timeout_s: float, progress: Callable[[str, int, int], None] | None) -> str:
    digest = hashlib.sha256()
    local = Path(address)
    if "://" in address and not address.startswith("https://"):
        raise InputError(f"{address}: only https is supported; use an https address or a file path")
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
        raise InputError(f"{address} cannot be fetched: {reason}; check the network, or give a file path") from error
    return digest.hexdigest()


def _unpack(archive: Path, target: Path) -> Path:
    """Unpack a zip that holds a world at its top level or in one folder; paths that escape the folder are rejected."""
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
        raise InputError("the file is not a zip") from error
    metas = sorted(target.glob("world.json")) or sorted(target.glob("*/world.json"))
    if not metas:
        raise WorldError("the zip contains no world.json")
    return metas[0].parent

"""A world: everything learnt about where photos are taken, saved and loaded as one folder.

::

    world.json          format, name, fingerprint, encoder, calibration, card
    cells.npz           geocells: centroids, countries, admin-1, radii
    polygons.wkb.xz     their polygons (optional)
    prior.npz           log prior of the cells, and where photos are inside each cell
    head.npz            the classifier's head (optional)
    gallery_head.npz    alternative to head.npz: a head over the gallery's places (optional)
    gallery/            embeddings and places of training photos, for retrieval (optional)
    encoder.npz         arrays the encoder needs in addition to its own weights (optional)
    encoder.onnx        the encoder itself, with its card encoder.onnx.json (optional)

Head, gallery and prior carry the fingerprint of the geocells they were built for; it is checked on loading.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float, check_latlon, to_unit
from geoagent.places.geocells import Geocells
from geoagent.resources import data_dir
from geoagent.types import Int, log_normalise
from geoagent.worlds.gallery import Gallery, GalleryHead, Prototypes
from geoagent.worlds.head import CellHead

FORMAT = "geoagent.world/1"
_META, _PRIOR, _ENCODER = "world.json", "prior.npz", "encoder.npz"
ENCODER_FILES = ("encoder.onnx", "encoder.onnx.json")
"""Files of a world that hold its encoder; the world's encoder options name the first one."""

__all__ = ["Gallery", "Support", "World", "add_photos"]


@dataclass(frozen=True, eq=False, slots=True)
class Support:
    """Distribution of photos inside the cells, as S weighted places.

    Attributes:
        latlon: `(S, 2)` degrees.
        cell: `(S,)` cell of each place.
        log_share: `(S,)` log of each place's share of its cell; the shares of a cell sum to 1.
        extent_km: `(S,)` typical distance of photos from the place.
    """

    latlon: Float
    cell: Int
    log_share: Float
    extent_km: Float

    def __post_init__(self) -> None:
        latlon = check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2))
        arrays = {
            "latlon": latlon,
            "cell": np.asarray(self.cell, dtype=np.int64),
            "log_share": np.asarray(self.log_share, dtype=np.float64),
            "extent_km": np.asarray(self.extent_km, dtype=np.float64),
        }
        for name, array in arrays.items():
            if len(array) != len(latlon):
                raise ShapeError(f"Support.{name}: expected {len(latlon)} rows, got {len(array)}")
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @classmethod
    def of_centroids(cls, cells: Geocells) -> Support:
        """Represent each cell by its centroid."""
        count = len(cells)
        return cls(cells.centroids, np.arange(count), np.zeros(count), np.maximum(cells.radius_km, 1.0))


@dataclass(frozen=True, eq=False)
class World:
    """One world; the module docstring describes its folder.

    Attributes:
        name: display name.
        cells: the geocells.
        log_prior: `(C,)` natural log of the prior over cells, before any evidence; logsumexp 0.
        support: where photos are inside the cells.
        head: embedding to cells: the classifier's, or one over the gallery's places; None where no encoder was trained.
        gallery: training photos for retrieval, or None.
        encoder: configuration of the encoder for head and gallery ({"name": …, options}), or None.
        calibration: fitted numbers (temperatures, reliabilities, refinement settings) by name.
        card: its sources, author and metrics.
        prototypes: clusters of the gallery's photos inside the cells, or None.
        encoder_arrays: arrays the encoder needs besides its own weights, by name (GeoCLIP's image head); often empty.
        encoder_files: files that hold the encoder, by their names in the folder (`ENCODER_FILES`); often empty.
    """

    name: str
    cells: Geocells
    log_prior: Float
    support: Support
    head: CellHead | GalleryHead | None = None
    gallery: Gallery | None = None
    encoder: Mapping[str, Any] | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    card: Mapping[str, Any] = field(default_factory=dict)
    prototypes: Prototypes | None = None
    encoder_arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)
    encoder_files: Mapping[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        count = len(self.cells)
        prior = log_normalise(self.log_prior)
        if prior.shape != (count,):
            raise WorldError(f"expected a prior over {count} geocells, got shape {prior.shape}")
        if not np.isfinite(prior).all():
            raise WorldError("the prior of a geocell is zero; every cell needs some")
        prior.setflags(write=False)
        object.__setattr__(self, "log_prior", prior)
        for part, cell in (("support", self.support.cell), ("gallery", getattr(self.gallery, "cell", np.zeros(0)))):
            if len(cell) and not (int(cell.min()) >= 0 and int(cell.max()) < count):
                raise WorldError(f"the {part} names geocells that do not exist (there are {count})")
        if self.head is not None and (self.head.cells != self.cells.fingerprint or _size(self.head) != count):
            raise WorldError(
                f"the head was trained for geocells {self.head.cells}, but the world has {self.cells.fingerprint}"
            )
        if self.head is not None and self.gallery is not None and self.gallery.dim != self.head.query_dim:
            raise WorldError(
                f"the head queries with {self.head.query_dim} dimensions, but the gallery has {self.gallery.dim}"
            )
        if self.prototypes is not None:
            rows = 0 if self.gallery is None else len(self.gallery)
            if len(self.prototypes) and not (
                int(self.prototypes.member.max()) < rows and int(self.prototypes.cell[-1]) < count
            ):
                raise WorldError(
                    f"the prototypes name photos or cells that do not exist (there are {rows} and {count})"
                )

    @cached_property
    def country_prior(self) -> Mapping[str, float]:
        """Prior probability of each country that has cells."""
        mass = self.cells.by_country(self.prior)
        return MappingProxyType(dict(zip(self.cells.country_codes, mass.tolist(), strict=True)))

    @cached_property
    def prior(self) -> Float:
        """`(C,)` prior probability of each cell."""
        return np.asarray(np.exp(self.log_prior), dtype=np.float64)

    @cached_property
    def support_share(self) -> Float:
        """`(S,)` share of each support place in its cell."""
        return np.asarray(np.exp(self.support.log_share), dtype=np.float64)

    @cached_property
    def support_unit(self) -> Float:
        """`(S, 3)` unit vectors of the support places."""
        return to_unit(self.support.latlon)

    @cached_property
    def support_by_lat(self) -> tuple[Int, Float]:
        """Rows of the support from south to north, `(S,)`, and their latitudes."""
        order = np.argsort(self.support.latlon[:, 0], kind="stable")
        return order.astype(np.int64), self.support.latlon[order, 0]

    @cached_property
    def densest(self) -> Float:
        """`(C, 2)` degrees: the support place with most of each cell's photos, or its centroid."""
        places = self.cells.centroids.copy()
        order = np.argsort(self.support.log_share, kind="stable")
        places[self.support.cell[order]] = self.support.latlon[order]
        return places

    @cached_property
    def support_of_cell(self) -> tuple[Int, Int]:
        """Support sorted by cell: `order (S,)` and `start (C + 1,)`; cell c owns `order[start[c]:start[c + 1]]`."""
        order = np.argsort(self.support.cell, kind="stable")
        start = np.searchsorted(self.support.cell[order], np.arange(len(self.cells) + 1))
        return order.astype(np.int64), start.astype(np.int64)

    def summary(self) -> dict[str, Any]:
        """Return the description of the world that an answer includes."""
        return {
            "name": self.name,
            "fingerprint": self.cells.fingerprint,
            "cells": len(self.cells),
            "countries": len(self.cells.country_codes),
            "encoder": (self.encoder or {}).get("name"),
            "head": self.head is not None,
            "gallery": 0 if self.gallery is None else len(self.gallery.refs),
        }

    def save(self, folder: str | Path) -> Path:
        """Write the world as one folder, atomically.

        Raises:
            WorldError: the folder exists and is not a world (only worlds are overwritten).
        """
        target = Path(folder)
        if target.exists() and any(target.iterdir()) and not (target / _META).exists():
            raise WorldError(f"{target} exists and is not a world; choose another folder")
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            self._write(made)
            if target.exists():
                shutil.rmtree(target)
            os.chmod(made, 0o755)
            made.rename(target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        return target

    def _write(self, folder: Path) -> None:
        self.cells.save(folder)
        np.savez_compressed(
            folder / _PRIOR,
            cells=np.str_(self.cells.fingerprint),
            log_prior=self.log_prior.astype(np.float32),
            latlon=self.support.latlon.astype(np.float32),
            cell=self.support.cell.astype(np.int32),
            log_share=self.support.log_share.astype(np.float16),
            extent_km=self.support.extent_km.astype(np.float16),
        )
        if self.head is not None:
            self.head.save(folder)
        if self.gallery is not None:
            self.gallery.save(folder, self.cells.fingerprint)
        if self.prototypes is not None:
            self.prototypes.save(folder, self.cells.fingerprint)
        if self.encoder_arrays:
            np.savez_compressed(folder / _ENCODER, **dict[str, Any](self.encoder_arrays))
        for name, path in self.encoder_files.items():
            shutil.copyfile(path, folder / name)
        meta = {
            "format": FORMAT,
            "name": self.name,
            "fingerprint": self.cells.fingerprint,
            "encoder": None if self.encoder is None else dict(self.encoder),
            "calibration": dict(self.calibration),
            "card": dict(self.card),
        }
        (folder / _META).write_text(json.dumps(meta, indent=2, ensure_ascii=False, sort_keys=True) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: str | Path | None = None) -> World:
        """Load a world; without a folder, the starter world that ships with geoagent.

        Raises:
            WorldError: the folder is not a world, is damaged, or its parts do not match.
        """
        path = data_dir("gazetteer") / "starter-world" if folder is None else Path(folder)
        meta = _read_meta(path)
        cells = Geocells.load(path)
        prior = _read_npz(path / _PRIOR, "cells", "log_prior", "latlon", "cell", "log_share", "extent_km")
        support = Support(prior["latlon"], prior["cell"], prior["log_share"], prior["extent_km"])
        for part, mark in (("world.json", meta["fingerprint"]), (_PRIOR, str(prior["cells"]))):
            if mark != cells.fingerprint:
                raise WorldError(f"{path}: {part} was made for geocells {mark}, these are {cells.fingerprint}")
        gallery = Gallery.load(path, cells.fingerprint)
        return cls(
            name=str(meta["name"]),
            cells=cells,
            log_prior=prior["log_prior"].astype(np.float64),
            support=support,
            head=CellHead.load(path) or GalleryHead.load(path, gallery),
            gallery=gallery,
            encoder=meta.get("encoder"),
            calibration=meta.get("calibration") or {},
            card=meta.get("card") or {},
            prototypes=Prototypes.load(path, cells.fingerprint),
            encoder_arrays=_read_npz(path / _ENCODER) if (path / _ENCODER).exists() else {},
            encoder_files={name: path / name for name in ENCODER_FILES if (path / name).is_file()},
        )


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        meta = json.loads((path / _META).read_text("utf-8"))
    except FileNotFoundError as error:
        raise WorldError(f"{path} is not a world: it has no {_META}") from error
    except (OSError, ValueError) as error:
        raise WorldError(f"{path / _META} cannot be read: {error}") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        found = meta.get("format") if isinstance(meta, dict) else type(meta).__name__
        raise WorldError(f"{path}: expected format {FORMAT}, found {found!r}")
    missing = [key for key in ("name", "fingerprint") if key not in meta]
    if missing:
        raise WorldError(f"{path / _META}: {', '.join(missing)} is missing")
    return meta


def _size(head: CellHead | GalleryHead) -> int:
    return head.count if isinstance(head, GalleryHead) else len(head.weight)


def _read_npz(path: Path, *names: str) -> dict[str, np.ndarray[Any, Any]]:
    try:
        with np.load(path, allow_pickle=False) as data:
            return {name: data[name] for name in names or data.files}
    except (OSError, ValueError, KeyError, EOFError) as error:
        raise WorldError(f"{path} is missing or damaged: {error}") from error


def add_photos(folder: str | Path, embeddings: ArrayLike, latlon: ArrayLike, refs: Sequence[str]) -> World:
    """Append photos to the gallery of a world folder; existing data is not rebuilt.

    Args:
        folder: the world's folder; the world is reloaded and returned.
        embeddings: `(N, D)` embeddings from the world's encoder.
        latlon: `(N, 2)` degrees.
        refs: N names.

    Raises:
        WorldError: the world has no gallery, or cannot be read.
        ShapeError: the arrays' shapes do not match, or D differs from the world's.
    """
    world = World.load(folder)
    if world.gallery is None:
        raise WorldError(f"the world {world.name!r} has no gallery to add photos to")
    if isinstance(world.head, GalleryHead):
        raise WorldError(f"the gallery of the world {world.name!r} serves as its head; photos cannot be added to it")
    cell = world.cells.assign(latlon)
    embeddings = embeddings if world.head is None else world.head.query(embeddings)
    world.gallery.append_on_disk(world.cells.fingerprint, embeddings, latlon, cell, refs)
    return World.load(folder)

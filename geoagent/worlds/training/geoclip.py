"""World from GeoCLIP's published location encoder and gallery, without training.

Vivanco Cepeda, Nayak & Shah 2023, "GeoCLIP: Clip-Inspired Alignment between Locations and Images for Effective
Worldwide Geo-localization". The weights (MIT licence) are read from the PyPI package `geoclip`; its code is not run.
The package re-embeds its 100,000 gallery points for every photo and applies a softmax to all of them, which favours
places with many Flickr photos. Here points are embedded once, duplicates count once, and inside a cell each point is
weighted by the land area that it represents.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ConfigError, ResourceError, WorldError
from geoagent.evidence.encoders.geoclip import LAYERS
from geoagent.optional import needs
from geoagent.places.geo import Float, check_latlon, haversine_km
from geoagent.types import Float32, Int
from geoagent.worlds.gallery import Gallery, GalleryHead, Storage
from geoagent.worlds.world import World

Prior = Literal["world", "gallery"]
_WEIGHTS = "model/weights/{}_weights.pth"
_GALLERY = "model/gps_gallery/coordinates_100K.csv"
_NEAR = 8  # rank of the neighbour whose distance measures the gallery's density at a point
_LAND_KM = (0.5, 50.0)  # minimum and maximum radius of the land that a point represents
_EARTH = (1.340264, -0.081106, 0.000893, 0.003796)  # Equal Earth (Šavrič, Patterson & Jenny 2018), A1 to A4
_SCALE = (66.50336, 180.0)  # GeoCLIP's constants: multiplied by the first, divided by the second


@dataclass(frozen=True, eq=False, slots=True)
class GeoClip:
    """The package's published data.

    Attributes:
        location: weights of the location encoder, by name.
        image: weights of the two layers on CLIP's features, by name.
        scale: factor on cosines.
        gallery: `(N, 2)` degrees, as published.
        source: origin: file name, and SHA-256 of the location encoder.
    """

    location: Mapping[str, Float32]
    image: Mapping[str, Float32]
    scale: float
    gallery: Float
    source: Mapping[str, str]


def read_geoclip(source: str | Path | None = None) -> GeoClip:
    """Read the published weights and gallery.

    Args:
        source: the wheel of the package `geoclip`, or the folder of the package; None for the installed package.

    Raises:
        ResourceError: the package is missing, or is something else.
        MissingDependency: torch, needed to read the weights, is not installed.
    """
    if source is None:
        spec = importlib.util.find_spec("geoclip")
        if spec is None or not spec.submodule_search_locations:
            raise ResourceError(
                "the package geoclip is not installed: run pip install --no-deps geoclip, or give its wheel "
                "(pip download --no-deps geoclip)"
            )
        source = next(iter(spec.submodule_search_locations))
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            inside = path / "geoclip" if (path / "geoclip").is_dir() else path
            parts = {name: (inside / name).read_bytes() for name in _files()}
        else:
            with zipfile.ZipFile(path) as wheel:
                parts = {name: wheel.read(f"geoclip/{name}") for name in _files()}
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise ResourceError(f"{path} is not the package geoclip with its weights: {error}") from error
    location, image = (_tensors(parts[_WEIGHTS.format(name)]) for name in ("location_encoder", "image_encoder_mlp"))
    scale = _tensors(parts[_WEIGHTS.format("logit_scale")])[""]
    missing = [name for name in LAYERS if name not in image] + [
        n for n in ("LocEnc0.capsule.0.b",) if n not in location
    ]
    if missing:
        raise ResourceError(f"{path} does not have GeoCLIP's weights: {', '.join(missing)} missing")
    rows = list(csv.DictReader(io.StringIO(parts[_GALLERY].decode("utf-8-sig"))))
    gallery = check_latlon([(float(row["LAT"]), float(row["LON"])) for row in rows])
    digest = hashlib.sha256(parts[_WEIGHTS.format("location_encoder")]).hexdigest()
    return GeoClip(
        location, image, float(np.exp(scale)), gallery, {"file": path.name, "location_encoder_sha256": digest}
    )


def _files() -> list[str]:
    return [*(_WEIGHTS.format(name) for name in ("location_encoder", "image_encoder_mlp", "logit_scale")), _GALLERY]


def _tensors(raw: bytes) -> dict[str, Float32]:
    """Read a file of plain weights as arrays by name; a single tensor has the name ""."""
    with needs("vision", "torch"):
        import torch
    try:
        found = torch.load(io.BytesIO(raw), map_location="cpu", weights_only=True)
    except Exception as error:  # torch and pickle raise different exceptions
        raise ResourceError(
            f"weights of the package geoclip cannot be read: {' '.join(str(error).split())[:200]}"
        ) from error
    named = found if isinstance(found, Mapping) else {"": found}
    return {str(name): np.asarray(tensor.detach().numpy(), dtype=np.float32) for name, tensor in named.items()}


def equal_earth(latlon: ArrayLike) -> Float32:
    """Return places `(N, 2)`, degrees, in the Equal Earth projection at GeoCLIP's scale: `(N, 2)` float32 x, y.

    Computed in float32 with torch, in the package's order of operations: the finest capsule turns another rounding of
    the last digit into differences of 2e-4 between cosines.
    """
    with needs("vision", "torch"):
        import torch
    degrees = torch.from_numpy(check_latlon(latlon).astype(np.float32))
    lat, lon = torch.deg2rad(degrees[:, 0]), torch.deg2rad(degrees[:, 1])
    root = torch.sqrt(torch.tensor(3.0))
    theta = torch.asin((root / 2) * torch.sin(lat))
    a1, a2, a3, a4 = _EARTH
    below = 3 * (9 * a4 * theta**8 + 7 * a3 * theta**6 + 3 * a2 * theta**2 + a1)
    x = (2 * root * lon * torch.cos(theta)) / below
    y = a4 * theta**9 + a3 * theta**7 + a2 * theta**3 + a1 * theta
    scaled = (torch.stack((x, y), dim=1) * _SCALE[0]) / _SCALE[1]
    return np.asarray(scaled.numpy(), dtype=np.float32)


def embed_places(
    location: Mapping[str, Float32],
    latlon: ArrayLike,
    *,
    batch_size: int = 4096,
    progress: Callable[[int, int], None] | None = None,
) -> Float32:
    """Return GeoCLIP's embeddings of places.

    Sums three random-Fourier capsules over one projection, each with its own four layers.

    Args:
        location: weights by name, as `GeoClip.location`.
        latlon: `(N, 2)` degrees.
        batch_size: places per batch.
        progress: called with (done, N) after each batch.

    Returns:
        `(N, 512)` float32 rows, not normalised.
    """
    places = equal_earth(latlon)
    capsules = sorted({name.split(".")[0] for name in location})
    out = np.zeros((len(places), len(location[f"{capsules[0]}.head.0.bias"])), dtype=np.float32)
    for begin in range(0, len(places), batch_size):
        part = places[begin : begin + batch_size]
        for capsule in capsules:
            phase = np.float32(2 * np.pi) * part @ location[f"{capsule}.capsule.0.b"].T
            x = np.concatenate([np.cos(phase), np.sin(phase)], axis=1)
            for layer in ("capsule.1", "capsule.3", "capsule.5"):
                x = x @ location[f"{capsule}.{layer}.weight"].T + location[f"{capsule}.{layer}.bias"]
                np.maximum(x, 0, out=x)
            out[begin : begin + batch_size] += x @ location[f"{capsule}.head.0.weight"].T
            out[begin : begin + batch_size] += location[f"{capsule}.head.0.bias"]
        if progress is not None:
            progress(min(begin + batch_size, len(places)), len(places))
    return out


def land_weights(latlon: Float) -> Float:
    """Return the share of its cell that each gallery point represents, `(N,)`, sum 1.

    A point represents an area equal to the squared distance to its eighth neighbour (or the last, if fewer): the
    inverse of the local density of points.
    """
    if len(latlon) == 1:
        return np.ones(1)
    far = np.empty(len(latlon))
    which = min(_NEAR, len(latlon) - 1)
    for begin in range(0, len(latlon), 512):
        distance = haversine_km(latlon[begin : begin + 512, None, :], latlon)
        far[begin : begin + 512] = np.partition(distance, which, axis=1)[:, which]
    area = np.clip(far, *_LAND_KM) ** 2
    return np.asarray(area / area.sum(), dtype=np.float64)


def make_geoclip_world(
    source: str | Path | GeoClip | None = None,
    *,
    base: World | None = None,
    prior: Prior = "world",
    storage: Storage = "float16",
    temperature: float = 1.0,
    checkpoint: str | Path | None = None,
    name: str = "geoclip",
    progress: Callable[[int, int], None] | None = None,
) -> World:
    """Build a world that scores photos with GeoCLIP.

    p(cell | photo) ∝ Σ over the cell's gallery points g of weight_g · exp(scale · cos(photo, g) / temperature).

    Args:
        source: as for `read_geoclip`, or its result.
        base: world whose geocells, prior and support to use; None for the starter world.
        prior: "world" gives each cell the mass of `base`'s prior, divided by the land area of its points;
            "gallery" weights all points equally, as the package does.
        storage: of the gallery: "float32", "float16" or "8bit".
        temperature: above 1 makes answers less confident; GeoCLIP publishes no calibration.
        checkpoint: a file or folder of CLIP's ViT-L/14 weights, stored in the world's settings; None for the default
            cache of open_clip's "openai" weights.
        name: name of the world.
        progress: called with (done, N) while the gallery is embedded.

    Raises:
        ResourceError: GeoCLIP's weights are missing.
        ConfigError: an invalid option.
    """
    if prior not in ("world", "gallery"):
        raise ConfigError(f"prior must be 'world' or 'gallery', got {prior!r}")
    if not temperature > 0:
        raise ConfigError(f"temperature must be positive, got {temperature}")
    parts = source if isinstance(source, GeoClip) else read_geoclip(source)
    world = World.load() if base is None else base
    published = np.unique(parts.gallery, axis=0)
    latlon, cell = _every_cell(published, world)
    log_weight = np.zeros(len(latlon))
    if prior == "world":
        for rows in np.split(np.argsort(cell, kind="stable"), np.cumsum(np.bincount(cell))[:-1]):
            log_weight[rows] = np.log(land_weights(latlon[rows])) + world.log_prior[cell[rows[0]]]
    embeddings = embed_places(parts.location, latlon, progress=progress)
    refs = [f"GeoCLIP gallery {i}" if i < len(published) else f"cell {c}" for i, c in enumerate(cell.tolist())]
    gallery = Gallery.make(embeddings, latlon, cell, refs, storage=storage)
    encoder: dict[str, Any] = {"name": "geoclip"}
    if checkpoint is not None:
        encoder["checkpoint"] = str(checkpoint)
    head = GalleryHead(
        gallery, len(world.cells), log_weight, parts.scale, "geoclip", world.cells.fingerprint, temperature
    )
    card = {
        "made_by": "GeoCLIP's published weights, without training",
        "licence": "MIT (GeoCLIP); CLIP's own weights are not part of this world",
        "cite": "Vivanco Cepeda, Nayak & Shah 2023, GeoCLIP, arXiv:2309.16020",
        "source": dict(parts.source),
        "gallery": {
            "published": len(parts.gallery),
            "different": len(published),
            "added_for_empty_cells": len(latlon) - len(published),
            "prior": prior,
        },
        "cells_of": world.name,
        "calibrated": False,
    }
    return World(
        name=name,
        cells=world.cells,
        log_prior=world.log_prior,
        support=world.support,
        head=head,
        gallery=gallery,
        encoder=encoder,
        calibration={"alpha": parts.scale / temperature},
        card=card,
        encoder_arrays=dict(parts.image),
    )


def _every_cell(published: Float, world: World) -> tuple[Float, Int]:
    """The published points and their cells; cells without points get their support places."""
    cell = world.cells.assign(published)
    empty = np.setdiff1d(np.arange(len(world.cells)), cell)
    order, start = world.support_of_cell
    places, cells = [published], [cell]
    for each in empty.tolist():
        rows = order[start[each] : start[each + 1]]
        best = rows[np.argsort(-world.support.log_share[rows], kind="stable")[:_NEAR]]
        spots = world.support.latlon[best] if len(best) else world.cells.centroids[each : each + 1]
        places.append(spots)
        cells.append(np.full(len(spots), each))
    found = np.concatenate(cells)
    if len(found) == 0:
        raise WorldError("the gallery of GeoCLIP is empty")
    return np.concatenate(places), found.astype(np.int64)

"""Picture halves: fetched, made into worlds that need neither torch nor a text tower, recorded as default, removed."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from geoagent import plugs
from geoagent.errors import DownloadError, GeoAgentError, MissingDependency, ResourceError, WeightsError, WorldError
from geoagent.evidence.encoders._clip import logit_scale
from geoagent.evidence.photos import open_photo
from geoagent.optional import DISTRIBUTION
from geoagent.places.gazetteer import Gazetteer
from geoagent.prompts import Prompt
from geoagent.resources import data_dir
from geoagent.types import Photo
from geoagent.worlds import home, hub
from geoagent.worlds.catalogue import EYES, Eyes, OcrModel
from geoagent.worlds.downloads import Patience, Remote, Tell, alone, download, of_disk
from geoagent.worlds.head import CellHead
from geoagent.worlds.training.content_free import calibrate, content_free_photos
from geoagent.worlds.training.tower import Exported, export_tower
from geoagent.worlds.training.zeroshot import PROMPTS, all_sentences, cell_names, sentence_rows
from geoagent.worlds.world import ENCODER_FILES, World

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
_NEEDED = ("torch", "open_clip", "onnx", "huggingface_hub")
ACCURACY = (
    "not measured: these weights were never run on photos with known places where this was written; "
    "geoagent evaluate --photos measures it"
)


def get_eyes(
    entry: Eyes,
    *,
    folder: Path | None = None,
    base: World | None = None,
    keep: bool = False,
    tell: Tell | None = None,
    patience: Patience | None = None,
) -> Path:
    """Fetch a picture half, make its world and record it as default; one that is here is only recorded.

    Args:
        entry: the picture half.
        folder: folder in which to make the world's folder; None for the folder of worlds.
        base: world whose geocells to use; None for the starter world.
        keep: keep the downloaded weights.
        tell: progress callback.
        patience: as for `downloads.download`.

    Returns:
        The world's folder.

    Raises:
        MissingDependency: the extra `vision` is not installed.
        DownloadError: the weights cannot be fetched.
        WeightsError: they are not those of an image-text model, or its tower cannot be exported.
        ResourceError: GeoCLIP's package is not installed.
        WorldError: the folder exists and is no world.
    """
    root = home.home() if folder is None else folder
    target = root / entry.name
    if not (target / "world.json").is_file():
        _check_installed(entry)
        with _writable(root), alone(root / f".{entry.name}.lock", f"{entry.name!r} into {root}"):
            if not (target / "world.json").is_file():  # another process may have made it meanwhile
                try:
                    _make(entry, root, base, keep, tell, patience)
                except OSError as error:
                    if isinstance(error, GeoAgentError):
                        raise
                    raise of_disk(error, target) from error
    home.set_default(entry.name if folder is None else target)
    return target


def _check_installed(entry: Eyes) -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingDependency(
            f"{', '.join(missing)} not installed, needed once to make the picture half; run: "
            f"pip install '{DISTRIBUTION}[vision]'"
        )
    if entry.kind == "geoclip" and importlib.util.find_spec("geoclip") is None:
        raise ResourceError("the package geoclip is not installed; run: pip install --no-deps geoclip")


@contextmanager
def _writable(root: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise DownloadError(f"{root} cannot be written: {error.strerror}; choose another place with --dir") from error


def _downloads(root: Path, name: str) -> Path:
    return root / ".downloads" / name


def _make(
    entry: Eyes, root: Path, base: World | None, keep: bool, tell: Tell | None, patience: Patience | None
) -> None:
    weights = _downloads(root, entry.name)
    how: dict[str, Any] = {"revision": entry.revision or "main", "tell": tell, "patience": patience}
    _, commit, _ = hub.fetch(entry.repository, (CONFIG,), weights, **how)
    how["revision"] = commit  # both files of one commit
    file, _, sha256 = hub.fetch(entry.repository, WEIGHTS, weights, sha256=entry.sha256, **how)
    world = World.load() if base is None else base
    making = _geoclip if entry.kind == "geoclip" else _zeroshot
    made, exported = making(entry, world, weights, tell)
    card = {
        **made.card,
        "licence": entry.licence,
        "weights": {"repository": entry.repository, "commit": commit, "file": file.name, "sha256": sha256},
        "encoder": {"form": exported.form, "cosine_to_model": dict(exported.cosines), "mb": exported.size_mb},
        "accuracy": ACCURACY,
    }
    encoder = {"name": "onnx", "model": ENCODER_FILES[0]}
    replace(made, encoder=encoder, encoder_files=exported.files, encoder_arrays={}, card=card).save(root / entry.name)
    if not keep:
        shutil.rmtree(weights, ignore_errors=True)


def _telling(tell: Tell | None, what: str) -> Callable[[int, int], None] | None:
    return None if tell is None else lambda done, total: tell(what, done, total)


def _seen() -> list[Photo]:
    """Photos on which an exported tower is compared with its model."""
    shipped = sorted((data_dir("examples") / "photos").glob("*.jpg"))
    return [open_photo(path) for path in shipped] + content_free_photos(6, seed=1)


def _zeroshot(entry: Eyes, base: World, weights: Path, tell: Tell | None) -> tuple[World, Exported]:
    encoder = plugs.build("encoders", "open_clip", None, checkpoint=weights, device="cpu")
    most = logit_scale(encoder)
    if most is None:
        raise WeightsError(f"{encoder.name} has no logit scale: it is no image-text model")
    exported = export_tower(encoder, weights, _seen(), name=entry.name)
    photos = content_free_photos()
    nothing = np.concatenate([encoder([photo]) for photo in photos])
    said = all_sentences(Prompt.load(PROMPTS), cell_names(base, Gazetteer.load()))
    rows = sentence_rows(
        encoder, said, architecture=f"local-dir:{weights}", progress=_telling(tell, "reading sentences")
    )
    mean, scale, moved = calibrate(rows, nothing, base.log_prior, most)
    head = CellHead(
        weight=rows * np.float32(scale),
        bias=base.log_prior.astype(np.float32),
        encoder=f"onnx:{entry.name}",
        cells=base.cells.fingerprint,
        mean=mean,
    )
    card = {
        "made_by": "an image-text model and several sentences a geocell, without training",
        "prompt": PROMPTS,
        "sentences": len({line for lines in said for line in lines}),
        "example": said[int(base.log_prior.argmax())],
        "scale": scale,
        "scale_of_model": most,
        "moved_by_nothing_nats": round(moved, 4),
        "cells_of": base.name,
        "calibrated": "on pictures without content alone",
    }
    made = World(entry.name, base.cells, base.log_prior, base.support, head=head, card=card)
    return made, exported


def _geoclip(entry: Eyes, base: World, weights: Path, tell: Tell | None) -> tuple[World, Exported]:
    from geoagent.evidence.encoders.geoclip import LAYERS, GeoClipEncoder
    from geoagent.worlds.training.geoclip import make_geoclip_world

    made = make_geoclip_world(base=base, name=entry.name, progress=_telling(tell, "embedding the gallery"))
    clip = plugs.build("encoders", "open_clip", None, checkpoint=weights, device="cpu")
    layers = [np.asarray(made.encoder_arrays[name], dtype=np.float32) for name in LAYERS]
    if clip.dim != layers[0].shape[1]:
        raise WeightsError(f"{clip.name} gives {clip.dim} numbers, GeoCLIP's image layers want {layers[0].shape[1]}")
    photos = _seen()
    wanted = GeoClipEncoder(clip, layers)(photos)
    return made, export_tower(clip, weights, photos, name=entry.name, layers=layers, wanted=wanted)


def remove(name: str, folder: Path | None = None) -> tuple[Path, Path | None]:
    """Remove a picture half and its downloads; if it was the default, the best remaining one becomes it.

    Args:
        name: name of the entry.
        folder: the folder it was made in; None for the folder of worlds, or the one that is recorded.

    Returns:
        The removed folder, and the default world now; None for the starter world.

    Raises:
        WorldError: it is not here.
    """
    default = home.default()
    root = folder or (default.parent if default is not None and default.name == name else home.home())
    target = root / name
    if not (target / "world.json").is_file() and not _downloads(root, name).exists():
        raise WorldError(f"no picture half {name!r} in {root}; nothing to remove")
    shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(_downloads(root, name), ignore_errors=True)
    if home.default() is None:
        left = [entry for entry in EYES if (entry.world / "world.json").is_file()]
        home.set_default(max(left, key=lambda entry: entry.rank).name if left else None)
    return target, home.default()


def get_ocr(model: OcrModel, folder: Path | None = None, tell: Tell | None = None) -> Path:
    """Fetch the files of a recogniser.

    Args:
        model: the recogniser.
        folder: where to put them; None for its own folder in the cache.
        tell: progress callback.

    Returns:
        The folder.

    Raises:
        DownloadError: a file cannot be fetched.
    """
    target = model.folder if folder is None else folder / model.name
    for address, sha256 in model.files.items():
        download(Remote(address, sha256=sha256, version=sha256), target / address.rsplit("/", 1)[-1], tell=tell)
    return target

"""Random weights of GeoCLIP's architecture, small; and a package that holds them as the published one does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

RNG = np.random.default_rng(0)


def capsule_weights(hidden=16, out=8, features=6):
    """Random weights of GeoCLIP's architecture, small."""
    weights = {}
    for i, sigma in enumerate((1.0, 16.0, 256.0)):
        weights[f"LocEnc{i}.capsule.0.b"] = RNG.normal(size=(features, 2)) * sigma
        for layer, (rows, columns) in (
            ("capsule.1", (hidden, 2 * features)),
            ("capsule.3", (hidden, hidden)),
            ("capsule.5", (hidden, hidden)),
            ("head.0", (out, hidden)),
        ):
            weights[f"LocEnc{i}.{layer}.weight"] = RNG.normal(size=(rows, columns)) / np.sqrt(columns)
            weights[f"LocEnc{i}.{layer}.bias"] = RNG.normal(size=rows) * 0.1
    return {name: np.asarray(array, dtype=np.float32) for name, array in weights.items()}


def image_weights(into=16, out=8):
    shapes = {"0.weight": (into, into), "0.bias": (into,), "2.weight": (out, into), "2.bias": (out,)}
    return {name: RNG.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def write_package(folder: Path, latlon) -> Path:
    """A package `geoclip` in `folder`, with random weights and a gallery."""
    import torch

    inside = folder / "geoclip" / "model"
    for name in ("weights", "gps_gallery"):
        (inside / name).mkdir(parents=True)
    (folder / "geoclip" / "__init__.py").write_text("", "utf-8")
    for name, arrays in (("location_encoder", capsule_weights()), ("image_encoder_mlp", image_weights())):
        tensors = {key: torch.from_numpy(array) for key, array in arrays.items()}
        torch.save(tensors, inside / "weights" / f"{name}_weights.pth")
    torch.save(torch.tensor(np.log(20.0)), inside / "weights" / "logit_scale_weights.pth")
    rows = "".join(f"{lat},{lon}\n" for lat, lon in latlon)
    (inside / "gps_gallery" / "coordinates_100K.csv").write_text("LAT,LON\n" + rows, "utf-8")
    return folder

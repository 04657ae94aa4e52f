"""Cost of a picture half: CPU time a photo by model, runtime, form and batch; time to load; peak memory.

The models have random weights of the true architectures: time and memory do not depend on what the weights know. Each
row is measured in a process of its own. Times are also given relative to torch with one photo, in the same run.

    python benchmarks/bench_eyes.py [--models fast best geoclip] [--photos 8] [--threads 1]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from _shared import table

CROPPED = {"interpolation": "bicubic", "resize_mode": "shortest"}
OPENAI = {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}
SQUASHED = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bilinear", "resize_mode": "squash"}
MODELS = {
    "fast": ("ViT-B-32-256", {"size": 256, **OPENAI, **CROPPED}),
    "best": ("PE-Core-B-16", {"size": 224, **SQUASHED}),
    "geoclip": ("ViT-L-14-quickgelu", {"size": 224, **OPENAI, **CROPPED}),
}
FORMS = ("single", "half", "eight_bit")


def photos(count: int) -> list[Any]:
    """Photos of 800 × 600 noise."""
    from geoagent.types import Photo

    rng = np.random.default_rng(4)
    return [Photo(rng.integers(0, 255, (600, 800, 3), dtype=np.uint8)) for _ in range(count)]


def make(name: str, folder: Path) -> dict[str, Any]:
    """Write the model with both towers, and its image tower in each form; the least cosines of each form."""
    from safetensors.torch import save_file

    from geoagent import plugs
    from geoagent.errors import WeightsError
    from geoagent.evidence.encoders.open_clip import open_clip
    from geoagent.worlds.training.content_free import content_free_photos
    from geoagent.worlds.training.tower import export_tower

    architecture, look = MODELS[name]
    model = open_clip.create_model(architecture)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, folder / "open_clip_model.safetensors")
    del model
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": look}
    (folder / "open_clip_config.json").write_text(json.dumps(config), "utf-8")
    encoder = plugs.build("encoders", "open_clip", None, checkpoint=folder, device="cpu")
    seen = [*photos(4), *content_free_photos(8)]
    cosines = {}
    for form in FORMS:
        try:
            cosines[form] = export_tower(encoder, folder / form, seen, name=name, forms=(form,)).cosines[form]
        except WeightsError as error:
            cosines[form] = "refused: " + str(error).rpartition(": ")[2].rstrip(")}")
    return cosines


def peak_mb() -> float:
    """Peak memory of this process in MB; NaN where the system does not tell."""
    status = Path("/proc/self/status")  # getrusage would give the parent's peak where that is higher
    lines = status.read_text("utf-8").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), float("nan"))


def cell(folder: Path, runtime: str, batch: int, count: int) -> dict[str, float]:
    """Measure one row in this process: seconds to load, CPU ms a photo, peak MB above the bare program."""
    from geoagent import plugs

    pictures = photos(count)
    bare = peak_mb()
    begin = time.process_time()
    if runtime == "torch":
        encoder = plugs.build("encoders", "open_clip", None, checkpoint=folder, device="cpu", batch_size=batch)
    else:
        encoder = plugs.build("encoders", "onnx", None, model=folder / runtime / "encoder.onnx")
    load_s = time.process_time() - begin
    if runtime != "torch" and batch > 1:
        session, look = encoder._session, encoder._look

        def run(group: list[Any]) -> Any:
            ready = [look(picture) for photo in group for picture in encoder._pictures(photo)]
            return session.run(None, {"pixels": np.concatenate(ready)})
    else:
        run = encoder
    run(pictures[:batch])
    best = np.inf
    for _ in range(2):
        begin = time.process_time()
        for start in range(0, count, batch):
            run(pictures[start : start + batch])
        best = min(best, time.process_time() - begin)
    return {"load_s": load_s, "ms": best / count * 1000, "mb": peak_mb() - bare}


def main() -> None:
    """Measure every row in a process of its own, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--models", nargs="+", default=["fast", "best"], choices=list(MODELS))
    parser.add_argument("--photos", type=int, default=8)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cell", nargs=3, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.cell:
        if hasattr(os, "sched_setaffinity"):  # onnxruntime starts a thread for each core that it may use
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: asked.threads])
        folder, runtime, batch = asked.cell
        print(json.dumps(cell(Path(folder), runtime, int(batch), asked.photos)))
        return
    os.environ["OMP_NUM_THREADS"] = str(asked.threads)
    rows = []
    for name in asked.models:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            cosines = make(name, folder)
            base = None
            for runtime in ("torch", *FORMS):
                if runtime != "torch" and not (folder / runtime / "encoder.onnx").is_file():
                    continue
                for batch in (1, 4):
                    command = [sys.executable, __file__, "--cell", made, runtime, str(batch)]
                    command += ["--photos", str(asked.photos), "--threads", str(asked.threads)]
                    done = subprocess.run(command, capture_output=True, text=True, check=True)
                    got = json.loads(done.stdout.splitlines()[-1])
                    base = base or got["ms"]
                    size = sum(f.stat().st_size for f in (folder / runtime).glob("*.onnx")) / 1e6
                    kind = "torch, both towers" if runtime == "torch" else f"onnxruntime, {runtime}"
                    same = "" if runtime == "torch" else cosines[runtime]
                    costs = (round(got["ms"]), f"{got['ms'] / base:.2f}", f"{got['load_s']:.1f}", f"{got['mb']:.0f}")
                    rows.append((name, kind, batch, *costs, round(size) or "", same))
    head = ("model", "runtime", "batch", "CPU ms a photo", "ratio", "load, CPU s", "peak MB", "file MB", "cosines")
    table(head, rows)


if __name__ == "__main__":
    main()

"""Reading photos once and measuring what is believed about them, as often as needed.

Reading takes about a second a photo and weighing some ten milliseconds. So the lines of text that the default agent
reads are kept in a folder, one pickle a photo, and cues and fusion run again on every measurement. The picture itself
is not kept: a world with an encoder is not measured here.
"""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from _shared import table

from geoagent import GeoAgent
from geoagent.answer import CueReport
from geoagent.errors import PhotoError
from geoagent.evidence.observation import Observation
from geoagent.types import TextRegion, VisionEvidence
from geoagent.worlds.evaluation.metrics import ece

THRESHOLDS = (0.5, 0.7, 0.8, 0.9)
"""Confidence from which an answer counts as naming a country."""
CONFIDENT = 0.7
"""Errors from this confidence on are listed."""
_LEAST_P = 1e-6
_THREADED = ("auto", "multiscript", "rapidocr")  # engines with the option `threads`


@dataclass(frozen=True)
class Sample:
    """One photo and what is known about it.

    Attributes:
        id: unique name, which is also the path of its file in the cache.
        picture: the photo's path, or a function that draws it as encoded bytes (picklable).
        key: changes when the picture does.
        country: true country, ISO 3166-1 alpha-2; None where nothing in the photo tells it.
        groups: names of the groups that it is counted in.
        says: the text in it, as a person reads it, or "".
    """

    id: str
    picture: Path | Callable[[], bytes]
    key: str
    country: str | None
    groups: tuple[str, ...]
    says: str = ""


@dataclass(frozen=True, eq=False)
class Seen:
    """A sample as the agent read it."""

    sample: Sample
    regions: tuple[TextRegion, ...]
    size_px: tuple[int, int] | None


@dataclass(frozen=True, eq=False)
class Judged:
    """What is believed about a sample.

    Attributes:
        seen: the sample and its text.
        first: most probable country.
        confidence: its probability.
        right: probability that `first` is right: 1 or 0 where the country is known; where nothing in the photo tells
            it, the photo is from anywhere that photos are taken, and this is the prior of `first`.
        loss: −log p of the true country in nats; its mean over the prior where the country is unknown.
        gain: how much less that is than under the prior alone.
    """

    seen: Seen
    first: str
    confidence: float
    right: float
    loss: float
    gain: float

    @property
    def confident_error(self) -> bool:
        """Whether a wrong country, or any where nothing tells it, is named with confidence."""
        return self.confidence >= CONFIDENT and self.first != self.seen.sample.country


@dataclass(frozen=True)
class Figures:
    """Figures of a group.

    Attributes:
        count: photos.
        loss: mean log loss of the country in nats.
        gain: how much less than under the prior.
        ece: expected calibration error of the first country.
        named: share of photos that name a country, at each of `THRESHOLDS`.
        precision: share of those that are right; NaN where none are named.
    """

    count: int
    loss: float
    gain: float
    ece: float
    named: tuple[float, ...]
    precision: tuple[float, ...]


def read(samples: Sequence[Sample], folder: Path, *, ocr: str = "auto", workers: int = 2) -> list[Seen]:
    """Read photos, or take what is in the cache; photos that cannot be opened are left out.

    Args:
        samples: what to read.
        folder: the cache. It does not notice a change of the OCR engine: use another folder then.
        ocr: name of the engine.
        workers: number of processes.
    """
    missing = [sample for sample in samples if _cached(sample, folder) is None]
    if missing:
        print(f"reading {len(missing)} of {len(samples)} photos", flush=True)
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        with ProcessPoolExecutor(min(workers, len(missing))) as pool:
            jobs = [pool.submit(_read, sample, folder, ocr) for sample in missing]
            for number, job in enumerate(jobs, 1):
                job.result()
                if number % 100 == 0:
                    print(f"  {number}", flush=True)
    found = (_cached(sample, folder) for sample in samples)
    return [seen for seen in found if seen is not None and seen.size_px is not None]


def _cached(sample: Sample, folder: Path) -> Seen | None:
    path = folder / f"{sample.id}.pkl"
    if not path.is_file():
        return None
    key, regions, size_px = pickle.loads(path.read_bytes())
    return Seen(sample, regions, size_px) if key == sample.key else None


def _read(sample: Sample, folder: Path, ocr: str) -> None:
    picture = sample.picture if isinstance(sample.picture, Path) else sample.picture()
    try:
        observed = _agent(ocr).observe(picture)
        kept = (sample.key, observed.text.regions, observed.size_px)
    except PhotoError as error:
        print(f"  {sample.id} left out: {error}", flush=True)
        kept = (sample.key, (), None)
    path = folder / f"{sample.id}.pkl"
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(f".{os.getpid()}")
    half.write_bytes(pickle.dumps(kept))
    half.replace(path)


@cache
def _agent(ocr: str) -> GeoAgent:
    """The agent of this process; one thread each, since threads of several processes wait for each other."""
    return GeoAgent.load(ocr={"name": ocr, "threads": 1} if ocr in _THREADED else ocr)


def key_of(data: bytes | str) -> str:
    """Key of a picture from its bytes, or from all that it is drawn from."""
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()[:16]


def observed(seen: Seen, agent: GeoAgent) -> Observation:
    """The observation of a sample, understood again by `agent`; the prior stands in for the picture."""
    world = agent.assets.world
    vision = VisionEvidence(world.log_prior, world.cells.fingerprint)
    return Observation(seen.sample.id, vision, agent.understand(seen.regions), size_px=seen.size_px)


def judge(seen: Seen, agent: GeoAgent) -> Judged:
    """What the agent believes about a sample."""
    world = agent.assets.world
    codes = list(world.cells.country_codes)
    prior = world.cells.by_country(np.exp(world.log_prior))
    believed = world.cells.by_country(np.exp(agent.posterior(observed(seen, agent)).log_probs))
    first, country = int(believed.argmax()), seen.sample.country
    truth = prior if country is None else np.array([float(code == country) for code in codes])
    loss = -float(truth @ np.log(np.maximum(believed, _LEAST_P)))
    before = -float(truth @ np.log(np.maximum(prior, _LEAST_P)))
    return Judged(seen, codes[first], float(believed[first]), float(truth[first]), loss, before - loss)


def figures(rows: Sequence[Judged]) -> Figures:
    """Figures of at least one row."""
    confidence, right = (np.array([getattr(row, name) for row in rows]) for name in ("confidence", "right"))
    chosen = [confidence >= threshold for threshold in THRESHOLDS]
    return Figures(
        count=len(rows),
        loss=float(np.mean([row.loss for row in rows])),
        gain=float(np.mean([row.gain for row in rows])),
        ece=ece(confidence, right),
        named=tuple(float(mask.mean()) for mask in chosen),
        precision=tuple(float(right[mask].mean()) if mask.any() else float("nan") for mask in chosen),
    )


def print_figures(rows: Sequence[Judged], *, by_group: bool = True) -> None:
    """Print the figures of all rows, and those of every group in the order of first appearance."""
    groups = ["all", *(dict.fromkeys(group for row in rows for group in row.seen.sample.groups) if by_group else ())]
    lines = []
    for group in groups:
        own = figures([row for row in rows if group == "all" or group in row.seen.sample.groups])
        pairs = (
            f"{named:5.1%} {'-' if precision != precision else f'{precision:.0%}':>4}"
            for named, precision in zip(own.named, own.precision, strict=True)
        )
        lines.append([group, own.count, own.loss, own.gain, own.ece, *pairs])
    head = ["country: share named, and right of them", "n", "log loss", "gain", "ECE"]
    table([*head, *(f"at ≥ {threshold}" for threshold in THRESHOLDS)], lines)


def print_errors(rows: Sequence[Judged], agent: GeoAgent) -> None:
    """Print every confident error, most confident first, with the text that was read and the cues to blame."""
    wrong = sorted((row for row in rows if row.confident_error), key=lambda row: -row.confidence)
    print(f"\n{len(wrong)} confident errors (≥ {CONFIDENT}):")
    for row in wrong:
        sample = row.seen.sample
        print(f"{sample.id}: {row.first} {row.confidence:.2f}, is {sample.country or 'unknown'} [{sample.groups[-1]}]")
        if sample.says:
            print(f"    text: {sample.says}")
        print(f"    read: {' / '.join(f'{r.text} ({r.confidence:.2f})' for r in row.seen.regions)}")
        for cue in blamed(row, agent):
            print(f"    {cue.nats:+6.2f} {cue.kind} {cue.value!r} r={cue.reliability:.2f}: {cue.says}")


def blamed(row: Judged, agent: GeoAgent) -> Iterator[CueReport]:
    """The cues that raised the first country, strongest first; at most three."""
    cues = sorted(agent.answer(observed(row.seen, agent)).cues, key=lambda cue: -cue.nats)
    return iter([cue for cue in cues if cue.nats > 0][:3])

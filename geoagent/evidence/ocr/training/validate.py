"""How well a model reads rendered lines, by script, and how often what it states with a confidence is right."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from rapidfuzz.distance import Levenshtein

from geoagent.evidence.ocr._classes import logical
from geoagent.evidence.ocr._lines import tidy
from geoagent.evidence.ocr._multiscript import MultiscriptLines
from geoagent.evidence.ocr.training.charset import RIGHT_TO_LEFT
from geoagent.evidence.ocr.training.material import Material
from geoagent.evidence.ocr.training.samples import Sample, Sampler, collate, narrowest
from geoagent.types import Float32, UInt8

Read = Callable[[UInt8], Float32]
"""From lines `(B, 48, W)` grey to probabilities `(B, W / 4, K)`."""
_BATCH = 64
_LEAST_LINES = 20  # of a script, to fit its confidences
_PRIOR = 2.0  # lines' worth of belief in what a fit is drawn to
_UNCHANGED = (0.0, 1.0)  # intercept and slope with which a stated confidence is right as it is
_EDGE = 1e-3


@dataclass(frozen=True, slots=True)
class Score:
    """How well lines were read.

    Attributes:
        cer: character error rate: edits by characters of the label.
        lines_right: share of lines without an error.
        lines: how many.
    """

    cer: float
    lines_right: float
    lines: int


@dataclass(frozen=True, slots=True)
class Confidence:
    """How often a script's lines are right, given the confidence that the engine states.

    P(right) = σ(intercept + slope · logit(stated)), fitted with a weak pull to the fit of all scripts,
    and that to (0, 1), which changes nothing.

    Attributes:
        intercept: see above.
        slope: see above.
        lines: that it was fitted on, read in that script.
        stated: their mean confidence.
        right: share of them that is right, ignoring spaces.
        brier: mean squared error of the stated confidence.
        brier_fitted: likewise of the fitted one, on the same lines.
    """

    intercept: float
    slope: float
    lines: int
    stated: float
    right: float
    brier: float
    brier_fitted: float

    def apply(self, stated: ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the probability that lines with these stated confidences are right."""
        return _sigmoid(self.intercept + self.slope * _logit(stated))


def validation_lines(material: Material, per_script: int, seed: int = 99) -> list[Sample]:
    """Draw lines to validate with, in the fonts held out, with heavy damage.

    Args:
        material: words and fonts; Han and kana are left out, since they have one class.
        per_script: lines of each script that has fonts held out.
        seed: of everything random.

    Returns:
        Lines with one view each; none where no font is held out.
    """
    scripts = [script for script in material.scripts(held=True) if script != "Hani"]
    if not scripts or per_script <= 0:
        return []
    sampler = Sampler(material, seed, held=True)
    return [sample for script in scripts for sample in sampler.lines(script, per_script)]


def score(read: Read, samples: Sequence[Sample], characters: Sequence[str]) -> dict[str, Score]:
    """Measure a model, its lines decoded freely, not held to their script.

    Args:
        read: the model.
        samples: lines with one view each.
        characters: of the model, class 1 first.

    Returns:
        Scores by script, and "all".
    """
    edits: dict[str, list[tuple[int, int]]] = defaultdict(list)
    by_width: dict[int, list[Sample]] = defaultdict(list)
    for sample in samples:
        if (width := narrowest(sample.views[0].shape[1])) is not None:
            by_width[width].append(sample)
    for width, group in sorted(by_width.items()):
        for begin in range(0, len(group), _BATCH):
            some = group[begin : begin + _BATCH]
            best = read(collate([(sample.views[0], ()) for sample in some], width).images).argmax(axis=-1)
            for ids, sample in zip(best, some, strict=True):
                wrong = Levenshtein.distance(greedy(ids.tolist(), characters), sample.label)
                edits[sample.script].append((wrong, len(sample.label)))
                edits["all"].append((wrong, len(sample.label)))
    return {
        script: Score(
            sum(wrong for wrong, _ in rows) / max(1, sum(length for _, length in rows)),
            sum(wrong == 0 for wrong, _ in rows) / len(rows),
            len(rows),
        )
        for script, rows in sorted(edits.items())
    }


def greedy(ids: Sequence[int], characters: Sequence[str]) -> str:
    """Decode the best class of each step: repeats are one character, and 0 is the blank between two."""
    kept = [i for i, before in zip(ids, [-1, *ids[:-1]], strict=True) if i not in (before, 0)]
    return "".join(characters[i - 1] for i in kept)


def onnx_reader(model: Path, threads: int = 1) -> tuple[Read, tuple[str, ...]]:
    """Load an exported model.

    Args:
        model: the ONNX file.
        threads: of onnxruntime.

    Returns:
        What reads, and the model's characters.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    characters = tuple(session.get_modelmeta().custom_metadata_map["character"].split("\n"))

    def read(images: UInt8) -> Float32:
        lines = images.astype(np.float32)[:, None] / 127.5 - 1
        return np.asarray(session.run(None, {"line": lines})[0], dtype=np.float32)

    return read, characters


def readings(lines: MultiscriptLines, samples: Sequence[Sample]) -> list[tuple[str, float, bool]]:
    """Read lines as the engine does: held to their script, with a second look where unsure.

    Returns:
        Script, stated confidence, and whether the text is right but for its spaces; only lines read in their script.
    """
    found = []
    for sample in samples:
        crop = np.repeat(sample.views[0][:, :, None], 3, axis=2)
        guess = lines.read(crop, sample.script)
        if guess.fits:
            want = unicodedata.normalize("NFC", sample.label)
            want = tidy(logical(want) if sample.script in RIGHT_TO_LEFT else want, sample.script)
            found.append((sample.script, guess.confidence, _close(guess.text) == _close(want)))
    return found


def confidences(rows: Sequence[tuple[str, float, bool]]) -> dict[str, Confidence]:
    """Fit how often a stated confidence is right, by script, each drawn to the fit of all scripts together.

    Args:
        rows: script, stated confidence and whether it was right, as from `readings`.

    Returns:
        By script, for those with enough lines.
    """
    groups: dict[str, list[tuple[float, bool]]] = defaultdict(list)
    for script, stated, right in rows:
        groups[script].append((stated, right))
    together = _fit([(stated, right) for _, stated, right in rows], _UNCHANGED) if rows else None
    pulled = (together.intercept, together.slope) if together else _UNCHANGED
    return {s: _fit(group, pulled) for s, group in sorted(groups.items()) if len(group) >= _LEAST_LINES}


def as_json(values: Mapping[str, Score] | Mapping[str, Confidence]) -> dict[str, dict[str, float]]:
    """Return values for a card, rounded to four digits."""
    return {key: {k: round(v, 4) for k, v in asdict(value).items()} for key, value in values.items()}


def _fit(rows: Sequence[tuple[float, bool]], around: tuple[float, float]) -> Confidence:
    """Logistic regression of one variable by Newton's method, with a Gaussian prior around an intercept and a slope."""
    stated = np.array([p for p, _ in rows], dtype=np.float64)
    right = np.array([r for _, r in rows], dtype=np.float64)
    x = np.column_stack([np.ones(len(stated)), _logit(stated)])
    prior = np.array(around)
    beta = prior.copy()
    for _ in range(50):
        p = _sigmoid(x @ beta)
        gradient = x.T @ (right - p) - _PRIOR * (beta - prior)
        curvature = (x * (p * (1 - p))[:, None]).T @ x + _PRIOR * np.eye(2)
        change = np.linalg.solve(curvature, gradient)
        beta += change / max(1.0, float(np.abs(change).max()))
        if np.abs(change).max() < 1e-9:
            break
    fitted = _sigmoid(x @ beta)
    return Confidence(
        float(beta[0]),
        float(beta[1]),
        len(rows),
        float(stated.mean()),
        float(right.mean()),
        float(((stated - right) ** 2).mean()),
        float(((fitted - right) ** 2).mean()),
    )


def _logit(p: ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
    clipped = np.clip(np.asarray(p, dtype=np.float64), _EDGE, 1 - _EDGE)
    return np.asarray(np.log(clipped / (1 - clipped)), dtype=np.float64)


def _sigmoid(x: ArrayLike) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))), dtype=np.float64)


def _close(text: str) -> str:
    return "".join(text.split())

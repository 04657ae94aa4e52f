"""Training a reader of lines: from fonts and words to a model with its card."""

from __future__ import annotations

import contextlib
import datetime
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from geoagent.errors import ConfigError
from geoagent.evidence.ocr.training.card import Card, sha256_of
from geoagent.evidence.ocr.training.export import export
from geoagent.evidence.ocr.training.fonts import Progress
from geoagent.evidence.ocr.training.learner import Learner, blurred_again, probabilities, rates
from geoagent.evidence.ocr.training.material import Material
from geoagent.evidence.ocr.training.network import Checkpoint, Shape
from geoagent.evidence.ocr.training.samples import Batch, Sample
from geoagent.evidence.ocr.training.stream import Stream
from geoagent.evidence.ocr.training.validate import Score, as_json, score, validation_lines
from geoagent.optional import needs

with needs("reader", "torch"):
    import torch

NAME = "multiscript"
_METHOD = "CTC on lines rendered for the purpose, with random damage; convolutions and attention"
_FORMAT = (
    "ONNX, dynamic 8-bit matrix products, the rest in half precision; "
    "input `line` (B, 1, 48, W), output `probs` (B, W/4, K)"
)
_BATCH = {"cuda": 512, "cpu": 32}
_RATE, _RATE_AGAIN, _EASY = 1.5e-3, 5e-4, 0.06
_SAVE_S, _TELL_S = 60.0, 10.0
_KEPT, _LEAST_KEPT, _AGAIN = 1500, 100, 0.12  # batches to see again, for when the workers cannot keep up with a GPU


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """Settings for training a reader.

    Attributes:
        seconds: of training, without reading fonts and without validation; the learning rate falls to 0 by then.
        steps: end after so many steps instead, if that is sooner; None for no limit.
        workers: processes that draw lines; all cores but one where None, 0 to draw in the process that trains.
        seed: of everything random. With `steps` (and time enough for them), no workers, and on a CPU, the same seed
            makes the same model.
        device: "cpu", "cuda", or "auto", which uses a GPU if available.
        batch: lines of 240 px in a batch; 512 on a GPU and 32 on a CPU where None.
        rate: peak of the learning rate; 1.5e-3, or 5e-4 to continue, where None.
        easy: share of the run with clean, short lines only; 0.06, or 0 to continue, where None.
        validation: lines of each script to validate with, in fonts held out; 0 for no validation.
        shape: of a new network.
    """

    seconds: float = 685
    steps: int | None = None
    workers: int | None = None
    seed: int = 1
    device: str = "auto"
    batch: int | None = None
    rate: float | None = None
    easy: float | None = None
    validation: int = 60
    shape: Shape = field(default_factory=Shape)

    def __post_init__(self) -> None:
        if not self.seconds > 0 or (self.steps is not None and self.steps < 1):
            raise ConfigError(f"seconds and steps must be positive, got {self.seconds} and {self.steps}")
        if (self.workers or 0) < 0 or self.validation < 0 or (self.batch is not None and self.batch < 1):
            raise ConfigError("workers and validation must not be negative, and a batch has at least one line")


@dataclass(frozen=True, eq=False, slots=True)
class Trained:
    """What a run left.

    Attributes:
        checkpoint: file to continue from.
        model: the ONNX file; None where the run was interrupted.
        losses: mean loss since the one before, one for each ten seconds or so, and at the end.
        scores: of the validation, by script.
    """

    checkpoint: Path
    model: Path | None
    losses: tuple[float, ...]
    scores: Mapping[str, Score]


def train(
    material: Material,
    out: Path,
    *,
    start: Checkpoint | None = None,
    settings: ReaderSettings | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Trained:
    """Train a reader; an interrupt (Ctrl-C) leaves a checkpoint to continue from.

    Args:
        material: words, fonts and characters.
        out: folder for multiscript.onnx, its card multiscript.json, checkpoint.pt and training.log.
        start: weights to continue from, whose characters must be the material's; new ones where None.
        settings: of the training.
        progress: see `Progress`.
        note: called with each line of the log.

    Raises:
        ConfigError: the checkpoint has other characters than the material.
        InputError: no script has both words and fonts.
        MissingDependency: torch or onnx is not installed.
    """
    how = settings or ReaderSettings()
    with needs("reader", "onnx"):
        import onnx  # noqa: F401  (before the training, not after it)
    if start is not None and start.characters != material.characters:
        raise ConfigError("the checkpoint has other characters than the material; prepare it with known=its characters")
    out.mkdir(parents=True, exist_ok=True)
    (out / "training.log").unlink(missing_ok=True)

    def say(line: str) -> None:
        with (out / "training.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        if note is not None:
            note(line)

    run = _Run(material, out, start, how, progress, say)
    ended = run.learn()
    run.save()
    if not ended:
        say(f"stopped after {run.learner.steps} steps")
        return Trained(run.path, None, tuple(run.losses), {})
    scores = run.validate()
    if scores:
        figures = "  ".join(f"{k} {v.cer:.3f}/{v.lines_right:.0%}" for k, v in scores.items())
        say(f"validation, fonts held out, CER/lines right: {figures}")
    else:
        say("no validation: no script has a font to hold out, or none was asked for")
    model = export(run.learner.checkpoint(), out / f"{NAME}.onnx")
    run.card(model, scores).save(model)
    return Trained(run.path, model, tuple(run.losses), scores)


class _Run:
    """One run: the learner, its batches, and what is written."""

    def __init__(
        self,
        material: Material,
        out: Path,
        start: Checkpoint | None,
        how: ReaderSettings,
        progress: Progress | None,
        say: Callable[[str], None],
    ) -> None:
        self.material, self.how, self.say = material, how, say
        self.tell: Progress = progress or (lambda what, done, total: None)
        self.path = out / "checkpoint.pt"
        self.losses: list[float] = []
        self.seconds = 0.0
        again = start is not None
        device = how.device if how.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
        self.rate = how.rate or (_RATE_AGAIN if again else _RATE)
        self.easy = how.easy if how.easy is not None else 0.0 if again else _EASY
        batch = how.batch or _BATCH.get(device, _BATCH["cpu"])
        workers = how.workers if how.workers is not None else max((os.cpu_count() or 1) - 1, 0)
        # Before anything is put on a GPU, which a forked process could not use.
        self.stream = Stream(material, batch, how.seed, workers, easy=self.easy > 0)
        if start is not None:
            self.learner = Learner(start, device)
        else:
            self.learner = Learner.new(material.characters, how.shape, device, how.seed)
        self._again = _Again(how.seed) if device == "cuda" else None
        size = sum(p.numel() for p in self.learner.net.parameters())
        fonts = {face.path for faces in material.fonts.train.values() for face in faces}
        say(
            f"{len(material.characters)} characters, {size:,} parameters, {len(fonts)} fonts, "
            f"{' '.join(material.scripts())}; {device}, {workers} workers"
        )

    def learn(self) -> bool:
        """Train until the time or the steps are over; False if interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._learn()
            return True
        return False

    def _learn(self) -> None:
        how, learner = self.how, self.learner
        begun = shown = saved = time.monotonic()
        sums, count, part = 0.0, 0, 0.0
        while part < 1:
            if part >= self.easy:
                self.stream.harden()
            sums += learner.step(self._batch(part), rates(part, learner.steps, self.rate))
            count += 1
            now = time.monotonic()
            self.seconds = now - begun
            part = max(self.seconds / how.seconds, learner.steps / how.steps if how.steps else 0.0)
            self.tell("training", round(min(part, 1.0) * 1000), 1000)
            if now - shown >= _TELL_S or part >= 1:
                self.losses.append(sums / count)
                self.say(
                    f"{self.seconds:5.0f} s  step {learner.steps}  lines {learner.lines:,}  loss {sums / count:.3f}"
                )
                sums, count, shown = 0.0, 0, now
            if now - saved >= _SAVE_S:
                self.save()
                saved = now

    def _batch(self, part: float) -> Batch:
        if self._again is None:
            return next(self.stream)
        old = self._again.draw()
        if old is not None:
            return old
        new = next(self.stream)
        if part >= self.easy:
            self._again.keep(new)
        return new

    def save(self) -> None:
        """Write the checkpoint."""
        self.learner.checkpoint().save(self.path)

    def validate(self) -> dict[str, Score]:
        """Measure the running mean of the weights on lines in the fonts held out."""
        samples: list[Sample] = validation_lines(self.material, self.how.validation)
        if not samples:
            return {}
        net = self.learner.checkpoint().network().to(self.learner.device).eval()
        device = self.learner.device
        return score(lambda images: probabilities(net, images, device), samples, self.material.characters)

    def card(self, model: Path, scores: Mapping[str, Score]) -> Card:
        """Describe the model."""
        fonts = self.material.fonts
        families = sorted({face.family for faces in fonts.train.values() for face in faces})
        files = {face.path for faces in fonts.train.values() for face in faces}
        sources = [f"{s.name}: {s.texts:,} ({s.licence or 'licence unknown'})" for s in self.material.words.sources]
        threads = torch.get_num_threads()
        processor = torch.cuda.get_device_name() if self.learner.device.type == "cuda" else f"CPU, {threads} threads"
        return Card(
            name=NAME,
            format=_FORMAT,
            sha256=sha256_of(model),
            scripts=tuple(s for s in self.material.scripts() if s not in ("Hani", "Latn")),
            training={
                "method": _METHOD,
                "lines": self.learner.lines,
                "steps": self.learner.steps,
                "seconds": round(self.seconds),
                "hardware": processor,
                "seed": self.how.seed,
                "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
                "fonts": len(files),
                "families": families,
                "held_out": {s: sorted({face.family for face in faces}) for s, faces in fonts.held.items()},
            },
            data=tuple(source for source in sources if not source.startswith("word lists:")),
            validation=as_json(scores),
            validation_set=f"{self.how.validation} rendered lines a script in fonts held out, heavy damage, before "
            "the conversion to 8 bit"
            if scores
            else "",
        )


class _Again:
    """Batches to see again, with other noise, while the workers draw new ones."""

    def __init__(self, seed: int) -> None:
        self._rng, self._noise = random.Random(seed), np.random.default_rng(seed)
        self._kept: list[Batch] = []

    def draw(self) -> Batch | None:
        if len(self._kept) < _LEAST_KEPT or self._rng.random() >= _AGAIN:
            return None
        return blurred_again(self._rng.choice(self._kept), self._noise)

    def keep(self, batch: Batch) -> None:
        if len(self._kept) < _KEPT:
            self._kept.append(batch)
        else:
            self._kept[self._rng.randrange(_KEPT)] = batch

"""Samples to learn from: a line made up, drawn and damaged, with its label; and batches of lines of about one width."""

from __future__ import annotations

import itertools
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geoagent.errors import InputError
from geoagent.evidence.ocr.training.charset import RIGHT_TO_LEFT, label, letters_in
from geoagent.evidence.ocr.training.damage import HEIGHT_PX, Damage
from geoagent.evidence.ocr.training.fonts import Face
from geoagent.evidence.ocr.training.material import SHARES, Material
from geoagent.evidence.ocr.training.phrases import NUMBER, Part, Phrases
from geoagent.evidence.ocr.training.render import Ink, draw_line, side_by_side
from geoagent.types import Int, UInt8

WIDTHS_PX = (96, 144, 192, 240, 304, 384, 480, 592)
"""Widths of batches; a line goes into the narrowest that holds it."""
STEP_PX = 4  # of the line, a step of the network's output
PADDING = 128
_EMPTY = 1.2  # share of texture without text
_SPACED = frozenset({"Armn", "Cyrl", "Ethi", "Geor", "Grek", "Hang", "Hebr", "Latn"})  # letters may stand apart
_MAX_ASPECT = 22
_TRIES = 4


@dataclass(frozen=True, eq=False, slots=True)
class Sample:
    """A line to learn from.

    Attributes:
        views: `(48, W)` grey, the same drawing damaged once or twice.
        label: see `charset.label`; "" for texture without text.
        script: ISO 15924 code; "" without text.
    """

    views: tuple[UInt8, ...]
    label: str
    script: str


@dataclass(frozen=True, eq=False, slots=True)
class Batch:
    """Lines of about one width.

    Attributes:
        images: `(B, 48, W)` grey, padded on the right.
        labels: `(B, L)` classes, padded with 0.
        lengths: `(B,)` of the labels.
    """

    images: UInt8
    labels: Int
    lengths: Int


class Sampler:
    """Makes samples; the same seed makes the same ones.

    Args:
        material: words, fonts and characters.
        seed: of everything random.
        held: draw in the fonts held out.

    Raises:
        InputError: no script has both words and fonts.
    """

    def __init__(self, material: Material, seed: int, held: bool = False) -> None:
        self.rng = random.Random(seed)
        self.index = {c: i + 1 for i, c in enumerate(material.characters)}
        self.scripts = material.scripts(held)
        if not self.scripts:
            raise InputError("no script has both words and a font; name more folders of fonts or word lists")
        self._faces = material.fonts.of(held)
        self._phrases = Phrases(material.words, letters_in(material.characters), self.rng)
        self._damage = Damage(self.rng, np.random.default_rng(seed))
        self._digits = self._digit_faces(material)

    def sample(self, script: str | None = None, easy: bool = False) -> Sample | None:
        """Make one sample; None where the line that was made up cannot be drawn or spelt.

        Args:
            script: of the line; drawn by `SHARES`, with some texture without text, where None.
            easy: one clean, short line; otherwise two views with heavy damage.
        """
        if script is None:
            shares = [SHARES[s] for s in self.scripts]
            script = self.rng.choices([*self.scripts, ""], [*shares, _EMPTY])[0]
        if script == "":
            return Sample((self._damage.blank(),), "", "")
        try:
            drawn = self._drawn(script, easy)
        except InputError:  # a font that cannot draw a word
            return None
        if drawn is None:
            return None
        alpha, spelt = drawn
        return Sample(tuple(self._damage(alpha, easy) for _ in range(1 if easy else 2)), spelt, script)

    def lines(self, script: str, count: int) -> list[Sample]:
        """Make samples of one script with one view each, narrow enough for a batch.

        Returns:
            Up to `count`: fewer where its words can hardly be drawn.
        """
        found: list[Sample] = []
        for _ in range(40 * count):
            made = self.sample(script)
            if made is not None and made.label and made.views[0].shape[1] <= WIDTHS_PX[-1]:
                found.append(Sample(made.views[:1], made.label, script))
            if len(found) == count:
                break
        return found

    def _drawn(self, script: str, easy: bool) -> tuple[UInt8, str] | None:
        """Coverage of a whole line, and its label."""
        r = self.rng
        size, stroke = r.choice((32, 40, 40, 48, 56)), r.choice((0, 0, 0, 0, 0, 0, 1, 1, 2))
        inks, labels = [], []
        face: Face | None = None  # of the line's own script, the same in all its parts
        for part in self._phrases.line(script, easy):
            found = self._face(part, face if part.script == script else None)
            if found is None:
                return None
            chosen, text = found
            face = chosen if part.script == script else face
            inks.append(self._ink(text, part.script, chosen, size, stroke, easy))
            labels.append(label(text, part.script))
        alpha = (side_by_side(inks, r.randint(size // 6, size // 2)) if len(inks) > 1 else inks[0]).alpha
        spelt = " ".join(" ".join(labels).split())
        if not spelt or any(c not in self.index for c in spelt) or alpha.shape[1] > _MAX_ASPECT * len(alpha):
            return None
        return alpha, spelt

    def _ink(self, text: str, script: str, face: Face, size: int, stroke: int, easy: bool) -> Ink:
        spaced = script in _SPACED and not easy and self.rng.random() < 0.12
        gap = self.rng.randint(1, 2 + size // 5) if spaced else 0
        leftwards = script in RIGHT_TO_LEFT
        if leftwards and spaced and not text.replace(" ", "").isalpha():
            gap = 0  # digits in it run the other way
        return draw_line(text, face.path, size_px=size, right_to_left=leftwards, stroke_px=stroke, spacing_px=gap)

    def _face(self, part: Part, face: Face | None) -> tuple[Face, str] | None:
        """A face that has the letters of a part, and what it can draw of it."""
        for _ in range(_TRIES):
            faces = self._digits if part.script == NUMBER else self._faces.get(part.script, self._digits)
            chosen = face or self.rng.choice(faces)
            if text := chosen.drawable(part.text, part.script):
                return chosen, text
        return None

    def _digit_faces(self, material: Material) -> tuple[Face, ...]:
        every = {f.path: f for faces in (self._faces, material.fonts.train) for group in faces.values() for f in group}
        digits = tuple(f for f in every.values() if f.common >= set("0123456789+-()/:%#"))
        return digits or tuple(every.values())


class Batches:
    """An endless run of batches, the same for one seed.

    Args:
        sampler: that makes the lines.
        lines: lines of 240 px in a batch; more of narrower ones.
        seed: of the order within a batch.
    """

    def __init__(self, sampler: Sampler, lines: int, seed: int) -> None:
        self.sampler, self.lines = sampler, lines
        self._rng = random.Random(seed)
        self._waiting: dict[int, list[tuple[UInt8, list[int]]]] = defaultdict(list)

    def draw(self, easy: bool = False) -> Batch:
        """Make samples until one width has enough of them."""
        index = self.sampler.index
        while True:
            made = self.sampler.sample(easy=easy)
            ids = [index[c] for c in made.label] if made is not None else []
            for image in made.views if made is not None else ():
                width = narrowest(image.shape[1])
                if width is None or steps_needed(ids) > width // STEP_PX:
                    continue
                rows = self._waiting[width]
                rows.append((image, ids))
                if len(rows) >= max(2, self.lines * 240 // width):
                    del self._waiting[width]
                    self._rng.shuffle(rows)
                    return collate(rows, width)

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self.draw()


def narrowest(width_px: int) -> int | None:
    """Return the narrowest of `WIDTHS_PX` that holds a line; None where it is too long."""
    return next((w for w in WIDTHS_PX if w >= width_px), None)


def steps_needed(ids: Sequence[int]) -> int:
    """Return how many steps CTC needs for a label: one a character, and a blank between two that are the same."""
    return len(ids) + sum(a == b for a, b in itertools.pairwise(ids))


def collate(rows: Sequence[tuple[UInt8, Sequence[int]]], width_px: int) -> Batch:
    """Put lines and their labels into arrays.

    Args:
        rows: line `(48, W)` and classes of its label.
        width_px: of the batch, no less than any line's.
    """
    images = np.full((len(rows), HEIGHT_PX, width_px), PADDING, dtype=np.uint8)
    lengths = np.array([len(ids) for _, ids in rows], dtype=np.int64)
    labels = np.zeros((len(rows), max(1, int(lengths.max(initial=0)))), dtype=np.int64)
    for i, (image, ids) in enumerate(rows):
        images[i, :, : image.shape[1]] = image
        labels[i, : len(ids)] = ids
    return Batch(images, labels, lengths)

"""Multi-script OCR: lines that RapidOCR cannot read go to single-script models. Shared by the engines that have them.

RapidOCR's gate identifies the lines it could not read. Each is passed to the installed script models. Their confident
readings determine which scripts occur in the photo; the remaining lines are then read again with a lower threshold,
including lines of Latin look-alikes (Greek, Cyrillic).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np

from geoagent.errors import GeoAgentError, OcrError
from geoagent.evidence.ocr import Piece
from geoagent.evidence.ocr._between import SCRIPT, may_hold_a_word, with_word
from geoagent.evidence.ocr._layout import lay_out
from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.ocr._mirror import Read, settle
from geoagent.evidence.ocr._passes import look
from geoagent.evidence.ocr._rapid import Crop, Reader, is_tall, one_line
from geoagent.evidence.photos import quiet
from geoagent.evidence.scripts import LATIN_LIKE, evident_script, letters
from geoagent.types import Photo, TextRegion, UInt8

_VALID = 0.5
_PRIOR_VALID = 0.35  # threshold for scripts already found in the photo
_HANDICAP = 0.2  # subtracted from RapidOCR's confidence there, since its scale runs higher
_EVIDENT = 0.8
_STOP = 0.9
_NOT_LATIN = 0.5  # a line that a model takes for Latin as surely as this stays what RapidOCR read
_UNSURE = 0.95  # a line that RapidOCR reads less surely may be in a script with look-alikes of Latin letters or digits
_CAPITALS = 0.8  # share of capitals from which a line may be Greek, Cyrillic or Armenian capitals taken for Latin
_LETTERS_APART = 4
_TWINS = frozenset(
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧανοκιυρχАВЕКМНОРСТУХІЈЅЗаеорсухіјѕһԛԝ"
)  # Greek and Cyrillic letters that Latin has, too
_APART = 0.3  # by how much surer another script must be than Latin, for a line that RapidOCR reads surely
_UPRIGHT = 0.05  # by how much surer the upside-down reading must be: 7 and 8 in Arabic are the same turned round
_MIN_HEIGHT_PX = 10
_PATIENCE = 16
_TRIED = 4  # lines that are tried to see whether a photo is upright


@dataclass(eq=False, slots=True)
class _Line:
    """A crop being read by the models: its possible rotations and the guesses so far."""

    crop: Crop
    ways: tuple[tuple[int, UInt8], ...]
    guesses: dict[str, tuple[Guess, int]] = field(default_factory=dict)

    @property
    def latin(self) -> float:
        """Highest confidence of any model that the line is Latin."""
        return max((guess.latin for guess, _ in self.guesses.values()), default=0.0)

    def best(self, scripts: Sequence[str], bar: float) -> tuple[Guess, int] | None:
        """Return the most confident guess among `scripts` that reaches `bar`."""
        found = [self.guesses[s] for s in scripts if s in self.guesses]
        found = [pair for pair in found if pair[0].fits and pair[0].confidence >= bar]
        return max(found, key=lambda pair: pair[0].confidence, default=None)


class Lines(Protocol):
    """Reads one rectified line with the model of one script."""

    @property
    def names(self) -> Mapping[str, str]:
        """Name of each script's model, such as "tesseract/Thai"."""

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read a crop, `(H, W, 3)` BGR, with the model of a script."""


class ManyScripts:
    """RapidOCR combined with single-script models."""

    def __init__(self, name: str, reader: Reader, lines: Lines, thorough: bool = False) -> None:
        self.name = name
        self._reader, self._lines, self._thorough, self._lock = reader, lines, thorough, threading.Lock()
        self.scripts = tuple(lines.names)

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        """Return the lines of `photo` in reading order; () if there is no text.

        Raises:
            OcrError: RapidOCR or a model is not installed correctly, or failed on this photo.
            MissingDependency: the package of a model is not installed.
        """
        with self._lock, quiet:
            self._reader.load()
            try:
                crops, scale = look(self._reader, photo, thorough=self._thorough, reads_others=self._reads_upright)
                width = photo.width_px / scale
                reads = settle(
                    self._finally(crops), lambda some: self._finally(self._reader.flipped(some, width), mirrored=True)
                )
            except GeoAgentError:
                raise
            except Exception as error:
                raise OcrError(f"{self.name} failed on {photo.source}: {one_line(error)}") from error
        return lay_out(self._reader, photo, reads, scale)

    def _reads_upright(self, crops: Sequence[Crop]) -> bool:
        """Whether the models surely read one of the largest lines that RapidOCR cannot, as it lies."""
        lines = [line for crop in crops if not crop.trusted and (line := _line(crop)).ways and not is_tall(crop.pixels)]
        for line in sorted(lines, key=_size)[:_TRIED]:
            self._ask(line, self.scripts)
            found = line.best(self.scripts, _EVIDENT)
            if found is not None and found[1] == 0 and _evident(line, found[0]):
                return True
        return False

    def _finally(self, crops: Sequence[Crop], *, mirrored: bool = False) -> list[Read]:
        """Return crops with their final readings, RapidOCR's or another model's."""
        rapid = f"rapidocr/{self._reader.model}"
        reads = []
        for crop, guess in zip(crops, self._reread(crops), strict=True):
            if guess is None:
                reads.append(Read(crop, crop.piece, rapid, mirrored))
                continue
            read, turns, trusted = guess
            piece = Piece(np.roll(crop.box, -turns, axis=0), read.text, read.confidence, trusted, read.right)
            reads.append(Read(crop, piece, self._lines.names[read.script], mirrored))
        return reads

    def _reread(self, crops: Sequence[Crop]) -> list[tuple[Guess, int, bool] | None]:
        """Return for each crop another model's reading, its quarter turns and whether to trust it, or None."""
        lines = [_line(crop) for crop in crops]
        open_lines = [line for line in lines if line.ways and not line.crop.trusted]
        # The largest lines identify the photo's scripts most reliably.
        open_lines.sort(key=_size)
        written: Counter[str] = Counter()
        misses = 0
        for line in open_lines:
            known = [script for script, _ in written.most_common()]
            self._ask(line, known)
            sure = line.best(known, _STOP)
            if sure is None or not evident_script(sure[0].text, sure[0].confidence):
                if misses >= _PATIENCE:
                    continue  # much small print in none of these scripts: enough lines were tried
                self._ask(line, self.scripts)
            found = line.best(self.scripts, _EVIDENT)
            if found is not None and _evident(line, found[0]):
                written[found[0].script] += 1
                misses = 0
            else:
                misses += 1
        return [self._verdict(line, list(written)) for line in lines]

    def _ask(self, line: _Line, scripts: Sequence[str]) -> None:
        for script in scripts:
            if script not in line.guesses:
                read = [(self._lines.read(image, script), turns) for turns, image in line.ways]
                line.guesses[script] = max(
                    read, key=lambda pair: (pair[0].confidence - _UPRIGHT * (pair[1] == 2), pair[0].latin)
                )

    def _verdict(self, line: _Line, written: list[str]) -> tuple[Guess, int, bool] | None:
        if not line.ways:
            return None
        if line.crop.trusted:
            # In a photo with Greek, a Latin word that Greek letters could also spell is read again. In a photo with
            # Georgian, say, every line is: RapidOCR sometimes takes an unknown script for Latin, and is sure of it.
            shown = {char for char in line.crop.reading.text if char.isalpha()}
            kin = [s for s in written if s in LATIN_LIKE and shown and LATIN_LIKE[s].issuperset(shown)]
            others = [s for s in written if s not in LATIN_LIKE]
            self._ask(line, [*kin, *others])
            found = line.best(kin, _EVIDENT)
            if found is None and line.latin < _NOT_LATIN:
                found = line.best(others, _STOP)
            if found is None and _may_be_alike(line.crop):
                self._ask(line, self.scripts)
                found = line.best(self.scripts, _EVIDENT)
                apart = found is not None and found[0].confidence - line.latin >= _APART
                found = (
                    found if found and apart and _evident(line, found[0]) and _replaces(found[0], line.crop) else None
                )
        else:
            self._ask(line, written)
            found = line.best(written, max(_PRIOR_VALID, line.crop.confidence - _HANDICAP))
            if found is None:
                found = line.best(self.scripts, max(_VALID, line.crop.confidence - _HANDICAP))
                # If nothing else is written in its script, one or two letters are likely noise.
                found = found if found and evident_script(found[0].text, 1.0) else None
        if found is None:
            found = self._between_digits(line)
            return None if found is None else (*found, False)
        return *found, _evident(line, found[0]) or found[0].script in written

    def _between_digits(self, line: _Line) -> tuple[Guess, int] | None:
        """Return a line of digits with the Arabic word between them, if there is one."""
        figures = line.crop.reading.text
        if SCRIPT not in self.scripts or not line.ways or not may_hold_a_word(figures):
            return None
        self._ask(line, (SCRIPT,))
        guess, turns = line.guesses[SCRIPT]
        text = with_word(figures, guess.text) if guess.confidence >= _EVIDENT else None
        return None if text is None else (replace(guess, text=text), turns)


def _size(line: _Line) -> int:
    """Key that sorts lines by their height, higher ones first."""
    height, width = line.crop.pixels.shape[:2]
    return -min(int(height), int(width))


def _line(crop: Crop) -> _Line:
    """Prepare a crop in each rotation that the models should try; in none if it is too small to read."""
    if min(crop.pixels.shape[:2]) < _MIN_HEIGHT_PX:
        return _Line(crop, ())
    if is_tall(crop.pixels):
        turns: tuple[int, ...] = (crop.reading.turns,) if crop.reading.text.strip() else (1, 3)
    else:
        # RapidOCR may prefer the upside-down reading of a line that it cannot read.
        turns = (0,) if crop.reading.turns == 0 else (0, 2)
    return _Line(crop, tuple((turn, np.ascontiguousarray(np.rot90(crop.pixels, turn))) for turn in turns))


def _may_be_alike(crop: Crop) -> bool:
    """Whether a line that RapidOCR reads surely may be look-alikes of what it read, in a script that it lacks."""
    text = crop.reading.text
    capitals = sum(char.isupper() for char in text)
    return crop.confidence < _UNSURE or (capitals >= 2 and capitals >= _CAPITALS * letters(text))


def _replaces(guess: Guess, crop: Crop) -> bool:
    """Whether a reading may replace one that is sure: digits of a script alone, or a word that Latin cannot spell.

    A plate is Latin.
    """
    written = [char for char in guess.text if char.isalpha()]
    if not written:
        return True
    plate = sum(char.isdecimal() for char in crop.reading.text) >= 2 and letters(crop.reading.text) > 0
    return len(written) >= _LETTERS_APART and not plate and any(char not in _TWINS for char in written)


def _evident(line: _Line, guess: Guess) -> bool:
    """Whether a guess's script counts as evidence: a confident, stable reading with a lower confidence for Latin."""
    return guess.steady and evident_script(guess.text, guess.confidence) and guess.confidence > line.latin

"""Two recognisers of single lines as one: each reads what it can, and the surer reading counts."""

from __future__ import annotations

from dataclasses import replace

from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.ocr._many import Lines
from geoagent.types import UInt8


class BothLines:
    """Reads every line with each recogniser that has its script.

    Args:
        first: recogniser that is preferred where both are equally sure.
        second: the other one.
    """

    def __init__(self, first: Lines, second: Lines) -> None:
        self._parts = (first, second)
        scripts = dict.fromkeys([*first.names, *second.names])
        self.names = {s: " or ".join(part.names[s] for part in self._parts if s in part.names) for s in scripts}

    def read(self, crop: UInt8, script: str) -> Guess:
        """Read a crop, `(H, W, 3)` BGR, as one script; the highest confidence that the line is Latin is kept.

        Raises:
            OcrError: a model cannot be loaded.
            MissingDependency: the package of a model is not installed.
        """
        guesses = [part.read(crop, script) for part in self._parts if script in part.names]
        best = max(guesses, key=lambda guess: (guess.fits, guess.confidence))
        return replace(best, latin=max(guess.latin for guess in guesses))

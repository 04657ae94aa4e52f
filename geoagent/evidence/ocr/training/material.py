"""What lines are made of: words, fonts and the characters of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geoagent.errors import MissingDependency
from geoagent.evidence.ocr.training.charset import characters, letters_in, letters_of
from geoagent.evidence.ocr.training.fonts import SYSTEM, Fonts, Progress, choose
from geoagent.evidence.ocr.training.render import SHAPED, shaping_works
from geoagent.evidence.ocr.training.texts import Words, collect

SHARES: Mapping[str, float] = {
    "Arab": 12, "Armn": 3, "Beng": 4, "Cyrl": 9.5, "Deva": 7, "Ethi": 3, "Geor": 3.5, "Grek": 6, "Gujr": 2.5,
    "Guru": 2.5, "Hang": 9, "Hani": 4, "Hebr": 6, "Khmr": 3.5, "Knda": 3, "Laoo": 2.5, "Latn": 7, "Mlym": 3, "Mymr": 3,
    "Orya": 2, "Sinh": 2.5, "Taml": 4, "Telu": 3.5, "Thai": 8.5,
}  # fmt: skip
"""How often a script is drawn, relative to the others."""


@dataclass(frozen=True, eq=False, slots=True)
class Material:
    """What samples are made of.

    Attributes:
        words: by script.
        fonts: by script.
        characters: of the model, class 1 first.
    """

    words: Words
    fonts: Fonts
    characters: tuple[str, ...]

    def scripts(self, held: bool = False) -> tuple[str, ...]:
        """Return the scripts that have words and fonts, among the fonts held out or those to train with."""
        faces = self.fonts.of(held)
        known = [s for s in SHARES if s in self.words.by_script or (s == "Hani" and self.words.han)]
        return tuple(s for s in known if s in faces)


def prepare(
    fonts: Sequence[Path] = (),
    texts: Sequence[Path] = (),
    *,
    words: Words | None = None,
    known: tuple[str, ...] | None = None,
    seed: int = 1,
    progress: Progress | None = None,
) -> Material:
    """Collect words and fonts.

    Args:
        fonts: folders of fonts; the system's where none is named.
        texts: folders of word lists, see `texts.collect`.
        words: words instead of those of all sources.
        known: characters of the model to continue with; those of the words where None.
        seed: of the choices.
        progress: see `Progress`.

    Raises:
        InputError: a folder does not exist, or there are no words, or no fonts for them.
        MissingDependency: fonttools is not installed, or Pillow cannot shape text.
    """
    words = words or collect(texts, seed)
    every = words.all_of()
    chars = known or characters(letters_of(every))
    if SHAPED & letters_in(chars).keys() and not shaping_works():
        raise MissingDependency(
            "some scripts need complex shaping, which Pillow lacks here; install FriBiDi (Debian: apt install "
            "libfribidi0) and Pillow from its wheel"
        )
    syllables = "".join(sorted({c for word in every.get("Hang", ()) for c in word if "\uac00" <= c <= "\ud7a3"}))
    folders = list(fonts) or [folder for folder in SYSTEM if folder.is_dir()]
    chosen = choose(folders, letters_in(chars), syllables=syllables, han=words.han, seed=seed, progress=progress)
    return Material(words, chosen, chars)

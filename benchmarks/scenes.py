"""Rendered scenes: photos of signs whose truth is known, of misleading text, and of nothing to read.

A third of the scenes show text that points to a country, composed by `generated.Signs` from gazetteer and tables. A
third show only text that points nowhere, though it may look as if it did: watermarks, credits, dates, house numbers,
brands, words of shops everywhere. A third show no text, but the textures that OCR takes for it. Only scenes of the
first third have a country. Everything follows from the seed; `drawing` draws the pixels.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from _distractors import DISTRACTORS, MAY_STAND_BESIDE, Board, distractor

from geoagent.errors import GeoAgentError
from geoagent.evidence.scripts import script_counts, script_of
from geoagent.places.gazetteer.facts import Facts
from geoagent.worlds.evaluation._pieces import firm
from geoagent.worlds.evaluation.generated import Signs

PARTS = ("evidence", "distractor", "textless")
EVIDENCE = ("town", "postcode", "phone", "plate", "shop", "road", "street", "company")
TEXTURES = (
    "arches", "bricks", "fence", "stripes", "leaves", "blinds", "tiles", "railing", "gravel", "waves", "facade",
    "branches", "roof",
)  # fmt: skip
GROUNDS = ("street", "wall", "meadow", "room")
_BESIDE = 0.3  # share of the scenes with evidence that have a distractor beside it
_ON_TEXTURE = 0.2  # share of the scenes with text whose background is a texture
_TRIES = 60


@dataclass(frozen=True)
class Scene:
    """One scene.

    Attributes:
        id: unique name.
        part: one of `PARTS`.
        kind: kind of evidence, distractor or texture.
        country: true country, ISO 3166-1 alpha-2; None where nothing in the scene tells it.
        boards: the text in it.
        ground: background: one of `GROUNDS` or `TEXTURES`, or the path of a photo without text.
        seed: of the drawing.
    """

    id: str
    part: str
    kind: str
    country: str | None
    boards: tuple[Board, ...]
    ground: str
    seed: int

    @property
    def lines(self) -> tuple[str, ...]:
        """All text in the scene."""
        return tuple(line for board in self.boards for line in board.lines)


def compose(count: int, signs: Signs, *, seed: int = 0, photos: Sequence[Path] = ()) -> list[Scene]:
    """Compose scenes; parts and kinds take turns.

    Args:
        count: number of scenes.
        signs: composes the texts of countries.
        seed: the same seed gives the same scenes.
        photos: photos without text, for backgrounds of scenes without a country.
    """
    dice = random.Random(seed)
    scenes = []
    for number in range(count):
        part, turn = PARTS[number % 3], number // 3
        kinds = {"evidence": EVIDENCE, "distractor": tuple(DISTRACTORS), "textless": TEXTURES}[part]
        kind = kinds[turn % len(kinds)]
        country, boards = None, ()
        if part == "evidence":
            country, boards = _evidence(kind, signs, dice)
        elif part == "distractor":
            boards = (distractor(kind, dice),)
        ground = kind if part == "textless" else dice.choice(TEXTURES if dice.random() < _ON_TEXTURE else GROUNDS)
        if photos and country is None and dice.random() < 0.5:
            ground = str(dice.choice(photos))
            kind = "photo" if part == "textless" else kind
        scenes.append(Scene(f"{number:05d}-{part}-{kind}", part, kind, country, boards, ground, dice.getrandbits(32)))
    return scenes


def _evidence(kind: str, signs: Signs, dice: random.Random) -> tuple[str, tuple[Board, ...]]:
    """A country and a sign of it."""
    for _ in range(_TRIES):
        code = signs.country(dice)
        lines = tuple(line.strip() for line in _EVIDENT[kind](signs, code, dice))
        if all(lines) and max(map(len, lines)) <= 34:
            board = Board(
                lines, "plate" if kind == "plate" else "board", _paper(kind, lines[0], code, signs.facts, dice)
            )
            beside = (distractor(dice.choice(MAY_STAND_BESIDE), dice),) if dice.random() < _BESIDE else ()
            return code, (board, *beside)
    raise GeoAgentError(f"no sign of the kind {kind!r} in {_TRIES} tries")


def _paper(kind: str, line: str, code: str, facts: Facts, dice: random.Random) -> str:
    """Colour of a country's plates, or of a road's number there; "" where none is usual."""
    if kind == "plate":
        shares = facts.plates[code].colours
        return dice.choices([*shares], [*shares.values()])[0]
    forms = (form for form in facts.roads if kind == "road" and code in form.countries)
    form = next((form for form in forms if re.fullmatch(form.pattern, line)), None)
    usual = [] if form is None else [paper for paper, codes in form.colours.items() if code in codes]
    return dice.choice(usual) if usual else ""


def _town(signs: Signs, code: str, dice: random.Random) -> list[str]:
    town = signs.town(code, dice)
    line = signs.line("name", code, town, dice)
    both = script_of(line) != "Latn" and dice.random() < 0.5
    return [line, town.name] if both else [line]


def _one(kind: str) -> Callable[[Signs, str, random.Random], list[str]]:
    return lambda signs, code, dice: [signs.line(kind, code, signs.town(code, dice), dice)]


def _phone(signs: Signs, code: str, dice: random.Random) -> list[str]:
    town = signs.town(code, dice)
    head = signs.line("words", code, town, dice) or firm(dice)
    return [head, signs.line("phone", code, town, dice)]


def _shop(signs: Signs, code: str, dice: random.Random) -> list[str]:
    words = signs.line("words", code, signs.town(code, dice), dice)
    return [firm(dice), words] if dice.random() < 0.4 else [words]


def _road(signs: Signs, code: str, dice: random.Random) -> list[str]:
    town, other = signs.town(code, dice), signs.town(code, dice)
    return [signs.line("road", code, town, dice), *dict.fromkeys((signs.native(town), signs.native(other)))]


def _company(signs: Signs, code: str, dice: random.Random) -> list[str]:
    town = signs.town(code, dice)
    return [signs.line("company", code, town, dice), signs.line("domain", code, town, dice)][: dice.randint(1, 2)]


def _plate(signs: Signs, code: str, dice: random.Random) -> list[str]:
    line = signs.line("plate", code, signs.town(code, dice), dice)
    # A pattern allows any separator and any syllable where plates have few.
    return ["" if script_counts(line).get("Hang") else re.sub(r"[\s.·-]+", dice.choice((" ", " ", "-", "")), line)]


_EVIDENT: dict[str, Callable[[Signs, str, random.Random], list[str]]] = {
    "town": _town, "postcode": _one("postcode"), "phone": _phone, "plate": _plate, "shop": _shop, "road": _road,
    "street": _one("street"), "company": _company,
}  # fmt: skip

"""The text of one photo, preprocessed once for all kinds of cues."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from geoagent.evidence.cues.boxes import Box
from geoagent.evidence.cues.identify import DEFAULT as IDENTIFIER
from geoagent.evidence.cues.instructions import MAX_CHARS, instructs
from geoagent.evidence.scripts import LIKE_LATIN, script_of
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.normalise import fold_with_offsets, normalise
from geoagent.types import Cue, Place, Span, TextRegion

MAX_LINES = 200
"""Maximum number of lines searched; a photo with more shows a page, not a place."""
UNSPACED = frozenset({"Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"})
"""Scripts without spaces between words."""

MANY = 100
"""Countries from which none is named: they are most of the world's."""
_WORD = re.compile(r"[^\W_]+(?:[’'ʼ´`.\-][^\W_]+)*", re.UNICODE)
_TOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_AS_LETTER = {"0": "O", "1": "l", "5": "S", "8": "B", "|": "l"}
_AS_DIGIT = str.maketrans({"O": "0", "o": "0", "Q": "0", "I": "1", "l": "1", "|": "1", "S": "5", "B": "8", "Z": "2"})
# Eastern digits that occur on signs; `str.isdigit` is not used, since it is also true for ² and ①.
_DIGITS = {ord(base) + i: str(i) for base in "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០᠐０" for i in range(10)}
_FALSE_L = re.compile(r"\bl(?=[b-df-hj-np-tv-z]{2})")  # no word starts with l and two further consonants
_ELIDED = re.compile(
    r"(?<=[^\W\d_]{3} [dl]) (?=[aeiouhàâéèêîôû][^\W\d_]{2})|(?<=[^\W\d_]{3} [DL]) (?=[AEIOUHÀÂÉÈÊÎÔÛ][A-Z]{2})"
)
"""The gap after an elided word: "villeneuve d ascq" is Villeneuve d'Ascq."""
_PART = re.compile(r"(?=[A-Za-z|]*\d)[0-9A-Za-z|]+|[OoIl|]+")
_NUMBERISH = re.compile(r"(?<![^\W\d_])[0-9OoQIl|SBZ]+(?:[ .\-/()]{1,3}[0-9OoQIl|SBZ]+)*(?![^\W\d_])")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line: its text, its normalised key and its offsets."""

    text: str
    key: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Line:
    """One line of text.

    All variants of the text have the same length, so that offsets are valid in each.

    Attributes:
        region: index of the region.
        text: text as read, at most `MAX_CHARS` characters.
        confidence: the OCR engine's own confidence.
        sure: probability that the line is right, where that was fitted; else the same.
        script_is_evidence: whether its script is reliable.
        panel: background colour, "" if unknown.
        band: colour of the band at its left or above it, "" if unknown.
        box: left, top, right and bottom in pixels; None if the text has no picture.
    """

    region: int
    text: str
    confidence: float
    script_is_evidence: bool
    panel: str = ""
    band: str = ""
    box: Box | None = None
    sure: float = 1.0

    @cached_property
    def script(self) -> str:
        """ISO 15924 code of the most frequent script."""
        return script_of(self.text)

    @cached_property
    def letters(self) -> str:
        """The text with digits in words replaced by letters: "R0MA" is "ROMA", "A47" stays, "lnnsbruck" gets its I."""
        out = list(self.text)
        for match in _TOKEN.finditer(self.text):
            token = match.group()
            digits = sum(c.isascii() and c.isdigit() for c in token)
            alphas = sum(c.isalpha() for c in token)
            if not digits or alphas <= digits or (len(token) < 3 and token[1:] != "0"):
                continue
            upper = sum(c.isupper() for c in token) > alphas / 2
            for i, c in enumerate(token):
                if c in _AS_LETTER:
                    letter = _AS_LETTER[c]
                    if c == "1":
                        letter = "I" if upper else ("l" if i else "I")
                    elif not upper and i:
                        letter = letter.lower()
                    out[match.start() + i] = letter
        for match in _FALSE_L.finditer("".join(out)):
            out[match.start()] = "I"
        for match in _ELIDED.finditer("".join(out)):
            out[match.start()] = "'"
        return "".join(out)

    @cached_property
    def digits(self) -> str:
        """The text with letters in numbers replaced by digits ("O53-422" is "053-422"), and eastern digits by ASCII."""
        text = self.text.translate(_DIGITS)
        out = list(text)
        for match in _NUMBERISH.finditer(text):
            run = match.group()
            true = sum(c.isdigit() for c in run)
            if true >= 2 and true >= 0.5 * sum(c.isalnum() for c in run):
                # "B/. 4.5O" is an amount in balboas: of parts without a digit, only those of O, I and l are numbers.
                mended = _PART.sub(lambda part: part.group().translate(_AS_DIGIT), run)
                out[match.start() : match.end()] = mended
        return "".join(out)

    def repairs(self, start: int, end: int) -> int:
        """Return how many of the characters `start` to `end` of `digits` were read as letters."""
        read = self.text.translate(_DIGITS)
        return sum(a != b for a, b in zip(read[start:end], self.digits[start:end], strict=True))

    def repairs_letters(self, start: int, end: int) -> bool:
        """Whether a digit among the characters `start` to `end` of `letters` was replaced by a letter."""
        return any(
            a.isdigit() and not b.isdigit() for a, b in zip(self.text[start:end], self.letters[start:end], strict=True)
        )

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words of the line, with digits in them replaced by letters."""
        return tuple(
            Word(m.group(), key, m.start(), m.end())
            for m in _WORD.finditer(self.letters)
            if (key := normalise(m.group()))
        )

    def span(self, start: int, end: int) -> Span:
        """Return the span of characters `start` to `end` of this line."""
        return Span(self.region, start, end)


@dataclass(frozen=True, eq=False)
class Reading:
    """All lines of a photo, with the data needed to interpret them."""

    lines: tuple[Line, ...]
    gazetteer: Gazetteer
    facts: Facts
    prior: Mapping[str, float] = field(default_factory=dict)
    identifier: str = IDENTIFIER

    @classmethod
    def of(
        cls,
        regions: Iterable[TextRegion],
        gazetteer: Gazetteer,
        facts: Facts,
        prior: Mapping[str, float] | None = None,
        identifier: str = IDENTIFIER,
    ) -> Reading:
        """Preprocess the regions; long lines and lines beyond `MAX_LINES` are truncated."""
        lines = [
            Line(
                i,
                region.text[:MAX_CHARS],
                region.score,
                region.script_is_evidence,
                region.panel,
                region.band,
                _box(region),
                region.confidence,
            )
            for i, region in enumerate(regions)
            if region.text.strip() and not instructs(region.text)
        ]
        found = cls(tuple(lines[:MAX_LINES]), gazetteer, facts, prior or {}, identifier)
        return replace(found, lines=tuple(map(found._as_evidence, found.lines)))

    def _as_evidence(self, line: Line) -> Line:
        """A line whose script is no evidence if its letters may as well be Latin, as all others of the photo are.

        "TECATE" on a beer banner is read as "ΤΕΓΑΤΕ". One letter that Latin has not is enough in a word that is known.
        """
        if line.script not in LIKE_LATIN or not line.script_is_evidence or line.box is None:
            return line
        apart = {char for char in line.text if script_of(char) == line.script} - LIKE_LATIN[line.script]
        beside = Counter(other.script for other in self.lines if other.script_is_evidence)
        if len(apart) >= 2 or beside[line.script] > 1 or beside["Latn"] < 2:
            return line
        if any(word.key in self.facts.signwords or self.gazetteer.lookup(word.text, k=1) for word in line.words):
            return line
        return replace(line, script_is_evidence=False)

    @cached_property
    def han(self) -> str:
        """Text of all lines of Han characters: their forms tell Chinese from Japanese better than one word does."""
        return "".join(line.text for line in self.lines if line.script in ("Hani", "Jpan"))

    def phrases(self, line: Line, longest: int = 4) -> Iterator[tuple[str, int, int]]:
        """Yield keys of 1 to `longest` consecutive words with their offsets in the line, longer ones first."""
        words = line.words
        for size in range(min(longest, len(words)), 0, -1):
            for i in range(len(words) - size + 1):
                yield " ".join(w.key for w in words[i : i + size]), words[i].start, words[i + size - 1].end

    def entries(self, line: Line, words: int, characters: int) -> Iterator[tuple[str, int, int]]:
        """Yield candidate keys of a word table: phrases, and substrings if the script has no spaces."""
        yield from self.phrases(line, words)
        if line.script in UNSPACED:
            folded = fold_with_offsets(line.text)  # the keys of tables have one form of each Han character
            for size in range(min(characters, len(folded.key)), 1, -1):
                for i in range(len(folded.key) - size + 1):
                    yield folded.key[i : i + size], *folded.span(i, i + size)


def _box(region: TextRegion) -> Box | None:
    """Return the axis-aligned bounding box of a region, or None if it has no position."""
    if len(region.polygon_px) != 4:
        return None
    (left, top), (right, bottom) = region.polygon_px.min(axis=0).tolist(), region.polygon_px.max(axis=0).tolist()
    return left, top, right, bottom


def taken(earlier: Iterable[Cue], kinds: Iterable[str] | None = None) -> dict[int, list[tuple[int, int]]]:
    """Return the character ranges used by earlier cues (of the given kinds), by region."""
    wanted = None if kinds is None else set(kinds)
    out: dict[int, list[tuple[int, int]]] = {}
    for cue in earlier:
        if wanted is None or cue.kind in wanted:
            for span in cue.spans:
                out.setdefault(span.region, []).append((span.start, span.end))
    return out


def overlaps(ranges: dict[int, list[tuple[int, int]]], region: int, start: int, end: int) -> bool:
    """Whether characters `start` to `end` of `region` overlap any of the ranges."""
    return any(start < b and a < end for a, b in ranges.get(region, ()))


def is_common(reading: Reading, key: str) -> bool:
    """Whether a normalised word is an ordinary word of some language, and so not a name by itself."""
    return key in reading.facts.signwords or key in reading.facts.international or key in reading.gazetteer.stopwords


def country_name(facts: Facts, code: str) -> str:
    """Return the English name of a country, or its code if unknown."""
    known = facts.countries.get(code)
    return known.name if known is not None else code


def size(reading: Reading, code: str) -> float:
    """Return the prior of a country, used to list likely countries first."""
    if reading.prior:
        return reading.prior.get(code, 1e-6)
    known = reading.facts.countries.get(code)
    return float(max(known.population, 1)) ** 0.25 if known is not None else 1.0


KIN = 0.04
"""Weight of a word in an unlisted country that shares its language: no list of usage is complete."""


def with_kin(reading: Reading, countries: Mapping[str, float], kin: float = KIN) -> dict[str, float]:
    """Return the countries of a word, plus with a small weight those that use the language its countries share.

    Args:
        reading: source of the countries' languages.
        countries: country -> weight, not empty.
        kin: weight, relative to the highest one, of a country where all signs are in the shared language.
    """
    total, top = sum(countries.values()), max(countries.values())
    spoken: dict[str, float] = {}
    for code, weight in countries.items():
        known = reading.facts.countries.get(code)
        for language, share in known.languages.items() if known is not None else ():
            spoken[language] = spoken.get(language, 0.0) + weight / total * share
    out = dict(countries)
    for language, mine in spoken.items():
        for code, share in reading.facts.language_share(language).items():
            if code not in countries:
                out[code] = out.get(code, 0.0) + kin * top * mine * share
    return out


EVEN = 0.5
"""How much of the prior is divided out of table weights, 0 to 1 (see `evened`)."""


def evened(reading: Reading, countries: Mapping[str, float]) -> dict[str, float]:
    """Convert the weights of a table row to weights that can be combined with a prior.

    A row states where signs with the word are, so it already includes part of the prior, and a small country's own word
    would be outweighed by a large neighbour. Each weight is therefore divided by prior(country) ** `EVEN`.
    """
    if not reading.prior or not countries:
        return dict(countries)
    freed = {c: w / max(reading.prior.get(c, 0.0), 1e-5) ** EVEN for c, w in countries.items()}
    top, most = max(freed.values()), max(countries.values())
    return {c: w / top * most for c, w in freed.items()}


def listed(reading: Reading, weights: Mapping[str, float], count: int = 3) -> str:
    """Format the likeliest countries as text: "Germany, Austria or Switzerland", "… or 4 others", "many countries"."""
    ranked = sorted(weights, key=lambda c: -weights[c] * size(reading, c))
    if len(ranked) > MANY:  # three of them would say nothing
        return "many countries"
    names = [country_name(reading.facts, code) for code in ranked[:count]]
    more = len(ranked) - len(names)
    if more > 0:
        names.append(f"{more} other{'s' * (more > 1)}")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def percent(p: float) -> str:
    """Return a probability as a whole percentage that never claims certainty: "<1 %", "96 %", ">99 %"."""
    return ">99 %" if p >= 0.995 else "<1 %" if 0 < p < 0.005 else f"{round(100 * p)} %"


def placed(country: str, name: str, reading: Reading) -> Place | None:
    """Return the city of that name in a country, or the admin-1 unit if the name starts with "@"."""
    for match in reading.gazetteer.lookup(name.removeprefix("@"), k=6, countries={country: 1.0, "": 0.0}):
        place = match.place
        if place.country == country and (place.level == "admin1") == name.startswith("@"):
            return place
    return None

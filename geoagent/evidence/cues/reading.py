"""The text of one photo, prepared once for all kinds of cue."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from geoagent.evidence.cues.identify import DEFAULT as IDENTIFIER
from geoagent.evidence.scripts import script_of
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import Cue, Place, Span, TextRegion

MAX_LINES = 200
"""Lines beyond these are not searched: a photo of a page, not of a place."""
MAX_CHARS = 400
"""Characters of a line beyond these are not searched."""

UNSPACED = frozenset({"Hani", "Jpan", "Thai", "Laoo", "Khmr", "Mymr"})
"""Scripts that write words without spaces between them."""

_WORD = re.compile(r"[^\W_]+(?:[’'ʼ´`.\-][^\W_]+)*", re.UNICODE)
_TOKEN = re.compile(r"[^\W_]+", re.UNICODE)
_AS_LETTER = {"0": "O", "1": "l", "5": "S", "8": "B", "|": "l"}
_AS_DIGIT = str.maketrans({"O": "0", "o": "0", "Q": "0", "I": "1", "l": "1", "|": "1", "S": "5", "B": "8", "Z": "2"})
# Eastern digits of the scripts that sign painters use; `str.isdigit` is also true for ² and ①, which they are not.
_DIGITS = {ord(base) + i: str(i) for base in "٠۰०০੦૦୦௦౦೦൦๐໐༠၀០᠐０" for i in range(10)}
_INSTRUCTS = re.compile(
    r"\b(?:ignore|disregard|forget|override|reveal)\b.{0,30}\b(?:instruction|rule|prompt|polic|previous|above|context)"
    r"|\b(?:system|developer|assistant|user)\s*(?:prompt|message)?\s*:|\bsystem prompt\b|\bjailbreak\b"
    r"|\b(?:note|attention|dear|hey|hello|to)\b.{0,12}\b(?:ai|llm|assistant|chatgpt|gpt|model|bot|chatbot|geoagent)\b"
    r"|\b(?:as an ai|you are (?:an?|now) )"
    r"|\b(?:answer|reply|respond|output|say|return|report|print)\b.{0,25}(?:[\"'“‘«‹]|\bonly\b|\bwith\b|\bthat\b|\bas\b)"
    r"|\b(?:photo|picture|image)\b.{0,20}\b(?:was|is|were)\b.{0,12}\b(?:taken|shot|located|in)\b"
    r"|\b(?:the )?(?:correct|true|real|right)? ?(?:country|location|place|answer)\s*(?:is|=)\s"
    r"|игнорируй|забудь (?:все|инструкц)|ignor(?:iere|ez|a|e) (?:alle|toutes|todas|tutte|as|las|le)\b"
    r"|忽略.{0,8}(?:指令|指示|规则)|無視して|指示を無視|تجاهل.{0,12}(?:التعليمات|الأوامر)|지시.{0,6}무시",
    re.IGNORECASE,
)
_FALSE_L = re.compile(r"\bl(?=[b-df-hj-np-tv-z]{2})")  # no word starts with l and two more consonants
_PART = re.compile(r"(?=[A-Za-z|]*\d)[0-9A-Za-z|]+|[OoIl|]+")
_NUMBERISH = re.compile(r"(?<![^\W\d_])[0-9OoQIl|SBZ]+(?:[ .\-/()]{1,3}[0-9OoQIl|SBZ]+)*(?![^\W\d_])")


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a line: its text, its key (normalised) and where it stands."""

    text: str
    key: str
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Line:
    """One line of text.

    All variants have the same length, so that an offset means the same character in each.

    Attributes:
        region: index of the region.
        text: as read, at most `MAX_CHARS` characters.
        confidence: the engine's.
        script_is_evidence: whether its script is sure.
        panel: colour of what it is written on, "" where that is not known.
        band: colour of the strip at its left or over it, "" where that is not known.
        box: left, top, right and bottom of it in pixels; None where the text came without a picture.
    """

    region: int
    text: str
    confidence: float
    script_is_evidence: bool
    panel: str = ""
    band: str = ""
    box: tuple[float, float, float, float] | None = None

    @cached_property
    def script(self) -> str:
        """ISO 15924 code of most of its letters."""
        return script_of(self.text)

    @cached_property
    def letters(self) -> str:
        """The text with digits inside words read as letters: "R0MA" is "ROMA", "A47" stays, "lnnsbruck" gets its I."""
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
        return "".join(out)

    @cached_property
    def digits(self) -> str:
        """The text with letters inside numbers read as digits ("O53-422" is "053-422"), and eastern digits as ASCII."""
        text = self.text.translate(_DIGITS)
        out = list(text)
        for match in _NUMBERISH.finditer(text):
            run = match.group()
            true = sum(c.isdigit() for c in run)
            if true >= 2 and true >= 0.5 * sum(c.isalnum() for c in run):
                # "B/. 4.5O" is an amount of balboas: of parts without a digit only those of O, I and l are numbers.
                mended = _PART.sub(lambda part: part.group().translate(_AS_DIGIT), run)
                out[match.start() : match.end()] = mended
        return "".join(out)

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """Its words, digits inside them read as letters."""
        return tuple(
            Word(m.group(), key, m.start(), m.end())
            for m in _WORD.finditer(self.letters)
            if (key := normalise(m.group()))
        )

    def span(self, start: int, end: int) -> Span:
        """Characters `start` to `end` of this line."""
        return Span(self.region, start, end)


@dataclass(frozen=True, eq=False)
class Reading:
    """All lines of a photo, with what is needed to understand them."""

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
        """Prepare the regions; those too long are cut, and so are those beyond `MAX_LINES`."""
        lines = [
            Line(
                i,
                region.text[:MAX_CHARS],
                region.confidence,
                region.script_is_evidence,
                region.panel,
                region.band,
                _box(region),
            )
            for i, region in enumerate(regions)
            if region.text.strip() and not instructs(region.text)
        ]
        return cls(tuple(lines[:MAX_LINES]), gazetteer, facts, prior or {}, identifier)

    def phrases(self, line: Line, longest: int = 4) -> Iterator[tuple[str, int, int]]:
        """Keys of 1 to `longest` neighbouring words with their place in the line, longer ones first."""
        words = line.words
        for size in range(min(longest, len(words)), 0, -1):
            for i in range(len(words) - size + 1):
                yield " ".join(w.key for w in words[i : i + size]), words[i].start, words[i + size - 1].end

    def entries(self, line: Line, words: int, characters: int) -> Iterator[tuple[str, int, int]]:
        """What may stand in a table of words: phrases, and stretches where a script writes without spaces."""
        yield from self.phrases(line, words)
        if line.script in UNSPACED:
            for size in range(min(characters, len(line.text)), 1, -1):
                for i in range(len(line.text) - size + 1):
                    yield line.text[i : i + size], i, i + size


def _box(region: TextRegion) -> tuple[float, float, float, float] | None:
    """The upright hull of a region, or None where it has no place."""
    if len(region.polygon_px) != 4:
        return None
    (left, top), (right, bottom) = region.polygon_px.min(axis=0).tolist(), region.polygon_px.max(axis=0).tolist()
    return left, top, right, bottom


def instructs(text: str) -> bool:
    """Whether a line tries to tell a program what to answer, rather than people something.

    Signs are data. Such a line says nothing about where it stands, so it is left out of the search for cues.
    """
    return bool(_INSTRUCTS.search(text[:MAX_CHARS]))


def taken(earlier: Iterable[Cue], kinds: Iterable[str] | None = None) -> dict[int, list[tuple[int, int]]]:
    """Character ranges by region that earlier cues (of some kinds) rest on."""
    wanted = None if kinds is None else set(kinds)
    out: dict[int, list[tuple[int, int]]] = {}
    for cue in earlier:
        if wanted is None or cue.kind in wanted:
            for span in cue.spans:
                out.setdefault(span.region, []).append((span.start, span.end))
    return out


def overlaps(ranges: dict[int, list[tuple[int, int]]], region: int, start: int, end: int) -> bool:
    """Whether characters `start` to `end` of `region` touch any of the ranges."""
    return any(start < b and a < end for a, b in ranges.get(region, ()))


def is_common(reading: Reading, key: str) -> bool:
    """Whether a normalised word is an ordinary one of some language, and so no name by itself."""
    return key in reading.facts.signwords or key in reading.facts.international or key in reading.gazetteer.stopwords


def country_name(facts: Facts, code: str) -> str:
    """English name of a country, or its code."""
    known = facts.countries.get(code)
    return known.name if known is not None else code


def size(reading: Reading, code: str) -> float:
    """How much a country is to be expected before anything is read: for naming the likely ones first."""
    if reading.prior:
        return reading.prior.get(code, 1e-6)
    known = reading.facts.countries.get(code)
    return float(max(known.population, 1)) ** 0.25 if known is not None else 1.0


KIN = 0.04
"""Weight of a word in a country that is not listed for it but speaks its language: no list of usage is complete."""


def with_kin(reading: Reading, countries: Mapping[str, float], kin: float = KIN) -> dict[str, float]:
    """Countries of a word, and with a small weight those that write the language that its countries share.

    Args:
        reading: for the languages of countries.
        countries: country to weight, not empty.
        kin: weight, relative to the heaviest country, of a country where all signs are in the shared language.
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
"""How far weights of the tables are freed of the prior, 0 to 1 (see `evened`)."""


def evened(reading: Reading, countries: Mapping[str, float]) -> dict[str, float]:
    """Weights of a table's row as they bear on a prior.

    A row says where signs that bear the word stand, so part of the prior is in it already, and a small country's own
    word would be outweighed by a large neighbour's: each weight is divided by `EVEN` powers of the country's prior.
    """
    if not reading.prior or not countries:
        return dict(countries)
    freed = {c: w / max(reading.prior.get(c, 0.0), 1e-5) ** EVEN for c, w in countries.items()}
    top, most = max(freed.values()), max(countries.values())
    return {c: w / top * most for c, w in freed.items()}


def listed(reading: Reading, weights: Mapping[str, float], count: int = 3) -> str:
    """The likeliest countries in words: "Germany, Austria or Switzerland", "… or 4 others"."""
    ranked = sorted(weights, key=lambda c: -weights[c] * size(reading, c))
    names = [country_name(reading.facts, code) for code in ranked[:count]]
    more = len(ranked) - len(names)
    if more > 0:
        names.append(f"{more} other{'s' * (more > 1)}")
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def placed(country: str, name: str, reading: Reading) -> Place | None:
    """The city of that name in a country, or the admin-1 unit where the name begins with "@"."""
    for match in reading.gazetteer.lookup(name.removeprefix("@"), k=6, countries={country: 1.0, "": 0.0}):
        place = match.place
        if place.country == country and (place.level == "admin1") == name.startswith("@"):
            return place
    return None

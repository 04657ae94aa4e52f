"""Street words: "ul.", "Rua", 通り, "Cra. 7 # 45-12"."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from geoagent.evidence.cues.alphabets import LETTERS, OF_SCRIPT
from geoagent.evidence.cues.context import LINKS
from geoagent.evidence.cues.landmark import not_streets
from geoagent.evidence.cues.reading import UNSPACED, Line, Reading, Word, listed, overlaps, taken
from geoagent.evidence.cues.script import han_fit
from geoagent.places.gazetteer.facts import StreetWord
from geoagent.places.gazetteer.normalise import normalise
from geoagent.types import Cue

_EAST_ASIAN = frozenset({"Hani", "Jpan", "Hang"})  # street signs use both scripts
_SHORTEST_GLUED = 3
_TOWN = 1000  # population from which a name is a town rather than a street
ABROAD = 0.006
_ROMANISED = 0.1  # share of street signs in Latin letters for languages with another script
_BOTH = frozenset({"sr", "az", "uz", "tk", "tt", "kk", "mn"})  # written in both scripts
_NOT_LATIN = (
    frozenset(lang for script, langs in OF_SCRIPT.items() if script not in _EAST_ASIAN for lang in langs) - _BOTH
)
_COMPOUNDING = frozenset({"de", "nl", "sv", "no", "nb", "nn", "da", "fi", "et", "is", "af", "lb", "als", "fy"})
_SURNAMES, _PERSON = frozenset({"hill", "park", "green", "wood", "lane", "banks", "field"}), 0.3
"""Street words that are common surnames too, and the factor on them after a first name."""
_GLUED_ALONE = frozenset({"baan"})
"""Ends of compounds ("Hoofdbaan") that are words of other languages by themselves: "Baan" is Thai for a house."""
_NEEDS_STOP = frozenset({"al", "col"})
"""Short forms that are words of other languages, and count with a full stop only: not "Al bismi", "Col du Galibier"."""
_ENGLISH_VERBS = frozenset({"call", "way", "via", "pass", "drive", "walk", "close", "rise", "view", "ring"})
"""Street words that are ordinary English words: before other ordinary words they name no street."""
_NOT_NAMES = frozenset({"the", "a", "follow", "us", "no", "to", "only", "ahead", "closed", "open"})
_MARKED = frozenset({"Deva", "Beng", "Guru", "Gujr", "Orya", "Taml", "Telu", "Knda", "Mlym", "Sinh"})
_NUMBER = re.compile(r"\s*(?:no|nr|n[°º])?\.?\s*:?\s*\d", re.IGNORECASE)
_ONE_AT_AN_EDGE = {"로": r"(?<=[가-힣]{2})로(?=\s*\d|\s*$)", "ถ": r"(?<![ก-๛])ถ(?=\.)", "ซ": r"(?<![ก-๛])ซ(?=\.)"}
"""One-character street words that count only where nothing else can stand: at the end of a word, or before a stop."""
_ONE_CHARACTER = frozenset("路街巷弄通筋町道길")
"""One-character street words that are recognised inside a line; other single characters are parts of longer words."""


_KOREAN = frozenset({"dong", "gu", "eup", "myeon", "ro", "gil"})
"""Korean units and streets in Latin letters, which follow their name after a hyphen."""
_HYPHENED = re.compile(rf"^[A-Z0-9][a-z0-9]*-({'|'.join(sorted(_KOREAN))})$")


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each street name: the word for "street" indicates the languages that use it."""
    cues = []
    numbers = ("plate", "phone", "domain", "registration")
    busy = taken([*(c for c in earlier if c.kind in numbers), *not_streets(reading, earlier)])
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for word, known, start, end in _streets(reading, line):
            if any(start < b and a < end for a, b in used) or overlaps(busy, line.region, start, end):
                continue
            countries = _countries(reading, known, line)
            if line.script in ("Hani", "Jpan"):
                countries = {code: w * han_fit(reading.han, code, reading.facts) for code, w in countries.items()}
            if not countries:
                continue
            used.append((start, end))
            written = line.text[start:end].strip()
            cues.append(
                Cue(
                    kind="street",
                    value=written,
                    says=f"“{written}” names a street in the manner of {listed(reading, countries)}.",
                    spans=(line.span(start, end),),
                    countries=countries,
                    elsewhere=ABROAD,
                    strength=_strength(word, known) * _unlike_a_person(reading, line, start, word),
                )
            )
    return cues


def _streets(reading: Reading, line: Line) -> list[tuple[str, StreetWord, int, int]]:
    """Return `(word, entry, start, end)` of each street word; the span includes the street's name."""
    table, words, found = reading.facts.streets, line.words, []
    ordinary = reading.facts.frequency.ordinary
    for i, word in enumerate(words):
        pair = f"{word.key} {words[i + 1].key}" if i + 1 < len(words) else ""
        for key, last in ((pair, i + 1), (word.key, i)):
            known = table.get(key)
            if known is None or not _plausible(key, known, words, i, last, line, ordinary):
                continue
            low, high = words[i].start, words[last].end
            if known.position in ("before", "either") and last + 1 < len(words):
                high = words[_last_of_name(words, last, line)].end
            if (known.position == "after" or (known.position == "either" and high == words[last].end)) and i > 0:
                low = words[_first_of_name(words, i, line)].start
            elif known.position == "either" and i > 0 and _NUMBER.match(line.text, words[last].end):
                low = words[i - 1].start  # "Konya Sokak No 4"
            found.append((key, known, low, high))
            break
        else:
            glued = _glued(reading, word)
            if glued is not None:
                found.append((*glued, word.start, word.end))
    if line.script in UNSPACED or line.script == "Hang":
        found += _unspaced(table, line)
    elif line.script in _MARKED:
        found += _marked(table, line)
    return sorted(found, key=lambda f: -len(f[0]))


def _unspaced(table: Mapping[str, StreetWord], line: Line) -> list[tuple[str, StreetWord, int, int]]:
    """Street words inside a line without spaces, or at the end of Korean words."""
    found = []
    for key, known in table.items():
        if key.isascii():
            continue
        if len(key) == 1 and key not in _ONE_CHARACTER:
            at = next((m.start() for m in re.finditer(_ONE_AT_AN_EDGE.get(key, "(?!)"), line.text)), -1)
        else:
            at = line.text.find(key)
        before = known.position in ("before", "either")
        if at > 0 or (at == 0 and (len(key) >= 2 or key in _ONE_AT_AN_EDGE) and before and len(line.text) > len(key)):
            named = re.match(r"[\s.]?\S{1,16}", line.text[at + len(key) :]) if before else None
            high = at + len(key) + (named.end() if named else 0)
            found.append((key, known, at if known.position == "before" else max(0, at - 4), high))
    return found


def _marked(table: Mapping[str, StreetWord], line: Line) -> list[tuple[str, StreetWord, int, int]]:
    """Street words in scripts whose vowel signs are no letters for a pattern of words: "आगरा मार्ग"."""
    tokens = [(normalise(m.group()), m.start(), m.end()) for m in re.finditer(r"[^\s,.;:()|/-]+", line.text)]
    found = []
    for i, (key, start, end) in enumerate(tokens):
        known = table.get(key)
        if known is None or key.isascii() or len(tokens) == 1:
            continue
        low = start
        for key_before, left, right in reversed(tokens[max(0, i - 2) : i] if known.position != "before" else ()):
            if not key_before or re.search(r"[,;:()|]", line.text[right:low]):
                break
            low = left
        high = tokens[min(i + 2, len(tokens) - 1)][2] if known.position == "before" else end
        found.append((key, known, low, high))
    return found


def _first_of_name(words: tuple[Word, ...], first: int, line: Line) -> int:
    """Return the index of the first word of a street's name that stands before its word at `first`: at most two.

    A comma or digits end the name: "Szeged, Kárász utca".
    """
    start = first
    for i in range(first - 1, max(-1, first - 3), -1):
        if re.search(r"[,;()|:0-9]", line.text[words[i].end : words[start].start]) or words[i].text[0].isdigit():
            break
        start = i
    return start


def _last_of_name(words: tuple[Word, ...], last: int, line: Line) -> int:
    """Return the index of the last word of a street's name that follows its word at `last`: two words and what links.

    A comma or digits end the name: "Rue du Faubourg de Lyon, Dijon".
    """
    counted, end = 0, last
    for i in range(last + 1, len(words)):
        between = line.text[words[end].end : words[i].start]
        if (counted and re.search(r"[,;()|0-9]", between)) or words[i].text[0].isdigit():
            break
        end = i
        counted += words[i].key not in LINKS
        if counted == 2:
            break
    return max(end, min(last + 1, len(words) - 1))


def _plausible(
    key: str,
    known: StreetWord,
    words: tuple[Word, ...],
    first: int,
    last: int,
    line: Line,
    ordinary: Container[str],
) -> bool:
    """Whether the word is where it belongs in a street name, and is not just an ordinary word."""
    if len(words) == 1 or all(w.key in _NOT_NAMES for w in (*words[:first], *words[last + 1 :])):
        return False
    if key in _KOREAN or key in _GLUED_ALONE:
        return False  # "Yeoksam-dong", not "GA DONG"
    if key in _ENGLISH_VERBS and all(w.key in ordinary for w in words[last + 1 : last + 2]):
        return False  # "CALL TODAY"
    if (
        known.position == "before"
        and last == len(words) - 1
        and not any(c.isdigit() for c in line.text[words[last].end :])
    ):
        return False
    if known.position == "after" and (first == 0 or not _capital(words[first - 1].text)):
        return False
    if known.position == "either" and line.script == "Latn":
        following = [w for w in words[last + 1 :] if w.key not in LINKS]
        beside = (*words[max(0, first - 1) : first], *following[:1])
        if not any(w.text[:1].isupper() or w.text[:1].isdigit() for w in beside):
            return False
    if len(key) > 3:
        return True
    if first and re.search(r"[,(/]| [-–—] ", line.text[words[first - 1].end : words[first].start]):
        return False  # the state after a town: "Paris, TN", "Lucca (LU)", "Curitiba - PR"
    if len(key) == 1:
        return line.text[words[last].end : words[last].end + 1] in (
            "/",
            ".",
            "ª",
            "º",
        )  # "C/ Mayor", not "Vitamin C 1000"
    # Short forms ("av", "st", "al") need a full stop, or a capital before a name.
    after = line.text[words[last].end : words[last].end + 1]
    if known.position == "after" and len(key) == 3 and re.match(r" \d", line.text[words[last].end :]):
        return True  # "Pärnu mnt 15"
    if len(key) <= 2 and line.text == line.text.upper():
        return after == "."
    return after == "." or (key not in _NEEDS_STOP and words[first].text[:1].isupper() and len(words) > 1)


def _capital(word: str) -> bool:
    """Whether a word starts like a name: with a capital, or in a script without case."""
    return word[:1] == word[:1].title()


def _glued(reading: Reading, word: Word) -> tuple[str, StreetWord] | None:
    """Return the street word at the end of a longer word: "Hauptstraße", "Vaksalagatan"."""
    korean = _HYPHENED.search(word.text)
    if korean is not None and (entry := reading.facts.streets.get(korean[1])) is not None:
        return korean[1], entry
    key = normalise(word.text).replace(" ", "")
    for size in range(min(len(key) - _SHORTEST_GLUED, 12), _SHORTEST_GLUED - 1, -1):
        known = reading.facts.streets.get(key[-size:])
        if known is None or not _of_its_letters(word.text, known) or _is_town(reading, word):
            continue
        if key in reading.facts.frequency.ordinary:
            return None  # "Sharing", "Navigate"
        # In languages with compounds the street word may be separate or glued: "Lange Straße", but "Hauptstraße".
        if known.position == "glued" or (size >= 4 and known.position == "after" and _COMPOUNDING & {*known.languages}):
            return key[-size:], known
    return None


def _is_town(reading: Reading, word: Word) -> bool:
    """Whether a word that ends like a street name is the name of a town: "Longyearbyen"."""
    matches = reading.gazetteer.lookup(word.text, k=1)
    return bool(matches) and matches[0].exactness == "primary" and matches[0].place.population >= _TOWN


def _of_its_letters(text: str, known: StreetWord) -> bool:
    """Whether a street word's languages use all letters of the name: "Reparație" does not end in Finnish "tie"."""
    its = {*known.languages}
    return all(its & LETTERS[c] for c in set(text.casefold()) if c in LETTERS)


def _countries(reading: Reading, known: StreetWord, line: Line) -> dict[str, float]:
    """Return the countries of a street word: its own, else those of its languages.

    A language with another script has a low weight for Latin text: "ul. Długa" is Polish, not Russian.
    """
    if known.countries:
        return dict(known.countries)
    countries: dict[str, float] = {}
    for language in known.languages:
        spelled = _ROMANISED if line.script == "Latn" and language in _NOT_LATIN else 1.0
        for code, share in reading.facts.language_share(language).items():
            countries[code] = max(countries.get(code, 0.0), share * spelled)
    return countries


def _unlike_a_person(reading: Reading, line: Line, start: int, word: str) -> float:
    """Factor for a street that may as well be a person: "Octavia Hill" on a plaque."""
    first = next((w.key for w in line.words if w.start >= start), "")
    names = reading.facts.frequency
    return _PERSON if word in _SURNAMES and first in names.first_names else 1.0


def _strength(word: str, known: StreetWord) -> float:
    if known.countries:
        return 0.9
    return (0.95 if len(known.languages) <= 2 else 0.8 if len(known.languages) <= 5 else 0.5) * (
        0.7 if len(word) <= 2 else 1.0
    )

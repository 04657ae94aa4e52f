"""Brands, chains, operators and institutions found in few countries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from functools import lru_cache

from rapidfuzz import process
from rapidfuzz.distance import Levenshtein

from geoagent.evidence.cues.context import DECOR
from geoagent.evidence.cues.postcode import spells_code
from geoagent.evidence.cues.reading import Line, Reading, is_common, listed, overlaps, taken
from geoagent.places.gazetteer.facts import BrandFact
from geoagent.types import Cue, Place

_MOST_COUNTRIES = 12  # a brand in more countries is too unspecific
_INITIALS = 4
"""Most letters of a name in capitals that may be initials; a longer one is a word in capitals."""
_NO_INITIALS = 0.3
_USUAL, _PER_WORD = {True: 4.2, False: 3.6}, 0.8
"""Zipf value of a word that is the brand as often as anything else, for brands chosen by hand and for those of the bulk
table, and what each further word adds."""
_SETTING, _IN_A_SENTENCE = 2, 0.05
"""Other words on the line from which a name of ordinary words is a part of what the line says, and the factor then."""
_WRITTEN = 2.5  # Zipf value from which a word is no misread brand
_LEAST_CUT = 6
_OF_A_LONGER_NAME = 0.25
_INSTITUTIONS = frozenset({"institution", "police", "post", "municipal", "government", "utility", "transit", "lottery"})


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find cues of kinds "brand" and "institution": the longest known names, with one OCR error corrected."""
    cues: dict[str, Cue] = {}
    phrases = _names(reading)
    busy = taken(earlier, ("plate", "phone", "domain", "landmark"))
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for key, start, end in reading.phrases(line, 5):
            if len(key) < 2 or any(start < b and a < end for a, b in used) or overlaps(busy, line.region, start, end):
                continue
            if spells_code(reading, line, start, end) or (len(key) <= _INITIALS and line.repairs_letters(start, end)):
                continue  # the IBB of "B1 1BB"
            whole = start == line.words[0].start and end == line.words[-1].end
            name, edits = (key, 0) if key in phrases else (None, 0)
            letters_only = not any(c.isdigit() for c in key)
            if (
                name is None
                and whole
                and letters_only
                and len(key) >= 7
                and not _cut_off(key, reading.facts.international)
                and reading.facts.frequency.of(key) < _WRITTEN
                and not all(is_common(reading, w) for w in key.split())
            ):
                name, edits = _repaired(key, phrases)
            if name is None or name in reading.facts.international:
                continue
            places = reading.gazetteer.lookup(key, k=1)
            if any(edits or match.place.level == "country" for match in places):
                continue  # "Georgia" is a country, and no misread brand
            known = reading.facts.brand(name)
            if known is None or not 1 <= len(known.countries) <= _MOST_COUNTRIES:
                continue
            strength = (
                known.strength * _distinctive(name, line, start, end, whole, known, reading) * (0.7 if edits else 1.0)
            )
            if strength < 0.08:
                continue
            used.append((start, end))
            written = line.text[start:end]
            institution = known.kind in _INSTITUTIONS
            if institution and " " in name and _longer_name(line, start):
                strength *= _OF_A_LONGER_NAME
            inside = {code: found for code in known.countries if (found := _inside(code, known, reading))}
            where = known.place or ", ".join(
                place.name for places in list(inside.values())[:1] for place, _ in places[:2] if len(inside) == 1
            )
            cue = Cue(
                kind="institution" if institution else "brand",
                value=written,
                says=f"“{written}” is {'an institution' if institution else 'a brand'} of "
                f"{where + ', ' if where else ''}{listed(reading, dict(known.countries))}.",
                spans=(line.span(start, end),),
                countries=dict(known.countries),
                inside=inside,
                strength=min(1.0, strength),
            )
            cues[name] = _repeated(cues[name], cue) if name in cues else cue
    return list(cues.values())


def _repeated(first: Cue, again: Cue) -> Cue:
    """One cue of a brand that stands on several lines: a repeated name is not independent evidence."""
    return replace(max(first, again, key=lambda cue: cue.strength), spans=(*first.spans, *again.spans))


def _cut_off(name: str, international: Collection[str]) -> bool:
    """Whether a name is one that stands everywhere, less its first or last letter: "Heineke" is no misread Reineke."""
    return len(name) >= _LEAST_CUT and any(name in (other[1:], other[:-1]) for other in international)


def _longer_name(line: Line, start: int) -> bool:
    """Whether a capitalised word stands before an institution, and so names another: "National Environment Agency"."""
    before = next((word for word in reversed(line.words) if word.end <= start), None)
    return before is not None and before.text[:1].isupper() and before.text.isalpha()


def _inside(code: str, known: BrandFact, reading: Reading) -> tuple[tuple[Place, float], ...]:
    """Return where in a country a brand is based: a city or admin-1 units, with weights that sum to 0.8."""
    places = []
    for part in known.parts.get(code, ()):
        if part.startswith(code + "."):
            place = reading.gazetteer.admin1(part)
        else:
            matches = reading.gazetteer.lookup(part, k=1, countries={code: 1.0})
            place = matches[0].place if matches and matches[0].place.country == code else None
        if place is not None:
            places.append(place)
    return tuple((place, 0.8 / len(places)) for place in places)


def _distinctive(name: str, line: Line, start: int, end: int, whole: bool, known: BrandFact, reading: Reading) -> float:
    """Return how likely the text is the brand, not an ordinary word; short common words in a sentence are not."""
    kind = known.kind
    words = name.split()
    score = 1.0
    plain = [w for w in words if w not in DECOR and w not in reading.facts.international]
    trade = kind in ("brand", "operator")
    if trade and len(plain) < len(words) and (not plain or reading.gazetteer.lookup(" ".join(plain), k=1)):
        return 0.0  # "Café Roma": a type of shop with a place name, which exists in every country
    initials = known.chosen and whole and 3 <= len(name) <= _INITIALS and line.text[start:end].isupper()
    if (
        known.chosen
        and name.isascii()
        and name.isalpha()
        and len(name) <= _INITIALS
        and not line.text[start:end].isupper()
    ):
        score *= _NO_INITIALS  # "Sus" is Spanish, SUS is Brazil's health service
    if kind in ("brand", "operator", "transit"):  # bulk tables contain everything; hand-made ones are curated
        if len(name) <= 4 and not initials:
            score *= 0.35 if len(name) <= 3 else 0.6
        ordinary = all(
            w in reading.facts.signwords
            or w in reading.facts.international
            or w in reading.facts.streets
            or (len(w) <= 5 and is_common(reading, w) and not initials)
            for w in words
        )
        if ordinary:
            score *= 0.1 if len(words) == 1 else 0.3
        elif not initials:
            usual = _USUAL[known.chosen] + _PER_WORD * (len(words) - 1)
            score /= 1.0 + 10.0 ** (reading.facts.frequency.of(name) - usual)
        if not initials and reading.gazetteer.lookup(name, k=1):
            score *= 0.4  # also a place name, which is handled by the name cues
        if not whole and len(words) == 1:
            score *= 0.6
        beside = len(line.words) - len(words)
        if not known.chosen and all(w in reading.facts.frequency.ordinary for w in words) and beside > _SETTING:
            score *= _IN_A_SENTENCE  # "... jumps over the lazy dog"
    text = line.text[start:end]
    if text == text.lower() and text != text.upper() and kind in ("brand", "operator"):
        score *= 0.6
    return score


def _names(reading: Reading) -> frozenset[str]:
    return reading.facts.brand_names()


@lru_cache(maxsize=512)
def _repaired(key: str, names: frozenset[str]) -> tuple[str | None, int]:
    """Return the one nearest brand within one edit (two from 11 characters on), if unique, and its edits."""
    limit = 1 if len(key) < 11 else 2
    found = process.extract(
        key, _of_length(names, len(key), limit), scorer=Levenshtein.distance, score_cutoff=limit, limit=2
    )
    if not found or (len(found) > 1 and found[1][1] == found[0][1]):
        return None, 0
    return str(found[0][0]), int(found[0][1])


@lru_cache(maxsize=64)
def _of_length(names: frozenset[str], length: int, limit: int) -> tuple[str, ...]:
    return tuple(sorted(n for n in names if abs(len(n) - length) <= limit))

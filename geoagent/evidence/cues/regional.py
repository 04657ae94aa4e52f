"""Words that are used on signs nationally or regionally: "Gipfeli", "bottle store", "depanneur", 檳榔."""

from __future__ import annotations

from collections.abc import Mapping

from geoagent.evidence.cues.alphabets import LETTERS
from geoagent.evidence.cues.context import DECOR
from geoagent.evidence.cues.reading import Reading, evened, is_common, listed, overlaps, taken, with_kin
from geoagent.evidence.cues.script import han_fit
from geoagent.places.gazetteer.facts import Regionalism
from geoagent.types import Cue

_INSIDE = 0.5
_CUISINE = 0.35
_SHORT, _SHORT_WORD = 4, 0.4
"""Letters up to which a Latin word is short, and the factor on its strength: parts of words look like it."""
_FOREIGN_LETTERS = 0.02
_OTHER_FORM = 0.2
"""Share of a word's weight that its Han characters must fit; below, it is another country's word."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each regional word or phrase."""
    return search(reading, earlier, reading.facts.regionalisms, "regional")


def search(reading: Reading, earlier: tuple[Cue, ...], table: Mapping[str, Regionalism], kind: str) -> list[Cue]:
    """Find one cue for each matching entry of a word table, longer ones first.

    Args:
        reading: the text.
        earlier: cues of earlier kinds.
        table: normalised word or phrase -> row.
        kind: kind of the cues.
    """
    cues = []
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "signword"))
    for line in reading.lines:
        used: list[tuple[int, int]] = []
        for key, start, end in reading.entries(line, 5, 8):
            known = table.get(key)
            if known is None or any(start < b and a < end for a, b in used) or overlaps(busy, line.region, start, end):
                continue
            written = line.text[start:end]
            whole = start == line.words[0].start and end == line.words[-1].end if line.words else True
            if len(key) <= 3 and key.isascii() and not whole and is_common(reading, key):
                continue  # "ət" is meat in Azerbaijan, "et" is in every French sentence
            shown = reading.han if line.script in ("Hani", "Jpan") else written
            countries = {
                c: weight * han_fit(shown, c, reading.facts) * _letters_fit(written, c, reading)
                for c, weight in known.countries.items()
            }
            if sum(countries.values()) < _OTHER_FORM * sum(known.countries.values()):
                continue  # 营业中 is no 営業中
            used.append((start, end))
            inside = {}
            spread = countries if known.city else with_kin(reading, countries)
            for code in countries:
                place = reading.gazetteer.admin1(known.admin1) if known.admin1.startswith(code + ".") else None
                if known.city:
                    match = reading.gazetteer.lookup(known.city, k=1, countries={code: 1.0})
                    place = match[0].place if match and match[0].place.country == code else place
                if place is not None:
                    inside[code] = ((place, 0.7),)
            strength = known.strength
            if kind == "signword" and not whole and " " not in key and key.isascii():
                strength *= _INSIDE  # "Arrêt" alone is Quebec's stop sign, "Arrêt de bus" is French
            elif kind == "regional" and not {key, *key.split()} & DECOR and any(w.key in DECOR for w in line.words):
                strength *= _CUISINE  # "Tapas bar", "Trattoria …": the cuisine is foreign, not the place
            if len(key) <= _SHORT and key.isascii():
                strength *= _SHORT_WORD
            note = f" ({known.note})" if known.note else ""
            cues.append(
                Cue(
                    kind=kind,
                    value=written,
                    says=f"“{written}”{note} is said on signs in {listed(reading, countries)}.",
                    spans=(line.span(start, end),),
                    countries=evened(reading, spread),
                    inside=inside,
                    elsewhere=2e-3,
                    strength=strength,
                )
            )
    return cues


def _letters_fit(written: str, country: str, reading: Reading) -> float:
    """Return how likely a country spells a word with these letters: "Lékárna" is Czech, "lekarna" also Slovene."""
    marked = [c for c in written.casefold() if c in LETTERS and not c.isascii()]
    known = reading.facts.countries.get(country)
    if not marked or known is None:
        return 1.0
    shares = known.languages.items()
    spelled = sum(share for language, share in shares if all(language in LETTERS[c] for c in marked))
    return min(1.0, spelled + _FOREIGN_LETTERS)

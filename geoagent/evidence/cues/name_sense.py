"""What a written name means: the place, an ordinary word, a person, or what is sold.

Names are the most frequent cue and the most misleading one. How often a name is written at all, and by what it stands,
bounds what it can say about the place.
"""

from __future__ import annotations

import re

from geoagent.evidence.cues.alphabets import OF_SCRIPT
from geoagent.evidence.cues.context import OFFICE, ROAD, TOWARDS, TRADE, WELCOME
from geoagent.evidence.cues.reading import Line, Reading, is_common
from geoagent.places.gazetteer import Match, Mention
from geoagent.places.gazetteer.frequency import Frequency
from geoagent.places.gazetteer.normalise import normalise

_BARE = 1.0
"""Most odds of a name with nothing beside it on its line: famous ones stand on shirts, shops and posters everywhere."""
_WRITTEN_OF = 100_000  # people from which a city's own language writes its name often
_KNOWN_ABROAD, _FOREIGN_TOWN, _FOREIGN_PLACE = 1_000_000, 0.1, 0.5
_ALPHABETS = frozenset({"Latn", "Cyrl", "Grek"})
"""Scripts in which word frequencies tell names from words; others have no capitals or no spaces."""
_TOLD, _HINTED, _TRADED, _PERSON, _ALSO_PERSON = 30.0, 8.0, 0.05, 0.1, 0.5
"""Factors on the odds that a name means the place: beside an authority, a welcome or its region; beside a distance,
a line's destination or a postcode; beside a word of trade; as part of a person's name; if people are called so too."""
_OF_PERSONS = frozenset(
    ["van", "der", "den", "von", "ter", "ten", "mr", "mrs", "ms", "dr", "prof", "sir", "saint", "mc", "mac"]
)
_ADDRESS = re.compile(r",[^,]*[^\W\d_]{3}[^,]* \d{1,4}[a-z]?\b")
_CODE_BEFORE, _CODE_AFTER = re.compile(r"\d{3,6}\s*$"), re.compile(r",?\s*\d{4,6}\b")


def place_sense(reading: Reading, line: Line, mention: Mention, best: Match, *, supported: bool) -> float:
    """Return the probability that a name means the place, not an ordinary word or a person.

    How often the name is written at all decides (see `Frequency.names_place`), and what stands beside it.
    """
    if line.script not in _ALPHABETS:
        return _in_its_script(reading, line, best)
    frequency, key = reading.facts.frequency, normalise(mention.text)
    known = reading.facts.countries.get(best.place.country)
    ordinary = any(is_common(reading, word) for word in key.split())
    large = best.place.level != "city" or best.place.population >= _WRITTEN_OF
    home = known.languages if known is not None and large and not ordinary else ()
    another = best.exactness in ("alternate", "stem")
    p = frequency.names_place(key, best.place.population, home, another=another)
    p = min(max(p, 1e-4), 1.0 - 1e-4)
    rest = [w for w in line.words if w.end <= mention.start or w.start >= mention.end]
    keys = {part for w in rest for part in w.key.split()}
    odds = p / (1.0 - p)
    if supported or keys & OFFICE or keys & WELCOME:
        odds *= _TOLD
    elif keys & (TOWARDS | ROAD) or _addressed(line, mention):
        odds *= _HINTED
    elif keys & TRADE:
        odds *= _TRADED
    else:
        if key in frequency.first_names or key in frequency.surnames:
            odds *= _ALSO_PERSON
        if not rest:
            odds = min(odds, _BARE)
    if _is_person(reading, line, mention, key):
        odds *= _PERSON
    return odds / (1.0 + odds)


def _in_its_script(reading: Reading, line: Line, best: Match) -> float:
    """Return the factor on a name in a script in which the place's own country writes nothing: カンデラ is a candela.

    Foreign words and the names of shops are spelt in such a script too, and of foreign towns only large ones often.
    """
    known = reading.facts.countries.get(best.place.country)
    languages = OF_SCRIPT.get(line.script, frozenset())
    if known is None or not languages or languages & {*known.languages}:
        return 1.0
    return _FOREIGN_TOWN if best.place.level == "city" and best.place.population < _KNOWN_ABROAD else _FOREIGN_PLACE


def _addressed(line: Line, mention: Mention) -> bool:
    """Whether a postcode stands beside the name, or an address after it: "Szeged, Kárász utca 5"."""
    before, after = line.text[: mention.start], line.text[mention.end :]
    return bool(_CODE_BEFORE.search(before) or _CODE_AFTER.match(after) or _ADDRESS.match(after))


def _is_person(reading: Reading, line: Line, mention: Mention, key: str) -> bool:
    """Whether the name is part of a person's: a first name before it, or it is one before a surname."""
    frequency = reading.facts.frequency
    before = next((w for w in reversed(line.words) if w.end <= mention.start), None)
    after = next((w for w in line.words if w.start >= mention.end), None)
    beside_left = before is not None and line.text[before.end : mention.start].strip() in ("", ".")
    beside_right = after is not None and not line.text[mention.end : after.start].strip()
    if before is not None and beside_left and _begins_a_name(before.key, frequency):
        return True
    return after is not None and beside_right and key in frequency.first_names and after.key in frequency.surnames


def _begins_a_name(key: str, frequency: Frequency) -> bool:
    """Whether a word is a first name, an initial, a title or a particle: "van der Veen"."""
    return key in frequency.first_names or key in _OF_PERSONS or len(key) == 1

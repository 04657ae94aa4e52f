"""Write gazetteer/tables/frequency.json.gz: how often the words of place names and brands are written at all.

    pip install wordfreq==3.1.1 Faker==40.63.0; apt-get install wamerican wbritish
    python gazetteer/build/frequency.py

Sources: wordfreq (data CC BY-SA 4.0) for frequencies in 40 languages; SCOWL, through Debian's packages wamerican and
wbritish (permissive licence), for which words are ordinary English ones: those listed in lower case alone; Faker (MIT)
for first names and surnames in 60 locales.

The table holds words of the name index and of the brands, and those that the gazetteer takes for a declined name
("maanden", Dutch for months) or a misread brand alone. A word's values are its Zipf values (log10 of its
occurrences per billion words) in English and, if greater, in the other language that uses it most, with that language;
languages other than English, which are on fewer signs each, count at `OTHER`.
"""

from __future__ import annotations

import gzip
import json
import math
import pkgutil
import sys
from collections import Counter
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1])]

import faker.providers.person  # noqa: E402
import wordfreq  # noqa: E402
from rapidfuzz.distance import Levenshtein  # noqa: E402

from geoagent.places.gazetteer import Gazetteer  # noqa: E402
from geoagent.places.gazetteer.facts import Facts  # noqa: E402
from geoagent.places.gazetteer.names import Names  # noqa: E402
from geoagent.places.gazetteer.normalise import normalise  # noqa: E402

OUT = HERE.parent / "tables" / "frequency.json.gz"
DICTIONARIES = [Path("/usr/share/dict/american-english"), Path("/usr/share/dict/british-english")]
LEAST = 2.8
"""Zipf value from which a word is listed; rarer ones say nothing against a name."""
LEAST_ORDINARY = 2.0
OTHER = 0.3
SHORTEST_DECLINED, SHORTEST_BRAND = 4, 7
LEAST_MISREAD = 3.5
MISREAD = (("rn", "m"), ("m", "rn"), ("cl", "d"), ("d", "cl"), ("ri", "n"), ("i", "l"), ("l", "i"), ("vv", "w"))
"""Letters that OCR confuses; a common word that becomes a town's name by one such error is taken for the word."""


def named() -> set[str]:
    """Return every word of the name index and of the brands."""
    names = Names(HERE.parent / "names.marisa", HERE.parent / "names.npz")
    words = {word for key in names.trie.keys() for word in key.split()}  # noqa: SIM118
    facts = Facts.load(HERE.parent / "tables")
    for keys in (facts.brand_names(), facts.regionalisms):
        words.update(word for key in keys for word in key.split())
    return words


def zipf() -> tuple[dict[str, float], dict[str, tuple[float, str]]]:
    """Return the Zipf value of every word in English, and in the other language that uses it most, by key."""
    english: dict[str, float] = {}
    other: dict[str, tuple[float, str]] = {}
    for language in sorted(wordfreq.available_languages("best")):
        share: Counter[str] = Counter()
        for word, frequency in wordfreq.get_frequency_dict(language, "best").items():
            key = normalise(word)
            if key and " " not in key:
                share[key] += frequency
        for key, frequency in share.items():
            if language == "en":
                english[key] = math.log10(frequency) + 9.0
            else:
                other[key] = max(other.get(key, (0.0, "")), (math.log10(frequency * OTHER) + 9.0, language))
    return english, other


def declined(words: set[str]) -> set[str]:
    """Return the words that are no names, and that the gazetteer takes for a declined form of one."""
    gazetteer = Gazetteer.load(HERE.parent)
    return {word for word in words if len(word) >= SHORTEST_DECLINED and gazetteer.lookup(word, k=1)}


def like_a_brand(words: set[str]) -> set[str]:
    """Return the words that become a brand by one edit, and so would be taken for a misread one."""
    brands = [name for name in Facts.load(HERE.parent / "tables").brand_names() if len(name) >= SHORTEST_BRAND - 1]
    near: dict[str, list[str]] = {}
    for name in brands:
        for form in _less_a_letter(name):
            near.setdefault(form, []).append(name)
    return {
        word
        for word in words
        if len(word) >= SHORTEST_BRAND
        and any(Levenshtein.distance(word, name) == 1 for form in _less_a_letter(word) for name in near.get(form, ()))
    }


def _less_a_letter(word: str) -> set[str]:
    """Return a word, and the word without each of its letters: what two words one edit apart have in common."""
    return {word, *(word[:i] + word[i + 1 :] for i in range(len(word)))}


def ordinary() -> set[str]:
    """Return the English words that are no names: listed in lower case, and not also with a capital."""
    words = {line.strip() for path in DICTIONARIES for line in path.read_text(encoding="utf-8").splitlines()}
    return {normalise(w) for w in words if w.isalpha() and w.islower() and w.capitalize() not in words}


def people() -> tuple[set[str], set[str]]:
    """Return first names and surnames, as normalised single words."""
    first: set[str] = set()
    last: set[str] = set()
    for module in pkgutil.iter_modules(faker.providers.person.__path__):
        provider = import_module(f"faker.providers.person.{module.name}").Provider
        for found, prefix in ((first, "first_names"), (last, "last_names")):
            for field in vars(provider):
                if field.startswith(prefix) and not isinstance(vars(provider)[field], property):
                    found.update(normalise(name) for name in getattr(provider, field))
    return {w for w in first if " " not in w and len(w) > 2}, {w for w in last if " " not in w and len(w) > 2}


def main() -> None:
    """Build the table."""
    wanted, (english, other), plain = named(), zipf(), ordinary()
    first, last = people()
    common = {word for word in {*english, *other} if max(english.get(word, 0.0), other.get(word, (0.0,))[0]) >= LEAST}
    others = {word for word in common - wanted if word.isalpha()}
    wanted |= declined(others) | like_a_brand(others)
    listed: dict[str, list[int | str]] = {}
    for word in sorted(wanted):
        mine, (most, language) = english.get(word, 0.0), other.get(word, (0.0, ""))
        if max(mine, most) >= LEAST:
            listed[word] = [round(10 * mine), round(10 * most), language] if most > mine else [round(10 * mine)]
    glued = tuple(key for key in Facts.load(HERE.parent / "tables").streets if 3 <= len(key) <= 8)
    wanted |= {word for word in plain if word.endswith(glued)}  # "sharing" ends like a German street
    ordinary_words = sorted(w for w in plain if w in wanted and english.get(w, 0.0) >= LEAST_ORDINARY)
    taken = {*ordinary_words, *listed}
    for word in plain:
        if english.get(word, 0.0) >= LEAST_MISREAD:
            for a, b in MISREAD:
                other_way = word.replace(a, b)
                if other_way != word and other_way in wanted and other_way not in taken:
                    listed[other_way] = [round(10 * (english[word] - 0.5))]  # "Learning" is read as Leaming, a town
    listed = dict(sorted(listed.items()))
    table: dict[str, object] = {"zipf_tenths": listed, "ordinary": ordinary_words}
    table |= {"first_names": sorted(first), "surnames": sorted(last & wanted)}
    text = json.dumps(table, ensure_ascii=False, separators=(",", ":")).encode()
    OUT.write_bytes(gzip.compress(text, 9, mtime=0))
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in table.items())  # type: ignore[arg-type]
    print(f"{counts}; {OUT.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()

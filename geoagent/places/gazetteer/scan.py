"""Names of places in running text: longest match at every place where a name can begin."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Mapping

from geoagent.places.gazetteer.fuzzy import Fuzzy, without_digits
from geoagent.places.gazetteer.hits import Hit, add_context, plausible, with_codes
from geoagent.places.gazetteer.match import Match, Mention
from geoagent.places.gazetteer.names import Names
from geoagent.places.gazetteer.normalise import Folded, fold_with_offsets
from geoagent.places.gazetteer.rank import EXACTNESS, Ranker
from geoagent.places.gazetteer.score import CHEAP_EDIT, STEM
from geoagent.places.gazetteer.stems import stems
from geoagent.places.gazetteer.writing import CASED, SPACELESS, letter_script

MAX_TEXT = 20_000
"""Characters of a text that are scanned; a sign has fewer than two thousand."""
_WINDOW = 64
# What Korean and Semitic writing glues to a name.
_HANGUL_AFTER = frozenset(
    "시 구 군 도 동 읍 면 리 역 점 로 길 대로 에 의 은 는 이 가 을 를 에서 으로 행 발 식 시청 구청 대학교 광역시"  # noqa: SIM905
    " 특별시 터미널 공항 국제공항 본점 지점 교회 병원 항".split()
)
_PREFIXES = {
    "Arab": ("وال", "بال", "لل", "ال", "و", "ب", "ل", "ف"),
    "Hebr": ("וב", "מה", "וה", "ב", "ל", "מ", "ה", "ו", "ש"),
}
_CHEAP_FLOOR = {5: 150_000, 6: 60_000, 7: 20_000}
_PLAIN_FLOOR = {7: 400_000, 8: 60_000, 9: 15_000}
"""Letters of a misread word, and the people that the place must have: short words are near too many villages. First
for confusions of optical readers, then for any other edit."""
_CHEAP = -2.5
_LONG_FLOOR = 3_000


class Scanner:
    """Finds mentions in texts."""

    def __init__(self, names: Names, rank: Ranker, fuzzy: Fuzzy, stopwords: frozenset[str]) -> None:
        self.names = names
        self.rank = rank
        self.fuzzy = fuzzy
        self.stopwords = stopwords

    def scan(
        self, text: str, *, fuzzy: bool = False, countries: Mapping[str, float] | None = None, k: int = 8
    ) -> tuple[Mention, ...]:
        """Return the mentions of places in `text`; see `Gazetteer.scan`."""
        folded = fold_with_offsets(text[:MAX_TEXT])
        reader = _Reader(self, text, folded, countries, fuzzy)
        hits = reader.read()
        return tuple(self._mention(hit, text, folded, k) for hit in hits)

    def _mention(self, hit: Hit, text: str, folded: Folded, k: int) -> Mention:
        rows = sorted(((s + hit.bonus.get(n, 0.0), n, kind) for s, n, kind in hit.rows), key=lambda r: (-r[0], r[1]))
        start, end = folded.span(hit.start, hit.end)
        place = self.rank.table.place
        matches = tuple(
            Match(place(n), hit.key, hit.exactness or EXACTNESS[kind], hit.edits, score) for score, n, kind in rows[:k]
        )
        first = next((c for c in text[start:end] if c.isalpha()), "")
        cased = letter_script(first) in CASED if first else True  # Georgian has capitals in Unicode, not on signs
        return Mention(start, end, text[start:end], matches, bool(first) and (not cased or first == first.upper()))


class _Reader:
    """One reading of one text."""

    def __init__(
        self, owner: Scanner, text: str, folded: Folded, countries: Mapping[str, float] | None, fuzzy: bool
    ) -> None:
        self.owner = owner
        self.text = text
        self.folded = folded
        self.key = folded.key
        self.countries = countries
        self.fuzzy = fuzzy
        self.codes: list[Hit] = []
        self.words = self._words()
        self.begins = list(self.words)  # ascending

    def _words(self) -> dict[int, int]:
        """Return begin to end (exclusive) of the runs between spaces and breaks."""
        words, begin = {}, -1
        for i, c in enumerate(self.key + " "):
            if c in " \n":
                if begin >= 0:
                    words[begin] = i
                begin = -1
            elif begin < 0:
                begin = i
        return words

    def read(self) -> list[Hit]:
        hits: list[Hit] = []
        i, n = 0, len(self.key)
        word_end = 0
        while i < n:
            c = self.key[i]
            if c in " \n":
                i += 1
                continue
            script = letter_script(c)
            at_word = i in self.words
            if at_word:
                word_end = self.words[i]
            if not at_word and script not in SPACELESS and not self._script_begins(i, script):
                i += 1
                continue
            hit = self._at(i, word_end, script)
            if hit is None:
                i += 1
            else:
                hit = self._further(hit, script)
                hits.append(hit)
                i = max(hit.end, i + 1)
        table = self.owner.rank.table
        hits = with_codes(hits, self.codes, self.key, table)
        add_context(hits, self.key, table)
        return hits

    def _further(self, hit: Hit, script: str) -> Hit:
        """The name that begins inside another, ends after it and is better known: "City of Milton Keynes"."""
        if script in SPACELESS:
            return hit
        seen = len(self.codes)
        for i in self.begins[bisect_right(self.begins, hit.start) : bisect_left(self.begins, hit.end)]:
            later = self._exact(self._tail(i), i, script)
            if later is not None and later.end > hit.end and later.rows[0][0] > hit.rows[0][0]:
                return later
        del self.codes[seen:]
        return hit

    def _script_begins(self, i: int, script: str) -> bool:
        """Whether a letter follows one of another script ("东京Tower")."""
        before = letter_script(self.key[i - 1])
        return bool(script) and before in SPACELESS and before != script

    def _at(self, i: int, word_end: int, script: str) -> Hit | None:
        hit = self._exact(self._tail(i), i, script)
        if hit is not None:
            return hit
        if i not in self.words:
            return None
        word = self.key[i:word_end]
        for prefix in _PREFIXES.get(script, ()):
            if word.startswith(prefix) and len(word) - len(prefix) >= 3:
                hit = self._exact(self._tail(i + len(prefix)), i + len(prefix), script, least=3)
                if hit is not None and hit.end - hit.start >= 4:
                    hit.exactness = "stem"
                    return hit
        if word in self.owner.stopwords or script in SPACELESS:
            return None
        return self._digits(i, word_end, script) or self._stem(i, word_end) or self._misread(i, word_end, script)

    def _tail(self, i: int) -> str:
        """The text from `i` on, long enough for any name and for what decides whether the name ends there."""
        return self.key[i : i + 2 * _WINDOW]

    def _exact(self, tail: str, i: int, script: str, least: int = 2) -> Hit | None:
        """Return the longest usable name at the start of `tail`, the text from `i` on."""
        stop = tail.find("\n", 0, _WINDOW)
        window = tail[: stop if stop >= 0 else _WINDOW]
        for name in sorted(self.owner.names.prefixes(window), key=len, reverse=True):
            end = i + len(name)
            if len(name) < least or not self._ends(tail, len(name), i, script):
                continue
            raw = self._raw(i, end)
            rows = self.owner.rank.scored(name, raw, self.countries)
            spoken = [row for row in rows if row[2] != 2]
            if len(spoken) < len(rows) and self.words.get(i) == end:
                self.codes.append(Hit(i, end, name, [row for row in rows if row[2] == 2]))
            if name in self.owner.stopwords:
                return None
            if not spoken:
                continue
            if plausible(name, script, spoken, raw, self.key[end : end + 1], self.owner.rank.table):
                return Hit(i, end, name, spoken)
        return None

    def _raw(self, i: int, end: int) -> str:
        start, stop = self.folded.span(i, end)
        return self.text[start:stop]

    def _ends(self, tail: str, length: int, i: int, script: str) -> bool:
        """Whether a name of `length` characters at the start of `tail`, the text from `i` on, may end there."""
        if length >= len(tail) or tail[length] in " \n":
            return True
        after = letter_script(tail[length])
        if script != "Latn" and tail[length].isdigit():
            return True
        if script == "Hang" and after == "Hang":
            return length >= 2 and tail[length : self._word_end(i, i + length) - i] in _HANGUL_AFTER
        if script == "Kana":
            return after != "Kana"
        if script in SPACELESS:
            return after != script or not _is_mark(tail[length])
        return after in SPACELESS

    def _word_end(self, i: int, otherwise: int) -> int:
        """End of the word that `i` is in."""
        at = bisect_right(self.begins, i) - 1
        end = self.words[self.begins[at]] if at >= 0 else i
        return end if i < end else otherwise

    def _digits(self, i: int, word_end: int, script: str) -> Hit | None:
        """A name whose letters were read as digits: "K1aipeda", "S0FIA"."""
        stop = self.key.find("\n", i, i + _WINDOW)
        window = self.key[i : stop if stop >= 0 else min(i + _WINDOW, len(self.key))]
        if not any(c.isdigit() for c in self.key[i:word_end]):
            return None
        for variant in without_digits(window):
            hit = self._exact(variant, i, script or "Latn", least=4)
            if hit is None:
                first = variant[: word_end - i]
                for stem, inside in stems(first):
                    rows = self.owner.rank.scored(stem, stem, self.countries, inside)
                    if rows and self._large(rows, 20_000):
                        hit = Hit(i, word_end, stem, [(s + STEM, n, kind) for s, n, kind in rows])
                        break
            if hit is not None:
                changed = sum(a != b for a, b in zip(self.key[i : hit.end], variant, strict=False))
                cost = CHEAP_EDIT / 2 * changed
                return Hit(i, hit.end, hit.key, [(s + cost, n, kind) for s, n, kind in hit.rows], "fuzzy", changed)
        return None

    def _large(self, rows: list[tuple[float, int, int]], people: int) -> bool:
        table = self.owner.rank.table
        return any(n < table.first_city or table.population[n] >= people for _, n, _ in rows[:5])

    def _stem(self, i: int, word_end: int) -> Hit | None:
        """A declined name: "Klaipėdos", "Gdańsku"."""
        word = self.key[i:word_end]
        raw = self._raw(i, word_end)
        if len(word) < 5 or (raw[:1] == raw[:1].lower() and letter_script(word[0]) in CASED):
            return None
        best: Hit | None = None
        for stem, inside in stems(word):
            if stem in self.owner.stopwords:
                continue
            rows = [r for r in self.owner.rank.scored(stem, stem, self.countries, inside) if r[2] != 2]
            if rows and self._large(rows, 50_000) and (best is None or rows[0][0] + STEM > best.rows[0][0]):
                best = Hit(i, word_end, stem, [(s + STEM, n, kind) for s, n, kind in rows], "stem")
        return best

    def _misread(self, i: int, word_end: int, script: str) -> Hit | None:
        """A misreading of a well-known name; only where asked for."""
        raw = self._raw(i, word_end)
        lower = script in CASED and raw[:1] == raw[:1].lower() and raw[:1] != "l"  # l is read for I
        if not self.fuzzy or lower:
            return None
        best: Hit | None = None
        for end in self._windows(i, word_end):
            key = self.key[i:end]
            letters = sum(c.isalpha() for c in key)
            if letters < min(_CHEAP_FLOOR) or letters < len(key.replace(" ", "")) - 2 or key in self.owner.stopwords:
                continue
            for other, edits, cost in self.owner.fuzzy.near(key, 1 if letters < 10 else None):
                floors = _CHEAP_FLOOR if cost > _CHEAP else _PLAIN_FLOOR
                people = floors.get(letters, _LONG_FLOOR if letters > max(floors) else None)
                if people is None or other in self.owner.stopwords:
                    continue
                rows = [r for r in self.owner.rank.scored(other, other, self.countries) if r[2] != 2]
                if not rows or not self._known(rows, people):
                    continue
                moved = [(s + cost, n, kind) for s, n, kind in rows]
                if best is None or moved[0][0] + 2 * (end - i) > best.rows[0][0] + 2 * (best.end - best.start):
                    best = Hit(i, end, other, moved, "fuzzy", edits)
        return best

    def _known(self, rows: list[tuple[float, int, int]], people: int) -> bool:
        """Whether a name is the usual one of a place of so many people, or another one of a far larger place."""
        table = self.owner.rank.table
        for _, n, kind in rows[:5]:
            least = people if kind != 1 else max(10 * people, 300_000)
            if table.population[n] >= least or (n < table.n_countries and kind != 1):
                return True
        return False

    def _windows(self, i: int, word_end: int) -> list[int]:
        """Ends of the one, two and three words that begin at `i`, up to a hard break."""
        ends = [word_end]
        while len(ends) < 3 and ends[-1] < len(self.key) and self.key[ends[-1]] == " ":
            following = self.words.get(ends[-1] + 1)
            if following is None:
                break
            ends.append(following)
        return ends


def _is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M" or character in "ะาำๅ"

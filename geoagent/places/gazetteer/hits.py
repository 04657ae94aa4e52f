"""Names found in a text, before they become mentions: whether one is meant as a name, and what names beside it add."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from geoagent.places.gazetteer.match import Exactness
from geoagent.places.gazetteer.table import Table
from geoagent.places.gazetteer.writing import CASED

_CONTEXT = 6.5
"""Nats that a city gains where its own region or country is named beside it ("Springfield, IL")."""
_HAN_GENERIC = frozenset("市区县省州府都道町村郡镇乡")


@dataclass(slots=True)
class Hit:
    """A name found in a folded text, while the text is being read.

    Attributes:
        start: first character in the folded text.
        end: character after the last.
        key: the name as it stands in the index of names.
        rows: what it may mean, best first: score in nats, row of the table of places, kind of name.
        exactness: how it was matched; None where the kind of name says it.
        edits: characters that were changed to match.
        bonus: nats by row of the table, from names beside it.
    """

    start: int
    end: int
    key: str
    rows: list[tuple[float, int, int]]
    exactness: Exactness | None = None
    edits: int = 0
    bonus: dict[int, float] = field(default_factory=dict)


def plausible(
    name: str, script: str, rows: list[tuple[float, int, int]], raw: str, following: str, table: Table
) -> bool:
    """Whether a key is long, well known or well written enough to be meant as a name."""
    best = max(int(table.population[n]) for _, n, _ in rows[:5])
    area = any(n < table.first_city for _, n, _ in rows[:5])
    primary = any(kind != 1 for _, _, kind in rows)
    if script == "Hani":
        followed = following in _HAN_GENERIC
        return len(name) > 2 or area or followed or best >= 200_000
    if script in ("Thai", "Laoo", "Khmr", "Mymr"):
        return len(name) >= (3 if area or best >= 100_000 else 5)
    if script in ("Hira", "Kana", "Hang"):
        return len(name) >= (2 if area or best >= 100_000 else 3)
    if len(name) <= 3:
        upper_code = raw.isupper() and not primary
        capital = script not in CASED or raw[:1] != raw[:1].lower()
        return (area or best >= 50_000) and capital and not upper_code
    if script in CASED and raw[:1] == raw[:1].lower() and raw[:1].isalpha():
        return area or best >= 50_000
    if len(name) <= 6 and not primary and " " not in name:
        return area or best >= 60_000
    return len(name) > 4 or area or best >= 5_000


def with_codes(hits: list[Hit], codes: list[Hit], key: str, table: Table) -> list[Hit]:
    """Add codes of states ("TX", "SC") that stand directly behind a town of that state."""
    starts, ends = [h.start for h in hits], [h.end for h in hits]
    added: list[Hit] = []
    for code in codes:
        before = bisect_right(ends, code.start) - 1
        town = hits[before] if before >= 0 else None
        units = [r for r in code.rows if table.n_countries <= r[1] < table.first_city]
        if town is None or not units or code.start - town.end > 2 or key[town.end : code.start].strip():
            continue
        inside = {(table.country_of[n], table.admin1_of(n)) for _, n, _ in town.rows}
        kept = [r for r in units if (table.country_of[r[1]], table.admin1_of(r[1])) in inside]
        taken = bisect_left(starts, code.end) > before + 1  # by a name that begins before the code ends
        if kept and not taken and not (added and code.start < added[-1].end):
            code.rows = kept
            added.append(code)
    return sorted([*hits, *added], key=lambda h: h.start)


def add_context(hits: list[Hit], key: str, table: Table) -> None:
    """Raise the readings of two neighbouring names of which one lies in the other."""
    for a, b in pairwise(hits):
        gap = key[a.end : b.start]
        if gap.strip() or len(gap) > 2:
            continue
        for inner, outer in ((a, b), (b, a)):
            for _, n, _ in inner.rows:
                for _, m, _ in outer.rows[:12]:
                    if m >= table.first_city or m == n or table.country_of[n] != table.country_of[m]:
                        continue
                    if m < table.n_countries <= n or (
                        n >= table.first_city and table.admin1_of(n) == table.admin1_of(m)
                    ):
                        inner.bonus[n] = _CONTEXT
                        outer.bonus[m] = _CONTEXT

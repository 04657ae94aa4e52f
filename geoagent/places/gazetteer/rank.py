"""Ranking of a key's places for a name as it was written."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping

from geoagent.places.gazetteer.match import Exactness, Match
from geoagent.places.gazetteer.names import Names
from geoagent.places.gazetteer.score import (
    FOREIGN_SCRIPT,
    KIND_PENALTY,
    OWN_SCRIPT,
    RAW_DIFFERS,
    RAW_EQUAL,
    RAW_EQUAL_PLAIN,
)
from geoagent.places.gazetteer.table import Table
from geoagent.places.gazetteer.writing import key_script

EXACTNESS: tuple[Exactness, ...] = ("primary", "alternate", "code", "primary")
_CODE = 2
_DEPTH = 40
"""Links are sorted by static score; those beyond this many never rank among the best eight without evidence."""


class Ranker:
    """Ranks the places of a key."""

    def __init__(self, table: Table, names: Names, scripts: Mapping[str, frozenset[str]]) -> None:
        self.table = table
        self.names = names
        self.scripts = scripts

    def scored(
        self,
        key: str,
        raw: str,
        countries: Mapping[str, float] | None = None,
        inside: frozenset[str] | None = None,
    ) -> list[tuple[float, int, int]]:
        """Return (score, place index, kind) of every place with this key, best first.

        Args:
            key: normalised key.
            raw: name as written, for its diacritics and capitals.
            countries: weight per ISO code, "" for the others.
            inside: restrict to places in these countries.
        """
        links = self.names.links(key)
        if countries is None and inside is None and len(links) > _DEPTH:
            links = links[:_DEPTH]
        base, country_of, names = self.table.base, self.table.country_of, self.table.names
        written = unicodedata.normalize("NFC", raw).strip().casefold()
        plain = written.isascii()
        script = "Latn" if plain else key_script(key)
        is_code = raw.isupper()
        elsewhere = 1.0 if countries is None else countries.get("", 1.0)
        out = []
        for number, kind in links:
            country = country_of[number]
            if inside is not None and country not in inside:
                continue
            if kind == _CODE and not is_code:
                continue
            score = base[number] + KIND_PENALTY[kind]
            if kind == 0:
                name = names[number].casefold()
                if name == written or ("/" in name and written in name):
                    score += RAW_EQUAL_PLAIN if plain else RAW_EQUAL
                elif not plain and script == "Latn":
                    score += RAW_DIFFERS
            elif script != "Latn" and kind == 1:
                score += OWN_SCRIPT if script in self.scripts.get(country, ()) else FOREIGN_SCRIPT
            if countries is not None:
                score += math.log(max(countries.get(country, elsewhere), 1e-12))
            out.append((score, number, kind))
        out.sort(key=lambda row: (-row[0], row[1]))
        return out

    def matches(
        self,
        key: str,
        raw: str,
        *,
        k: int,
        countries: Mapping[str, float] | None = None,
        inside: frozenset[str] | None = None,
    ) -> tuple[Match, ...]:
        """Return the best `k` places of a key; see `scored`."""
        place = self.table.place
        rows = self.scored(key, raw, countries, inside)[:k]
        return tuple(Match(place(number), key, EXACTNESS[kind], 0, score) for score, number, kind in rows)

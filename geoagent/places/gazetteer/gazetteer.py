"""The gazetteer: names to places, places to names, points to countries."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.fuzzy import Fuzzy
from geoagent.places.gazetteer.match import Exactness, Match, Mention
from geoagent.places.gazetteer.names import Names
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.polygons import Areas
from geoagent.places.gazetteer.rank import Ranker
from geoagent.places.gazetteer.scan import Scanner
from geoagent.places.gazetteer.score import STEM
from geoagent.places.gazetteer.stems import bare, stems
from geoagent.places.gazetteer.stopwords import load_stopwords
from geoagent.places.gazetteer.table import Cities, Table
from geoagent.places.geo import LatLon, check_latlon
from geoagent.resources import cache_dir, data_dir
from geoagent.types import Place

_REMEMBERED = 50_000  # cached points of `reverse`


class Gazetteer:
    """Places of the world: 235,000 towns, their countries and admin-1 units, with a million names in all scripts.

    Create it with `Gazetteer.load()`. It is read-only after loading and can be shared between threads.

    Attributes:
        version: version of the data.
        fingerprint: hash of the data files.
        counts: number of rows by kind ("countries", "admin1", "subunits", "cities", "names", "links", "polygons").
    """

    def __init__(self, folder: Path, meta: Mapping[str, Any], table: Table, names: Names) -> None:
        self.folder = folder
        self.version = str(meta["version"])
        self.fingerprint = str(meta["fingerprint"])
        self.counts: dict[str, int] = {k: int(v) for k, v in meta["counts"].items()}
        self.table = table
        self.names = names
        self.rank = Ranker(table, names, {c: frozenset(s) for c, s in meta["scripts"].items()})

    @classmethod
    def load(cls, folder: Path | None = None) -> Gazetteer:
        """Load the gazetteer that ships with geoagent, or one in the same format from `folder`; takes about 0.2 s.

        Raises:
            ResourceError: a file is missing or damaged.
        """
        where = data_dir("gazetteer") if folder is None else Path(folder)
        try:
            meta = json.loads((where / "places.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ResourceError(f"no gazetteer in {where}: {error}; reinstall geoagent") from error
        table = Table(where / "places.npz")
        return cls(where, meta, table, Names(where / "names.marisa", where / "names.npz"))

    @cached_property
    def areas(self) -> Areas:
        """Polygons, read on first use."""
        return Areas.load(self.folder / "admin.xz")

    @cached_property
    def _fuzzy(self) -> Fuzzy:
        return Fuzzy(self.names, cache_dir() / f"letters-{self.fingerprint}.npz")

    @cached_property
    def stopwords(self) -> frozenset[str]:
        """Keys that are words on signs rather than names, read on first use."""
        return load_stopwords(self.folder / "stopwords.txt")

    @cached_property
    def _scanner(self) -> Scanner:
        return Scanner(self.names, self.rank, self._fuzzy, self.stopwords)

    def lookup(self, name: str, *, k: int = 8, countries: Mapping[str, float] | None = None) -> tuple[Match, ...]:
        """Return the places that a name may mean, best first; () if none is known.

        The name is looked up as given; then without a generic word ("City of", "市", "oblast"); then as a declined form
        ("Klaipėdos"), which is marked "stem".

        Args:
            name: name as written, in any script.
            k: maximum number of matches.
            countries: weight per ISO code, a prior or evidence; its log is added to the score. Missing countries have
                the weight of "", or 1 if that is missing, too.
        """
        key = normalise(name)
        if not key:
            return ()
        found = self.rank.matches(key, name, k=k, countries=countries)
        if found:
            return found
        whole, at, _ = name.partition("'") if "'" in name else name.partition("’")
        if at and len(whole) > 2:
            found = self._as(self.rank.matches(normalise(whole), whole, k=k, countries=countries), "stem", STEM / 2)
        for shorter in bare(key):
            found += self._as(self.rank.matches(shorter, shorter, k=k, countries=countries), "stem", STEM / 4)
        if not found:
            for stem, inside in stems(key):
                rows = self.rank.matches(stem, stem, k=k, countries=countries, inside=inside)
                found += self._as(rows, "stem", STEM)
        return _best(found, k)

    def fuzzy(
        self, name: str, *, k: int = 8, max_edits: int | None = None, countries: Mapping[str, float] | None = None
    ) -> tuple[Match, ...]:
        """Return the places whose names are nearest to a misread or misspelt name, best first, including exact matches.

        Letters that OCR engines confuse have a low cost; any other edit costs 3.2 nats.

        Args:
            name: name as read.
            k: maximum number of matches.
            max_edits: maximum number of differing letters; by default 1, or 2 for nine letters or more.
            countries: as for `lookup`.
        """
        key = normalise(name)
        found = list(self.lookup(name, k=k, countries=countries))
        for other, edits, cost in self._fuzzy.near(key, max_edits):
            rows = self.rank.matches(other, other, k=k, countries=countries)
            found += self._as(rows, "fuzzy", cost, edits)
        return _best(found, k)

    def scan(
        self, text: str, *, fuzzy: bool = False, countries: Mapping[str, float] | None = None
    ) -> tuple[Mention, ...]:
        """Find place names in a text, left to right, without overlaps.

        Args:
            text: one or more lines; offsets of the mentions are character offsets in it.
            fuzzy: also match misreadings of well-known places.
            countries: as for `lookup`.
        """
        return self._scanner.scan(text, fuzzy=fuzzy, countries=countries)

    def reverse(self, latlon: LatLon | Sequence[float]) -> Place | None:
        """Reverse-geocode a point to its town, with country and admin-1 unit by polygon; None on the open sea.

        The town is the one with the strongest attraction among those in the polygon's country; see `nearest_city` of
        `Table`.
        """
        lat, lon = check_latlon(tuple(latlon)).tolist()
        return self._town_at(lat, lon)

    @cached_property
    def _town_at(self) -> Callable[[float, float], Place | None]:
        return lru_cache(maxsize=_REMEMBERED)(self._reverse)

    def _reverse(self, lat: float, lon: float) -> Place | None:
        area = int(self.areas.index_at([(lat, lon)])[0])
        if area < 0:
            return None
        country, code = str(self.areas.countries[area]), str(self.areas.codes[area])
        found = self.table.nearest_city(lat, lon, country)
        if found is None:
            return self.country(country)
        place = self.table.place(found)
        unit = self.admin1(code)
        if unit is None or (place.country == country and place.admin1 == code):
            return place
        return Place(place.name, "city", country, place.latlon, code, unit.name, place.population)

    def country_at(self, latlon: LatLon | Sequence[float]) -> str:
        """Return the ISO code of the country at a point, "" on the open sea."""
        return str(self.areas.country_at(tuple(latlon))[0])

    def admin1_at(self, latlon: LatLon | Sequence[float]) -> str:
        """Return the GeoNames code of the admin-1 unit at a point, "" if there is none."""
        return str(self.areas.admin1_at(tuple(latlon))[0])

    def countries_at(self, latlon: ArrayLike) -> NDArray[np.str_]:
        """Return ISO country codes `(N,)` for points `(N, 2)`; "" on the open sea."""
        return self.areas.country_at(latlon)

    def admin1s_at(self, latlon: ArrayLike) -> NDArray[np.str_]:
        """Return GeoNames admin-1 codes `(N,)` for points `(N, 2)`; "" if there is none."""
        return self.areas.admin1_at(latlon)

    def entry(self, i: int) -> Place:
        """Return the place with index `i`: countries first, then admin-1 units, sub-units, cities."""
        return self.table.place(i)

    def __len__(self) -> int:
        return len(self.table.names)

    @property
    def cities(self) -> Cities:
        """All cities as columns, for building worlds."""
        return self.table.cities

    def full_name(self, place: Place) -> str:
        """Return "Köln, North Rhine-Westphalia, Germany": a place, its admin-1 unit and its country, no name twice."""
        country = self.country(place.country)
        parts = (place.name, place.admin1_name, place.country if country is None else country.name)
        return ", ".join(dict.fromkeys(part for part in parts if part))

    def country(self, code: str) -> Place | None:
        """Return the country with an ISO code, or None if the code is unknown."""
        i = self.table.number(code)
        return None if i is None or i >= self.table.n_countries else self.table.place(i)

    def admin1(self, code: str) -> Place | None:
        """Return the unit with a GeoNames admin-1 code ("DE.07"), or None if the code is unknown."""
        i = self.table.number(code)
        return None if i is None or i < self.table.n_countries else self.table.place(i)

    def area(self, code: str) -> Place | None:
        """Return the country or the admin-1 unit with a code ("DE", "DE.07"), or None if the code is unknown."""
        i = self.table.number(code)
        return None if i is None else self.table.place(i)

    def admin1_polygons(self) -> tuple[NDArray[np.str_], NDArray[np.str_], NDArray[Any]]:
        """Return codes `(A,)`, countries `(A,)` and shapely geometries `(A,)` (in lon, lat) of all units."""
        return self.areas.codes, self.areas.countries, self.areas.shapes

    def outlines(self) -> dict[str, Any]:
        """Return simplified country borders as a GeoJSON FeatureCollection (lon, lat) with property `country`."""
        path = self.folder / "outlines.geojson.gz"
        try:
            return dict(json.loads(gzip.decompress(path.read_bytes())))
        except (OSError, EOFError, ValueError) as error:
            raise ResourceError(f"cannot read the outlines {path}: {error}; reinstall geoagent") from error

    @staticmethod
    def _as(rows: tuple[Match, ...], exactness: Exactness, cost: float, edits: int = 0) -> tuple[Match, ...]:
        return tuple(Match(m.place, m.name, exactness, edits, m.score + cost) for m in rows)


def _best(found: Sequence[Match], k: int) -> tuple[Match, ...]:
    """Return the best `k` matches, each place once."""
    best: dict[Place, Match] = {}
    for match in found:
        known = best.get(match.place)
        if known is None or match.score > known.score:
            best[match.place] = match
    ordered = sorted(best.values(), key=lambda m: -m.score)
    return tuple(ordered[:k])

"""Column-oriented table of places: countries, admin-1 units, their sub-units, cities."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.score import ADMIN1_FLOOR, CITY_FLOOR, COUNTRY_FLOOR, LEVEL_BONUS
from geoagent.places.geo import Float, LatLon, haversine_km
from geoagent.types import Level, Place

WINDOW_DEG = 1.2
"""Upper bound of a city's radius (126 km for 24 million people)."""


def _trusted(lat: float, lon: float) -> LatLon:
    """Create a LatLon without validation (the table was validated when built; checking costs more than a lookup)."""
    place = object.__new__(LatLon)
    object.__setattr__(place, "lat", lat)
    object.__setattr__(place, "lon", lon)
    return place


@dataclass(frozen=True, eq=False, slots=True)
class Cities:
    """The cities as read-only columns of n rows.

    Attributes:
        latlon: `(n, 2)` float64 degrees.
        population: `(n,)` int64, 0 if unknown.
        country: `(n,)` ISO codes.
        admin1: `(n,)` GeoNames admin-1 codes, "" if none.
        names: n primary names.
    """

    latlon: Float
    population: NDArray[np.int64]
    country: NDArray[np.str_]
    admin1: NDArray[np.str_]
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def name(self, i: int) -> str:
        """Return the primary name of city `i`."""
        return self.names[i]


_CORE_KM = 1.0  # within this distance the whole population counts as being at the centre


def city_radius_km(population: ArrayLike) -> Float:
    """Radius within which people say that they are in a city, km: max(3, 10^(0.42 log10 population − 1))."""
    people = np.maximum(np.asarray(population, dtype=np.float64), 1.0)
    return np.maximum(3.0, 10.0 ** (0.42 * np.log10(people) - 1.0))


class Table:
    """Places by index; 0 … countries − 1 are countries, then admin-1 units, then sub-units, then cities."""

    def __init__(self, path: Path) -> None:
        try:
            with np.load(path) as data:
                sizes = data["sizes"].tolist()
                self.names: list[str] = data["names"].tobytes().decode().split("\n")
                codes: list[str] = data["codes"].tobytes().decode().split("\n")
                self._country = data["country"]
                self._admin1 = data["admin1"]
                self.latlon: Float = np.column_stack([data["lat"], data["lon"]]) / 1e4
                self.population: NDArray[np.int64] = data["population"].astype(np.int64)
        except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
            raise ResourceError(f"cannot read the places {path}: {error}; reinstall geoagent") from error
        self.n_countries, n_units, n_sub = sizes
        self.first_sub = self.n_countries + n_units
        self.first_city = self.first_sub + n_sub
        self.country_codes = codes[: self.n_countries]
        self.admin1_codes = ["", *codes[self.n_countries :]]
        self._numbers = {code: i for i, code in enumerate(codes)}
        self.country_of: list[str] = np.array(self.country_codes)[self._country].tolist()
        floor = np.full(len(self.names), CITY_FLOOR)
        floor[: self.n_countries] = COUNTRY_FLOOR
        floor[self.n_countries : self.first_city] = ADMIN1_FLOOR
        base = np.log(self.population + floor)
        base[: self.n_countries] += LEVEL_BONUS["country"]
        base[self.n_countries : self.first_city] += LEVEL_BONUS["admin1"]
        self.base: list[float] = base.tolist()
        self._places: dict[int, Place] = {}
        self._cities: Cities | None = None
        self._by_lat: tuple[NDArray[np.int64], Float] | None = None
        for array in (self.latlon, self.population):
            array.setflags(write=False)

    def level(self, i: int) -> Level:
        """Return the level of place `i`."""
        return "city" if i >= self.first_city else "country" if i < self.n_countries else "admin1"

    def admin1_of(self, i: int) -> str:
        """Return the admin-1 code of place `i`, "" if it has none."""
        return self.admin1_codes[int(self._admin1[i])]

    def place(self, i: int) -> Place:
        """Return place `i`."""
        found = self._places.get(i)
        if found is None:
            lat, lon = self.latlon[i].tolist()
            unit = int(self._admin1[i])
            found = Place(
                name=self.names[i],
                level=self.level(i),
                country=self.country_of[i],
                latlon=_trusted(lat, lon),
                admin1=self.admin1_codes[unit],
                admin1_name=self.names[self.n_countries + unit - 1] if unit else "",
                population=int(self.population[i]),
            )
            if len(self._places) < 50_000:
                self._places[i] = found
        return found

    def number(self, code: str) -> int | None:
        """Return the index of a country ("DE") or admin-1 unit ("DE.07"), or None."""
        return self._numbers.get(code)

    @property
    def cities(self) -> Cities:
        """All cities as columns."""
        if self._cities is None:
            a = self.first_city
            country = np.array(self.country_codes)[self._country[a:]]
            admin1 = np.array(self.admin1_codes)[self._admin1[a:]]
            for array in (country, admin1):
                array.setflags(write=False)
            self._cities = Cities(self.latlon[a:], self.population[a:], country, admin1, self.names[a:])
        return self._cities

    def cities_of(self, area: str) -> NDArray[np.int64]:
        """Return the indices of the cities of a country ("DE") or admin-1 unit ("DE.07"); empty for unknown codes."""
        own = self._numbers.get(area)
        if own is None:
            return np.zeros(0, dtype=np.int64)
        column, own = (self._country, own) if own < self.n_countries else (self._admin1, own - self.n_countries + 1)
        rows: NDArray[np.int64] = np.flatnonzero(column[self.first_city :] == own) + self.first_city
        return rows

    def nearest_city(self, lat: float, lon: float, country: str | None = None) -> int | None:
        """Return the index of the city that a point belongs to.

        Of the cities whose radius (`city_radius_km`) covers the point, this is the one with the largest population
        divided by squared distance (Reilly 1931), so that Bonn is not Köln and Montmartre is Paris; if there are none,
        the nearest city.

        Args:
            lat: degrees.
            lon: degrees.
            country: restrict to cities of this country; the result is None if it has none.
        """
        if self._by_lat is None:
            order = np.argsort(self.latlon[self.first_city :, 0], kind="stable") + self.first_city
            self._by_lat = order, self.latlon[order, 0]
        order, lats = self._by_lat
        own = None if country is None else self._numbers[country]
        low, high = np.searchsorted(lats, [lat - WINDOW_DEG, lat + WINDOW_DEG])
        near = order[low:high]
        if own is not None:
            near = near[self._country[near] == own]
        distance = haversine_km((lat, lon), self.latlon[near])
        people = self.population[near]
        covering = np.flatnonzero(distance <= city_radius_km(people))
        if len(covering):
            pull = np.maximum(people[covering], 1) / (distance[covering] ** 2 + _CORE_KM**2)
            return int(near[covering[int(pull.argmax())]])
        if not len(near) or distance.min() > WINDOW_DEG * 111.0:
            near = order if own is None else order[self._country[order] == own]
            distance = haversine_km((lat, lon), self.latlon[near])
        return int(near[int(distance.argmin())]) if len(near) else None

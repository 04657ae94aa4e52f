"""The labels of photos and texts in a user's tables: country and position."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from geoagent.errors import InputError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.country_codes import country_code
from geoagent.places.geo import LatLon
from geoagent.tables import COUNTRY, LAT, LON, XY, Row

_UNKNOWN = frozenset({"-", "–", "?", "n/a", "#n/a", "nan", "null", "none", "unknown", "unk"})


class Labels:
    """Reader of the labels in rows.

    Args:
        gazetteer: whose names and borders are used; by default the one that ships with geoagent, loaded when needed.
    """

    def __init__(self, gazetteer: Gazetteer | None = None) -> None:
        self._given = gazetteer
        self._codes: dict[str, str] = {}

    def country(self, row: Row) -> str | None:
        """Return the ISO 3166-1 alpha-2 code of a row's country; None where it has none, or a guess ("EG?").

        Raises:
            InputError: there is no column of the country, or the country cannot be understood.
        """
        name = row.column(COUNTRY)
        if name is None:
            raise row.error(f"expected a country; found {', '.join(row.values) or 'nothing'}")
        value = row.values[name]
        text = "" if value is None else str(value).strip()
        return None if not text or text.endswith("?") or text.casefold() in _UNKNOWN else self._code(row, name, value)

    def country_or_that_of_place(self, row: Row) -> str | None:
        """Return the country that a row states, or else the one that its position lies in; None where it has none.

        Raises:
            InputError: there are columns neither of the country nor of the position, or one cannot be understood.
        """
        name = row.column(COUNTRY)
        stated = None if name is None else row.values[name]
        if stated is not None and str(stated).strip():
            return self.country(row)
        place = row.place()
        if place is not None:
            return str(self._gazetteer.countries_at([tuple(place)])[0]) or None
        if name is None and not any(row.column(names) for names in (LAT, LON, *XY)):
            found = ", ".join(row.values) or "nothing"
            raise row.error(f"expected a country, or a latitude and a longitude; found {found}")
        return None

    def swapped(self, row: Row) -> tuple[tuple[str, LatLon] | None, str]:
        """Return what a position that lies in no country is with latitude and longitude swapped, and what to say of it.

        Returns:
            The country and the position, None where it lies in none either; and why, "" where the row has no position
            or says itself that its country is a guess.
        """
        name = row.column(COUNTRY)
        stated = None if name is None else row.values[name]
        place = row.place()
        if place is None or (stated is not None and str(stated).strip()):
            return None, ""
        if abs(place.lon) <= 90:
            turned = LatLon(place.lon, place.lat)
            if country := str(self._gazetteer.countries_at([tuple(turned)])[0]):
                state = self._gazetteer.country(country)
                where = country if state is None else state.name
                says = f"{place} lies in the sea, but in {where} with latitude and longitude swapped: taken as such"
                return (country, turned), says
        return None, f"{place} lies in the sea: no country is known, and the row is left out"

    def says_none(self, row: Row) -> bool:
        """Whether a row of JSON Lines says that its text has no country: null, and not a guess."""
        name = row.column(COUNTRY)
        return name is not None and row.values[name] is None

    def countries(self, row: Row, name: str) -> tuple[str, ...]:
        """Return the codes of the countries that a row of JSON Lines lists; () where it lists none.

        Raises:
            InputError: it is no list, or a country cannot be understood.
        """
        listed = row.get((name,)) or ()
        if not isinstance(listed, list | tuple):
            raise row.error(f"expected a list of countries, got {listed!r}", name)
        return tuple(self._code(row, name, value) for value in listed)

    def place(self, row: Row, country: str | None) -> LatLon | None:
        """Return the position of a row, or None.

        Args:
            row: the row.
            country: its country, which tells whether latitude and longitude are swapped.

        Raises:
            InputError: it is no position, or lies in its country only with latitude and longitude swapped.
        """
        place = row.place()
        if place is None or country is None or abs(place.lon) > 90:
            return place
        turned = LatLon(place.lon, place.lat)
        given, swapped = self._gazetteer.countries_at([tuple(place), tuple(turned)]).tolist()
        if given != country and swapped == country:
            says = f"lies in {given}" if given else "lies in the sea"
            raise row.error(f"{place} {says}, but in {country} with latitude and longitude swapped; are they?")
        return place

    @cached_property
    def _gazetteer(self) -> Gazetteer:
        return self._given or Gazetteer.load()

    def _code(self, row: Row, name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise row.error(f"expected the name or code of a country, got {value!r}", name)
        if value not in self._codes:
            try:
                short = len(value.strip()) == 2  # a code of ISO, for which nothing need be loaded
                self._codes[value] = country_code(value, None if short else self._gazetteer)
            except InputError as error:
                raise row.error(str(error), name) from error
        return self._codes[value]

"""Landmarks: sights, stations, airports, universities and quarters by name.

The table `landmarks` has the key "rows", a list of `[name, kind, city, country, lat, lon]`, and the key "names", which
maps a normalised name to `[row, percent, row, percent, …]`: percent is the reliability of that name, low where shops
and restaurants everywhere carry it ("Colosseum") or where it is an ordinary word ("Pantheon").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from geoagent.errors import ResourceError
from geoagent.places.geo import LatLon


@dataclass(frozen=True, slots=True)
class Landmark:
    """One landmark under one of its names.

    Attributes:
        name: its usual name.
        kind: an English noun: "museum", "station", "quarter", ….
        city: the city or area it is in, "" if it is in none.
        country: ISO 3166-1 alpha-2 code.
        latlon: where it is.
        strength: in (0, 1]: how likely a sign with the name means this landmark.
    """

    name: str
    kind: str
    city: str
    country: str
    latlon: LatLon
    strength: float


class Landmarks:
    """Landmarks by normalised name.

    Args:
        table: the table as read from its file.

    Raises:
        ResourceError: the table has another format.
    """

    def __init__(self, table: dict[str, Any]) -> None:
        try:
            self._rows: list[list[Any]] = table["rows"]
            self._names: dict[str, list[int]] = table["names"]
            self.longest = max((len(key) for key in self._names), default=0)
            self.longest_unspaced = max((len(key) for key in self._names if not key.isascii()), default=0)
        except (KeyError, TypeError, AttributeError) as error:
            raise ResourceError(f"the table of landmarks has an unexpected format ({error!r})") from error

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, key: str) -> bool:
        return key in self._names

    def __getitem__(self, key: str) -> tuple[Landmark, ...]:
        """Return the landmarks with that normalised name, most reliable first; () if there are none."""
        pairs = self._names.get(key, [])
        found = []
        for row, percent in zip(pairs[::2], pairs[1::2], strict=True):
            name, kind, city, country, lat, lon = self._rows[row]
            found.append(Landmark(name, kind, city, country, LatLon(lat, lon), percent / 100))
        return tuple(found)

"""Accumulator of weights per place: several candidates may contribute to one city, region or country."""

from __future__ import annotations

from geoagent.types import Place


class Tally:
    """Places with the sum of the weights added to each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, float], tuple[Place, float]] = {}

    def add(self, place: Place | None, weight: float) -> None:
        """Add weight to a place; None and non-positive weights are ignored."""
        if place is not None and weight > 0:
            key = (place.level, place.country, place.admin1 + place.name, round(place.latlon.lat, 3))
            known = self._found.get(key)
            self._found[key] = (place, weight + (known[1] if known else 0.0))

    def ranked(self) -> tuple[tuple[Place, float], ...]:
        """Return places with their weights, highest first; ties in insertion order."""
        return tuple(sorted(self._found.values(), key=lambda item: -item[1]))

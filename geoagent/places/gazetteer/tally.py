"""Weights that gather on places: a city, its region and its country may each be meant in several ways."""

from __future__ import annotations

from geoagent.types import Place


class Tally:
    """Places with the sum of the weights that were added to each."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str, float], tuple[Place, float]] = {}

    def add(self, place: Place | None, weight: float) -> None:
        """Add weight to a place; None, and weight that is not positive, are passed over."""
        if place is not None and weight > 0:
            key = (place.level, place.country, place.admin1 + place.name, round(place.latlon.lat, 3))
            known = self._found.get(key)
            self._found[key] = (place, weight + (known[1] if known else 0.0))

    def ranked(self) -> tuple[tuple[Place, float], ...]:
        """Places with their weights, heaviest first, those of equal weight in the order of their coming."""
        return tuple(sorted(self._found.values(), key=lambda item: -item[1]))

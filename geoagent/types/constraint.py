"""What text says about places: named places, cues, and the constraints that they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from geoagent.errors import ShapeError
from geoagent.places.geo import Float, LatLon, check_latlon
from geoagent.types.arrays import Int, freeze

Level = Literal["country", "admin1", "city"]


@dataclass(frozen=True, slots=True)
class Place:
    """A named place.

    Attributes:
        name: its usual name.
        level: "country", "admin1" or "city".
        country: ISO 3166-1 alpha-2 code.
        latlon: where it is; for areas, a place inside that stands for it.
        admin1: GeoNames admin-1 code ("DE.07"), "" where none is known.
        admin1_name: the name of that unit.
        population: people, 0 where unknown.
    """

    name: str
    level: Level
    country: str
    latlon: LatLon
    admin1: str = ""
    admin1_name: str = ""
    population: int = 0

    def __str__(self) -> str:
        return ", ".join(dict.fromkeys(part for part in (self.name, self.admin1_name, self.country) if part))


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of region `region`: the text that a cue rests on."""

    region: int
    start: int
    end: int


@dataclass(frozen=True, eq=False, slots=True)
class Cue:
    """Something in the scene that speaks for places.

    Attributes:
        kind: "script", "language", "name", "phone", "domain", "postcode", "currency", "street", "company", "brand", ….
        value: what was seen, normalised ("+49 711", ".ch", "de").
        says: one sentence for a person.
        spans: the text that it rests on; at least one.
        countries: how likely such a cue is to be seen in each country (ISO code to weight > 0), relative; empty where
            the cue speaks through `places`. A country that is absent has `elsewhere`.
        inside: country to places in it, with weights that sum to at most 1: where in that country the cue is seen; the
            rest of the weight stays with the country as a whole.
        places: places that it names outright, with weights of their own (P(place | cue) up to a factor).
        elsewhere: weight of every country that `countries` does not list.
        strength: in (0, 1]: how clear the cue is of its kind (length of the match, exactness, OCR confidence).
    """

    kind: str
    value: str
    says: str
    spans: tuple[Span, ...]
    countries: Mapping[str, float] = field(default_factory=dict)
    inside: Mapping[str, tuple[tuple[Place, float], ...]] = field(default_factory=dict)
    places: tuple[tuple[Place, float], ...] = ()
    elsewhere: float = 0.0
    strength: float = 1.0

    @property
    def regions(self) -> tuple[int, ...]:
        """Indices of the regions that it rests on, ascending."""
        return tuple(sorted({span.region for span in self.spans}))


@dataclass(frozen=True, eq=False, slots=True)
class Spread:
    """A distribution over the map as P weighted points, each with an extent: finer than any list of named places.

    Attributes:
        latlon: `(P, 2)` degrees.
        mass: `(P,)` float64 probability of each point; not negative, sums to 1.
        extent_km: `(P,)` median distance of photos from each point.
        cell: `(P,)` int64 geocell of each point; found anew where None.
    """

    latlon: Float
    mass: Float
    extent_km: Float
    cell: Int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        count = len(self.latlon)
        freeze(self, "latlon", self.latlon, np.float64, (count, 2), f"({count}, 2)")
        freeze(self, "mass", self.mass, np.float64, (count,), f"({count},)")
        freeze(self, "extent_km", self.extent_km, np.float64, (count,), f"({count},)")
        if self.cell is not None:
            freeze(self, "cell", self.cell, np.int64, (count,), f"({count},)")
        if (self.mass < 0).any() or not np.isclose(self.mass.sum(), 1.0, atol=1e-6):
            raise ShapeError("Spread.mass must not be negative and must sum to 1")


@dataclass(frozen=True, eq=False, slots=True)
class Constraint:
    """A soft statement: with probability `reliability`, the photo is in one of these places, with these weights.

    Attributes:
        id: unique in one answer.
        kind: the kind of cue that it comes from.
        value: what was seen.
        says: one sentence for a person.
        source: the constraint source that made it ("lexicon", "llm", "user", "album").
        places: P places.
        weights: `(P,)` float64, not negative, sums to 1: P(place | cue) under the world's prior.
        reliability: in (0, 1).
        spans: the text that it rests on; empty for what a user said.
        spread: where exactly, if that is known better than by names; `places` and `weights` then only describe it.
    """

    id: str
    kind: str
    value: str
    says: str
    source: str
    places: tuple[Place, ...]
    weights: Float
    reliability: float
    spans: tuple[Span, ...] = ()
    spread: Spread | None = None

    def __post_init__(self) -> None:
        freeze(self, "weights", self.weights, np.float64, (len(self.places),), f"({len(self.places)},)")
        if not self.places:
            raise ShapeError(f"constraint {self.id}: needs at least one place")
        if (self.weights < 0).any() or not np.isclose(self.weights.sum(), 1.0, atol=1e-6):
            raise ShapeError(f"constraint {self.id}: weights must not be negative and must sum to 1")
        if not 0.0 < self.reliability < 1.0:
            raise ShapeError(f"constraint {self.id}: reliability must lie in (0, 1), got {self.reliability}")

    def by_country(self) -> dict[str, float]:
        """The mass on each country, its regions and cities included; sums to 1."""
        shares: dict[str, float] = {}
        for place, weight in zip(self.places, self.weights.tolist(), strict=True):
            shares[place.country] = shares.get(place.country, 0.0) + weight
        return shares

    @property
    def rule(self) -> bool:
        """Whether the user rules all other places out by it, whatever the evidence says."""
        return self.source == "user" and self.kind in ("within", "not")

    @property
    def regions(self) -> tuple[int, ...]:
        """Indices of the regions that it rests on, ascending."""
        return tuple(sorted({span.region for span in self.spans}))

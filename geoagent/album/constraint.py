"""From what the other photos tell to a constraint of source "album"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geoagent.album.sightings import Sighting
from geoagent.album.spread import spread_of
from geoagent.album.timelines import Message, Timelines
from geoagent.belief.spreads import cells_of
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import LatLon
from geoagent.types import Constraint, Place, Spread
from geoagent.worlds.world import World

SOURCE = "album"
_SUREST = 0.99  # other photos never say more than this: people lend their camera, and copy files
_DOUBT, _DOUBT_HOURS = 0.05, 2.0
"""Share of photos that motion does not explain if the nearest witness is hours away, and the hours in which it grows:
so that radii hold what they say on check-ins of persons that the motion was not fitted on (`bench_album.py`)."""
_LEAST = 0.02  # less sure messages say nothing
_NAMED = 0.02  # points with less mass are named by their country alone
_SHOWN = 8


def constraint_of(
    message: Message, sighting: Sighting, lines: Timelines, gazetteer: Gazetteer, world: World
) -> Constraint | None:
    """The constraint of a message; None where it says nothing.

    Args:
        message: what the other photos tell.
        sighting: the photo.
        lines: the album.
        gazetteer: names of places.
        world: its cells say in which country a point lies.
    """
    spread = spread_of(message.told, lines.places, lines.likelihoods.ground)
    reliability = min(_SUREST, 1.0 - message.told.elsewhere) * (1.0 - _unexplained(message, sighting))
    if spread is None or reliability < _LEAST:
        return None
    places, weights = _named(spread, gazetteer, world)
    says = told_by(message, sighting, gazetteer, still=lines.step.motion.growth == 0)
    return Constraint(SOURCE, SOURCE, places[0].name, says, SOURCE, places, weights, reliability, spread=spread)


def _unexplained(message: Message, sighting: Sighting) -> float:
    """Probability that a photo was taken where nothing of its album would have led."""
    gaps = [abs(side.hours - sighting.hours) for side in (message.before, message.after) if side is not None]
    return _DOUBT * float(-np.expm1(-min(gaps, default=0.0) / _DOUBT_HOURS))


def _named(spread: Spread, gazetteer: Gazetteer, world: World) -> tuple[tuple[Place, ...], np.ndarray]:
    """The points as named places, heaviest first, and their weights."""
    mass: dict[Place, float] = {}
    cells = cells_of(spread, world)
    by_cell: dict[int, float] = {}
    heavy = np.flatnonzero(spread.mass >= _NAMED)
    for i in heavy.tolist():
        near = gazetteer.reverse(LatLon(*spread.latlon[i].tolist()))
        place = near or gazetteer.country(str(world.cells.country[cells[i]]))
        if place is not None:
            mass[place] = mass.get(place, 0.0) + float(spread.mass[i])
    light = np.setdiff1d(np.arange(len(cells)), heavy)
    for cell, share in zip(cells[light].tolist(), spread.mass[light].tolist(), strict=True):
        by_cell[cell] = by_cell.get(cell, 0.0) + share
    for cell, share in by_cell.items():
        country = gazetteer.country(str(world.cells.country[cell]))
        if country is not None:
            mass[country] = mass.get(country, 0.0) + share
    ranked = sorted(mass.items(), key=lambda item: (-item[1], str(item[0])))[:_SHOWN]
    weights = np.array([share for _, share in ranked])
    return tuple(place for place, _ in ranked), weights / weights.sum()


def told_by(message: Message, sighting: Sighting, gazetteer: Gazetteer, *, still: bool = False) -> str:
    """Which photos tell it, in one sentence: how long before and after, of which device, and what they say."""
    if still:
        return "Other photos of the same place say so."
    sides = [(s, side) for s, side in ((message.before, "before"), (message.after, "after")) if s is not None]
    if len(sides) == 2 and all(s.gps is not None and s.device == sighting.device for s, _ in sides):
        (a, _), (b, _) = sides
        assert a.gps is not None
        assert b.gps is not None
        apart, here, there = a.gps.distance_km(b.gps), _place(a, gazetteer), _place(b, gazetteer)
        where = f"in {here}" if here == there else f"in {here} and in {there}"
        return (
            f"Two photos of the same camera, {elapsed(sighting.hours - a.hours)} before and "
            f"{elapsed(b.hours - sighting.hours)} after, have positions {where}, {_km(apart)} apart."
        )
    clauses = [_clause(s, side, sighting, gazetteer) for s, side in sides]
    said = "; ".join(clauses)
    return f"{said[:1].upper()}{said[1:]}."


def _clause(other: Sighting, side: str, sighting: Sighting, gazetteer: Gazetteer) -> str:
    when = f"{elapsed(abs(other.hours - sighting.hours))} {side} it"
    place = _place(other, gazetteer)
    if other.key.startswith("track:"):
        return f"{when} the track was in {place}"
    of = "the same camera" if other.device == sighting.device else (other.device or "another camera")
    verb = "has a position in" if other.gps is not None else "points to"
    return f"{when} a photo of {of} {verb} {place}"


def _place(sighting: Sighting, gazetteer: Gazetteer) -> str:
    points: Sequence[tuple[LatLon, float]] = sighting.points
    near = gazetteer.reverse(points[0][0]) if points else None
    return near.name if near is not None else "a place far from any town"


def elapsed(hours: float) -> str:
    """A time span in words: "12 minutes", "3 hours", "2 days"."""
    minutes = round(abs(hours) * 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return f"{minutes} minute{'s' if minutes != 1 else ''}"
    if abs(hours) < 36:
        return f"{round(abs(hours))} hours"
    return f"{round(abs(hours) / 24)} days"


def _km(distance_km: float) -> str:
    return (
        f"{distance_km * 1000:.0f} m"
        if distance_km < 0.95
        else f"{distance_km:.1f} km"
        if distance_km < 10
        else (f"{distance_km:,.0f} km")
    )

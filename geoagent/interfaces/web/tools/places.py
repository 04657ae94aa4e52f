"""Tools about places, which look at no photo: names, distances, and what is seen there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from geoagent.agent.seen_at import SeenAt, seen_at
from geoagent.errors import InputError
from geoagent.interfaces.web.schemas import PlaceFound
from geoagent.interfaces.web.tools.desk import Desk
from geoagent.interfaces.web.tools.replies import Distance, Leg, PlaceReading, PlaceReadings
from geoagent.places.coordinates import read_coordinates
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.readings import PLAUSIBLE, readings_of, taken_as, why_unknown
from geoagent.places.geo import LatLon, bearing_deg, compass_point, spherical_mean

_NEAR_KM = 0.001  # below this two places are the same
_FAR_KM = 20_000.0  # beyond this they are opposite, and every direction is right
_MOST = 6  # other readings


def _said(description: str, *names: str) -> Any:
    """A place that an assistant says, under any of these names of the parameter."""
    return Field(description=description, min_length=1, max_length=200, validation_alias=AliasChoices(*names))


PlaceSaid = Annotated[
    str, _said('a name in any script, also with what it lies in: "Paris, Texas"', "place", "name", "query")
]
Anywhere = Annotated[
    str, _said('a country, region or city by name, or coordinates: "50.94, 6.96"', "place", "name", "country")
]
Start = Annotated[
    str, _said('a name ("Lyon, France") or coordinates ("45.76, 4.84")', "start", "from", "origin", "place_a", "a")
]
End = Annotated[str, _said("likewise", "end", "to", "destination", "place_b", "b")]


def place_tools(desk: Desk) -> tuple[Callable[..., Any], ...]:
    """The tools, in the order in which they are listed.

    Args:
        desk: its agent knows the places.
    """

    async def lookup_place(place: PlaceSaid) -> PlaceReadings:
        """Say all that the name of a place may mean: readings with position and weight, likeliest first.

        Example: {"place": "Springfield"}
        """
        return await desk.do(lambda: _readings(desk.agent.assets.gazetteer, place))

    async def distance(start: Start, end: End) -> Distance:
        """Tell distance and direction from one place to another, for all that their names may mean.

        Example: {"start": "Lyon", "end": "46.2, 6.15"}
        """
        return await desk.do(lambda: _distance(desk.agent.assets.gazetteer, start, end))

    async def what_is_seen_at(place: Anywhere) -> SeenAt:
        """Tell what signs and roads at a place look like: languages, scripts, driving side, plates, postcodes, prices.

        Shares are of signs in the whole country. Example: {"place": "Quebec"}
        """
        return await desk.do(lambda: seen_at(place, desk.agent.assets))

    return lookup_place, distance, what_is_seen_at


def _readings(gazetteer: Gazetteer, said: str) -> PlaceReadings:
    found = readings_of(gazetteer, said)
    meant = {place for reading in found for place in reading.places}
    namesakes = [match.place for match in gazetteer.lookup(said, k=20) if match.place not in meant] if found else []
    similar = [] if found else [match.place for match in gazetteer.fuzzy(said, k=_MOST)]
    if not found:
        says = f"{why_unknown(gazetteer, said)}."
    elif others := [reading.name for reading in found[1:]]:
        says = f"{taken_as(said, found[0].name, others)}."
    else:
        says = f"{found[0].name}."
    return PlaceReadings(
        place=said,
        readings=[
            PlaceReading(
                understood=reading.name,
                weight=round(reading.weight, 4),
                places=[PlaceFound.of(place) for place in reading.places],
                note=reading.note,
            )
            for reading in found
        ],
        namesakes=[PlaceFound.of(place) for place in namesakes],
        similar=[PlaceFound.of(place) for place in similar],
        says=says[:1].upper() + says[1:],
    )


def _positions(gazetteer: Gazetteer, said: str) -> tuple[list[tuple[str, LatLon]], list[str]]:
    """What a text may mean, likeliest first, with the position that stands for it; and what to say of it.

    Raises:
        InputError: no such place is known.
        CoordinateError: coordinates out of range.
    """
    found = read_coordinates(said)
    if found is not None:
        return [(str(found.position), found.position)], list(found.notes)
    readings = readings_of(gazetteer, said)
    if not readings:
        raise InputError(f"{said.strip()!r}: {why_unknown(gazetteer, said)}")
    plausible = [reading for i, reading in enumerate(readings) if i == 0 or reading.weight >= PLAUSIBLE]
    named = [(reading.name, spherical_mean([tuple(place.latlon) for place in reading.places])) for reading in plausible]
    first = readings[0]
    notes = [first.note] if first.note else []
    if len(named) > 1:
        notes.append(taken_as(said, first.name, (name for name, _ in named[1:])))
    if len(first.places) > 1 or first.places[0].level != "city":
        notes.append(f"{first.name} is measured from the point that stands for it")
    return named, notes


def _distance(gazetteer: Gazetteer, start: str, end: str) -> Distance:
    starts, said_of_start = _positions(gazetteer, start)
    ends, said_of_end = _positions(gazetteer, end)
    pairs = [(a, b) for a in starts for b in ends]
    first, *others = (_leg(a, b) for a, b in pairs)
    return Distance(
        **first.model_dump(),
        start_latlon=(round(starts[0][1].lat, 5), round(starts[0][1].lon, 5)),
        end_latlon=(round(ends[0][1].lat, 5), round(ends[0][1].lon, 5)),
        other_readings=others[:_MOST],
        notes=list(dict.fromkeys((*said_of_start, *said_of_end))),
    )


def _leg(start: tuple[str, LatLon], end: tuple[str, LatLon]) -> Leg:
    km = start[1].distance_km(end[1])
    bearing = bearing_deg(start[1], end[1]) if _NEAR_KM < km < _FAR_KM else None
    return Leg(
        start=start[0],
        end=end[0],
        km=round(km, 3 if km < 10 else 1),
        bearing_deg=None if bearing is None else round(bearing, 1),
        direction=None if bearing is None else compass_point(bearing),
    )

"""What the user says about where the photo is: countries that it is in, or is not in, and a hint in words.

Each becomes a constraint of source "user" like any other evidence: it stands among the cues, says what it did, and what
the answer would be without it. `within` and `exclude` are rules: no evidence reaches what they rule out. A hint is
believed as far as its wording goes: "probably Lyon" less than "Lyon", "definitely Lyon" more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from geoagent.agent.hints import Hint, read_hint
from geoagent.belief.fusion import likelihoods, ruled_out
from geoagent.errors import ConfigError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.readings import PLAUSIBLE, places_of, readings_of, taken_as, why_unknown
from geoagent.places.gazetteer.tally import Tally
from geoagent.types import Constraint, Place
from geoagent.worlds.world import World

CERTAIN = 1.0 - 1e-14
"""Reliability of a rule; `fusion.RULED_OUT` is what it does to all other places."""
_SHARES = {True: (0.45, 0.35), False: (0.8, 0.15)}
"""Of a city that a hint names, by whether it says "near": the city's share and its unit's; the rest its country's."""


def user_constraints(
    world: World, gazetteer: Gazetteer, *, within: Sequence[str] = (), exclude: Sequence[str] = (), hint: str = ""
) -> tuple[Constraint, ...]:
    """Turn what the user stated into constraints over a world.

    Args:
        world: its prior says how much of an area's weight each country has.
        gazetteer: names of places.
        within: the photo is in one of these: country codes or names of countries, regions, cities.
        exclude: and in none of these.
        hint: in words; "" for none.

    Raises:
        ConfigError: a name is not known, the world has no cells there, or nothing is left.
    """
    found: list[Constraint] = []
    prior = world.country_prior
    if within:
        places, names = _areas("within", within, world, gazetteer)
        mass = [(place, _mass(place, world)) for place in places]
        said = f"You said that the photo is in {_or(names)}."
        found.append(_constraint("within", ",".join(within), said, mass, CERTAIN))
    if exclude:
        places, names = _areas("not", exclude, world, gazetteer)
        small = next((place for place in places if place.level == "city"), None)
        if small is not None:
            raise ConfigError(f"not: {small} is a city; rule out a country or a region")
        units = {place.country: place.name for place in places if place.level == "admin1"}
        vague = next((code for code in units if not _units_of(code, world, gazetteer)), None)
        if vague is not None:
            raise ConfigError(
                f"not: the world {world.name!r} knows no regions of {vague}, so {units[vague]} cannot be ruled out; "
                f"rule out {vague}"
            )
        mass = _all_but(places, world, gazetteer)
        if not mass:
            raise ConfigError(f"not: nothing of the world {world.name!r} is left without {_or(names)}")
        found.append(_constraint("not", ",".join(exclude), f"You said that it is not in {_or(names)}.", mass, CERTAIN))
    if within and exclude and ruled_out(likelihoods(found, world, [1.0, 1.0])).any(axis=0).all():
        raise ConfigError(f"within and not: nothing is left of {', '.join(within)} without {', '.join(exclude)}")
    if hint:
        read = read_hint(hint, gazetteer)
        if read.against:
            mass = _all_but(read.against, world, gazetteer)
            names = list(dict.fromkeys(place.name for place in read.against))
            if mass:
                said = f"Your hint “{read.said}” speaks against {_or(names[:6])}."
                found.append(_constraint("hint-not", read.said, said, mass, read.reliability))
        ruled = set(read.against)
        read = replace(read, places=tuple((place, near) for place, near in read.places if place not in ruled))
        mass = [(place, m) for place, m in _hinted(read, world, gazetteer) if m > 0 and place.country in prior]
        if mass:
            names = list(dict.fromkeys(_part_name(place, read) for place, _ in read.places))
            shown = [*names[:5], f"{len(names) - 5} others"] if len(names) > 6 else names
            said = f"Your hint “{read.said}” speaks for {_or(shown)}."
            found.append(_constraint("hint", read.said, said, mass, read.reliability))
        elif not read.against:
            raise ConfigError(f"hint {hint!r}: the world {world.name!r} has no cells there")
    return tuple(found)


def notes_on(gazetteer: Gazetteer, *, within: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[str, ...]:
    """Return how areas were understood whose names are also those of others, or whose country is disputed.

    Args:
        gazetteer: names of places.
        within: as for `user_constraints`.
        exclude: as for `user_constraints`.
    """
    notes = []
    for option, stated in (("within", within), ("not", exclude)):
        for each in stated:
            readings = readings_of(gazetteer, each)
            others = [reading.name for reading in readings[1:] if reading.weight >= PLAUSIBLE]
            if others:
                notes.append(f"{option}: {taken_as(each, readings[0].name, others)}")
            if readings and readings[0].note:
                notes.append(f"{option}: {readings[0].note}")
    return tuple(notes)


def _part_name(place: Place, hint: Hint) -> str:
    """A place as the hint names it: "southern Germany"."""
    part = hint.parts.get(place.country, "") if place.level == "country" else ""
    return f"{part}{'' if part == 'central' else 'ern'} {place.name}" if part else place.name


def _areas(option: str, stated: Sequence[str], world: World, gazetteer: Gazetteer) -> tuple[list[Place], list[str]]:
    places: list[Place] = []
    names: list[str] = []
    for each in stated:
        name, inside = places_of(gazetteer, each)
        if not inside:
            raise ConfigError(f"{option}: {each!r}: {why_unknown(gazetteer, each)}")
        known = [place for place in inside if place.country in world.country_prior]
        if not known:
            raise ConfigError(f"{option}: the world {world.name!r} has no cells in {name}")
        places += known
        names.append(name)
    return list(dict.fromkeys(places)), names


def _constraint(kind: str, value: str, says: str, mass: Sequence[tuple[Place, float]], sure: float) -> Constraint:
    weights = np.array([m for _, m in mass])
    return Constraint(
        id=f"user-{kind}",
        kind=kind,
        value=value,
        says=says,
        source="user",
        places=tuple(place for place, _ in mass),
        weights=weights / weights.sum(),
        reliability=sure,
    )


def _mass(place: Place, world: World) -> float:
    """Prior probability of an area; of a city that of its geocell."""
    cells, prior = world.cells, world.prior
    if place.level == "country":
        return world.country_prior.get(place.country, 0.0)
    if place.level == "admin1":
        unit = cells.inside(place.country, place.admin1)
        return float(prior[unit].sum()) or world.country_prior.get(place.country, 0.0) * 1e-3
    return float(prior[cells.at(place.latlon)])


def _units_of(country: str, world: World, gazetteer: Gazetteer) -> list[Place]:
    """Admin-1 units of a country that have cells."""
    codes = np.unique(world.cells.admin1[world.cells.inside(country)]).tolist()
    return [place for code in codes if code and (place := gazetteer.admin1(code)) is not None]


def _all_but(against: Sequence[Place], world: World, gazetteer: Gazetteer) -> list[tuple[Place, float]]:
    """Everything outside these areas: countries, and the remaining units of a country that is partly ruled out.

    A country whose cells have no units stays whole.
    """
    whole = {place.country for place in against if place.level == "country"}
    units = {place.admin1 for place in against if place.level != "country" and place.admin1}
    broken = {place.country for place in against if place.level != "country"} - whole
    left: list[tuple[Place, float]] = []
    for code in world.country_prior:
        country = gazetteer.country(code)
        if code in whole or country is None:
            continue
        if code not in broken:
            left.append((country, world.country_prior[code]))
            continue
        known = _units_of(code, world, gazetteer)
        kept = [place for place in known if place.admin1 not in units]
        left += [(place, _mass(place, world)) for place in kept] if known else [(country, world.country_prior[code])]
    return left


def _hinted(hint: Hint, world: World, gazetteer: Gazetteer) -> Sequence[tuple[Place, float]]:
    """Places of a hint with their weights: areas by the prior, named cities equally."""
    tally = Tally()
    cities = [place for place, _ in hint.places if place.level == "city"]
    meant = hint.weights
    areas = [(place, _mass(place, world) * meant.get(place, 1.0)) for place, _ in hint.places if place.level != "city"]
    total = sum(m for _, m in areas)
    share = len(cities) / max(len(cities) + (1 if areas else 0), 1)
    for place, near in hint.places:
        if place.level != "city":
            continue
        own, unit = _SHARES[near]
        each = share * meant.get(place, 1.0) / sum(meant.get(city, 1.0) for city in cities)
        tally.add(place, each * own)
        tally.add(gazetteer.admin1(place.admin1) or gazetteer.country(place.country), each * unit)
        tally.add(gazetteer.country(place.country), each * (1 - own - unit))
    for place, mass in areas:
        weight = (1 - share) * mass / total if total else 0.0
        inside = _units(place, hint.parts.get(place.country, ""), world, gazetteer)
        part = sum(m for _, m in inside)
        for unit_place, m in inside:
            tally.add(unit_place, weight * m / part)
        if not inside:
            tally.add(place, weight)
    return tally.ranked()


def _units(country: Place, part: str, world: World, gazetteer: Gazetteer) -> list[tuple[Place, float]]:
    """Admin-1 units in the compass part of a country: those on that side of its cells' median, or around it."""
    if not part or country.level != "country":
        return []
    units = _units_of(country.country, world, gazetteer)
    if len(units) < 3:
        return []
    at = np.array([(place.latlon.lat, place.latlon.lon) for place in units])
    cells = world.cells.centroids[world.cells.inside(country.country)]
    keep = np.ones(len(units), dtype=bool)
    for axis, low, high in ((0, "south", "north"), (1, "west", "east")):
        middle = np.median(cells[:, axis])  # of where photos are taken, not of its borders: Alaska is far off
        if low in part:
            keep &= at[:, axis] <= middle
        if high in part:
            keep &= at[:, axis] >= middle
        if part == "central":
            lower, upper = np.quantile(at[:, axis], (0.2, 0.8))
            keep &= (at[:, axis] >= lower) & (at[:, axis] <= upper)
    return [(place, _mass(place, world)) for place, ok in zip(units, keep, strict=True) if ok]


def _or(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"

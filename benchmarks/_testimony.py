"""Albums whose photos show something: texts of signs, and street panoramas in place of pictures.

Each person's movements are turned on the globe so that where they are most often is a place of which there is a text
or a panorama. Positions are as real as ever relative to one another; only their country is another one.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from _shared import data, table

from geoagent import GeoAgent
from geoagent.album.constraint import constraint_of
from geoagent.album.motion import Motion
from geoagent.album.sightings import Sighting, leading_places
from geoagent.album.timelines import Timelines
from geoagent.evidence.observation import Observation
from geoagent.places.geo import LatLon, from_unit, great_circle_km, to_unit
from geoagent.worlds.training import read_table
from geoagent.worlds.training.motion import Positions, known_part
from geoagent.worlds.training.table import Table

PHOTOS, ASKED = 150, 12
TRIALS = 6
PICTURE_KM = 10.0


@dataclass(frozen=True)
class Turned:
    """A person's movements elsewhere on the globe.

    Attributes:
        positions: of up to 150 photos.
        shown: the photo taken at the chosen place.
        known: `(N,)` the one in twenty whose position is known.
    """

    positions: Positions
    shown: int
    known: np.ndarray


class Told:
    """Answers by what they rest on: how far off, their 90 % radius, and whether the country is right."""

    def __init__(self, agent: GeoAgent) -> None:
        self._agent, self._rows = agent, dict[str, list[tuple[float, float, bool]]]()

    def add(self, label: str, observed: Observation, truth: np.ndarray) -> None:
        """Answer, and compare with the truth, degrees."""
        found, place = self._agent.estimate(observed), LatLon(*truth.tolist())
        right = found.country == self._agent.assets.gazetteer.country_at(place)
        self._rows.setdefault(label, []).append((found.latlon.distance_km(place), found.radius_90_km, right))

    def table(self, title: str) -> None:
        """Print them."""
        cells = []
        for label, rows in self._rows.items():
            km, radius, right = np.array(rows, dtype=float).T
            shares = [f"{100 * share:.1f}" for share in (right.mean(), (km <= 25).mean(), (km <= 200).mean())]
            cells.append([label, len(km), *shares, f"{np.median(km):.1f}", f"{(km <= radius).mean():.1%}"])
        print(f"\n{title}")
        table(("what", "photos", "country", "<=25", "<=200", "median", "in 90 %"), cells)


def texts(people: Mapping[str, Positions], motions: Mapping[str, Motion], agent: GeoAgent) -> None:
    """One text in an album without any position, and a text beside positions."""
    rows = [json.loads(row) for row in data("sign_texts.jsonl").read_text("utf-8").splitlines()]
    rows = [row for row in rows if row["lat"] is not None]
    rng, told = np.random.default_rng(3), Told(agent)
    for name, positions in _frequent(people):
        for text in rng.choice(len(rows), TRIALS, replace=False).tolist():
            album = _turned(positions, LatLon(rows[text]["lat"], rows[text]["lon"]), rng)
            observed = agent.observe_text(rows[text]["lines"])
            speaking = _sightings(album, {album.shown: observed}, agent)
            if not speaking[album.shown].leading:
                continue
            told.add("the text, in its own photo", observed, album.positions.latlon[album.shown])
            rest = rng.choice(np.flatnonzero(~album.known), ASKED, replace=False)
            for label, sightings in (
                ("one text and no position: the others", speaking),
                ("5 % of the positions", _anchored(_sightings(album, {}, agent), album)),
                ("5 % of the positions and one text", _anchored(speaking, album)),
            ):
                lines = Timelines(sightings, agent.assets.world, motions[name])
                for i in rest[rest != album.shown].tolist():
                    _ask(told, label, agent.observe_text([]), i, lines, album, agent)
    told.table("with texts")


def pictures(people: Mapping[str, Positions], motions: Mapping[str, Motion], folder: Path) -> None:
    """Photos of which half show a street panorama near them, and one a text; asked with and without their own picture.

    Args:
        people: their positions.
        motions: by person.
        folder: a world trained on the panoramas of the split "train"; those shown are of "test_random".
    """
    agent = GeoAgent.load(looks=False, world=str(folder))
    panoramas = read_table(data("streetview", "panoramas.npz")).part("test_random")
    signs = {row["id"]: row for row in map(json.loads, data("sign_texts.jsonl").read_text("utf-8").splitlines())}
    with data("pairs.csv").open(encoding="utf-8") as file:
        near = [row["text_id"] for row in csv.DictReader(file) if float(row["km_from_city"] or "inf") <= 50]
    near = [text for text in near if signs[text]["lat"] is not None]
    rng, told = np.random.default_rng(4), Told(agent)
    for name, positions in _frequent(people):
        for text in rng.choice(near, TRIALS, replace=False).tolist():
            sign = signs[text]
            album = _turned(positions, LatLon(sign["lat"], sign["lon"]), rng)
            seen = _seen(album, panoramas, agent, rng)
            read = agent.observe_text(sign["lines"])
            asked = rng.permutation([i for i in seen if i != album.shown])[:ASKED].tolist()
            ways = {
                "pictures": _sightings(album, seen, agent),
                "one text": _sightings(album, {album.shown: read}, agent),
                "pictures and one text": _sightings(album, {**seen, album.shown: read}, agent),
                "5 % of the positions": _anchored(_sightings(album, {}, agent), album),
                "5 % of the positions, pictures": _anchored(_sightings(album, seen, agent), album),
            }
            for i in asked:
                told.add("its own picture alone", seen[i], album.positions.latlon[i])
            for label, sightings in ways.items():
                lines = Timelines(sightings, agent.assets.world, motions[name])
                mute = [replace(s, log_ratio=None, leading=()) if i in asked else s for i, s in enumerate(sightings)]
                others = Timelines(mute, agent.assets.world, motions[name])
                for i in asked:
                    _ask(told, f"its own picture; album: {label}", seen[i], i, lines, album, agent)
                    _ask(told, f"nothing of its own; album: {label}", agent.observe_text([]), i, others, album, agent)
    told.table("with street panoramas")


def _frequent(people: Mapping[str, Positions]) -> list[tuple[str, Positions]]:
    return [
        (name, Positions(positions.hours[:PHOTOS], positions.latlon[:PHOTOS]))
        for name, positions in people.items()
        if len(positions) >= 20
    ]


def _seen(album: Turned, panoramas: Table, agent: GeoAgent, rng: np.random.Generator) -> dict[int, Observation]:
    """What half of the photos show: one heading of the nearest panorama within 10 km, by photo."""
    unit, views = to_unit(panoramas.latlon), panoramas.unit_views()
    found = {}
    for i in np.flatnonzero(rng.random(len(album.positions)) < 0.5).tolist():
        km = great_circle_km(unit, to_unit(album.positions.latlon[i]))
        if km.min() <= PICTURE_KM:
            found[i] = agent.observe_features(views[int(km.argmin()), int(rng.integers(0, views.shape[1]))])
    return found


def _sightings(album: Turned, shown: Mapping[int, Observation], agent: GeoAgent) -> list[Sighting]:
    """Photos without positions, some of which show something."""
    world = agent.assets.world
    found = [Sighting(f"{i:04d}", "camera", float(hours)) for i, hours in enumerate(album.positions.hours)]
    for i, observed in shown.items():
        posterior = agent.fusion(observed.vision.log_probs, observed.text.constraints)
        ratio = posterior.log_probs - world.log_prior
        leading = leading_places(posterior.log_probs, ratio, world, [])
        if leading:
            found[i] = replace(found[i], log_ratio=ratio, leading=leading, embedding=observed.vision.embedding)
    return found


def _anchored(sightings: list[Sighting], album: Turned) -> list[Sighting]:
    places = album.positions.latlon
    return [replace(s, gps=LatLon(*places[i].tolist())) if album.known[i] else s for i, s in enumerate(sightings)]


def _ask(told: Told, label: str, own: Observation, i: int, lines: Timelines, album: Turned, agent: GeoAgent) -> None:
    """Answer for a photo with what the album tells; its own position, where known, is left out as always."""
    key = f"{i:04d}"
    message = lines.told(key)
    made = message and constraint_of(message, lines.sightings[key], lines, agent.assets.gazetteer, agent.assets.world)
    told.add(label, replace(own, album=(made,) if made else ()), album.positions.latlon[i])


def _turned(positions: Positions, home: LatLon, rng: np.random.Generator) -> Turned:
    """The positions turned on the globe so that the most visited place is `home`, where one photo is chosen."""
    unit = to_unit(positions.latlon)
    near = (unit @ unit.T) > np.cos(2.0 / 6371.0)
    centre = int(near.sum(axis=1).argmax())
    a, b = unit[centre], to_unit((home.lat, home.lon))
    cross = np.cross(a, b)
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    rotation = np.eye(3) + skew + skew @ skew / (1 + max(float(a @ b), -0.999999))
    shown = int(rng.choice(np.flatnonzero(near[centre])))
    known = known_part(len(positions), "most", rng)
    known[shown] = False
    return Turned(Positions(positions.hours, from_unit(unit @ rotation.T)), shown, known)

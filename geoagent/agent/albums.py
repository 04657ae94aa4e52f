"""Albums: the photos of a folder as evidence for one another.

Looking at photos is slow and done before (`GeoAgent.observe`); weighing an album is a quick second pass over what was
observed, and can be repeated under other settings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from geoagent.agent.album_clocks import Clocks, device_key, rough_hours
from geoagent.album.constraint import SOURCE, constraint_of
from geoagent.album.motion import STILL, Motion
from geoagent.album.sightings import Sighting, leading_places
from geoagent.album.timelines import Message, Timelines
from geoagent.answer import AlbumReport, AlbumWitness
from geoagent.belief.candidates import city_extent_km
from geoagent.belief.fusion import Fusion
from geoagent.evidence.cues.reading import percent
from geoagent.evidence.observation import Observation
from geoagent.evidence.tracks import Track
from geoagent.filenames import safe
from geoagent.places.geo import LatLon
from geoagent.protocols import Assets
from geoagent.types import Capture, Constraint

CONFLICT_NATS = -3.0
"""Agreement of a photo's own evidence with the album's below which the answer says so."""
_LISTED = 5  # photos with wrong positions that a note names
_NAMED = 0.02  # least weight of a city that a text names, to be a place of the album
_TRACK_POINTS = 3  # points of a track around each photo that are used
_EVERY_HOURS = 1.0  # and one in such a time, for where its owner often is


@dataclass(frozen=True, eq=False, slots=True)
class AlbumPhoto:
    """One photo of an album: what was observed in it, and when and with what it was taken."""

    observation: Observation
    capture: Capture

    @property
    def key(self) -> str:
        """Its name in the album."""
        return self.observation.source


@dataclass(frozen=True, slots=True)
class AlbumSettings:
    """How an album is weighed.

    Attributes:
        clocks: offsets of clocks from UTC in hours, by pattern of device names ("Canon*"); the first that fits counts.
        joined: whether all devices were together, as the user says.
        same_place: whether all photos were taken at one place, whatever their times.
        motion: how people move; the shipped table where None.
    """

    clocks: tuple[tuple[str, float], ...] = ()
    joined: bool = False
    same_place: bool = False
    motion: Motion | None = None


class Album:
    """An album, ready to be weighed.

    Args:
        photos: of the album, in any order; each key once.
        tracks: where somebody was meanwhile.
        assets: world and gazetteer.
        fusion: of the agent that observed them.
        settings: how it is weighed.
    """

    def __init__(
        self,
        photos: Sequence[AlbumPhoto],
        assets: Assets,
        fusion: Fusion,
        tracks: Sequence[Track] = (),
        settings: AlbumSettings | None = None,
    ) -> None:
        self.photos = {photo.key: photo for photo in photos}
        self.settings = settings or AlbumSettings()
        self._assets, self._fusion, self._tracks = assets, fusion, tracks

    @cached_property
    def clocks(self) -> Clocks:
        """What is known of the clocks of the album's devices."""
        captures = {key: photo.capture for key, photo in self._parts.items()}
        return Clocks(captures, self._evidence, self._track_points, self._assets.world, self.settings.clocks)

    @cached_property
    def timelines(self) -> Timelines:
        """The time lines behind the album."""
        motion = STILL if self.settings.same_place else self.settings.motion or Motion.load()
        sightings = [self._timed(key) for key in self._parts]
        tracks = frozenset(point.device for point in self._track_points)
        points = [] if self.settings.same_place else self._track_points
        return Timelines([*sightings, *points], self._assets.world, motion, tracks=tracks, joined=self.settings.joined)

    def observed(self, key: str) -> Observation:
        """The observation of a photo with what the album tells about it.

        Raises:
            KeyError: there is no such photo.
        """
        photo = self.photos[key]
        found = self._constraints.get(key)
        if found is None:
            return photo.observation
        return replace(photo.observation, album=(found,), warnings=(*photo.observation.warnings, *self._odd(key)))

    def report(self, key: str) -> AlbumReport:
        """The photo as a part of the album."""
        capture = self.photos[key].capture
        why_not = _why_not(capture, same_place=self.settings.same_place)
        device = capture.device.name or None
        taken = capture.utc or capture.clock
        written = None if taken is None else taken.isoformat(timespec="seconds").replace("+00:00", "Z")
        if why_not:
            return AlbumReport(
                part=False,
                why_not=why_not,
                device=device,
                taken=written,
                utc=None if capture.utc is None else written,
                taken_from=capture.source,
                doubts=list(capture.doubts),
            )
        message = self._messages.get(key)
        sides = [] if message is None else [s for s in (message.before, message.after) if s is not None]
        outlier = self.timelines.outlier(key) if capture.position is not None else None
        agreement = self._agreement.get(key)
        return AlbumReport(
            part=True,
            taken=written,
            utc=self._utc(key),
            taken_from=capture.source,
            device=device,
            clock=self.clocks.says(key) or None,
            doubts=list(capture.doubts),
            witnesses=[self._witness(side, key) for side in sides],
            wrong_position=None if outlier is None else round(outlier, 4),
            agreement_nats=None if agreement is None else round(agreement, 3),
        )

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What was found about devices and clocks, and positions in files that are wrong, in words."""
        wrong = [safe(key) for key in sorted(self._parts) if key in self.timelines.wrong]
        listed = ", ".join(wrong[:_LISTED]) + (f" and {len(wrong) - _LISTED} more" if wrong[_LISTED:] else "")
        what = "the position in the file" if len(wrong) == 1 else "the positions in the files"
        said = f"{what} of {listed} {'does' if len(wrong) == 1 else 'do'} not fit the photos around"
        return (*self.clocks.notes, said) if wrong else self.clocks.notes

    @cached_property
    def _parts(self) -> Mapping[str, AlbumPhoto]:
        """The photos that take part."""
        same = self.settings.same_place
        return {key: photo for key, photo in self.photos.items() if not _why_not(photo.capture, same_place=same)}

    @cached_property
    def _evidence(self) -> Mapping[str, Sighting]:
        """What each photo says of its place; its time is not yet known in UTC."""
        return {key: self._sighting(photo) for key, photo in self._parts.items()}

    def _timed(self, key: str) -> Sighting:
        if self.settings.same_place:
            return replace(self._evidence[key], hours=0.0)
        hours, error = self.clocks.hours(key)
        return replace(self._evidence[key], hours=hours, error_hours=error)

    def _sighting(self, photo: AlbumPhoto) -> Sighting:
        observed, capture, world = photo.observation, photo.capture, self._assets.world
        found = Sighting(photo.key, device=device_key(capture))
        if capture.position is not None:
            accuracy = 0.02 if capture.accuracy_m is None else max(capture.accuracy_m / 1000.0, 0.005)
            found = replace(found, gps=capture.position, accuracy_km=accuracy)
        if observed.vision.encoder is None and not observed.text.constraints:
            return found
        posterior = self._fusion(observed.vision.log_probs, observed.text.constraints)
        ratio = posterior.log_probs - world.log_prior
        named = [
            (place.latlon, city_extent_km(place.population))
            for constraint in observed.text.constraints
            for place, weight in zip(constraint.places, constraint.weights.tolist(), strict=True)
            if place.level == "city" and weight >= _NAMED
        ]
        leading = leading_places(posterior.log_probs, ratio, world, named)
        if not leading:
            return found
        said = {(c.kind, c.value): float(posterior.contributions[c.id].max()) for c in observed.text.constraints}
        return replace(
            found,
            log_ratio=ratio,
            leading=leading,
            statements={key: nats for key, nats in said.items() if nats > 0},
            embedding=observed.vision.embedding,
        )

    @cached_property
    def _track_points(self) -> list[Sighting]:
        """Points of the tracks near the photos in time, and one an hour."""
        if self.settings.same_place:
            return []
        times = np.array(sorted(rough_hours(photo.capture) for photo in self._parts.values()))
        points = []
        for number, track in enumerate(self._tracks):
            hours = track.utc_s / 3600.0
            keep = np.unique((hours // _EVERY_HOURS).astype(np.int64), return_index=True)[1]
            near = np.searchsorted(hours, times)[:, None] + np.arange(-_TRACK_POINTS, _TRACK_POINTS)
            rows = np.unique(np.concatenate([keep, near[(near >= 0) & (near < len(hours))]]))
            for i in rows.tolist():
                accuracy = float(np.nan_to_num(track.accuracy_m[i], nan=20.0)) / 1000.0
                key = f"track:{track.source}:{i}"
                place = LatLon(*track.latlon[i].tolist())
                points.append(Sighting(key, f"track:{number}", float(hours[i]), gps=place, accuracy_km=accuracy))
        return points

    @cached_property
    def _messages(self) -> Mapping[str, Message]:
        found = {key: self.timelines.told(key) for key in self._parts if key in self.timelines.sightings}
        return {key: message for key, message in found.items() if message is not None}

    @cached_property
    def _constraints(self) -> Mapping[str, Constraint]:
        """What the album tells each photo; photos that it tells nothing are absent."""
        lines, assets = self.timelines, self._assets
        made = {
            key: constraint_of(message, lines.sightings[key], lines, assets.gazetteer, assets.world)
            for key, message in self._messages.items()
        }
        return {key: constraint for key, constraint in made.items() if constraint is not None}

    @cached_property
    def _agreement(self) -> Mapping[str, float]:
        """Log of Σ own(c) · album(c) / prior(c), by photo that has both."""
        world, found = self._assets.world, {}
        for key, constraint in self._constraints.items():
            ratio = self._evidence[key].log_ratio
            if ratio is not None:
                told = self._fusion(world.log_prior, [constraint]).log_probs
                found[key] = float(np.log(np.exp(told + ratio).sum()))
        return found

    def _odd(self, key: str) -> list[str]:
        """Warnings about a photo that does not fit the others."""
        found = []
        position = self.photos[key].capture.position
        if position is not None and (p := self.timelines.outlier(key)) > 0.5:
            how = "almost certainly wrong" if p > 0.995 else f"wrong with a probability of {percent(p)}"
            found.append(f"the position in its file does not fit the photos around it: it is {how}")
        if self._agreement.get(key, math.inf) < CONFLICT_NATS:
            found.append("what the photo itself shows speaks against the photos around it")
        return found

    def _utc(self, key: str) -> str | None:
        """The instant of a photo, with its camera's clock put right; None where no time is known."""
        hours, _ = self.clocks.hours(key)
        if not math.isfinite(hours):
            return None
        instant = datetime.fromtimestamp(round(hours * 3600.0), UTC)
        return instant.isoformat(timespec="seconds").replace("+00:00", "Z")

    def _witness(self, other: Sighting, key: str) -> AlbumWitness:
        mine = self.timelines.sightings[key]
        near = self._assets.gazetteer.reverse(other.points[0][0]) if other.points else None
        track = other.key.startswith("track:")
        photo = self.photos.get(other.key)
        return AlbumWitness(
            source=other.key,
            minutes=round((other.hours - mine.hours) * 60, 1),
            device=None if photo is None else photo.capture.device.name or None,
            rests_on="track" if track else "position" if other.gps is not None else "text or picture",
            place=None if near is None else str(near),
        )


def _why_not(capture: Capture, *, same_place: bool) -> str:
    """Why a file takes no part in an album; "" if it does."""
    if capture.form in ("screenshot", "document"):
        return capture.why_form or f"it is a {capture.form}"
    if same_place or capture.clock is not None or capture.utc is not None:
        return ""
    return "its file does not tell when it was taken"


__all__ = ["SOURCE", "Album", "AlbumPhoto", "AlbumSettings"]

"""The clocks of an album's devices: stated by the user, told by the files, found from the photos, or assumed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property

import numpy as np

from geoagent.album.chain import Chain
from geoagent.album.clocks import Offset, find_offset
from geoagent.album.motion import Motion
from geoagent.album.sightings import Sighting
from geoagent.album.timelines import Timelines
from geoagent.errors import InputError
from geoagent.evidence.cues.reading import percent
from geoagent.places.zones import utc_offset_hours
from geoagent.types import Capture
from geoagent.worlds.world import World

_OFFSET = re.compile(r"([+-]?)(\d{1,2})(?::([0-5]\d)|(\.\d+))?\s*h?", re.IGNORECASE)
_MOST_HOURS = 48
_NEAREST = 3  # photos that tell both clock and UTC, by which the clock of another one is read
_ASSUMED_HOURS = 1.0  # how far a clock may be off that is assumed to show the zone of another device


def device_key(capture: Capture) -> str:
    """What tells one device from another: its name and serial number; "" if nothing is known."""
    return " ".join(part for part in (capture.device.name, capture.device.serial) if part)


def stated_clock(stated: str) -> tuple[str, float]:
    """Parse what a user says of a clock, "Canon*=+2h" or "Pixel 7=-5:30": a pattern of devices, and hours ahead of UTC.

    Raises:
        InputError: it is neither, or more than two days.
    """
    camera, equals, offset = stated.rpartition("=")
    found = _OFFSET.fullmatch(offset.strip())
    if not equals or not camera.strip() or found is None:
        raise InputError(f'{stated!r}: expected a camera and hours, as in "Canon*=+2h"')
    sign, hours, minutes, part = found.groups()
    size = int(hours) + int(minutes or 0) / 60 + float(part or 0)
    if size > _MOST_HOURS:
        raise InputError(f"{stated!r}: clocks are at most two days off here")
    return camera.strip(), -size if sign == "-" else size


def fits_device(device: str, pattern: str) -> bool:
    """Whether a device, as `device_key` names it, fits a pattern of a stated clock; capitals do not matter."""
    return fnmatchcase(device.casefold(), pattern.casefold())


def rough_hours(capture: Capture) -> float:
    """Hours since 1970: UTC if that is known, else as the camera's clock shows them; NaN if neither is."""
    taken = capture.utc if capture.utc is not None else capture.clock
    if taken is None:
        return math.nan
    return (taken if taken.tzinfo is not None else taken.replace(tzinfo=UTC)).timestamp() / 3600.0


class Clocks:
    """Offsets of clocks from UTC.

    Args:
        captures: of the photos that take part, by key.
        evidence: what each photo says of its place; its own hours are not read.
        tracks: points of tracks, in UTC.
        world: cells that texts and pictures speak of.
        stated: offsets in hours by pattern of device names.
    """

    def __init__(
        self,
        captures: Mapping[str, Capture],
        evidence: Mapping[str, Sighting],
        tracks: Sequence[Sighting],
        world: World,
        stated: Sequence[tuple[str, float]] = (),
    ) -> None:
        self._captures, self._evidence, self._tracks = captures, evidence, tracks
        self._world, self._stated = world, tuple(stated)

    def hours(self, key: str) -> tuple[float, float]:
        """When a photo was taken, hours since 1970 in UTC, and how far that may be off."""
        capture = self._captures[key]
        offset = self._offset(key)
        error = capture.error_s / 3600.0
        if offset is None:
            return rough_hours(capture), error
        return _clock_hours(capture) - offset.hours, max(error, offset.error_hours)

    def says(self, key: str) -> str:
        """What is known of the clock behind a photo's time, in words; "" where its file tells the time in UTC."""
        offset = self._offset(key)
        return "" if offset is None else offset.says

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What was found, stated or assumed, once a device."""
        return tuple(dict.fromkeys(said for key in sorted(self._captures) if (said := self.says(key))))

    def _offset(self, key: str) -> Offset | None:
        """Offset of the clock behind a photo's time; None where its time is in UTC."""
        capture = self._captures[key]
        device = device_key(capture)
        stated = self._of_user.get(device)
        if stated is not None and capture.clock is not None:
            return stated
        if capture.utc is not None or capture.clock is None:
            return None
        shown = self._shown.get(device)
        if shown:
            # Of the photos nearest in time the middle one: a single GPS stamp may be hours old.
            mine = _clock_hours(capture)
            near = sorted(
                offset for _, offset in sorted(shown, key=lambda pair: (abs(pair[0] - mine), pair))[:_NEAREST]
            )
            return Offset(near[(len(near) - 1) // 2], 0.0, "file")
        return self._of_others[device]

    @cached_property
    def _devices(self) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for key in sorted(self._captures):
            found.setdefault(device_key(self._captures[key]), []).append(key)
        return found

    @cached_property
    def _of_user(self) -> Mapping[str, Offset]:
        found = {}
        for device in self._devices:
            for pattern, hours in self._stated:
                if fits_device(device, pattern):
                    says = f"you said that the clock of {_named(device)} is {_ahead(hours)}"
                    found[device] = Offset(hours, 0.0, "stated", says=says)
                    break
        return found

    @cached_property
    def _shown(self) -> Mapping[str, list[tuple[float, float]]]:
        """By device, where its photos tell both clock and UTC: the clock's hours and its offset."""
        found: dict[str, list[tuple[float, float]]] = {}
        for key, capture in self._captures.items():
            if capture.clock is not None and capture.utc is not None:
                mine = _clock_hours(capture)
                offset = round((mine - rough_hours(capture)) * 60) / 60
                found.setdefault(device_key(self._captures[key]), []).append((mine, offset))
        return found

    @cached_property
    def _of_others(self) -> Mapping[str, Offset]:
        """Offsets of the devices whose files tell no zone, found by the other devices or assumed."""
        unknown = {
            device: keys
            for device, keys in self._devices.items()
            if device not in self._of_user and not self._shown.get(device)
        }
        anchored = [self._in_utc(key) for key in self._captures if device_key(self._captures[key]) not in unknown]
        known = [sighting for sighting in (*anchored, *self._tracks) if sighting.speaks and sighting.timed]
        if not known:
            # No time in the album is in UTC: all clocks are taken to show the same zone.
            return {device: Offset(0.0, 0.0, "assumed") for device in unknown}
        zones = sorted({offset for samples in self._shown.values() for _, offset in samples})
        found = {}
        for device, keys in unknown.items():
            mine = [replace(self._evidence[key], hours=_clock_hours(self._captures[key])) for key in keys]
            mine = [sighting for sighting in mine if sighting.speaks and sighting.timed]
            found[device] = self._found(device, mine, known, zones) or self._assumed(device, mine, known, zones)
        return found

    def _in_utc(self, key: str) -> Sighting:
        capture = self._captures[key]
        stated = self._of_user.get(device_key(capture))
        if stated is not None and capture.clock is not None:
            return replace(self._evidence[key], hours=_clock_hours(capture) - stated.hours)
        if capture.utc is not None:
            return replace(self._evidence[key], hours=rough_hours(capture))
        hours, error = self.hours(key)
        return replace(self._evidence[key], hours=hours, error_hours=error)

    def _found(
        self, device: str, mine: Sequence[Sighting], known: Sequence[Sighting], zones: Sequence[float]
    ) -> Offset | None:
        """The offset at which the device's photos agree with the others, if one stands out."""
        if not mine:
            return None
        lines = Timelines([*known, *mine], self._world, Motion.load())
        others = Chain([lines.node(sighting.key) for sighting in known], lines.places, lines.step)
        found = find_offset([lines.node(sighting.key) for sighting in mine], others, zones)
        if found is None:
            return None
        if found.source == "unclear":
            low, high = found.hours - found.error_hours, found.hours + found.error_hours
            says = (
                f"the clock of {_named(device)} is unclear: its photos fit those of the other devices if it is between "
                f"{_ahead(round(low))} and {_ahead(round(high))}; set it by --clock"
            )
            return replace(found, says=says)
        says = (
            f"the clock of {_named(device)} seems to be {_ahead(found.hours)} ({percent(found.probability)} sure): "
            f"there its photos agree with the places of the other devices"
        )
        odd = not any(abs(found.hours - zone) < 0.6 for zone in zones)
        return replace(found, says=says if odd or not zones else "")

    def _assumed(
        self, device: str, mine: Sequence[Sighting], known: Sequence[Sighting], zones: Sequence[float]
    ) -> Offset:
        """The zone that other devices show, else that of the places where they were."""
        if zones:
            hours, why = float(np.median(zones)), "as the other devices show"
        else:
            found = sorted(self._zone_of(sighting) for sighting in known if sighting.points)
            hours, zone = found[len(found) // 2]
            why = f"the time at the places around it ({zone})" if zone else "the time at the longitude around it"
        says = f"the clock of {_named(device)} is assumed to be {_ahead(hours)}, {why}; set it by --clock"
        return Offset(hours, _ASSUMED_HOURS, "assumed", says=says)

    def _zone_of(self, sighting: Sighting) -> tuple[float, str]:
        """Hours ahead of UTC where and when something was seen, and the name of the zone."""
        place = sighting.points[0][0]
        when = datetime.fromtimestamp(sighting.hours * 3600.0, UTC)
        return utc_offset_hours(place, str(self._world.cells.country[self._world.cells.at(place)]), when)


def _clock_hours(capture: Capture) -> float:
    return math.nan if capture.clock is None else capture.clock.replace(tzinfo=UTC).timestamp() / 3600.0


def _named(device: str) -> str:
    return device or "an unknown device"


def _ahead(hours: float) -> str:
    """An offset in words: "2 hours ahead of UTC", "5.5 hours behind UTC", "UTC"."""
    if abs(hours) < 1e-6:
        return "UTC"
    size = f"{abs(hours):g}"
    return f"{size} hour{'s' if size != '1' else ''} {'ahead of' if hours > 0 else 'behind'} UTC"

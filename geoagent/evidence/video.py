"""Frames of a video as photos of one place or one trip, taken where the picture changes (extra `video`, PyAV)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import CoordinateError, PhotoError
from geoagent.evidence.opening import check_regular
from geoagent.filenames import written
from geoagent.optional import needs
from geoagent.places.coordinates import read_coordinates
from geoagent.places.geo import LatLon
from geoagent.types.capture import Capture, Device, TimeSource
from geoagent.types.photo import Photo

SUFFIXES = frozenset({".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".3gp", ".mts", ".m2ts", ".mpg", ".mpeg"})
FRAME = "#t="
"""Between the name of a video and the seconds of a frame (Media Fragments URI 1.0)."""
MOST_FRAMES = 12
"""Frames of one video that are looked at."""
_SIDE = 24  # of the small grey pictures that are compared
_CHANGED = 12.0  # mean difference of their grey levels, of 255, from which the picture is another one
_EVERY_S = 0.5  # frames closer together are not compared
_MAKES = ("com.apple.quicktime.make", "make", "com.android.manufacturer")
_MODELS = ("com.apple.quicktime.model", "model", "com.android.model")
_PLACES = ("com.apple.quicktime.location.ISO6709", "location", "location-eng")
_TIMES = ("com.apple.quicktime.creationdate", "creation_time", "date")


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """One frame.

    Attributes:
        seconds: from the start.
        photo: its pixels, upright.
    """

    seconds: float
    photo: Photo


def is_video(path: Path) -> bool:
    """Whether a file is a video by its name."""
    return path.suffix.lower() in SUFFIXES


def frames(path: Path, most: int = MOST_FRAMES) -> list[Frame]:
    """Frames at which the picture has changed; the first one always, and those that differ most where there are more.

    Args:
        path: the video.
        most: how many.

    Raises:
        PhotoError: the file is missing, no video, or damaged before its first frame.
        MissingDependency: PyAV is not installed.
    """
    name = written(path)
    check_regular(path)
    found: list[tuple[float, float, Any]] = []
    last: Any = None
    try:
        for seconds, image in _decoded(path):
            small = np.asarray(image.convert("L").resize((_SIDE, _SIDE)), dtype=np.float32)
            change = 255.0 if last is None else float(np.abs(small - last).mean())
            if change < _CHANGED:
                continue
            last = small
            found.append((change, seconds, image))
            if len(found) > 4 * most:  # memory stays bounded: the least of the changes goes
                found.remove(min(found[1:], key=lambda each: each[0]))
    except (OSError, ValueError) as error:
        if not found:
            raise PhotoError(f"{name}: the video cannot be read ({error})") from error
    if not found:
        raise PhotoError(f"{name}: the video holds no pictures")
    kept = [found[0], *sorted(found[1:], key=lambda each: -each[0])[: most - 1]]
    return [
        Frame(seconds, Photo(np.asarray(image.convert("RGB")), source=f"{name}{FRAME}{seconds:.1f}"))
        for _, seconds, image in sorted(kept, key=lambda each: each[1])
    ]


def capture_of_video(path: Path) -> Capture:
    """When, where and with what a video was taken, from its container.

    Raises:
        PhotoError: the file cannot be read.
        MissingDependency: PyAV is not installed.
    """
    av = _library()
    try:
        with av.open(str(path)) as container:
            tags = {str(key).casefold(): str(value) for key, value in container.metadata.items()}
    except (OSError, ValueError) as error:
        raise PhotoError(f"{written(path)}: the video cannot be read ({error})") from error
    clock, utc = _time(_first(tags, _TIMES))
    device = Device(_first(tags, _MAKES), _first(tags, _MODELS))
    source: TimeSource | None = None if clock is None and utc is None else "exif"
    return Capture(clock, utc, source, 1.0, device, _place(_first(tags, _PLACES)), form="photo")


def later(capture: Capture, seconds: float) -> Capture:
    """The circumstances of a frame, so long after the start of its video."""
    span = timedelta(seconds=seconds)
    return replace(
        capture,
        clock=None if capture.clock is None else capture.clock + span,
        utc=None if capture.utc is None else capture.utc + span,
    )


def _decoded(path: Path) -> Iterator[tuple[float, Any]]:
    """Key frames with their times, at most two a second; their rotation applied."""
    av = _library()
    with av.open(str(path)) as container:
        if not container.streams.video:
            return
        stream = container.streams.video[0]
        stream.codec_context.skip_frame = "NONKEY"
        before = -_EVERY_S
        for frame in container.decode(stream):
            seconds = float(frame.time or 0.0)
            if seconds - before < _EVERY_S:
                continue
            before = seconds
            image = frame.to_image()
            turned = int(getattr(frame, "rotation", 0) or 0)
            yield seconds, image.rotate(turned, expand=True) if turned else image


def _library() -> Any:
    with needs("video", "av"):
        import av
    return av


def _first(tags: dict[str, str], names: tuple[str, ...]) -> str:
    return next((" ".join(tags[name.casefold()].split())[:80] for name in names if tags.get(name.casefold())), "")


def _time(text: str) -> tuple[datetime | None, datetime | None]:
    """Clock and UTC of a time in a container: one with an offset tells both, `creation_time` in Z tells UTC alone."""
    try:
        when = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None, None
    if when.year < 1995:
        return None, None
    if when.tzinfo is None:
        return when, None
    return (None if text.endswith("Z") else when.replace(tzinfo=None)), when.astimezone(UTC)


def _place(text: str) -> LatLon | None:
    try:
        found = read_coordinates(text) if text else None
    except CoordinateError:
        return None
    return None if found is None or found.position == LatLon(0.0, 0.0) else found.position

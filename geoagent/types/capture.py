"""When, with what and as what a photo was taken, as its file tells."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from geoagent.places.geo import LatLon

TimeSource = Literal["gps", "exif", "xmp", "sidecar", "name"]
Form = Literal["photo", "screenshot", "document", "unknown"]


@dataclass(frozen=True, slots=True)
class Device:
    """What took a photo, as its EXIF data tell.

    Attributes:
        make: manufacturer.
        model: model.
        serial: serial number of the body.
    """

    make: str = ""
    model: str = ""
    serial: str = ""

    @property
    def name(self) -> str:
        """Make and model, the make once: "Canon EOS 80D"; "" if neither is known."""
        first = self.make.split()[:1]
        if not self.model or (first and self.model.casefold().startswith(first[0].casefold())):
            return self.model or self.make
        return f"{self.make} {self.model}".strip()


@dataclass(frozen=True, slots=True)
class Capture:
    """Circumstances of one photo.

    Attributes:
        clock: what the camera's clock showed, without a zone.
        utc: the time in UTC, where the file tells it.
        source: where the time comes from; None if there is none.
        error_s: standard deviation of the time, by its source, seconds.
        device: what took it.
        position: the file's own position, if it is whole and not 0, 0.
        accuracy_m: how exact that is; None if not told.
        position_utc: when the position was measured.
        form: whether it is a photo at all.
        why_form: in words, where it is none.
        doubts: why the time or the position may be wrong, in words.
    """

    clock: datetime | None = None
    utc: datetime | None = None
    source: TimeSource | None = None
    error_s: float = 0.0
    device: Device = field(default_factory=Device)
    position: LatLon | None = None
    accuracy_m: float | None = None
    position_utc: datetime | None = None
    form: Form = "unknown"
    why_form: str = ""
    doubts: tuple[str, ...] = ()

"""When, with what and as what a photo was taken, read from its file and its sidecars without decoding pixels."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path, PurePath
from typing import Any

from PIL import Image

from geoagent.errors import PhotoError
from geoagent.evidence.exif import EXIF_IFD, GPS_IFD, block_of, content_of, metadata_of, said_by, sidecars
from geoagent.evidence.forms import cleaned, form_of
from geoagent.evidence.named_times import of_name
from geoagent.evidence.photos import from_content, from_header
from geoagent.evidence.taken import DISAGREE, GPS_S, Taken, of_exif, of_gps, of_xmp, unrolled
from geoagent.evidence.takeout import Sidecar, sidecar_of
from geoagent.types.capture import Capture, Device

_MAKE, _MODEL, _SERIAL, _SERIAL_DNG = 0x010F, 0x0110, 0xA431, 0xC62F
_ERROR_M = 31
_SOURCES = {
    "exif": "its EXIF data",
    "xmp": "its XMP data",
    "sidecar": "Google's sidecar",
    "name": "its name",
    "gps": "its GPS stamp",
}
_ZONE_S = 900.0
"""Zones are quarters of an hour: a clock that is less exact tells none."""
_PHONES = frozenset(
    """
    apple google samsung huawei honor xiaomi redmi oneplus oppo realme vivo motorola lge htc nokia blackberry zte asus
    fairphone nothing
    """.split()  # noqa: SIM905
)
"""Makers whose clocks are set by the network: their photos of New Year's midnight are just that."""


def capture_of(path: Path) -> Capture:
    """Read when, with what and as what a photo was taken.

    The camera's clock comes from EXIF data before XMP, a sidecar of Google Takeout, and the name of the file; UTC from
    whatever tells it, the photo itself first.

    Raises:
        PhotoError: the file is no photo.
    """
    return from_header(path, _of_file)


def capture_of_bytes(content: bytes, name: str) -> Capture:
    """The same of a file in memory; nothing beside it is looked for.

    Raises:
        PhotoError: it is no photo.
    """
    path = Path(PurePath(name).name)
    try:
        return from_content(io.BytesIO(content), path, name, lambda image, at: _of_header(image, at, None, ()))
    except OSError as error:
        raise PhotoError(f"{name}: cannot be read ({error})") from error


def _of_file(image: Image.Image, path: Path) -> Capture:
    return _of_header(image, path, sidecar_of(path), [content_of(each) for each in sidecars(path)])


def _of_header(image: Image.Image, path: Path, side: Sidecar | None, beside: Sequence[bytes]) -> Capture:
    exif, packet = metadata_of(image)
    said = said_by(image, path, beside=bool(beside))
    details, gps = block_of(exif, EXIF_IFD), block_of(exif, GPS_IFD)
    serial = cleaned(details.get(_SERIAL)) or cleaned(exif.get(_SERIAL_DNG))
    device = Device(cleaned(exif.get(_MAKE)), cleaned(exif.get(_MODEL)), serial)
    form, why = form_of(image, path, exif, details, device)
    told = [
        of_exif(exif, details),
        *(of_xmp(each) for each in (packet, *beside) if each),
        None if side is None else side.taken,
        of_name(path.name),
    ]
    stamp = of_gps(gps)
    times = _times([taken for taken in told if taken is not None], stamp, device)
    position, accuracy, doubts = said.latlon, _number(gps.get(_ERROR_M)), times.doubts
    if position is None and side is not None and side.position is not None:
        position, accuracy = side.position, None
    if said.state == "doubtful":
        doubts = (*doubts, said.says)
    clock, utc = times.clock, times.utc
    first = utc if clock is None else clock
    exact = clock if utc is None else utc
    return Capture(
        clock=None if clock is None else clock.clock,
        utc=None if utc is None else utc.utc,
        source=None if first is None else first.source,
        error_s=0.0 if exact is None else exact.error_s,
        device=device,
        position=position,
        accuracy_m=accuracy,
        position_utc=times.fix,
        form=form,
        why_form=why,
        doubts=doubts,
    )


@dataclass(frozen=True, slots=True)
class _Times:
    """What is believed of a photo's times, and the GPS stamp with the weeks that its receiver lost."""

    clock: Taken | None
    utc: Taken | None
    fix: datetime | None
    doubts: tuple[str, ...]


def _times(told: Sequence[Taken], stamp: datetime | None, device: Device) -> _Times:
    """Weigh what a file tells of its time, the surest statement first."""
    clock = next((taken for taken in told if taken.clock is not None), None)
    utc = next((taken for taken in told if taken.utc is not None), None)
    doubts = []
    if clock is not None and clock.never_set and device.make.casefold() not in _PHONES:
        doubts.append("the camera's clock seems never to have been set")
        clock = clock if utc is not None else None
    fix, near = stamp, utc or clock
    if stamp is not None and near is not None:
        fix = unrolled(stamp, near.when)
        if fix != stamp:
            doubts.append(f"the GPS stamp has lost {abs(fix - stamp).days // 7} weeks, which were added to it")
    if utc is None and fix is not None:
        utc = Taken(None, fix, "gps", GPS_S)
    if clock is not None and utc is not None and clock is not utc and _disagree(clock, utc):
        # A GPS stamp or Google's own time is right where a clock was never set.
        doubts.append(f"{_differ(clock, utc)}; UTC is used")
        clock = None
    if clock is not None and utc is not None and clock.error_s > _ZONE_S:
        clock = None  # with UTC beside it, it would tell a zone
    if (used := utc if clock is None else clock) is not None:
        doubts += [used.doubt] if used.doubt else []
        others = [*told, *([] if fix is None else [Taken(None, fix, "gps", GPS_S)])]
        doubts += [_differ(used, other) for other in others if other.source != used.source and _disagree(used, other)]
    return _Times(clock, utc, fix, tuple(dict.fromkeys(doubts)))


def _disagree(one: Taken, other: Taken) -> bool:
    """Whether two statements are further apart than zones and their own errors explain."""
    return abs(one.when - other.when) > DISAGREE + timedelta(seconds=one.error_s + other.error_s)


def _differ(one: Taken, other: Taken) -> str:
    days = round(abs(one.when - other.when) / timedelta(days=1))
    return f"the times of {_SOURCES[one.source]} and of {_SOURCES[other.source]} are {days} days apart"


def _number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return found if 0 < found < 1e6 else None

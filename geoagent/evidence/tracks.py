"""Tracks: where somebody was, and when. GPX, KML and KMZ, and Google's location history."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np

from geoagent.errors import CoordinateError, InputError
from geoagent.evidence.location_history import UNKNOWN, Point, number_of, points_of, seconds_of
from geoagent.filenames import written
from geoagent.places.geo import Float, LatLon, check_latlon

_MOST_BYTES = 1_500_000_000
_MOST_INFLATED = 500_000_000
_FIRST_S = 631_152_000.0  # 1990: nobody had a receiver before, and zero is no time
_NULL_DEGREES = 1e-4
_SPACE = b" \t\r\n"
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """Where somebody was, and when.

    Attributes:
        source: name of the file.
        utc_s: `(N,)` seconds since 1970, ascending.
        latlon: `(N, 2)` degrees.
        accuracy_m: `(N,)`; NaN where unknown.
        notes: what was left out, in words.
    """

    source: str
    utc_s: Float
    latlon: Float
    accuracy_m: Float
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))

    def __len__(self) -> int:
        return len(self.utc_s)


def read_track(path: Path) -> Track:
    """Read a track.

    Points without a time, of before 1990 or of the future, and at 0, 0 are left out; `Track.notes` counts them.

    Args:
        path: GPX, KML or KMZ; Google's Records.json, a month of its Semantic Location History, or the Timeline that
            its app exports (Android and iOS).

    Raises:
        InputError: the file cannot be read, is none of these, holds no times, a coordinate that is none, or estimates
            of geoagent.
    """
    name = written(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{name} is larger than 1.5 GB; cut it first")
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}") from error
    return _read(raw, name, path.name)


def read_track_bytes(raw: bytes, name: str) -> Track:
    """Read a track from the content of its file, which is called `name`; as `read_track` otherwise.

    Raises:
        InputError: as of `read_track`.
    """
    return _read(raw, name, name)


def _read(raw: bytes, name: str, source: str) -> Track:
    if raw[:4] == b"PK\x03\x04":
        raw = _kml_in(raw, name)
    points = _of_xml(raw, name) if _is_xml(raw) else points_of(raw, name)
    return _track(np.fromiter(points, np.dtype((np.float64, 4))), name, source)


def _track(points: Float, name: str, source: str) -> Track:
    if len(points) == 0:
        raise InputError(f"{name}: the track holds no points")
    times, latlon = points[:, 0], points[:, 1:3]
    with np.errstate(invalid="ignore"):
        last = (datetime.now(UTC) + timedelta(hours=26)).timestamp()
        early, late = times < _FIRST_S, times > last
        nowhere = (np.abs(latlon) < _NULL_DEGREES).all(axis=1)
        impossible = ~(np.isfinite(latlon).all(axis=1) & (np.abs(latlon) <= (90, 360)).all(axis=1))
    timeless = np.isnan(times)
    timed = ~(timeless | early | late)
    if not timed.any():
        which = "" if timeless.all() else " between 1990 and today"
        raise InputError(f"{name}: the track holds no times{which}, so it does not tell who was where when")
    if (timed & impossible).any():
        number = int((timed & impossible).argmax())
        try:
            LatLon(*latlon[number].tolist())
        except CoordinateError as error:
            raise InputError(f"{name}, point {number + 1}: {error}") from error
    if not (timed & ~nowhere).any():
        raise InputError(f"{name}: all points of the track are at 0, 0, which receivers write that have no position")
    counts = {
        "without a time": timeless,
        "of before 1990": early,
        "of the future": late,
        "at 0, 0": timed & nowhere,
    }
    left = [f"{mask.sum():,} {what}" for what, mask in counts.items() if mask.any()]
    notes = (f"{name}: of {len(points):,} points these were left out: {', '.join(left)}",) if left else ()
    kept = points[timed & ~nowhere]
    kept = kept[np.lexsort((kept[:, 2], kept[:, 1], kept[:, 0]))]
    return Track(source, kept[:, 0], kept[:, 1:3], kept[:, 3], notes)


def _is_xml(raw: bytes) -> bool:
    head = raw[:4096]
    for mark in _BOMS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip(_SPACE)[:1] == b"<"


def _of_xml(raw: bytes, name: str) -> Iterator[Point]:
    if raw[:1] in _SPACE:  # which XML does not allow before its declaration
        raw = raw.lstrip(_SPACE)
    root = None
    try:
        _refuse_entities(raw, name)
        for event, element in ElementTree.iterparse(io.BytesIO(raw), events=("start", "end")):
            kind = _local(element.tag)
            if root is None:
                root = element
                _check_root(element, kind, name)
            elif event == "start":
                continue
            elif kind in ("trkpt", "wpt", "rtept"):
                yield _of_gpx(element)
                element.clear()
            elif kind == "Track":
                yield from _of_gx(element)
                element.clear()
            elif kind == "Placemark":
                yield from _of_placemark(element)
                element.clear()
    except InputError:  # a ValueError itself
        raise
    except (ElementTree.ParseError, expat.ExpatError, LookupError, ValueError) as error:
        raise InputError(f"{name} is damaged: {error}") from error


def _check_root(root: ElementTree.Element, kind: str, name: str) -> None:
    if kind not in ("gpx", "kml"):
        raise InputError(f"{name}: is no GPX or KML ({kind})")
    if root.get("creator", "").startswith("geoagent "):
        raise InputError(f"{name}: holds estimates made by geoagent, not where anybody was measured to be")


def _refuse_entities(raw: bytes, name: str) -> None:
    """Read as far as the first element, in whatever encoding: entities are declared before it.

    Raises:
        InputError: there is a document type, which no track needs.
    """
    started = False

    def start(*_: Any) -> None:
        nonlocal started
        started = True

    def refuse(*_: Any) -> None:
        raise InputError(f"{name}: declares entities, which no track needs; it was not read")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.StartDoctypeDeclHandler = start, refuse
    for at in range(0, len(raw), 4096):
        parser.Parse(raw[at : at + 4096], False)
        if started:
            return


def _of_gpx(point: ElementTree.Element) -> Point:
    when = next((child.text for child in point if _local(child.tag) == "time"), None)
    return seconds_of(when), number_of(point.get("lat")), number_of(point.get("lon")), UNKNOWN


def _of_gx(track: ElementTree.Element) -> Iterator[Point]:
    times = [seconds_of(child.text) for child in track if _local(child.tag) == "when"]
    places = [(child.text or "").split() for child in track if _local(child.tag) == "coord"]
    for when, place in zip(times, places, strict=False):
        if len(place) >= 2:
            yield when, number_of(place[1]), number_of(place[0]), UNKNOWN


def _of_placemark(placemark: ElementTree.Element) -> Iterator[Point]:
    """A point with a time stamp; one with a span of time is two, at its begin and its end."""
    found = {_local(child.tag): child for child in placemark.iter()}
    if "Point" not in found or "coordinates" not in found:
        return
    lonlat = (found["coordinates"].text or "").strip().split(",")
    if len(lonlat) >= 2:
        stamps = [seconds_of(found[key].text) for key in ("when", "begin", "end") if key in found]
        for when in stamps or [UNKNOWN]:
            yield when, number_of(lonlat[1]), number_of(lonlat[0]), UNKNOWN


def _kml_in(raw: bytes, name: str) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = next((info for info in archive.infolist() if info.filename.lower().endswith(".kml")), None)
            if inside is None:
                raise InputError(f"{name}: is an archive without a KML file")
            if inside.file_size > _MOST_INFLATED:
                raise InputError(f"{name}: its KML file is too large ({inside.file_size} bytes)")
            return archive.read(inside)
    except InputError:  # a ValueError itself
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as error:
        raise InputError(f"{name} is damaged: {error}") from error


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]

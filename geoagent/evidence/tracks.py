"""Tracks: where somebody was, and when. GPX, KML and KMZ, and Google's location history in the forms it has had."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np

from geoagent.errors import CoordinateError, InputError
from geoagent.places.geo import Float, LatLon, check_latlon

_MOST_BYTES = 1_500_000_000
_MOST_INFLATED = 500_000_000
_FIRST_S = 631_152_000.0  # 1990: nobody had a receiver before, and zero is no time
_GEO = re.compile(r"(?:geo:)?\s*([+-]?\d+(?:\.\d+)?)\s*°?\s*,\s*([+-]?\d+(?:\.\d+)?)\s*°?")

Point = tuple[float, float, float, float]
"""Seconds since 1970, latitude, longitude, accuracy in metres (NaN where unknown)."""


@dataclass(frozen=True, eq=False, slots=True)
class Track:
    """Where somebody was, and when.

    Attributes:
        source: name of the file.
        utc_s: `(N,)` seconds since 1970, ascending.
        latlon: `(N, 2)` degrees.
        accuracy_m: `(N,)`; NaN where unknown.
    """

    source: str
    utc_s: Float
    latlon: Float
    accuracy_m: Float

    def __post_init__(self) -> None:
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))

    def __len__(self) -> int:
        return len(self.utc_s)


def read_track(path: Path) -> Track:
    """Read a track.

    Args:
        path: GPX, KML or KMZ; Google's Records.json, a month of its Semantic Location History, or the Timeline that
            its app exports (Android and iOS).

    Raises:
        InputError: the file cannot be read, is none of these, holds no times, or a coordinate that is none.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path} is larger than 1.5 GB; cut it first")
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    start = raw[:200].lstrip(b"\xef\xbb\xbf \t\r\n")
    if raw[:4] == b"PK\x03\x04":
        raw = _kml_in(raw, path)
        start = b"<"
    points = list(_of_xml(raw, path) if start[:1] == b"<" else _of_json(raw, path))
    return _track(points, path)


def _track(points: list[Point], path: Path) -> Track:
    if not points:
        raise InputError(f"{path}: the track holds no points")
    array = np.array(points, dtype=np.float64)
    timed = array[array[:, 0] >= _FIRST_S]
    if len(timed) == 0:
        raise InputError(f"{path}: the track holds no times, so it does not tell who was where when")
    for number, (_, lat, lon, _) in enumerate(timed.tolist(), start=1):
        try:
            LatLon(lat, lon)
        except CoordinateError as error:
            raise InputError(f"{path}, point {number}: {error}") from error
    timed = timed[np.lexsort((timed[:, 2], timed[:, 1], timed[:, 0]))]
    return Track(path.name, timed[:, 0], timed[:, 1:3], timed[:, 3])


def _of_xml(raw: bytes, path: Path) -> Iterator[Point]:
    if b"<!DOCTYPE" in raw[:4096] or b"<!ENTITY" in raw[:65536]:
        raise InputError(f"{path}: declares entities, which no track needs; it was not read")
    try:
        root = ElementTree.parse(io.BytesIO(raw)).getroot()
    except ElementTree.ParseError as error:
        raise InputError(f"{path} is damaged: {error}") from error
    kind = _local(root.tag)
    if kind == "gpx":
        yield from _of_gpx(root)
    elif kind == "kml":
        yield from _of_kml(root)
    else:
        raise InputError(f"{path}: is no GPX or KML ({kind})")


def _of_gpx(root: ElementTree.Element) -> Iterator[Point]:
    for point in root.iter():
        if _local(point.tag) not in ("trkpt", "wpt", "rtept"):
            continue
        parts = {_local(child.tag): child.text or "" for child in point}
        yield _seconds(parts.get("time")), _number(point.get("lat")), _number(point.get("lon")), float("nan")


def _of_kml(root: ElementTree.Element) -> Iterator[Point]:
    for element in root.iter():
        kind = _local(element.tag)
        if kind == "Track":
            times = [_seconds(child.text) for child in element if _local(child.tag) == "when"]
            places = [(child.text or "").split() for child in element if _local(child.tag) == "coord"]
            for when, place in zip(times, places, strict=False):
                if len(place) >= 2:
                    yield when, _number(place[1]), _number(place[0]), float("nan")
        elif kind == "Placemark":
            found = {_local(child.tag): child for child in element.iter()}
            stamp = found.get("when", found.get("begin"))
            if "Point" not in found or "coordinates" not in found:
                continue
            lonlat = (found["coordinates"].text or "").strip().split(",")
            if len(lonlat) >= 2:
                taken = _seconds(None if stamp is None else stamp.text)
                yield taken, _number(lonlat[1]), _number(lonlat[0]), float("nan")


def _kml_in(raw: bytes, path: Path) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inside = next((info for info in archive.infolist() if info.filename.lower().endswith(".kml")), None)
            if inside is None:
                raise InputError(f"{path}: is an archive without a KML file")
            if inside.file_size > _MOST_INFLATED:
                raise InputError(f"{path}: its KML file is too large ({inside.file_size} bytes)")
            return archive.read(inside)
    except (zipfile.BadZipFile, OSError, RuntimeError) as error:
        raise InputError(f"{path} is damaged: {error}") from error


def _of_json(raw: bytes, path: Path) -> Iterator[Point]:
    try:
        data = json.loads(raw)
    except ValueError as error:
        raise InputError(f"{path}: is no track that is known (GPX, KML, KMZ, Google's location history)") from error
    if isinstance(data, list):
        segments: Any = data
    elif isinstance(data, dict) and isinstance(data.get("locations"), list):
        yield from _of_records(data["locations"])
        return
    elif isinstance(data, dict):
        segments = [*_list(data.get("semanticSegments")), *_list(data.get("timelineObjects"))]
    else:
        segments = []
    if not segments:
        raise InputError(f"{path}: is no location history of Google that is known")
    for segment in segments:
        if isinstance(segment, dict):
            yield from _of_segment(segment)


def _of_records(rows: list[Any]) -> Iterator[Point]:
    for row in rows:
        if not isinstance(row, dict) or "latitudeE7" not in row or "longitudeE7" not in row:
            continue
        when = _seconds(row.get("timestamp")) if "timestamp" in row else _number(row.get("timestampMs")) / 1000.0
        yield when, *_e7(row["latitudeE7"], row["longitudeE7"]), _number(row.get("accuracy"))


def _of_segment(segment: dict[str, Any]) -> Iterator[Point]:
    """Points of one segment: a path, a visit or an activity, as Android, iOS and the old monthly files hold them."""
    start, end = _seconds(segment.get("startTime")), _seconds(segment.get("endTime"))
    for each in _list(segment.get("timelinePath")):
        if not isinstance(each, dict) or (place := _geo(each.get("point"))) is None:
            continue
        later = each.get("durationMinutesOffsetFromStartTime")
        when = _seconds(each.get("time")) if later is None else start + 60.0 * _number(later)
        yield when, *place, float("nan")
    visit, activity = segment.get("visit"), segment.get("activity")
    if isinstance(visit, dict):
        top = visit.get("topCandidate")
        place = _geo(top.get("placeLocation")) if isinstance(top, dict) else None
        if place is not None:
            yield start, *place, float("nan")
            yield end, *place, float("nan")
    if isinstance(activity, dict):
        for when, key in ((start, "start"), (end, "end")):
            if (place := _geo(activity.get(key))) is not None:
                yield when, *place, float("nan")
    for name in ("placeVisit", "activitySegment"):
        old = segment.get(name)
        if isinstance(old, dict):
            yield from _of_old(old)


def _of_old(old: dict[str, Any]) -> Iterator[Point]:
    span = old.get("duration")
    if not isinstance(span, dict):
        return
    ends = [_seconds(span.get(f"{side}Timestamp")) for side in ("start", "end")]
    ends = [
        when if np.isfinite(when) else _number(span.get(f"{side}TimestampMs")) / 1000.0
        for when, side in zip(ends, ("start", "end"), strict=True)
    ]
    for when, key in zip(ends, ("startLocation", "endLocation"), strict=True):
        place = old.get(key, old.get("location"))
        if isinstance(place, dict) and "latitudeE7" in place and "longitudeE7" in place:
            yield when, *_e7(place["latitudeE7"], place["longitudeE7"]), float("nan")


def _geo(value: Any) -> tuple[float, float] | None:
    """A place as Google writes it: "48.1°, 11.5°", "geo:48.1,11.5", or one of these below latLng."""
    text = value.get("latLng") if isinstance(value, dict) else value
    found = _GEO.fullmatch(text.strip()) if isinstance(text, str) else None
    return None if found is None else (float(found[1]), float(found[2]))


def _e7(lat: Any, lon: Any) -> tuple[float, float]:
    return _number(lat) / 1e7, _number(lon) / 1e7


def _seconds(value: Any) -> float:
    """Seconds since 1970 of an ISO 8601 time; NaN where it is none. Times without a zone are UTC, as GPX has it."""
    if not isinstance(value, str):
        return float("nan")
    try:
        when = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return float("nan")
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return float("nan")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _local(tag: Any) -> str:
    return str(tag).rpartition("}")[2]

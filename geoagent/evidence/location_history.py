"""Google's location history in the forms it has had: Records, Semantic Location History, and Timeline of the phones.

Records.json holds what the phone measured, the monthly files of Semantic Location History visits and journeys. Since
2024 phones export their Timeline themselves: Android an object of `semanticSegments` and `rawSignals`, iOS a list.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from geoagent.errors import InputError

Point = tuple[float, float, float, float]
"""Seconds since 1970, latitude, longitude, accuracy in metres (NaN where unknown)."""

UNKNOWN = math.nan
_GEO = re.compile(r"(?:geo:)?\s*([+-]?\d+(?:\.\d+)?)\s*°?\s*,\s*([+-]?\d+(?:\.\d+)?)\s*°?")
_WRAP = 1 << 32
_KEPT = frozenset(
    """
    locations semanticSegments timelineObjects rawSignals latitudeE7 longitudeE7 latE7 lngE7 timestamp timestampMs
    accuracy accuracyMeters startTime endTime timelinePath point time durationMinutesOffsetFromStartTime visit activity
    topCandidate placeLocation latLng LatLng start end placeVisit activitySegment duration startTimestamp endTimestamp
    startTimestampMs endTimestampMs location startLocation endLocation simplifiedRawPath points position
    """.split()  # noqa: SIM905
)


def points_of(raw: bytes, name: str) -> Iterator[Point]:
    """Read the points of a location history, those without a time with NaN for it.

    Args:
        raw: the file.
        name: what messages call it.

    Raises:
        InputError: it is none.
    """
    try:
        data = json.loads(raw, object_hook=_slim)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{name}: is no track that is known (GPX, KML, KMZ, Google's location history)") from error
    if isinstance(data, list):
        yield from _of_segments(data)
        return
    lists = [data.get(key) for key in ("locations", "semanticSegments", "timelineObjects", "rawSignals")]
    if not any(isinstance(each, list) for each in lists):
        raise InputError(f"{name}: is no location history of Google that is known")
    yield from _of_records(_list(data.get("locations")))
    yield from _of_segments([*_list(data.get("semanticSegments")), *_list(data.get("timelineObjects"))])
    yield from _of_signals(_list(data.get("rawSignals")))


def seconds_of(value: Any) -> float:
    """Seconds since 1970 of an ISO 8601 time; NaN where it is none. Times without a zone are UTC, as GPX has it."""
    if not isinstance(value, str):
        return UNKNOWN
    try:
        when = datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
        return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return UNKNOWN


def number_of(value: Any) -> float:
    """A number; NaN where it is none."""
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return UNKNOWN


def _slim(row: dict[str, Any]) -> dict[str, Any]:
    """Drop what is not read while the file is parsed: most of it is guesses of activities and networks."""
    return {key: value for key, value in row.items() if key in _KEPT}


def _of_records(rows: list[Any]) -> Iterator[Point]:
    for row in rows:
        if isinstance(row, dict) and (place := _e7(row)) is not None:
            yield _time(row), *place, number_of(row.get("accuracy"))


def _of_segments(segments: list[Any]) -> Iterator[Point]:
    for segment in segments:
        if isinstance(segment, dict):
            yield from _of_segment(segment)


def _of_segment(segment: dict[str, Any]) -> Iterator[Point]:
    """Points of one segment: a path, a visit or an activity, as Android, iOS and the old monthly files hold them."""
    start, end = seconds_of(segment.get("startTime")), seconds_of(segment.get("endTime"))
    for each in _list(segment.get("timelinePath")):
        if not isinstance(each, dict) or (place := _geo(each.get("point"))) is None:
            continue
        later = each.get("durationMinutesOffsetFromStartTime")
        yield seconds_of(each.get("time")) if later is None else start + 60.0 * number_of(later), *place, UNKNOWN
    visit, activity = segment.get("visit"), segment.get("activity")
    if isinstance(visit, dict):
        top = visit.get("topCandidate")
        place = _geo(top.get("placeLocation")) if isinstance(top, dict) else None
        if place is not None:
            yield start, *place, UNKNOWN
            yield end, *place, UNKNOWN
    if isinstance(activity, dict):
        for when, key in ((start, "start"), (end, "end")):
            if (place := _geo(activity.get(key))) is not None:
                yield when, *place, UNKNOWN
    for name in ("placeVisit", "activitySegment"):
        old = segment.get(name)
        if isinstance(old, dict):
            yield from _of_old(old)


def _of_old(old: dict[str, Any]) -> Iterator[Point]:
    span = old.get("duration")
    if isinstance(span, dict):
        for side, key in (("start", "startLocation"), ("end", "endLocation")):
            place = old.get(key, old.get("location"))
            if isinstance(place, dict) and (at := _e7(place)) is not None:
                yield _time(span, f"{side}Timestamp"), *at, UNKNOWN
    path = old.get("simplifiedRawPath")
    for each in _list(path.get("points")) if isinstance(path, dict) else []:
        if isinstance(each, dict) and (at := _e7(each)) is not None:
            yield _time(each), *at, number_of(each.get("accuracyMeters"))


def _of_signals(signals: list[Any]) -> Iterator[Point]:
    for signal in signals:
        at = signal.get("position") if isinstance(signal, dict) else None
        if isinstance(at, dict) and (place := _geo(at)) is not None:
            yield _time(at), *place, number_of(at.get("accuracyMeters"))


def _time(row: dict[str, Any], key: str = "timestamp") -> float:
    return seconds_of(row[key]) if key in row else number_of(row.get(f"{key}Ms")) / 1000.0


def _geo(value: Any) -> tuple[float, float] | None:
    """A place as Google writes it: "48.1°, 11.5°", "geo:48.1,11.5", or one of these below latLng or LatLng."""
    text = value.get("latLng", value.get("LatLng")) if isinstance(value, dict) else value
    found = _GEO.fullmatch(text.strip()) if isinstance(text, str) else None
    return None if found is None else (float(found[1]), float(found[2]))


def _e7(row: dict[str, Any]) -> tuple[float, float] | None:
    """A place in ten millionths of a degree; some exports of 2018 and after hold negative ones without their sign."""
    for lat_key, lon_key in (("latitudeE7", "longitudeE7"), ("latE7", "lngE7")):
        if lat_key in row and lon_key in row:
            lat, lon = number_of(row[lat_key]), number_of(row[lon_key])
            lat = lat - _WRAP if lat >= _WRAP - 900_000_000 else lat
            lon = lon - _WRAP if lon >= _WRAP - 1_800_000_000 else lon
            return lat / 1e7, lon / 1e7
    return None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

"""Albums made on the spot: photos with a time, a camera, a text and a position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geoagent import GeoAgent
from geoagent.agent.albums import Album, AlbumPhoto, AlbumSettings
from geoagent.evidence.tracks import Track
from geoagent.places.geo import LatLon
from geoagent.types import Capture, Device

PHONE, CAMERA = Device("Google", "Pixel 7"), Device("Canon", "Canon EOS 80D", "0123")
START = datetime(2023, 7, 4, 8, 0, tzinfo=UTC)
LYON, PARIS, BERLIN = LatLon(45.7640, 4.8357), LatLon(48.8566, 2.3522), LatLon(52.5200, 13.4050)
SIGN = ("Boulangerie", "69002 LYON", "Tél. 04 78 37 00 00")


def photo(
    agent: GeoAgent,
    key: str,
    minutes: float,
    at: LatLon | None = None,
    lines: Sequence[str] = (),
    device: Device = PHONE,
    *,
    ahead_h: float = 2.0,
    zone: bool = True,
    **capture: object,
) -> AlbumPhoto:
    """One photo, `minutes` after the start.

    Args:
        agent: what understands the text.
        key: its name.
        minutes: after 8:00 UTC.
        at: position in its file.
        lines: its text.
        device: what took it.
        ahead_h: how far the clock is ahead of UTC.
        zone: whether the file tells that.
        capture: further fields of its capture.
    """
    utc = START + timedelta(minutes=minutes)
    fields: dict[str, object] = {
        "clock": utc.replace(tzinfo=None) + timedelta(hours=ahead_h),
        "utc": utc if zone else None,
        "source": "exif",
        "error_s": 0.5,
        "device": device,
        "position": at,
        "form": "photo",
    }
    observed = replace(agent.observe_text(lines), source=key)
    return AlbumPhoto(observed, Capture(**{**fields, **capture}))  # type: ignore[arg-type]


def album(agent: GeoAgent, photos: Sequence[AlbumPhoto], tracks: Sequence[Track] = (), **settings: object) -> Album:
    """An album of these photos."""
    return Album(photos, agent.assets, agent.fusion, tracks, AlbumSettings(**settings))  # type: ignore[arg-type]


def moved(place: LatLon, north_km: float = 0.0, east_km: float = 0.0) -> LatLon:
    """A place so many kilometres off; for small distances."""
    from math import cos, radians

    return LatLon(place.lat + north_km / 111.2, place.lon + east_km / (111.2 * cos(radians(place.lat))))

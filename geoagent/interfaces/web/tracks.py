"""Tracks that were sent with an album: what was read, and the lines that the page draws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from geoagent.agent.album_clocks import rough_hours
from geoagent.evidence.tracks import Track
from geoagent.interfaces.render._track import DAY_S, track_lines
from geoagent.interfaces.web.schemas import TrackLines, TrackRead
from geoagent.types import Capture


def track_read(id: str, track: Track) -> TrackRead:
    """What was read of a track."""
    return TrackRead(
        id=id,
        name=track.source,
        points=len(track),
        begin=_iso(track.utc_s[0]),
        end=_iso(track.utc_s[-1]),
        notes=list(track.notes),
    )


def lines_of(tracks: Sequence[Track], captures: Sequence[Capture]) -> list[TrackLines]:
    """The part of each track around the photos; all of it where no photo has a time."""
    seconds = 3600.0 * np.array([rough_hours(capture) for capture in captures])
    timed = seconds[~np.isnan(seconds)]
    between = (float(timed.min()) - DAY_S, float(timed.max()) + DAY_S) if len(timed) else None
    return [TrackLines(name=track.source, lines=track_lines(track, between)) for track in tracks]


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

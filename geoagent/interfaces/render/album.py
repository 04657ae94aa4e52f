"""A photo as a part of its album, in words: when it was taken, what is known of the clock, and its witnesses."""

from __future__ import annotations

from geoagent.album.constraint import elapsed
from geoagent.answer import AlbumReport, AlbumWitness
from geoagent.interfaces.render import percent_text, shown

_SOURCES = {
    "gps": "by its GPS stamp",
    "exif": "by its EXIF data",
    "xmp": "by its XMP data",
    "sidecar": "by Google's sidecar",
    "name": "by its name",
}
_RESTS = {"position": "has a position in", "track": "was in", "text or picture": "points to"}
_OTHERS = "other photos of the album"
_TOLD = (0.1, 0.5)
"""Probabilities of a wrong position that are worth a sentence; above, a warning says so."""


def when_text(taken: str, utc: str | None = None) -> str:
    """Return a time as people read it: "2023-07-04 08:12 UTC"; without UTC, what the camera's clock showed.

    Args:
        taken: ISO 8601; in UTC if it ends in Z.
        utc: the same instant in UTC where the camera's clock is put right; then both are told.
    """
    day, _, time = shown(taken).partition("T")
    if time.endswith("Z"):
        return f"{day} {time[:5]} UTC"
    if utc and shown(utc) != f"{day}T{time}Z":
        right, _, hour = shown(utc).partition("T")
        showed = time[:5] if right == day else f"{day} {time[:5]}"
        return f"{right} {hour[:5]} UTC ({showed} by the camera's clock)"
    return f"{day} {time[:5]} by the camera's clock"


def album_text(report: AlbumReport | None) -> list[str]:
    """Return what an album tells of a photo besides its cue, in sentences; none outside albums or under a cap."""
    if report is None:
        return []
    told = []
    if report.taken:
        by = f", {_SOURCES[report.taken_from]}" if report.taken_from in _SOURCES else ""
        device = f", with {shown(report.device)}" if report.device else ""
        told.append(f"Taken {when_text(report.taken, report.utc)}{by}{device}.")
    if report.why_not:
        told.append(f"It takes no part in the album: {shown(report.why_not)}.")
    if report.clock:
        told.append(_sentence(report.clock))
    if report.wrong_position is not None and _TOLD[0] <= report.wrong_position <= _TOLD[1]:
        told.append(f"The position in its file is wrong with a probability of {percent_text(report.wrong_position)}.")
    return told


def album_words(report: AlbumReport | None) -> str:
    """Return what the album's evidence rests on: "other photos of the album", "the track", or both."""
    tracks = [witness.rests_on == "track" for witness in report.witnesses] if report is not None else []
    if not any(tracks):
        return _OTHERS
    return "the track" if all(tracks) else f"{_OTHERS} and the track"


def witness_text(witness: AlbumWitness) -> str:
    """Return one witness: "b.jpg (Google Pixel 7), 38 minutes after it, has a position in Lyon, FR"."""
    name = shown(witness.source)
    if witness.rests_on == "track":
        name = f"the track {name.removeprefix('track:').rpartition(':')[0] or name}"
    device = f" ({shown(witness.device)})" if witness.device else ""
    side = "before" if witness.minutes < 0 else "after"
    when = f", {elapsed(witness.minutes / 60)} {side} it," if witness.minutes else ""
    return f"{name}{device}{when} {_RESTS[witness.rests_on]} {shown(witness.place or 'a place far from any town')}"


def _sentence(text: str) -> str:
    text = shown(text).rstrip(".")
    return f"{text[:1].upper()}{text[1:]}."

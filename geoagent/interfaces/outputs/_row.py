"""An answer as one flat row, for every table of answers."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geoagent.answer import Answer
from geoagent.interfaces.render.album import album_words, witness_text

MOST_COUNTRIES, LEAST_SHARE = 5, 0.0005


@dataclass(frozen=True, slots=True)
class Row:
    """One flat answer. Withheld or unknown values are None.

    Attributes:
        source: the photo, as it was named.
        id: the row's id, for texts that came without a photo.
        status: "ok", "partial" or "error".
        error: why there is no answer.
        lat: degrees, WGS 84; None unless the answer names a place inside a country.
        lon: degrees, WGS 84.
        place: nearest place that matters, or the admin-1 unit, or the country.
        landmark: whether the place is a landmark, not a town.
        admin1: name of the admin-1 unit.
        country: ISO 3166-1 alpha-2.
        precision: finest level that the evidence supports: none, country, region, city or full.
        radius_50_km: radius around the position that holds half of the probability.
        radius_90_km: radius that holds 90 % of it.
        confidence: probability of the likeliest country.
        countries: likeliest countries with their probabilities, descending.
        cues: what spoke for the place, as "phone +49 711".
        explanation: the same in words.
        basis: what the place was estimated from, as "the picture and its text".
        warnings: what was lost or odd.
        exif_lat: what the file says about itself, where the answer discloses it; never evidence.
        exif_lon: degrees.
        exif_place: town and country of that.
        exif_distance_km: how far the answer is from that; None where it has no position.
        taken: when the photo was taken, ISO 8601, of photos located in an album; in UTC if it ends in Z.
        utc: the instant by which photos of an album are ordered, ISO 8601 in UTC, its camera's clock put right.
        taken_from: what tells that: gps, exif, xmp, sidecar or name.
        device: what took it, of photos located in an album.
        witnesses: photos next to it in time that the album's evidence rests on, each in words.
        wrong_position: probability that the position in its file is of another place, by the album.
        world: name of the world that answered.
        world_fingerprint: its geocells.
        version: version of geoagent that answered.
    """

    source: str
    id: str | None = None
    status: str = "ok"
    error: str | None = None
    lat: float | None = None
    lon: float | None = None
    place: str | None = None
    landmark: bool = False
    admin1: str | None = None
    country: str | None = None
    precision: str | None = None
    radius_50_km: float | None = None
    radius_90_km: float | None = None
    confidence: float | None = None
    countries: tuple[tuple[str, float], ...] = ()
    cues: tuple[str, ...] = ()
    explanation: str | None = None
    basis: str = "the photo"
    warnings: tuple[str, ...] = ()
    exif_lat: float | None = None
    exif_lon: float | None = None
    exif_place: str | None = None
    exif_distance_km: float | None = None
    taken: str | None = None
    utc: str | None = None
    taken_from: str | None = None
    device: str | None = None
    witnesses: tuple[str, ...] = ()
    wrong_position: float | None = None
    world: str | None = None
    world_fingerprint: str | None = None
    version: str | None = None


def row_of(answer: Answer) -> Row:
    """Flatten an answer.

    An answer of precision "none" names no place: its row has no position, names or radii, only the countries with
    their probabilities. One of precision "country" has a name and neither position nor radii: any would be an arbitrary
    pin in that country.
    """
    best = answer.best if answer.best is not None and answer.best.precision != "none" else None
    lat, lon = (None, None) if best is None else (_number(best.lat), _number(best.lon))
    placed = lat is not None and lon is not None and abs(lat) <= 90 and abs(lon) <= 180
    placed = placed and best is not None and best.precision != "country"
    gps, album = answer.exif_gps, answer.album
    return Row(
        source=plain(answer.source),
        id=_text(answer.id),
        status=answer.status,
        error=_text(answer.error),
        lat=lat if placed else None,
        lon=lon if placed else None,
        place=None if best is None else _text(best.place),
        landmark=best is not None and _is_landmark(answer, best.place),
        admin1=None if best is None else _text(best.admin1),
        country=None if best is None else _text(best.country),
        precision=None if answer.best is None else answer.best.precision,
        radius_50_km=_number(answer.radius_50_km) if placed else None,
        radius_90_km=_number(answer.radius_90_km) if placed else None,
        confidence=_number(answer.confidence),
        countries=tuple(
            (plain(share.code), round(share.p, 4))
            for share in answer.countries[:MOST_COUNTRIES]
            if share.p >= LEAST_SHARE
        ),
        cues=tuple(plain(f"{cue.kind} {cue.value}") for cue in answer.cues),
        explanation=_text(answer.explanation),
        basis=_basis(answer),
        warnings=tuple(map(plain, answer.warnings)),
        exif_lat=None if gps is None else _number(gps.lat),
        exif_lon=None if gps is None else _number(gps.lon),
        exif_place=None if gps is None else _text(gps.place),
        exif_distance_km=None if gps is None or not placed else _number(gps.distance_km),
        taken=None if album is None else _text(album.taken),
        utc=None if album is None else _text(album.utc),
        taken_from=None if album is None else album.taken_from,
        device=None if album is None else _text(album.device),
        witnesses=() if album is None else tuple(plain(witness_text(each)) for each in album.witnesses),
        wrong_position=None if album is None else _number(album.wrong_position),
        world=_text(answer.world.get("name")),
        world_fingerprint=_text(answer.world.get("fingerprint")),
        version=_text(answer.versions.get("geoagent")),
    )


def in_order(rows: Iterable[Row]) -> list[Row]:
    """Rows by the time they were taken, where all that name a place tell it; as they are otherwise."""
    found = list(rows)
    if not all(row.taken for row in found if row.lat is not None) or not any(row.taken for row in found):
        return found
    return sorted(found, key=_instant)


def _instant(row: Row) -> float:
    """Seconds since 1970; without a zone as the clock shows them, without a time after all others."""
    try:
        when = datetime.fromisoformat(row.utc or row.taken or "")
    except ValueError:
        return math.inf
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _is_landmark(answer: Answer, place: str | None) -> bool:
    """Whether a place is named as a landmark by the text, and as a town by none of it."""
    named = {cue.kind for cue in answer.cues if any(place and each.name == place for each in cue.places)}
    return "landmark" in named and "name" not in named


def _basis(answer: Answer) -> str:
    sources = {cue.source for cue in answer.cues}
    read, told, looked = sources - {"llm-picture", "user", "album"}, "user" in sources, answer.looked
    if looked is None:  # older answers record it only in a warning
        looked = not any("not judged" in warning for warning in answer.warnings)
    if looked or "llm-picture" in sources:
        seen = "the picture and its text" if read else "the picture"
    else:
        seen = "the text in the picture" if read else "" if "album" in sources else "where photos are usually taken"
    if "album" in sources:
        others = album_words(answer.album)
        seen = f"{seen} and {others}" if seen else others
    return f"{seen} and what the user said" if told else seen


def plain(text: str) -> str:
    """Replace characters that UTF-8 or XML cannot represent: lone surrogates, control characters, U+FFFE and U+FFFF."""
    return "".join(c if _allowed(ord(c)) else "\ufffd" for c in text)


def _allowed(code: int) -> bool:
    """Whether XML 1.0 allows the character (its production 2, `Char`)."""
    return code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or code >= 0x10000


def _text(value: Any) -> str | None:
    return plain(str(value)) or None if value is not None else None


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)

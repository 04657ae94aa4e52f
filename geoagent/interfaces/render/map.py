"""A self-contained HTML file that shows an answer on a map, without network requests.

The page is made of `map.html`, `map.css` and `SCRIPTS`, all in this folder.
Strings of the answer are untrusted: they travel as JSON in a data block with every sign escaped that could end it, and
the page puts them on screen as text only. A Content-Security-Policy names the one script and the one style by their
hashes and lets the page load nothing but map tiles, which it does not do until the reader presses the button.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from geoagent.agent.disclosure import NOWHERE
from geoagent.album.constraint import elapsed
from geoagent.answer import AlbumReport, Answer, Best, CueReport, Prediction
from geoagent.errors import InputError
from geoagent.evidence.cues.language_names import language_name, script_name
from geoagent.evidence.tracks import Track
from geoagent.interfaces.render import (
    PRECISION_SAYS,
    alone_text,
    beside_text,
    blank_text,
    both_text,
    coordinates_text,
    cue_colours,
    exif_distance_km,
    halves,
    is_blank,
    is_vague,
    km_text,
    nats_text,
    notes_text,
    percent_text,
    place_text,
    region_numbers,
    shown,
    title_text,
    value_text,
)
from geoagent.interfaces.render._page import PHOTO_BYTES, asset, fill, policy, small_photo
from geoagent.interfaces.render._rings import GRID, Rings, cell_rings, country_rings
from geoagent.interfaces.render._track import DAY_S, Line, track_lines
from geoagent.interfaces.render.album import album_text, when_text
from geoagent.types import Photo

SCRIPTS = ("geometry.js", "map.js", "tiles.js", "dom.js", "trip.js", "parts.js", "panel.js")
"""The map, making nodes, an album's trip, sections of the text, the text as a whole; `geoagent web` shares most."""
ALBUM_BYTES, MOST_BYTES_EACH = 12_000_000, 40_000
"""Rough size of all photos on the map of an album, and of each."""
TILE_HOST = "https://tile.openstreetmap.org"
RESTS_ON = {"position": "its position", "track": "the track", "text or picture": "what it shows"}
"""What tells the place of a witness, in words."""


def map_html(
    answer: Answer | Sequence[Answer],
    *,
    outlines: Mapping[str, Any],
    cells: Sequence[tuple[Rings, float]] | None = None,
    photo: Photo | Sequence[Photo | None] | None = None,
    tracks: Sequence[Track] = (),
) -> str:
    """Return one self-contained HTML page for one answer or several.

    Args:
        answer: the answer, or several that share one map; an error answer is shown as such.
        outlines: GeoJSON FeatureCollection of countries, lon/lat, each feature with the property `country` (ISO code);
            a top-level string `attribution` is shown as the source of the borders.
        cells: what the answer believes of each cell, `(polygon rings lon/lat, probability)`; only with one answer.
        tracks: where somebody was; the part around the times of an album's photos is drawn.
        photo: the photo, or as many as there are answers; embedded small and without metadata. None leaves it out.

    Raises:
        InputError: no answer, several answers with `cells`, as many photos as there are not answers, or outlines that
            are no FeatureCollection.
    """
    answers = [answer] if isinstance(answer, Answer) else list(answer)
    photos = [photo] if photo is None or isinstance(photo, Photo) else list(photo)
    if not answers:
        raise InputError("map_html needs at least one answer, got none")
    if photo is None:
        photos = [None] * len(answers)
    if len(photos) != len(answers):
        raise InputError(
            f"got {len(answers)} answers and {len(photos)} photos; give one photo, or None, for each answer"
        )
    if cells is not None and len(answers) > 1:
        raise InputError(f"cells belong to one answer, got {len(answers)}; leave cells out of a map of several")
    budget = max(PHOTO_BYTES // len(answers), min(MOST_BYTES_EACH, ALBUM_BYTES // len(answers)))
    data = {
        "tiles": TILE_HOST,
        "grid": GRID,
        "attribution": str(outlines.get("attribution") or ""),
        "countries": country_rings(outlines),
        "tracks": _lines(tracks, answers),
        "cells": cell_rings(cells or ()),
        "answers": [
            _view(a, None if p is None else small_photo(p, budget)) for a, p in zip(answers, photos, strict=True)
        ],
    }
    return _page(answers, json.dumps(_clean(data), ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _lines(tracks: Sequence[Track], answers: Sequence[Answer]) -> list[Line]:
    """Lines of tracks from a day before the first photo to a day after the last."""
    albums = [answer.album for answer in answers if answer.album is not None]
    seconds = [_seconds(when) for album in albums if (when := album.utc or album.taken)]
    between = (min(seconds) - DAY_S, max(seconds) + DAY_S) if seconds else None
    return [line for track in tracks for line in track_lines(track, between) if len(line) > 1]


def _seconds(taken: str) -> float:
    """Seconds since 1970 of a time; one without a zone is taken for UTC, since a day more or less is drawn anyway."""
    when = datetime.fromisoformat(taken)
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _page(answers: Sequence[Answer], data: str) -> str:
    style, script = asset("map.css"), "".join(map(asset, SCRIPTS))
    title = f"{title_text(answers[0])} – geoagent" if len(answers) == 1 else f"{len(answers)} photos – geoagent"
    lines = [f"{shown(a.source)}: {shown(a.error) if a.error else title_text(a)}" for a in answers[:50]]
    values = {
        "csp": policy(style, script, images=f"data: {TILE_HOST}"),
        "title": html.escape(title),
        "style": style,
        "script": script,
        "noscript": html.escape("This page draws its map with JavaScript. " + "; ".join(lines)),
        "data": _escape(data),
    }
    return fill(asset("map.html"), values)


def _escape(data: str) -> str:
    """Write JSON so that no HTML parser can see an end of the data block, or anything else, in it."""
    for sign in "<>&\u2028\u2029":
        data = data.replace(sign, f"\\u{ord(sign):04x}")
    return data


def _clean(value: Any) -> Any:
    """Strings fit to be shown, numbers that JSON has; everything else becomes a string."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, Mapping):
        return {shown(str(key)): _clean(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int) else shown(str(value))


def _best(
    best: Best | None, radius_50: float | None, radius_90: float | None, p: float | None, *, answers: bool = False
) -> dict[str, Any]:
    """What is shown of a place; `answers` if it is the answer, and not one to compare it with."""
    if best is not None and best.precision == "none":  # older answers tell a place even so
        best = NOWHERE
    lat, lon = (best.lat, best.lon) if best is not None else (None, None)
    if answers and best is not None and best.precision == "country":
        lat = lon = None  # a point would be that of its capital, or of most people: nobody said that
    if lat is None:  # a withheld place also withholds the distance to it
        radius_50 = radius_90 = None
    return {
        "lat": lat,
        "lon": lon,
        "place": place_text(best, country=False) if best is not None and (best.place or best.admin1) else "",
        "country": None if best is None else best.country,
        "coordinates": coordinates_text(lat, lon, radius_50),
        "precision": "none" if best is None else best.precision,
        "precisionSays": "" if best is None else PRECISION_SAYS[best.precision],
        "r50": radius_50,
        "r90": radius_90,
        "r50Text": km_text(radius_50),
        "r90Text": km_text(radius_90),
        "p": percent_text(p),
    }


def _prediction(prediction: Prediction | None) -> dict[str, Any] | None:
    if prediction is None:
        return None
    best = _best(prediction.best, prediction.radius_50_km, prediction.radius_90_km, prediction.confidence)
    return {**best, "countries": [[share.code, share.p] for share in prediction.countries[:60]]}


def _told(report: AlbumReport) -> dict[str, Any]:
    """The photos beside it in its album, and what is doubtful."""
    return {
        "doubts": list(report.doubts),
        "witnesses": [
            {
                "source": _track_name(witness.source) if witness.rests_on == "track" else witness.source,
                "track": witness.rests_on == "track",
                "when": f"{elapsed(witness.minutes / 60)} {'before' if witness.minutes < 0 else 'after'}",
                "place": witness.place or "",
                "restsOn": RESTS_ON[witness.rests_on],
            }
            for witness in report.witnesses
        ],
    }


def _track_name(source: str) -> str:
    """The file of a point of a track, "track:walk.gpx:12"."""
    return source.removeprefix("track:").rpartition(":")[0] or source


def _favours(cue: CueReport) -> dict[str, str]:
    place = cue.favours or max(cue.places, key=lambda p: p.p, default=None)
    return {} if place is None else {"place": place.name or "", "country": place.code or ""}


def answer_view(answer: Answer) -> dict[str, Any]:
    """What a page shows of one answer: JSON values, numbers already written as words where a reader sees them."""
    view: dict[str, Any] = _clean(_view(answer, None))
    del view["photo"]
    return view


def _view(answer: Answer, photo: dict[str, Any] | None) -> dict[str, Any]:
    """What the page shows of one answer, numbers already written as words where a reader sees them."""
    numbers = region_numbers(answer)
    colours = cue_colours(answer.cues)
    named = answer.best is not None and answer.best.precision != "none"
    heaviest = sorted(answer.neighbours, key=lambda n: -n.weight)[:300] if named else []
    return {
        "id": answer.id,
        "source": answer.source,
        "taken": None if answer.album is None or not answer.album.part else answer.album.taken,
        "utc": None if answer.album is None else answer.album.utc,
        "part": None if answer.album is None else answer.album.part,
        "when": ""
        if answer.album is None or not answer.album.taken
        else when_text(answer.album.taken, answer.album.utc),
        "album": album_text(answer.album),
        "told": None if answer.album is None else _told(answer.album),
        "status": answer.status,
        "error": answer.error,
        "best": _best(answer.best, answer.radius_50_km, answer.radius_90_km, answer.confidence, answers=True),
        "vague": is_vague(answer),
        "unnamed": title_text(answer),
        "blank": blank_text(answer) if is_blank(answer) else "",
        "looked": answer.looked is not False,
        "countries": []
        if is_blank(answer)
        else [[share.code, share.p] for share in answer.countries[:60] if share.p > 0],
        "alone": alone_text(answer).capitalize(),
        "beside": beside_text(answer).capitalize(),
        "both": both_text(answer).capitalize(),
        "halves": [[name.capitalize(), _prediction(seen)] for name, seen in halves(answer)],
        "vision": _prediction(answer.vision_only) if halves(answer) else None,
        "text": _prediction(answer.text_only) if answer.looked is not False else None,
        "aware": _prediction(answer.text_aware),
        "alternatives": [
            {
                **alt.model_dump(include={"lat", "lon", "country"}),
                "place": ", ".join(dict.fromkeys(part for part in (alt.place, alt.admin1) if part)),
                "p": percent_text(alt.p),
            }
            for alt in answer.alternatives
        ],
        "cues": [
            {
                **cue.model_dump(include={"kind", "says", "nats", "source", "reliability"}),
                "value": value_text(cue),
                "regions": [r for r in cue.regions if 0 <= r < len(answer.regions)],
                "natsText": nats_text(cue.nats),
                "favours": _favours(cue),
                "without": _best(cue.without, None, None, None),
                "changes": place_text(cue.without) != place_text(answer.best),
                "colour": colour,
            }
            for cue, colour in zip(answer.cues, colours, strict=True)
        ],
        "regions": [
            {
                "text": region.text,
                "script": script_name(region.script or ""),
                "language": language_name(region.language or ""),
                "polygon": [[round(x, 1), round(y, 1)] for x, y in region.polygon_px],
                "confidence": percent_text(region.confidence),
                "cues": numbers.get(index, []),
            }
            for index, region in enumerate(answer.regions)
        ],
        "unread": [[[round(x, 1), round(y, 1)] for x, y in place.polygon_px] for place in answer.unread],
        "neighbours": [
            {
                **n.model_dump(include={"ref", "lat", "lon", "weight"}),
                "share": percent_text(n.weight),
                "similarity": None if n.similarity is None else f"{n.similarity:.2f}",
            }
            for n in heaviest
        ],
        "explanation": answer.explanation,
        "warnings": (matter := notes_text(answer, all_of_them=False)),
        "remarks": [note for note in notes_text(answer) if note not in matter],
        "exif": None
        if answer.exif_gps is None
        else {
            "lat": answer.exif_gps.lat,
            "lon": answer.exif_gps.lon,
            "name": answer.exif_gps.place or "",
            "coordinates": coordinates_text(answer.exif_gps.lat, answer.exif_gps.lon),
            "distance": "" if is_vague(answer) or (km := exif_distance_km(answer)) is None else km_text(km),
        },
        "partial": answer.exif_partial or "",
        "facts": [
            *([f"world {key}", str(v)] for key, v in answer.world.items() if isinstance(v, str | int | float)),
            *([key, value] for key, value in answer.versions.items()),
            *([f"time for {key}", f"{seconds:.2f} s"] for key, seconds in answer.timings_s.items()),
        ],
        "photo": photo,
    }

"""Changes by the text over many answers: how often, for which texts, and whether for better or worse."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geoagent.answer import Answer, Prediction
from geoagent.places.geo import LatLon
from geoagent.tables import ID, IMAGE, read_rows
from geoagent.worlds.evaluation.labels import Labels

SCHEMA = "geoagent.changes/1"
HALVES = ("vision_only", "text_only", "text_aware")
_IDS = ("id", "source", "file", "text_id", *ID, *IMAGE)


@dataclass(frozen=True, slots=True)
class Truth:
    """The true place of one photo.

    Attributes:
        country: ISO 3166-1 alpha-2.
        latlon: exact position, or None.
        kinds: labels of its text ("misleading", …).
    """

    country: str
    latlon: LatLon | None = None
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One stratum of many answers; the last six are None without truth, comparisons also where no picture was judged.

    Attributes:
        stratum: its name.
        answers: number of answers.
        changed_country: answers whose country the text changed.
        changed_place: answers of which it changed only the region or place.
        conflicts: answers where picture and text more likely come from two places.
        known: answers whose truth is known.
        better: answers whose country the text made right.
        worse: answers whose country it made wrong.
        vision_only: country accuracy, over those known.
        text_only: likewise.
        text_aware: likewise.
        nearer_km: median reduction in distance due to the text, over those with coordinates; negative if it grew.
    """

    stratum: str
    answers: int
    changed_country: int
    changed_place: int
    conflicts: int
    known: int = 0
    better: int | None = None
    worse: int | None = None
    vision_only: float | None = None
    text_only: float | None = None
    text_aware: float | None = None
    nearer_km: float | None = None


def read_truth(path: Path) -> dict[str, Truth]:
    """Read ground truth: a table or JSON Lines of id or file, and country or position, and optionally kinds.

    A country is a name or a code; one with a question mark is the labeller's guess, and is skipped. Where none is
    stated it is that of the position; on the open sea there is none, and the row is skipped. A row is known by each of
    its ids and files.

    Raises:
        InputError: the file cannot be read, lacks a column, has a row that cannot be understood, or two rows of one
            photo that differ; the message names the row.
    """
    found: dict[str, Truth] = {}
    labels = Labels()
    for row in read_rows(path):
        keys = [str(value) for name in _IDS if (value := row.get((name,))) is not None]
        if not keys:
            named = f"expected one of {', '.join(_IDS[:4])}, and country or lat and lon"
            raise row.error(f"{named}; found {', '.join(row.values)}")
        country = labels.country_or_that_of_place(row)
        if country is None:
            continue
        kinds = row.get(("kinds",)) or ()
        listed = tuple(kinds.split() if isinstance(kinds, str) else map(str, kinds))
        truth = Truth(country, labels.place(row, country), listed)
        for key in dict.fromkeys(map(_plain, keys)):
            if found.setdefault(key, truth) != truth:
                raise row.error(f"{key!r} has another place in an earlier row")
    return found


def truth_of(id: str | None, source: str, known: Mapping[str, Truth]) -> Truth | None:
    """Look up the truth for a photo by id, source, or the end of its path."""
    parts = _plain(source).split("/")
    for key in (id, source, *("/".join(parts[i:]) for i in range(len(parts)))):
        if key is not None and key in known:
            return known[key]
    return None


def _plain(key: str) -> str:
    return key.strip().replace("\\", "/").removeprefix("./")


def changes(answers: Iterable[Answer], known: Mapping[str, Truth] | None = None) -> list[Row]:
    """Count by stratum: all answers, with and without evidence in the text, by script, by kind of cue, misleading."""
    groups: dict[str, list[tuple[Answer, Truth | None]]] = defaultdict(list)
    for answer in answers:
        if answer.status == "error" or answer.text_aware is None:
            continue
        truth = truth_of(answer.id, answer.source, known or {})
        for stratum in _strata(answer, truth):
            groups[stratum].append((answer, truth))
    first = ("all", "evidence in the text", "no evidence in the text", "conflict", "misleading text")
    order = sorted(groups, key=lambda name: (first.index(name) if name in first else len(first), name))
    return [_row(stratum, groups[stratum]) for stratum in order]


def to_dict(rows: Iterable[Row]) -> dict[str, Any]:
    """Return a JSON-serialisable dict."""
    return {"schema": SCHEMA, "strata": [asdict(row) for row in rows]}


def _strata(answer: Answer, truth: Truth | None) -> list[str]:
    found = ["all", "evidence in the text" if answer.cues else "no evidence in the text"]
    found += [f"script {s}" for s in sorted({r.script for r in answer.regions} - {"", "Zyyy"})]
    found += [f"cue {kind}" for kind in sorted({cue.kind for cue in answer.cues})]
    if answer.comparison is not None and answer.comparison.conflict:
        found.append("conflict")
    return [*found, "misleading text"] if truth is not None and "misleading" in truth.kinds else found


def _row(stratum: str, rows: list[tuple[Answer, Truth | None]]) -> Row:
    kinds = [changed(answer) for answer, _ in rows]
    conflicts = sum(a.comparison is not None and a.comparison.conflict for a, _ in rows)
    counted = Row(
        stratum,
        len(rows),
        kinds.count("country"),
        len(kinds) - kinds.count("country") - kinds.count("nothing"),
        conflicts,
    )
    known = [(answer, truth) for answer, truth in rows if truth is not None]
    if not known:
        return counted
    right = {half: [country_of(getattr(a, half)) == t.country for a, t in known] for half in HALVES}
    judged = [a.looked is not False for a, _ in known]
    before, after = (
        [r for r, j in zip(right[half], judged, strict=True) if j] for half in ("vision_only", "text_aware")
    )
    nearer = [
        near
        for answer, truth in known
        if truth.latlon is not None and (near := _nearer(answer, truth.latlon)) is not None
    ]
    return Row(
        counted.stratum,
        counted.answers,
        counted.changed_country,
        counted.changed_place,
        counted.conflicts,
        known=len(known),
        better=sum(a and not b for b, a in zip(before, after, strict=True)) if before else None,
        worse=sum(b and not a for b, a in zip(before, after, strict=True)) if before else None,
        vision_only=round(sum(before) / len(before), 4) if before else None,
        text_only=round(sum(right["text_only"]) / len(known), 4),
        text_aware=round(sum(right["text_aware"]) / len(known), 4),
        nearer_km=round(statistics.median(nearer), 1) if nearer else None,
    )


def changed(answer: Answer) -> str:
    """The coarsest level that the text changed, by the likeliest countries; without a comparison, only of them."""
    if answer.looked is False:
        return "nothing"  # without its text nothing is known of the photo
    if country_of(answer.vision_only) != country_of(answer.text_aware):
        return "country"
    told = "nothing" if answer.comparison is None else answer.comparison.changed
    return "place" if told == "country" else told  # a place is named now, or no longer, in the same country


def country_of(prediction: Prediction | None) -> str | None:
    """The country that a prediction names, or its most probable one."""
    if prediction is None:
        return None
    return prediction.best.country or (prediction.countries[0].code if prediction.countries else None)


def _nearer(answer: Answer, truth: LatLon) -> float | None:
    if answer.looked is False:
        return None
    places = []
    for prediction in (answer.vision_only, answer.text_aware):
        best = None if prediction is None else prediction.best
        if best is None or best.lat is None or best.lon is None:
            return None
        places.append(truth.distance_km(LatLon(best.lat, best.lon)))
    return places[0] - places[1]

"""Changes by the text over many answers: how often, for which texts, and whether for better or worse."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
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
    """One stratum of many answers; what rests on truth is 0 or None without it, comparisons also without a picture.

    An answer that names no place is neither right nor wrong.

    Attributes:
        stratum: its name.
        answers: number of answers.
        changed_country: answers whose country the text changed.
        changed_place: answers of which it changed only the region or place.
        conflicts: answers where picture and text more likely come from two places.
        judged: answers whose picture was judged.
        known: answers whose truth is known.
        named: those of them that name a country, by picture and text.
        right: those of them that name the right one.
        better: answers whose country the text made right.
        worse: answers whose country it made wrong.
        vision_only: share of the countries named from the picture alone that are right; None where it names none.
        text_only: likewise from the text alone.
        text_aware: likewise from both.
        nearer_km: median reduction in distance due to the text, over those with coordinates; negative if it grew.
        placed: answers with a position whose true one is known too; an answer that names no more than a country has
            none.
        median_km: median of their distances.
        within_25_km: how many are as near.
        within_200_km: likewise.
        within_750_km: likewise.
    """

    stratum: str
    answers: int
    changed_country: int
    changed_place: int
    conflicts: int
    judged: int = 0
    known: int = 0
    named: int = 0
    right: int = 0
    better: int | None = None
    worse: int | None = None
    vision_only: float | None = None
    text_only: float | None = None
    text_aware: float | None = None
    nearer_km: float | None = None
    placed: int = 0
    median_km: float | None = None
    within_25_km: int = 0
    within_200_km: int = 0
    within_750_km: int = 0


def read_truth(path: Path, notes: list[str] | None = None) -> dict[str, Truth]:
    """Read ground truth: a table or JSON Lines of id or file, and country or position, and optionally kinds.

    A country is a name or a code; one with a question mark is the labeller's guess, and is skipped. Where none is
    stated it is that of the position. A position on the open sea that is in a country with latitude and longitude
    swapped is taken so; another one tells no country, and its row is skipped. A row is known by each of its ids and
    files.

    Args:
        path: the file.
        notes: takes a line for each row that was corrected or skipped for its position.

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
        swapped = None
        if country is None:
            swapped, says = labels.swapped(row)
            if says and notes is not None:
                notes.append(str(row.error(says)))
            if swapped is None:
                continue
            country = swapped[0]
        kinds = row.get(("kinds",)) or ()
        listed = tuple(kinds.split() if isinstance(kinds, str) else map(str, kinds))
        place = labels.place(row, country) if swapped is None else swapped[1]
        truth = Truth(country, place, listed)
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
        judged=sum(answer.looked is not False for answer, _ in rows),
    )
    known = [(answer, truth) for answer, truth in rows if truth is not None]
    if not known:
        return counted
    named = {half: [_named(getattr(a, half)) for a, _ in known] for half in HALVES}
    right = {
        half: [code == truth.country for code, (_, truth) in zip(named[half], known, strict=True)] for half in HALVES
    }
    judged = [i for i, (answer, _) in enumerate(known) if answer.looked is not False]
    before, after = right["vision_only"], right["text_aware"]
    wrong = [code is not None and not fits for code, fits in zip(named["text_aware"], after, strict=True)]
    unwrong = [code is None or fits for code, fits in zip(named["vision_only"], before, strict=True)]
    nearer = [near for a, t in known if t.latlon is not None and (near := _nearer(a, t.latlon)) is not None]
    far = [km for a, t in known if t.latlon is not None and (km := _away_km(a.text_aware, t.latlon)) is not None]
    shares = {half: _share(right[half], named[half]) for half in HALVES}
    return replace(
        counted,
        known=len(known),
        named=sum(code is not None for code in named["text_aware"]),
        right=sum(after),
        better=sum(after[i] and not before[i] for i in judged) if judged else None,
        worse=sum(wrong[i] and unwrong[i] for i in judged) if judged else None,
        vision_only=shares["vision_only"] if judged else None,
        text_only=shares["text_only"],
        text_aware=shares["text_aware"],
        nearer_km=round(statistics.median(nearer), 1) if nearer else None,
        placed=len(far),
        median_km=round(statistics.median(far), 1) if far else None,
        within_25_km=sum(km <= 25 for km in far),
        within_200_km=sum(km <= 200 for km in far),
        within_750_km=sum(km <= 750 for km in far),
    )


def _share(right: Sequence[bool], named: Sequence[str | None]) -> float | None:
    """Share of those named that are right."""
    count = sum(code is not None for code in named)
    return round(sum(right) / count, 4) if count else None


def _named(prediction: Prediction | None) -> str | None:
    """The country that a prediction names; None where it names no place."""
    best = None if prediction is None else prediction.best
    return best.country if best is not None and best.precision != "none" else None


def _away_km(prediction: Prediction | None, truth: LatLon) -> float | None:
    """Distance of a prediction from the truth; None where it has no position but that of a country."""
    best = None if prediction is None else prediction.best
    if best is None or best.precision in ("none", "country") or best.lat is None or best.lon is None:
        return None
    return truth.distance_km(LatLon(best.lat, best.lon))


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
    before, after = _away_km(answer.vision_only, truth), _away_km(answer.text_aware, truth)
    return None if before is None or after is None else before - after

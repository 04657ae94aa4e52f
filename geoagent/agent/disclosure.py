"""Disclosure: how much of an answer is given, by a cap, by the level that is probable enough, or by abstaining."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from geoagent.agent.claims import Claim
from geoagent.answer import AlbumReport, Answer, Best, CuePlace, CueReport, Prediction
from geoagent.belief.explanation import SEEN_NOTHING, nothing_found, sure_of, unnamed
from geoagent.belief.radii import spread_quantiles
from geoagent.config import OPEN, Config
from geoagent.errors import InputError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import LatLon, haversine_km
from geoagent.types import PRECISIONS, Constraint, Place, Precision

HIDDEN = "hidden by max_precision"
_HARMLESS = frozenset({"script", "language", "currency", "within"})
"""Kinds of cue whose wording names no place below a country."""
_CITY_AT_MOST = _HARMLESS | {"name", "plate", "brand", "habit", "regional", "signword"}
"""Kinds of cue that say no more than which city."""
_LEVELS = {"country": "country", "admin1": "region", "city": "city"}
_RINGS_KM = (5.0, 25.0, 100.0, 500.0, math.inf)
"""Step in which the distance between a photo and its city is disclosed."""
_NEARLY_ALL = 0.98  # share of an area's population within its disclosed radius
_LEAST_KM = 25.0  # least disclosed radius of a country or region
NOWHERE = Best(lat=None, lon=None, place=None, precision="none")
"""What an answer holds that names no place."""
_RANK: dict[str, int] = {"none": -1, **{str(name): i for i, name in enumerate(PRECISIONS)}}


def release(answer: Answer, config: Config, gazetteer: Gazetteer) -> Answer:
    """Return the answer as a configuration allows it: in full, or no finer than a cap."""
    return (
        answer
        if config.max_precision == "auto"
        else disclose(answer, config.max_precision, gazetteer, asked=config.least_confidence)
    )


def at_its_level(best: Best, gazetteer: Gazetteer) -> tuple[Best, float]:
    """Return a place at its own level, and how far its position moved in km.

    The position becomes the one that stands for the country, the admin-1 unit or the city; radii around it that grow by
    how far it moved hold as much as before.
    """
    if best.precision == "none" or best.precision == "full" or best.lat is None or best.lon is None:
        return best, 0.0
    found = _Hider(best.precision, gazetteer).best(best)
    if found.lat is None or found.lon is None:
        return best, 0.0
    return found, LatLon(best.lat, best.lon).distance_km(LatLon(found.lat, found.lon))


def permitted(claims: Sequence[Claim], cap: Precision | Literal["auto"]) -> tuple[Claim, ...]:
    """Return the readings of a claim that are no finer than the cap; the verdict on a finer one would reveal too much.

    Raises:
        InputError: all are finer.
    """
    open_ones = tuple(claim for claim in claims if cap in OPEN or _RANK[claim.level] <= _RANK[cap])
    if not open_ones:
        claim = claims[0]
        level = {"country": "a country", "region": "a country or a region"}.get(cap, "a country, a region or a city")
        raise InputError(f"claim {claim.said!r}: answers are capped at {cap} precision; claim {level} by its name")
    return open_ones


def permit_said(constraints: Sequence[Constraint], cap: Precision | Literal["auto"]) -> None:
    """Refuse a statement about the place that is finer than the cap, since the change of the answer would reveal it.

    Raises:
        InputError: it is finer.
    """
    if cap in OPEN:
        return
    for constraint in constraints:
        if any(_RANK[_LEVELS[place.level]] > _RANK[cap] for place in constraint.places):
            raise InputError(
                f"{constraint.kind}: answers are capped at {cap} precision, and so is what is said of the place"
            )


def may_read(config: Config) -> None:
    """Refuse to disclose the text of a photo under a cap.

    Raises:
        InputError: they are.
    """
    if config.capped:
        raise InputError(f"answers are capped at {config.max_precision} precision: the text of photos is withheld")


def withheld(constraint: Constraint, cap: Precision | Literal["auto"]) -> bool:
    """Whether the wording of a constraint may reveal a finer place than the cap allows."""
    return cap not in OPEN and _tells(constraint.kind, [_LEVELS[place.level] for place in constraint.places], cap)


def hidden_says(kind: str) -> str:
    """The sentence for a cue whose wording is withheld."""
    return f"A {kind} ({HIDDEN})."


def _tells(kind: str, levels: Iterable[str], cap: str) -> bool:
    """Whether a kind of cue, or a place it favours, is finer than the cap."""
    return kind not in (_CITY_AT_MOST if cap == "city" else _HARMLESS) or any(_RANK[x] > _RANK[cap] for x in levels)


def disclose(answer: Answer, cap: Precision, gazetteer: Gazetteer, *, asked: float = 0.5) -> Answer:
    """Return the answer without anything finer than `cap`.

    Positions become those that stand for the country, the admin-1 unit or the city, and radii reach over nearly all of
    it, so that they hold what they say and tell nothing of the photo; all text, and cues, neighbours and EXIF positions
    that would give the place away are withheld, and a warning says so. An answer that names no place stays one.

    Args:
        answer: in full.
        cap: finest level that is disclosed.
        gazetteer: places that stand for others.
        asked: probability that a country must reach to be named, for the words of an answer that names none.
    """
    if cap == "full" or answer.best is None:
        return answer
    hide = _Hider(cap, gazetteer)
    final = hide.prediction(answer.text_aware)
    assert final is not None
    placed: dict[str, object] = {"best": final.best, "explanation": hide.explanation(final, asked, answer)}
    placed |= {"radius_50_km": final.radius_50_km, "radius_90_km": final.radius_90_km}
    return answer.model_copy(
        update={
            **placed,
            "vision_only": hide.prediction(answer.vision_only),
            "text_only": hide.prediction(answer.text_only),
            "text_aware": final,
            "comparison": answer.comparison and answer.comparison.model_copy(update={"change": "", "moved_km": None}),
            "alternatives": hide.alternatives(answer),
            "cues": [hide.cue(cue) for cue in answer.cues],
            "regions": [r.model_copy(update={"text": HIDDEN}) for r in answer.regions],
            "neighbours": [],
            "exif_gps": None,
            "exif_partial": None,
            "album": answer.album and AlbumReport(part=answer.album.part, why_not=answer.album.why_not),
            "llm": None
            if answer.llm is None
            else answer.llm.model_copy(update={"notes": [], "observations": [], "steps": []}),
            "warnings": [
                *answer.warnings,
                f"this answer is capped at {cap} precision: finer places, positions and text are withheld",
            ],
        }
    )


class _Hider:
    def __init__(self, cap: Precision, gazetteer: Gazetteer) -> None:
        self._cap = cap
        self._gazetteer = gazetteer

    def _stand_in(self, lat: float, lon: float, country: str) -> Place | None:
        """The place of the capped level that stands for a position."""
        state = self._gazetteer.country(country)
        if self._cap == "country":
            return state
        near = self._gazetteer.reverse(LatLon(lat, lon))
        if near is None or near.country != country:
            return state
        if self._cap == "region":
            return (self._gazetteer.admin1(near.admin1) if near.admin1 else None) or state
        return near

    def best(self, best: Best) -> Best:
        """Return a place no finer than the cap."""
        if best.lat is None or best.lon is None or best.country is None:
            return best
        place = self._stand_in(best.lat, best.lon, best.country)
        finer = _RANK[best.precision] > _RANK[self._cap]
        named = place.name if place is not None and (finer or best.precision == self._cap) else best.place
        return Best(
            lat=None if place is None else round(place.latlon.lat, 3),
            lon=None if place is None else round(place.latlon.lon, 3),
            place=named,
            admin1=None if self._cap == "country" else best.admin1,
            country=best.country,
            precision=self._cap if finer else best.precision,
        )

    def prediction(self, prediction: Prediction | None) -> Prediction | None:
        """Return a prediction no finer than the cap."""
        if prediction is None:
            return None
        best = self.best(prediction.best)
        half, most = prediction.radius_50_km, prediction.radius_90_km
        if half is not None and most is not None:
            half, most = (round(km, 2) for km in self._radii(half, most, prediction.best, best))
        return prediction.model_copy(update={"best": best, "radius_50_km": half, "radius_90_km": most})

    def _radii(self, half: float, most: float, true: Best, best: Best) -> tuple[float, float]:
        """Radii around the disclosed place that keep their coverage without revealing where in it the photo is."""
        if best.lat is None or best.lon is None or true.lat is None or true.lon is None:
            return half, most
        here = LatLon(best.lat, best.lon)
        if self._cap == "city":
            moved = here.distance_km(LatLon(true.lat, true.lon))
            ring = next(km for km in _RINGS_KM if km >= moved)
            return (half + ring, most + ring) if math.isfinite(ring) else (20_000.0, 20_000.0)
        table, rows = self._gazetteer.table, np.zeros(0, dtype=np.int64)
        if self._cap == "region" and best.admin1:
            place = self._stand_in(true.lat, true.lon, best.country or "")
            rows = table.cities_of(place.admin1 if place is not None else "")
        if not len(rows):
            rows = table.cities_of(best.country or "")
        if not len(rows):
            return max(half, _LEAST_KM), max(most, _LEAST_KM)
        away = haversine_km((here.lat, here.lon), table.latlon[rows])
        people = np.maximum(table.population[rows], 1).astype(np.float64)
        reach = spread_quantiles(away, np.full(len(rows), _LEAST_KM / 2), people, (_NEARLY_ALL,))[0]
        return max(half, reach), max(most, reach)

    def alternatives(self, answer: Answer) -> list[object]:
        """Return the alternatives no finer than the cap; those that become the same place are merged."""
        merged: dict[tuple[str, str | None], object] = {}
        for other in answer.alternatives:
            if other.lat is None or other.lon is None:
                continue
            place = self._stand_in(other.lat, other.lon, other.country)
            name = None if place is None else place.name
            known = merged.get((other.country, name))
            p = other.p + (known.p if known is not None else 0.0)  # type: ignore[attr-defined]
            merged[other.country, name] = other.model_copy(
                update={
                    "lat": None if place is None else round(place.latlon.lat, 3),
                    "lon": None if place is None else round(place.latlon.lon, 3),
                    "place": name,
                    "admin1": None if self._cap == "country" else other.admin1,
                    "p": round(p, 4),
                }
            )
        best = self.best(answer.text_aware.best) if answer.text_aware is not None else None
        if best is not None:
            merged.pop((best.country or "", best.place), None)
        return sorted(merged.values(), key=lambda other: -other.p)  # type: ignore[attr-defined]

    def cue(self, cue: CueReport) -> CueReport:
        """Return a cue; one that may reveal a finer place than the cap keeps only its kind and countries."""
        if not _tells(cue.kind, map(_level_of, cue.places), self._cap):
            return cue.model_copy(update={"without": self.best(cue.without)})
        countries: dict[str, float] = {}
        for place in cue.places:
            code = (place.code or "").split(".")[0]
            countries[code] = countries.get(code, 0.0) + place.p
        places = [
            CuePlace(code=code, p=round(p, 4)) for code, p in sorted(countries.items(), key=lambda item: -item[1])
        ]
        return cue.model_copy(
            update={
                "value": HIDDEN,
                "says": hidden_says(cue.kind),
                "places": places,
                "favours": places[0],
                "without": self.best(cue.without),
            }
        )

    def explanation(self, final: Prediction, asked: float, answer: Answer) -> str:
        """Return an explanation that names only the capped place."""
        if final.best.precision == "none" and answer.looked is False and not answer.cues:
            seen = SEEN_NOTHING in answer.warnings
            photo = seen or any("not judged" in warning for warning in answer.warnings)
            return ": ".join(nothing_found(len(answer.regions), photo=photo, seen=seen))
        if final.best.precision == "none":
            return unnamed(self._country(final.countries[0].code), final.confidence, asked)
        country = self._country(final.best.country or "")
        named = ", ".join(dict.fromkeys((final.best.place or country, country)))
        return f"{sure_of(named, country, final.confidence)}. Finer places are withheld ({self._cap} precision)."

    def _country(self, code: str) -> str:
        place = self._gazetteer.country(code)
        return code if place is None else place.name


def _level_of(place: CuePlace) -> str:
    """Level of a place that a cue favours."""
    return "country" if place.name is None else "region" if "." in (place.code or "") else "city"

"""What of an answer is given: up to a level that the user allows, or that is probable enough, or nothing."""

from __future__ import annotations

from geoagent.answer import Answer, Best, CuePlace, CueReport, Prediction
from geoagent.config import Config
from geoagent.gazetteer import Gazetteer
from geoagent.geo import LatLon
from geoagent.types import PRECISIONS, Place, Precision

HIDDEN = "hidden by max_precision"
_HARMLESS = frozenset({"script", "language", "currency", "within"})
"""Kinds of cue whose wording names no place below a country."""
_STREET_LEVEL = frozenset({"street", "phone", "postcode", "registration", "domain", "llm", "llm-picture"})
"""Kinds of cue that say more than which city."""
_NOWHERE = Best(lat=None, lon=None, place=None, precision="none")
_RANK: dict[str, int] = {"none": -1, **{str(name): i for i, name in enumerate(PRECISIONS)}}


def release(answer: Answer, config: Config, gazetteer: Gazetteer) -> Answer:
    """Return what of the answer is given under a configuration: capped, coarsened, or no place at all."""
    if config.max_precision == "auto":
        answer = coarsen(answer, config.confidence, gazetteer)
    else:
        answer = disclose(answer, config.max_precision, gazetteer)
    sure = answer.confidence is None or answer.confidence >= config.abstain_below
    return answer if sure else _abstain(answer, config.abstain_below)


def coarsen(answer: Answer, sure: float, gazetteer: Gazetteer) -> Answer:
    """Return the answer with every place at its own level, which reaches the probability that was asked.

    Positions become those that stand for the country, the admin-1 unit or the city; radii around them grow by how far
    they moved, so that they hold as much as before. What the photo shows is not withheld. Where not even a country is
    probable enough, no place is named.
    """
    if answer.best is None or answer.text_aware is None:
        return answer
    if answer.best.precision == "none":
        return _abstain(answer, sure)
    final = _at_its_level(answer.text_aware, gazetteer)
    cues = [cue.model_copy(update={"without": _stood_for(cue.without, gazetteer)[0]}) for cue in answer.cues]
    return answer.model_copy(
        update={
            "best": final.best,
            "radius_50_km": final.radius_50_km,
            "radius_90_km": final.radius_90_km,
            "vision_only": answer.vision_only and _at_its_level(answer.vision_only, gazetteer),
            "text_only": answer.text_only and _at_its_level(answer.text_only, gazetteer),
            "text_aware": final,
            "comparison": answer.comparison and answer.comparison.model_copy(update={"change": ""}),
            "cues": cues,
        }
    )


def _at_its_level(prediction: Prediction, gazetteer: Gazetteer) -> Prediction:
    best, moved = _stood_for(prediction.best, gazetteer)
    radii = {name: round(getattr(prediction, name) + moved, 2) for name in ("radius_50_km", "radius_90_km")}
    return prediction.model_copy(update={"best": best, **radii})


def _stood_for(best: Best, gazetteer: Gazetteer) -> tuple[Best, float]:
    """A place at its own level, and how far its position moved, km."""
    if best.precision == "none":
        return _NOWHERE, 0.0
    if best.precision == "full" or best.lat is None or best.lon is None:
        return best, 0.0
    found = _Hider(best.precision, gazetteer).best(best)
    if found.lat is None or found.lon is None:
        return best, 0.0
    return found, LatLon(best.lat, best.lon).distance_km(LatLon(found.lat, found.lon))


def _abstain(answer: Answer, asked: float) -> Answer:
    """The answer without a place: what is likely, and why, stays."""
    first = answer.countries[0] if answer.countries else None
    why = "No place is named: no country is probable."
    if first is not None:
        why = f"No place is named: the likeliest country, {first.code}, has {first.p:.0%}; {asked:.0%} were asked for."
    return answer.model_copy(
        update={
            "abstained": True,
            "best": _NOWHERE,
            "radius_50_km": None,
            "radius_90_km": None,
            "explanation": why,
        }
    )


def disclose(answer: Answer, cap: Precision, gazetteer: Gazetteer) -> Answer:
    """Return the answer without anything finer than `cap`.

    Positions become those that stand for the country, the admin-1 unit or the city; radii do not fall below the size of
    what is disclosed; text, cues, neighbours and EXIF positions that would give the place away are withheld, and a
    warning says so.
    """
    if cap == "full" or answer.best is None:
        return answer
    hide = _Hider(cap, gazetteer)
    final = hide.prediction(answer.text_aware)
    assert final is not None
    cues = [hide.cue(cue) for cue in answer.cues]
    blank = set(range(len(answer.regions)))
    if cap == "city":
        blank = {region for cue in cues if cue.value == HIDDEN for region in cue.regions}
    return answer.model_copy(
        update={
            "best": final.best,
            "radius_50_km": final.radius_50_km,
            "radius_90_km": final.radius_90_km,
            "vision_only": hide.prediction(answer.vision_only),
            "text_only": hide.prediction(answer.text_only),
            "text_aware": final,
            "comparison": answer.comparison and answer.comparison.model_copy(update={"change": "", "moved_km": None}),
            "alternatives": hide.alternatives(answer),
            "cues": cues,
            "regions": [
                r.model_copy(update={"text": HIDDEN}) if i in blank else r for i, r in enumerate(answer.regions)
            ],
            "neighbours": [],
            "exif_gps": None,
            "explanation": hide.explanation(final),
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
        """A place, no finer than the cap."""
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
        """A prediction, no finer than the cap."""
        if prediction is None:
            return None
        least = {"country": 100.0, "region": 25.0, "city": 5.0}[self._cap]
        return prediction.model_copy(
            update={
                "best": self.best(prediction.best),
                "radius_50_km": max(prediction.radius_50_km, least),
                "radius_90_km": max(prediction.radius_90_km, least),
            }
        )

    def alternatives(self, answer: Answer) -> list[object]:
        """Alternatives, no finer than the cap; those that become the same place are one."""
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
        return list(merged.values())

    def cue(self, cue: CueReport) -> CueReport:
        """A cue; one that may give a finer place than the cap away keeps only its kind and its countries."""
        telling = cue.kind in _STREET_LEVEL if self._cap == "city" else cue.kind not in _HARMLESS
        if not telling and not any(self._finer(place) for place in cue.places):
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
                "says": f"A {cue.kind} ({HIDDEN}).",
                "places": places,
                "favours": places[0],
                "without": self.best(cue.without),
            }
        )

    def _finer(self, place: CuePlace) -> bool:
        level = "country" if place.name is None else "region" if "." in (place.code or "") else "city"
        return _RANK[level] > _RANK[self._cap]

    def explanation(self, final: Prediction) -> str:
        """The explanation of a capped answer names nothing but the capped place."""
        return (
            f"{final.best.place or final.best.country}: {final.confidence:.0%} for {final.best.country}. "
            f"Finer places are withheld ({self._cap} precision)."
        )

"""Building the answer: the variants side by side, every cue, all within the precision that may be disclosed."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import numpy as np

from geoagent import __version__
from geoagent.agent.disclosure import NOWHERE, at_its_level
from geoagent.agent.file_position import file_position
from geoagent.agent.user_constraints import notes_on, user_constraints
from geoagent.answer import (
    Alternative,
    Answer,
    Best,
    CredibleSet,
    NeighbourReport,
    Prediction,
    RegionReport,
    UnreadReport,
)
from geoagent.belief.conformal import credible_count, threshold
from geoagent.belief.estimate import Estimate, alternatives
from geoagent.belief.explanation import SEEN_NOTHING, compared, cue_report, statements, unnamed
from geoagent.config import Config
from geoagent.evidence.observation import Observation
from geoagent.places.geo import Float, LatLon
from geoagent.protocols import Assets
from geoagent.types import Candidates, Constraint, Posterior, Precision, TextEvidence, TextRegion

Infer = Callable[..., tuple[Posterior, Estimate]]
PICTURE = "llm-picture"
"""Source of the constraints of a model that saw the picture."""
ALBUM = "album"
"""Source of the constraints that other photos give."""
_ALTERNATIVES = 5
_NEIGHBOURS = 20
_PACKAGES = ("numpy", "pillow", "rapidocr", "onnxruntime", "shapely", "phonenumbers", "py3langid")


class AnswerBuilder:
    """Builds the answers of one agent."""

    def __init__(self, assets: Assets, config: Config) -> None:
        self._assets = assets
        self._config = config

    @property
    def cap(self) -> Precision | Literal["auto"]:
        """The finest level that is disclosed."""
        return self._config.max_precision

    @cached_property
    def user_constraints(self) -> tuple[Constraint, ...]:
        """Constraints from what the user stated about the place."""
        config = self._config
        return user_constraints(
            self._assets.world,
            self._assets.gazetteer,
            within=config.within,
            exclude=config.exclude,
            hint=config.hint,
        )

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """How the areas that the user stated were understood, where that is not the only way."""
        return notes_on(self._assets.gazetteer, within=self._config.within, exclude=self._config.exclude)

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of the packages behind the answer."""
        found = {
            "geoagent": __version__,
            "python": platform.python_version(),
            "gazetteer": self._assets.gazetteer.version,
        }
        for package in _PACKAGES:
            try:
                found[package] = version(package)
            except PackageNotFoundError:
                continue
        return found

    def __call__(self, *, infer: Infer, observed: Observation, user: Sequence[Constraint]) -> tuple[Answer, list[str]]:
        """Run the inference on every variant of the evidence and build the answer.

        Args:
            infer: from base log probabilities and constraints to a posterior and its estimate.
            observed: the observation.
            user: constraints that the user stated.

        Returns:
            The answer, and the statements that its explanation is made of.
        """
        prior, vision, text = self._assets.world.log_prior, observed.vision, observed.text
        warnings = (*self.notes, *observed.warnings)
        everything = (*user, *observed.constraints)
        aware, final = infer(vision.log_probs, everything)
        pictured = [c for c in text.constraints if c.source == PICTURE]
        read = [c for c in everything if c.source not in (PICTURE, ALBUM)]
        has_text = len(text.constraints) > len(pictured)
        looked, more = vision.encoder is not None or bool(pictured), has_text or bool(observed.album)
        seen, vision_only = (aware, final) if not more else infer(vision.log_probs, (*user, *pictured))
        alone = not looked and len(read) == len(everything)
        heard, text_only = (aware, final) if alone else infer(prior, read, looked=False)
        prediction = self.prediction(final)
        best, named = prediction.best, prediction.best.precision != "none"
        nats = {key: float(term[final.cell]) for key, term in aware.contributions.items()}
        ranked = sorted(everything, key=lambda c: -abs(nats[c.id]))
        cues = []
        for number, constraint in enumerate(ranked, start=1):
            rest = [c for c in everything if c is not constraint]
            without = self.placed(infer(vision.log_probs, rest, radii=False)[1])[0]
            cues.append(cue_report(number, constraint, nats[constraint.id], without))
        vision_prediction = prediction if vision_only is final else self.prediction(vision_only)
        text_prediction = prediction if text_only is final else self.prediction(text_only)
        comparison, gps = None, observed.exif_gps
        if looked and has_text:
            before = infer(prior, user, looked=False, radii=False)[0].log_probs
            comparison = compared(seen, heard, before, vision_prediction.best, best, self.country_name)
        why = unnamed(
            self.country_name(prediction.countries[0].code), prediction.confidence, self._config.least_confidence
        )
        said = statements(
            best,
            vision_prediction.best,
            prediction.confidence,
            prediction.radius_50_km,
            prediction.radius_90_km,
            cues,
            self.country_name,
            looked=looked,
            photo=observed.size_px is not None,
            seen=SEEN_NOTHING in warnings,
            told=bool(user),
            lines=len(text.regions),
            comparison=comparison,
            unnamed="" if named else why,
        )
        answer = Answer(
            id=observed.id,
            source=observed.source,
            status="partial"
            if any("not read:" in w or "not judged:" in w or "are missing:" in w for w in warnings)
            else "ok",
            best=best,
            radius_50_km=prediction.radius_50_km,
            radius_90_km=prediction.radius_90_km,
            confidence=prediction.confidence,
            abstained=not named,
            countries=prediction.countries,
            credible=self.credible(final, aware),
            # Of a photo that nothing is known of, the likeliest places are those of any photo.
            alternatives=self.alternatives(final, aware, own=not named) if looked or everything else [],
            looked=looked,
            vision_only=vision_prediction if self._config.vision_weight > 0 or not looked else None,
            text_only=text_prediction if self._config.text_weight > 0 else None,
            text_aware=prediction,
            comparison=comparison,
            cues=cues,
            regions=[_region(i, r, text) for i, r in enumerate(text.regions)],
            unread=[UnreadReport(polygon_px=_corners(r)) for r in text.unread],
            neighbours=self.evidence(final.candidates, final.shares) if named else [],
            explanation=" ".join(said),
            warnings=list(dict.fromkeys(warnings)),
            world=self._assets.world.summary(),
            versions=self.versions,
            exif_gps=None
            if gps is None
            else file_position(gps, final.latlon if named else None, self._assets.gazetteer),
            exif_partial=observed.exif_partial or None,
        )
        return answer, said

    def country_name(self, code: str) -> str:
        """Name of a country by its ISO 3166-1 alpha-2 code; the code where the gazetteer has none."""
        place = self._assets.gazetteer.country(code)
        return code if place is None else place.name

    def placed(self, conclusion: Estimate) -> tuple[Best, float]:
        """The place to disclose for an estimate, and its distance from it in km; under "auto", at the level reached.

        Every output takes its place from here, so an answer that names no place has none anywhere.
        """
        if conclusion.level(self._config.least_confidence) == "none":
            return NOWHERE, 0.0
        best = self.best(conclusion)
        return at_its_level(best, self._assets.gazetteer) if self._config.max_precision == "auto" else (best, 0.0)

    def best(self, conclusion: Estimate) -> Best:
        """Name the place of an estimate, however probable, at the level that its evidence reaches."""
        gazetteer, here, country = self._assets.gazetteer, conclusion.latlon, conclusion.country
        auto = self._config.max_precision == "auto"
        precision = conclusion.level(self._config.confidence if auto else 0.5)
        if precision == "full" and not auto:
            precision = "city"
        nearest = gazetteer.reverse(here)
        admin1 = nearest.admin1_name if nearest is not None and nearest.country == country else None
        state = gazetteer.country(country)
        place = state.name if state is not None else country
        if precision == "region" and admin1:
            place = admin1
        elif precision in ("city", "full"):
            local = nearest.name if nearest is not None and nearest.country == country else None
            place = conclusion.named_place or local or place
        return Best(
            lat=round(here.lat, 5),
            lon=round(here.lon, 5),
            place=place,
            admin1=(admin1 or None) if precision in ("region", "city", "full") else None,
            country=country,
            precision=precision,
        )

    def credible(self, conclusion: Estimate, posterior: Posterior) -> CredibleSet | None:
        """Credible sets of countries and cells at 90 %; None where the world has not fitted them."""
        world, group = self._assets.world, conclusion.group
        limit = threshold(world.calibration, "countries", group)
        if limit is None:
            return None
        cells = threshold(world.calibration, "cells", group)
        return CredibleSet(
            coverage=0.9,
            countries=[code for code, _ in conclusion.countries[: credible_count(conclusion.by_country, limit)]],
            cells=None if cells is None else credible_count(posterior.probs, cells),
            resting_on=group,
        )

    def prediction(self, conclusion: Estimate) -> Prediction:
        """An estimate in the form of the JSON answer."""
        best, moved = self.placed(conclusion)
        named = best.precision != "none"
        shares = np.array([p for _, p in conclusion.countries])
        rounded = shares / shares.sum()
        shown = zip(conclusion.countries, rounded.tolist(), strict=True)
        # pydantic builds hundreds of small parts faster at once than one by one.
        return Prediction.model_validate(
            {
                "best": best,
                "radius_50_km": round(conclusion.radius_50_km + moved, 2) if named else None,
                "radius_90_km": round(conclusion.radius_90_km + moved, 2) if named else None,
                "confidence": float(rounded[0]),
                "countries": [{"code": code, "p": p} for (code, _), p in shown],
            }
        )

    def alternatives(self, conclusion: Estimate, posterior: Posterior, *, own: bool = False) -> list[Alternative]:
        """Other places with at least 1 % probability; with `own`, the place of the estimate is one of them."""
        cells = self._assets.world.cells
        found = []
        for place, cell, p in alternatives(conclusion, posterior, self._assets.world, _ALTERNATIVES, own=own):
            if p < 0.01:
                continue
            near, country = self._assets.gazetteer.reverse(place), str(cells.country[cell])
            known = near is not None and near.country == country
            found.append(
                Alternative(
                    lat=round(place.lat, 5),
                    lon=round(place.lon, 5),
                    place=near.name if known and near is not None else None,
                    admin1=(near.admin1_name or None) if known and near is not None else None,
                    country=country,
                    p=round(p, 4),
                )
            )
        return found

    def evidence(self, candidates: Candidates, shares: Float) -> list[NeighbourReport]:
        """The candidates behind the final position, heaviest first."""
        found = []
        for i in np.argsort(-shares, kind="stable")[:_NEIGHBOURS]:
            if shares[i] < 0.001:
                break
            at = LatLon(*candidates.latlon[i].tolist())
            similarity = float(candidates.similarity[i])
            ref = candidates.refs[i]
            if not ref:
                near = self._assets.gazetteer.reverse(at)
                ref = self._assets.gazetteer.full_name(near) if near is not None else str(at)
            found.append(
                NeighbourReport(
                    ref=ref,
                    lat=round(at.lat, 5),
                    lon=round(at.lon, 5),
                    weight=round(float(shares[i]), 4),
                    similarity=round(similarity, 4) if np.isfinite(similarity) else None,
                )
            )
        return found


def _region(index: int, region: TextRegion, text: TextEvidence) -> RegionReport:
    spoken = [c for c in text.cues if c.kind == "language" and index in c.regions]
    return RegionReport(
        text=region.text,
        polygon_px=_corners(region),
        confidence=round(float(region.confidence), 3),
        script=region.script,
        language=spoken[0].value.split()[0] if spoken else None,
    )


def _corners(region: TextRegion) -> list[tuple[float, float]]:
    return [(round(float(x), 1), round(float(y), 1)) for x, y in region.polygon_px]

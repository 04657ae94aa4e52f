"""The offline constraint source: every cue covered by the cue tables becomes one soft constraint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from geoagent.belief.calibration import reliability
from geoagent.evidence.cues.cuisine import DOUBTED, ON_A_MENU, ON_MENUS, is_menu, kitchens
from geoagent.evidence.legibility import least_legible, most_legible
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.borders import borders
from geoagent.protocols import Assets
from geoagent.types import Constraint, Cue, Place, TextRegion
from geoagent.worlds.world import World

_KEPT = 60  # maximum countries of one constraint; the mass of the others goes to the escape
_LIGHTEST = 2e-4
_LONG, _PAGE, _IN_PROSE = 6, 4, 0.3
"""Words of a line, and such lines in a photo, from which it shows a page of prose; and the factor on cues in them: what
a book, a slide or a poster tells is seldom about the place."""
_ABROAD = 0.3
"""Share of the signs in a disputed area that follow the conventions of the country that holds it."""
_AGREES = 2.0
_ALONE, _ALONE_OF_TEXT = (0.72, 0.9, 1.0), (0.88, 0.95, 1.0)
"""Factors on the reliability of a statement by how many others agree, none, one, or more; language and script of a
text, and telephone numbers, are surer by themselves."""
_BY_LINE = frozenset({"language", "script"})  # cues that each of their lines supports by itself
_OF_TEXT = frozenset({"language", "script", "phone"})


class Lexicon:
    """Turns cues into constraints over countries, admin-1 units and cities.

    A cue's country weights are a likelihood, P(cue | country). Multiplied by the world's prior they become the mass of
    a constraint, P(country | cue).
    """

    name = "lexicon"

    def __init__(
        self,
        gazetteer: Gazetteer,
        prior: Mapping[str, float],
        fitted: Mapping[str, float] | None,
        shared: Mapping[str, Sequence[tuple[Place, float]]] | None = None,
    ) -> None:
        self._gazetteer = gazetteer
        self._prior = prior
        self._fitted = fitted
        self._shared = shared or {}

    def __call__(self, regions: tuple[TextRegion, ...], cues: tuple[Cue, ...]) -> tuple[Constraint, ...]:
        """Return one constraint for each cue that indicates places of this world."""
        found = []
        strengths = self.strengths(cues, regions)
        for number, (cue, strength) in enumerate(zip(cues, strengths, strict=True), start=1):
            masses = self._named(cue) if cue.places else self._spread(cue)
            total = sum(mass for _, mass in masses)
            if total <= 0:
                continue
            found.append(
                Constraint(
                    id=f"{self.name}-{number}",
                    kind=cue.kind,
                    value=cue.value,
                    says=cue.says,
                    source=self.name,
                    places=tuple(place for place, _ in masses),
                    weights=np.array([mass / total for _, mass in masses]),
                    reliability=reliability(cue.kind, strength, self._fitted),
                    spans=cue.spans,
                )
            )
        return self._corroborated(found) if any(len(region.polygon_px) for region in regions) else tuple(found)

    def _corroborated(self, found: list[Constraint]) -> tuple[Constraint, ...]:
        """Believe statements less that nothing else in the photo agrees with.

        A statement agrees if it rests on other lines and at least doubles the probability of the country that this one
        favours most.
        """
        shares = [constraint.by_country() for constraint in found]
        out = []
        for i, constraint in enumerate(found):
            favoured = max(shares[i], key=lambda code: shares[i][code])
            mine = set(constraint.regions)
            agreeing = sum(
                shares[j].get(favoured, 0.0) >= _AGREES * self._prior.get(favoured, 1.0)
                for j, other in enumerate(found)
                if j != i and not mine & set(other.regions)
            )
            factor = (_ALONE_OF_TEXT if constraint.kind in _OF_TEXT else _ALONE)[min(agreeing, 2)]
            out.append(replace(constraint, reliability=constraint.reliability * factor))
        return tuple(out)

    @staticmethod
    def strengths(cues: tuple[Cue, ...], regions: tuple[TextRegion, ...]) -> list[float]:
        """Return each cue's strength, as far as its lines can be relied on."""
        prose, abroad, menu = _sentences(regions), kitchens(regions), is_menu(regions)
        found = []
        for cue in cues:
            lines = [regions[r] for r in cue.regions if r < len(regions)]
            legible = (most_legible if cue.kind in _BY_LINE else least_legible)(lines)
            aside = cue.kind not in _OF_TEXT and bool(prose.intersection(cue.regions))
            strength = cue.strength * legible * (_IN_PROSE if aside else 1.0)
            doubt = abroad.get(_favoured(cue), 1.0) if cue.kind in DOUBTED else 1.0
            if menu and cue.kind in ON_MENUS:
                doubt = min(doubt, ON_A_MENU)
            found.append(strength * (doubt**2 if cue.kind == "name" else doubt))  # towns most of all: "Pho Saigon"
        return found

    def _named(self, cue: Cue) -> list[tuple[Place, float]]:
        """Return the places that a cue names explicitly."""
        return [(place, weight) for place, weight in cue.places if place.country in self._prior and weight > 0]

    def _spread(self, cue: Cue) -> list[tuple[Place, float]]:
        """Return a cue's country weights multiplied by the world's prior."""
        weights = {code: cue.countries.get(code, cue.elsewhere) * prior for code, prior in self._prior.items()}
        total = sum(weights.values())
        if total <= 0:
            return []
        ranked = sorted(weights, key=lambda code: -weights[code])[:_KEPT]
        masses: list[tuple[Place, float]] = []
        for code in ranked:
            share = weights[code] / total
            country = self._gazetteer.country(code)
            if share < _LIGHTEST or country is None:
                continue
            for place, part in cue.inside.get(code, ()):
                masses.append((place, share * part))
            rest = 1.0 - sum(part for _, part in cue.inside.get(code, ()))
            if rest > 1e-9:
                masses.append((country, share * rest))
                # Signs of the Crimea follow the conventions of Russia: they are as likely there as in Russia.
                masses += [(place, share * rest * ratio) for place, ratio in self._shared.get(code, ())]
        return masses


def _favoured(cue: Cue) -> str:
    """The country that a cue speaks for most, "" if it has none."""
    if cue.places:
        return cue.places[0][0].country
    return max(cue.countries, key=lambda code: cue.countries[code], default="")


def _sentences(regions: tuple[TextRegion, ...]) -> set[int]:
    """Return the indices of the long lines of a page of prose; none if there are only a few."""
    long = {i for i, region in enumerate(regions) if len(region.text.split()) >= _LONG}
    return long if len(long) >= _PAGE else set()


def shared_conventions(world: World, gazetteer: Gazetteer) -> dict[str, list[tuple[Place, float]]]:
    """Return the areas abroad that follow a country's conventions, each with its prior relative to the country's."""
    found: dict[str, list[tuple[Place, float]]] = {}
    for border in borders().with_conventions:
        own = world.country_prior.get(border.conventions, 0.0)
        for code in sorted(border.inside) if own > 0.0 else ():
            place = gazetteer.area(code)
            if place is None:
                continue
            unit = place.admin1 if place.level == "admin1" else ""
            mass = float(world.prior[world.cells.inside(place.country, unit)].sum())
            if mass > 0.0:
                found.setdefault(border.conventions, []).append((place, _ABROAD * mass / own))
    return found


def build(assets: Assets) -> Lexicon:
    """Build the source; it has no options."""
    world, gazetteer = assets.world, assets.gazetteer
    fitted = world.calibration.get("reliability")
    return Lexicon(gazetteer, world.country_prior, fitted, shared_conventions(world, gazetteer))

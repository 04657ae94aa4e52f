"""Cues: what the text in a scene says about where it is.

One module a kind, each with one function `find(reading, earlier) -> list[Cue]`. They run in the order below, since
later kinds leave alone what earlier ones have explained: the digits of a telephone number are no postcode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from geoagent.evidence.cues import (
    brand,
    company,
    currency,
    domain,
    habit,
    language,
    names,
    phone,
    plate,
    postcode,
    regional,
    road,
    script,
    signword,
    street,
)
from geoagent.evidence.cues.identify import DEFAULT as IDENTIFIER
from geoagent.evidence.cues.identify import NAMES as IDENTIFIERS
from geoagent.evidence.cues.reading import Reading, instructs
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.types import Cue, TextRegion

Finder = Callable[[Reading, tuple[Cue, ...]], list[Cue]]

FINDERS: tuple[Finder, ...] = (
    plate.find,
    domain.find,
    company.find,
    phone.find,
    currency.find,
    road.find,
    habit.find,
    brand.find,
    signword.find,
    regional.find,
    street.find,
    names.find,
    postcode.find,
    language.find,
    script.find,
)

KINDS = (
    "plate",
    "phone",
    "domain",
    "registration",
    "company",
    "currency",
    "habit",
    "brand",
    "institution",
    "regional",
    "signword",
    "road",
    "direction",
    "street",
    "name",
    "postcode",
    "script",
    "language",
)


def find_cues(
    regions: tuple[TextRegion, ...],
    gazetteer: Gazetteer,
    facts: Facts,
    prior: Mapping[str, float] | None = None,
    *,
    identifier: str = IDENTIFIER,
    more: Iterable[Finder] = (),
) -> tuple[Cue, ...]:
    """Find every cue in the text of one photo.

    Args:
        regions: R lines of text, in reading order.
        gazetteer: names of places.
        facts: cue tables.
        prior: how much each country is to be expected, for naming the likely ones first; it changes no weight.
        identifier: of languages, see `identify`.
        more: finders of further kinds, which run after those that ship.

    Returns:
        Cues in no order of importance; () where no text speaks for a place.
    """
    reading = Reading.of(regions, gazetteer, facts, prior, identifier)
    found: tuple[Cue, ...] = ()
    for find in (*FINDERS, *more):
        found += tuple(find(reading, found))
    return found


__all__ = ["FINDERS", "IDENTIFIERS", "KINDS", "Reading", "find_cues", "instructs"]

"""Cues: pieces of text in a photo that indicate where it was taken.

There is one module per kind, each with one function `find(reading, earlier) -> list[Cue]`. They run in the order below,
since later kinds skip text that earlier ones have explained: the digits of a telephone number are not a postcode.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from geoagent.evidence.cues import (
    brand,
    company,
    currency,
    domain,
    habit,
    landmark,
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
from geoagent.evidence.cues.instructions import instructs
from geoagent.evidence.cues.reading import Reading
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
    landmark.find,
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
    "landmark",
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
        gazetteer: the gazetteer of place names.
        facts: the cue tables.
        prior: prior of each country, used only to list likely countries first; it does not change any weight.
        identifier: language identifier, see `identify`.
        more: finders of further kinds, which run after those that ship.

    Returns:
        Cues in no order of importance; () if no text indicates a place.
    """
    reading = Reading.of(regions, gazetteer, facts, prior, identifier)
    found: tuple[Cue, ...] = ()
    for find in (*FINDERS, *more):
        found += tuple(find(reading, found))
    return found


__all__ = ["FINDERS", "IDENTIFIERS", "KINDS", "Reading", "find_cues", "instructs"]

"""Score of a place for a name, in nats, such that a softmax over the matches is P(place | name).

The prior of a place grows with its population, with a floor, since villages have signs, too. The name of a country or
region is written more often than that of a village of the same name, but a region is rarely meant if there is a city of
the same name.
"""

from __future__ import annotations

import math

KINDS = ("primary", "alternate", "code", "derived")
CITY_FLOOR = 1_500.0
ADMIN1_FLOOR = 150_000.0
COUNTRY_FLOOR = 2_000_000.0
LEVEL_BONUS = {"country": 1.5, "admin1": -1.2, "city": 0.0}
KIND_PENALTY = (0.0, -1.6, -4.0, -0.6)
"""By kind of name: primary, alternate, code, spelling derived from the primary name."""

RAW_EQUAL = 1.5
"""The spelling has diacritics and equals the primary name."""
RAW_EQUAL_PLAIN = 0.6
"""The spelling has no diacritics and equals the primary name."""
RAW_DIFFERS = -1.0
"""The spelling has diacritics, but the primary name has different ones or none."""
OWN_SCRIPT = 1.3
"""An alternate name in a non-Latin script used in the country: nearly as good as the primary name."""
FOREIGN_SCRIPT = -0.5
"""An alternate name in a script not used in the country."""

STEM = -2.0
TRANSLIT = -3.0
EDIT = -3.2
CHEAP_EDIT = -0.9


def static_score(level: str, population: int, kind: int) -> float:
    """Return the part of the score that does not depend on the spelling of the query."""
    if level == "country":
        people = math.log(population + COUNTRY_FLOOR)
    elif level == "admin1":
        people = math.log(population + ADMIN1_FLOOR)
    else:
        people = math.log(population + CITY_FLOOR)
    return people + LEVEL_BONUS[level] + KIND_PENALTY[kind]

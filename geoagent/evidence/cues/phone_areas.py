"""Areas of telephone numbers: the towns of an area code, and areas that use the numbers of another country.

libphonenumber's geocoder knows the area codes of most countries; `tables/area_codes.json` has the largest cities of
some that it lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberFormat

from geoagent.errors import ResourceError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.borders import borders
from geoagent.places.gazetteer.normalise import normalise
from geoagent.resources import data_dir
from geoagent.types import Place

_CITY_OF_NOTE = 20_000
"""Population from which an area that is called like a city and its region is the city's."""


@lru_cache(maxsize=2048)
def _formatted_cached(country_code: int, national: int, zeros: int) -> str:
    return str(phonenumbers.format_number(_number(country_code, national, zeros), PhoneNumberFormat.NATIONAL))


def formatted(number: Any) -> str:
    """Return a number in its country's national format."""
    zeros = (number.number_of_leading_zeros or 1) if number.italian_leading_zero else 0
    return _formatted_cached(number.country_code, number.national_number, zeros)


@lru_cache(maxsize=2048)
def _described_cached(country_code: int, national: int, zeros: int) -> str:
    from phonenumbers import geocoder  # reads 4 MB of prefixes, on the first number alone

    return str(geocoder.description_for_valid_number(_number(country_code, national, zeros), "en"))


def described(number: Any) -> str:
    """Return the English name of a number's area by its first digits, "" if unknown."""
    zeros = (number.number_of_leading_zeros or 1) if number.italian_leading_zero else 0
    return _described_cached(number.country_code, number.national_number, zeros)


def _number(country_code: int, national: int, zeros: int) -> Any:
    return phonenumbers.PhoneNumber(
        country_code=country_code,
        national_number=national,
        italian_leading_zero=zeros > 0 or None,
        number_of_leading_zeros=zeros if zeros > 1 else None,
    )


def area_of(number: Any, region: str, gazetteer: Gazetteer) -> tuple[tuple[Place, float], ...]:
    """Return the places of the number's area code, with weights that sum to at most 0.85.

    Args:
        number: a `phonenumbers.PhoneNumber`.
        region: the country whose numbering plan it is of. Places where this plan is used in another country count as
            well: Sevastopol has Russian numbers.
        gazetteer: names of places.
    """
    if phonenumbers.region_code_for_number(number) not in (region, None):
        return ()
    description = _own(number, region) or described(number)
    known = borders().countries_like(region)
    places: list[Place] = []
    for part in re.split(r"[,/]| and | - ", description):
        name = re.sub(r"\(.*?\)|^Greater | (?:city|province|region)$", "", part.strip(), flags=re.IGNORECASE).strip()
        if len(name) < 3:
            continue
        matches = gazetteer.lookup(name, k=8, countries=known)
        here = [m.place for m in matches if m.place.level != "country" and borders().follows(region, m.place)]
        if not here:
            continue
        city = next((place for place in here if _is_city(place, name)), None)
        places.append(city if city is not None and here[0].level != "city" else here[0])
        if part == re.split(r",| - ", description)[0]:
            break  # "Guadalajara, Jalisco": the rest is the region of the city
    return tuple((place, 0.85 / len(places)) for place in places[:6])


def _is_city(place: Place, name: str) -> bool:
    return place.level == "city" and place.population >= _CITY_OF_NOTE and normalise(place.name) == normalise(name)


def _own(number: Any, region: str) -> str:
    """Return the city of an area code that libphonenumber's geocoder lacks, "" if it is unknown."""
    codes, national = _codes().get(region, {}), str(number.national_number)
    return next((codes[national[:size]] for size in (3, 2, 1) if national[:size] in codes), "")


@lru_cache(maxsize=1)
def _codes() -> Mapping[str, Mapping[str, str]]:
    path = data_dir("gazetteer") / "tables" / "area_codes.json"
    try:
        return MappingProxyType({country: dict(row["codes"]) for country, row in json.loads(path.read_bytes()).items()})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error

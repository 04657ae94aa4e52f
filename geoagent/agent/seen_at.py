"""What signs, plates and roads at a place look like, from the tables that cues are read with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geoagent.agent.expectations import postcode_form
from geoagent.errors import InputError
from geoagent.places.coordinates import read_coordinates
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.readings import PLAUSIBLE, readings_of, why_unknown
from geoagent.protocols import Assets
from geoagent.types import Place

_MOST = 12  # of each kind
_OWN = 0.5  # share of a word's weight from which it is a country's own
_RARE = 0.01  # share of signs or plates below which nothing is told


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Share(_Part):
    """A language, a script or a colour."""

    what: str = Field(description="ISO 639 or ISO 15924 code, or a colour")
    share: float = Field(description="of the text on signs, or of the number plates")


class SeenAt(_Part):
    """What photos of a place may show."""

    place: str = Field(description="as understood")
    country: str = Field(description="ISO 3166-1 alpha-2")
    languages: list[Share] = Field(description="on public signs")
    scripts: list[Share] = Field(description="on public signs")
    drives_on: Literal["left", "right"]
    speed_unit: Literal["km/h", "mph"]
    calling_codes: list[str] = Field(description='before telephone numbers: "+49"')
    domains: list[str] = Field(description='of web sites: ".de"')
    currencies: list[str] = Field(description="ISO 4217")
    prices: list[str] = Field(description="how the currency is written, for this country alone")
    postcode: str | None = Field(description="its form; null where there is none")
    postcodes_here: list[str] = Field(description="first characters of postcodes of this place")
    plate_forms: list[str] = Field(description="A for a letter, 0 for a digit")
    plate_colours: list[Share]
    plates_here: list[str] = Field(description="codes of this place on number plates")
    companies: list[str] = Field(description="forms of companies of this country")
    habits: list[str] = Field(description="ways to write numbers, hours and addresses")
    words_here: list[str] = Field(description="words on signs, normalised, of this region or city alone")
    other_readings: list[str] = Field(description="other places of that name")
    notes: list[str]


def seen_at(said: str, assets: Assets) -> SeenAt:
    """Say what signs, number plates and roads at a place look like.

    Args:
        said: a country, region or city by name, or coordinates.
        assets: gazetteer and facts.

    Raises:
        InputError: the place is not known, is several countries, or lies in none of which anything is known.
        CoordinateError: coordinates out of range.
    """
    gazetteer, facts = assets.gazetteer, assets.facts
    name, place, others, notes = _place_of(said, gazetteer)
    known = facts.countries.get(place.country)
    if known is None:
        raise InputError(f"{name}: nothing is known of signs in {place.country}")
    postcodes, plates = facts.postcodes.get(place.country), facts.plates.get(place.country)
    patterns = () if plates is None else plates.patterns
    return SeenAt(
        place=name,
        country=place.country,
        languages=_shares(known.languages),
        scripts=_shares(known.scripts),
        drives_on="left" if known.drives_left else "right",
        speed_unit="mph" if known.mph else "km/h",
        calling_codes=[f"+{code}" for code in known.calling_codes],
        domains=[f".{tld}" for tld in known.tlds],
        currencies=list(known.currencies),
        prices=_strongest((form, f.countries.get(place.country, 0.0)) for form, f in facts.currencies.items()),
        postcode=postcode_form(known.postcode, known.name) if known.postcode else None,
        postcodes_here=[] if postcodes is None else _codes(postcodes.areas, place),
        plate_forms=_forms(pattern for pattern, _, weight in patterns if weight >= _OWN),
        plate_colours=[] if plates is None else _shares(plates.colours),
        plates_here=[] if plates is None else _regions(plates.regions, place, gazetteer),
        companies=_strongest((f.written[0], f.countries.get(place.country, 0.0)) for f in facts.companies.values()),
        habits=_strongest((h.note, h.countries.get(place.country, 0.0)) for h in facts.habits if h.note),
        words_here=_words(facts, place),
        other_readings=others,
        notes=notes,
    )


def _place_of(said: str, gazetteer: Gazetteer) -> tuple[str, Place, list[str], list[str]]:
    """The place as understood, other places of that name, and what to say of it."""
    found = read_coordinates(said)
    if found is not None:
        code, unit = gazetteer.country_at(found.position), gazetteer.admin1_at(found.position)
        near = gazetteer.reverse(found.position)
        inside = (
            near if near is not None and near.country == code else gazetteer.admin1(unit) or gazetteer.country(code)
        )
        if inside is None:
            raise InputError(f"{said.strip()!r} lies in no country; coordinates are latitude, then longitude")
        return str(inside), inside, [], list(found.notes)
    readings = readings_of(gazetteer, said)
    if not readings:
        raise InputError(f"{said.strip()!r}: {why_unknown(gazetteer, said)}")
    first, *rest = readings
    if len({place.country for place in first.places}) > 1:
        raise InputError(f"{first.name} is several countries; ask for one of them, or for a place in one")
    others = [reading.name for reading in rest if reading.weight >= PLAUSIBLE]
    return first.name, first.places[0], others, [first.note] if first.note else []


def _shares(shares: Mapping[str, float]) -> list[Share]:
    ordered = sorted(shares.items(), key=lambda row: -row[1])
    return [Share(what=what, share=round(share, 3)) for what, share in ordered if share >= _RARE]


def _strongest(rows: Iterable[tuple[str, float]]) -> list[str]:
    """What belongs to the country more than to all others together, most exclusive first."""
    own = sorted((row for row in rows if row[1] >= _OWN), key=lambda row: -row[1])
    return list(dict.fromkeys(what for what, _ in own))[:_MOST]


def _codes(areas: Mapping[str, tuple[str, str, str]], place: Place) -> list[str]:
    """First characters of the postcodes of a city, or of an admin-1 unit."""
    if place.level == "country":
        return []
    own = [code for code, (city, unit, _) in areas.items() if place.name == city] if place.level == "city" else []
    return (own or [code for code, (_, unit, _) in areas.items() if unit and unit == place.admin1])[:_MOST]


def _regions(regions: Mapping[str, str], place: Place, gazetteer: Gazetteer) -> list[str]:
    """Codes on number plates of a city, or of its admin-1 unit; the tables have the names that the plates stand for."""
    if place.level == "country":
        return []
    meant: dict[str, bool] = {}
    for name in set(regions.values()):
        match = next(iter(gazetteer.lookup(name.removeprefix("@"), k=1, countries={place.country: 1.0, "": 0.0})), None)
        if match is None or match.place.country != place.country:
            continue
        unit = name.startswith("@") or place.level == "admin1"
        meant[name] = match.place.admin1 == place.admin1 if unit else match.place == place
    return [code for code, name in regions.items() if meant.get(name)][:_MOST]


def _words(facts: Facts, place: Place) -> list[str]:
    if place.level == "country":
        return []
    rows = [
        (word, row.strength)
        for word, row in facts.regionalisms.items()
        if (row.admin1 == place.admin1 and row.admin1 and not row.city) or (row.city and row.city == place.name)
    ]
    return [word for word, _ in sorted(rows, key=lambda row: -row[1])][:_MOST]


def _forms(patterns: Iterable[str]) -> list[str]:
    """Patterns of number plates as people write them; what is no plain row of letters and digits is left out."""
    found = (_form(pattern) for pattern in patterns)
    return list(dict.fromkeys(form for form in found if form))[:4]


def _form(pattern: str) -> str:
    text = re.sub(r"\(\?:\[[-–]+\]\)", "-", pattern)
    text = re.sub(r"\(\?:\[ ·\.\]\{1,2\}\)\??", " ", text)  # what separates groups
    text = re.sub(r"\[ ?\.?·[^\]]*\]\??", "", text)  # what need not be there
    text = re.sub(r"\[([^\]]*)\]", lambda m: _letter(m[1]), text).replace("\\d", "0")
    text = re.sub(r"\w\?", "", text).replace("(", "").replace(")", "")
    return text if re.fullmatch(r"[\w -]+", text) else ""


def _letter(characters: str) -> str:
    """One letter that stands for a class of characters."""
    first = characters[:1]
    if first in "-–/ _":
        return "-"
    return "0" if first.isdigit() else "漢" if first == "\u3040" else first if ord(first) > 0x600 else "A"

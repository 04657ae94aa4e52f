"""Generated labelled texts: signs composed from gazetteer places and cue tables, for kinds with few real examples.

A text of a country has a few lines typical of its signs: an authority, a street, a shop with its form of company,
a telephone number, a domain, a postcode with its town, a plate, a price. Some lines are foreign on purpose ("Pizzeria
Napoli" in Germany), and OCR errors are simulated. The texts come from the same tables that the cues read, so they
measure how often cues interfere with each other and how noise affects them, not how good the tables are: `calibrate`
weights them less than real texts.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import phonenumbers

from geoagent.evidence.scripts import script_of
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.types import Place
from geoagent.worlds.evaluation._pieces import firm, like, misread

MISLEADING = 0.3
"""Share of the texts with a line that points to another country."""
_LARGEST = 400  # largest towns per country to draw from
_FEWEST, _MOST = 1, 4  # lines per text, besides a misleading one
_PRIOR_POWER = 0.75  # exponent of the country prior when drawing countries
_DECOR = ("Pizzeria", "Ristorante", "Café", "Hotel", "Restaurant", "Bar", "Grill", "Boutique")
# By country, where the term differs from that of its language.
_OFFICES = {
    "BR": "Prefeitura de {}", "ES": "Ayuntamiento de {}", "MX": "Ayuntamiento de {}", "AT": "Gemeinde {}",
    "fr": "Mairie de {}", "es": "Municipalidad de {}", "it": "Comune di {}", "pt": "Câmara Municipal de {}",
    "de": "Stadt {}", "nl": "Gemeente {}", "en": "City of {}", "pl": "Urząd Miasta {}", "cs": "Město {}",
    "tr": "{} Belediyesi", "ro": "Primăria {}", "sv": "{} kommun", "da": "{} Kommune", "ru": "Администрация города {}",
}  # fmt: skip
_WORD_LANGUAGES = 0.25  # minimum share of a language on a country's signs for its words to be used


@dataclass(frozen=True, eq=False)
class Signs:
    """Composes sign texts.

    Attributes:
        gazetteer: source of the places.
        facts: cue tables.
        prior: how often photos are taken in each country.
        seed: the same seed gives the same texts.
    """

    gazetteer: Gazetteer
    facts: Facts
    prior: Mapping[str, float]
    seed: int = 0
    _towns: dict[str, list[Place]] = field(default_factory=dict)

    def texts(self, count: int) -> list[dict[str, Any]]:
        """Generate `count` rows of {"id", "lines", "country", "also", "city", "lat", "lon", "kinds"}."""
        dice = random.Random(self.seed)
        return [self._text(f"g{i:05d}", self.country(dice), self._codes, dice) for i in range(count)]

    def country(self, dice: random.Random) -> str:
        """Draw a country; those where many photos are taken come up more often."""
        return dice.choices(self._codes, [self.prior[code] ** _PRIOR_POWER for code in self._codes])[0]

    def town(self, code: str, dice: random.Random) -> Place:
        """Draw one of the largest towns of a country."""
        return dice.choices(self._of(code), [max(t.population, 1) ** 0.5 for t in self._of(code)])[0]

    def line(self, kind: str, code: str, town: Place, dice: random.Random) -> str:
        """One line of a kind ("name", "street", "phone", …) without OCR errors; "" where none is known there."""
        return self._makers[kind](code, town, dice)

    @cached_property
    def _codes(self) -> list[str]:
        return [code for code in sorted(self.prior) if code in self.facts.countries and self._of(code)]

    def _text(self, name: str, code: str, codes: Sequence[str], dice: random.Random) -> dict[str, Any]:
        town = self.town(code, dice)
        makers = [(kind, make) for kind, make in self._makers.items() if kind not in _RARE or dice.random() < 0.5]
        dice.shuffle(makers)
        wanted = dice.randint(_FEWEST, _MOST)
        lines: list[str] = []
        kinds: list[str] = []
        for kind, make in makers:
            if len(lines) == wanted:
                break
            line = make(code, town, dice)
            if line:
                lines.append(line)
                kinds.append(kind)
        if lines and dice.random() < MISLEADING:
            other = dice.choice(codes)
            if other != code:
                lines.insert(dice.randint(0, len(lines)), self._foreign(other, dice))
                kinds.append("misleading")
        if dice.random() < 0.5:
            lines = [misread(line, dice) for line in lines]
        said = any(town.name in line or self.native(town) in line for line in lines)
        row = {"id": name, "lines": lines, "country": code, "also": [], "kinds": kinds}
        return row | ({"city": town.name, "lat": town.latlon.lat, "lon": town.latlon.lon} if said else {})

    @cached_property
    def _makers(self) -> dict[str, Callable[[str, Place, random.Random], str]]:
        return {
            "name": self._named,
            "street": self._street,
            "phone": self._phone,
            "domain": self._domain,
            "postcode": self._postcode,
            "plate": self._plate,
            "company": self._company,
            "registration": self._registration,
            "currency": self._price,
            "brand": self._brand,
            "road": self._road,
            "words": self._words,
        }

    def _of(self, code: str) -> list[Place]:
        """The largest towns of a country."""
        found = self._towns.get(code)
        if found is None:
            rows = self.gazetteer.table.cities_of(code)
            order = np.argsort(-self.gazetteer.table.population[rows], kind="stable")[:_LARGEST]
            found = self._towns[code] = [self.gazetteer.table.place(int(rows[i])) for i in order]
        return found

    @cached_property
    def _natives(self) -> dict[str, str]:
        """Names of towns that may be drawn, in the scripts of their own countries, by country and name."""
        return _natives(self.gazetteer, self.facts)

    def native(self, town: Place) -> str:
        """Return a town's name as written on signs there."""
        return self._natives.get(f"{town.country} {town.name}", town.name)

    def _language(self, code: str, dice: random.Random) -> str:
        spoken = {k: v for k, v in self.facts.countries[code].languages.items() if v >= _WORD_LANGUAGES}
        return dice.choices([*spoken], [*spoken.values()])[0] if spoken else ""

    def _named(self, code: str, town: Place, dice: random.Random) -> str:
        office = _OFFICES.get(code) or _OFFICES.get(self._language(code, dice))
        name = self.native(town)
        return office.format(name) if office and dice.random() < 0.4 else name

    def _street(self, code: str, town: Place, dice: random.Random) -> str:
        language = self._language(code, dice)
        words = [
            (word, known)
            for word, known in self.facts.streets.items()
            if (code in known.countries or (not known.countries and known.languages[:1] == (language,)))
            and len(word) > 2
        ]
        if not words:
            return ""
        word, known = dice.choice(words)
        name = self.native(dice.choice(self._of(code)[:60]))
        number = f" {dice.randint(1, 180)}" if dice.random() < 0.6 else ""
        if known.position == "before":
            return f"{word.title()} {name}{number}"
        return (f"{name}{word}" if known.position == "glued" else f"{name} {word.title()}") + number

    def _phone(self, code: str, town: Place, dice: random.Random) -> str:
        kind = phonenumbers.PhoneNumberType.FIXED_LINE
        number = phonenumbers.example_number_for_type(code, kind)
        if number is None:
            return ""
        digits = str(number.national_number)
        keep = max(2, len(digits) - 6)
        for _ in range(20):
            tail = "".join(dice.choice(string.digits) for _ in digits[keep:])
            number.national_number = int(digits[:keep] + tail)
            if phonenumbers.is_valid_number(number):
                break
        far = phonenumbers.PhoneNumberFormat.INTERNATIONAL
        near = phonenumbers.PhoneNumberFormat.NATIONAL
        written = phonenumbers.format_number(number, far if dice.random() < 0.35 else near)
        return f"Tel. {written}" if dice.random() < 0.7 else written

    def _domain(self, code: str, town: Place, dice: random.Random) -> str:
        ends = [end for end, known in self.facts.tlds.items() if known.countries.get(code, 0.0) >= 0.9]
        name = "".join(dice.choice(string.ascii_lowercase) for _ in range(dice.randint(4, 9)))
        return f"www.{name}.{dice.choice(ends)}" if ends else ""

    def _postcode(self, code: str, town: Place, dice: random.Random) -> str:
        known = self.facts.postcodes.get(code)
        if known is None or not known.pattern:
            return ""
        written = like(known.pattern, dice)
        for prefix, (city, _, _) in known.areas.items():
            if city and city == town.name:
                tries = (prefix + like(known.pattern, dice)[len(prefix) :] for _ in range(20))
                written = next((one for one in tries if known.matches(one)), written)
        return f"{written} {self.native(town)}" if dice.random() < 0.8 else f"{self.native(town)} {written}"

    def _plate(self, code: str, town: Place, dice: random.Random) -> str:
        known = self.facts.plates.get(code)
        if known is None:
            return ""
        strict = dice.choices([p[0] for p in known.patterns], [p[2] for p in known.patterns])[0]
        return like(strict, dice)

    def _company(self, code: str, town: Place, dice: random.Random) -> str:
        forms = [f.written[0] for f in self.facts.companies.values() if f.countries.get(code, 0.0) > 0.3]
        return f"{firm(dice)} {dice.choice(forms)}" if forms else ""

    def _registration(self, code: str, town: Place, dice: random.Random) -> str:
        rows = [r for r in self.facts.registrations.values() if r.pattern and r.countries.get(code, 0.0) > 0.5]
        if not rows:
            return ""
        row = dice.choice(rows)
        return f"{row.written[0]} {like(row.pattern, dice)}"

    def _price(self, code: str, town: Place, dice: random.Random) -> str:
        rows = [(form, r) for form, r in self.facts.currencies.items() if r.countries.get(code, 0.0) > 0.15]
        if not rows:
            return ""
        form, row = dice.choice(rows)
        amount = dice.choice([f"{dice.randint(2, 90)}", f"{dice.randint(2, 90)},{dice.randint(10, 99)}"])
        return f"{form} {amount}" if row.position == "before" else f"{amount} {form}"

    @cached_property
    def _brands(self) -> dict[str, list[str]]:
        by_country: dict[str, list[str]] = {}
        for name in sorted(self.facts.brand_names()):
            known = self.facts.brand(name)
            if known is not None and len(known.countries) <= 3 and len(name) >= 4:
                for code in known.countries:
                    by_country.setdefault(code, []).append(name)
        return by_country

    def _brand(self, code: str, town: Place, dice: random.Random) -> str:
        names = self._brands.get(code)
        return dice.choice(names).title() if names else ""

    def _road(self, code: str, town: Place, dice: random.Random) -> str:
        forms = [form for form in self.facts.roads if form.countries.get(code, 0.0) > 0.05]
        return like(dice.choice(forms).pattern, dice) if forms else ""

    @cached_property
    def _by_language(self) -> dict[str, list[str]]:
        by_language: dict[str, list[str]] = {}
        for word, known in sorted(self.facts.signwords.items()):
            if word not in self.facts.international:
                for language in known.languages[:2]:
                    by_language.setdefault(language, []).append(word)
        return by_language

    def _words(self, code: str, town: Place, dice: random.Random) -> str:
        words = self._by_language.get(self._language(code, dice))
        return " ".join(dice.choice(words) for _ in range(dice.randint(1, 3))).capitalize() if words else ""

    def _foreign(self, code: str, dice: random.Random) -> str:
        """Return a line that points to another country: decoration, a brand, a .com domain."""
        town = self._of(code)[0].name
        brand = self._brand(code, self._of(code)[0], dice)
        return dice.choice([f"{dice.choice(_DECOR)} {town}", brand or town, f"www.{firm(dice).lower()}.com", town])


@lru_cache(maxsize=1)
def _natives(gazetteer: Gazetteer, facts: Facts) -> dict[str, str]:
    """Names in the scripts of their own countries, by the place's country and name; the first of each."""
    table, found = gazetteer.table, dict[str, str]()
    scripts = {code: known.scripts for code, known in facts.countries.items() if set(known.scripts) - {"Latn"}}
    for key in gazetteer.names.trie:
        if key.isascii():
            continue
        for number, kind in gazetteer.names.links(key)[:1]:
            country = table.country_of[number]
            # What is cheap comes first: most of the 360,000 names are of places whose country writes Latin.
            if kind > 1 or country not in scripts or (name := f"{country} {table.names[number]}") in found:
                continue
            script = script_of(key)
            if script not in ("Latn", "Zyyy") and scripts[country].get(script, 0.0) > 0.3:
                found[name] = key.title()
    return found


_RARE = frozenset({"plate", "road", "registration", "postcode"})

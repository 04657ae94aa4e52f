"""From what a model states to places: in words, and by name."""

from __future__ import annotations

import csv
import gzip

import pytest
from conftest import shared_data

from geoagent.evidence.constraints._believed import MEASURED, believed_picture, believed_text
from geoagent.evidence.constraints._resolve import country_of, resolve, stated_nothing
from geoagent.evidence.constraints._stated import Stated, stated_place
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.normalise import normalise

GAZETTEER = Gazetteer.load()


@pytest.mark.parametrize(
    ("text", "stated"),
    [
        ('{"lat": 1, "long": 2, "city": Nairobi, "country": Kenya}', ("Nairobi", "", "Kenya")),
        ('It is {"city": "Berlin," "country": "Germany"}.', ("Berlin", "", "Germany")),
        ('```json\n{"city": "Washington, D.C.", "country": "USA"}\n```', ("Washington, D.C.", "", "USA")),
        ("**City:** Lima\n**State:** Lima\n**Country:** Peru", ("Lima", "Lima", "Peru")),
        (
            'First {"city": "Rome", "country": "Italy"}; no: {"city": "Paris", "country": "France"}',
            ("Paris", "", "France"),
        ),
        ("The photo was probably taken in Porto, Portugal.", ("Porto", "", "Portugal")),
        ('{"city": "Unknown", "country": "Chile"}', ("", "", "Chile")),
    ],
)
def test_places_are_found_in_words(text, stated):
    assert stated_place(text) == Stated(*stated)


@pytest.mark.parametrize("text", ["", "I cannot help with that.", '{"city": "Not specified", "country": "Unknown"}'])
def test_nothing_stated_is_nothing(text):
    assert stated_place(text) is None


@pytest.mark.parametrize(
    ("name", "level", "country", "first"),
    [
        ("Köln", "city", "DE", "Köln, North Rhine-Westphalia, DE"),
        ("Cologne", "city", "Germany", "Köln, North Rhine-Westphalia, DE"),
        ("Springfield, Illinois", "city", "US", "Springfield, Illinois, US"),
        ("Paris", "city", "US", "Paris, Texas, US"),
        ("Kraków", "city", "", "Kraków, Lesser Poland, PL"),
        ("Bayern", "admin1", "DE", "Bavaria"),
        ("Poland", "country", "", "Poland"),
        ("whatever", "country", "JP", "Japan"),
    ],
)
def test_names_resolve_within_their_country(name, level, country, first):
    found = resolve(GAZETTEER, name, level, country)
    assert str(found.places[0][0]).startswith(first.split(",")[0])
    assert str(found.places[0][0]).split(", ")[-1] == (
        first.split(", ")[-1] if ", " in first else found.places[0][0].country
    )
    assert sum(weight for _, weight in found.places) == pytest.approx(1)
    assert found.note == ""


def test_what_does_not_resolve_is_a_note_and_a_country_at_most():
    found = resolve(GAZETTEER, "Xqzzv Hgrwk", "city", "DE")
    assert [place.level for place, _ in found.places] == ["country"]
    assert "Xqzzv" in found.note
    assert resolve(GAZETTEER, "Xqzzv Hgrwk", "city", "").places == ()
    assert resolve(GAZETTEER, "51.05, 13.74", "city", "").places == ()
    assert resolve(GAZETTEER, "Unknown", "city", "").places == ()


def test_a_city_of_another_country_than_stated_is_not_taken():
    found = resolve(GAZETTEER, "Wanne-Eickel", "city", "JP")
    assert {place.country for place, _ in found.places} <= {"JP"}


@pytest.mark.parametrize(
    ("stated", "code"), [("UK", "GB"), ("England", "GB"), ("USA", "US"), ("Deutschland", "DE"), ("fr", "FR")]
)
def test_countries_by_code_and_name(stated, code):
    found = country_of(GAZETTEER, stated)
    assert found is not None
    assert found.country == code


def test_reliabilities_fall_with_the_level():
    for model in (*MEASURED, "nobody-knows-it"):
        levels = [believed_picture(model, level) for level in ("country", "admin1", "city")]
        assert levels == sorted(levels, reverse=True)
    assert believed_picture("openai/gpt-4o-2024", "country") == MEASURED["gpt-4o"]["country"]
    assert 0 < believed_text("city") <= believed_text("country") < 1


def test_recorded_answers_are_read():
    """At least 97 % of the places that recorded answers state; the benchmark has the whole table."""
    for path in sorted(shared_data("vlm_answers").glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))[:400]
        states = read = 0
        for row in rows:
            wanted = (row["predicted_city"], row["predicted_country"])
            if all(map(stated_nothing, wanted)):
                continue
            states += 1
            said = stated_place(row["model_response"])
            read += said is not None and all(
                stated_nothing(want) or normalise(want) == normalise(got)
                for want, got in zip(wanted, (said.city, said.country), strict=True)
            )
        assert read >= 0.97 * states, path.name

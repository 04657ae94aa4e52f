"""Kitchens abroad: what decorates a Chinese restaurant says less of where it is."""

from __future__ import annotations

import pytest

from geoagent import GeoAgent
from geoagent.evidence.cues.cuisine import kitchens
from geoagent.types.photo import regions_from_lines


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def p(agent: GeoAgent, lines: list[str], country: str) -> float:
    return next((c.p for c in agent.locate_text(lines).countries if c.code == country), 0.0)


@pytest.mark.parametrize(
    ("line", "countries"),
    [
        ("Chinese Restaurant", {"CN", "HK", "TW", "MO"}),
        ("SUSHI BAR", {"JP"}),
        ("Korean BBQ", {"KR", "KP"}),
        ("Türkisch & Döner", {"TR"}),
        ("Indisches Restaurant", {"IN", "PK", "BD", "NP", "LK"}),
        ("Chinatown Books", set()),
        ("Wokingham", set()),
        ("中華料理", set()),
    ],
)
def test_kitchens_are_known_by_whole_words_in_latin_letters(line, countries):
    assert set(kitchens(regions_from_lines([line]))) == countries


@pytest.mark.parametrize(
    ("sign", "kitchen", "country"),
    [
        ("金龍酒家", "Chinese Restaurant", "HK"),
        ("ร้านอาหาร", "Thai Massage", "TH"),
        ("한국식당", "Korean Restaurant", "KR"),
        ("寿司", "Sushi", "JP"),
        ("ताज महल", "Indian Restaurant", "IN"),
        ("مطعم بيروت", "Lebanese Grill", "LB"),
    ],
)
def test_beside_the_name_of_its_kitchen_a_country_is_believed_less(agent, sign, kitchen, country):
    assert p(agent, [sign, kitchen], country) < p(agent, [sign], country)


def test_telephone_numbers_and_postcodes_are_those_of_the_place(agent):
    assert agent.locate_text(["中華料理", "Chinese Restaurant", "50667 Köln"]).countries[0].code == "DE"
    assert p(agent, ["上海小吃", "Chinese food", "+86 21 6321 1234"], "CN") > 0.9

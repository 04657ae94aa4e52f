"""What looks like evidence on menus, in tables of figures and on lines that were read badly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geoagent import GeoAgent
from geoagent.evidence.cues.cuisine import is_menu
from geoagent.places.gazetteer.facts import Facts
from geoagent.types import TextRegion, regions_from_lines

AGENT = GeoAgent.load(ocr="nothing")
FACTS = Facts.load()


def cues(lines: list[str], kind: str) -> list[str]:
    return [cue.value for cue in AGENT.observe_text(lines).text.cues if cue.kind == kind]


MENUS = [
    ["MILO ICE", "BANDUNG", "ICE LEMON TEA", "HONEYDEW", "GLASS JELLY", "COFFEE"],
    ["Ceviche frío", "Canelones", "Ensalada mixta", "Sopa del día", "Pollo asado", "Postres"],
    ["Cheddar 4.50", "Ham & Cheese sandwich", "Tomato soup", "Waffles", "Orange juice"],
    ["Iced Latte", "Espresso", "Mocha", "Java chip", "Green tea", "Cheesecake"],
    ["Gouda toast", "Salmon bagel", "Fried rice", "Chicken noodle soup", "Banana smoothie"],
]


@pytest.mark.parametrize("lines", MENUS)
def test_dishes_and_drinks_are_no_places(lines: list[str]):
    assert is_menu(regions_from_lines(lines))
    answer = AGENT.locate_text(lines)
    assert answer.best.precision == "none"
    assert all(cue.reliability < 0.3 for cue in answer.cues if cue.kind in ("name", "brand", "regional"))


@pytest.mark.parametrize(
    "lines",
    [
        ["Café Central", "Herrengasse 14", "1010 Wien"],
        ["ICE CREAM", "Brighton Beach"],
        ["Pizzeria", "Napoli", "Via Roma 3"],
        ["Fish & Chips", "Whitby", "Open daily", "12-9"],
        ["OPEN", "CLOSED"],
    ],
)
def test_a_shop_with_food_is_no_menu(lines: list[str]):
    assert not is_menu(regions_from_lines(lines))


def test_a_number_to_call_on_a_menu_still_counts():
    lines = [*MENUS[0], "Tel. +65 6225 5632"]
    assert AGENT.locate_text(lines).best.country == "SG"


@pytest.mark.parametrize(
    "line",
    [
        "-208-897-277-712-1220-2016-1619019",
        "0+-0706-06109-0905-0504-0408-080",
        "--03--03--04--03--05",
        "12.500-13.750-14.900-0221.4710234",
        "000000316570 000000117616",
    ],
)
def test_rows_of_figures_are_no_telephone_numbers(line: str):
    assert cues([line], "phone") == []


@pytest.mark.parametrize(
    "line", ["0221 4710-234", "(030) 2345 678", "020 7946 0018", "Tel. 04-78-37-00-00", "+49-221-4710234"]
)
def test_numbers_with_usual_separators_stay(line: str):
    assert len(cues([line], "phone")) == 1


def test_a_table_of_figures_has_no_numbers_to_call():
    rows = [f"{i}2 58220 33023{i}" for i in range(9)]
    assert cues(rows, "phone") == []
    assert cues([*rows, "Tel. 0221 4710 234"], "phone") == ["0221 4710 234"]


@pytest.mark.parametrize(
    "line", ["GA DONG DUONG", "Bun Bo Gu", "Hong Gil Market", "DA DONG RESTAURANT", "Kuala Ro Hotel"]
)
def test_korean_streets_in_latin_letters_have_a_hyphen(line: str):
    assert not any("South Korea" in c.says for c in AGENT.observe_text([line]).text.cues if c.kind == "street")


@pytest.mark.parametrize("line", ["Yeoksam-dong 12", "Teheran-ro 152", "Mapo-gu", "Jongno 3-gil 17", "Itaewon-dong"])
def test_korean_streets_with_a_hyphen_stay(line: str):
    assert any("South Korea" in c.says for c in AGENT.observe_text([line]).text.cues if c.kind == "street")


@pytest.mark.parametrize("town", ["Llanes", "Tulum", "Comala", "Guatapé", "Cuzcurrita"])
def test_a_municipio_is_not_only_portuguese_or_italian(town: str):
    found = AGENT.observe_text([f"MUNICIPIO DE {town.upper()}"]).text.cues
    assert not [cue for cue in found if cue.kind in ("institution", "regional")]


@pytest.mark.parametrize(("line", "code"), [("ПІРЕХОД", "UA"), ("КҮУЛЬТҮРЫ", "KZ"), ("НАҢБЕРЕЖНАЯ", "KZ")])
def test_a_letter_of_another_language_on_a_line_read_badly(line: str, code: str):
    """A misread letter is often one of another alphabet; where the line is sure, it is the language's own."""
    (region,) = regions_from_lines([line])
    region = replace(region, polygon_px=np.array([[0, 0], [200, 0], [200, 30], [0, 30]], dtype=np.float32))
    shares = {}
    for sure in (0.95, 0.1):
        read: TextRegion = replace(region, confidence=sure, stated=0.95)
        posterior = AGENT.fusion(AGENT.assets.world.log_prior, AGENT.understand([read]).constraints)
        shares[sure] = posterior.probs[AGENT.assets.world.cells.inside(code)].sum()
    assert shares[0.1] < shares[0.95] / 2


@pytest.mark.parametrize(("word", "language"), [("samba", "pt"), ("tango", "es"), ("polka", "cs"), ("banana", "pt")])
def test_an_ordinary_word_is_not_at_home_in_a_town_of_that_name(word: str, language: str):
    frequency = FACTS.frequency
    assert frequency.of(word, (language,)) == frequency.of(word)


def test_a_towns_own_language_still_counts():
    english = [word for word in ("reading", "bath") if FACTS.frequency.zipf.get(word, (0, 0, ""))[2] in ("", "en")]
    assert english
    assert all(FACTS.frequency.of(word, ("en",)) <= FACTS.frequency.of(word) for word in english)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("კამპუსი ბიბლიოთეკა", "GE"),
        ("Գրադարան և թանգարան", "AM"),
        ("ຫ້ອງການ ໄປສະນີ", "LA"),
        ("ভোজনালয়", "BD"),
        ("หอสมุดแห่งชาติ", "TH"),
    ],
)
def test_a_small_language_with_letters_of_its_own_is_seldom_abroad(line: str, code: str):
    (cue,) = (c for c in AGENT.observe_text([line]).text.cues if c.kind == "language")
    world = AGENT.assets.world
    home = cue.countries[code] * world.country_prior[code]
    abroad = sum(cue.countries.get(other, cue.elsewhere) * p for other, p in world.country_prior.items()) - home
    assert home / (home + abroad) > (0.2 if code == "BD" else 0.7)  # Bengali is also that of India, and of many abroad

"""Cues of road signs, habits of writing, register numbers, directions; and colours from pixels."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from work import assert_linear

from geoagent import GeoAgent
from geoagent.evidence.cues import find_cues
from geoagent.evidence.cues.panel import colour_name, with_appearance
from geoagent.evidence.cues.reading import placed
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.types import Photo, TextRegion, regions_from_lines

GAZETTEER, FACTS = Gazetteer.load(), Facts.load()
AGENT = GeoAgent.load(ocr="nothing")


def of_kind(kind: str, *lines: str):
    return [cue for cue in find_cues(regions_from_lines(lines), GAZETTEER, FACTS) if cue.kind == kind]


def top(cue) -> str:
    return max(cue.countries, key=lambda code: cue.countries[code])


@pytest.mark.parametrize(
    ("kind", "line", "country"),
    [
        ("signword", "PARE", "BR"),
        ("signword", "ALTO", "MX"),
        ("signword", "DUR", "TR"),
        ("signword", "止まれ", "JP"),
        ("signword", "ARRÊT", "CA"),
        ("signword", "Anlieger frei", "DE"),
        ("signword", "ausgenommen Anrainer", "AT"),
        ("signword", "TOW AWAY ZONE", "US"),
        ("signword", "Vado permanente", "ES"),
        ("signword", "nie dotyczy", "PL"),
        ("habit", "Menü 12.–", "CH"),
        ("habit", "Kaffe 25:-", "SE"),
        ("habit", "RT 03/RW 05", "ID"),
        ("habit", "No:12/A", "TR"),
        ("habit", "# 7-50", "CO"),
        ("habit", "令和5年", "JP"),
        ("habit", "SPEED 30 MPH ZONE", "US"),
        ("road", "I-95", "US"),
        ("road", "BR-101", "BR"),
        ("road", "NH 44", "IN"),
        ("road", "国道1号", "JP"),
        ("road", "AP-7", "ES"),
        ("road", "М-4", "RU"),
    ],
)
def test_a_sign_speaks_for_its_country(kind, line, country):
    found = of_kind(kind, line)
    assert found, line
    assert top(found[0]) in {country, "GB"} if country == "US" else top(found[0]) == country
    assert found[0].says.endswith(".")


@pytest.mark.parametrize("line", ["12.03", "1-2", "A4 copies", "Vitamin B12", "Boeing 747", "iPhone 12", "3 for 2"])
def test_not_every_number_is_a_road_or_a_habit(line):
    assert of_kind("road", line) == []
    assert of_kind("habit", line) == []


@pytest.mark.parametrize(
    ("line", "country", "place"),
    [
        ("ИНН 7812345678", "RU", "Saint Petersburg"),
        ("CIF B-46123456", "ES", "Valencia"),
        ("RUC 0190123456001", "EC", "Azuay"),
        ("Nr. Reg. Com. J12/482/2004", "RO", "Cluj-Napoca"),
        ("GSTIN 29ABCDE1234F1Z5", "IN", "Karnataka"),
    ],
)
def test_register_numbers_name_the_region_that_gave_them_out(line, country, place):
    cue = of_kind("registration", line)[0]
    assert top(cue) == country
    assert cue.inside[country][0][0].name == place


def test_a_label_of_several_countries_is_told_apart_by_its_number():
    (peru,) = of_kind("registration", "RUC 20123456789")
    (ecuador,) = of_kind("registration", "RUC 0190123456001")
    assert (top(peru), top(ecuador)) == ("PE", "EC")


def test_every_region_of_numbers_and_plates_is_a_place():
    reading = SimpleNamespace(gazetteer=GAZETTEER)
    lost = [
        (country, code, name)
        for label in FACTS.registrations.values()
        for country, _, codes in label.numbers
        if not isinstance(codes, str)
        for code, name in codes.items()
        if placed(country, name, reading) is None
    ]
    assert lost == []


def test_a_name_with_a_distance_is_a_bearing_and_no_place():
    (cue,) = of_kind("direction", "Lyon 45 km")
    assert {place.country for place, _ in cue.places} == {"FR"}
    lyon = [w for place, w in cue.places if place.level == "city" and place.name == "Lyon"]
    assert not lyon
    assert of_kind("name", "Lyon 45 km") == []
    assert of_kind("direction", "Lyon 2 km") == [], "so near, the sign is in Lyon"
    assert of_kind("direction", "Lyon 45") == [], "a number alone may be anything"


def test_two_distances_cross():
    answer = AGENT.locate_text(["Graz 120 km", "Wien 80 km"])
    wien, graz = GAZETTEER.lookup("Wien", k=1)[0].place, GAZETTEER.lookup("Graz", k=1)[0].place
    best = answer.best
    assert best.country == "AT"
    from geoagent import LatLon

    here = LatLon(best.lat, best.lon)
    assert 40 < here.distance_km(wien.latlon) < 100
    assert 60 < here.distance_km(graz.latlon) < 140


def test_miles_are_miles():
    (cue,) = of_kind("direction", "Bristol 30 miles")
    assert cue.value == "Bristol 48 km"


@pytest.mark.parametrize(
    ("rgb", "name"),
    [
        ((250, 250, 250), "white"),
        ((10, 12, 11), "black"),
        ((0, 105, 60), "green"),
        ((0, 70, 160), "blue"),
        ((245, 200, 20), "yellow"),
        ((120, 65, 25), "brown"),
        ((200, 20, 30), "red"),
    ],
)
def test_colours_have_names(rgb, name):
    assert colour_name(np.array(rgb, dtype=np.uint8)) == name


def painted(ground, ink, band=None) -> tuple[Photo, TextRegion]:
    pixels = np.full((200, 400, 3), 128, dtype=np.uint8)
    pixels[60:140, 60:360] = ground
    if band is not None:
        pixels[60:140, 60:100] = band
    for x in range(120, 340, 24):
        pixels[80:120, x : x + 8] = ink
    quad = np.array([[104, 70], [350, 70], [350, 130], [104, 130]], dtype=np.float32)
    return Photo(pixels), TextRegion("AB-123-CD", quad)


@pytest.mark.parametrize(
    ("ground", "ink", "panel"),
    [
        ((0, 105, 60), (255, 255, 255), "green"),
        ((0, 70, 160), (255, 255, 255), "blue"),
        ((245, 200, 20), (0, 0, 0), "yellow"),
        ((255, 255, 255), (0, 0, 0), "white"),
        ((15, 15, 15), (255, 255, 255), "black"),
    ],
)
def test_the_panel_is_what_the_letters_stand_on(ground, ink, panel):
    photo, region = painted(ground, ink)
    assert with_appearance(photo, [region])[0].panel == panel


def test_a_blue_band_and_a_yellow_plate_are_seen_and_believed():
    photo, region = painted((245, 200, 20), (0, 0, 0), band=(0, 60, 160))
    (seen,) = with_appearance(photo, [region])
    assert (seen.panel, seen.band) == ("yellow", "blue")
    (plain,) = of_kind("plate", "12-ABC-3")
    (cue,) = [c for c in find_cues((TextRegion("XX-12-34", panel="yellow"),), GAZETTEER, FACTS) if c.kind == "plate"]
    assert "yellow" in cue.says
    assert cue.countries["NL"] > 3 * cue.countries["PT"]
    assert "yellow" not in plain.says


def test_the_colour_of_a_panel_tells_motorways_apart():
    def weights(panel):
        (cue,) = [c for c in find_cues((TextRegion("A7", panel=panel),), GAZETTEER, FACTS) if c.kind == "road"]
        return cue.countries

    assert weights("green")["IT"] / weights("green")["DE"] > 5 * weights("blue")["IT"] / weights("blue")["DE"]


def test_regions_without_a_picture_have_no_colour():
    assert with_appearance(Photo(np.zeros((50, 50, 3), np.uint8)), [TextRegion("x")])[0].panel == ""


STRANGE = st.text(
    st.one_of(
        st.characters(),
        st.sampled_from("\u200b\u200d\u202e\u2066\u2069\ufeff\x00\u0301\u0e31۰٣९"),
        st.sampled_from("0123456789-/.: #kmKM€$"),
    ),
    max_size=120,
)


@given(st.lists(STRANGE, max_size=8))
def test_no_text_breaks_the_answer(lines):
    answer = AGENT.locate_text(lines)
    assert sum(c.p for c in answer.countries) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "1",
        "1-",
        "12,",
        "ab ",
        "京都",
        "Paris 12 km ",
        "\u202e",
        "\x00",
        "# 7-50 ",
        "١",
        "RT 1/RW 1 ",
        "é́",
        "....",
        "A7 ",
        "J12/",
    ],
)
def test_long_texts_take_work_in_proportion(piece):
    def read(size):
        text = (piece * size)[:size]
        return AGENT.observe_text([text, text[:300], *[text[:40]] * (size // 100)])

    assert_linear(read, 500)


def test_a_hundred_thousand_characters_are_answered():
    text = ("Paris 12 km " * 10_000)[:100_000]
    answer = AGENT.locate_text([text, text[:300], *[text[:40]] * 20])
    assert sum(c.p for c in answer.countries) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "lines",
    [
        ["HOTEL PARIS"],
        ["Café Roma", "Wi-Fi"],
        ["Pizzeria Napoli"],
        ["Restaurant Istanbul"],
        ["London Fashion"],
        ["Bar Milano"],
    ],
)
def test_names_that_decorate_do_not_move_the_prior(lines):
    answer = AGENT.locate_text(lines)
    prior = AGENT.assets.world.country_prior
    drift = sum(c.p * np.log(c.p / prior[c.code]) for c in answer.countries if c.p > 0)
    assert drift < 0.05


@pytest.mark.parametrize(
    ("lines", "country"),
    [
        (["Ristorante Bella Napoli", "Öffnungszeiten", "Montag Ruhetag", "Tel. 0221 4710234"], "DE"),
        (["PARIS", "Texas", "Speed limit 55"], "US"),
        (["Irish Pub Dublin", "Otwarte codziennie", "ul. Długa 7"], "PL"),
        (["McDonald's", "Açık", "Otopark girişi"], "TR"),
        (["Tokyo Sushi", "Menu du jour 14,50 €", "Fermé le lundi", "Tél. 04 78 12 34 56"], "FR"),
    ],
)
def test_misleading_text_is_outvoted(lines, country):
    assert AGENT.locate_text(lines).best.country == country


def region(text: str, left: float, top_px: float, height: float) -> TextRegion:
    width = height * len(text) * 0.6
    quad = [[left, top_px], [left + width, top_px], [left + width, top_px + height], [left, top_px + height]]
    return TextRegion(text, np.array(quad, dtype=np.float32))


def test_rows_of_a_plate_stand_close_together():
    near = (region("KA 01", 0, 0, 40), region("AB 1234", 0, 44, 40))
    far = (region("KA 01", 0, 0, 40), region("AB 1234", 900, 700, 40))

    def plates(regions):
        return [cue.value for cue in find_cues(regions, GAZETTEER, FACTS) if cue.kind == "plate"]

    assert plates(near) == ["KA 01 AB 1234"]
    assert "KA 01 AB 1234" not in plates(far)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Geöffnet 6–18 Uhr", "6–18 Uhr"),
        ("Mo-Fr 8.00-18.30 Uhr", "8.00-18.30 Uhr"),
        ("Mo–Fr 8 – 12 und 14 – 18 Uhr", "14 – 18 Uhr"),
        ("Kel. Setiabudi", "Kel. Setiabudi"),
    ],
)
def test_a_habit_is_quoted_whole(line, value):
    assert value in {cue.value for cue in AGENT.observe_text([line]).text.cues if cue.kind == "habit"}


def test_a_small_town_is_found_in_the_region_named_beside_it():
    best = AGENT.locate_text(["Entering", "WOODSTOCK", "VERMONT"]).best
    assert (best.place, best.admin1) == ("Woodstock", "Vermont")

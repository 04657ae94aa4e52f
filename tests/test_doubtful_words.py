"""Words and numbers that look like evidence and are none, and plates that are read badly and are some."""

from __future__ import annotations

import numpy as np
import pytest
from test_cues_tables import ranked, share
from test_real_reading import AGENT, FREQUENCY, first, in_photo, line

from geoagent.types import Constraint, TextRegion


def statements(kind: str, *regions: TextRegion | str) -> list[Constraint]:
    lines = [line(r, i) if isinstance(r, str) else r for i, r in enumerate(regions)]
    return [c for c in AGENT.understand(lines).constraints if c.kind == kind]


def strength(kind: str, *regions: TextRegion | str) -> float:
    return max((c.reliability for c in statements(kind, *regions)), default=0.0)


def country(constraint: Constraint) -> str:
    return ranked(constraint)[0]


# Plates


def test_a_sign_of_the_country_at_a_plate_with_a_lost_digit_tells_it():
    (told,) = statements("plate", line("KA05MK72", left=200), line("IND", left=160))
    assert country(told) == "IN"
    assert not statements("plate", line("KA05MK72", left=200))
    assert not statements("plate", line("KA05MK72", left=200), line("IND", 7, left=600))  # far away


def test_a_sign_of_two_letters_outweighs_the_size_of_a_country():
    assert country(statements("plate", line("TT-482-BK", left=200), line("GE", left=160))[0]) == "GE"
    assert country(statements("plate", line("TT-482-BK", left=200))[0]) != "GE"


@pytest.mark.parametrize("text", ["x482MK 36", "o117YC 799"])
def test_small_letters_that_look_like_capitals_are_read_as_those(text):
    (told,) = statements("plate", text)
    assert country(told) == "RU"


@pytest.mark.parametrize("text", ["Box 4821", "kw 4821 ab", "CALLE7", "1080p", "1990s", "100000x"])
def test_words_with_a_number_are_no_plates(text):
    assert not statements("plate", text)


def test_signs_that_are_words_or_above_the_number_tell_nothing():
    for sign in (line("AND", left=160), line("FIN", left=160), line("IND", 1, left=200)):
        assert not statements("plate", line("KA05MK72", left=200), sign)


def test_a_sign_that_stands_at_several_plates_counts_once():
    plate, signs = line("AB-123-CD", left=300), [line("I", left=280), line("I", left=460), line("I", left=470)]
    once, thrice = (statements("plate", plate, *some)[0] for some in (signs[:1], signs))
    assert share(once, "IT") == pytest.approx(share(thrice, "IT"))


def upper_and_lower(left: float, upper: str, lower: str, **more) -> tuple[TextRegion, TextRegion]:
    """The rows of a plate, one right under the other."""
    regions = []
    for text, top in ((upper, 300), (lower, 345)):
        quad = np.array([[left, top], [left + 110, top], [left + 110, top + 40], [left, top + 40]], dtype=np.float32)
        regions.append(TextRegion(text, quad, 0.99, "Zyyy", height=40 / 600, contrast=0.6, **more))
    return regions[0], regions[1]


def test_plates_side_by_side_are_put_together_by_their_places():
    plates = [upper_and_lower(100, "43-K1", "512.08"), upper_and_lower(400, "43-F2", "777.31")]
    upper, lower = zip(*plates, strict=True)
    (told,) = statements("plate", *upper, *lower)
    assert (country(told), told.value) in {("VN", "43-K1 512.08"), ("VN", "43-F2 777.31")}
    older = statements("plate", *upper_and_lower(100, "43-H5", "2917"))
    assert [country(c) for c in older] == ["VN"]


def test_rows_on_other_grounds_are_one_plate_only_right_under_each_other():
    one, two = upper_and_lower(100, "43-K1", "512.08")
    assert statements("plate", TextRegion(one.text, one.polygon_px, 0.99, panel="brown"), two)
    shifted = two.polygon_px + np.array([70, 0], dtype=np.float32)
    grounds = {"panel": "brown"}, {"panel": "white"}
    apart = [
        TextRegion(r.text, q, 0.99, **g) for r, q, g in zip((one, two), (one.polygon_px, shifted), grounds, strict=True)
    ]
    assert not statements("plate", *apart)


def test_a_plate_in_the_shade_is_still_a_plate():
    dark, blue = (TextRegion("AE 1077 CO", panel=panel) for panel in ("black", "blue"))
    assert strength("plate", dark) > 1.5 * strength("plate", blue)


def test_the_address_on_a_car_is_no_second_witness_to_its_plate():
    plate = line("ZG 4821 KB", 4, left=300, height=40)
    over, away = line("www.autokuca.hr", 2, left=300), line("www.autokuca.hr", 2, left=700)
    assert strength("domain", plate, over) < 0.2 * strength("domain", plate, away)
    assert strength("domain", over) == strength("domain", away)


def test_a_plate_of_other_countries_takes_nothing_from_an_address():
    plate, over = line("LEA 1234", 4, left=300, height=40), line("www.kohinoor.com.pk", 2, left=300)
    assert strength("domain", plate, over) == strength("domain", over)


def test_digits_around_an_arabic_word_are_a_tunisian_plate_however_it_is_read():
    for text in ("204 تونس 5817", "204 ۇنس 5817"):
        assert country(statements("plate", TextRegion(text, panel="black"))[0]) == "TN"
    for text in ("١٢٣-٤٥٦-٧٨٩", "120 متر 350", "100 جنيه 200", "۱۲ الف ۳۴۵"):
        assert not statements("plate", TextRegion(text, panel="black"))


# Streets


@pytest.mark.parametrize(
    "text",
    [
        "Al karam cafe",
        "Col du Grand Saint-Bernard",
        "BAAN SUAN",
        "Nr 4821",
        "do Fundo Main",
        "Sunny Camping 2",
        "Blue Divers",
    ],
)
def test_what_only_looks_like_a_street_is_none(text):
    assert strength("street", text) < 0.35


@pytest.mark.parametrize(
    ("text", "of"),
    [
        ("Kongens Gade", "DK"),
        ("Aleksis Kiven katu 12", "FI"),
        ("Baker Street", "GB"),
        ("Al. Niepodległości", "PL"),
        ("Col. Jardines del Bosque", "MX"),
        ("Rue du Lac", "FR"),
        ("2nd Main Jayanagar", "IN"),
    ],
)
def test_streets_with_the_same_words_stay(text, of):
    assert strength("street", text) > 0.4
    assert of in {place.country for place in statements("street", text)[0].places}


# Money, firms, addresses, numbers


def test_naira_are_counted_in_hundreds():
    assert strength("currency", "N 25", "N 40", "N 18") < 0.1 < strength("currency", "N 2500", "N 400", "N 1800")


@pytest.mark.parametrize("text", ["SL", "CA", "PC", "AB"])
def test_a_form_of_a_firm_needs_a_name(text):
    assert not statements("company", text)
    assert statements("company", "Construcciones Rivas SL")


@pytest.mark.parametrize(
    ("text", "of"), [("UAB Žemaitija", "LT"), ("PT Sumber Makmur", "ID"), ("SIA Baltijas Koks", "LV")]
)
def test_forms_that_stand_before_the_name_stay(text, of):
    assert of in {country(c) for c in statements("company", text)}


@pytest.mark.parametrize("text", ["www.af", "46.TC", "12.mk"])
def test_what_was_cut_off_is_no_address(text):
    assert not statements("domain", text)


@pytest.mark.parametrize("text", ["www.1177.se", "1177.se", "info@163.cn"])
def test_numbers_can_be_names_of_addresses(text):
    assert statements("domain", text)


def test_a_longer_name_is_another_institution():
    assert strength("institution", "National Environment Agency") < 0.4 * strength("institution", "Environment Agency")
    assert strength("institution", "Gare SNCF") > 0.2  # the word before says what it is, and not whose


def test_1800_in_one_is_dialled_in_more_countries():
    apart, joined = statements("phone", "1-800-FLOWERS"), statements("phone", "1800-FLOWERS")
    assert 3 * share(apart[0], "SG") < share(joined[0], "SG")
    assert share(apart[0], "US") > share(joined[0], "US")


def test_two_numbers_that_are_joined_are_two():
    found = statements("phone", "Cel: 3115550142-3205550199")
    assert len(found) == 2
    assert all("CO" in {place.country for place in each.places} for each in found)


# Brands and names


def test_a_brand_on_several_lines_is_one_statement():
    assert len(statements("brand", "Bergenbier", "Bergenbier")) == 1


@pytest.mark.parametrize("text", ["MODERNA", "Heineke", "QUIOSQUE"])
def test_words_and_cut_names_are_no_misread_brands(text):
    assert strength("brand", text) < 0.1


def test_names_that_are_not_the_usual_ones_say_less():
    for key, people in (("bonos", 50_000), ("regioni", 100_000), ("maanden", 700)):
        assert FREQUENCY.names_place(key, people, another=True) < 0.25
        assert FREQUENCY.names_place(key, people, another=True) < FREQUENCY.names_place(key, people)
    assert FREQUENCY.names_place("hrvatske", 4_000_000, {"hr"}, another=True) > 0.5  # in the country's own language


@pytest.mark.parametrize(("text", "of"), [("Firenze", "IT"), ("Hrvatske", "HR"), ("Praha", "CZ"), ("Munich", "DE")])
def test_cities_and_countries_by_their_own_and_usual_names_stay(text, of):
    (told,) = statements("name", text, "0")
    assert country(told) == of
    assert told.reliability > 0.3


def test_a_foreign_town_in_another_script_is_mostly_a_word():
    said = "この部屋は百カンデラの明るさです"
    assert strength("name", TextRegion(said, script="Jpan", script_is_evidence=True)) < 0.15
    assert first(in_photo(TextRegion(said, script="Jpan", script_is_evidence=True)))[0] == "JP"


@pytest.mark.parametrize("text", ["PARQUE NACIONAL", "NOCHE DE SAMBA"])
def test_common_words_beside_others_name_no_region(text):
    assert strength("name", text) < 0.3


@pytest.mark.parametrize(
    ("text", "of"), [("Lago di Braies", "IT"), ("Jogja", "ID"), ("Passo dello Stelvio", "IT"), ("Kanjon Tare", "ME")]
)
def test_natural_sights_are_landmarks(text, of):
    assert [country(c) for c in statements("landmark", text)] == [of]


def test_names_that_other_things_carry_too_say_little():
    for text in ("GARNI", "Kakadu", "San Gottardo"):
        assert strength("landmark", text) < 0.4


# Habits


def test_walking_times_are_written_as_in_the_alps():
    (told, *_) = statements("habit", "Passhöhe", "2h 40min")
    assert share(told, "CH") > 0.2
    for text in ("Free for 40 min", "Film 1h 45min"):
        assert not statements("habit", text)


def test_the_upper_row_of_a_nepalese_plate_is_known():
    (told,) = statements("habit", TextRegion("बा ३ च", script="Deva", script_is_evidence=True))
    assert country(told) == "NP"

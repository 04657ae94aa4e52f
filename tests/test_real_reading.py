"""What OCR reads from real photos is believed as far as it deserves: overlays, common words, forms of numbers, Han."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.errors import ResourceError
from geoagent.evidence.cues.overlay import laid_over
from geoagent.evidence.cues.panel import with_appearance
from geoagent.evidence.cues.plate_forms import fits
from geoagent.evidence.cues.script import han_forms
from geoagent.evidence.legibility import legibility
from geoagent.evidence.observation import Observation
from geoagent.places.gazetteer.frequency import Frequency
from geoagent.types import Photo, TextRegion, VisionEvidence

AGENT = GeoAgent.load(ocr="nothing")
FREQUENCY = AGENT.assets.facts.frequency
WIDE, TALL = 800, 600


def line(
    text: str, row: int = 0, *, left: float = 100, height: float = 30, confidence: float = 0.99, **more
) -> TextRegion:
    """A line of a photo of 800 × 600 pixels."""
    top, right = 100 + 60 * row, left + 16 * len(text)
    quad = np.array([[left, top], [right, top], [right, top + height], [left, top + height]], dtype=np.float32)
    return TextRegion(text, quad, confidence, "Latn", True, height=height / TALL, contrast=0.6, **more)


def in_photo(*regions: TextRegion):
    """The answer for a photo with these lines."""
    world = AGENT.assets.world
    vision = VisionEvidence(world.log_prior, world.cells.fingerprint)
    text = AGENT.understand(regions)
    return AGENT.answer(Observation("photo", vision, text, text.warnings, size_px=(WIDE, TALL)))


def first(answer) -> tuple[str, float]:
    return answer.countries[0].code, answer.countries[0].p


# Overlays


@pytest.mark.parametrize(
    "text",
    [
        "shutterstock",
        "shutterst0ck",
        "alamy stock photo",
        "© Maria Lopez",
        "Photo by J. Madison",
        "gettyimages",
        "Image ID: 4410",
    ],
)
def test_what_agencies_and_photographers_print_is_laid_over(text):
    assert laid_over([line(text)]) == {0}
    assert in_photo(line(text)).cues == []


def test_a_repeated_watermark_is_found_with_its_fragments():
    rows = [
        line("FOTOMARKT", 0),
        line("FOTOMARKT", 2, left=400),
        line("FOTOMARKT", 5),
        line("MARKT", 6),
        line("Bäckerei", 7),
    ]
    assert laid_over(rows) == {0, 1, 2, 3}


def test_a_shop_that_is_named_three_times_on_one_row_is_no_watermark():
    assert laid_over([line("BÄCKEREI", 0, left=x) for x in (20, 300, 580)]) == set()


@pytest.mark.parametrize("text", ["2004 7 12", "'04 7 12", "12.07.2004", "2019-03-16 10:00:00", "04/26/2009"])
def test_a_date_with_nothing_else_is_no_evidence_in_a_photo(text):
    assert in_photo(line(text)).cues == []


def test_the_answer_says_what_was_laid_over():
    answer = in_photo(line("Hauptstraße 5"), line("depositphotos", 3))
    assert any("laid over the photo" in warning and "region 1" in warning for warning in answer.warnings)


def test_a_site_along_the_edge_is_a_caption_and_on_a_sign_it_is_not():
    assert laid_over([line("fotos-555.ru", height=14, at_edge=True)]) == {0}
    assert laid_over([line("fotos-555.ru")]) == set()


@given(st.lists(st.text(max_size=30), max_size=8))
def test_any_lines_can_be_asked(texts):
    assert laid_over([TextRegion(text) for text in texts]) <= set(range(len(texts)))


# How well a line was read


def test_doubtful_small_faint_and_short_lines_count_less():
    sure = legibility(line("STUTTGART"))
    assert sure == 1.0
    assert legibility(line("STUTTGART", confidence=0.6)) < 0.6
    assert legibility(line("STUTTGART", height=9)) < sure
    assert legibility(line("XK", confidence=0.8)) < legibility(line("XKRTE", confidence=0.8))
    assert legibility(TextRegion("STUTTGART")) == 1.0
    faint = line("STUTTGART")
    faint = TextRegion(faint.text, faint.polygon_px, 0.99, "Latn", True, contrast=0.1)
    assert legibility(faint) < sure


@given(st.floats(0, 1), st.floats(1, 200), st.text(max_size=12))
def test_legibility_is_a_factor(confidence, height, text):
    assert 0.0 < legibility(line(text, height=height, confidence=confidence)) <= 1.0


def test_size_place_and_contrast_come_from_the_pixels():
    pixels = np.full((TALL, WIDE, 3), 40, dtype=np.uint8)
    pixels[560:590, 100:400] = 240
    pixels[565:585, 110:390:12] = 10
    quad = np.array([[100, 560], [400, 560], [400, 590], [100, 590]], dtype=np.float32)
    (seen,) = with_appearance(Photo(pixels), [TextRegion("KREUZBERG", quad)])
    assert seen.height == pytest.approx(30 / TALL)
    assert seen.at_edge
    assert seen.contrast > 0.5


def test_a_sharp_reading_says_more_than_a_doubtful_one():
    clear, doubtful = (in_photo(line("Tel. +49 711 216 0", confidence=c)) for c in (0.99, 0.55))
    assert first(clear)[0] == "DE"
    assert first(clear)[1] > first(doubtful)[1] + 0.1


def test_two_statements_that_agree_are_believed_more_than_their_parts():
    alone = in_photo(line("Lübeck"))
    both = in_photo(line("Lübeck"), line("Apotheke geöffnet", 3))
    assert first(alone)[1] < 0.6
    assert first(both) > ("DE", 0.8)


# Common words


@pytest.mark.parametrize(
    "text",
    [
        "Parks",
        "The White Horse",
        "TYRE SHOP",
        "Level L2",
        "STOCK",
        "Opening remarks",
        "Vitamin C 1000",
        "Sharing",
        "Kyle Sloan 200",
    ],
)
def test_common_words_and_persons_name_no_place(text):
    answer = in_photo(line(text))
    assert answer.best.precision == "none"
    assert first(answer)[1] < 0.4


def test_a_town_beats_what_another_language_calls_a_country():
    assert first(AGENT.locate_text(["Welcome to Poole"]))[0] == "GB"
    assert first(AGENT.locate_text(["KOREA TOURISM"]))[0] == "KR"


def test_context_makes_a_common_word_a_place():
    odds = [FREQUENCY.names_place("bath", 100_000), FREQUENCY.names_place("wolverhampton", 100_000)]
    assert odds[0] < 0.1 < 0.8 < odds[1]
    alone, told = (first(AGENT.locate_text([text])) for text in ("Bath", "Welcome to the City of Bath"))
    assert told[0] == "GB"
    assert told[1] > alone[1] + 0.3


@given(st.integers(0, 10**8), st.sampled_from(["parks", "phoenix", "köln", "golden gate", ""]))
def test_the_larger_the_place_the_likelier_it_is_meant(people, key):
    less, more = FREQUENCY.names_place(key, people), FREQUENCY.names_place(key, 10 * people + 1000)
    assert 0.0 <= less <= more <= 1.0


def test_a_damaged_table_of_frequencies_is_refused(tmp_path):
    (tmp_path / "frequency.json").write_text(
        '{"zipf_tenths": {"a": []}, "ordinary": [], "first_names": [], "surnames": []}'
    )
    with pytest.raises(ResourceError):
        Frequency.load(tmp_path)


def test_a_list_of_far_cities_is_no_place():
    board = [line(name, row) for row, name in enumerate(["BANGKOK", "ISTANBUL", "SEOUL", "DUBAI", "MANILA", "LIMA"])]
    assert first(in_photo(*board))[1] < 0.5


# Money, postcodes, plates: one parse a line


@pytest.mark.parametrize("area", ["LE1", "RM10", "CF10", "SE1", "KW1", "B1", "ZE2", "L1"])
def test_british_postcodes_are_neither_money_nor_plates(area):
    answer = AGENT.locate_text([f"{area} 4QT"])
    assert {cue.kind for cue in answer.cues} & {"postcode"}
    assert not {cue.kind for cue in answer.cues} & {"currency", "plate"}
    assert first(answer)[0] == "GB"


@pytest.mark.parametrize("text", ["ARA 008", "98-100", "APR 18", "01 CC 1A 0001"])
def test_what_merely_has_the_form_of_a_postcode_names_nothing(text):
    assert first(in_photo(line(text)))[1] < 0.5


@pytest.mark.parametrize(
    ("text", "town"),
    [
        ("13200 Arles", "Arles"),
        ("06600 Antibes", "Antibes"),
        ("38500 Voiron", "Voiron"),
        ("83022 Rosenheim", "Rosenheim"),
    ],
)
def test_the_town_beside_a_postcode_beats_the_city_that_stands_for_its_area(text, town):
    assert AGENT.locate_text([text]).best.place == town


@pytest.mark.parametrize("text", ["2019-03-16 10:30", "16/03/2019 10:30"])
def test_a_date_is_no_telephone_number(text):
    assert not [cue for cue in AGENT.locate_text([text]).cues if cue.kind == "phone"]


def test_a_repeated_number_is_one_number():
    once, twice = (AGENT.locate_text(["Phone:", *["01-8423727"] * n]) for n in (1, 2))
    assert len([cue for cue in twice.cues if cue.kind == "phone"]) == 1
    assert first(twice)[1] == pytest.approx(first(once)[1], abs=0.02)


# Plates


@pytest.mark.parametrize(
    ("as_made", "as_read", "country"),
    [
        ("HH AB 123", "HHAB123", "DE"),
        ("2AB 3456", "2AB3456", "CZ"),
        ("ZG 1234-AB", "ZG1234AB", "HR"),
        ("BA-123XY", "BA123XY", "SK"),
        ("AA 1234 BB", "AA1234BB", "UA"),
    ],
)
def test_a_plate_without_its_gaps_is_still_one_of_its_country(as_made, as_read, country):
    facts = AGENT.assets.facts
    assert country in fits(as_made, facts)
    lost = fits(as_read, facts)
    assert lost[country][0] >= 0.1 * max(weight for weight, _ in lost.values())


@pytest.mark.parametrize(("text", "country"), [("D M AB 1234", "DE"), ("UAAA1234BB", "UA"), ("CZ 2AB 3456", "CZ")])
def test_the_sign_of_the_country_that_was_read_with_the_plate_tells_it(text, country):
    assert first(AGENT.locate_text([text]))[0] == country


def test_the_fewer_plates_a_format_allows_the_likelier_is_this_one():
    """Ukraine uses 12 letters, Indonesia all of them."""
    weights = fits("AA 1234 BB", AGENT.assets.facts)
    assert weights["UA"][0] > weights["ID"][0]


def test_the_form_alone_is_a_hint_and_no_place():
    answer = in_photo(line("WA 12345"))
    assert answer.best.precision == "none"
    assert "If the plate “WA 12345” is what it seems" in answer.explanation


def test_more_cars_of_one_street_do_not_multiply():
    one, five = (in_photo(*[line(f"MJR-13{n}0", n) for n in range(count)]) for count in (1, 5))
    assert first(five)[1] < first(one)[1] + 0.35


def test_rows_that_were_doubtfully_read_are_no_plate():
    rows = [line("ARA", 0, confidence=0.76), line("008", 0, left=170, confidence=0.78)]
    assert not [cue for cue in in_photo(*rows).cues if cue.kind == "plate"]


# Words and characters


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("小儿科", "Hans"),
        ("小児科", "Jpan"),
        ("營業中", "Hant"),
        ("営業中", "Jpan"),
        ("营业中", "Hans"),
        ("國語", "Hant"),
        ("国际", "Hans"),
    ],
)
def test_forms_of_han_are_told_by_their_characters(text, form):
    simplified, traditional, japanese = han_forms(text)
    counts = {"Hans": simplified, "Hant": traditional, "Jpan": japanese}
    assert counts[form] == max(counts.values()) > 0


def test_a_chinese_clinic_is_in_china():
    assert first(AGENT.locate_text(["小儿科", "内科", "口腔科", "门诊时间"])) > ("CN", 0.9)
    assert first(AGENT.locate_text(["小児科", "内科"]))[0] == "JP"


def test_a_restaurant_in_han_letters_beside_latin_ones_may_be_anywhere():
    alone = AGENT.locate_text(["海鲜酒家"])
    abroad = AGENT.locate_text(["海鲜酒家", "Seafood Restaurant", "Parking at rear"])
    assert first(alone)[0] == "CN"
    assert dict((c.code, c.p) for c in abroad.countries)["CN"] < first(alone)[1]


def test_common_arabic_words_name_no_country():
    assert first(AGENT.locate_text(["صيدلية", "مخبز"]))[1] < 0.5


def test_common_english_words_are_no_company_forms():
    page = ["such as hydrogen", "known as helium", "stars as far as we know"]
    assert first(AGENT.locate_text(page))[0] not in ("CZ", "SK")


def test_initials_in_small_letters_are_a_word():
    """SUS is Brazil's health service, "sus" is Spanish."""
    assert not [
        cue for cue in AGENT.locate_text(["Y Sus Tesoros"]).cues if cue.kind == "institution" and cue.reliability > 0.4
    ]


# Scripts of single lines


LATIN = ("SOCCER CUP", "GREAT SPECIALS EVERYDAY", "OPEN LATE")


@pytest.mark.parametrize("text", ["ΤΕΓΑΤΕ", "НВОММ", "ΜΑΧΚΑΤ"])
def test_one_line_of_letters_that_latin_has_too_is_no_other_script(text):
    beside = [line(other, row) for row, other in enumerate(LATIN)]
    cues = AGENT.understand((*beside, line(text, 5))).cues
    assert not [cue for cue in cues if cue.kind in ("language", "script") and 3 in cue.regions]


@pytest.mark.parametrize(
    ("texts", "script"),
    [
        (("ΤΑΒΕΡΝΑ",), "Grek"),  # a word that signs have
        (("ΑΘΗΝΑ",), "Grek"),  # a town
        (("ΟΔΟΣ ΕΡΜΟΥ",), "Grek"),  # letters that Latin has not
        (("КАВАРНА", "КЕТО"), "Cyrl"),  # two lines
    ],
)
def test_other_alphabets_beside_latin_are_told_by_letters_words_towns_and_further_lines(texts, script):
    beside = [line(other, row) for row, other in enumerate(LATIN)]
    cues = AGENT.understand((*beside, *(line(text, 5 + i) for i, text in enumerate(texts)))).cues
    told = {region for cue in cues if cue.kind in ("language", "script", "name") for region in cue.regions}
    assert 3 in told
    alone = AGENT.understand((line(texts[0]),)).cues
    assert [cue for cue in alone if cue.kind in ("language", "script", "name")]


def test_a_language_is_as_legible_as_the_best_of_its_lines():
    good, bad = line("맛있는 조개구이 전문점", 0), line("안전한 운전으로 행복한", 1, confidence=0.3)
    alone = AGENT.understand((good,)).constraints[0]
    both = AGENT.understand((good, bad)).constraints[0]
    assert (alone.kind, both.kind) == ("language", "language")
    assert both.reliability >= alone.reliability
    assert first(in_photo(good, bad))[0] == "KR"
    assert first(in_photo(good, bad))[1] > 0.6

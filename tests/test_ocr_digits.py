"""Numbers in the digits of a script: they are read as such, tell the script, and count like any number."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.evidence.ocr._between import may_hold_a_word, with_word
from geoagent.evidence.ocr._classes import Classes, logical
from geoagent.evidence.ocr._lines import Guess
from geoagent.evidence.scripts import evident_script, native_digits, script_of

CLASSES = Classes(tuple("oVa1٢٤٥٧۲۴۵۷تЖ२०"))
AGENT = GeoAgent.load(ocr="nothing")


def steps(*rows: dict[str, float]) -> np.ndarray:
    """`(T, K)` probabilities by character, with a blank between two steps."""
    probs = np.zeros((2 * len(rows), len(CLASSES.characters) + 1), dtype=np.float32)
    for t, row in enumerate(rows):
        for char, p in row.items():
            probs[2 * t, CLASSES.characters.index(char) + 1] = p
        probs[2 * t + 1, 0] = 1.0
    return probs


@pytest.mark.parametrize(
    ("text", "script", "count"),
    [("٠٢ ٢٥٧٩", "Arab", 6), ("۰۲۱", "Arab", 3), ("०११-२३", "Deva", 5), ("০১৭", "Beng", 3), ("๐๒", "Thai", 2)],
)
def test_digits_have_the_script_of_their_block(text: str, script: str, count: int) -> None:
    assert native_digits(text) == {script: count}
    assert script_of(text) == script


@pytest.mark.parametrize("text", ["0221", "０２２１", "①②③", "²³", "𝟎𝟐", ""])
def test_ordinary_digits_have_none(text: str) -> None:
    assert native_digits(text) == {}
    assert script_of(text) == "Zyyy"


def test_letters_decide_where_there_are_any() -> None:
    assert script_of("Tel ٠٢٣٤٥٦") == "Latn"
    assert script_of("شارع 12") == "Arab"


@pytest.mark.parametrize("text", ["٠٢٢١", "ت: ٠٢ ٢٥٧٩", "۰۲۱-۸۸۷۷", "०११-२३३४", "๐๒-๒๒๑", "১২৩৪"])
def test_a_number_tells_its_script(text: str) -> None:
    assert evident_script(text, 0.9)
    assert not evident_script(text, 0.7)


@pytest.mark.parametrize("text", ["١١١١١١", "٠٠٠٠", "٠١٠١٠١", "٢٥٧", "1234", "A ٠٢٢١", "٠٢३४"])
def test_bars_dots_and_mixtures_do_not(text: str) -> None:
    assert not evident_script(text, 1.0)


def test_a_guess_of_digits_fits_its_script() -> None:
    assert Guess.of("Arab", "٠٢ ٢٥٧٩", 0.9).fits
    assert Guess.of("Thai", "๒๕", 0.9).fits
    assert not Guess.of("Cyrl", "٠٢ ٢٥٧٩", 0.9).fits
    assert not Guess.of("Arab", "02 2579", 0.9).fits


def test_arabic_and_persian_digits_of_one_value_are_one_character() -> None:
    text, confidence = CLASSES.decode(steps({"٢": 0.4, "۲": 0.5}, {"٤": 0.9}, {"٧": 0.45, "۷": 0.5}), "Arab")
    assert text == "٢٤٧"
    assert confidence > 0.85
    persian = CLASSES.decode(steps({"٢": 0.5, "۲": 0.4}, {"۴": 0.9}, {"٧": 0.45, "۷": 0.5}), "Arab")[0]
    assert persian == "۲۴۷"


def test_the_letter_o_among_arabic_digits_is_a_five_and_among_others_a_nought() -> None:
    assert CLASSES.decode(steps({"٢": 0.9}, {"o": 0.7, "٥": 0.1}, {"٤": 0.9}), "Arab")[0] == "٢٥٤"
    assert CLASSES.decode(steps({"२": 0.9}, {"o": 0.7, "०": 0.1}, {"२": 0.9}), "Deva")[0] == "२०२"
    assert CLASSES.decode(steps({"a": 0.9}, {"o": 0.9}, {"٤": 0.6}), "Arab")[0].count("o") == 1


def test_digits_of_a_script_are_none_of_another() -> None:
    assert "٤" not in CLASSES.decode(steps({"Ж": 0.6}, {"٤": 0.9}), "Cyrl")[0]


@pytest.mark.parametrize(
    ("seen", "typed"),
    [
        ("٢٥٧٩٤٤٤٤ ٠٢ :ت", "ت: ٠٢ ٢٥٧٩٤٤٤٤"),
        ("٠٢ ٢٥٧٩٤٤٤٤", "٠٢ ٢٥٧٩٤٤٤٤"),
        ("٦٦٥٥ ٨٨٧٧ ٠٢١", "٠٢١ ٨٨٧٧ ٦٦٥٥"),
        ("۰۲۱-۸۸۷۷", "۰۲۱-۸۸۷۷"),
        ("٢٠١٨", "٢٠١٨"),
    ],
)
def test_groups_of_a_number_stand_either_way_round(seen: str, typed: str) -> None:
    assert logical(seen) == typed


@pytest.mark.parametrize(
    ("line", "kind", "country"),
    [
        ("+٩٦٦ ١١ ٤٦٤ ١١٢٢", "phone", "SA"),
        ("०११-२३३४ ५५६६", "phone", "IN"),
        ("٥٠ جنيه", "currency", "EG"),
        ("ราคา ๒๕ บาท", "currency", "TH"),
        ("ফোন ০২-৯৫৫১২৩৪", "phone", "BD"),
    ],
)
def test_such_numbers_are_evidence(line: str, kind: str, country: str) -> None:
    answer = AGENT.locate_text([line])
    assert kind in {cue.kind for cue in answer.cues}
    assert answer.countries[0].code == country


@pytest.mark.parametrize(
    ("figures", "read", "text"),
    [
        ("2045817", "5817 تونس 204", "204 تونس 5817"),
        ("2045817", "587 تویس 204", "204 تویس 5817"),  # the digits are those of the engine that reads digits
        ("885120", "5120 تونس 88", "88 تونس 5120"),
        ("2045817", "204 5817", None),
        ("2045817", "تونس 2045817", None),
        ("2045817", "9336 تونس 111", None),
        ("2045817", "58 تونس 17 شارع 204", None),
        ("2045817", "5817 و 204", None),
    ],
)
def test_a_word_between_digits_is_put_where_it_stands(figures: str, read: str, text: str | None) -> None:
    assert with_word(figures, read) == text


@given(st.from_regex(r"\A[0-9]{6,8}\Z"), st.integers(1, 5), st.sampled_from(["تونس", "قوس", "TUN"]), st.integers(0, 9))
def test_the_digits_stay_those_that_were_read(figures: str, cut: int, word: str, wrong: int) -> None:
    left, right = figures[:cut], figures[cut:]
    assert with_word(figures, f"{right} {word} {left}") == f"{left} {word} {right}"
    found = with_word(figures, f"{right[:-1]}{wrong} {word} {left}")  # another last digit
    assert found == f"{left} {word} {right}"


def test_a_lost_digit_does_not_move_the_word() -> None:
    assert with_word("1934091", "4091 تونس 19") == "193 تونس 4091"


def test_only_lines_as_long_as_a_plate_may_hold_a_word() -> None:
    assert [may_hold_a_word(text) for text in ("2045817", " 885120 ", "20458", "204581766", "204-5817", "A204581")] == [
        *[True] * 2,
        *[False] * 4,
    ]

"""Scripts of texts, and cleaning."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work import assert_linear

from geoagent.evidence.scripts import MAX_CHARS, clean, evident_script, letters, script_counts, script_of

SAMPLES = {
    "Latn": "Straße Łódź İstanbul Đà Nẵng",
    "Cyrl": "Київ Ђорђе",
    "Grek": "Αθήνα Ὀδός",
    "Arab": "شارع الملك پاکستان ڤ",
    "Hebr": "רחוב הרצל",
    "Deva": "राजीव चौक",
    "Beng": "ঢাকা",
    "Guru": "ਅੰਮ੍ਰਿਤਸਰ",
    "Gujr": "અમદાવાદ",
    "Orya": "ଓଡ଼ିଶା",
    "Taml": "சென்னை",
    "Telu": "హైదరాబాద్",
    "Knda": "ಬೆಂಗಳೂರು",
    "Mlym": "കൊച്ചി",
    "Sinh": "කොළඹ",
    "Thai": "กรุงเทพ",
    "Laoo": "ວຽງຈັນ",
    "Khmr": "ភ្នំពេញ",
    "Mymr": "ရန်ကုန်",
    "Tibt": "ལྷ་ས་",
    "Geor": "თბილისი ᲗᲑᲘᲚᲘᲡᲘ",
    "Armn": "Երևան",
    "Ethi": "አዲስ አበባ",
    "Hang": "서울특별시",
    "Hani": "上海市愚園路",
    "Jpan": "東京タワー",
    "Bopo": "ㄅㄆㄇ",
    "Mong": "ᠮᠣᠩᠭᠣᠯ",
    "Cans": "ᐃᓄᒃᑎᑐᑦ",
    "Thaa": "މާލެ",
    "Tfng": "ⵜⵉⴼⵉⵏⴰⵖ",
    "Cher": "ᏣᎳᎩ",
    "Nkoo": "ߒߞߏ",
}
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()), max_size=300)


@pytest.mark.parametrize(("code", "text"), SAMPLES.items())
def test_each_script_is_known_by_its_letters(code: str, text: str) -> None:
    assert script_of(text) == code
    assert set(script_counts(text)) == {code}
    assert sum(script_counts(text).values()) == letters(text)
    assert evident_script(text, 0.9)
    assert not evident_script(text, 0.79)


@pytest.mark.parametrize("text", ["", " ", "12 345", "€ 5,–", "\0\x1f", "\ud800\udfff", "☎ 027-88852022", "🅿️"])
def test_no_letters_no_script(text: str) -> None:
    assert (script_of(text), letters(text), script_counts(text)) == ("Zyyy", 0, {})
    assert not evident_script(text, 1.0)


def test_mixed_text_has_the_script_of_most_letters() -> None:
    assert script_counts("Seoul 서울") == {"Latn": 5, "Hang": 2}
    assert script_of("Seoul 서울") == "Latn"
    assert script_of("서울특별시 N") == "Hang"
    assert script_of("Ω ab") == "Latn"


def test_han_is_japanese_only_beside_kana() -> None:
    assert script_of("駐車場") == "Hani"
    assert script_of("駐車ください") == "Jpan"
    assert script_counts("駐車ください") == {"Jpan": 6}
    assert script_of("ﾊﾟｰｷﾝｸﾞ") == "Jpan"


@pytest.mark.parametrize(
    ("text", "evident"),
    [
        ("ab", False),
        ("abc", True),
        ("a1b2c3", True),
        ("东", False),
        ("东方", True),
        ("서울", True),
        ("พี่", False),
        ("ঢাকা", True),
        ("優の良品", False),  # a Chinese shop that decorates itself with の
        ("キリンビール", True),
        ("大口ー二", False),  # 一 read as ー
        ("Рarк", False),  # Latin and Cyrillic in one word
        ("AΘHNA", False),
        ("Сочи Hotel", True),  # each word is one alphabet
    ],
)
def test_evidence_needs_enough_letters_of_one_script(text: str, evident: bool) -> None:
    assert evident_script(text, 1.0) is evident


@pytest.mark.parametrize("confidence", [float("nan"), -1.0, 0.0, 0.7999])
def test_unsure_reading_is_no_evidence(confidence: float) -> None:
    assert not evident_script("Москва", confidence)


@pytest.mark.parametrize(
    ("raw", "seen"),
    [
        ("  Rue \t de\nla  Paix ", "Rue de la Paix"),
        ("Cafe\u0301", "Café"),
        ("\u202eevil\u202c\u200b\ufeff\u00ad", "evil"),
        ("a\0b\x7fc\ud800d", "abcd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("a\u200db\u200cc", "abc"),
        ("\u3164\u115f", ""),
        ("P\ufe0f", "P"),
        ("東京\u3000タワー", "東京 タワー"),
        ("", ""),
    ],
)
def test_clean_keeps_what_a_person_sees(raw: str, seen: str) -> None:
    assert clean(raw) == seen


@given(ANY_TEXT)
def test_clean_is_one_safe_bounded_line(text: str) -> None:
    line = clean(text)
    assert clean(line) == line
    assert len(line) <= MAX_CHARS
    assert unicodedata.is_normalized("NFC", line)
    assert line == " ".join(line.split())
    assert not {unicodedata.category(c) for c in line if c not in "\u200c\u200d"} & {"Cc", "Cf", "Cs", "Co"}
    line.encode("utf-8")


@given(ANY_TEXT)
def test_counts_agree_with_letters(text: str) -> None:
    counts = script_counts(text)
    assert sum(counts.values()) <= letters(text) <= len(text)
    assert all(len(code) == 4 and count > 0 for code, count in counts.items())
    assert script_of(text) == ("Zyyy" if not counts else max(counts, key=lambda code: counts[code]))
    assert not (evident_script(text, 1.0) and not counts)


def test_the_work_for_a_huge_text_grows_with_it() -> None:
    text = "aж漢\0\ud800́" * 20_000
    assert letters(text) == 60_000
    assert script_of(text) == "Latn"
    assert len(clean(text)) <= MAX_CHARS
    assert evident_script(text, 1.0) is False
    for judge in (letters, script_of, clean, lambda part: evident_script(part, 1.0)):
        assert_linear(lambda size, judge=judge: judge(text[:size]), 2_000)

"""Names in running text: where they begin and end, what is no name, what noise is seen through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from work import assert_linear

from geoagent.places.gazetteer import Gazetteer, Mention
from geoagent.places.gazetteer.normalise import fold_with_offsets, normalise
from geoagent.places.gazetteer.scan import MAX_TEXT


@pytest.fixture(scope="module")
def gaz() -> Gazetteer:
    return Gazetteer.load()


def found(gaz: Gazetteer, text: str, *, fuzzy: bool = False) -> list[tuple[str, str, str]]:
    mentions = gaz.scan(text, fuzzy=fuzzy)
    return [(m.text, m.matches[0].place.name, m.matches[0].place.country) for m in mentions]


@pytest.mark.parametrize(
    ("text", "mention", "country"),
    [
        ("Apotheke am Dom, 50667 Köln", "Köln", "DE"), ("東京都新宿区西新宿", "東京都", "JP"),
        ("成都市武侯区", "成都市", "CN"), ("ยินดีต้อนรับสู่กรุงเทพมหานคร", "กรุงเทพมหานคร", "TH"),
        ("Аптека, Санкт-Петербург", "Санкт-Петербург", "RU"), ("مطعم بالقاهرة", "قاهرة", "EG"),
        ("부산역 앞", "부산", "KR"), ("San José de Mayo 123", "San José de Mayo", "UY"),
        ("Rolla – Sharjah", "Sharjah", "AE"), ("Principauté de Monaco", "Principauté de Monaco", "MC"),
        ("Klaipėdos miesto savivaldybė", "Klaipėdos", "LT"), ("ঢাকা১২১৬", "ঢাকা", "BD"),
    ],
)  # fmt: skip
def test_names_are_found_where_they_stand(gaz: Gazetteer, text: str, mention: str, country: str) -> None:
    hits = [(m.text, m.matches[0].place.country) for m in gaz.scan(text)]
    assert (mention, country) in hits


@pytest.mark.parametrize(
    ("text", "name", "country"),
    [
        ("Be1o Horizonte", "Belo Horizonte", "BR"), ("K1aipedos", "Klaipėda", "LT"), ("S0FIA", "Sofia", "BG"),
        ("PADDINGT0N", "Paddington", "AU"), ("MELB0URNE", "Melbourne", "AU"),
    ],
)  # fmt: skip
def test_digits_inside_words_are_read_as_letters(gaz: Gazetteer, text: str, name: str, country: str) -> None:
    (mention,) = gaz.scan(text)
    best = mention.matches[0]
    assert (best.place.name, best.place.country, best.exactness) == (name, country, "fuzzy")
    assert best.edits >= 1
    assert mention.text == text


@pytest.mark.parametrize("text", ["PARlS", "Stadtmagistrat lnnsbruck", "Harnburg", "Thessalonlki"])
def test_misreadings_of_well_known_names_need_asking_for(gaz: Gazetteer, text: str) -> None:
    fuzzy = [m for m in gaz.scan(text, fuzzy=True) if m.matches[0].exactness == "fuzzy"]
    assert len(fuzzy) == 1
    assert not any(m.matches[0].exactness == "fuzzy" for m in gaz.scan(text))


@pytest.mark.parametrize(
    "text",
    [
        "police street sale bar post exit open taxi hotel market parking center station of la de menu pizza",
        "Montag Dienstag Mittwoch geöffnet", "RUE DE LA POSTE", "Lunes a viernes", "понедельник вторник хлеб молоко",
        "營業中 停車場 出口", "شارع مطعم صيدلية", "12 345 6789", "a b c d", "二 三 四", "Red Green Blue One Two Three",
        "ถนน ร้านอาหาร", "약국 은행 시장", "Parking", "Pizza Rooms Sweets", "CHIPS",
    ],
)  # fmt: skip
def test_words_of_signs_are_no_places(gaz: Gazetteer, text: str) -> None:
    assert found(gaz, text, fuzzy=True) == []


def test_a_stop_word_counts_inside_a_longer_name(gaz: Gazetteer) -> None:
    assert found(gaz, "Hotel in Santa Maria da Feira")[-1][2] == "PT"
    assert [f[0] for f in found(gaz, "Barrio de La Plata")] == ["La Plata"]


def test_codes_count_only_in_capitals_beside_a_town_of_theirs(gaz: Gazetteer) -> None:
    mentions = gaz.scan("Austin, TX 78701")
    assert [(m.text, m.matches[0].place.name, m.matches[0].exactness) for m in mentions] == [
        ("Austin", "Austin", "primary"),
        ("TX", "Texas", "code"),
    ]
    assert [m.text for m in gaz.scan("Belo Horizonte - MG")] == ["Belo Horizonte", "MG"]
    assert gaz.scan("TX 78701") == ()
    assert [m.text for m in gaz.scan("Austin, tx")] == ["Austin"]


@pytest.mark.parametrize(
    ("text", "admin1"),
    [("Springfield, IL", "US.IL"), ("Paris, TX", "US.TX"), ("Moscow, Idaho", "US.ID"), ("London, Ontario", "CA.08")],
)
def test_a_region_beside_a_town_says_which_town(gaz: Gazetteer, text: str, admin1: str) -> None:
    town = gaz.scan(text)[0].matches[0].place
    assert (town.level, town.admin1) == ("city", admin1)


def test_capitals_are_told(gaz: Gazetteer) -> None:
    assert [m.capitalised for m in gaz.scan("in Berlin and berlin")] == [True, False]
    assert gaz.scan("東京")[0].capitalised


def test_a_comma_ends_a_name(gaz: Gazetteer) -> None:
    assert "New York" not in [m.text for m in gaz.scan("New, York")]


def test_countries_weigh_in_a_scan(gaz: Gazetteer) -> None:
    (mention,) = gaz.scan("Valencia", countries={"ES": 100.0})
    assert mention.matches[0].place.country == "ES"


def check(text: str, mentions: tuple[Mention, ...]) -> None:
    last = 0
    for mention in mentions:
        assert last <= mention.start < mention.end <= len(text)
        assert mention.text == text[mention.start : mention.end]
        assert mention.matches
        assert [m.score for m in mention.matches] == sorted((m.score for m in mention.matches), reverse=True)
        last = mention.end


@given(text=st.text(max_size=80))
def test_scan_of_anything_keeps_its_offsets(gaz: Gazetteer, text: str) -> None:
    check(text, gaz.scan(text, fuzzy=True))


PIECES = [
    "Köln",
    "東京都",
    "กรุงเทพ",
    "القاهرة",
    "서울",
    "TX",
    ", ",
    " ",
    "\n",
    "0",
    "é",
    "\u0301",
    "\u200d",
    "Moskva",
    "Be1o",
]


@given(parts=st.lists(st.sampled_from(PIECES), max_size=20))
def test_scan_of_mixed_names_keeps_its_offsets(gaz: Gazetteer, parts: list[str]) -> None:
    text = "".join(parts)
    check(text, gaz.scan(text))


@given(text=st.text(max_size=60))
def test_folding_with_offsets_covers_the_text_in_order(text: str) -> None:
    folded = fold_with_offsets(text)
    assert len(folded.key) == len(folded.starts) == len(folded.ends)
    assert folded.starts == sorted(folded.starts)
    assert all(0 <= a < b <= len(text) for a, b in zip(folded.starts, folded.ends, strict=True))


@pytest.mark.parametrize(
    "name", ["Köln", "São Paulo", "Санкт-Петербург", "القاهرة", "กรุงเทพ", "臺北市", "Hà Nội", "서울"]
)
def test_folding_with_offsets_agrees_with_normalise(name: str) -> None:
    assert fold_with_offsets(name).key == normalise(name)


@pytest.mark.parametrize(
    "unit", ["Köln ", "東京", "กรุงเทพ", "a\u0301", "\u0301", "0l1", "x" * 50 + " ", "لل", "(", "서"]
)
def test_the_work_of_a_scan_grows_with_the_text(gaz: Gazetteer, unit: str) -> None:
    assert_linear(lambda size: gaz.scan((unit * size)[:size]), 2_000)


def test_a_text_is_scanned_up_to_a_bound(gaz: Gazetteer) -> None:
    text = "Köln " * 20_000
    mentions = gaz.scan(text)
    check(text, mentions)
    assert mentions == gaz.scan(text[:MAX_TEXT])


@pytest.mark.parametrize(
    "name",
    [
        "Praha", "Warszawa", "Wien", "Roma", "Milano", "München", "Köln",
        "Lisboa", "Beograd", "Москва", "Київ", "Αθήνα", "دبي", "تهران",
        "بغداد", "ירושלים", "東京", "大阪", "上海", "서울", "부산",
        "Hà Nội", "İstanbul", "Ankara", "Nairobi", "Россия", "日本", "Lille",
        "Leiden", "York", "Jena", "Nara", "México", "Lima", "Bogotá",
        "Kraków", "Brno", "Győr", "กรุงเทพฯ", "เชียงใหม่", "मुंबई", "ঢাকা",
        "சென்னை", "თბილისი", "Երևան", "Алматы", "Минск", "София", "București",
    ],
)  # fmt: skip
def test_the_stop_list_hides_no_great_city(gaz: Gazetteer, name: str) -> None:
    assert [m.text.rstrip("ฯ") for m in gaz.scan(name)] == [name.rstrip("ฯ")]

"""What each kind of cue says, line by line: the country and the place that it speaks for, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent, plugs
from geoagent.evidence.cues.panel import with_appearance
from geoagent.types import Constraint, Photo, TextRegion, regions_from_lines

AGENT = GeoAgent.load(ocr="nothing")
LEXICON = plugs.build("constraints", "lexicon", AGENT.assets)


def statements(kind: str, regions: tuple[TextRegion, ...]) -> list[Constraint]:
    """What the cues of one kind say under the starter world's prior."""
    return [c for c in LEXICON(regions, AGENT.understand(regions).cues) if c.kind == kind]


def ranked(constraint: Constraint) -> list[str]:
    """Countries of a statement, likelier ones first."""
    mass: dict[str, float] = {}
    for place, weight in zip(constraint.places, constraint.weights, strict=True):
        mass[place.country] = mass.get(place.country, 0.0) + float(weight)
    return sorted(mass, key=lambda code: -mass[code])


def place_in(constraint: Constraint, country: str) -> str:
    """The likeliest place of a statement inside a country, "" where it names none."""
    inside = [
        (float(weight), place.name)
        for place, weight in zip(constraint.places, constraint.weights, strict=True)
        if place.country == country and place.level != "country"
    ]
    return max(inside)[1] if inside else ""


def first(kind: str, *lines: str) -> Constraint:
    found = statements(kind, regions_from_lines(lines))
    assert found, f"no {kind} in {lines}"
    return found[0]


PLATES = [
    (["B-MW 1234"], "DE", "Berlin"),
    (["HH·KL 552"], "DE", "Hamburg"),
    (["W 12345 A"], "AT", "Vienna"),
    (["ZH 123 456"], "CH", "Zurich"),
    (["AA-123-BB", "75"], "FR", "Paris"),
    (["1234 BCD"], "ES", ""),
    (["WA 1234C"], "PL", "Warsaw"),
    (["KR 5AB12"], "PL", "Kraków"),
    (["1AB 2345"], "CZ", ""),
    (["CJ 12 XYZ"], "RO", "Cluj-Napoca"),
    (["ZG 1234-AB"], "HR", "Zagreb"),
    (["А123ВС 77"], "RU", "Moscow"),
    (["34 ABC 123"], "TR", "Istanbul"),
    (["06 AB 1234"], "TR", "Ankara"),
    (["LB52 XYZ"], "GB", ""),
    (["131-G-4567"], "IE", "Galway"),
    (["KA 01 AB 1234"], "IN", "Bengaluru"),
    (["DL 3C AB 1234"], "IN", "Delhi"),
    (["粤B·12345"], "CN", "Shenzhen"),
    (["京A12345"], "CN", "Beijing"),
    (["서울 12 가 3456"], "KR", "Seoul"),
    (["51F-123.45"], "VN", "Ho Chi Minh City"),
    (["B 1234 XYZ"], "ID", "Jakarta"),
    (["QAA 1234 B"], "MY", "Kuching"),
    (["ABC1D23"], "BR", ""),
    (["CA 123-456"], "ZA", "Cape Town"),
    (["123 ABC 02"], "KZ", "Almaty"),
    (["01 A 123 BC"], "UZ", "Tashkent"),
    (["8-KLM-23"], "NL", ""),
    (["1-ABC-234"], "BE", ""),
    (["ΙΒΖ-1234"], "GR", ""),
]


@pytest.mark.parametrize(("lines", "country", "place"), PLATES, ids=lambda v: v[0] if isinstance(v, list) else v)
def test_plates(lines, country, place):
    told = first("plate", *lines)
    assert ranked(told)[0] == country
    assert not place or place_in(told, country).startswith(place)


@pytest.mark.parametrize(
    ("lines", "country", "place"),
    [
        (["KA 05", "MJ 7123"], "IN", "Bengaluru"),
        (["品川 330", "あ 12-34"], "JP", "Tokyo"),
        (["横浜 500", "さ 46-49"], "JP", "Yokohama"),
        (["59-S1", "123.45"], "VN", "Ho Chi Minh City"),
        (["CALIFORNIA", "7ABC123"], "US", "California"),
        (["TEXAS", "ABC-1234"], "US", "Texas"),
        (["ABCD 123", "ONTARIO"], "CA", "Ontario"),
        (["QUEENSLAND", "123-ABC"], "AU", "Queensland"),
        (["DUBAI", "A 12345"], "AE", "Dubai"),
    ],
)
def test_plates_in_two_rows(lines, country, place):
    """The second row is a part of the number, or spells out where the car is from."""
    told = first("plate", *lines)
    assert ranked(told)[0] == country
    assert place_in(told, country).startswith(place)
    assert {span.region for span in told.spans} == {0, 1}


@pytest.mark.parametrize(
    ("read", "meant"),
    [("B-MW I234", "B-MW 1234"), ("KA O1 AB 1234", "KA 01 AB 1234"), ("34 ABC I23", "34 ABC 123")],
)
def test_letters_of_plates_that_look_like_digits_are_mended_and_believed_less(read, meant):
    mended, plain = first("plate", read), first("plate", meant)
    assert ranked(mended)[0] == ranked(plain)[0]
    assert place_in(mended, ranked(plain)[0]) == place_in(plain, ranked(plain)[0])


@pytest.mark.parametrize(
    "line",
    """ROOM 12B|TERMINAL 2|GATE B12|ISO 9001|EN 1090|COVID 19|12.50 EUR|2 FOR 1|MP3|4G LTE|24/7|BOEING 747|LOT 45
    SIZE 42|BUS 42|T-34|UNIT 12|08:30-17:00|2.5 M|PM 2.5|USB 3.0|E 10|SUPER 95|100 KM|U2 RICHTUNG|10% OFF|TEL 12345
    XXL 2023|250 ML|1200 W|GOST 2140|FLAT 3B|D-80331|BR-101""".replace("\n", "|").split("|"),
)
def test_what_is_no_plate(line):
    assert statements("plate", regions_from_lines([line.strip()])) == []


def test_a_number_that_may_be_a_year_is_hardly_believed():
    assert first("plate", "EXPO 2020").reliability < 0.5 * first("plate", "EXPO 4821").reliability


def test_a_code_that_nearly_every_plate_has_tells_nothing():
    """Nearly every letter is a province of Ecuador, so that the first of three is one does not speak for it."""
    told = first("plate", "UBH-460")
    assert share(told, "EC") < 0.4


@pytest.mark.parametrize("line", ["Ruta Nacional 9", "国道1号"])
def test_a_road_is_no_place(line):
    roads = [span for told in statements("road", regions_from_lines([line])) for span in told.spans]
    names = [span for told in statements("name", regions_from_lines([line])) for span in told.spans]
    assert roads
    assert not any(a.start < b.end and b.start < a.end for a in roads for b in names)


def plate_seen(text: str, panel: str = "", band: str = "") -> Constraint:
    (told,) = statements("plate", (TextRegion(text, panel=panel, band=band),))
    return told


def share(constraint: Constraint, country: str) -> float:
    return sum(float(w) for p, w in zip(constraint.places, constraint.weights, strict=True) if p.country == country)


@pytest.mark.parametrize(
    ("text", "panel", "band", "country"),
    [
        ("XX-12-34", "yellow", "", "NL"),
        ("12-AB-34", "yellow", "", "NL"),
        ("WXY 1234", "black", "", "MY"),
        ("AB 123 CD", "white", "blue", "IT"),
        ("LB52 XYZ", "yellow", "", "GB"),
        ("AB 123 CD", "white", "blue above", "AR"),
        ("ABCD 123", "white", "blue above", "PY"),
    ],
)
def test_the_colour_of_a_plate_and_its_band_count(text, panel, band, country):
    assert share(plate_seen(text, panel, band), country) > share(plate_seen(text), country)


def test_a_line_on_a_ground_that_plates_never_have_is_hardly_one():
    assert plate_seen("B-MW 1234", "green").reliability < 0.6 * plate_seen("B-MW 1234", "white").reliability


POSTCODES = [
    ("10115 Berlin", "DE", "Berlin"),
    ("D-80331 München", "DE", "Munich"),
    ("A-1010 Wien", "AT", "Vienna"),
    ("CH-8001 Zürich", "CH", "Zürich"),
    ("69003 LYON", "FR", "Lyon"),
    ("1012 AB Amsterdam", "NL", "Amsterdam"),
    ("20121 Milano (MI)", "IT", "Milan"),
    ("1100-148 Lisboa", "PT", "Lisbon"),
    ("00-950 Warszawa", "PL", "Warsaw"),
    ("110 00 Praha 1", "CZ", "Prague"),
    ("105 57 Αθήνα", "GR", "Athens"),
    ("114 55 Stockholm", "SE", "Stockholm"),
    ("0150 Oslo", "NO", "Oslo"),
    ("LV-1050 Rīga", "LV", "Riga"),
    ("101000 Москва", "RU", "Moscow"),
    ("01001 Київ", "UA", "Kyiv"),
    ("010011 București", "RO", "Bucharest"),
    ("London SW1A 1AA", "GB", "London"),
    ("Dublin 2 D02 X285", "IE", "Dublin"),
    ("Toronto, ON M5V 2T6", "CA", "Toronto"),
    ("Springfield, IL 62701", "US", "Springfield"),
    ("Sydney NSW 2000", "AU", "Sydney"),
    ("〒530-0001 大阪市北区", "JP", "Osaka"),
    ("100000 北京市", "CN", "Beijing"),
    ("Mumbai - 400001", "IN", "Mumbai"),
    ("Bengaluru 560 001", "IN", "Bengaluru"),
    ("CEP 01310-100", "BR", "São Paulo"),
    ("C.P. 06000 Ciudad de México", "MX", "Mexico City"),
    ("Singapore 238823", "SG", ""),
    ("34000 İstanbul", "TR", "Istanbul"),
    ("Tel Aviv 6688101", "IL", "Tel Aviv"),
]


@pytest.mark.parametrize(("line", "country", "place"), POSTCODES)
def test_postcodes_beside_their_town(line, country, place):
    told = first("postcode", line)
    assert ranked(told)[0] == country
    assert not place or place_in(told, country).startswith(place)


@pytest.mark.parametrize(
    "line",
    """Tel 030 12345678|+49 30 10115 22|ISBN 978-3-16-148410-0|12345678|SN 75011-69003-8|Order 1012AB77X|2012-2015|1998
    Ref. 80331/2|€ 10115,00|10115 EUR|10:115|IBAN DE89 3704 0044 0532 0130 00|4012345 678901|75011x4|v1.10115
    Konto 10115 20121|No. 12345|Best of 10000|5000 m²|1000 ml|Volvo 240 GL|www.10115.de|Since 1950|10.000 Besucher
    0049 221 10115 20121|Registered Charity 9302581|2105 8962|Batch 400001""".replace("\n", "|").split("|"),
)
def test_numbers_inside_longer_ones_and_amounts_are_no_postcodes(line):
    assert statements("postcode", regions_from_lines([line.strip()])) == []


@pytest.mark.parametrize(
    ("lines", "country"),
    [
        (["Lyon 45 km"], "FR"),
        (["12 km to Siena"], "IT"),
        (["Москва 120 км"], "RU"),
        (["Αθήνα 120 χλμ"], "GR"),
        (["القاهرة 120 كم"], "EG"),
        (["अहमदाबाद 90 किमी"], "IN"),
        (["上海 120公里"], "CN"),
        (["เชียงใหม่ 120 กม."], "TH"),
        (["← Granada 40 km"], "ES"),
        (["Brisbane", "120 km"], "AU"),
        (["Kraków 120", "Warszawa 180"], "PL"),
    ],
)
def test_distances_turn_names_into_bearings(lines, country):
    told = first("direction", *lines)
    assert ranked(told)[0] == country
    goal = lines[0].split()[0]
    assert statements("name", regions_from_lines(lines)) == [], "a bearing is no place"
    assert goal not in {p.name for p, w in zip(told.places, told.weights, strict=True) if p.level == "city"}


@pytest.mark.parametrize(
    "line",
    """Rue de Lyon 45|Lyon|Paris 2024|Lyon 2 km|Berlin 10115|Hotel Roma 45|Max 30 km/h|Wien 1|Bus 12 Lyon|Venezia 1969
    Köln 0221 471|Madrid 28013""".replace("\n", "|").split("|"),
)
def test_what_is_no_direction(line):
    assert statements("direction", regions_from_lines([line.strip()])) == []


@pytest.mark.parametrize(
    ("line", "country"),
    [
        ("ul. Marszałkowska 12", "PL"),
        ("Hauptstraße 5", "DE"),
        ("Via Garibaldi 3", "IT"),
        ("Rua Augusta 100", "BR"),
        ("Rue de la Paix", "FR"),
        ("улица Ленина", "RU"),
        ("вулиця Хрещатик", "UA"),
        ("Kossuth Lajos utca 3.", "HU"),
        ("Atatürk Caddesi", "TR"),
        ("Storgatan 4", "SE"),
        ("Storgata 4", "NO"),
        ("Vesterbrogade 10", "DK"),
        ("Mannerheimintie 3", "FI"),
        ("Keizersgracht 123", "NL"),
        ("Brīvības iela 5", "LV"),
        ("Gedimino pr. 9", "LT"),
        ("Pärnu mnt 15", "EE"),
        ("Οδός Ερμού", "GR"),
        ("Jl. Sudirman", "ID"),
        ("ถนนสุขุมวิท", "TH"),
        ("Đường Lê Lợi", "VN"),
        ("南京东路", "CN"),
        ("명동길", "KR"),
        ("שדרות רוטשילד", "IL"),
        ("რუსთაველის გამზირი", "GE"),
        ("Rruga e Durrësit", "AL"),
        ("Bulevardul Unirii", "RO"),
    ],
)
def test_street_words(line, country):
    assert ranked(first("street", line))[0] == country


@pytest.mark.parametrize(
    "line",
    """Street Food|Via|WAY OUT|Follow the road|Streetwear|al dente|Gate 5|Strasse|One Way|Road closed|Avenue
    No through road|La via lattea|Longyearbyen""".replace("\n", "|").split("|"),
)
def test_what_is_no_street(line):
    assert statements("street", regions_from_lines([line.strip()])) == []


@pytest.mark.parametrize(
    ("line", "kind", "country"),
    [
        ("Cra. 7 # 45-12", "habit", "CO"),
        ("No:12/A", "habit", "TR"),
        ("RT 03/RW 05", "habit", "ID"),
        ("д. 12 корп. 3", "habit", "RU"),
        ("3丁目5番12号", "habit", "JP"),
    ],
)
def test_house_numbers_are_written_in_each_countrys_way(line, kind, country):
    assert ranked(first(kind, line))[0] == country


BRANDS = [
    ("Biedronka", "PL", ""),
    ("Mercadona", "ES", ""),
    ("Albert Heijn", "NL", ""),
    ("Migros", "CH", ""),
    ("OXXO", "MX", ""),
    ("Tim Hortons", "CA", ""),
    ("ファミリーマート", "JP", ""),
    ("이마트", "KR", ""),
    ("Пятёрочка", "RU", ""),
    ("Сільпо", "UA", ""),
    ("Jollibee", "PH", ""),
    ("Indomaret", "ID", ""),
    ("Naivas", "KE", ""),
    ("Systembolaget", "SE", ""),
    ("BİM", "TR", ""),
    ("Biedr0nka", "PL", ""),
]


@pytest.mark.parametrize(("line", "country", "place"), BRANDS)
def test_brands(line, country, place):
    assert ranked(first("brand", line))[0] == country


@pytest.mark.parametrize(
    ("line", "country", "place"),
    [
        ("RATP", "FR", "Paris"),
        ("BVG", "DE", "Berlin"),
        ("Wiener Linien", "AT", "Vienna"),
        ("Transport for London", "GB", "London"),
        ("東京メトロ", "JP", "Tokyo"),
        ("臺北捷運", "TW", "Taipei"),
        ("MINATO CITY", "JP", "Tokyo"),
        ("Mairie du 1er", "FR", ""),
        ("USPS", "US", ""),
        ("Укрзалізниця", "UA", ""),
        ("Městský úřad", "CZ", ""),
        ("Mestský úrad", "SK", ""),
    ],
)
def test_institutions_and_transit(line, country, place):
    told = first("institution", line)
    assert country in ranked(told)[:2]
    assert not place or place_in(told, country).startswith(place)


@pytest.mark.parametrize(
    ("line", "country", "city"),
    [
        ("Mairie de Lyon", "FR", "Lyon"),
        ("Comune di Firenze", "IT", "Firenze"),
        ("Ayuntamiento de Sevilla", "ES", "Sevilla"),
        ("Prefeitura de Curitiba", "BR", "Curitiba"),
        ("Gemeente Utrecht", "NL", "Utrecht"),
        ("Urząd Miasta Gdańska", "PL", "Gdańsk"),
        ("London Borough of Camden", "GB", "London"),
        ("City of Chicago", "US", "Chicago"),
        ("City of Milton Keynes", "GB", "Milton Keynes"),
    ],
)
def test_authorities_stand_where_they_rule(line, country, city):
    answer = AGENT.locate_text([line])
    assert answer.best.country == country
    town = AGENT.assets.gazetteer.lookup(city, k=1, countries={country: 1.0})[0].place.latlon
    assert type(town)(answer.best.lat, answer.best.lon).distance_km(town) < 25


@pytest.mark.parametrize("line", ["Café Roma", "Hotel Central", "Family", "Royal", "Restaurant Paris", "Sun"])
def test_words_that_every_country_has_are_no_brands(line):
    assert statements("brand", regions_from_lines([line])) == []


def sign(ground: tuple[int, int, int], ink: tuple[int, int, int], text: str) -> tuple[TextRegion, ...]:
    """A panel with strokes on it, as seen by the reader of colours."""
    pixels = np.full((200, 400, 3), 128, dtype=np.uint8)
    pixels[50:150, 40:360] = ground
    for x in range(70, 330, 24):
        pixels[80:120, x : x + 8] = ink
    quad = np.array([[60, 72], [340, 72], [340, 128], [60, 128]], dtype=np.float32)
    return with_appearance(Photo(pixels), [TextRegion(text, quad)])


def test_a_blue_strip_over_a_white_plate_is_that_of_mercosur():
    pixels = np.full((240, 400, 3), 90, dtype=np.uint8)
    pixels[70:180, 40:360] = 250
    pixels[70:98, 40:360] = (0, 60, 150)
    for x in range(70, 330, 24):
        pixels[116:160, x : x + 8] = 15
    quad = np.array([[62, 108], [340, 108], [340, 168], [62, 168]], dtype=np.float32)
    (seen,) = with_appearance(Photo(pixels), [TextRegion("AB 123 CD", quad)])
    assert (seen.panel, seen.band) == ("white", "blue above")
    (told,) = statements("plate", (seen,))
    assert ranked(told)[0] == "AR"
    assert "blue band above" in told.says


GREEN, BLUE, RED, YELLOW, WHITE, BLACK = (
    (0, 105, 60),
    (0, 70, 160),
    (190, 20, 30),
    (245, 200, 20),
    (250,) * 3,
    (10,) * 3,
)


@pytest.mark.parametrize(
    ("ground", "ink", "text", "more", "less"),
    [
        (GREEN, WHITE, "A7", "IT", "DE"),
        (BLUE, WHITE, "A 7", "DE", "IT"),
        (YELLOW, BLACK, "B 27", "DE", "AT"),
        (GREEN, WHITE, "M-4", "RU", "GB"),
        (BLUE, WHITE, "M1", "GB", "RU"),
        (RED, WHITE, "S8", "PL", "AT"),
        (GREEN, WHITE, "O-4", "TR", "FR"),
        (GREEN, WHITE, "D1", "CZ", "HR"),
    ],
)
def test_the_colour_of_a_road_numbers_panel_is_seen_and_weighed(ground, ink, text, more, less):
    (seen,), (plain,) = statements("road", sign(ground, ink, text)), statements("road", (TextRegion(text),))
    assert share(seen, more) / share(plain, more) > 2.5 * share(seen, less) / max(share(plain, less), 1e-9)


@pytest.mark.parametrize(("text", "country"), [("N-340", "ES"), ("N7", "FR")])
def test_on_its_panel_a_road_is_neither_a_price_nor_a_plate(text, country):
    regions = sign(RED, WHITE, text)
    assert ranked(statements("road", regions)[0])[0] == country
    assert statements("currency", regions) == statements("plate", regions) == []


@pytest.mark.parametrize("text", ["A4 copies", "Vitamin B12", "Room A7 left", "M 12 x 40"])
def test_what_is_no_road_whatever_its_colour(text):
    assert statements("road", sign(GREEN, WHITE, text)) == []


NUMBERS = [
    ("ATU13585627", "AT"),
    ("CHE-108.334.912", "CH"),
    ("EL 094259216", "GR"),
    ("923 609 016 MVA", "NO"),
    ("30-69730872-1", "AR"),
    ("12.531.909-2", "CL"),
    ("213.123.432-1", "CO"),
    ("GODE561231GR8", "MX"),
    ("27AAPFU0939F1ZV", "IN"),
    ("T5835678256246", "JP"),
    ("3-101-999999", "CR"),
    ("0614-050707-104-8", "SV"),
    ("P051365947M", "KE"),
    ("100000000000003", "AE"),
    ("11.222.333/0001-81", "BR"),
    ("RS 101134702", "RS"),
]


@pytest.mark.parametrize(("line", "country"), NUMBERS)
def test_tax_numbers_without_a_label(line, country):
    told = first("registration", line)
    assert ranked(told)[0] == country
    assert share(told, country) > 0.9


@pytest.mark.parametrize(
    "line",
    ["220-81-62518", "ABCD123456XYZ", "1234567-8", "555-12-34567", "12.531.909", "2024-01-15", "1-23-45678-9", "T123"],
)
def test_numbers_whose_form_is_common_need_their_checksum(line):
    assert statements("registration", regions_from_lines([line])) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("ATU13585627", "ATU13585628"),
        ("P.IVA 00743110157", "P.IVA 00743110158"),
        ("27AAPFU0939F1ZV", "27AAPFU0939F1ZW"),
        ("ABN 53 004 085 616", "ABN 53 004 085 617"),
    ],
)
def test_a_wrong_checksum_is_believed_less_or_no_more(right, wrong):
    assert first("registration", right).reliability >= first("registration", wrong).reliability
    assert ranked(first("registration", right))[0] == ranked(first("registration", wrong))[0]


COLOURS = st.sampled_from(["", "white", "black", "red", "orange", "brown", "yellow", "green", "blue", "blue above"])
PIECES = st.one_of(
    st.sampled_from(
        ["A7", "B-MW 1234", "TEXAS", "KA 05", "MJ 7123", "10115 Berlin", "Lyon 45 km", "45 km", "N7", "J12/"]
    ),
    st.text(st.one_of(st.characters(), st.sampled_from("\u200b\u202e\u2066\x00AB12- .·/")), max_size=40),
)
CORNERS = st.tuples(*[st.floats(-1e4, 1e4, width=32)] * 8).map(lambda c: np.array(c, np.float32).reshape(4, 2))
SEEN = st.builds(
    lambda text, quad, confidence, panel, band: TextRegion(text, quad, confidence=confidence, panel=panel, band=band),
    PIECES,
    CORNERS,
    st.floats(0, 1),
    COLOURS,
    COLOURS,
)


@given(st.lists(SEEN, max_size=7))
def test_any_text_of_any_colour_anywhere_gives_statements_that_add_up(regions):
    evidence = AGENT.understand(tuple(regions))
    for constraint in evidence.constraints:
        assert float(np.sum(constraint.weights)) == pytest.approx(1.0)
        assert 0 < constraint.reliability < 1
        for span in constraint.spans:
            assert 0 <= span.start <= span.end <= len(regions[span.region].text)

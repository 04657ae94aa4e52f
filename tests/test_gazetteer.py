"""The gazetteer's lookups, ranking, reverse geocoding and polygons, through its public names."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geoagent.errors import CoordinateError, ResourceError
from geoagent.places.gazetteer import Gazetteer, normalise
from geoagent.places.geo import LatLon


@pytest.fixture(scope="module")
def gaz() -> Gazetteer:
    return Gazetteer.load()


def first(gaz: Gazetteer, name: str, **options: object) -> tuple[str, str]:
    found = gaz.lookup(name, **options)  # type: ignore[arg-type]
    assert found, name
    return found[0].place.name, found[0].place.country


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("Köln", ("Köln", "DE")), ("Cologne", ("Köln", "DE")), ("Koeln", ("Köln", "DE")), ("ケルン", ("Köln", "DE")),
        ("Кёльн", ("Köln", "DE")), ("Кельн", ("Köln", "DE")), ("Peking", ("Beijing", "CN")),
        ("北京", ("Beijing", "CN")), ("北京市", ("Beijing", "CN")), ("القاهرة", ("Cairo", "EG")),
        ("กรุงเทพมหานคร", ("Bangkok", "TH")), ("München", ("Munich", "DE")), ("서울", ("Seoul", "KR")),
        ("Αθήνα", ("Athens", "GR")), ("Łódź", ("Łódź", "PL")), ("İstanbul", ("Istanbul", "TR")),
        ("თბილისი", ("Tbilisi", "GE")), ("Երևան", ("Yerevan", "AM")), ("ঢাকা", ("Dhaka", "BD")),
        ("मुंबई", ("Mumbai", "IN")), ("சென்னை", ("Chennai", "IN")), ("ភ្នំពេញ", ("Phnom Penh", "KH")),
        ("Hà Nội", ("Hanoi", "VN")), ("台北", ("Taipei", "TW")), ("臺北", ("Taipei", "TW")),
        ("ଭୁବନେଶ୍ୱର", ("Bhubaneswar", "IN")), ("សៀមរាប", ("Siem Reap", "KH")), ("ဟားခါး", ("Hakha", "MM")),
        ("Hallstatt", ("Hallstatt", "AT")), ("広東省", ("Guangdong", "CN")), ("New York", ("New York City", "US")),
        ("محافظة القاهرة", ("Cairo", "EG")), ("広島", ("Hiroshima", "JP")), ("廣島", ("Hiroshima", "JP")),
        ("Deutschland", ("Germany", "DE")), ("ประเทศไทย", ("Thailand", "TH")), ("Kalifornien", ("California", "US")),
        ("Московская область", ("Moscow Oblast", "RU")), ("北海道", ("Hokkaido", "JP")),
    ],
)  # fmt: skip
def test_names_in_many_scripts_find_their_place(gaz: Gazetteer, name: str, place: tuple[str, str]) -> None:
    got, country = first(gaz, name)
    assert country == place[1]
    assert normalise(got).split()[0] == normalise(place[0]).split()[0]


def test_diacritics_decide_between_namesakes(gaz: Gazetteer) -> None:
    assert first(gaz, "San José")[1] == "CR"
    assert first(gaz, "San Jose")[1] == "US"


def test_evidence_for_a_country_moves_the_best_match(gaz: Gazetteer) -> None:
    assert first(gaz, "San Jose", countries={"CR": 50.0})[1] == "CR"
    assert first(gaz, "Springfield", countries={"AU": 1.0, "": 1e-4})[1] == "AU"
    assert first(gaz, "Paris")[1] == "FR"


def test_scores_are_log_weights_that_countries_multiply(gaz: Gazetteer) -> None:
    plain = {m.place: m.score for m in gaz.lookup("Valencia", k=100)}
    weighted = {m.place: m.score for m in gaz.lookup("Valencia", k=100, countries={"ES": 4.0})}
    shared = [p for p in plain if p in weighted]
    assert shared
    for place in shared:
        gain = math.log(4.0) if place.country == "ES" else 0.0
        assert weighted[place] - plain[place] == pytest.approx(gain)


@pytest.mark.parametrize(
    ("form", "country", "city"),
    [
        ("Klaipėdos", "LT", "Klaipėda"), ("Vilniuje", "LT", "Vilnius"), ("İzmir'de", "TR", "İzmir"),
        ("Gdańsku", "PL", "Gdańsk"), ("Helsingissä", "FI", "Helsinki"), ("Budapesten", "HU", "Budapest"),
        ("თბილისში", "GE", "Tbilisi"), ("City of York", "GB", "York"), ("г. Казань", "RU", "Kazan"),
    ],
)  # fmt: skip
def test_declined_forms_are_found_and_marked(gaz: Gazetteer, form: str, country: str, city: str) -> None:
    best = gaz.lookup(form)[0]
    assert (best.exactness, best.place.country, normalise(best.place.name)) == ("stem", country, normalise(city))


def test_state_codes_need_capitals(gaz: Gazetteer) -> None:
    assert ("Texas", "code") in [(m.place.name, m.exactness) for m in gaz.lookup("TX")]
    assert gaz.lookup("tx") == ()


def test_what_is_no_name_finds_nothing(gaz: Gazetteer) -> None:
    for text in ("", "   ", "12", "!", "qqqxzzv", "\u0301", "\ud800"):
        assert gaz.lookup(text) == ()
        assert gaz.fuzzy(text) == ()


@pytest.mark.parametrize(
    ("read", "country", "city"),
    [
        ("Thessalonkii", "GR", "thessaloniki"), ("Klaipdea", "LT", "klaipeda"), ("Strasbuorg", "FR", "strasbourg"),
        ("Novosibrisk", "RU", "novosibirsk"), ("Be1o Horizonte", "BR", "belo horizonte"), ("Harnburg", "DE", "hamburg"),
        ("Екатеринбуpг", "RU", "yekaterinburg"), ("Новосибирcк", "RU", "novosibirsk"),
    ],
)  # fmt: skip
def test_misread_names_are_found_and_marked(gaz: Gazetteer, read: str, country: str, city: str) -> None:
    best = gaz.fuzzy(read)[0]
    assert (best.exactness, best.place.country, normalise(best.place.name)) == ("fuzzy", country, city)
    assert best.edits >= 1
    assert best.score < gaz.lookup(best.name)[0].score


def test_fuzzy_respects_the_number_of_edits(gaz: Gazetteer) -> None:
    assert all(m.edits == 0 for m in gaz.fuzzy("Strasbuorg", max_edits=0))


def test_reverse_prefers_the_city_to_its_quarter(gaz: Gazetteer) -> None:
    place = gaz.reverse(LatLon(50.94, 6.96))
    assert place is not None
    assert (place.name, place.country, place.admin1) == ("Köln", "DE", "DE.07")


def test_reverse_on_the_open_sea_is_none(gaz: Gazetteer) -> None:
    assert gaz.reverse((0.0, -30.0)) is None
    assert gaz.country_at((0.0, -30.0)) == ""


def test_reverse_refuses_swapped_coordinates(gaz: Gazetteer) -> None:
    with pytest.raises(CoordinateError, match="swap"):
        gaz.reverse((139.7, 35.7))


@pytest.mark.parametrize(
    ("latlon", "country"),
    [
        ((44.95, 34.1), "UA"), ((16.0, -61.7), "GP"), ((-21.1, 55.5), "RE"), ((4.0, -53.0), "GF"),
        ((22.3, 114.17), "HK"),
        ((18.4, -66.1), "PR"), ((25.03, 121.5), "TW"), ((64.2, -51.7), "GL"), ((42.66, 21.16), "XK"),
        ((60.1, 19.94), "AX"),
        ((43.735, 7.42), "MC"), ((1.3, 103.85), "SG"), ((22.19, 113.54), "MO"),
        ((-77.8, 166.7), "AQ"),
        ((48.85, 2.35), "FR"), ((-1.29, 36.82), "KE"), ((17.4, 78.5), "IN"), ((59.9, 10.75), "NO"),
        ((35.18, 33.36), "CY"),
    ],
)  # fmt: skip
def test_countries_by_polygon_follow_geonames(gaz: Gazetteer, latlon: tuple[float, float], country: str) -> None:
    assert gaz.country_at(latlon) == country


def test_batches_agree_with_single_points(gaz: Gazetteer) -> None:
    points = np.array([(48.1, 11.5), (0.0, -30.0), (-33.87, 151.2), (55.75, 37.6)])
    assert gaz.admin1s_at(points).tolist() == [gaz.admin1_at(tuple(p)) for p in points]
    assert gaz.countries_at(points).tolist() == ["DE", "", "AU", "RU"]
    assert gaz.admin1_at((48.1, 11.5)) == "DE.02"
    assert gaz.countries_at(np.zeros((0, 2))).shape == (0,)


def test_places_lie_in_polygons_of_their_country(gaz: Gazetteer) -> None:
    cities = gaz.cities
    big = np.flatnonzero(cities.population >= 100_000)
    assert (gaz.countries_at(cities.latlon[big]) == cities.country[big]).mean() > 0.99
    assert (gaz.admin1s_at(cities.latlon[big]) == cities.admin1[big]).mean() > 0.93


def test_cities_are_read_only_columns(gaz: Gazetteer) -> None:
    cities = gaz.cities
    assert len(cities) == gaz.counts["cities"] >= 170_000
    assert gaz.counts["names"] >= 790_000
    assert cities.latlon.shape == (len(cities), 2)
    assert cities.population.shape == cities.country.shape == cities.admin1.shape == (len(cities),)
    for array in (cities.latlon, cities.population, cities.country, cities.admin1):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = array[1]
    i = int(cities.population.argmax())
    assert cities.name(i) in {"Shanghai", "Beijing", "Chongqing", "Tokyo"}


def test_units_and_countries_by_code(gaz: Gazetteer) -> None:
    unit, country = gaz.admin1("DE.02"), gaz.country("DE")
    assert unit is not None
    assert country is not None
    assert (unit.name, unit.level, unit.country) == ("Bavaria", "admin1", "DE")
    assert (country.name, country.level) == ("Germany", "country")
    assert country.population > 8e7
    assert gaz.admin1("DE") is gaz.country("DE.02") is gaz.country("??") is None


def test_every_country_has_a_place_and_most_have_polygons(gaz: Gazetteer) -> None:
    _, countries, shapes = gaz.admin1_polygons()
    assert set(gaz.cities.country.tolist()) <= set(countries.tolist())
    assert shapely.is_valid(shapes).all()
    assert len(shapes) > 3_000


def test_outlines_are_geojson_in_lon_lat(gaz: Gazetteer) -> None:
    outlines = gaz.outlines()
    by_country = {f["properties"]["country"]: shapely.geometry.shape(f["geometry"]) for f in outlines["features"]}
    assert outlines["type"] == "FeatureCollection"
    assert by_country["KE"].contains(shapely.Point(36.8, -1.3))
    assert by_country["JP"].bounds[0] > 120


def test_a_missing_or_damaged_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="reinstall"):
        Gazetteer.load(tmp_path)
    (tmp_path / "places.json").write_text('{"version": "x", "fingerprint": "y", "counts": {}, "scripts": {}}')
    (tmp_path / "places.npz").write_bytes(b"not a zip")
    with pytest.raises(ResourceError, match="places"):
        Gazetteer.load(tmp_path)


@given(st.text(max_size=60))
def test_normalise_is_idempotent_and_clean(text: str) -> None:
    key = normalise(text)
    assert normalise(key) == key
    assert key == " ".join(key.split())
    assert normalise(unicodedata.normalize("NFD", text)) == normalise(unicodedata.normalize("NFC", text))


@given(text=st.text(max_size=40))
def test_lookup_of_anything_is_ordered_and_bounded(gaz: Gazetteer, text: str) -> None:
    found = gaz.lookup(text, k=3)
    assert len(found) <= 3
    scores = [m.score for m in found]
    assert scores == sorted(scores, reverse=True)


def test_a_place_in_words_says_no_name_twice(gaz: Gazetteer) -> None:
    assert str(gaz.admin1("DE.02")) == "Bavaria, DE"
    munich = gaz.lookup("München", k=1)[0].place
    assert str(munich) == "Munich, Bavaria, DE"


@pytest.mark.parametrize(
    ("place", "name"),
    [
        ((50.7374, 7.0982), "Bonn"),
        ((-22.907, -47.06), "Campinas"),
        ((48.804, 2.134), "Versailles"),
        ((35.4437, 139.638), "Yokohama"),
        ((52.4986, 13.4034), "Berlin"),
        ((48.8867, 2.3431), "Paris"),
        ((51.47, -0.4543), "London"),
    ],
)
def test_a_place_is_named_by_the_town_that_draws_it_most(gaz, place, name):
    assert gaz.reverse(place).name == name


def test_large_cities_own_their_centres(gaz):
    table = gaz.table
    large = np.flatnonzero(table.population[table.first_city :] >= 500_000) + table.first_city
    own = [table.nearest_city(*table.latlon[i].tolist(), table.country_of[i]) == i for i in large.tolist()]
    assert np.mean(own) > 0.95

"""What a stated place may mean: one name of several places, "City, ST", disputed and former places."""

from __future__ import annotations

import pytest

from geoagent import GeoAgent
from geoagent.agent.hints import read_hint
from geoagent.errors import ConfigError, InputError, ResourceError
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer import borders as borders_module
from geoagent.places.gazetteer.borders import borders, unit_codes
from geoagent.places.gazetteer.readings import PLAUSIBLE, readings_of, why_unknown

GAZETTEER = Gazetteer.load()


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def first(stated: str) -> tuple[str, str, str]:
    """Level, country and admin-1 unit of the likeliest reading."""
    place = readings_of(GAZETTEER, stated)[0].places[0]
    return place.level, place.country, place.admin1


def plausible(stated: str) -> set[tuple[str, str]]:
    found = [reading for reading in readings_of(GAZETTEER, stated) if reading.weight >= PLAUSIBLE]
    return {(reading.places[0].level, reading.places[0].country) for reading in found}


class TestOneNameSeveralPlaces:
    @pytest.mark.parametrize(
        ("stated", "level", "country"),
        [
            ("Kharkov", "city", "UA"),
            ("Minsk", "city", "BY"),
            ("Lisbon", "city", "PT"),
            ("Madrid", "city", "ES"),
            ("Tunis", "city", "TN"),
            ("São Paulo", "city", "BR"),
            ("Granada", "city", "ES"),
            ("Guatemala", "country", "GT"),
            ("Kuwait", "country", "KW"),
            ("Monaco", "country", "MC"),
            ("Cornwall", "admin1", "GB"),
            ("Mexico", "country", "MX"),
        ],
    )
    def test_what_people_mean_comes_first(self, stated, level, country):
        assert first(stated)[:2] == (level, country)

    @pytest.mark.parametrize(
        ("stated", "readings"),
        [
            ("Georgia", {("country", "GE"), ("admin1", "US")}),
            ("Punjab", {("admin1", "PK"), ("admin1", "IN")}),
            ("Tripoli", {("city", "LY"), ("city", "LB")}),
            ("Birmingham", {("city", "GB"), ("city", "US")}),
            ("New York", {("city", "US"), ("admin1", "US")}),
            ("CA", {("country", "CA"), ("admin1", "US")}),
        ],
    )
    def test_readings_that_are_both_plausible_are_kept(self, stated, readings):
        assert readings <= plausible(stated)

    @pytest.mark.parametrize("stated", ["Paris", "Berlin", "Tokyo", "Ireland", "Bavaria"])
    def test_most_names_have_one_plausible_reading(self, stated):
        assert len(plausible(stated)) == 1

    @pytest.mark.parametrize(
        ("sign", "claim", "understood"),
        [
            (["Savannah, GA 31401", "Bull St"], "Georgia", "Georgia, United States"),
            (["თბილისი", "რუსთაველის გამზირი"], "Georgia", "Georgia (the country)"),
            (["Spokane, WA 99201"], "Washington", "Washington, United States (the region)"),
            (["Buffalo, NY 14202", "Main Street"], "New York", "New York, United States (the region)"),
            (["ਅੰਮ੍ਰਿਤਸਰ", "Amritsar 143001"], "Punjab", "Punjab, India"),
        ],
    )
    def test_the_reading_that_the_evidence_favours_is_answered(self, agent, sign, claim, understood):
        found = agent.verify(agent.observe_text(sign), claim)
        assert (found.verdict, found.understood) == ("supported", understood)
        assert any(other.verdict == "contradicted" for other in found.other_readings)
        assert "Read as" in found.says
        assert found.warnings[0].startswith(f"“{claim}” was taken as {understood}")

    def test_an_unlikely_reading_that_is_true_is_told(self, agent):
        found = agent.verify(agent.observe_text(["Paris, TX 75460", "Lamar Ave"]), "Paris")
        assert found.understood.startswith("Paris, Île-de-France")
        assert "Paris, Texas, United States" in found.says

    def test_all_readings_may_be_contradicted(self, agent):
        found = agent.verify(agent.observe_text(["50667 Köln", "Hohe Straße"]), "Georgia")
        assert found.verdict == "contradicted"
        assert {other.verdict for other in found.other_readings} == {"contradicted"}

    @pytest.mark.parametrize("option", ["within", "exclude"])
    def test_an_area_says_how_it_was_taken(self, agent, option):
        answer = agent.using(**{option: ("Punjab",)}).locate_text(["Welcome"])
        assert any("“Punjab” was taken as Punjab, Pakistan; there is also Punjab, India" in w for w in answer.warnings)

    def test_a_hint_weighs_its_readings(self):
        hint = read_hint("maybe Tripoli", GAZETTEER)
        weights = {place.country: hint.weights[place] for place, _ in hint.places}
        assert weights["LY"] == 1.0
        assert PLAUSIBLE <= weights["LB"] < 1.0


class TestCityAndUnit:
    @pytest.mark.parametrize(
        ("stated", "admin1"),
        [
            ("Athens, GA", "US.GA"),
            ("Cairo, IL", "US.IL"),
            ("Moscow, ID", "US.ID"),
            ("Memphis, TN 38103", "US.TN"),
            ("Birmingham, Ala.", "US.AL"),
            ("Cambridge, Mass. 02139", "US.MA"),
            ("Portland Oregon", "US.OR"),
            ("Venice (California)", "US.CA"),
            ("London, ON N6A 1B3", "CA.08"),
            ("Windsor, N.S.", "CA.07"),
            ("Newcastle, NSW 2300", "AU.02"),
            ("Launceston, Tas", "AU.06"),
            ("Santos, SP", "BR.27"),
            ("Belém, PA", "BR.16"),
            ("Salem, TN", "IN.25"),
            ("Mérida, Yuc.", "MX.31"),
            ("Monterrey, N.L.", "MX.19"),
            ("Freiburg, BW", "DE.01"),
            ("Halle, NRW", "DE.07"),
            ("Frankfurt (Oder)", "DE.11"),
            ("Cambridge, England", "GB.ENG"),
            ("Georgetown, Texas, USA", "US.TX"),
            ("Brooklyn, New York", "US.NY"),
        ],
    )
    def test_what_stands_after_the_comma_restricts(self, stated, admin1):
        assert first(stated)[2] == admin1

    @pytest.mark.parametrize(
        "stated", ["Venice, NY", "Marseille, BW", "Tokyo, Texas, Japan", "Vienna, Bavaria", "Naples, NSW"]
    )
    def test_a_famous_namesake_elsewhere_is_not_taken(self, agent, stated):
        assert readings_of(GAZETTEER, stated) == ()
        with pytest.raises(InputError, match=r"knows no “\w+” in .*; it knows"):
            agent.verify(agent.observe_text(["Venezia"]), stated)

    @pytest.mark.parametrize("stated", ["Qwxyz", "Lyon, Qwxyz"])
    def test_what_is_not_known_is_named(self, agent, stated):
        assert "Qwxyz" in why_unknown(GAZETTEER, stated)
        with pytest.raises(ConfigError, match="Qwxyz"):
            agent.using(within=(stated,))

    @pytest.mark.parametrize(
        ("text", "admin1"),
        [("Bethlehem, PA", "US.PA"), ("I think it is Portland, Oregon, near a park", "US.OR"),
         ("maybe Lima, OH 45801", "US.OH"), ("near Perth, Scotland", "GB.SCT"), ("Cordoba, Spain", "ES.51")],
    )  # fmt: skip
    def test_a_hint_reads_the_pair(self, text, admin1):
        cities = [place for place, _ in read_hint(text, GAZETTEER).places if place.level == "city"]
        assert [city.admin1 for city in cities] == [admin1]

    def test_commas_between_countries_stay_commas(self):
        hint = read_hint("Germany, Austria, not Switzerland", GAZETTEER)
        assert [place.country for place, _ in hint.places] == ["DE", "AT"]
        assert [place.country for place in hint.against] == ["CH"]


class TestDisputedAndFormer:
    @pytest.mark.parametrize(
        ("stated", "country", "name"),
        [
            ("Simferopol, Russia", "UA", "Simferopol"),
            ("Prizren, Serbia", "XK", "Prizren"),
            ("Taipei, China", "TW", "Taipei"),
            ("Berbera, Somaliland", "SO", "Berbera"),
            ("Stepanakert, Artsakh", "AZ", "Khankendi"),
            ("Sukhumi, Abkhazia", "GE", "Sokhumi"),
            ("Kyrenia, Northern Cyprus", "CY", "Kyrenia"),
            ("Dakhla, Morocco", "EH", "Dakhla"),
            ("Stanley, Argentina", "FK", "Stanley"),
        ],
    )
    def test_a_disputed_place_is_read_with_a_note_on_its_country(self, stated, country, name):
        found = next(r for r in readings_of(GAZETTEER, stated) if r.places[0].country == country)
        assert found.places[0].name == name
        assert stated == "Sukhumi, Abkhazia" or "disputed" in found.note

    @pytest.mark.parametrize(
        ("stated", "country"),
        [("Leningrad, USSR", "RU"), ("Sarajevo, Yugoslavia", "BA"), ("Bratislava, Czechoslovakia", "SK"),
         ("Leipzig, GDR", "DE"), ("Salisbury, Rhodesia", "ZW"), ("Breslau, Germany", "PL"), ("Lwów, Poland", "UA"),
         ("Nuuk, Denmark", "GL"), ("Willemstad, Netherlands", "CW")],
    )  # fmt: skip
    def test_a_former_country_or_a_territory_is_understood_and_told(self, stated, country):
        found = readings_of(GAZETTEER, stated)[0]
        assert found.places[0].country == country
        assert found.note

    @pytest.mark.parametrize(
        ("stated", "name"),
        [("Bombay", "Mumbai"), ("Saigon", "Ho Chi Minh City"), ("Nur-Sultan", "Astana"), ("Stalingrad", "Volgograd"),
         ("Peking", "Beijing"), ("Alma-Ata", "Almaty"), ("Titograd", "Podgorica"), ("Rangoon", "Yangon")],
    )  # fmt: skip
    def test_former_names_of_cities(self, stated, name):
        assert readings_of(GAZETTEER, stated)[0].places[0].name == name

    @pytest.mark.parametrize("stated", ["Somaliland", "East Germany", "Czechoslovakia", "Artsakh", "Yugoslavia"])
    def test_a_former_or_disputed_area_stands_by_itself(self, agent, stated):
        assert len(readings_of(GAZETTEER, stated)[0].places) > 1
        assert agent.using(within=(stated,)).builder.user_constraints

    def test_the_note_is_in_the_verdict(self, agent):
        found = agent.verify(agent.observe_text(["Симферополь", "ул. Пушкина"]), "Simferopol, Russia")
        assert found.verdict in ("supported", "consistent")
        assert any("disputed" in w and "filed under Ukraine" in w for w in found.warnings)

    def test_every_row_lies_in_the_gazetteer(self):
        rows = {*borders().by_name.values(), *(b for rows in borders().by_country.values() for b in rows)}
        for border in rows:
            for code in border.inside:
                assert GAZETTEER.area(code), (border.name, code)
        assert all(GAZETTEER.admin1(code) for codes in unit_codes().values() for code in codes)

    @pytest.mark.parametrize(("name", "read"), [("borders.json", borders), ("admin1_codes.json", unit_codes)])
    @pytest.mark.parametrize("text", ["{", "[]", '{"x": 3}'])
    def test_a_damaged_table_says_so(self, tmp_path, monkeypatch, name, read, text):
        folder = tmp_path / "tables"
        folder.mkdir()
        (folder / name).write_text(text, "utf-8")
        monkeypatch.setattr(borders_module, "data_dir", lambda _: tmp_path)
        read.cache_clear()
        try:
            with pytest.raises(ResourceError, match=name):
                read()
        finally:
            read.cache_clear()

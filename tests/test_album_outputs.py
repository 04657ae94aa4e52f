"""Answers of an album as files for other programs."""

from __future__ import annotations

import csv
from pathlib import Path
from xml.etree import ElementTree

from albums import LYON, album, moved, photo

from geoagent import GeoAgent
from geoagent.agent.album_run import answer_of
from geoagent.answer import Answer
from geoagent.interfaces.outputs import row_of, write
from geoagent.interfaces.outputs.geojson import feature_collection


def of_album(agent: GeoAgent) -> list[Answer]:
    """Answers of an album, not in order of time, one of which names no place."""
    made = album(
        agent, [photo(agent, "late", 90, LYON), photo(agent, "early", 0, moved(LYON, 0.2)), photo(agent, "between", 45)]
    )
    lost = photo(agent, "lost", 0, clock=None, utc=None, source=None)
    alone = album(agent, [lost])
    return [*(answer_of(agent, made, key) for key in made.photos), answer_of(agent, alone, "lost")]


def test_gpx_of_an_album_is_in_order_of_time_and_says_that_it_is_an_estimate(agent: GeoAgent, tmp_path: Path):
    rows, target = [row_of(answer) for answer in of_album(agent)], tmp_path / "trip.gpx"
    assert write("gpx", rows, target) == 3
    root = ElementTree.parse(target).getroot()
    space = "{http://www.topografix.com/GPX/1/1}"
    points = root.findall(f"{space}wpt")
    assert [point.findtext(f"{space}name") for point in points] == ["early", "between", "late"]
    assert [point.findtext(f"{space}time") for point in points] == [
        "2023-07-04T08:00:00Z",
        "2023-07-04T08:45:00Z",
        "2023-07-04T09:30:00Z",
    ]
    assert {point.findtext(f"{space}type") for point in points} == {"estimate"}
    assert all("estimate: Lyon, FR" in point.findtext(f"{space}desc", "") for point in points)
    assert all("other photos of the album" in point.findtext(f"{space}desc", "") for point in points)
    assert "estimates" in root.get("creator", "")


def test_geojson_of_an_album_has_times_and_their_order(agent: GeoAgent):
    found = feature_collection(of_album(agent))["features"]
    placed = [each for each in found if each["geometry"]]
    assert [each["properties"]["taken"] for each in placed] == sorted(each["properties"]["taken"] for each in placed)
    assert {each["properties"]["device"] for each in placed} == {"Google Pixel 7"}
    assert {each["id"]: each["properties"].get("wrong_position") for each in placed}["between"] is None
    assert "taken" not in feature_collection([agent.locate_text(["50672 Köln"])])["features"][0]["properties"]


def test_rows_without_all_times_stay_as_they_are(agent: GeoAgent):
    answers = [agent.locate_text(["50672 Köln"], id="text"), *of_album(agent)]
    assert [each["id"] for each in feature_collection(answers)["features"]][:2] == ["text", "late"]


def test_csv_of_an_album(agent: GeoAgent, tmp_path: Path):
    target = tmp_path / "trip.csv"
    write("csv", [row_of(answer) for answer in of_album(agent)], target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert rows["between"]["taken"] == "2023-07-04T08:45:00Z"
    assert rows["late"]["device"] == "Google Pixel 7"
    assert float(rows["late"]["wrong_position"]) < 0.1
    assert rows["lost"]["taken"] == ""

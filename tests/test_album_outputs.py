"""Answers of an album as files for other programs."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from xml.etree import ElementTree

import pytest
from albums import BERLIN, CAMERA, LYON, PARIS, PHONE, SIGN, album, moved, photo
from answers import OUTLINES, full
from rich.console import Console

from geoagent import GeoAgent
from geoagent.agent.album_run import answer_of
from geoagent.answer import AlbumReport, AlbumWitness, Answer
from geoagent.interfaces.outputs import row_of, write
from geoagent.interfaces.outputs.geojson import feature_collection
from geoagent.interfaces.outputs.xmp import sidecar
from geoagent.interfaces.render import beside_text, both_text
from geoagent.interfaces.render.album import album_text, when_text, witness_text
from geoagent.interfaces.render.report import report_html
from geoagent.interfaces.render.text import answer_text
from geoagent.interfaces.render.words import why_words


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
    by_name = {each["id"]: each["properties"] for each in placed}
    assert by_name["between"].get("wrong_position") is None
    assert by_name["between"]["taken_from"] == "exif"
    assert by_name["between"]["witnesses"] == [
        "early (Google Pixel 7), 45 minutes before it, has a position in Lyon, Auvergne-Rhône-Alpes, FR",
        "late (Google Pixel 7), 45 minutes after it, has a position in Lyon, Auvergne-Rhône-Alpes, FR",
    ]
    assert "taken" not in feature_collection([agent.locate_text(["50672 Köln"])])["features"][0]["properties"]


def test_rows_without_all_times_stay_as_they_are(agent: GeoAgent):
    answers = [agent.locate_text(["50672 Köln"], id="text"), *of_album(agent)]
    assert [each["id"] for each in feature_collection(answers)["features"]][:2] == ["text", "late"]


def test_geoparquet_of_an_album(agent: GeoAgent, tmp_path: Path):
    pandas = pytest.importorskip("geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')")
    pytest.importorskip("pyarrow", reason="pyarrow is not installed (pip install 'geoagent-photo[geo]')")
    target = tmp_path / "trip.parquet"
    write("geoparquet", [row_of(answer) for answer in of_album(agent)], target)
    rows = pandas.read_parquet(target).set_index("source")
    assert rows.loc["between", "taken"] == "2023-07-04T08:45:00Z"
    assert rows.loc["late", "device"] == "Google Pixel 7"
    assert rows.loc["late", "wrong_position"] < 0.1
    assert rows["wrong_position"].isna()["between"]


def test_csv_of_an_album(agent: GeoAgent, tmp_path: Path):
    target = tmp_path / "trip.csv"
    write("csv", [row_of(answer) for answer in of_album(agent)], target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = {row["source"]: row for row in csv.DictReader(file)}
    assert rows["between"]["taken"] == "2023-07-04T08:45:00Z"
    assert rows["late"]["device"] == "Google Pixel 7"
    assert float(rows["late"]["wrong_position"]) < 0.1
    assert rows["lost"]["taken"] == ""


def test_a_sidecar_says_that_other_photos_place_it(agent: GeoAgent):
    answers = {answer.source: answer for answer in of_album(agent)}
    assert "from other photos of the album, not measured" in sidecar(row_of(answers["between"]))
    alone = row_of(agent.locate_text(list(SIGN)))
    assert "other photos" not in sidecar(alone)


@pytest.mark.parametrize(
    ("taken", "says"),
    [
        ("2023-07-04T08:12:30Z", "2023-07-04 08:12 UTC"),
        ("2021-12-31T23:59:59Z", "2021-12-31 23:59 UTC"),
        ("2019-02-01T00:00:00", "2019-02-01 00:00 by the camera's clock"),
        ("2024-02-29T17:05:09", "2024-02-29 17:05 by the camera's clock"),
        ("1999-10-10T10:10:10Z", "1999-10-10 10:10 UTC"),
    ],
)
def test_times_in_words(taken: str, says: str):
    assert when_text(taken) == says


@pytest.mark.parametrize(
    ("minutes", "rests_on", "source", "device", "says"),
    [
        (-12, "position", "a.jpg", "Canon EOS 80D", "a.jpg (Canon EOS 80D), 12 minutes before it, has a position in X"),
        (185, "text or picture", "b.jpg", None, "b.jpg, 3 hours after it, points to X"),
        (0, "position", "c.jpg", None, "c.jpg has a position in X"),
        (0.3, "position", "d.jpg", None, "d.jpg, less than a minute after it, has a position in X"),
        (-2.0, "track", "track:walk.gpx:17", None, "the track walk.gpx, 2 minutes before it, was in X"),
    ],
)
def test_witnesses_in_words(minutes: float, rests_on: str, source: str, device: str | None, says: str):
    witness = {"source": source, "minutes": minutes, "device": device, "rests_on": rests_on, "place": "X"}
    assert witness_text(AlbumWitness.model_validate(witness)) == says


def test_what_an_album_says_of_a_photo(agent: GeoAgent):
    made = album(
        agent,
        [
            photo(agent, "a", 0, LYON),
            photo(agent, "b", 20, LYON),
            photo(agent, "c", 30, PARIS, zone=False, device=CAMERA),
            photo(agent, "shot", 5, form="screenshot", why_form="it has the size of a screen", device=PHONE),
            photo(agent, "lost", 0, clock=None, utc=None, source=None),
        ],
        clocks=(("Canon*", 2.0),),
    )
    says = {key: " ".join(album_text(answer_of(agent, made, key).album)) for key in made.photos}
    assert says["a"] == "Taken 2023-07-04 08:00 UTC, by its EXIF data, with Google Pixel 7."
    assert says["c"].startswith(
        "Taken 2023-07-04 08:30 UTC (10:30 by the camera's clock), by its EXIF data, with Canon EOS 80D."
    )
    assert "You said that the clock of Canon EOS 80D 0123 is 2 hours ahead of UTC." in says["c"]
    assert says["shot"].endswith("It takes no part in the album: it has the size of a screen.")
    assert says["lost"].startswith("It takes no part in the album: ")
    assert album_text(None) == []
    capped = agent.using(max_precision="country")
    assert album_text(answer_of(capped, made, "a").album) == []


@pytest.mark.parametrize(("p", "said"), [(0.02, ""), (0.12, "12 %"), (0.3, "30 %"), (0.49, "49 %"), (0.8, "")])
def test_a_position_that_may_be_wrong(p: float, said: str):
    told = " ".join(album_text(AlbumReport(part=True, taken="2023-07-04T08:00:00Z", wrong_position=p)))
    assert (f"wrong with a probability of {said}" in told) if said else ("wrong" not in told)


def shown_in_terminal(answer: Answer) -> str:
    console = Console(width=200, file=io.StringIO())
    console.print(answer_text(answer))
    return console.file.getvalue()  # type: ignore[attr-defined]


def of_trip(agent: GeoAgent) -> dict[str, Answer]:
    """A photo between two others, one by a camera whose clock is stated, one whose position is of elsewhere."""
    made = album(
        agent,
        [
            photo(agent, "first.jpg", 0, LYON),
            photo(agent, "between.jpg", 20),
            photo(agent, "sign.jpg", 40, lines=SIGN),
            photo(agent, "odd.jpg", 60, BERLIN),
            photo(agent, "camera.jpg", 70, moved(LYON, 0.1), device=CAMERA, zone=False),
            photo(agent, "last.jpg", 90, LYON),
        ],
        clocks=(("Canon*", 2.0),),
    )
    return {key: answer_of(agent, made, key) for key in made.photos}


def test_the_terminal_says_when_it_was_taken_and_what_the_others_tell(agent: GeoAgent):
    answers = of_trip(agent)
    between = shown_in_terminal(answers["between.jpg"])
    assert "Taken 2023-07-04 08:20 UTC, by its EXIF data, with Google Pixel 7." in between
    assert "20 minutes before it a photo of the same camera" in " ".join(between.split())
    assert "does not fit the photos around it" in shown_in_terminal(answers["odd.jpg"])
    camera = shown_in_terminal(answers["camera.jpg"])
    assert "11:10 by the camera's clock" in camera
    assert "You said that the clock of Canon EOS 80D" in camera
    alone = shown_in_terminal(agent.locate_text(list(SIGN)))
    assert "Taken" not in alone
    capped = agent.using(max_precision="country")
    hidden = album(capped, [photo(capped, "a", 0, LYON), photo(capped, "b", 20)])
    assert "Taken" not in shown_in_terminal(answer_of(capped, hidden, "b"))


def test_the_report_tells_the_time_and_the_witnesses(agent: GeoAgent):
    answers = of_trip(agent)
    page = report_html(answers["between.jpg"], photo=None, outlines=OUTLINES, command="")
    for part in (
        "When it was taken, and the photos around it",
        "Taken 2023-07-04 08:20 UTC",
        "first.jpg (Google Pixel 7), 20 minutes before it, has a position in Lyon",
        "camera.jpg (Canon EOS 80D), 50 minutes after it, has a position in Lyon",
        "is evidence for the other photos, never for this one",
    ):
        assert part in page, part
    plain = report_html(agent.locate_text(list(SIGN)), photo=None, outlines=OUTLINES, command="")
    assert "When it was taken" not in plain
    assert "is never evidence" in plain


@pytest.mark.parametrize(
    ("sources", "beside", "both"),
    [
        (["lexicon"], "the text", "picture and text"),
        (["lexicon", "user"], "the text", "picture and text"),
        (["album"], "the other photos", "picture and other photos"),
        (["album", "user"], "the other photos", "picture and other photos"),
        (["lexicon", "album"], "the text and the other photos", "picture, text and other photos"),
        ([], "the text", "picture and text"),
    ],
)
def test_what_stands_beside_the_picture(sources: list[str], beside: str, both: str):
    cue = full().cues[0]
    answer = full().model_copy(update={"cues": [cue.model_copy(update={"source": source}) for source in sources]})
    assert beside_text(answer) == beside
    assert both_text(answer) == both


@pytest.mark.parametrize(
    ("rests_on", "says"),
    [
        (["track"], "the track"),
        (["track", "position"], "other photos of the album and the track"),
        (["text or picture"], "other photos of the album"),
        ([], "other photos of the album"),
    ],
)
def test_a_track_is_no_photo(rests_on: list[str], says: str) -> None:
    witnesses = [AlbumWitness(source="track:walk.gpx:3", minutes=4, rests_on=each, place="Lyon") for each in rests_on]
    cue = full().cues[0].model_copy(update={"kind": "album", "source": "album"})
    answer = full(cues=[cue], album=AlbumReport(part=True, witnesses=witnesses), looked=False)
    assert why_words(answer) == says
    assert row_of(answer).basis == says


def test_the_order_of_an_album_is_that_of_the_instants(agent: GeoAgent, tmp_path: Path):
    photos = [
        photo(agent, "late", 60, LYON, ahead_h=0),
        photo(agent, "camera", 10, LYON, device=CAMERA, zone=False),
        photo(agent, "early", 0, LYON, ahead_h=0),
    ]
    made = album(agent, photos, clocks=(("Canon*", 2.0),))
    answers = [answer_of(agent, made, key) for key in made.photos]
    assert answers[1].album is not None
    assert answers[1].album.taken == "2023-07-04T10:10:00"
    assert answers[1].album.utc == "2023-07-04T08:10:00Z"
    found = feature_collection(answers)["features"]
    assert [each["id"] for each in found] == ["early", "camera", "late"]
    assert [each["properties"].get("utc") for each in found] == [None, "2023-07-04T08:10:00Z", None]
    assert "2023-07-04 08:10 UTC (10:10 by the camera's clock)" in album_text(answers[1].album)[0]

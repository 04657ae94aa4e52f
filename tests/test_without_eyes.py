"""Answers for photos whose picture was not judged: plain words, one command, no comparison, and the file's position."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from answers import OUTLINES
from click.testing import CliRunner
from PIL import Image
from rich.console import Console

from geoagent import GeoAgent, LatLon, Photo
from geoagent.answer import Answer
from geoagent.belief.explanation import NOT_JUDGED, SEEN_NOTHING
from geoagent.evidence.constraints import _picture
from geoagent.evidence.llm import Metered
from geoagent.evidence.llm.scripted import Scripted
from geoagent.evidence.llm_messages import Reply
from geoagent.interfaces.cli import main
from geoagent.interfaces.render import halves
from geoagent.interfaces.render.map import answer_view, map_html
from geoagent.interfaces.render.report import report_html
from geoagent.interfaces.render.text import answer_text, comparison_text, line_text
from geoagent.optional import EYES, EYES_COST, eyes
from geoagent.types import regions_from_lines
from geoagent.worlds.evaluation.changes import changed, changes

PHOTO = Photo(np.full((48, 64, 3), 90, dtype=np.uint8), "p.jpg", exif_gps=LatLon(64.1466, -21.9426))
PLACES = [
    (LatLon(64.1466, -21.9426), "Reykjavík, Iceland"),
    (LatLon(-1.2864, 36.8172), "Nairobi, Kenya"),
    (LatLon(41.3111, 69.2797), "Tashkent, Uzbekistan"),
    (LatLon(-33.4489, -70.6693), "Santiago, Chile"),
    (LatLon(1.3521, 103.8198), "Singapore"),
    (LatLon(59.9139, 10.7522), "Oslo, Norway"),
]
SIGNS = [
    ["Rua Augusta 24", "1100-053 Lisboa"],
    ["Rådhuset", "0037 Oslo", "Tlf. 22 86 16 00"],
    ["00-950 Warszawa", "ul. Marszałkowska 12"],
    ["Via Garibaldi 9", "50123 Firenze"],
    ["10115 Berlin", "Tel. 030 4710234"],
]


def reads(*lines: str) -> Any:
    engine = lambda photo: regions_from_lines(lines)  # noqa: E731
    engine.name = "test"
    return engine


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


@pytest.fixture(scope="module")
def blank(agent: GeoAgent) -> Answer:
    return agent.locate(PHOTO)


def printed(what: Any) -> str:
    console = Console(width=400)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def pages(answer: Answer) -> dict[str, str]:
    """What every reader sees of an answer; of the map page, its data."""
    return {
        "terminal": printed(answer_text(answer, compare=True)),
        "report": report_html(answer, photo=None, outlines=OUTLINES, command="").replace("&amp;", "&"),
        "page": json.dumps(answer_view(answer), ensure_ascii=False),
    }


@pytest.mark.parametrize("medium", ["terminal", "report", "page"])
def test_every_medium_says_so_once_and_names_the_command_once(blank: Answer, medium: str) -> None:
    text = pages(blank)[medium]
    assert "No place can be named" in text
    assert (
        text.count("he picture was not judged, and no text in it speaks for a place. Looked for: signs, number plates,")
        >= 1
    )
    assert "found none." in text
    assert text.count(EYES) == 1
    assert text.count(EYES_COST) == 1
    assert "Reykjavík, Iceland" in text
    assert "likeliest" not in text.replace("the likelier", "")
    assert NOT_JUDGED not in text


@pytest.mark.parametrize("lines", [["OPEN"], ["12"], ["OPEN", "24 h"], ["A", "B", "C"], ["…"]])
def test_text_that_speaks_for_no_place_is_counted(agent: GeoAgent, lines: list[str]) -> None:
    answer = replace(agent, ocr=reads(*lines)).locate(PHOTO)
    s = "s" * (len(lines) != 1)
    assert answer.explanation.startswith(
        "No place can be named: the picture was not judged, and no text in it speaks for a place. Looked for: signs,"
    )
    assert answer.explanation.endswith(f"found none in {len(lines)} line{s} of text.")
    assert answer.alternatives == []
    assert Answer.model_validate_json(answer.to_json()) == answer


@pytest.mark.parametrize(("gps", "name"), PLACES)
def test_the_file_s_own_position_is_told_by_name_and_not_used(agent: GeoAgent, gps: LatLon, name: str) -> None:
    answer = agent.locate(replace(PHOTO, exif_gps=gps))
    assert answer.exif_gps is not None
    assert answer.exif_gps.place == name
    assert answer.exif_gps.distance_km is None
    assert answer.best == agent.locate(replace(PHOTO, exif_gps=None)).best
    assert f"The file says {name} (" in pages(answer)["terminal"]
    assert line_text(answer) == f"p.jpg: No place can be named · the file says {name}: not used"


@pytest.mark.parametrize("gps", [LatLon(0, -30), LatLon(-50, 100), LatLon(30, -45), LatLon(-40, -120), LatLon(40, 170)])
def test_a_position_on_the_open_sea_is_told_by_its_coordinates(agent: GeoAgent, gps: LatLon) -> None:
    answer = agent.locate(replace(PHOTO, exif_gps=gps))
    assert answer.exif_gps is not None
    assert answer.exif_gps.place is None
    assert f"the file says {abs(gps.lat):.4f}°" in line_text(answer)


def test_a_capped_answer_says_the_same_and_nothing_of_the_file(agent: GeoAgent) -> None:
    answer = agent.using(max_precision="country").locate(PHOTO)
    assert answer.explanation.startswith("No place can be named: the picture was not judged,")
    assert answer.exif_gps is None
    assert "Reykjav" not in answer.to_json()


@pytest.mark.parametrize("lines", SIGNS)
def test_no_text_is_said_to_have_changed_what_no_picture_said(agent: GeoAgent, lines: list[str]) -> None:
    answer = replace(agent, ocr=reads(*lines)).locate(PHOTO)
    assert answer.best is not None
    assert answer.best.precision != "none"
    assert changed(answer) == "nothing"
    assert halves(answer) == []
    assert "The picture itself was not judged, only its text." in answer.explanation
    compared = printed(comparison_text(answer))
    assert "Not compared: the picture was not judged." in compared
    for text in (*pages(answer).values(), answer.explanation, compared):
        assert "Without any text" not in text
        assert "Without the text" not in text
        assert "without text" not in text.casefold()
        assert "Picture only" not in text
    row = changes([answer])[0]
    assert (row.answers, row.changed_country, row.changed_place) == (1, 0, 0)


@pytest.mark.parametrize("lines", SIGNS[:5])
def test_what_the_user_stated_can_be_set_beside_the_text(agent: GeoAgent, lines: list[str]) -> None:
    answer = replace(agent.using(hint="maybe Portugal"), ocr=reads(*lines)).locate(PHOTO)
    assert [name for name, _ in halves(answer)] == ["what you said alone", "with the text"]
    assert "what you said alone" in printed(answer_text(answer, compare=True))


def test_a_folder_is_told_the_command_once_and_no_row_is(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (64.0, 8.0, 48.0), 3: "W", 4: (21.0, 56.0, 33.0)})
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"):
        Image.new("RGB", (64, 48), "grey").save(tmp_path / name, exif=exif)
    out = tmp_path / "answers.jsonl"
    done = CliRunner().invoke(main, ["locate", str(tmp_path), "--no-text", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert done.stderr.count(EYES) == 1
    assert "geoagent get" not in out.read_text("utf-8")
    shown = CliRunner().invoke(main, ["locate", str(tmp_path), "--no-text"])
    lines = shown.stdout.splitlines()
    assert len(lines) == 5
    assert all(line.endswith("· the file says Reykjavík, Iceland: not used") for line in lines)
    assert shown.stderr.count(EYES) == 1
    table = tmp_path / "a.csv"
    assert CliRunner().invoke(main, ["export", str(out), "--csv", str(table)]).exit_code == 0
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["exif_place"] for row in rows} == {"Reykjavík, Iceland"}
    assert all(row["explanation"].startswith("No place can be named") for row in rows)
    assert "geoagent get" not in table.read_text("utf-8-sig")


def test_an_assistant_is_told(blank: Answer) -> None:
    tools = pytest.importorskip("geoagent.interfaces.web.tools", reason="needs the extra web")
    told = tools.Located.of(blank)
    assert told.explanation.startswith("No place can be named: the picture was not judged,")
    assert told.file_says == "Reykjavík, Iceland"
    assert told.picture_alone is None
    assert told.countries == told.alternatives == []
    assert sum(EYES in warning for warning in told.warnings) == 1


def test_the_command_and_its_cost_are_one_text() -> None:
    assert EYES == "pip install 'geoagent-photo[vision]' && geoagent get vision"
    assert eyes() == f"{EYES} ({EYES_COST})"
    assert eyes("1 GB, five minutes") == f"{EYES} (1 GB, five minutes)"
    assert eyes("") == EYES


def test_the_map_page_of_nothing_has_no_shade_and_no_half(blank: Answer) -> None:
    view = answer_view(blank)
    assert view["countries"] == view["halves"] == view["alternatives"] == []
    assert view["vision"] is view["text"] is None
    assert view["looked"] is False
    assert "No place can be named" in map_html(blank, outlines=OUTLINES)


# A vision-language model as eyes


def with_model(agent: GeoAgent, *replies: Any, lines: tuple[str, ...] = ()) -> GeoAgent:
    assets = replace(agent.assets, model=Metered(Scripted(list(replies))))
    return replace(agent, assets=assets, ocr=reads(*lines), viewer=_picture.build(assets))


def sees(place: str, country: str) -> dict[str, Any]:
    guess = {"place": place, "level": "city", "country": country, "probability": 0.9, "reason": "The light."}
    return {"sights": [], "candidates": [guess]}


@pytest.mark.parametrize(
    ("place", "country"), [("Nairobi", "KE"), ("Lima", "PE"), ("Hanoi", "VN"), ("Riga", "LV"), ("Accra", "GH")]
)
def test_a_model_that_sees_is_a_picture_half(agent: GeoAgent, place: str, country: str) -> None:
    answer = with_model(agent, sees(place, country), lines=("10115 Berlin", "Tel. 030 4710234")).locate(PHOTO)
    assert answer.looked is True
    assert answer.warnings == []
    assert "not judged" not in answer.explanation
    assert answer.vision_only is not None
    assert answer.text_only is not None
    assert answer.vision_only.countries[0].code == country
    assert answer.text_only.countries[0].code == "DE"
    assert answer.comparison is not None
    assert [name for name, _ in halves(answer)] == ["picture only", "text only", "picture and text"]
    assert EYES not in "".join(pages(answer).values())
    assert "vision-language model saw the picture" in pages(answer)["report"]


def test_a_model_that_names_nothing_has_still_seen_the_picture(agent: GeoAgent) -> None:
    answer = with_model(agent, {"sights": [], "candidates": []}).locate(PHOTO)
    assert answer.looked is False
    assert answer.warnings == [SEEN_NOTHING]
    assert (
        "a language model saw the picture and named none, and no text in it speaks for a place." in answer.explanation
    )
    for text in pages(answer).values():
        assert "was not judged" not in text.replace("so the picture itself was not judged", "")
        assert EYES not in text


@pytest.mark.parametrize("outcome", ["unavailable", "refused", "truncated"])
def test_a_model_that_failed_has_not_judged_the_picture(agent: GeoAgent, outcome: Any) -> None:
    answer = with_model(agent, Reply(outcome, why="away", requests=1)).locate(PHOTO)
    assert answer.looked is False
    assert NOT_JUDGED in answer.warnings
    assert any("llm-picture are missing" in warning for warning in answer.warnings)
    assert "the picture was not judged" in answer.explanation

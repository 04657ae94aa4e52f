"""No answer is no answer everywhere: where no country is probable enough, no output names a place or points at one."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from answers import OUTLINES, nowhere, phantom
from click.testing import CliRunner
from rich.console import Console

from geoagent import GeoAgent, LatLon
from geoagent.agent.disclosure import NOWHERE
from geoagent.answer import Answer
from geoagent.interfaces import outputs
from geoagent.interfaces.cli import main
from geoagent.interfaces.outputs import row_of
from geoagent.interfaces.render.map import answer_view, map_html
from geoagent.interfaces.render.report import report_html
from geoagent.interfaces.render.text import answer_text, comparison_text, line_text
from geoagent.worlds.evaluation.changes import changed, country_of

LISBON = LatLon(38.72, -9.14)
BLANK = ["OPEN", "24 h"]


@pytest.fixture(scope="module")
def agent() -> GeoAgent:
    return GeoAgent.load(ocr="nothing")


@pytest.fixture(scope="module")
def blank(agent: GeoAgent) -> Answer:
    """Of a photo without evidence, whose file claims a position."""
    return agent.answer(replace(agent.observe_text(BLANK), exif_gps=LISBON))


def printed(what: Any) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def test_the_answer_holds_no_place_no_radius_and_no_distance(blank: Answer) -> None:
    assert blank.best == NOWHERE
    assert blank.abstained
    assert (blank.radius_50_km, blank.radius_90_km) == (None, None)
    assert blank.neighbours == []
    assert blank.exif_gps is not None
    assert blank.exif_gps.distance_km is None
    for prediction in (blank.vision_only, blank.text_only, blank.text_aware):
        assert prediction is not None
        assert prediction.best == NOWHERE
        assert prediction.radius_50_km is prediction.radius_90_km is None
    assert Answer.model_validate_json(blank.to_json()) == blank


def test_what_is_believed_stays(agent: GeoAgent, blank: Answer) -> None:
    assert blank.confidence == blank.countries[0].p < 0.5
    assert sum(share.p for share in blank.countries) == pytest.approx(1.0)
    assert [other.p for other in blank.alternatives] == sorted((o.p for o in blank.alternatives), reverse=True)
    assert agent.estimate(agent.observe_text(BLANK)).country == blank.countries[0].code


def test_the_likeliest_point_is_one_of_several_where_it_is_not_the_answer(agent: GeoAgent) -> None:
    seen = agent.observe_text(["Boulangerie"])
    end = agent.estimate(seen)
    named, unnamed = agent.answer(seen), agent.using(abstain_below=0.999).answer(seen)

    def near(answer: Answer) -> list[float]:
        return [o.p for o in answer.alternatives if LatLon(o.lat or 0, o.lon or 0).distance_km(end.latlon) < 1]

    assert near(named) == []
    assert len(near(unnamed)) == 1
    assert unnamed.alternatives[0].p >= named.alternatives[0].p


def test_the_explanation_says_why(agent: GeoAgent, blank: Answer) -> None:
    assert blank.explanation.startswith("No place can be named: the text speaks for none. Looked for: signs,")
    assert blank.explanation.endswith("found none in 2 lines of text.")
    assert blank.countries[0].code not in blank.explanation
    assert "within" not in blank.explanation
    unsure = agent.using(within=("FR", "ES", "PT", "IT")).locate_text(BLANK)
    assert unsure.explanation.startswith("No place can be named: no country is likelier than not")
    assert unsure.countries[0].code in unsure.explanation
    asked = agent.using(abstain_below=0.97).locate_text(["Boulangerie"])
    assert "97 % were asked for" in asked.explanation


@pytest.mark.parametrize("settings", [{"max_precision": "auto"}, {"max_precision": "city"}, {"abstain_below": 0.3}])
def test_the_rule_is_the_same_under_every_setting(agent: GeoAgent, settings: dict[str, Any]) -> None:
    answer = agent.using(**settings).locate_text(BLANK)
    assert answer.abstained
    assert answer.best == NOWHERE
    assert answer.text_aware is not None
    assert answer.text_aware.best == NOWHERE


def test_who_asks_for_more_gets_no_place_in_any_variant(agent: GeoAgent) -> None:
    seen = replace(agent.observe_text(["Boulangerie"]), exif_gps=LISBON)
    sure = agent.answer(seen)
    assert not sure.abstained
    answer = agent.using(abstain_below=0.999).answer(seen)
    assert answer.abstained
    for prediction in (answer.vision_only, answer.text_only, answer.text_aware):
        assert prediction is not None
        assert prediction.best == NOWHERE
    assert all(cue.without == NOWHERE for cue in answer.cues)
    assert answer.exif_gps is not None
    assert answer.exif_gps.distance_km is None
    assert answer.confidence == sure.confidence


def test_a_picture_that_was_not_judged_is_not_set_beside_an_answer(agent: GeoAgent) -> None:
    answer = agent.locate_text(["21000 Dijon", "12 rue de la Liberté"])
    assert answer.best is not None
    assert answer.best.place == "Dijon"
    assert answer.vision_only is not None
    assert answer.vision_only.best == NOWHERE
    assert answer.vision_only.radius_90_km is None
    assert "Without any text" not in answer.explanation
    assert "no place" not in printed(comparison_text(answer))
    view = answer_view(answer)
    assert view["vision"] is view["text"] is None
    assert view["halves"] == []
    assert changed(answer) == "nothing"


def test_the_likeliest_country_is_scored_and_no_place_is_no_change_of_place(blank: Answer) -> None:
    assert country_of(blank.text_aware) == blank.countries[0].code
    assert changed(blank) == "nothing"


@pytest.mark.parametrize("answer", [nowhere(), phantom()], ids=["now", "as earlier versions wrote it"])
def test_no_format_holds_a_place(answer: Answer, tmp_path: Path) -> None:
    row = row_of(answer)
    held = (row.lat, row.lon, row.place, row.admin1, row.country, row.radius_50_km, row.radius_90_km)
    assert held == (None,) * 7
    assert row.exif_distance_km is None
    assert row.precision == "none"
    assert row.confidence == 0.09
    assert row.countries[0] == ("US", 0.09)
    outputs.write("csv", [row], tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        (read,) = csv.DictReader(file)
    assert [read[key] for key in ("lat", "lon", "place", "country", "radius_50_km", "exif_distance_km")] == [""] * 6
    outputs.write("geojson", [row], tmp_path / "a.geojson")
    (feature,) = json.loads((tmp_path / "a.geojson").read_text("utf-8"))["features"]
    assert feature["geometry"] is None
    assert feature["properties"]["country"] is None


@pytest.mark.parametrize("answer", [nowhere(), phantom()], ids=["now", "as earlier versions wrote it"])
def test_nothing_drawn_or_printed_points_at_a_place(answer: Answer) -> None:
    view = answer_view(answer)
    for part in (view["best"], view["vision"], view["text"], view["aware"]):
        assert part["lat"] is part["lon"] is part["r50"] is part["r90"] is part["country"] is None
        assert part["place"] == part["coordinates"] == ""
    assert view["neighbours"] == []
    assert view["countries"][0] == ["US", 0.09]
    assert not view["exif"] or view["exif"]["distance"] == ""
    page = map_html(answer, outlines=OUTLINES)
    report = report_html(answer, photo=None, outlines=OUTLINES, command="")
    terminal = printed(answer_text(answer, compare=True))
    assert line_text(answer) == "wall.jpg: No place can be named · 9 % for the likeliest country, United States"
    for text in (page, report, terminal):
        assert "No place can be named" in text
        named = ("the likeliest country, the United States, has 9 %", "for the likeliest country, United States")
        assert "United States" not in text.replace(named[0], "").replace(named[1], "")
        assert "40.7" not in text
        assert "from the answer" not in text or text is page  # the page's script has the words, its data does not
        assert "7,121" not in text


def test_an_assistant_is_told_no_place(blank: Answer, agent: GeoAgent) -> None:
    tools = pytest.importorskip("geoagent.interfaces.web.tools", reason="needs the extra web")
    told = tools.Located.of(blank)
    assert told.best == NOWHERE
    assert told.picture_alone is None
    assert (told.radius_50_km, told.radius_90_km) == (None, None)
    assert told.countries == []
    assert told.file_says == "Lisbon, Portugal"
    (reason,) = tools.Located.of(agent.locate_text(["Boulangerie"])).reasons[:1]
    assert reason.without == "no place"
    assert "no place can be named" in tools.INSTRUCTIONS


def test_the_command_line_names_none(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text(json.dumps({"id": "a", "lines": BLANK}) + "\n", "utf-8")
    base = ["--texts", str(rows), "--ocr", "nothing"]
    found = json.loads(CliRunner().invoke(main, ["locate", *base, "--json"]).stdout)
    assert set(found["best"].values()) == {None, "none"}
    told = CliRunner().invoke(main, ["locate", *base]).stdout
    assert told == "a: No place can be named\n"
    assert "US" not in told
    compared = json.loads(CliRunner().invoke(main, ["compare", *base, "--json"]).stdout)
    assert set(compared["text_aware"]["best"].values()) == {None, "none"}

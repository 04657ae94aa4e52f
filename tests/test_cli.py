"""The command line: exit codes, one-line errors, resumable output, the JSON contract."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from geoagent.answer import Answer
from geoagent.interfaces.cli import main

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture(scope="module")
def cologne() -> dict[str, object]:
    done = run("locate", EXAMPLES / "de_koeln.jpg", "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_an_example_is_located_and_explained():
    done = run("locate", EXAMPLES / "de_koeln.jpg")
    assert done.exit_code == 0
    assert "Köln" in done.output
    assert "nats" in done.output


def test_the_json_is_the_contract(cologne):
    answer = Answer.model_validate(cologne)
    assert cologne["schema"] == "geoagent.answer/1"
    assert answer.best.country == "DE"
    assert answer.status == "ok"
    assert sum(c.p for c in answer.countries) == pytest.approx(1)
    assert [c.p for c in answer.countries] == sorted((c.p for c in answer.countries), reverse=True)
    assert answer.confidence == answer.countries[0].p
    assert answer.vision_only.countries[0].p < answer.text_aware.countries[0].p
    assert answer.text_aware.best == answer.best
    assert {"best", "cues", "regions", "neighbours", "vision_only", "text_only", "warnings", "versions"} <= set(cologne)
    for cue in answer.cues:
        assert cue.says
        assert all(0 <= r < len(answer.regions) for r in cue.regions)
    assert "id" not in cologne


def test_two_languages_of_output_for_several_photos(tmp_path):
    done = run("locate", EXAMPLES / "de_koeln.jpg", EXAMPLES / "no_text.jpg", "--no-text")
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) == 2


def test_a_batch_resumes_and_a_bad_file_is_one_row(tmp_path):
    folder, out = tmp_path / "in", tmp_path / "a.jsonl"
    folder.mkdir()
    Image.new("RGB", (64, 64), "grey").save(folder / "a.jpg")
    (folder / "b.jpg").write_text("no photo")
    first = run("locate", folder, "--no-text", "--out", out)
    assert first.exit_code == 0
    Image.new("RGB", (64, 64), "blue").save(folder / "c.jpg")
    assert run("locate", folder, "--no-text", "--out", out).exit_code == 0
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [Path(r["source"]).name for r in rows] == ["a.jpg", "b.jpg", "c.jpg"]
    assert [r["status"] for r in rows] == ["ok", "error", "ok"]


def test_compare_counts_the_answers_of_a_run_before(tmp_path):
    rows = tmp_path / "rows.jsonl"
    lines = (["Bäckerei", "50667 Köln"], ["Boulangerie", "21000 Dijon"])
    rows.write_text("".join(json.dumps({"id": str(i), "lines": each}) + "\n" for i, each in enumerate(lines)), "utf-8")
    command = ("compare", "--texts", rows, "--out", tmp_path / "a.jsonl", "--json")
    first, again = (run(*command).stdout.splitlines() for _ in range(2))
    assert json.loads(first[-1]) == json.loads(again[-1])
    assert len(first) == 3
    assert len(again) == 1  # nothing was answered again, and all of it counted


def test_texts_without_photos(tmp_path):
    rows, out = tmp_path / "t.jsonl", tmp_path / "a.jsonl"
    rows.write_text('{"id": "x1", "lines": ["Rathaus", "50667 Köln"]}\n{"id": "x2", "lines": []}\n', "utf-8")
    assert run("locate", "--texts", rows, "--out", out).exit_code == 0
    answers = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [a["id"] for a in answers] == ["x1", "x2"]
    assert answers[0]["best"]["country"] == "DE"
    assert answers[1]["cues"] == []


@pytest.mark.parametrize("name", ["none.jpg", "text.jpg", "empty.jpg"])
def test_a_bad_photo_is_one_line_and_exit_code_1(tmp_path, name):
    (tmp_path / "text.jpg").write_text("hello")
    (tmp_path / "empty.jpg").write_bytes(b"")
    done = run("locate", tmp_path / name, "--no-text")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.strip().splitlines()) == 1
    as_json = run("locate", tmp_path / name, "--no-text", "--json")
    assert as_json.exit_code == 1
    assert json.loads(as_json.stdout)["status"] == "error"


@pytest.mark.parametrize(
    "args",
    [
        ("locate",),
        ("locate", "a.jpg", "--max-precision", "street"),
        ("locate", EXAMPLES / "no_text.jpg", "--within", "Xqzzwy"),
        ("locate", EXAMPLES / "no_text.jpg", "--within", "ZZ"),
        ("locate", EXAMPLES / "no_text.jpg", "--ocr", "telepathy"),
        ("locate", "a.jpg", "--texts", __file__),
        ("locate", "--texts", __file__, "--pairs", __file__),
        ("locate", "a.jpg", "--features", __file__),
        ("locate", ""),
        ("compare", " "),
        ("read", ""),
        ("verify", "", "--claim", "DE"),
        ("verify", EXAMPLES / "no_text.jpg", "--claim", "Narnia"),
        ("verify", EXAMPLES / "no_text.jpg", "--claim", "Köln", "--max-precision", "country"),
        ("locate", EXAMPLES / "no_text.jpg", "--hint", "Narnia"),
        ("locate", EXAMPLES / "no_text.jpg", "--world", "nowhere"),
        ("locate", EXAMPLES / "no_text.jpg", "--config", "nope.toml"),
        ("locate", EXAMPLES / "no_text.jpg", "--confidence", "0.9"),
        ("locate", EXAMPLES / "no_text.jpg", "--max-precision", "auto", "--confidence", "1"),
        ("locate", "--texts", "missing.jsonl"),
        ("compare", EXAMPLES / "no_text.jpg", "--truth", "missing.csv"),
        ("compare", "--answers", "missing.jsonl"),
        ("evaluate", "--world", "nowhere", "--data", __file__),
        ("train", "--data", "missing.npz", "--out", "w"),
        ("fly",),
    ],
)
def test_wrong_usage_is_exit_code_2(args):
    done = run(*args)
    assert done.exit_code == 2, done.output
    assert "Traceback" not in done.output


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("locate",), "give photos or folders, or a file of texts by --texts"),
        (("locate", "a.jpg", "--abstain-below", "nan"), "--abstain-below': nan is no probability"),
        (("locate", "a.jpg", "--abstain-below", "1.5"), "--abstain-below': 1.5 is not in the range 0<=x<1"),
        (("locate", "a.jpg", "--confidence", "0.9"), "needs --max-precision auto"),
    ],
)
def test_wrong_usage_says_what_is_right(args, says):
    assert says in " ".join(run(*args).stderr.split())


@pytest.mark.parametrize("command", [("read",), ("verify", "--claim", "DE")])
@pytest.mark.parametrize("name", ["gone.jpg", "text.jpg", "."])
def test_a_bad_photo_is_a_row_for_programs_everywhere(tmp_path, command, name):
    (tmp_path / "text.jpg").write_text("hello")
    done = run(*command, tmp_path / name, "--json", "--no-text")
    assert done.exit_code == 1
    row = json.loads(done.stdout)
    assert row["status"] == "error"
    assert row["source"] == str(tmp_path / name)
    assert row["error"] in done.stderr
    assert "find_photos" not in done.stderr


def test_a_claim_that_the_photo_has_no_part_in_is_an_error_of_the_photo():
    done = run("verify", EXAMPLES / "no_text.jpg", "--claim", "exif", "--json", "--no-text")
    assert done.exit_code == 1
    assert "claims no position" in json.loads(done.stdout)["error"]


def test_a_world_is_found_by_its_name(tmp_path, monkeypatch):
    import shutil

    from geoagent.resources import data_dir
    from geoagent.worlds import home

    monkeypatch.setattr(home, "home", lambda: tmp_path)
    shutil.copytree(data_dir("gazetteer") / "starter-world", tmp_path / "mine")
    assert run("locate", EXAMPLES / "no_text.jpg", "--no-text", "--world", "mine").exit_code == 0


def test_a_broken_world_is_one_line(tmp_path):
    done = run("locate", EXAMPLES / "no_text.jpg", "--world", tmp_path)
    assert done.exit_code == 1
    assert "no world" in done.stderr


def test_within_is_obeyed_and_shown_as_what_the_user_said():
    done = run("locate", EXAMPLES / "no_text.jpg", "--no-text", "--within", "pt,es", "--json")
    answer = json.loads(done.stdout)
    assert answer["best"]["country"] in ("PT", "ES")
    assert sum(c["p"] for c in answer["countries"] if c["code"] in ("PT", "ES")) > 0.9999
    assert [c["source"] for c in answer["cues"]] == ["user"]


def test_map_and_annotated_picture_are_written(tmp_path):
    done = run("locate", EXAMPLES / "de_koeln.jpg", "--map", tmp_path / "m.html", "--annotated", tmp_path / "a.png")
    assert done.exit_code == 0, done.output
    page = (tmp_path / "m.html").read_text("utf-8")
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert "<script src" not in page
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.width >= 600


def test_a_capped_map_shows_no_photo(tmp_path):
    photo = EXAMPLES / "de_koeln.jpg"
    assert run("locate", photo, "--max-precision", "country", "--map", tmp_path / "m.html").exit_code == 0
    page = (tmp_path / "m.html").read_text("utf-8")
    assert "data:image/jpeg" not in page
    assert "Ehrenstra" not in page
    assert run("locate", photo, "--max-precision", "country", "--annotated", tmp_path / "a.png").exit_code == 2


def test_read_prints_text_and_cues_alone():
    done = run("read", EXAMPLES / "de_koeln.jpg", "--json")
    report = json.loads(done.stdout)
    assert any("Köln" in r["text"] or "Koln" in r["text"] for r in report["regions"])
    assert {"name"} <= {c["kind"] for c in report["cues"]}


def test_doctor_and_schema_speak_json():
    report = json.loads(run("doctor", "--json").stdout)
    assert report["ocr_engines"]["rapidocr"] == "ready"
    assert "Latn" in report["scripts_readable"]
    schema = json.loads(run("schema").stdout)
    assert schema["properties"]["schema"]["const"] == "geoagent.answer/1"


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help_with_an_example(command):
    done = run(command, "--help")
    assert done.exit_code == 0
    assert f"geoagent {command}" in done.output
    assert "Example" in done.output

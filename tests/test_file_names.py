"""Names of files that are no UTF-8, hold control characters, or look like an escape: written, and found again."""

from __future__ import annotations

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from answers import full
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from stand_in.engine import KOELN, picture

from geoagent import GeoAgent
from geoagent.evidence.photos import open_photo
from geoagent.filenames import path_of, safe, written
from geoagent.interfaces.cli import main
from geoagent.types import Photo

pytestmark = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this file system has no such names")

NAMES = {
    b"Gro\xdfmarkt.jpg": r"Gro\xdfmarkt.jpg",  # Latin-1
    b"\x8e\x96\x8c\x8f.jpg": r"\x8e\x96\x8c\x8f.jpg",  # Shift-JIS
    b"\xcf\xf0\xe0\xe3\xe0.jpg": r"\xcf\xf0\xe0\xe3\xe0.jpg",  # Windows-1251
    b"two\nlines.jpg": r"two\x0alines.jpg",
    b"\x1b[31mred.jpg": r"\x1b[31mred.jpg",
    "a\u2028b.jpg".encode(): r"a\u2028b.jpg",
    rb"Gro\xdfmarkt.jpg": r"Gro\x5cxdfmarkt.jpg",  # its own characters, not a byte
    b"cut \xe6\x9d.jpg": r"cut \xe6\x9d.jpg",  # the first two bytes of three
    "Köln 東京.jpg".encode(): "Köln 東京.jpg",
    b"back\\slash.jpg": r"back\slash.jpg",
}


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [os.fsdecode(a) if isinstance(a, bytes | os.PathLike) else str(a) for a in args])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "photos"
    made.mkdir()
    for name in NAMES:
        with open(os.path.join(os.fsencode(made), name), "wb") as file:
            Image.new("RGB", (48, 32), "grey").save(file, "JPEG")
    return made


# --- the written name -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "says"), NAMES.items())
def test_how_names_are_written(name: bytes, says: str, folder: Path) -> None:
    path = folder / os.fsdecode(name)
    assert written(path) == str(folder / says)
    assert path_of(written(path)) == path
    assert path_of(says, folder) == path
    assert open_photo(path).source == str(folder / says)


@given(st.binary(min_size=1, max_size=30).filter(lambda name: b"\0" not in name and b"/" not in name))
def test_every_name_can_be_written_and_read_back(name: bytes) -> None:
    text = written(os.fsdecode(name))
    assert text.encode().decode() == text
    assert len(text.splitlines()) <= 1
    assert path_of(text) == Path(os.fsdecode(name))


@given(st.lists(st.text("\\x5cdfu\udcdf\n", min_size=1, max_size=9), min_size=2, max_size=8, unique=True))
def test_no_two_names_are_written_alike(names: list[str]) -> None:
    assert len({written(name) for name in names}) == len(names)


def test_a_name_that_was_never_escaped_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / r"old\x41.jpg").touch()
    assert path_of(r"old\x41.jpg", tmp_path) == tmp_path / r"old\x41.jpg"
    assert path_of("a b.jpg", tmp_path) == tmp_path / "a b.jpg"
    assert safe("Sto\udcdf: \ud800") == r"Sto\xdf: \ud800"


# --- in answers and tables ------------------------------------------------------------------------------------------


def test_a_folder_is_answered_once(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    first, second = (run("locate", folder, "--no-text", "--out", out) for _ in range(2))
    assert first.exit_code == second.exit_code == 0, first.output + second.output
    assert "10 of 10 answered, 0 failed (10 from a run before)" in second.stderr
    rows = [json.loads(line) for line in out.read_text("utf-8").split("\n") if line]
    assert sorted(row["source"] for row in rows) == sorted(str(folder / says) for says in NAMES.values())
    assert {path_of(row["source"]) for row in rows} == {folder / os.fsdecode(name) for name in NAMES}


def test_an_interrupted_run_goes_on_after_such_a_name(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    run("locate", folder, "--no-text", "--out", out)
    lines = out.read_text("utf-8").split("\n")
    out.write_text("\n".join(lines[:4]) + "\n" + lines[4][:50], "utf-8")
    assert "(4 from a run before)" in run("locate", folder, "--no-text", "--out", out).stderr
    rows = [json.loads(line) for line in out.read_text("utf-8").split("\n") if line]
    assert [row["source"] for row in rows] == [json.loads(line)["source"] for line in lines if line]


def test_printed_names_are_one_line_each(folder: Path) -> None:
    done = run("locate", folder, "--no-text")
    assert done.exit_code == 0, done.output
    assert len(done.stdout.splitlines()) == len(NAMES)
    assert all(str(folder / says) in done.stdout for says in NAMES.values())
    assert "\x1b" not in done.stdout
    printed = run("locate", folder, "--no-text", "--json").stdout.split("\n")
    assert {json.loads(line)["source"] for line in printed if line} == {str(folder / s) for s in NAMES.values()}


@pytest.mark.parametrize("name", list(NAMES)[:7])
@pytest.mark.parametrize("content", [b"", b"no photo", b"\xff\xd8\xff\xe0 damaged"])
def test_an_error_names_the_photo_once(name: bytes, content: bytes, tmp_path: Path) -> None:
    path, says = tmp_path / os.fsdecode(name), str(tmp_path / NAMES[name])
    path.write_bytes(content)
    done = run("locate", path, "--no-text", "--json")
    assert done.exit_code == 1
    row = json.loads(done.stdout)
    assert (row["source"], row["status"]) == (says, "error")
    assert done.stderr.count(says) == 1
    for command in (("read", path, "--json"), ("verify", path, "--claim", "Lyon", "--json")):
        told = run(*command, "--no-text")
        assert told.exit_code == 1
        assert json.loads(told.stdout)["source"] == says


def test_a_missing_file_with_such_a_name(tmp_path: Path) -> None:
    done = run("locate", tmp_path / "gone\udce9.jpg", tmp_path / "there.jpg", "--no-text", "--json")
    first, second = map(json.loads, done.stdout.splitlines())
    assert first["error"].startswith(rf"{tmp_path}/gone\xe9.jpg: no such file")
    assert second["source"] == f"{tmp_path}/there.jpg"
    assert r"no photos in" in run("locate", tmp_path).stderr


def test_tables_and_sidecars(folder: Path, tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    rows = [full(source=says, exif_gps=None).to_json() for says in NAMES.values()]
    answers.write_text("\n".join(rows), "utf-8")
    table, features = tmp_path / "a.csv", tmp_path / "a.geojson"
    done = run("export", answers, "--csv", table, "--geojson", features, "--xmp", "--photos", folder, "--json")
    assert done.exit_code == 0, done.output
    with table.open(encoding="utf-8-sig", newline="") as file:
        assert [row["source"] for row in csv.DictReader(file)] == list(NAMES.values())
    told = json.loads(features.read_text("utf-8"))["features"]
    assert [each["properties"]["source"] for each in told] == list(NAMES.values())
    assert sorted(os.listdir(os.fsencode(folder))) == sorted([*NAMES, *(name + b".xmp" for name in NAMES)])
    assert json.loads(done.stdout)["xmp"]["written"] == [f"{folder / says}.xmp" for says in NAMES.values()]
    again = run("export", answers, "--xmp", "--photos", folder)
    assert again.exit_code == 0, again.output
    assert "10 left out" in again.stdout
    assert again.stderr.count("exists and is left as it is") == len(NAMES)


def test_export_into_such_a_name(tmp_path: Path) -> None:
    answers, target = tmp_path / "a.jsonl", tmp_path / "Stra\udcdfe.csv"
    answers.write_text(full().to_json(), "utf-8")
    done = run("export", answers, "--csv", target)
    assert done.exit_code == 0, done.output
    assert r"Stra\xdfe.csv: 1 row" in done.stdout
    assert target.is_file()


@pytest.mark.parametrize("name", list(NAMES)[:4])
def test_pages_and_drawings_of_one_photo(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    path.write_bytes(picture(KOELN))
    outputs = [tmp_path / each for each in ("map.html", "report.html", "drawn.png")]
    options = zip(("--map", "--report", "--annotated"), outputs, strict=True)
    done = run("locate", path, "--ocr", "stand_in.engine", *[part for option in options for part in option])
    assert done.exit_code == 0, done.output
    assert "Köln" in done.stdout
    assert all(each.stat().st_size > 1000 for each in outputs)
    assert NAMES[name] in outputs[1].read_text("utf-8")


def test_drawings_of_a_folder_replace_none_of_each_other(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    names = ["one/sign.jpg", "two/sign.jpg", "two/sign.png", "two/Stra\udcdfe.jpg", "shop.jpg"]
    for name in names:
        (photos / name).parent.mkdir(parents=True, exist_ok=True)
        (photos / name).write_bytes(picture(KOELN))
    done = run("locate", photos, "--ocr", "stand_in.engine", "--annotated", tmp_path / "drawn")
    assert done.exit_code == 0, done.output
    drawn = sorted(str(each.relative_to(tmp_path / "drawn")) for each in (tmp_path / "drawn").rglob("*.png"))
    assert drawn == ["Stra\udcdfe.png", "one/sign.jpg.png", "shop.png", "two/sign.jpg.png", "two/sign.png.png"]


def test_comparing_with_the_truth(folder: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("file,country\n" + "".join(f"{says},DE\n" for says in NAMES.values()), "utf-8")
    done = run("compare", folder, "--no-text", "--truth", truth, "--json")
    assert done.exit_code == 0, done.output
    assert "of 10 photos" not in done.stderr  # said where some have none


def test_from_python(folder: Path, agent: GeoAgent) -> None:
    for name, says in NAMES.items():
        answer = agent.locate(folder / os.fsdecode(name))
        assert answer.source == str(folder / says)
        assert json.loads(answer.to_json())["source"] == answer.source


def test_a_photo_of_ones_own_with_such_a_name(agent: GeoAgent) -> None:
    photo = Photo(np.zeros((40, 60, 3), np.uint8), "Stra\udcdfe.jpg")
    assert json.loads(agent.locate(photo).to_json())["source"] == r"Stra\xdfe.jpg"


def test_the_folder_of_the_tools(folder: Path) -> None:
    pytest.importorskip("mcp", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
    from geoagent.interfaces.web.tools import Folder

    tools = Folder(folder)
    assert sorted(tools.photos()) == sorted(NAMES.values())
    assert {tools.file(says) for says in tools.photos()} == {folder / os.fsdecode(name) for name in NAMES}

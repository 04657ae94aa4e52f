"""What `locate` and `compare` print about many photos: a line each, and once what holds for all."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from answers import full, nowhere
from click.testing import CliRunner, Result
from PIL import Image

from geoagent.interfaces.cli import main
from geoagent.interfaces.render.text import line_text

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture
def few(tmp_path: Path) -> Path:
    """A photo with text, one without, and no photo."""
    folder = tmp_path / "few"
    folder.mkdir()
    shutil.copy(EXAMPLES / "de_koeln.jpg", folder / "koeln.jpg")
    Image.new("RGB", (64, 64), "grey").save(folder / "grey.jpg")
    (folder / "text.jpg").write_text("hello")
    return folder


def test_locating_a_folder(few: Path) -> None:
    done = run("locate", few)
    grey, cologne, text = done.stdout.splitlines()
    assert grey == f"{few / 'grey.jpg'}: No place can be named"
    assert cologne == f"{few / 'koeln.jpg'}: Köln, Germany · >99 % sure · 90 % within 21 km"
    assert text.startswith(f"{few / 'text.jpg'}: error: is a text file")
    assert done.stderr.count("the picture itself was not judged") == 1


def test_a_line_says_how_sure_and_how_near() -> None:
    assert line_text(full()) == "fotos/bäckerei-königstraße.jpg: Stuttgart, Germany · 96 % sure · 90 % within 46 km"
    best = full().best.model_copy(update={"precision": "country", "place": "Germany"})
    line = line_text(full(best=best, radius_50_km=210.0, confidence=0.9999))
    assert line.endswith(": Germany · >99 % sure · country only")
    assert line_text(nowhere()) == "wall.jpg: No place can be named · 9 % for the likeliest country, United States"


def test_a_folder_fails_only_if_all_of_it_does(few: Path) -> None:
    assert run("locate", few, "--no-text").exit_code == 0, "one of three photos failed"
    for photo in ("koeln.jpg", "grey.jpg"):
        (few / photo).unlink()
    assert run("locate", few, "--no-text").exit_code == 1


def test_only_what_all_have_in_common_is_said_for_all(few: Path) -> None:
    (few / "koeln.jpg").write_bytes((few / "koeln.jpg").read_bytes()[:-3000])  # truncated, which is one photo's warning
    done = run("locate", few / "koeln.jpg", few / "grey.jpg", "--no-text")
    assert "truncated" not in done.stderr
    assert "for all of them: the picture itself was not judged" in done.stderr


def test_a_failure_names_its_photo_once(few: Path, tmp_path: Path) -> None:
    bad = few / "text.jpg"
    for args in (("locate", bad), ("locate", few, "--out", tmp_path / "a.jsonl"), ("compare", few)):
        stderr = run(*args, "--no-text").stderr
        assert len(re.findall("text.jpg", stderr)) == 1, stderr
        assert f"Error: {bad}: is a text file" in stderr


def test_comparing_a_folder(few: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    done = run("compare", few, "--out", out)
    assert done.exit_code == 0, done.output
    lines = [line for line in done.stdout.splitlines() if ".jpg" in line]
    assert lines == []  # a picture that was not judged says nothing that the text could change
    assert "conflicts" not in done.stdout
    assert done.stderr.count("no picture was judged") == 1
    as_json = run("compare", "--answers", out, "--json")
    *photos, counts = map(json.loads, as_json.stdout.splitlines())
    assert [row["status"] for row in photos] == ["ok", "ok", "error"]
    assert "is a text file" in photos[2]["error"]
    assert counts["schema"] == "geoagent.changes/1"


@pytest.mark.parametrize("how", ["photos", "answers"])
def test_truth_that_is_of_other_photos(few: Path, tmp_path: Path, how: str) -> None:
    truth, out = tmp_path / "truth.csv", tmp_path / "a.jsonl"
    run("locate", few, "--no-text", "--out", out)
    args = ("compare", few, "--no-text") if how == "photos" else ("compare", "--answers", out)
    truth.write_text("file,country\nelsewhere.jpg,FR\n")
    none = run(*args, "--truth", truth)
    assert none.exit_code == 1
    assert (
        "tells the country of none of these photos: it tells 1 countries, for example of 'elsewhere.jpg'" in none.stderr
    )
    truth.write_text("file,country\nkoeln.jpg,DE\nelsewhere.jpg,FR\n")
    some = run(*args, "--truth", truth)
    assert some.exit_code == 0, some.output
    assert "tells the country of 1 of 3 photos" in some.stderr


def test_positions_in_the_files_of_a_set_are_named(tmp_path: Path) -> None:
    for name in ("fr_paris.jpg", "de_koeln.jpg"):
        shutil.copy(EXAMPLES / name, tmp_path / name)
    told = run("compare", tmp_path, "--no-text").stderr
    assert f"{tmp_path / 'fr_paris.jpg'}: The file says Paris, France (48.8578° N, 2.2970° E): not used" in told


def test_one_photo_is_shown_again_from_its_file(few: Path, tmp_path: Path) -> None:
    args = ("compare", few / "grey.jpg", "--no-text", "--out", tmp_path / "a.jsonl")
    first, second = run(*args), run(*args)
    assert first.stdout == second.stdout
    assert "The picture was not judged, and no text in it speaks for a place." in second.stdout
    assert "1 from a run before" in second.stderr

"""`geoagent export`, and `geoagent locate --where missing-gps`."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from answers import error, full, nowhere
from click.testing import CliRunner, Result
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from geoagent.agent.disclosure import disclose
from geoagent.evidence.photos import what_it_says
from geoagent.interfaces.cli import main
from geoagent.places.gazetteer import Gazetteer

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


def run(*args: object, **options: Any) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args], **options)


def place(path: Path, *, gps: bool = False) -> Path:
    """A small photo, with or without a position."""
    exif = Image.Exif()
    if gps:
        exif.get_ifd(0x8825).update({1: "N", 2: (IFDRational(48),) * 3, 3: "E", 4: (IFDRational(9),) * 3})
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), "grey").save(path, exif=exif)
    return path


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Two answers, an error, and two lines that are none."""
    place(tmp_path / "in" / "a.jpg")
    lines = [
        full(source="a.jpg").to_json(), "{no json", nowhere().to_json(), "", error().to_json(),
        full().to_json().replace('"ok"', '"fine"'),
    ]  # fmt: skip
    path = tmp_path / "answers.jsonl"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def test_everything_at_once(answers: Path, tmp_path: Path) -> None:
    pytest.importorskip("geopandas", reason="geopandas is not installed (pip install 'geoagent-photo[geo]')")
    out = tmp_path / "out"
    done = run(
        "export", answers, "--csv", out / "a.csv", "--geojson", out / "a.geojson", "--geoparquet", out / "a.parquet",
        "--xmp", "--photos", tmp_path / "in", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["answers"] == 2
    assert report["errors"] == 1
    assert [line["line"] for line in report["bad_lines"]] == [2, 6]
    assert "line 2" in done.stderr
    assert "status" in done.stderr
    assert report["csv"]["rows"] == 3
    assert report["geojson"] == {"file": str(out / "a.geojson"), "rows": 2, "left_out": 1}
    assert report["geoparquet"]["rows"] == 2
    assert report["xmp"]["written"] == [str(tmp_path / "in" / "a.jpg.xmp")]
    assert len(report["xmp"]["left_out"]) == 2
    with (out / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row["status"] for row in csv.DictReader(file)] == ["ok", "ok", "error"]
    assert "Germany" in (tmp_path / "in" / "a.jpg.xmp").read_text("utf-8")


def test_people_are_told_in_words(answers: Path, tmp_path: Path) -> None:
    done = run("export", answers, "--geojson", tmp_path / "a.geojson", "--xmp", "--photos", tmp_path / "in")
    assert done.exit_code == 0
    assert "2 rows, 1 without an answer left out" in done.stdout
    assert done.stdout.splitlines()[-1] == "XMP: 1 sidecar written, 2 left out (1 no place named, 1 no answer)"
    again = run("export", answers, "--xmp", "--photos", tmp_path / "in")
    assert "exists and is left as it is" in again.stderr


def test_a_cap_holds_for_every_format(answers: Path, tmp_path: Path) -> None:
    done = run(
        "export", answers, "--csv", tmp_path / "a.csv", "--geojson", tmp_path / "a.geojson", "--xmp",
        "--photos", tmp_path / "in", "--max-precision", "country",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    sidecar = (tmp_path / "in" / "a.jpg.xmp").read_text("utf-8")
    assert "GPSLatitude" not in sidecar
    for text in (sidecar, (tmp_path / "a.csv").read_text("utf-8"), (tmp_path / "a.geojson").read_text("utf-8")):
        assert "Stuttgart" not in text
        assert "48.7758" not in text


def test_standard_input(answers: Path, tmp_path: Path) -> None:
    done = run("export", "-", "--csv", tmp_path / "a.csv", input=answers.read_bytes())
    assert done.exit_code == 0
    assert (tmp_path / "a.csv").exists()


def test_standard_output(answers: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = run("export", answers, "--csv", "-", "--xmp", "--photos", tmp_path / "in")
    assert table.exit_code == 0
    rows = list(csv.DictReader(table.stdout_bytes.decode("utf-8-sig").splitlines()))
    assert [row["status"] for row in rows] == ["ok", "ok", "error"]
    assert "-: 3 rows" in table.stderr
    assert "sidecar written" in table.stderr
    features = json.loads(run("export", "-", "--geojson", "-", input=answers.read_bytes()).stdout)["features"]
    assert len(features) == 2
    for wrong in (("--csv", "-", "--geojson", "-"), ("--geoparquet", "-"), ("--csv", "-", "--json")):
        assert run("export", answers, *wrong).exit_code == 2
    assert not (tmp_path / "-").exists()


def test_a_file_of_something_else_is_one_error(answers: Path, tmp_path: Path) -> None:
    photo = EXAMPLES / "de_koeln.jpg"
    done = run("export", photo, "--csv", tmp_path / "a.csv")
    assert done.exit_code == 1
    assert f"no answers in {photo}" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    both = run("export", photo, answers, "--csv", tmp_path / "a.csv", "--json")
    assert both.exit_code == 0
    assert [line["line"] for line in json.loads(both.stdout)["bad_lines"]] == [1, 2, 6]


def test_wrong_usage_and_errors_have_their_codes(answers: Path, tmp_path: Path) -> None:
    assert run("export", answers).exit_code == 2
    assert run("export", "--csv", tmp_path / "a.csv").exit_code == 2
    assert run("export", answers, "--csv", tmp_path / "a.csv", "--even-with-gps").exit_code == 2
    gone = run("export", tmp_path / "gone.jsonl", "--csv", tmp_path / "a.csv")
    assert gone.exit_code == 1
    assert "Traceback" not in gone.output
    (tmp_path / "bad.jsonl").write_text("nothing\n")
    assert run("export", tmp_path / "bad.jsonl", "--csv", tmp_path / "b.csv").exit_code == 1
    assert not (tmp_path / "b.csv").exists()
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00\n" + answers.read_bytes())
    assert run("export", tmp_path / "binary.jsonl", "--csv", tmp_path / "b.csv").exit_code == 0
    assert run("export", answers, "--xmp", "--photos", tmp_path / "elsewhere").exit_code == 2  # no such folder
    (tmp_path / "elsewhere").mkdir()
    assert run("export", answers, "--xmp", "--photos", tmp_path / "elsewhere").exit_code == 1  # no such photo


def test_a_file_that_cannot_be_written_is_one_line(answers: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = run("export", answers, "--csv", tmp_path / "file" / "a.csv")
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr


def test_even_with_gps(tmp_path: Path) -> None:
    path = place(tmp_path / "a.jpg", gps=True)
    rows = tmp_path / "a.jsonl"
    rows.write_text(full(source=str(path)).to_json() + "\n", "utf-8")
    kept = run("export", rows, "--xmp")
    assert kept.exit_code == 0
    assert "has a position" in kept.stderr
    assert not (tmp_path / "a.jpg.xmp").exists()
    assert run("export", rows, "--xmp", "--even-with-gps").exit_code == 0
    assert (tmp_path / "a.jpg.xmp").exists()


def unsure(tmp_path: Path) -> Path:
    """Answers that are 96, 79 and 80 % sure of their country."""
    for name in ("a", "b", "c"):
        place(tmp_path / f"{name}.jpg")
    made = [
        full(source=str(tmp_path / f"{name}.jpg"), confidence=p) for name, p in (("a", 0.958), ("b", 0.79), ("c", 0.8))
    ]
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(f"{answer.to_json()}\n" for answer in made), "utf-8")
    return rows


def test_nothing_is_written_beside_a_photo_below_a_confidence(tmp_path: Path) -> None:
    rows = unsure(tmp_path)
    done = run("export", rows, "--xmp")
    assert done.stdout == "XMP: 2 sidecars written, 1 left out (1 not sure enough)\n"
    assert "79 % sure, less than the 80 % of --min-confidence" in done.stderr
    assert sorted(p.name for p in tmp_path.glob("*.xmp")) == ["a.jpg.xmp", "c.jpg.xmp"]
    report = json.loads(run("export", rows, "--xmp", "--min-confidence", "0.5", "--json").stdout)["xmp"]
    assert [Path(name).name for name in report["written"]] == ["b.jpg.xmp"]
    assert report["counts"] == {"has a sidecar": 2}
    assert run("export", rows, "--csv", tmp_path / "a.csv", "--min-confidence", "0.5").exit_code == 2
    assert run("export", rows, "--xmp", "--min-confidence", "80").exit_code == 2


def test_arguments_for_exiftool_follow_the_rules_of_sidecars(tmp_path: Path) -> None:
    rows, target = unsure(tmp_path), tmp_path / "args.txt"
    place(tmp_path / "a.jpg", gps=True)
    done = run("export", rows, "--exiftool", target)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == (
        f"{target}: arguments for 1 photo, 2 left out (1 has a position, 1 not sure enough)"
    )
    text = target.read_text("utf-8")
    assert str(tmp_path / "c.jpg") in text
    assert "b.jpg" not in text
    assert text.count("-execute") == 1
    assert run("export", rows, "--exiftool", rows).exit_code == 2, "it would replace the answers"
    both = json.loads(run("export", rows, "--exiftool", target, "--xmp", "--even-with-gps", "--json").stdout)
    assert both["exiftool"]["written"] == [str(tmp_path / "a.jpg"), str(tmp_path / "c.jpg")]
    assert len(both["xmp"]["written"]) == 2
    assert not any(path.name.endswith("_original") for path in tmp_path.iterdir())


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed (libimage-exiftool-perl)")
def test_exiftool_writes_the_estimate_and_it_is_no_position(tmp_path: Path) -> None:
    names = ("a.jpg", "-name with spaces.jpg", "#émigré ‘x’.jpg", "later.jpg")
    lines = [full(source=str(place(tmp_path / name)), exif_gps=None).to_json() for name in names]
    (tmp_path / "rows.jsonl").write_text("\n".join(lines), "utf-8")
    done = run("export", tmp_path / "rows.jsonl", "--exiftool", tmp_path / "args.txt")
    assert done.exit_code == 0, done.output
    place(tmp_path / "later.jpg", gps=True)  # got a position after the arguments were written
    wrote = subprocess.run(["exiftool", "-@", tmp_path / "args.txt"], cwd=tmp_path, capture_output=True, text=True)
    assert wrote.stdout.count("1 image files updated") == 3, wrote
    assert (wrote.stdout + wrote.stderr).count("1 files failed condition") == 1, wrote
    found = json.loads(
        subprocess.run(
            ["exiftool", "-json", "-n", "-G1", *(tmp_path / name for name in names)], capture_output=True, check=True
        ).stdout
    )
    for name, tags in zip(names[:3], found, strict=False):
        assert abs(tags["Composite:GPSLatitude"] - 48.7758) < 1e-5
        assert abs(tags["Composite:GPSLongitude"] - 9.1829) < 1e-5
        assert tags["GPS:GPSProcessingMethod"] == "geoagent estimate"
        assert tags["GPS:GPSHPositioningError"] == 46000
        assert tags["XMP-photoshop:City"] == "Stuttgart"
        assert tags["XMP-photoshop:State"] == "Baden-Württemberg"
        assert tags["XMP-iptcCore:CountryCode"] == "DE"
        assert "ESTIMATED by geoagent" in tags["XMP-photoshop:Instructions"]
        said = what_it_says(tmp_path / name)
        assert said.position is None, "an estimate of ours is no position of the photo"
    assert found[3]["Composite:GPSLatitude"] > 48.8


def test_an_album_on_one_map_shows_small_copies_of_its_photos(answers: Path, tmp_path: Path) -> None:
    target = tmp_path / "map.html"
    done = run("export", answers, "--album-map", target, "--photos", tmp_path / "in")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == f"{target}: 1 of 3 answers on the map, 1 with their photo"
    page = target.read_text("utf-8")
    assert page.count("data:image/jpeg") == 1
    assert "Stuttgart" in page
    report = json.loads(run("export", answers, "--album-map", target, "--json").stdout)["album_map"]
    assert (report["answers"], report["on_the_map"], report["photos"]) == (3, 1, 0), "a.jpg is not in this folder"
    assert run("export", answers, "--album-map", answers).exit_code == 2


def test_the_map_of_capped_answers_shows_no_photo(answers: Path, tmp_path: Path) -> None:
    target, again = tmp_path / "map.html", tmp_path / "capped.jsonl"
    done = run("export", answers, "--album-map", target, "--photos", tmp_path / "in", "--max-precision", "country")
    assert "without photos, since answers are capped" in done.stdout
    page = target.read_text("utf-8")
    assert "data:image/jpeg" not in page
    assert "Stuttgart" not in page
    capped = disclose(full(source="a.jpg"), "country", Gazetteer.load())  # as locate --max-precision writes it
    again.write_text(capped.to_json() + "\n", "utf-8")
    run("export", again, "--album-map", target, "--photos", tmp_path / "in")
    assert "data:image/jpeg" not in target.read_text("utf-8")


def test_locate_to_sidecars_from_end_to_end(tmp_path: Path) -> None:
    """The way of an archive: only photos without a position, then sidecars, which are estimates and no positions."""
    folder = tmp_path / "archive"
    place(folder / "known.jpg", gps=True)
    shutil.copy(EXAMPLES / "de_koeln.jpg", folder / "koeln.jpg")
    (folder / "broken.jpg").write_text("no photo")
    out = tmp_path / "answers.jsonl"
    done = run("locate", folder, "--where", "missing-gps", "--out", out)
    assert done.exit_code == 0, done.output
    assert "1 of 3 photos left out" in done.stderr
    sources = [json.loads(line)["source"] for line in out.read_text("utf-8").splitlines()]
    assert sources == [str(folder / "broken.jpg"), str(folder / "koeln.jpg")]
    again = run("locate", folder, "--where", "missing-gps", "--out", out)  # resumes: nothing is answered twice
    assert again.exit_code == 0
    assert len(out.read_text("utf-8").splitlines()) == 2
    assert run("export", out, "--xmp").exit_code == 0
    assert sorted(p.name for p in folder.glob("*.xmp")) == ["koeln.jpg.xmp"]
    named = (folder / "koeln.jpg", folder / "known.jpg")
    third = run("locate", *named, "--where", "missing-gps", "--no-text")
    assert third.exit_code == 0
    assert "1 of 2 photos left out" in third.stderr
    assert "koeln.jpg" in third.stdout.replace("\n", "")  # a long path is wrapped
    estimate = (folder / "koeln.jpg.xmp").read_text("utf-8")
    measured = re.sub(r"(exif:GPSLatitude>)[^<]+", r"\g<1>50,56.100000N", estimate)
    (folder / "koeln.jpg.xmp").write_text(measured, "utf-8")
    fourth = run("locate", *named, "--where", "missing-gps")
    assert fourth.exit_code == 0
    assert "2 of 2 photos left out" in fourth.stderr


def test_where_is_about_photos(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": 1, "lines": ["x"]}\n')
    assert run("locate", "--texts", tmp_path / "t.jsonl", "--where", "missing-gps").exit_code == 2


def test_where_decodes_no_pixel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geoagent.evidence.photos import what_it_says

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    paths = [place(tmp_path / name, gps=gps) for name, gps in (("a.jpg", True), ("b.jpg", False), ("c.png", False))]
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", refuse)
    assert [what_it_says(path).position is not None for path in paths] == [True, False, False]


def test_no_output_overwrites_what_it_is_made_from(answers: Path, tmp_path: Path) -> None:
    before = answers.read_bytes()
    assert run("export", answers, "--csv", answers).exit_code == 2
    assert answers.read_bytes() == before
    path = place(tmp_path / "a.jpg")
    before = path.read_bytes()
    for option in ("--report", "--map"):
        assert run("locate", path, option, path).exit_code == 2
        assert path.read_bytes() == before

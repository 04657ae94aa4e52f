"""`geoagent locate --album`, and saving what was seen."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from albums import LYON, PARIS, moved
from click.testing import CliRunner, Result
from PIL import Image

from geoagent import GeoAgent
from geoagent.agent import album_run
from geoagent.agent.album_run import look_at
from geoagent.errors import InputError
from geoagent.interfaces.cli import main
from geoagent.places.geo import LatLon

KOELN = Path(__file__).parents[1] / "examples" / "photos" / "de_koeln.jpg"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def take(path: Path, when: datetime, at: LatLon | None = None, model: str = "Pixel 7", offset: str = "+02:00") -> Path:
    """A grey photo with a time, a camera and perhaps a position."""
    image = Image.new("RGB", (320, 240), "grey")
    exif = image.getexif()
    exif[0x10F], exif[0x110] = "Google" if model.startswith("Pixel") else "Canon", model
    details = exif.get_ifd(0x8769)
    details[0x9003] = when.strftime("%Y:%m:%d %H:%M:%S")
    if offset:
        details[0x9011] = offset
    if at is not None:
        parts = [(int(abs(v)), int(abs(v) * 60 % 60), round(abs(v) * 3600 % 60, 3)) for v in (at.lat, at.lon)]
        exif.get_ifd(0x8825).update(
            {1: "N" if at.lat >= 0 else "S", 2: parts[0], 3: "E" if at.lon >= 0 else "W", 4: parts[1]}
        )
    image.save(path, exif=exif)
    return path


NOON = datetime(2023, 7, 4, 12, 0)


@pytest.fixture
def trip(tmp_path: Path) -> Path:
    """Five photos, two of them without a position, a screenshot and a file that is no photo."""
    folder = tmp_path / "trip"
    folder.mkdir()
    take(folder / "a.jpg", NOON, LYON)
    take(folder / "b.jpg", NOON + timedelta(minutes=12))
    take(folder / "c.jpg", NOON + timedelta(minutes=50), moved(LYON, 0.5))
    take(folder / "d.jpg", NOON + timedelta(days=1), PARIS)
    take(folder / "e.jpg", NOON + timedelta(days=1, minutes=20))
    Image.new("RGB", (1170, 2532), "white").save(folder / "Screenshot_20230704-120500.png")
    (folder / "broken.jpg").write_bytes(b"no photo")
    return folder


def rows(path: Path) -> dict[str, dict]:
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {Path(row["source"]).name: row for row in found}


def test_an_album_from_the_command_line(trip: Path, tmp_path: Path):
    out = tmp_path / "answers.jsonl"
    result = run("locate", trip, "--album", "--ocr", "nothing", "--out", out)
    assert result.exit_code == 0, result.output
    found = rows(out)
    assert len(found) == 7
    assert found["b.jpg"]["best"]["place"] == "Lyon"
    assert found["e.jpg"]["best"]["place"] == "Paris"
    assert found["b.jpg"]["album"]["witnesses"][0]["minutes"] == -12
    assert found["b.jpg"]["album"]["taken"] == "2023-07-04T10:12:00Z"
    assert found["Screenshot_20230704-120500.png"]["album"]["part"] is False
    assert found["Screenshot_20230704-120500.png"]["best"]["precision"] == "none"
    assert found["broken.jpg"]["status"] == "error"
    assert (tmp_path / "answers.seen.jsonl").exists()


def test_a_second_run_looks_at_no_photo_again(trip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    out, looked = tmp_path / "answers.jsonl", []
    observe = GeoAgent.observe
    monkeypatch.setattr(GeoAgent, "observe", lambda agent, photo: looked.append(photo) or observe(agent, photo))
    run("locate", trip, "--album", "--ocr", "nothing", "--out", out)
    assert len(looked) == 6  # what is no photo is not even opened
    first, looked[:] = rows(out), []
    take(trip / "f.jpg", NOON + timedelta(days=1, minutes=40))
    result = run("locate", trip, "--album", "--ocr", "nothing", "--out", out, "--abstain-below", "0.6")
    assert result.exit_code == 0, result.output
    assert [Path(each).name for each in looked] == ["f.jpg"]
    second = rows(out)
    assert second["f.jpg"]["best"]["place"] == "Paris"
    assert second["b.jpg"]["best"] == first["b.jpg"]["best"]


def test_a_run_that_is_cut_off_keeps_what_it_saw(trip: Path, tmp_path: Path):
    agent, saved = GeoAgent.load(ocr="nothing"), tmp_path / "seen.jsonl"
    paths = sorted(trip.glob("*.jpg"))
    whole = look_at(agent, paths, saved)
    text = saved.read_text("utf-8")
    saved.write_text(text[:-40], "utf-8")  # the last line was being written
    calls = []
    again = look_at(agent, paths, saved, calls.append)
    assert again.kept == len(whole.photos) - 1
    assert calls == list(range(1, len(paths) + 1))
    assert set(again.photos) == set(whole.photos)
    assert saved.read_text("utf-8").count("\n") == text.count("\n")


def test_what_was_seen_under_other_settings_is_seen_anew(trip: Path, tmp_path: Path):
    saved, paths = tmp_path / "seen.jsonl", sorted(trip.glob("*.jpg"))
    look_at(GeoAgent.load(ocr="nothing"), paths, saved)
    assert look_at(GeoAgent.load(ocr="nothing", hint="Lyon"), paths, saved).kept == 5  # a hint only weighs
    assert look_at(GeoAgent.load(ocr="nothing", neighbours=7), paths, saved).kept == 0


@pytest.mark.parametrize("content", ["", "{}\n", "hello\n", '{"format": "geoagent.answer/1"}\n'])
def test_a_file_that_holds_no_observations_is_refused(trip: Path, tmp_path: Path, content: str):
    saved = tmp_path / "seen.jsonl"
    saved.write_text(content, "utf-8")
    with pytest.raises(InputError, match="no observations"):
        look_at(GeoAgent.load(ocr="nothing"), sorted(trip.glob("*.jpg")), saved)


def test_a_damaged_line_is_named(trip: Path, tmp_path: Path):
    saved, agent = tmp_path / "seen.jsonl", GeoAgent.load(ocr="nothing")
    look_at(agent, sorted(trip.glob("*.jpg")), saved)
    lines = saved.read_text("utf-8").splitlines()
    lines[2] = lines[2][:50]
    saved.write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(InputError, match="line 3: damaged"):
        look_at(agent, sorted(trip.glob("*.jpg")), saved)


def test_what_was_read_comes_back_as_it_was(tmp_path: Path):
    agent, saved = GeoAgent.load(), tmp_path / "seen.jsonl"
    first = look_at(agent, [KOELN], saved)
    again = look_at(agent, [KOELN], saved)
    assert again.kept == 1
    one, two = (agent.answer(seen.photos[seen.order[0]].observation) for seen in (first, again))
    assert one.model_dump(exclude={"timings_s"}) == two.model_dump(exclude={"timings_s"})
    assert one.best.place == "Köln"


def test_a_track_and_a_stated_clock(trip: Path, tmp_path: Path):
    points = "".join(
        f'<trkpt lat="45.76" lon="{4.80 + i / 1000}"><time>2023-07-05T{10 + i // 60:02}:{i % 60:02}:00Z</time></trkpt>'
        for i in range(180)
    )
    points += '<trkpt lat="1" lon="2"/>'
    track = tmp_path / "walk.gpx"
    track.write_text(
        f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{points}</trkseg></trk></gpx>', "utf-8"
    )
    folder = tmp_path / "camera"
    folder.mkdir()
    take(folder / "x.jpg", datetime(2023, 7, 5, 16, 30), model="Canon EOS 80D", offset="")
    told = ("--album", "--track", track, "--clock", "Canon*=+5:30h", "--ocr", "nothing")
    result = run("locate", folder, *told, "--json", "--map", tmp_path / "trip.html")
    assert result.exit_code == 0, result.output
    row = json.loads(result.stdout.splitlines()[0])
    assert row["best"]["place"] == "Lyon"
    assert row["best"]["lon"] == pytest.approx(4.86, abs=0.02)
    assert "5.5 hours ahead of UTC" in row["album"]["clock"]
    assert "of 181 points these were left out: 1 without a time" in result.stderr
    drawn = re.search(r'"tracks":(\[\[\[.*?\]\]\])', (tmp_path / "trip.html").read_text("utf-8"))
    assert drawn is not None
    (line,) = json.loads(drawn[1])
    assert (line[0], line[-1]) == ([45.76, 4.8], [45.76, 4.979])
    capped = run("locate", folder, *told, "--map", tmp_path / "capped.html", "--max-precision", "country")
    assert capped.exit_code == 0, capped.output
    assert '"tracks":[]' in (tmp_path / "capped.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--track", "TRACK"], "need --album"),
        (["--clock", "Canon=+2h"], "need --album"),
        (["--album", "--clock", "Canon"], "expected a camera and hours"),
        (["--album", "--clock", "Canon=two"], "expected a camera and hours"),
        (["--album", "--clock", "Canon=+99"], "two days"),
        (["--album", "--track", "NONE"], "does not exist"),
        (["--album", "--track", "PHOTO"], "no track that is known"),
        (["--album", "--motion", "PHOTO"], "--motion"),
    ],
)
def test_wrong_usage(trip: Path, arguments: list[str], says: str):
    names = {"TRACK": trip / "a.jpg", "PHOTO": trip / "a.jpg", "NONE": trip / "none.gpx"}
    result = run("locate", trip, *(names.get(each, each) for each in arguments))
    assert result.exit_code == 2
    assert says in result.output


def test_an_album_of_one_photo_needs_a_track(trip: Path):
    result = run("locate", trip / "a.jpg", "--album")
    assert result.exit_code == 2
    assert "two photos or more" in result.output


def test_from_python(trip: Path):
    agent = GeoAgent.load(ocr="nothing")
    found = list(agent.locate_album(sorted(trip.glob("[a-e].jpg"))))
    assert [Path(answer.source).name for answer in found] == ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"]
    assert found[1].best.place == "Lyon"


def test_answers_of_an_album_are_not_taken_for_others(trip: Path, tmp_path: Path):
    out = tmp_path / "answers.jsonl"
    run("locate", trip, "--album", "--ocr", "nothing", "--out", out)
    result = run("locate", trip, "--ocr", "nothing", "--out", out)
    assert result.exit_code == 1
    assert "other settings" in result.output


def test_a_bug_in_one_photo_is_its_error(trip: Path, monkeypatch: pytest.MonkeyPatch):
    capture_of = album_run.capture_of

    def odd(path: Path):
        if path.name == "b.jpg":
            raise ZeroDivisionError("odd")
        return capture_of(path)

    monkeypatch.setattr(album_run, "capture_of", odd)
    found = {Path(a.source).name: a for a in GeoAgent.load(ocr="nothing").locate_album(sorted(trip.glob("[a-e].jpg")))}
    assert found["b.jpg"].status == "error"
    assert "unexpected ZeroDivisionError" in found["b.jpg"].error
    assert found["e.jpg"].best.place == "Paris"

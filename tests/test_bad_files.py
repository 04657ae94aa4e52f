"""One bad file stops no folder: all others are answered, a stopped run goes on, and what is left out is said."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from answers import full
from click.testing import CliRunner, Result
from PIL import Image
from raw_files import dng, jpeg
from stand_in.engine import KOELN, picture

from geoagent.agent.batch import Job
from geoagent.agent.batch import run as run_batch
from geoagent.agent.core import GeoAgent
from geoagent.answer import Answer
from geoagent.errors import PhotoError
from geoagent.evidence.folders import find_photos, scan
from geoagent.evidence.observation import Observation
from geoagent.interfaces.cli import main
from geoagent.interfaces.doctor import examine
from geoagent.types import Float32, Photo
from geoagent.worlds.training.embed import embed_table
from geoagent.worlds.training.table import Table

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes and links of this kind")
ENGINE = ("--ocr", "stand_in.engine")


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


def rows_of(out: Path) -> dict[str, dict[str, object]]:
    """Rows by name of the file; fails where one stands there twice."""
    rows = [json.loads(line) for line in out.read_text("utf-8").split("\n") if line]
    found = {Path(row["source"]).name: row for row in rows}
    assert len(found) == len(rows)
    return found


def huge() -> bytes:
    """A PNG of 60,000 pixels square in a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")

    head = (60000).to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(99))) + chunk(b"IEND", b"")


ERRORS = {
    "empty.jpg": b"",
    "text.jpg": b"these are notes",
    "junk.png": bytes(range(200)),
    "cut.png": picture(KOELN)[:400],
    "header alone.jpg": jpeg()[:40],
    "huge.png": huge(),
    "page.png": b"%PDF-1.7",
    "film.jpg": b"\0\0\0\x18ftypisom" + bytes(80),
    "spoilt.heic": b"\0\0\0\x18ftypheic" + bytes(90),
    "spoilt.tif": b"II*\0\x08\0\0\0\xff\xff" + bytes(range(250)),
    "spoilt.webp": b"RIFF\x99\0\0\0WEBPVP8 " + bytes(60),
    "spoilt preview.dng": dng(jpeg()[:900] + bytes(9)),
}
PASSED_OVER = {
    "mosaic.dng": dng(None),
    "thumbnail.nef": dng(jpeg(160, 120)),
    "new.cr3": b"\0\0\0\x18ftypcrx " + bytes(120),
    "next.jxl": b"\xff\x0a" + bytes(40),
    "layers.psd": b"8BPS\0\1",
    "drawing.svg": b"<svg/>",
    "scan.pdf": b"%PDF-1.7",
    "clip.MOV": b"\0\0\0\x14ftypqt  ",
}
SILENT = ("notes.txt", "places.csv", "photo.jpg.xmp", "a.json", ".DS_Store", ".hidden.jpg", "Thumbs.db", "song.mp3")


@pytest.fixture
def horrors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One of every bad thing, and good photos sorted before, between and after them."""
    monkeypatch.setitem(sys.modules, "rawpy", None)
    folder = tmp_path / "horrors"
    (folder / "zz deep" / "folder.jpg").mkdir(parents=True)
    for name in ("00 first.png", "m between.png", "zz deep/folder.jpg/last.png", "Stra\udcdfe.png", "two\nlines.png"):
        (folder / name).write_bytes(picture(KOELN))
    (folder / "raw.arw").write_bytes(dng(jpeg(1400, 900)))
    for name, content in (ERRORS | PASSED_OVER | dict.fromkeys(SILENT, b"x")).items():
        (folder / name).write_bytes(content)
    (folder / "loop.jpg").symlink_to("loop.jpg")
    (folder / "loop a.jpg").symlink_to("loop b.jpg")
    (folder / "loop b.jpg").symlink_to("loop a.jpg")
    (folder / "broken link.jpg").symlink_to("nowhere.jpg")
    (folder / "round").symlink_to(folder)
    (folder / "linked.jpg").symlink_to(folder / "zz deep")
    os.mkfifo(folder / "pipe.jpg")
    os.mkfifo(folder / "pipe.dng")
    with socket.socket(socket.AF_UNIX) as server:
        place = os.getcwd()
        os.chdir(folder)  # the whole path may be too long for a socket
        server.bind("socket.jpg")
        os.chdir(place)
    return folder


FILES = ("loop.jpg", "loop a.jpg", "loop b.jpg", "broken link.jpg", "pipe.jpg", "pipe.dng", "socket.jpg")
GOOD = {"00 first.png", "m between.png", "last.png", r"Stra\xdfe.png", r"two\x0alines.png", "raw.arw"}


def test_a_folder_of_horrors_answers_all_the_others(horrors: Path, tmp_path: Path) -> None:
    out = tmp_path / "answers.jsonl"
    done = run("locate", horrors, *ENGINE, "--out", out)
    assert done.exit_code == 0, done.output
    assert done.exception is None
    rows = rows_of(out)
    assert {name for name, row in rows.items() if row["status"] != "error"} == GOOD
    assert {name for name, row in rows.items() if row["status"] == "error"} == {*ERRORS, *FILES}
    for name, row in rows.items():
        if row["status"] == "error":
            assert "unexpected" not in str(row["error"]), row
            assert "\n" not in str(row["error"])
            assert name in str(row["error"])
    assert rows["00 first.png"]["best"]["place"] == "Köln"  # type: ignore[index]
    assert "embedded preview was used, 1400 × 900" in str(rows["raw.arw"]["warnings"])
    assert f"{len(GOOD)} of {len(GOOD) + len(ERRORS) + len(FILES)} answered" in done.stderr
    *named, last = [line for line in done.stderr.splitlines() if line.startswith("Passed over")]
    assert [line.partition(": ")[2].partition(": ")[0] for line in named] == sorted(
        str(horrors / name) for name in PASSED_OVER
    )
    assert last.startswith("Passed over 8 files: ")
    for part in ("3 RAW (CR3, DNG, NEF): pip install 'geoagent-photo[raw]'", "1 JPEG XL", "1 PDF", "1 SVG", "1 video"):
        assert part in last
    assert not any(f"/{name}" in done.stderr for name in SILENT)


def test_a_folder_of_horrors_is_resumed_without_loss(horrors: Path, tmp_path: Path) -> None:
    out, whole = tmp_path / "a.jsonl", tmp_path / "whole.jsonl"
    run("locate", horrors, *ENGINE, "--out", whole)
    lines = whole.read_bytes().split(b"\n")
    for kept in (0, 1, 7, len(lines) - 2):
        out.write_bytes(b"".join(line + b"\n" for line in lines[:kept]) + lines[kept][:70])
        done = run("locate", horrors, *ENGINE, "--out", out)
        assert done.exit_code == 0, done.output
        assert list(rows_of(out)) == list(rows_of(whole))
        assert "Passed over 8 files" in done.stderr
    before = out.read_bytes()
    again = run("locate", horrors, *ENGINE, "--out", out)
    assert out.read_bytes() == before
    assert "Passed over 8 files" in again.stderr
    assert run("locate", horrors, *ENGINE, "--out", out, "--retry-errors").exit_code == 0
    assert rows_of(out).keys() == rows_of(whole).keys()


def test_other_commands_take_the_same_folder(horrors: Path, tmp_path: Path) -> None:
    drawn, page = tmp_path / "drawn", tmp_path / "map.html"
    options = ("--where", "missing-gps", "--annotated", drawn, "--map", page, "--json")
    done = run("locate", horrors, *ENGINE, *options)
    assert done.exit_code == 0, done.output
    statuses = [json.loads(line)["status"] for line in done.stdout.split("\n") if line]
    assert (len(statuses) - statuses.count("error"), statuses.count("error")) == (6, len(ERRORS) + len(FILES))
    assert len(list(drawn.iterdir())) == len(GOOD)
    assert page.stat().st_size > 1000
    compared = run("compare", horrors, *ENGINE, "--json")
    assert compared.exit_code == 0, compared.output
    assert json.loads(compared.stdout.splitlines()[-1])["passed_over"] == len(PASSED_OVER)
    assert "Passed over 8 files" in compared.stderr


def test_sidecars_beside_what_has_gone_bad_since(horrors: Path, tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    names = ["m between.png", *ERRORS, *FILES, "raw.arw", "never there.jpg"]
    answers.write_text("\n".join(full(source=name, exif_gps=None).to_json() for name in names), "utf-8")
    done = run("export", answers, "--xmp", "--photos", horrors, "--json")
    assert done.exit_code == 1  # some have failed, and are named
    report = json.loads(done.stdout)["xmp"]
    assert {f"{horrors}/m between.png.xmp", f"{horrors}/raw.arw.xmp"} <= set(report["written"])
    left = {each["photo"] for each in report["left_out"]}
    assert {*FILES, "never there.jpg", "empty.jpg", "text.jpg", "film.jpg"} <= left
    assert len(left) + len(report["written"]) == len(names)


# --- what one photo triggers ----------------------------------------------------------------------------------------


class Panic(BaseException):
    """As extensions in Rust raise it: no `Exception`."""


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a decoder failed"),
        MemoryError(),
        RecursionError("too deep"),
        OSError(5, "Input/output error", "/photos/Stra\udcdfe.jpg"),
        UnicodeDecodeError("utf-8", b"\xdf", 0, 1, "invalid"),
        AssertionError("two\nlines"),
        Panic("called `unwrap` on a `None` value"),
        PhotoError("Stra\udcdfe.jpg: is odd"),
        StopIteration("no more"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_unexpected_error_is_one_row(error: BaseException, tmp_path: Path) -> None:
    def fail() -> Answer:
        raise error

    out = tmp_path / "a.jsonl"
    jobs = [Job("a.jpg", lambda: full(source="a.jpg")), Job("b.jpg", fail), Job("c.jpg", lambda: full(source="c.jpg"))]
    statuses = [answer.status for answer in run_batch(jobs, out)]
    assert statuses == ["ok", "error", "ok"]
    row = rows_of(out)["b.jpg"]
    assert isinstance(error, PhotoError) or type(error).__name__ in str(row["error"])
    assert list(run_batch(jobs, out)) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(3)])
def test_who_stops_it_stops_it(error: BaseException, tmp_path: Path) -> None:
    def stop() -> Answer:
        raise error

    out = tmp_path / "a.jsonl"
    with pytest.raises(type(error)):
        list(run_batch([Job("a.jpg", lambda: full(source="a.jpg")), Job("b.jpg", stop)], out))
    assert list(rows_of(out)) == ["a.jpg"]


def test_an_answer_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    odd = full(source="a.jpg").model_copy(update={"explanation": "lone \ud800"})
    jobs = [Job("a.jpg", lambda: odd), Job("b.jpg", lambda: full(source="b.jpg"))]
    assert [answer.status for answer in run_batch(jobs, out)] == ["error", "ok"]
    assert len(rows_of(out)) == 2


def test_a_text_with_an_odd_id_is_answered(tmp_path: Path) -> None:
    texts, out = tmp_path / "texts.jsonl", tmp_path / "a.jsonl"
    texts.write_text('{"id": "a", "lines": []}\n{"id": "\\ud83d!", "lines": ["50672 Köln"]}\n', "utf-8")
    for _ in range(2):
        done = run("locate", "--texts", texts, "--out", out)
        assert done.exit_code == 0, done.output
    assert [json.loads(line)["id"] for line in out.read_text("utf-8").splitlines()] == ["a", "\\ud83d!"]


def fails_at(name: str, error: BaseException) -> Callable[[GeoAgent, object], Observation]:
    """`GeoAgent.observe` that fails at one photo."""
    real = GeoAgent.observe

    def observe(self: GeoAgent, photo: object) -> Observation:
        if Path(str(photo)).name == name:
            raise error
        return real(self, photo)

    return observe


@pytest.mark.parametrize("error", [SystemError("in a decoder"), Panic("in Rust"), ZeroDivisionError()])
def test_a_failing_engine_costs_one_photo(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(picture(KOELN))
    monkeypatch.setattr(GeoAgent, "observe", fails_at("b.png", error))
    done = run("locate", tmp_path, *ENGINE)
    assert done.exit_code == 0, done.output
    assert done.stdout.count("Köln") == 2
    assert f"b.png: error: unexpected {type(error).__name__}" in done.stdout


def test_a_file_that_goes_while_the_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in "abc":
        (tmp_path / f"{name}.png").write_bytes(picture(KOELN))
    real = GeoAgent.observe

    def observe(self: GeoAgent, photo: Path) -> Observation:
        (tmp_path / "b.png").unlink(missing_ok=True)
        return real(self, photo)

    monkeypatch.setattr(GeoAgent, "observe", observe)
    done = run("locate", tmp_path, *ENGINE, "--annotated", tmp_path / "drawn")
    assert done.exit_code == 0, done.output
    assert "b.png: error: no such file" in done.stdout
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == ["a.png", "c.png"]


def test_a_drawing_that_fails_stops_no_other(tmp_path: Path) -> None:
    photos, drawn = tmp_path / "photos", tmp_path / "drawn"
    photos.mkdir()
    for name in "abc":
        (photos / f"{name}.png").write_bytes(picture(KOELN))
    (drawn / "b.png").mkdir(parents=True)
    done = run("locate", photos, *ENGINE, "--annotated", drawn)
    assert done.exit_code == 0, done.output
    assert "b.png: cannot be drawn" in done.stderr
    assert (drawn / "a.png").is_file()
    assert (drawn / "c.png").is_file()


# --- folders --------------------------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "locked", "z"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.png").write_bytes(picture(KOELN))
    real = os.scandir

    def scandir(path: str) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = scan([tmp_path])
    assert [path.parent.name for path in found.photos] == ["a", "z"]
    assert [(each.path.name, each.kind) for each in found.passed_over] == [("locked", "folder")]
    done = run("locate", tmp_path, *ENGINE)
    assert done.exit_code == 0, done.output
    assert f"Passed over: {tmp_path}/locked: cannot be listed (Permission denied)" in done.stderr
    assert "1 folder that cannot be listed" in done.stderr
    alone = run("locate", tmp_path / "locked", *ENGINE)
    assert alone.exit_code == 1
    assert "cannot be listed" in alone.stderr


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["a.jxl"], "Passed over 1 file: 1 JPEG XL"),
        (["a.mp4", "b.webm"], "Passed over 2 files: 2 video"),
        (["a.psd", "b.pdf", "c.svg"], "Passed over 3 files: 1 Photoshop; 1 PDF; 1 SVG"),
        (["a.cr3", "b.CR3"], "Passed over 2 files: 2 RAW (CR3): pip install 'geoagent-photo[raw]'"),
        (["a.nef", "b.jxl", "c.xcf"], "Passed over 3 files: 1 RAW (NEF): pip install"),
    ],
)
def test_a_folder_of_nothing_else_says_so(
    names: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    for name in names:
        (tmp_path / name).write_bytes(bytes(range(64)))
    done = run("locate", tmp_path)
    assert done.exit_code == 1
    assert says in done.stderr
    assert f"Error: no photos that can be read in {tmp_path}" in done.stderr
    assert all(name in done.stderr for name in names)


def test_what_is_no_picture_is_not_mentioned(tmp_path: Path) -> None:
    for name in SILENT:
        (tmp_path / name).write_bytes(b"x")
    done = run("locate", tmp_path)
    assert done.exit_code == 1
    assert done.stderr.strip() == f"Error: no photos in {tmp_path}"


def test_many_are_counted_and_not_all_named(tmp_path: Path) -> None:
    for number in range(120):
        (tmp_path / f"{number:03}.jxl").touch()
    shutil.copy(Path(__file__).resolve().parents[1] / "examples" / "photos" / "no_text.jpg", tmp_path)
    done = run("locate", tmp_path, "--no-text")
    assert done.exit_code == 0
    assert done.stderr.splitlines()[-1] == "Passed over 120 files: 120 JPEG XL"
    assert "Passed over: 70 more" in done.stderr


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("p.jxl", b"\xff\x0a\0\0", "is a JPEG XL picture"),
        ("q.jxl", b"\0\0\0\x0cJXL \r\n\x87\n", "is a JPEG XL picture"),
        ("p.psd", b"8BPS\0\1\0\0", "is a Photoshop document"),
        ("p.mov", b"\0\0\0\x14ftypqt  ", "is a media file"),
        ("p.cr3", b"\0\0\0\x18ftypcrx ", "pip install 'geoagent-photo[raw]'"),
        ("p.arw", b"II*\0dummy", "pip install 'geoagent-photo[raw]'"),
        ("p.pdf", b"%PDF-1.4", "is a PDF"),
    ],
)
def test_a_file_that_is_named_is_refused_in_words(
    name: str, content: bytes, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    (tmp_path / name).write_bytes(content)
    done = run("locate", tmp_path / name)
    assert done.exit_code == 1
    assert f"Error: {tmp_path / name}: " in done.stderr
    assert says in done.stderr
    assert "Passed over" not in done.stderr


def test_a_path_that_cannot_be_looked_at(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    paths = [tmp_path / ("x" * 300 + ".jpg"), tmp_path / "a.png" / "b.jpg", tmp_path / "a.png"]
    assert find_photos(paths) == paths
    done = run("locate", *paths, "--no-text")
    assert done.exit_code == 0, done.output
    assert done.stdout.count("error:") == 2


def test_the_doctor_tells_of_raw_files(monkeypatch: pytest.MonkeyPatch) -> None:
    import geoagent.interfaces.doctor as doctor

    real = doctor.version

    def version(package: str) -> str:
        if package == "rawpy":
            raise doctor.PackageNotFoundError(package)
        return real(package)

    monkeypatch.setattr(doctor, "version", version)
    report = examine(timeout_s=0.01)
    assert report["packages"]["rawpy"] == "not installed"
    assert any("geoagent-photo[raw]" in line for line in report["install_for_more"])


class Ones:
    """An encoder that sees no difference."""

    name, dim = "ones/1", 2

    def __call__(self, photos: Sequence[Photo]) -> Float32:
        return np.full((len(photos), 2), 0.5**0.5, np.float32)


def test_a_table_of_photos_is_embedded_without_the_bad_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setitem(sys.modules, "rawpy", None)
    names = ["a.png", "spoilt.heic", "mosaic.dng", "cut.png", "loop.jpg", "pipe.jpg", "z.png"]
    for name, content in (ERRORS | PASSED_OVER | {"a.png": picture(KOELN), "z.png": picture(KOELN)}).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    table = Table(np.zeros((7, 2)), tuple(names), None, tuple(tmp_path / name for name in names), None)
    done = embed_table(table, Ones(), cache=tmp_path / "cache")
    assert done.views is not None
    assert len(done.views) == 2
    assert "5 of 7 photos cannot be read" in done.notes[-1]

"""What commands print in 80 columns: the answer in words first, no line wider, nothing cut off."""

from __future__ import annotations

import io
import json
from functools import partial
from pathlib import Path

import pytest
import rich.console
from answers import full, nowhere
from click.testing import CliRunner, Result

from geoagent.answer import Answer
from geoagent.belief.explanation import NOT_JUDGED
from geoagent.interfaces.cli import main
from geoagent.interfaces.render import is_settled, notes_text
from geoagent.interfaces.render.text import answer_text

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in args], env={"COLUMNS": "80"})


def printed(answer: Answer) -> str:
    console = rich.console.Console(width=80, file=io.StringIO(), color_system=None, legacy_windows=False)
    console.print(answer_text(answer))
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "first"),
    [
        (("locate", EXAMPLES / "de_koeln.jpg"), "Köln, North Rhine-Westphalia, Germany"),
        (("verify", EXAMPLES / "de_koeln.jpg", "--claim", "Berlin"), "Contradicted: Berlin, State of Berlin, Germany"),
        (("read", EXAMPLES / "de_koeln.jpg"), "5 lines of text, 6 cues to where it is"),
        (("read", EXAMPLES / "no_text.jpg"), "No text found."),
        (("doctor",), "geoagent 0.1.0 works: it reads text in 25 scripts and judges no picture. What"),
        (("get",), "Picture halves"),
    ],
)
def test_a_command_says_what_it_found_first_and_in_80_columns(command: tuple[object, ...], first: str) -> None:
    done = run(*command)
    lines = [line for line in done.stdout.splitlines() if line != str(EXAMPLES / "de_koeln.jpg")]
    lines = [line for line in lines if not str(EXAMPLES).startswith(line) and "de_koeln.jpg" not in line]
    assert lines[0] == first
    assert max(len(line.rstrip()) for line in lines if not line.startswith("* is here")) <= 80
    assert "…" not in done.stdout.replace("Hofmann … Ehren", "").replace(" … ", "")


def test_the_advice_on_pictures_comes_last_where_the_answer_is_sure() -> None:
    text = run("locate", EXAMPLES / "de_koeln.jpg").stdout
    advice = "! The picture itself was not judged, only its text; to have pictures judged:"
    assert text.index("cue  ") < text.index(advice)
    answer = full(looked=False, warnings=[NOT_JUDGED], confidence=0.6)
    assert [notes_text(answer)[0][:11], is_settled(answer)] == ["The picture", False]
    assert printed(answer).index("The picture itself") < printed(answer).index("Calling code")


def test_what_is_read_is_told_in_words() -> None:
    text = run("read", EXAMPLES / "jp_shinjuku.jpg").stdout
    assert "Jpan" not in text
    assert "Zyyy" not in text
    assert "Japanese" in text
    assert "% sure" in text
    claim = run("verify", EXAMPLES / "jp_shinjuku.jpg", "--claim", "Warsaw").stdout
    assert "Contradicted: Warsaw, Mazovia, Poland" in claim
    words = " ".join(claim.split())
    assert "script: Latin (here: Han, Japanese)" in words
    assert "language: Polish" in words
    assert "currency: Polish Zloty" in words


def test_the_list_of_get_has_checksums_only_as_json() -> None:
    text = run("get").stdout
    assert "SHA-256" not in text
    assert "best (also: vision)\n" in text
    assert "1,790 MB, then about 25 min of work, once; Apache-2.0" in text
    assert "RapidOCR for Greek; Apache-2.0" in text
    assert len(json.loads(run("get", "--json").stdout)["rows"][-1]["sha256"]) >= 64


def test_get_offline_downloads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    done = run("get", "fast", "--offline", "--dir", tmp_path)
    assert done.exit_code == 1
    assert "Error: fast is not here, and --offline allows no download" in done.stderr
    assert run("get", "--offline").stdout == run("get").stdout


def test_a_headline_tells_how_sure_and_why() -> None:
    done = run("locate", EXAMPLES / "pl_krakow.jpg")
    words = " ".join(done.stdout.split())
    assert "More than 99 % sure of Poland; 90 % within 19 km of 50.06° N, 19.94° E" in words
    assert "Why: the place name “Kraków”, the postcode “31-019”" in words


def test_a_comparison_of_many_fits_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = tmp_path / "answers.jsonl"
    answers.write_text("".join(f"{a.to_json()}\n" for a in (full(source="a.jpg"), nowhere())), "utf-8")
    (tmp_path / "truth.csv").write_text("file,country\na.jpg,DE\n", "utf-8")
    terminal = partial(rich.console.Console, force_terminal=True, width=80, color_system=None)
    monkeypatch.setattr(rich.console, "Console", terminal)
    done = run("compare", "--answers", answers, "--truth", tmp_path / "truth.csv")
    assert done.exit_code == 0, done.output
    told, *lines = done.stdout.splitlines()
    assert lines[0] == "The place of 1 of 2 photos is known."
    assert told == "a.jpg: The text changed the country from Austria to Germany: Stuttgart, Baden-Württemberg, Germany."
    assert max(map(len, lines)) <= 80
    assert "…" not in done.stdout
    words = " ".join(done.stdout.split())
    assert "geoagent names the country of 1 of these, 1 of these right." in words
    assert "The text changed the country of 1 of 2 photos, and the place of 0; picture and text point to two" in words
    assert "The country is right for 0 % of those named from the picture alone, all of those named from the" in words
    assert all(name in words for name in ("country changed", "conflicts", "better", "worse"))

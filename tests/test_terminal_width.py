"""What commands print in 80 columns: the answer in words first, no line wider, nothing cut off."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import rich.console
from answers import full, nowhere
from click.testing import CliRunner, Result

from geoagent.interfaces.cli import main

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in args], env={"COLUMNS": "80"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "first"),
    [
        (("locate", EXAMPLES / "de_koeln.jpg"), "Köln, North Rhine-Westphalia, Germany"),
        (("verify", EXAMPLES / "de_koeln.jpg", "--claim", "Berlin"), "Contradicted: Berlin, State of Berlin, DE"),
        (("read", EXAMPLES / "de_koeln.jpg"), "5 lines of text, 6 cues to where it is"),
        (("read", EXAMPLES / "no_text.jpg"), "No text found."),
        (("doctor",), "geoagent"),
    ],
)
def test_a_command_says_what_it_found_first_and_in_80_columns(command: tuple[object, ...], first: str) -> None:
    done = run(*command)
    lines = [line for line in done.stdout.splitlines() if line != str(EXAMPLES / "de_koeln.jpg")]
    lines = [line for line in lines if not str(EXAMPLES).startswith(line) and "de_koeln.jpg" not in line]
    assert lines[0] == first
    assert max(map(len, lines)) <= 80
    assert "…" not in done.stdout.replace("Hofmann … Ehren", "").replace(" … ", "")


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
    assert told == "a.jpg: The text changed the country from Austria to Germany: Stuttgart, Baden-Württemberg, Germany."
    assert max(map(len, lines)) <= 80
    assert "…" not in done.stdout
    words = " ".join(done.stdout.split())
    assert "Of 2 answers, the text changed the country of 1 and the place of 0" in words
    assert "The country is right for 0.0% with picture alone, 100.0% with text alone, 100.0% with both" in words
    assert all(name in words for name in ("country changed", "conflicts", "better", "worse"))

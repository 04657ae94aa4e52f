"""One file of answers is made under one set of settings, and a run says what it kept of those before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from geoagent.agent import batch
from geoagent.agent.batch import Made
from geoagent.agent.fingerprint import fingerprint
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import InputError
from geoagent.evidence.observation import Observation
from geoagent.interfaces.cli import main
from geoagent.worlds.world import World


def run(*args: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in args])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two photos."""
    (tmp_path / "two").mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (64, 64), "grey").save(tmp_path / "two" / name)
    return tmp_path / "two"


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize(
    "other",
    [
        ("--max-precision", "country"),
        ("--within", "FR"),
        ("--hint", "near Lyon"),
        ("--not", "US"),
        ("--ocr", "rapidocr"),
    ],
)
def test_rows_of_other_settings_are_not_kept_silently(folder: Path, tmp_path: Path, other: tuple[str, ...]) -> None:
    out = tmp_path / "a.jsonl"
    ocr = ("--no-text",) if "--ocr" not in other else ()
    first = run("locate", folder, "--no-text", "--out", out)
    assert first.exit_code == 0
    assert f"{out}: 2 of 2 answered, 0 failed\n" in first.stderr
    before = out.read_bytes()
    refused = run("locate", folder, *ocr, "--out", out, *other)
    assert refused.exit_code == 1
    assert "2 answers were made under other settings" in refused.stderr
    assert "--redo" in refused.stderr
    assert out.read_bytes() == before


def test_redo_answers_them_again(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    run("locate", folder, "--no-text", "--out", out)
    done = run("locate", folder, "--no-text", "--out", out, "--max-precision", "country", "--redo")
    assert done.exit_code == 0, done.output
    assert all("capped at country" in str(row["warnings"]) for row in rows(out))
    assert len(rows(out)) == 2
    again = run("locate", folder, "--no-text", "--out", out, "--max-precision", "country")
    assert again.exit_code == 0
    assert "2 of 2 answered, 0 failed (2 from a run before)" in again.stderr
    one = run("locate", folder / "a.jpg", "--no-text", "--out", out, "--redo")
    assert one.exit_code == 1
    assert "1 answers of other photos" in one.stderr
    assert len(rows(out)) == 2


def test_comparing_refuses_likewise(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    run("locate", folder, "--no-text", "--out", out, "--hint", "near Lyon")
    assert run("compare", folder, "--no-text", "--out", out).exit_code == 1
    done = run("compare", folder, "--no-text", "--out", out, "--redo")
    assert done.exit_code == 0, done.output
    assert run("locate", folder, "--no-text", "--out", out).exit_code == 0


def test_rows_without_a_mark_count_as_done_unless_a_cap_is_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "a.jsonl"
    out.write_text(Answer(source="a", status="ok").to_json() + "\n" + Answer.failed("b", "no photo").to_json() + "\n")
    assert batch.finished(out, made=Made("now")) == {"a": "ok", "b": "error"}
    with pytest.raises(InputError, match="1 answers were made under other settings"):
        batch.finished(out, made=Made("now", capped=True))
    assert batch.finished(out, made=Made("now", capped=True), redo={"a"}) == {"b": "error"}


def test_only_what_may_change_an_answer_changes_the_mark(toy: World) -> None:
    def mark(**settings: object) -> str:
        return fingerprint(Config.make(settings), toy)

    plain = mark()
    assert plain == mark(text_weight=1.0, confidence=0.9, offline=True, llm_use={"max_calls": 5})
    assert mark(within=("FR", "BE")) == mark(within=("BE", "FR"))
    other = [
        mark(hint="Lyon"), mark(within=("FR",)), mark(exclude=("FR",)), mark(text_weight=2.0), mark(ocr="nothing"),
        mark(max_precision="auto"), mark(max_precision="auto", confidence=0.9), mark(abstain_below=0.5),
        mark(llm="none"), mark(llm="none", llm_use={"narrative": True}), fingerprint(Config(), toy, "other-model"),
    ]  # fmt: skip
    assert len({plain, *other}) == len(other) + 1


def test_the_mark_of_a_capped_answer_does_not_tell_what_the_user_said(toy: World) -> None:
    def mark(**said: object) -> str:
        return fingerprint(Config.make({"max_precision": "country", **said}), toy)

    assert mark(hint="Lyon") == mark(hint="Paris") != mark()
    assert mark(within=("Bavaria",)) == mark(within=("Saxony",)) != mark()


def test_an_interruption_says_what_is_saved(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geoagent.agent.core import GeoAgent

    real, out = GeoAgent.observe, tmp_path / "a.jsonl"

    def stopping(self: GeoAgent, photo: Path) -> Observation:
        if photo.name == "b.jpg":
            raise KeyboardInterrupt
        return real(self, photo)

    monkeypatch.setattr(GeoAgent, "observe", stopping)
    for command in ("locate", "compare"):
        stopped = run(command, folder, "--no-text", "--out", out)
        assert stopped.exit_code == 1
        assert f"1 of 2 are saved in {out}; the same command goes on" in stopped.stderr
    monkeypatch.setattr(GeoAgent, "observe", real)
    done = run("locate", folder, "--no-text", "--out", out)
    assert "2 of 2 answered, 0 failed (1 from a run before)" in done.stderr

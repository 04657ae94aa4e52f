"""Many photos: nothing finished is lost, and one bad photo is one row."""

from __future__ import annotations

import json

import pytest

from geoagent import GeoAgent
from geoagent.agent import batch
from geoagent.answer import Answer
from geoagent.errors import InputError, PhotoError


def job(key, outcome="ok"):
    def run():
        if isinstance(outcome, BaseException):
            raise outcome
        return Answer(source=key, status=outcome)

    return batch.Job(key, run)


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_one_bad_photo_is_one_error_row(tmp_path):
    out = tmp_path / "a.jsonl"
    jobs = [job("a"), job("b", PhotoError("b: no photo")), job("c", ZeroDivisionError("defect")), job("d")]
    assert [a.status for a in batch.run(jobs, out)] == ["ok", "error", "error", "ok"]
    assert [r["error"] for r in rows(out)] == [None, "b: no photo", "unexpected ZeroDivisionError: defect", None]


def test_an_interrupted_batch_resumes(tmp_path):
    out = tmp_path / "a.jsonl"
    with pytest.raises(KeyboardInterrupt):
        list(batch.run([job("a"), job("b"), job("c", KeyboardInterrupt())], out))
    assert [r["source"] for r in rows(out)] == ["a", "b"]
    tried = []

    def note(key):
        return batch.Job(key, lambda: tried.append(key) or Answer(source=key, status="ok"))

    list(batch.run([note("a"), note("b"), note("c")], out))
    assert tried == ["c"]
    assert [r["source"] for r in rows(out)] == ["a", "b", "c"]


def test_a_cut_off_last_line_is_answered_again(tmp_path):
    out = tmp_path / "a.jsonl"
    list(batch.run([job("a"), job("b")], out))
    out.write_text(out.read_text()[:-40])
    list(batch.run([job("a"), job("b")], out))
    assert [r["source"] for r in rows(out)] == ["a", "b"]


def test_errors_are_kept_until_a_retry_is_asked_for(tmp_path):
    out = tmp_path / "a.jsonl"
    list(batch.run([job("a", PhotoError("no"))], out))
    assert list(batch.run([job("a")], out)) == []
    assert [a.status for a in batch.run([job("a")], out, batch.finished(out, retry_errors=True))] == ["ok"]
    assert [r["status"] for r in rows(out)] == ["ok"]


def test_a_file_of_something_else_is_not_touched(tmp_path):
    out = tmp_path / "a.jsonl"
    out.write_text('{"thesis": 1}\n{"thesis": 2}\n')
    with pytest.raises(InputError, match="line 1"):
        list(batch.run([job("a")], out))
    assert out.read_text().count("thesis") == 2


def test_text_rows_are_read_and_checked(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 7, "lines": ["Köln"], "more": 1}\n\n{"id": "b", "lines": []}\n', "utf-8")
    assert batch.read_texts(path) == [("7", ["Köln"]), ("b", [])]
    for text, message in [
        ("{", "line 1: no JSON"),
        ('{"id": "a"}', "line 1: expected"),
        ('{"id": "a", "lines": [1]}', "line 1: expected"),
        ('["a"]', "line 1: expected"),
        ('{"id": "a", "lines": []}\n{"id": "a", "lines": []}', "line 2: the id 'a' stands there twice"),
    ]:
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            batch.read_texts(path)
    with pytest.raises(InputError, match="no such file"):
        batch.read_texts(tmp_path / "none.jsonl")


def test_pairs_are_read_and_checked(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("text_id,panorama,km_from_city\na,3,\nb,0,12.5\n")
    assert batch.read_pairs(path, {"a", "b"}, 4) == [("a", 3), ("b", 0)]
    for text, message in [
        ("text_id,panorama\nc,1\n", "no text 'c'"),
        ("text_id,panorama\na,9\n", "none is 9"),
        ("text_id,panorama\na,x\n", "row number"),
        ("id,row\na,1\n", "text_id and panorama"),
    ]:
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            batch.read_pairs(path, {"a", "b"}, 4)


def test_separators_inside_a_text_break_no_row(tmp_path):
    rows, out = tmp_path / "rows.jsonl", tmp_path / "a.jsonl"
    rows.write_text('{"id": "1", "lines": ["50667 K\u00f6ln\u2028B\u00e4ckerei\u0085Tel."]}\n', "utf-8")
    ((key, lines),) = batch.read_texts(rows)
    agent = GeoAgent.load(ocr="nothing")
    (answer,) = batch.run([batch.Job(key, lambda: agent.locate_text(lines, id=key), id=key)], out)
    assert "\u2028" in answer.regions[0].text
    assert batch.finished(out) == {"1": "ok"}

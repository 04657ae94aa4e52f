"""Batches: one JSON line a photo, written as soon as it is answered; an interrupted batch resumes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoagent.answer import Answer
from geoagent.errors import GeoAgentError, InputError
from geoagent.filenames import safe
from geoagent.tables import json_lines, read_rows


@dataclass(frozen=True, slots=True)
class Job:
    """One photo or text to answer; `key` identifies its row in the output."""

    key: str
    run: Callable[[], Answer]
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """The settings that answers are made under in this run.

    Attributes:
        settings: their fingerprint, `Answer.settings`.
        capped: whether nothing finer than a level may be disclosed.
    """

    settings: str
    capped: bool = False

    def fits(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of an earlier run was made under the same settings; errors fit any settings.

        Answers of versions without marks are taken for the same, except where they might disclose too much.
        """
        before = row.get("settings")
        return row["status"] == "error" or before == self.settings or (before is None and not self.capped)


def run(jobs: Iterable[Job], out: Path | None, done: Container[str] | None = None) -> Iterator[Answer]:
    """Answer every job that `out` does not contain yet, appending each answer at once.

    A photo that cannot be answered is one row with status "error". Rows of an earlier run are kept; a last line that
    was cut off by an interruption is dropped and its photo answered again.

    Args:
        jobs: what to answer.
        out: JSON lines file, or None to only yield.
        done: keys of jobs to skip; None takes those that `finished` finds in `out`.

    Yields:
        The new answers, in order.

    Raises:
        InputError: `out` holds something else than answers.
    """
    if done is None:
        done = finished(out) if out is not None else ()
    handle = out.open("a", encoding="utf-8") if out is not None else None
    try:
        for job in jobs:
            if job.key in done:
                continue
            answer, line = answered(job)
            if handle is not None:
                handle.write(line + "\n")
                handle.flush()
            yield answer
    finally:
        if handle is not None:
            os.fsync(handle.fileno())
            handle.close()


def answered(job: Job) -> tuple[Answer, str]:
    """The answer of one job as a value and as JSON, or its error; what one photo triggers never stops the batch."""
    try:
        with told():
            answer = job.run()
            if answer.source != job.key and answer.id is None:
                answer = answer.model_copy(update={"source": job.key})
            return answer, answer.to_json()
    except GeoAgentError as error:
        why = str(error)
    failed = Answer.failed(job.key, safe(why), id=job.id)
    return failed, failed.to_json()


@contextmanager
def told() -> Iterator[None]:
    """Turn whatever one photo triggers into a `GeoAgentError` that says so, save an interruption."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit, GeoAgentError):
        raise
    except BaseException as error:  # a bug in our code or in a library; panics of those in Rust are no `Exception`
        raise GeoAgentError(" ".join(f"unexpected {type(error).__name__}: {error}".split())) from error


def attempt(do: Callable[..., Any], *given: Any, **named: Any) -> Any:
    """What a call returns, or the error of ours that `told` makes of whatever it raises."""
    try:
        with told():
            return do(*given, **named)
    except GeoAgentError as error:
        return error


def finished(
    out: Path,
    *,
    retry_errors: bool = False,
    retry_partial: bool = False,
    made: Made | None = None,
    redo: Container[str] = (),
    drop: Container[str] = (),
) -> dict[str, str]:
    """Keys of the rows in `out` with their status; a last line that was cut off is removed from the file.

    Args:
        out: JSON lines file of an earlier run; it need not exist.
        retry_errors: remove the error rows too, so that those photos are tried again.
        retry_partial: remove the rows that lack a part, such as the language model's.
        made: refuse rows that were made under other settings; None takes them as they are.
        redo: keys whose rows are removed where they were made under other settings.
        drop: keys whose rows are removed in any case.

    Raises:
        InputError: a line that is not the last is no answer of ours, or rows were made under other settings. The file
            is then as it was.
    """
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        return {}
    keep: list[str] = []
    keys: dict[str, str] = {}
    changed, strange = False, 0
    with out.open(encoding="utf-8-sig", errors="replace", newline="\n") as lines:
        rows = list(lines)  # by line feeds alone: what a sign says may hold other separators (U+2028)
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        try:
            data: Any = json.loads(row)
            key = str(data["id"]) if data.get("id") is not None else str(data["source"])
            status = str(data["status"])
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            if number == len(rows):
                changed = True
                break
            raise InputError(f"{out}, line {number}: not an answer of geoagent; choose another --out") from error
        if key in drop or (status == "error" and retry_errors) or (status == "partial" and retry_partial):
            changed = True
            continue
        if made is not None and not made.fits(data):
            strange, changed = strange + (key not in redo), True
            continue
        if not row.endswith("\n"):
            row, changed = row + "\n", True
        keep.append(row)
        keys[key] = status
    if strange:
        raise InputError(_strange(out, strange, bool(redo)))
    if changed:
        temporary = out.with_name(out.name + ".tmp")
        temporary.write_text("".join(keep), "utf-8")
        temporary.replace(out)
    return keys


def _strange(out: Path, count: int, redo: bool) -> str:
    """Error message for rows that were made under other settings."""
    if redo:
        return f"{out}: {count} answers of other photos were made under other settings; choose another --out"
    return (
        f"{out}: {count} answers were made under other settings; "
        "choose another --out, or --redo to answer those photos again"
    )


def read_texts(path: Path) -> list[tuple[str, list[str]]]:
    """Rows `{"id": …, "lines": […]}` of a JSON lines file.

    Raises:
        InputError: the file is missing, or a row is not of that form; the message names the line.
    """
    rows: dict[str, list[str]] = {}
    for number, row in json_lines(path):
        lines = row.get("lines") if isinstance(row, dict) else None
        if not isinstance(lines, list) or not all(isinstance(part, str) for part in lines) or row.get("id") is None:
            raise InputError(f'{path}, line {number}: expected {{"id": …, "lines": [text, …]}}')
        if str(row["id"]) in rows:
            raise InputError(f"{path}, line {number}: the id {row['id']!r} stands there twice")
        rows[str(row["id"])] = lines
    return list(rows.items())


def read_pairs(path: Path, texts: Collection[str], features: int) -> list[tuple[str, int]]:
    """Rows `text_id,panorama` of a table: which text goes with which row of the features.

    Args:
        path: the table; further columns are ignored.
        texts: ids that exist.
        features: number of rows that exist.

    Raises:
        InputError: the file is missing, lacks a column, or names a text or row that does not exist.
    """
    found = []
    for row in read_rows(path):
        key, which = row.get(("text_id",)), row.get(("panorama",))
        if key is None or which is None or not str(which).strip().isdigit():
            raise row.error("expected columns text_id and panorama, a row number")
        key = str(key).strip()
        if key not in texts:
            raise row.error(f"there is no text {key!r}")
        if int(which) >= features:
            raise row.error(f"there are {features} rows of features, none is {which}")
        found.append((key, int(which)))
    return found

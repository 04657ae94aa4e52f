"""Many photos: one JSON line each, written as soon as it is known, resumed where it stopped."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoagent.answer import Answer
from geoagent.errors import GeoAgentError, InputError


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to answer: `key` is what a finished row is recognised by."""

    key: str
    run: Callable[[], Answer]
    id: str | None = None


def run(
    jobs: Iterable[Job], out: Path | None, *, retry_errors: bool = False, retry_partial: bool = False
) -> Iterator[Answer]:
    """Answer every job that `out` does not hold yet, and append each answer to it at once.

    A photo that cannot be answered is one row with status "error". Rows of an earlier run are kept; a last line that
    was cut off by an interruption is dropped and its photo answered again.

    Args:
        jobs: what to answer.
        out: JSON lines file, or None to only yield.
        retry_errors: drop the error rows of earlier runs and try those photos again.
        retry_partial: drop the rows of earlier runs that lack a part, such as the language model's, and answer again.

    Yields:
        The new answers, in order.

    Raises:
        InputError: `out` holds something else than answers.
    """
    done = finished(out, retry_errors=retry_errors, retry_partial=retry_partial) if out is not None else set()
    handle = out.open("a", encoding="utf-8") if out is not None else None
    try:
        for job in jobs:
            if job.key in done:
                continue
            try:
                answer = job.run()
                if answer.source != job.key and answer.id is None:
                    answer = answer.model_copy(update={"source": job.key})
            except GeoAgentError as error:
                answer = Answer.failed(job.key, str(error), id=job.id)
            except Exception as error:
                # A defect of ours, or of a library, on one photo of 100,000 must not cost the others.
                answer = Answer.failed(job.key, f"unexpected {type(error).__name__}: {error}", id=job.id)
            if handle is not None:
                handle.write(answer.to_json() + "\n")
                handle.flush()
            yield answer
    finally:
        if handle is not None:
            os.fsync(handle.fileno())
            handle.close()


def finished(out: Path, *, retry_errors: bool = False, retry_partial: bool = False) -> set[str]:
    """Keys of the rows in `out`; a last line that was cut off, and errors to be retried, are removed from the file.

    Raises:
        InputError: a line that is not the last is no answer of ours.
    """
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        return set()
    keep, keys, changed = [], set(), False
    with out.open(encoding="utf-8", errors="replace") as lines:
        rows = lines.read().splitlines(keepends=True)
    for number, row in enumerate(rows, start=1):
        if not row.strip():
            continue
        try:
            data: Any = json.loads(row)
            key = str(data["id"]) if data.get("id") is not None else str(data["source"])
            status = data["status"]
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            if number == len(rows):
                changed = True
                break
            raise InputError(f"{out}, line {number}: not an answer of geoagent; choose another --out") from error
        if (status == "error" and retry_errors) or (status == "partial" and retry_partial):
            changed = True
            continue
        if not row.endswith("\n"):
            row, changed = row + "\n", True
        keep.append(row)
        keys.add(key)
    if changed:
        temporary = out.with_name(out.name + ".tmp")
        temporary.write_text("".join(keep), "utf-8")
        temporary.replace(out)
    return keys


def read_texts(path: Path) -> list[tuple[str, list[str]]]:
    """Rows `{"id": …, "lines": […]}` of a JSON lines file.

    Raises:
        InputError: the file is missing, or a row is not of that form; the message names the line.
    """
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise InputError(f"no such file: {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as UTF-8 text: {error}") from error
    rows: list[tuple[str, list[str]]] = []
    seen: set[str] = set()
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: no JSON ({error})") from error
        lines = row.get("lines") if isinstance(row, dict) else None
        if not isinstance(lines, list) or not all(isinstance(part, str) for part in lines) or row.get("id") is None:
            raise InputError(f'{path}, line {number}: expected {{"id": …, "lines": [text, …]}}')
        if str(row["id"]) in seen:
            raise InputError(f"{path}, line {number}: the id {row['id']!r} stands there twice")
        seen.add(str(row["id"]))
        rows.append((str(row["id"]), lines))
    return rows


def read_pairs(path: Path, texts: Collection[str], features: int) -> list[tuple[str, int]]:
    """Rows `text_id,panorama` of a CSV: which text goes with which row of the features.

    Args:
        path: the CSV; further columns are ignored.
        texts: ids that exist.
        features: number of rows that exist.

    Raises:
        InputError: the file is missing, lacks a column, or names a text or row that does not exist.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}") from error
    found = []
    for number, row in enumerate(rows, start=2):
        key, which = row.get("text_id"), row.get("panorama")
        if key is None or which is None or not which.strip().isdigit():
            raise InputError(f"{path}, line {number}: expected columns text_id and panorama, a row number")
        if key not in texts:
            raise InputError(f"{path}, line {number}: there is no text {key!r}")
        if int(which) >= features:
            raise InputError(f"{path}, line {number}: there are {features} rows of features, none is {which}")
        found.append((key, int(which)))
    return found

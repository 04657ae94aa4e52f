"""What workers of the tests do: they answer numbers, write down when, and end at some of them."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geoagent.agent.batch import attempt
from geoagent.errors import ConfigError, InputError
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.interfaces.bulk.plan import Kind, Plan, Row
from geoagent.interfaces.bulk.running import on_this_machine, prepare


def doubling(log: Path, deadly: tuple[int, ...] = (), once: tuple[int, ...] = ()) -> Callable[[list[int]], list[Any]]:
    """Double numbers. Those in `deadly` end the process; those in `once` at their first time; 13 is an error."""

    def note(what: str, number: int) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{what} {number}\n")

    def double(number: int) -> int:
        note("begin", number)
        time.sleep(0.01)
        marker = log.with_name(f"{log.name}.{number}")
        if number in deadly or (number in once and not marker.exists()):
            marker.touch()
            note("die", number)
            os._exit(9)
        if number == 13:
            note("end", number)
            raise InputError("13 is unlucky")
        note("end", number)
        return 2 * number

    return lambda numbers: [attempt(double, number) for number in numbers]


def all_or_none(log: Path) -> Callable[[list[int]], list[int]]:
    """Double numbers; a batch with 5 fails as a whole."""

    def double(numbers: list[int]) -> list[int]:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"{len(numbers)}\n")
        if 5 in numbers:
            raise InputError("5 is unlucky")
        return [2 * number for number in numbers]

    return double


def refusing() -> Callable[[Any], Any]:
    """Cannot be loaded."""
    raise ConfigError("these workers never start")


def dying() -> Callable[[Any], Any]:
    """Ends while it is loaded."""
    os._exit(9)


def sleeping() -> Callable[[list[float]], list[float]]:
    """Sleep for as long as is asked."""

    def sleep(seconds: list[float]) -> list[float]:
        for each in seconds:
            time.sleep(each)
        return seconds

    return sleep


def rows(log: Path, seconds: float) -> Callable[[list[Entry]], list[Row]]:
    """A row an entry, written down; entries with "deadly" in their names end the process."""

    def make(entries: list[Entry]) -> list[Row]:
        for entry in entries:
            if "deadly" in entry.id:
                os._exit(9)
            time.sleep(seconds)
            with log.open("a", encoding="utf-8") as file:
                file.write(f"{entry.id}\n")
        return [{"id": e.id, "status": "error" if "bad" in e.id else "ok", "value": len(e.id)} for e in entries]

    return make


def no_row(entry: Entry, why: str) -> Row:
    """The row of an entry that ended its worker."""
    return {"id": entry.id, "status": "error", "value": -1}


ROWS = Kind("test.rows/1", rows, no_row, {"id": "string", "status": "string", "value": "int64"})


def main(url: str, out: str, log: str, seconds: str) -> None:
    """Make all rows with two workers, as a command of its own that a test may kill."""
    plan = Plan(ROWS, (Path(log), float(seconds)), "some settings", out, batch=3)
    run = prepare(plan, url, shard=20)
    with on_this_machine(plan, 2) as executor:
        for _ in run.make(executor):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])

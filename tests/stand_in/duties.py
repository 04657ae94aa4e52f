"""What workers of the tests do: they answer numbers, write down when, and end at some of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from geoagent.errors import ConfigError, InputError


def doubling(log: Path, deadly: tuple[int, ...] = (), once: tuple[int, ...] = ()) -> Callable[[int], int]:
    """Double a number. Those in `deadly` end the process; those in `once` at their first time; 13 is an error."""

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

    return double


def refusing() -> Callable[[int], int]:
    """Cannot be loaded."""
    raise ConfigError("these workers never start")


def dying() -> Callable[[int], int]:
    """Ends while it is loaded."""
    os._exit(9)


def sleeping() -> Callable[[float], float]:
    """Sleep for as long as is asked."""

    def sleep(seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    return sleep

"""Counting work, so that growth can be tested without a clock."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def work(run: Callable[[], object]) -> int:
    """Lines of Python that a call executes, those of everything that it calls included."""
    count = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def assert_linear(run: Callable[[int], object], size: int, *, slack: float = 1.25) -> None:
    """Check that twice the input takes at most twice the work, and a little more.

    Args:
        run: does the work for an input of the given size.
        size: of the smaller input; large enough that its own work outweighs the fixed one.
        slack: how much more than twice is accepted.
    """
    run(size)  # what is prepared once is no part of the growth
    small, large = work(lambda: run(size)), work(lambda: run(2 * size))
    assert large <= slack * 2 * small, f"{size} took {small} lines, {2 * size} took {large}"

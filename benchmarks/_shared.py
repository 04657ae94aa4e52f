"""Paths to the benchmark data, and table output."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def data(*parts: str) -> Path:
    """Return a path inside the benchmark data; exit with a message if it is missing."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        sys.exit(f"skipped: benchmark data not found ({'/'.join(('..', 'shared', 'data', *parts))})")
    return path


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows in columns."""
    cells = [[f"{c:.3f}" if isinstance(c, float) else str(c) for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for number, row in enumerate(cells):
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))))
        if number == 0:
            print("  ".join("-" * w for w in widths))

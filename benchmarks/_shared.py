"""Where the measuring data lie, and tables."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[1].parent / "shared" / "data"


def data(*parts: str) -> Path:
    """A path inside the measuring data; ends the benchmark with a clear line where it is absent."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        sys.exit(f"skipped: the measuring data are not there ({'/'.join(('..', 'shared', 'data', *parts))})")
    return path


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows in columns."""
    cells = [[f"{c:.3f}" if isinstance(c, float) else str(c) for c in row] for row in (head, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    for number, row in enumerate(cells):
        print("  ".join(c.ljust(w) if i == 0 else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))))
        if number == 0:
            print("  ".join("-" * w for w in widths))

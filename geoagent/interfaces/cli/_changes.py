"""What the text changed over many answers, and how often they are right: a few sentences, then counts by stratum."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from rich.console import Console

    from geoagent.worlds.evaluation.changes import Row

_WIDE = 130
"""Columns that both tables need side by side."""


class _Columns(NamedTuple):
    names: tuple[str, ...]
    of: Callable[[Row], tuple[Any, ...]]


def show_changes(rows: Sequence[Row]) -> None:
    """Print what the text did and how right the answers are; tables of zeros are left out."""
    from rich.console import Console

    if not rows:
        return
    known, judged = any(row.known for row in rows), bool(rows[0].judged)
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)  # a file has no edge to wrap at
    for line in in_words(rows[0]):
        console.print(line, style="bold")
    changed = _Columns(
        ("answers", "country changed", "place changed", "conflicts"),
        lambda row: (row.answers, row.changed_country, row.changed_place, row.conflicts),
    )
    right = _Columns(
        ("known", "named", "right", "median km"), lambda row: (row.known, row.named, row.right, _km(row.median_km))
    )
    helped = _Columns(
        ("better", "worse", "picture", "text", "both", "nearer by, km"),
        lambda row: (
            row.better, row.worse, *map(_share, (row.vision_only, row.text_only, row.text_aware)), _km(row.nearer_km),
        ),
    )  # fmt: skip
    tables = [changed] * judged + [right] * known + [helped] * (known and judged)
    if console.width >= _WIDE and tables:
        tables = [_beside(tables)]
    for columns in tables:  # side by side they would be cut off
        console.print()
        _print(console, [row for row in rows if row.known or columns is changed or not known], columns)


def in_words(row: Row) -> list[str]:
    """Say how many answers name a country, how many of these are right, how near they are, and what the text did.

    Args:
        row: the stratum of all answers.
    """
    photos = f"{row.answers} photo{'' if row.answers == 1 else 's'}"
    told = []
    if row.known:
        part = row.known < row.answers
        told.append(f"The place of {row.known} of {photos} is known.") if part else None
        none = row.known - row.named
        says = f"geoagent names the country of {row.named} of {'these' if part else photos}, {row.right} of these right"
        told.append(f"{says}; {none} name{'s' * (none == 1)} none." if none else f"{says}.")
    if row.placed and row.median_km is not None:
        counts = ((25, row.within_25_km), (200, row.within_200_km), (750, row.within_750_km))
        near = ", ".join(f"{count} within {km} km" for km, count in counts)
        told.append(f"Of {row.placed} with a position and a true one, half are within {_km(row.median_km)} km; {near}.")
    if row.judged:
        says = (
            f"The text changed the country of {row.changed_country} of {photos}, and the place of {row.changed_place}"
        )
        told.append(f"{says}; picture and text point to two different places in {row.conflicts}.")
        halves = (("the picture alone", row.vision_only), ("the text alone", row.text_only), ("both", row.text_aware))
        shares = [f"{_share(value)} of those named from {name}" for name, value in halves if value is not None]
        if shares:
            told.append(f"The country is right for {', '.join(shares)}.")
    return told


def _beside(tables: Sequence[_Columns]) -> _Columns:
    names = tuple(name for columns in tables for name in columns.names)
    return _Columns(names, lambda row: tuple(cell for columns in tables for cell in columns.of(row)))


def _print(console: Console, rows: Sequence[Row], columns: _Columns) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for name in columns.names:
        table.add_column(name, justify="right")
    for row in rows:
        cells = ("" if cell is None else str(cell) for cell in columns.of(row))
        table.add_row(_stratum(row.stratum), *cells)
    console.print(table)


def _stratum(name: str) -> str:
    """A stratum as people call it: "script Arabic" for "script Arab"."""
    from geoagent.evidence.cues.language_names import script_name

    kind, _, code = name.partition(" ")
    return f"{kind} {script_name(code)}" if kind == "script" else name


def _km(km: float | None) -> str | None:
    return None if km is None else f"{km:.1f}" if abs(km) < 10 else f"{round(km):,}"


def _share(value: float | None) -> str | None:
    from geoagent.interfaces.render import percent_text

    return None if value is None else "all" if value == 1 else percent_text(value)

"""CSV for spreadsheets and archives: one row per answer, including errors (RFC 4180, UTF-8 with a byte order mark).

Text of a photo is a stranger's. A cell that a spreadsheet would take for a formula gets an apostrophe before it (as
OWASP advises against CSV injection), and so does one that begins with an apostrophe, so that `unguarded` can take it
away again. Numbers stay numbers.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from geoagent.interfaces.outputs._row import Row
from geoagent.interfaces.outputs._whole import whole

COLUMNS = (
    "source", "id", "status", "error", "lat", "lon", "place", "admin1", "country", "precision", "radius_50_km",
    "radius_90_km", "confidence", "countries", "cues", "explanation", "warnings", "exif_lat", "exif_lon",
    "exif_place", "exif_distance_km", "world", "world_fingerprint", "geoagent", "taken", "device", "wrong_position",
)  # fmt: skip
ENCODING = "utf-8-sig"
"""With a byte order mark; without it Excel does not recognise UTF-8."""
_RUNS = "=+-@\uff1d\uff0b\uff0d\uff20\t\r\n"


def write(rows: Sequence[Row], target: Path) -> int:
    """Write rows as CSV, atomically; lists are joined by "; ".

    Returns:
        The number of rows.

    Raises:
        InputError: the file cannot be written.
    """
    with whole(target) as temporary, temporary.open("w", encoding=ENCODING, newline="") as file:
        out = csv.writer(file)
        out.writerow(COLUMNS)
        out.writerows(map(_cells, rows))
    return len(rows)


def guarded(text: str) -> str:
    """Return text that cannot run as a spreadsheet formula: an apostrophe is put before it if it would."""
    seen = (c for c in text if c in _RUNS or not (c.isspace() or unicodedata.category(c) in ("Cc", "Cf")))
    return f"'{text}" if text.startswith("'") or next(seen, " ") in _RUNS else text


def unguarded(cell: str) -> str:
    """Undo `guarded`."""
    return cell.removeprefix("'")


def _cells(row: Row) -> Iterable[str | float | None]:
    cells: dict[str, str | float | None] = {
        name: getattr(row, name) for name in COLUMNS if name not in ("countries", "cues", "warnings", "geoagent")
    }
    cells["countries"] = "; ".join(f"{code} {p:.4g}" for code, p in row.countries)
    cells["cues"] = "; ".join(row.cues)
    cells["warnings"] = "; ".join(row.warnings)
    cells["geoagent"] = row.version
    return [guarded(cell) if isinstance(cell, str) else cell for cell in map(cells.__getitem__, COLUMNS)]

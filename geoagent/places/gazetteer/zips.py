"""Centres of the ZIP codes of the United States, from the ZIP Code Tabulation Areas of the US Census Bureau."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from geoagent.errors import ResourceError
from geoagent.places.geo import Float, LatLon
from geoagent.resources import data_dir
from geoagent.types import Int


def zip_centre(code: str) -> LatLon | None:
    """Return the centre of a ZIP code, to a hundredth of a degree; None if it is no code of an area.

    Args:
        code: "13071" or "60647-1134".

    Raises:
        ResourceError: the table is missing or damaged.
    """
    digits = code[:5]
    if len(digits) != 5 or not (digits.isascii() and digits.isdigit()):
        return None
    codes, latlon = _table()
    i = int(np.searchsorted(codes, int(digits)))
    return LatLon(*latlon[i].tolist()) if i < len(codes) and codes[i] == int(digits) else None


@lru_cache(maxsize=1)
def _table() -> tuple[Int, Float]:
    path = data_dir("gazetteer") / "tables" / "zips.npz"
    try:
        with np.load(path) as file:
            codes = np.cumsum(file["code"], dtype=np.int64)
            latlon = np.cumsum(file["latlon"], axis=0, dtype=np.int64) / float(file["step"])
    except (OSError, ValueError, KeyError) as error:
        raise ResourceError(f"{path} is missing or damaged ({error!r}); reinstall geoagent") from error
    return codes, latlon

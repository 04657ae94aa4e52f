"""Location of the shipped data: inside the wheel, or at the top of a checkout."""

from __future__ import annotations

import os
from pathlib import Path

from geoagent.errors import ResourceError

_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """Return the data folder `name` ("prompts", "gazetteer" or "examples").

    Raises:
        ResourceError: the folder is in neither location.
    """
    shipped, checkout = _PACKAGE / "_data" / name, _PACKAGE.parent / name
    for folder in (shipped, checkout):
        if folder.is_dir():
            return folder
    raise ResourceError(f"the data folder {name!r} is missing: tried {shipped} and {checkout}; reinstall geoagent")


def cache_dir() -> Path:
    """Return the cache folder ($GEOAGENT_CACHE, else the user's cache folder); its files can be regenerated."""
    chosen = os.environ.get("GEOAGENT_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "geoagent"

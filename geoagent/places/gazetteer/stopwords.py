"""Stop words: place names that mean something else on signs."""

from __future__ import annotations

from pathlib import Path

from geoagent.errors import ResourceError


def load_stopwords(path: Path) -> frozenset[str]:
    """Read the list: one normalised word per line; lines starting with `#` are comments.

    Raises:
        ResourceError: the file is missing.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ResourceError(f"cannot read the stop words {path}: {error}; reinstall geoagent") from error
    return frozenset(line for line in lines if line and not line.startswith("#"))

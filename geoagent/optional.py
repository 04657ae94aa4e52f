"""Optional packages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from geoagent.errors import MissingDependency

DISTRIBUTION = "geoagent-photo"
EYES = f"pip install '{DISTRIBUTION}[vision]' && geoagent get vision"
"""The command after which pictures are judged."""
EYES_COST = "1.8 GB and about 25 minutes, once"
"""Rough size and time of `EYES`."""


def eyes(cost: str = EYES_COST) -> str:
    """Return the command after which pictures are judged, with its rough size and time."""
    return f"{EYES} ({cost})" if cost else EYES


@contextmanager
def needs(extra: str, *packages: str) -> Iterator[None]:
    """Turn a failed import of an optional package into an error that says what to install.

    Only a missing `packages` entry is converted; an import error inside one of them propagates unchanged, since
    installing the extra again would not fix it.

    Args:
        extra: the extra of geoagent that provides the packages.
        packages: top-level import names.

    Raises:
        MissingDependency: one of `packages` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").split(".")[0]
        if missing not in packages:
            raise
        raise MissingDependency(
            f"the package {missing} is not installed; run: pip install '{DISTRIBUTION}[{extra}]'"
        ) from error

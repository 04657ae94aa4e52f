"""Files on any filesystem that fsspec reads, and files that appear there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

from geoagent.errors import InputError
from geoagent.optional import needs


def filesystem(url: str) -> tuple[Any, str]:
    """Return the filesystem of a path or URL ("archive/", "s3://bucket/photos"), and the path there.

    Raises:
        InputError: there is no such filesystem, or it cannot be reached.
        MissingDependency: fsspec is not installed, or what it needs for this filesystem.
    """
    with needs("bulk", "fsspec"):
        import fsspec
    try:
        filesystem, path = fsspec.core.url_to_fs(url)
    except (ValueError, OSError) as error:
        raise InputError(f"{url}: no filesystem for it: {error}") from error
    except ImportError as error:
        raise InputError(f"{url}: its filesystem needs a package more: {error}") from error
    return filesystem, str(path)


def is_local(filesystem: Any) -> bool:
    """Whether a filesystem is that of this machine."""
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else protocol)


def write_whole(filesystem: Any, path: str, content: bytes) -> None:
    """Write a file that is there whole or not at all, however the writer ends.

    On a local filesystem it is written under another name and renamed. Object stores show an object only once all of it
    is there, and have no rename.

    Raises:
        InputError: it cannot be written.
    """
    try:
        if not is_local(filesystem):
            filesystem.pipe_file(path, content)
            return
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{uuid4().hex}.tmp")
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror or error}") from error


def sweep(filesystem: Any, folder: str) -> None:
    """Remove what writers that were ended left under other names; call it when nobody writes."""
    if is_local(filesystem):
        for file in Path(folder).glob(".*.tmp"):
            file.unlink(missing_ok=True)

"""Atomic writing: a file is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import get_ident

from geoagent.errors import InputError


@contextmanager
def whole(target: Path) -> Iterator[Path]:
    """Yield a temporary path next to `target`; it replaces `target` on success and is removed on failure.

    The folder is made where it is missing. A link is followed; a pipe or device (/dev/stdout) is written to as it is.

    Raises:
        InputError: the file cannot be written; the message says why.
    """
    if target.exists() and not target.is_file() and not target.is_dir():
        yield target
        return
    target = target.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{get_ident()}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, target)
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)

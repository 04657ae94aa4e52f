"""Arrays that are mapped from files: giving back the memory of what was read."""

from __future__ import annotations

import mmap
from typing import Any


def release(array: Any) -> None:
    """Let go of the pages of a memory-mapped array; its file keeps them, and they are read again when needed.

    Without it, a process that walks through a file seems to hold all of it. Other arrays are left alone, and so is
    everything on systems that do not offer it.
    """
    found = array
    while found is not None and not isinstance(found, mmap.mmap):
        found = getattr(found, "_mmap", None) or getattr(found, "base", None)
    if found is None or not hasattr(mmap, "MADV_DONTNEED"):
        return
    if getattr(array, "flags", None) is not None and array.flags.writeable:
        found.flush()
    found.madvise(mmap.MADV_DONTNEED)

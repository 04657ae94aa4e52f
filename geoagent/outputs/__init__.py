"""Answers as files for other programs: one format, one file.

A table is a module here with `SUFFIX` and `write(rows, target) -> count`; `FORMATS` names those that ship. XMP sidecars
(`xmp`) stand beside, since they are one file a photo and may not replace anything.
"""

from __future__ import annotations

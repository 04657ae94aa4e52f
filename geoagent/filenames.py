r"""Names of files as text: how a path is written in answers, tables and messages, and how its file is found again.

A name on disk is a row of bytes, which need not be UTF-8 and may hold line breaks. Written, it is one line of valid
Unicode: a byte that is no UTF-8 and a control character are `\xdf`, any other character that cannot be printed or
encoded is `\u2028`, and a backslash that would be taken for such an escape is `\x5c`. No two names are written alike.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

# Control characters, separators of lines, lone surrogates (which is how Python holds bytes that are no UTF-8), and the
# two that XML forbids.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4}))")
_SPLITS = os.sep == "\\"  # Windows: a backslash separates folders, and no name holds one


def written(path: str | os.PathLike[str]) -> str:
    """Return the name of a file as it is written everywhere; most names are written as they are."""
    text = os.fsdecode(path)
    return safe(text if _SPLITS else _ESCAPE.sub(lambda found: rf"\x5c{found[0][1:]}", text))


def safe(text: str) -> str:
    """Return a text that may hold names of files as one line that can be encoded and printed."""
    return _UNSAFE.sub(lambda found: _escaped(ord(found[0])), text)


def path_of(name: str, folder: Path | None = None) -> Path:
    """Return the file that a written name stands for; a name that was never written so is taken as it is.

    Args:
        name: as `written` returned it.
        folder: where relative names start from; the current folder where None.
    """
    literal = (folder or Path()) / name
    plain = _ESCAPE.sub(_unescaped, name)
    if plain == name:
        return literal
    meant = (folder or Path()) / plain
    ways = (literal, meant) if _SPLITS else (meant, literal)
    return next((way for way in ways if os.path.lexists(way)), ways[0])


def _escaped(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: byte b is held as U+DC00 + b
        return rf"\x{code - 0xDC00:02x}"
    return rf"\x{code:02x}" if code < 0x80 else rf"\u{code:04x}"


def _unescaped(found: re.Match[str]) -> str:
    if found[2] is not None:
        return chr(int(found[2], 16))
    byte = int(found[1], 16)
    return chr(byte if byte < 0x80 else 0xDC00 + byte)

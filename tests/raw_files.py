"""RAW files for tests, written field by field: a TIFF with a mosaic in a sub-directory and, at will, a JPEG preview."""

from __future__ import annotations

import io
import struct

from PIL import Image

Field = tuple[int, int, object]  # tag, type, values
_CODES = {1: "B", 3: "H", 4: "L"}
_TEXT, _RATIONAL, _SRATIONAL, _UNDEFINED = 2, 5, 10, 7


def jpeg(width: int = 1200, height: int = 800, orientation: int | None = None, colour: str = "red") -> bytes:
    """A picture of one colour with a blue corner at the upper left."""
    picture, buffer, exif = Image.new("RGB", (width, height), colour), io.BytesIO(), Image.Exif()
    picture.paste("blue", (0, 0, width // 4, height // 4))
    if orientation is not None:
        exif[0x0112] = orientation
    picture.save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


def directory(fields: list[Field], at: int, following: int = 0, order: str = "<") -> bytes:
    """A TIFF directory that begins at byte `at`, with the values that do not fit into its fields after it."""
    out, extra = struct.pack(f"{order}H", len(fields)), b""
    after = at + 2 + 12 * len(fields) + 4
    for tag, kind, values in sorted(fields, key=lambda field: field[0]):
        if kind in (_TEXT, _UNDEFINED):
            data, count = bytes(values), len(bytes(values))  # type: ignore[call-overload]
        elif kind in (_RATIONAL, _SRATIONAL):
            pairs = list(values)  # type: ignore[call-overload]
            data, count = b"".join(struct.pack(order + ("LL" if kind == 5 else "ll"), *p) for p in pairs), len(pairs)
        else:
            numbers = list(values)  # type: ignore[call-overload]
            data, count = struct.pack(order + _CODES[kind] * len(numbers), *numbers), len(numbers)
        if len(data) > 4:
            field, extra = struct.pack(f"{order}L", after + len(extra)), extra + data + bytes(len(data) % 2)
        else:
            field = data.ljust(4, b"\0")
        out += struct.pack(f"{order}HHL", tag, kind, count) + field
    return out + struct.pack(f"{order}L", following) + extra


def dng(
    preview: bytes | None,
    *,
    orientation: int = 1,
    mosaic_px: tuple[int, int] = (64, 48),
    thumbnail_px: tuple[int, int] = (16, 16),
    gps: bool = False,
    version: bool = True,
    order: str = "<",
) -> bytes:
    """A DNG: an uncompressed thumbnail, a 16-bit mosaic and a JPEG preview.

    Args:
        preview: the JPEG, or None.
        orientation: EXIF orientation of the whole.
        mosaic_px: width and height of the mosaic.
        thumbnail_px: width and height of the green thumbnail.
        gps: give it a position, 48.5 N, 9.25 E.
        version: mark it as a DNG; without, only the mosaic tells that it is no plain TIFF.
        order: byte order, "<" or ">".
    """
    (width, height), (across, down) = mosaic_px, thumbnail_px
    mosaic = struct.pack(f"{order}{width * height}H", *([2000] * (width * height)))
    thumbnail = bytes((0, 200, 0)) * (across * down)

    def parts(at: dict[str, int]) -> dict[str, list[Field]]:
        subs = [at["mosaic"], at["preview"]] if preview is not None else [at["mosaic"]]
        main: list[Field] = [
            (254, 4, [1]), (256, 4, [across]), (257, 4, [down]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [2]),
            (271, 2, b"Acme\0"), (272, 2, b"One\0"), (273, 4, [at["thumbnail"]]), (274, 3, [orientation]),
            (277, 3, [3]), (278, 4, [down]), (279, 4, [len(thumbnail)]), (330, 4, subs),
            (0xC614, 2, b"Acme One\0"), (0xC65A, 3, [21]), (0xC628, _RATIONAL, [(1, 1)] * 3),
            (0xC621, _SRATIONAL, [(int(i % 4 == 0), 1) for i in range(9)]),
        ]  # fmt: skip
        main += [(0x8825, 4, [at["gps"]])] if gps else []
        main += [(0xC612, 1, [1, 4, 0, 0])] if version else []
        raw: list[Field] = [
            (254, 4, [0]), (256, 4, [width]), (257, 4, [height]), (258, 3, [16]), (259, 3, [1]), (262, 3, [32803]),
            (273, 4, [at["samples"]]), (277, 3, [1]), (278, 4, [height]), (279, 4, [len(mosaic)]),
            (0x828D, 3, [2, 2]), (0x828E, 1, [0, 1, 1, 2]), (0xC61D, 4, [4095]),
        ]  # fmt: skip
        shown: list[Field] = [
            (254, 4, [1]), (258, 3, [8, 8, 8]), (259, 3, [7]), (262, 3, [6]), (273, 4, [at["jpeg"]]), (277, 3, [3]),
            (279, 4, [len(preview or b"")]),
        ]  # fmt: skip
        where: list[Field] = [
            (1, 2, b"N\0"), (2, _RATIONAL, [(48, 1), (30, 1), (0, 1)]),
            (3, 2, b"E\0"), (4, _RATIONAL, [(9, 1), (15, 1), (0, 1)]),
        ]  # fmt: skip
        return {"main": main, "mosaic": raw, "preview": shown, "gps": where}

    names = ("main", "mosaic", "preview", "gps")
    at = dict.fromkeys((*names, "samples", "jpeg", "thumbnail"), 0)
    end = 8
    for name in names:
        at[name], end = end, end + len(directory(parts(at)[name], 0, order=order))
    for name, data in (("samples", mosaic), ("jpeg", preview or b""), ("thumbnail", thumbnail)):
        at[name], end = end, end + len(data)
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}L", 8)
    body = b"".join(directory(parts(at)[name], at[name], order=order) for name in names)
    return head + body + mosaic + (preview or b"") + thumbnail

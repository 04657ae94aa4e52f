"""RAW files of cameras: the JPEG preview that the camera put into them.

The sensor's mosaic is never developed. Previews are found in the TIFF directories that most RAW formats are made of
(TIFF 6.0, TIFF/EP, the DNG specification), by Pillow's reader; where there is none of use, LibRaw looks for one, if the
extra `raw` is installed. Nothing smaller than `LEAST_PX` stands in for a photo: that is a thumbnail.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, JpegImagePlugin
from PIL.ContainerIO import ContainerIO
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence.decoding import one_line
from geoagent.optional import needs

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".gpr", ".iiq", ".kdc", ".mef", ".mos"}
    | {".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
)
LEAST_PX = 320
"""Longer side of the smallest preview that is used; thumbnails of cameras have 160 or 256 pixels."""

_ENOUGH_PX = 1000  # a preview in which signs can be read; LibRaw is not asked for a larger one
_TIFF = (b"II*\0", b"MM\0*")
_LIKE_TIFF = {b"IIRO": b"II*\0", b"IIRS": b"II*\0", b"MMOR": b"MM\0*", b"IIU\0": b"II*\0"}  # Olympus, Panasonic
_OTHER = ((0, b"FUJIFILMCCD-RAW"), (0, b"FOVb"), (0, b"\0MRM"), (4, b"ftypcrx "), (6, b"HEAPCCDR"))
_MOST_DIRECTORIES = 64
_MOST_BYTES = 1_000_000_000

_KIND, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _STRIP_BYTES = 254, 256, 257, 259, 262, 273, 279
_ORIENTATION, _SUB, _JPEG, _JPEG_BYTES, _PANASONIC, _XMP, _DNG = 274, 330, 513, 514, 0x2E, 700, 0xC612
_TAGS = frozenset(
    {_KIND, _WIDTH, _HEIGHT, _COMPRESSION, _PHOTOMETRIC, _STRIPS, _STRIP_BYTES, _ORIENTATION, _SUB, _JPEG, _JPEG_BYTES}
    | {_PANASONIC, _DNG}
)
_MOSAICS = (32803, 34892)  # PhotometricInterpretation: colour filter array, linear raw
_TURNS = {3: 3, 5: 8, 6: 6}  # LibRaw's flip -> EXIF orientation


@dataclass(frozen=True, eq=False, slots=True)
class Preview:
    """A picture inside a RAW file.

    Attributes:
        picture: opened, not decoded; it reads from the RAW file.
        exif: what the RAW file says, with the orientation that applies to the preview.
        full: width and height of the RAW picture in pixels, upright or not; (0, 0) where that is not known.
    """

    picture: Image.Image
    exif: Image.Exif
    full: tuple[int, int] = (0, 0)

    def longer_px(self) -> int:
        """Pixels on its longer side."""
        return max(self.picture.size)

    @property
    def says(self) -> str:
        """What was used instead of the RAW picture."""
        of = (
            f" of the RAW picture's {self.full[0]} × {self.full[1]}"
            if self.full[0] * self.full[1] > self.picture.width * self.picture.height
            else ""
        )
        return f"a RAW file: its embedded preview was used, {_size(self)} pixels{of}"


def is_raw(file: BinaryIO, head: bytes, suffix: str) -> bool:
    """Whether a file is a RAW file, by what it holds; its suffix counts where that tells too little.

    Args:
        file: opened for reading.
        head: its first bytes.
        suffix: of its name, in lower case, or "".
    """
    if head[:4] in _LIKE_TIFF or any(head[at:].startswith(mark) for at, mark in _OTHER):
        return True
    if head[:4] not in _TIFF:
        return False
    directories = list(_directories(file, head))
    if any(_DNG in each or each.get(_PHOTOMETRIC) in _MOSAICS for each in directories) or head[8:10] == b"CR":
        return True
    if suffix not in RAW_SUFFIXES:
        return False
    first = directories[0] if directories else {}
    large = max([0, *_numbers(first.get(_WIDTH)), *_numbers(first.get(_HEIGHT))]) >= LEAST_PX
    picture = first.get(_KIND, 0) == 0 and first.get(_PHOTOMETRIC) in (0, 1, 2, 6)
    return not (picture and (large or len(directories) == 1))  # a TIFF under the name of a RAW file


def previews(file: BinaryIO, head: bytes, source: str) -> Iterator[Preview]:
    """Yield the previews of a RAW file that are large enough, the largest first.

    Args:
        file: opened for reading, and open for as long as the previews are used.
        head: its first bytes.
        source: its name, for messages.

    Raises:
        MissingDependency: Pillow finds none, and rawpy is not installed.
        PhotoError: there is none.
    """
    found = sorted(_in_directories(file, head), key=Preview.longer_px, reverse=True)
    usable = [each for each in found if each.longer_px() >= LEAST_PX]
    if not usable or usable[0].longer_px() < _ENOUGH_PX:
        try:
            other = _by_libraw(file, head)
            if other.longer_px() < LEAST_PX:
                raise PhotoError(f"with no more than a thumbnail of {_size(other)} pixels")
            usable = sorted([*usable, other], key=Preview.longer_px, reverse=True)
        except MissingDependency as error:
            if not usable:
                lacks = f"in which Pillow finds only a thumbnail of {_size(found[0])} pixels" if found else None
                lacks = lacks or "without a preview that Pillow finds"
                raise MissingDependency(f"{source}: is a RAW file {lacks}; {error}") from error
        except PhotoError as error:
            if not usable:
                raise PhotoError(f"{source}: is a RAW file {error}; save it as JPEG or TIFF first") from error
    yield from usable


def read_exif(file: BinaryIO, head: bytes, exif: Image.Exif) -> bytes:
    """Read the EXIF data of a RAW file into `exif`, and return its XMP packet; nothing where it is not like a TIFF.

    Parts of the EXIF data are read when asked for, so the file must stay open.
    """
    if head[:4] not in _TIFF:
        return b""
    try:
        file.seek(0)
        exif.load_from_fp(file)
        return bytes(exif.get(_XMP) or b"")
    except Exception:  # broken data say nothing
        return b""


def _directories(file: BinaryIO, head: bytes) -> Iterator[dict[int, Any]]:
    """Yield the TIFF directories of a file, those inside others too, without what is broken."""
    start = _LIKE_TIFF.get(head[:4], head[:4]) + head[4:8]
    if start[:4] not in _TIFF or len(start) < 8:
        return
    waiting, seen = [ImageFileDirectory_v2(start).next], set[int]()
    while waiting and len(seen) < _MOST_DIRECTORIES:
        at = waiting.pop(0)
        if at in seen or at <= 0:
            continue
        seen.add(at)
        directory = ImageFileDirectory_v2(start)
        try:
            file.seek(at)
            directory.load(file)
            fields = {tag: directory[tag] for tag in _TAGS if tag in directory}
        except Exception:
            continue
        waiting += [*_numbers(fields.get(_SUB)), *_numbers(getattr(directory, "next", None))]
        yield fields


def _in_directories(file: BinaryIO, head: bytes) -> Iterator[Preview]:
    """Yield the previews that TIFF directories name and Pillow opens."""
    directories = list(_directories(file, head))
    sizes = [(*_numbers(each.get(_WIDTH))[:1], *_numbers(each.get(_HEIGHT))[:1]) for each in directories]
    full = max((size for size in sizes if len(size) == 2), key=lambda size: size[0] * size[1], default=(0, 0))
    turn = next((each[_ORIENTATION] for each in directories if _ORIENTATION in each), 1)
    for region in _regions(file, directories):
        try:
            picture = JpegImagePlugin.JpegImageFile(region)
        except Exception:  # lossless JPEG, which is the mosaic, or no JPEG at all
            continue
        yield _preview(picture, file, head, full, turn)


def _regions(file: BinaryIO, directories: list[dict[int, Any]]) -> Iterator[Any]:
    """Yield the parts of a file that its directories call a JPEG, each as a file of its own."""
    for each in directories:
        if isinstance(each.get(_PANASONIC), bytes):
            yield io.BytesIO(each[_PANASONIC])
        places = [(_numbers(each.get(_JPEG)), _numbers(each.get(_JPEG_BYTES)))]
        if each.get(_COMPRESSION) in (6, 7) and each.get(_PHOTOMETRIC) not in _MOSAICS:
            places.append((_numbers(each.get(_STRIPS)), _numbers(each.get(_STRIP_BYTES))))
        for offsets, lengths in places:
            if len(offsets) == len(lengths) == 1 and offsets[0] > 0 and lengths[0] > 0:
                yield ContainerIO(file, offsets[0], lengths[0])


def _by_libraw(file: BinaryIO, head: bytes) -> Preview:
    """Return the preview that LibRaw finds.

    Raises:
        MissingDependency: rawpy is not installed.
        PhotoError: it finds none, or cannot read the file.
    """
    with needs("raw", "rawpy"):
        import rawpy
    try:
        with rawpy.imread(_for_libraw(file)) as opened:
            thumb = opened.extract_thumb()
            full, turn = (opened.sizes.width, opened.sizes.height), _TURNS.get(opened.sizes.flip, 1)
        jpeg = isinstance(thumb.data, bytes)
        picture = JpegImagePlugin.JpegImageFile(io.BytesIO(thumb.data)) if jpeg else Image.fromarray(thumb.data)
    except Exception as error:
        said = error.args[0] if error.args else ""
        why = said.decode("ascii", "replace") if isinstance(said, bytes) else one_line(error)
        raise PhotoError(f"without a preview that can be read ({why})") from error
    return _preview(picture, file, head, full, turn)


def _for_libraw(file: BinaryIO) -> str | BinaryIO:
    """What LibRaw is given: the name, so that it reads no more than it needs, where it can take that."""
    name = getattr(file, "name", None)
    if isinstance(name, str | os.PathLike):
        try:
            return str(os.fspath(name)).encode().decode()
        except UnicodeEncodeError:
            pass
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > _MOST_BYTES:
        raise PhotoError(f"too large to be read, {size / 1e9:.1f} GB")
    return file


def _preview(picture: Image.Image, file: BinaryIO, head: bytes, full: tuple[int, int], turn: Any) -> Preview:
    """Describe a preview; its own orientation, if it has one, counts before the RAW file's."""
    try:
        own = picture.getexif()
    except Exception:
        own = Image.Exif()
    exif = Image.Exif()
    read_exif(file, head, exif)
    exif = exif or own
    # A preview that stands while the sensor's picture lies was turned by the camera.
    turned = (picture.width - picture.height) * (full[0] - full[1]) < 0
    exif[_ORIENTATION] = own.get(_ORIENTATION) or (1 if turned else turn)
    return Preview(picture, exif, full)


def _size(preview: Preview) -> str:
    return f"{preview.picture.width} × {preview.picture.height}"


def _numbers(value: Any) -> list[int]:
    """The whole numbers in a field of a directory, of which broken files may hold anything."""
    return [each for each in (value if isinstance(value, tuple | list) else (value,)) if isinstance(each, int)]

"""RAW files: the embedded preview stands for the photo, a thumbnail or the mosaic never does."""

from __future__ import annotations

import contextlib
import struct
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from raw_files import directory, dng, jpeg

from geoagent.errors import GeoAgentError, MissingDependency, PhotoError
from geoagent.evidence.folders import scan
from geoagent.evidence.photos import find_photos, open_photo, what_it_says
from geoagent.evidence.raw import LEAST_PX

NEEDS_RAWPY = "rawpy is not installed (pip install 'geoagent-photo[raw]')"


@pytest.fixture
def without_rawpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)


def put(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def corner(pixels: np.ndarray) -> str:
    """Where the blue corner of the preview is."""
    height, width = pixels.shape[:2]
    places = {"upper left": (4, 4), "upper right": (4, width - 5)}
    places |= {"lower left": (height - 5, 4), "lower right": (height - 5, width - 5)}
    return next(name for name, (y, x) in places.items() if pixels[y, x, 2] > 150)


def nikon(preview: bytes) -> bytes:
    """A NEF: the preview is named by JPEGInterchangeFormat in a sub-directory."""
    main = [(254, 4, [1]), (262, 3, [2]), (274, 3, [8]), (330, 4, [0])]
    sub = 8 + len(directory(main, 8))
    main[-1] = (330, 4, [sub])
    at = sub + len(directory([(513, 4, [0]), (514, 4, [0])], sub))
    shown = directory([(513, 4, [at]), (514, 4, [len(preview)])], sub)
    return b"II*\0" + struct.pack("<L", 8) + directory(main, 8) + shown + preview


def canon(preview: bytes) -> bytes:
    """A CR2: the preview is the strip of the first directory, and the mosaic a lossless JPEG of 14 bits."""
    lossless = b"\xff\xd8\xff\xc3\0\x0b\x0e\0\x40\0\x40\1\1\x11\0\xff\xd9"
    fields = [(256, 3, [1]), (257, 3, [1]), (259, 3, [6]), (273, 4, [0]), (274, 3, [1]), (279, 4, [len(preview)])]
    second = 16 + len(directory(fields, 16))
    raw = [(259, 3, [6]), (273, 4, [0]), (279, 4, [len(lossless)])]
    at = second + len(directory(raw, second))
    fields[3], raw[1] = (273, 4, [at]), (273, 4, [at + len(preview)])
    head = b"II*\0" + struct.pack("<L", 16) + b"CR\2\0" + bytes(4)
    return head + directory(fields, 16, second) + directory(raw, second) + preview + lossless


def panasonic(preview: bytes) -> bytes:
    """An RW2: a header of its own, and the preview as the value of a field."""
    return b"IIU\0" + struct.pack("<L", 8) + directory([(0x2E, 7, preview), (274, 3, [6])], 8)


def olympus(preview: bytes) -> bytes:
    """An ORF whose preview is in the chain of directories."""
    at = 8 + len(directory([(513, 4, [0]), (514, 4, [0])], 8))
    return b"IIRO" + struct.pack("<L", 8) + directory([(513, 4, [at]), (514, 4, [len(preview)])], 8) + preview


# --- the preview ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [dng, nikon, canon, panasonic, olympus])
def test_the_preview_is_the_photo(make: object, tmp_path: Path, without_rawpy: None) -> None:
    photo = open_photo(put(tmp_path / "p.raw", make(jpeg(1616, 1080))))  # type: ignore[operator]
    assert sorted(photo.original_px) == [1080, 1616]
    assert photo.pixels.reshape(-1, 3).max(axis=0).tolist()[1] < 40  # neither the green thumbnail nor grey
    assert photo.warnings[0].startswith("a RAW file: its embedded preview was used, 1616 × 1080 pixels")


def test_the_warning_tells_both_sizes(without_rawpy: None) -> None:
    photo = open_photo(dng(jpeg(640, 480), mosaic_px=(1280, 960)))
    assert photo.warnings == (
        "a RAW file: its embedded preview was used, 640 × 480 pixels of the RAW picture's 1280 × 960",
    )


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("version", [True, False])
def test_bytes_without_a_name_are_known_by_what_they_hold(order: str, version: bool, without_rawpy: None) -> None:
    photo = open_photo(dng(jpeg(), order=order, version=version))
    assert photo.original_px == (1200, 800)
    assert "RAW" in photo.warnings[0]


@pytest.mark.parametrize(
    ("raw", "own", "where", "size"),
    [
        (1, None, "upper left", (1200, 800)),
        (3, None, "lower right", (1200, 800)),
        (6, None, "upper right", (800, 1200)),
        (8, None, "lower left", (800, 1200)),
        (6, 6, "upper right", (800, 1200)),  # said twice, done once
        (1, 8, "lower left", (800, 1200)),
        (6, 1, "upper left", (1200, 800)),  # the preview's own comes first
    ],
)
def test_the_orientation_of_the_raw_file_applies(
    raw: int, own: int | None, where: str, size: tuple[int, int], without_rawpy: None
) -> None:
    photo = open_photo(dng(jpeg(orientation=own), orientation=raw))
    assert corner(photo.pixels) == where
    assert photo.original_px == size


def test_a_preview_that_the_camera_turned_is_not_turned_again(without_rawpy: None) -> None:
    photo = open_photo(dng(jpeg(600, 900), orientation=6, mosaic_px=(96, 64)))
    assert photo.original_px == (600, 900)
    assert corner(photo.pixels) == "upper left"


def test_of_several_previews_the_largest_whole_one_is_used(without_rawpy: None) -> None:
    small, large = jpeg(480, 320, colour="yellow"), jpeg(2000, 1500)
    fields = [[(513, 4, [0]), (514, 4, [len(each)])] for each in (small, large)]
    second = 8 + len(directory(fields[0], 8))
    at = second + len(directory(fields[1], second))
    fields[0][0], fields[1][0] = (513, 4, [at]), (513, 4, [at + len(small)])
    head = b"IIRO" + struct.pack("<L", 8) + directory(fields[0], 8, second) + directory(fields[1], second)
    assert open_photo(head + small + large).original_px == (2000, 1500)
    cut = open_photo(head + small + large[:5000])
    assert cut.original_px == (480, 320)


def test_what_it_says_about_its_place(tmp_path: Path, without_rawpy: None) -> None:
    path = put(tmp_path / "p.dng", dng(jpeg(), gps=True))
    assert open_photo(path).exif_gps is not None
    assert what_it_says(path).position == "its EXIF data"
    assert what_it_says(put(tmp_path / "q.dng", dng(jpeg()))).position is None
    assert what_it_says(put(tmp_path / "r.cr3", b"\0\0\0\x18ftypcrx " + bytes(99))).position is None
    assert what_it_says(put(tmp_path / "s.nef", b"II*\0dummy")).position is None


def test_an_ordinary_tiff_or_jpeg_is_no_raw_file_by_its_name(tmp_path: Path, without_rawpy: None) -> None:
    for kind in ("TIFF", "JPEG", "PNG"):
        path = tmp_path / f"{kind}.dng"
        Image.new("RGB", (90, 60), "teal").save(path, kind)
        assert open_photo(path).warnings == ()
        assert path in find_photos([tmp_path])


def test_a_small_first_picture_among_others_is_a_thumbnail(tmp_path: Path, without_rawpy: None) -> None:
    thumbnail, other = Image.new("RGB", (120, 80), "green"), Image.new("L", (9, 9))
    thumbnail.save(tmp_path / "p.iiq", "TIFF", save_all=True, append_images=[other])
    with pytest.raises(MissingDependency, match="is a RAW file"):
        open_photo(tmp_path / "p.iiq")
    thumbnail.save(tmp_path / "p.tif", "TIFF", save_all=True, append_images=[other])
    assert open_photo(tmp_path / "p.tif").original_px == (120, 80)


# --- what has none --------------------------------------------------------------------------------------------------

NONE = {
    "mosaic alone": dng(None),
    "thumbnail": dng(jpeg(160, 120)),
    "thumbnail of the usual DNG": dng(jpeg(256, 171)),
    "nothing in it": b"II*\0dummy",
    "CR3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(200),
    "RAF": b"FUJIFILMCCD-RAW 0201FF389501" + bytes(200),
    "unknown": bytes(range(256)) * 8,
    "preview that is no JPEG": dng(b"no picture at all" * 40),
}


@pytest.mark.parametrize("content", NONE.values(), ids=NONE)
def test_without_a_preview_it_says_what_to_install(content: bytes, tmp_path: Path, without_rawpy: None) -> None:
    path = put(tmp_path / "p.nef", content)
    with pytest.raises(MissingDependency, match=r"p\.nef: is a RAW file .*pip install 'geoagent-photo\[raw\]'") as told:
        open_photo(path)
    assert "\n" not in str(told.value)
    (passed,) = scan([tmp_path]).passed_over
    assert (passed.path, passed.kind, passed.extra) == (path, "RAW", True)


def test_a_thumbnail_is_named_with_its_size(without_rawpy: None) -> None:
    with pytest.raises(MissingDependency, match="only a thumbnail of 160 × 120 pixels"):
        open_photo(dng(jpeg(160, 120)))
    assert open_photo(dng(jpeg(LEAST_PX, 200))).original_px == (LEAST_PX, 200)


def test_text_under_the_name_of_a_raw_file(tmp_path: Path, without_rawpy: None) -> None:
    with pytest.raises(PhotoError, match="is a text file"):
        open_photo(put(tmp_path / "notes.raw", b"exposure 1/60"))


@given(
    st.lists(st.tuples(st.integers(0, 700), st.integers(0, 255)), min_size=1, max_size=6),
    st.sampled_from([dng(jpeg(400, 300), gps=True), nikon(jpeg(400, 300)), panasonic(jpeg(400, 300))]),
)
def test_damaged_bytes_give_a_photo_or_one_kind_of_error(damage: list[tuple[int, int]], content: bytes) -> None:
    spoilt = bytearray(content)
    for at, value in damage:
        spoilt[at] = value
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(GeoAgentError):
        patch.setitem(sys.modules, "rawpy", None)  # LibRaw is not what is tested
        assert open_photo(bytes(spoilt)).pixels.size


# --- LibRaw ---------------------------------------------------------------------------------------------------------


class StandIn(types.ModuleType):
    """In place of rawpy: one preview for any file, or an error as LibRaw raises it."""

    def __init__(self, data: object, flip: int = 0) -> None:
        super().__init__("rawpy")
        self.data, self.sizes, self.given = data, types.SimpleNamespace(width=6000, height=4000, flip=flip), []

    def imread(self, file: object) -> StandIn:
        self.given.append(file)
        return self

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def extract_thumb(self) -> object:
        if isinstance(self.data, Exception):
            raise self.data
        return types.SimpleNamespace(data=self.data)


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (jpeg(1620, 1080), (1620, 1080)),
        (np.full((400, 600, 3), 90, np.uint8), (600, 400)),
    ],
)
def test_libraw_finds_what_pillow_does_not(
    data: object, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", StandIn(data))
    path = put(tmp_path / "p.cr3", NONE["CR3"])
    photo = open_photo(path)
    assert photo.original_px == size
    assert f"{size[0]} × {size[1]} pixels of the RAW picture's 6000 × 4000" in photo.warnings[0]
    assert find_photos([tmp_path]) == [path]


def test_libraw_turns_and_is_not_asked_in_vain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = StandIn(jpeg(1200, 800), flip=5)
    monkeypatch.setitem(sys.modules, "rawpy", library)
    assert corner(open_photo(put(tmp_path / "p.raf", NONE["RAF"])).pixels) == "lower left"
    library.given.clear()
    assert open_photo(dng(jpeg(1024, 768))).original_px == (1024, 768)
    assert library.given == []
    assert open_photo(dng(jpeg(640, 480))).original_px == (800, 1200)  # LibRaw's is larger


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (OSError(b"Unsupported file format or not RAW file"), "can be read .Unsupported file format or not RAW file"),
        (jpeg(160, 120), "no more than a thumbnail of 160 × 120 pixels"),
        (b"no jpeg", "without a preview that can be read"),
        (RuntimeError("two\nlines"), "can be read .two lines"),
        (None, "without a preview that can be read"),
    ],
)
def test_libraw_finds_nothing(data: object, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", StandIn(data))
    path = put(tmp_path / "p.cr3", NONE["CR3"])
    with pytest.raises(PhotoError, match=says):
        open_photo(path)
    (passed,) = scan([tmp_path]).passed_over
    assert (passed.kind, passed.extra) == ("RAW", False)


def test_real_libraw_reads_a_preview_that_is_no_jpeg(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason=NEEDS_RAWPY)
    content = dng(None, thumbnail_px=(480, 320), orientation=3)
    for name in ("p.dng", "Stra\udcdfe.dng"):  # by its name, and by an open file where LibRaw cannot take that
        photo = open_photo(put(tmp_path / name, content))
        assert photo.original_px == (480, 320)
        assert photo.pixels.reshape(-1, 3).mean(axis=0).round().tolist() == [0, 200, 0]
    assert len(find_photos([tmp_path])) == 2


def test_real_libraw_refuses_what_has_none(tmp_path: Path) -> None:
    pytest.importorskip("rawpy", reason=NEEDS_RAWPY)
    for number, content in enumerate(NONE.values()):
        path = put(tmp_path / f"{number}.dng", content)
        with pytest.raises(PhotoError, match="is a RAW file with"):
            open_photo(path)
    assert {each.kind for each in scan([tmp_path]).passed_over} == {"RAW"}
    assert find_photos([tmp_path]) == []

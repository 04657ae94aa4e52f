"""Reading photos: every kind of file that people have, and every kind that they should not have."""

import io
import os
import resource
import socket
import subprocess
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageFile

from geoagent.errors import GeoAgentError, PhotoError
from geoagent.evidence.photos import MAX_SIDE_PX, PHOTO_SUFFIXES, find_photos, open_photo, quiet
from geoagent.types import Photo

WIDTH, HEIGHT = 96, 64


def scene(width: int = WIDTH, height: int = HEIGHT) -> Image.Image:
    """A smooth picture with another colour in each corner, which JPEG leaves nearly as it is."""
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return Image.fromarray((np.stack([x, y, (1 - x) * (1 - y)], axis=-1) * 200 + 20).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif_bytes(orientation: int | None = None, gps: dict[int, object] | None = None) -> bytes:
    exif = Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    if gps is not None:
        exif.get_ifd(0x8825).update(gps)
    return exif.tobytes()


def difference(photo: Photo, image: Image.Image) -> float:
    return float(np.abs(photo.pixels.astype(int) - np.asarray(image.convert("RGB")).astype(int)).mean())


def png_header(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")

    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, 0])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


# --- what is read ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "PPM", "JPEG2000"])
def test_common_formats(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"photo.{kind.lower()}"
    path.write_bytes(saved(scene(), kind))
    photo = open_photo(path)
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert photo.pixels.dtype == np.uint8
    assert difference(photo, scene()) < 12
    assert (photo.source, photo.scale, photo.warnings, photo.exif_gps) == (str(path), 1.0, (), None)


def test_bytes_pillow_and_photo_are_the_same() -> None:
    data = saved(scene(), "PNG")
    by_bytes, by_image = open_photo(data), open_photo(scene())
    assert np.array_equal(by_bytes.pixels, by_image.pixels)
    assert open_photo(by_bytes) is by_bytes


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_every_orientation_gives_the_same_upright_picture(orientation: int, kind: str) -> None:
    stored_by = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(stored_by[orientation]) if orientation > 1 else scene()
    photo = open_photo(saved(stored, kind, exif=exif_bytes(orientation)))
    assert photo.pixels.shape == (HEIGHT, WIDTH, 3)
    assert difference(photo, scene()) < 4


@pytest.mark.parametrize("orientation", [0, 9, 255])
def test_senseless_orientation_is_ignored(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert open_photo(saved(scene(), "JPEG", exif=exif.tobytes())).pixels.shape == (HEIGHT, WIDTH, 3)


def test_modes_without_three_bytes() -> None:
    grey = scene().convert("L")
    assert difference(open_photo(saved(grey, "PNG")), grey) == 0
    assert difference(open_photo(saved(scene().convert("1"), "PNG")), scene().convert("1")) == 0
    assert difference(open_photo(saved(scene().convert("CMYK"), "JPEG", quality=95)), scene()) < 6
    assert difference(open_photo(saved(scene().convert("P"), "PNG")), scene().convert("P")) < 1
    assert difference(open_photo(saved(scene().convert("LAB"), "TIFF")), scene()) < 15


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB-key", "PA"])
def test_transparent_becomes_white(mode: str) -> None:
    layer = Image.new("RGBA", (40, 40), (10, 20, 30, 255))
    layer.paste((200, 0, 0, 0), (0, 0, 20, 40))
    if mode == "RGB-key":
        plain = Image.new("RGB", (40, 40), (10, 20, 30))
        plain.paste((1, 2, 3), (0, 0, 20, 40))
        data: bytes | Image.Image = saved(plain, "PNG", transparency=(1, 2, 3))
    elif mode == "P":
        flat = Image.new("P", (40, 40), 1)
        flat.putpalette([1, 2, 3, 10, 20, 30])
        flat.paste(0, (0, 0, 20, 40))
        data = saved(flat, "PNG", transparency=b"\x00\xff")
    elif mode == "PA":
        data = layer.convert("PA")
    else:
        data = saved(layer.convert(mode), "PNG")
    photo = open_photo(data)
    assert (photo.pixels[:, :20] == 255).all()
    assert (photo.pixels[:, 20:] < 60).all()


def test_sixteen_bits_and_floats_keep_their_levels() -> None:
    ramp = np.linspace(0, 65535, WIDTH * HEIGHT).reshape(HEIGHT, WIDTH)
    want = ramp / 65535 * 255
    for kind in ("PNG", "TIFF"):
        photo = open_photo(saved(Image.fromarray(ramp.astype(np.uint16)), kind))
        assert np.abs(photo.pixels[..., 0] - want).max() <= 1
    for top in (1.0, 255.0, 65535.0):
        photo = open_photo(saved(Image.fromarray((ramp / 65535 * top).astype(np.float32)), "TIFF"))
        assert np.abs(photo.pixels[..., 0] - want).max() <= 1
        assert photo.warnings == ()
    strange = np.full((40, 40), -5.0, dtype=np.float32)
    strange[0, 0], strange[1], strange[2, 2] = np.nan, 7.0, np.inf
    photo = open_photo(saved(Image.fromarray(strange), "TIFF"))
    assert (photo.pixels[1] == 255).all()
    assert (photo.pixels[3:] == 0).all()
    assert "-5 to 7" in photo.warnings[0]


@pytest.mark.parametrize(("kind", "options"), [("GIF", {}), ("WEBP", {"lossless": True}), ("PNG", {}), ("TIFF", {})])
def test_first_picture_of_several(kind: str, options: dict[str, object]) -> None:
    rest = [Image.new("RGB", (WIDTH, HEIGHT), colour) for colour in ("red", "blue")]
    first = Image.new("RGB", (WIDTH, HEIGHT), (0, 128, 0))
    photo = open_photo(saved(first, kind, save_all=True, append_images=rest, **options))
    assert difference(photo, first) < 2
    assert any("only the first" in note for note in photo.warnings)


def test_mpo_of_a_telephone_is_one_photo() -> None:
    photo = open_photo(saved(scene(), "MPO", save_all=True, append_images=[Image.new("RGB", (20, 20))]))
    assert difference(photo, scene()) < 4
    assert photo.warnings == ()


def test_heic_is_upright_with_its_position(tmp_path: Path) -> None:
    heif = pytest.importorskip(
        "pillow_heif", reason="pillow-heif is not installed (pip install 'geoagent-photo[heic]')"
    )
    gps = {1: "N", 2: (48.0, 30.0, 0.0), 3: "E", 4: (9.0, 15.0, 0.0)}
    portrait = scene(128, 256)
    stored = heif.from_pillow(portrait.transpose(Image.Transpose.ROTATE_90))
    stored.info["exif"] = exif_bytes(6, gps)  # pillow-heif writes this as the container's own rotation
    path = tmp_path / "photo.heic"
    stored.save(path, quality=95)
    photo = open_photo(path)
    assert photo.pixels.shape == (256, 128, 3)
    assert difference(photo, portrait) < 6
    assert photo.exif_gps is not None
    assert tuple(photo.exif_gps) == pytest.approx((48.5, 9.25))


def test_heic_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImportError, match=r"geoagent-photo\[heic\]"):
        open_photo(b"\0\0\0\x18ftypheic" + bytes(100))


def test_avif() -> None:
    if ".avif" not in Image.registered_extensions():
        pytest.skip("this Pillow reads no AVIF")
    photo = open_photo(saved(scene().transpose(Image.Transpose.ROTATE_90), "AVIF", quality=95, exif=exif_bytes(6)))
    assert difference(photo, scene()) < 6


# --- size -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_photo_is_reduced_and_says_so(kind: str) -> None:
    data = saved(scene(1500, 1000), kind)
    photo = open_photo(data, max_side_px=400)
    assert photo.pixels.shape == (267, 400, 3)
    assert photo.scale == pytest.approx(1500 / 400)
    assert any("reduced from 1500 to 400" in note for note in photo.warnings)
    small = scene(1500, 1000).resize((400, 267), Image.Resampling.LANCZOS)
    assert difference(photo, small) < 3
    again = open_photo(open_photo(data), max_side_px=400)
    assert again.pixels.shape == photo.pixels.shape
    assert again.scale == photo.scale


def test_reduced_strip_by_strip_is_seamless() -> None:
    big = scene(3000, 2990)
    photo = open_photo(big, max_side_px=300)
    assert photo.pixels.shape == (299, 300, 3)
    assert np.abs(photo.pixels.astype(int) - np.asarray(big.resize((300, 299), Image.Resampling.BOX))).max() <= 2


def test_thin_photo_keeps_a_pixel() -> None:
    photo = open_photo(Image.new("RGB", (6000, 2)), max_side_px=100)
    assert photo.pixels.shape == (1, 100, 3)
    assert any("too small to read" in note for note in photo.warnings)


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (31, 31)])
def test_tiny_photo_is_read_with_a_warning(size: tuple[int, int]) -> None:
    photo = open_photo(saved(Image.new("RGB", size), "PNG"))
    assert photo.pixels.shape == (size[1], size[0], 3)
    assert any("too small to read" in note for note in photo.warnings)


HUGE = """
import sys
from geoagent.evidence.photos import open_photo
photo = open_photo(sys.argv[1])
assert photo.pixels.shape == (4000, 4000, 3), photo.pixels.shape
assert photo.scale == 5.0 and "reduced from 20000" in photo.warnings[0]
# VmHWM is this process's own peak, in kB; ru_maxrss would hand down the one that started it.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc to measure a process's memory")
@pytest.mark.parametrize("kind", ["png", "jpg"])
def test_twenty_thousand_pixels_square_within_memory(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"huge.{kind}"
    if kind == "png":
        packer = zlib.compressobj(1)
        row = bytes(1 + 20_000 // 8)
        path.write_bytes(png_header(20_000, 20_000, 1, 0, packer.compress(row * 20_000) + packer.flush()))
    else:
        Image.new("L", (20_000, 20_000), 90).save(path)
    done = subprocess.run([sys.executable, "-c", HUGE, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 1_200_000


def test_too_large_to_decode_is_refused_before_decoding() -> None:
    packer = zlib.compressobj(1)
    data = png_header(30_000, 30_000, 8, 2, packer.compress(bytes(1000)) + packer.flush())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PhotoError, match=r"30000 × 30000 .* reduce the picture first"):
        open_photo(data)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_pillow_stays_as_it_was() -> None:
    limits = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        open_photo(Image.new("1", (12_000, 9_000)), max_side_px=100)
    assert seen == []
    assert limits == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES)


# --- what is wrong --------------------------------------------------------------------------------------------------


def noisy_jpeg(**options: object) -> bytes:
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    return saved(Image.fromarray(noise), "JPEG", **options)


@pytest.mark.parametrize("share", [0.6, 0.8, 0.97])
def test_truncated_jpeg_gives_what_is_there(share: float) -> None:
    data = noisy_jpeg()
    photo = open_photo(data[: int(len(data) * share)])
    assert photo.pixels.shape == (300, 400, 3)
    assert any("truncated" in note for note in photo.warnings)
    whole = open_photo(data)
    rows = int(300 * share) - 40
    assert np.abs(photo.pixels[:rows].astype(int) - whole.pixels[:rows]).mean() < 1


def test_truncated_progressive_jpeg_is_read() -> None:
    data = noisy_jpeg(progressive=True)
    assert any("truncated" in note for note in open_photo(data[: len(data) * 3 // 4]).warnings)


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_mostly_missing_jpeg_is_refused(share: float) -> None:
    data = noisy_jpeg()
    with pytest.raises(PhotoError, match=r"truncated|damaged"):
        open_photo(data[: int(len(data) * share)])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_other_truncated_formats_are_refused(kind: str) -> None:
    data = saved(Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), dtype=np.uint8)), kind)
    with pytest.raises(PhotoError, match="damaged"):
        open_photo(data[: len(data) // 3])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jpg", b"", "empty"),
        ("a.jpg", b"this is a letter, not a picture\n" * 20, "text file"),
        ("a.svg", b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        ("a.mp4", b"\0\0\0\x18ftypisom" + bytes(40), "isom"),
        ("a.jpg", bytes(range(256)), "no photo of a known format"),
        ("a.jpg", b"\xff\xd8\xff", "damaged"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "damaged"),
        ("a.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no photo|text file"),
    ],
)
def test_no_photo_is_one_clear_line(name: str, content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=says) as caught:
        open_photo(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_regular_file(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no such file"):
        open_photo(tmp_path / "missing.jpg")
    with pytest.raises(PhotoError, match="folder"):
        open_photo(tmp_path)
    with pytest.raises(PhotoError):
        open_photo("nul\0byte.jpg")
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="pipe"):
        open_photo(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="device"):
        open_photo("/dev/zero")
    with socket.socket(socket.AF_UNIX) as plug:
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            plug.bind("s.jpg")
        finally:
            os.chdir(here)
        with pytest.raises(PhotoError, match="socket"):
            open_photo(tmp_path / "s.jpg")
    with pytest.raises(PhotoError, match="max_side_px"):
        open_photo(scene(), max_side_px=0)


BASE = {
    kind: saved(scene(), kind, exif=exif_bytes(6, {1: "N", 2: (1.0, 2.0, 3.0)})) for kind in ("JPEG", "PNG", "TIFF")
}


@given(st.sampled_from(sorted(BASE)), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=12))
@example("TIFF", [(154, 1)])  # a picture that is smaller than it says
def test_damaged_bytes_give_a_photo_or_one_kind_of_error(kind: str, damage: list[tuple[int, int]]) -> None:
    data = bytearray(BASE[kind])
    for place, value in damage:
        data[place % len(data)] = value
    try:
        photo = open_photo(bytes(data))
    except GeoAgentError:
        return
    assert photo.pixels.shape[2] == 3
    assert max(photo.pixels.shape) <= MAX_SIDE_PX


# --- position -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gps", "want"),
    [
        ({1: "N", 2: (48.0, 30.0, 36.0), 3: "E", 4: (9.0, 15.0, 0.0)}, (48.51, 9.25)),
        ({1: "S", 2: (33.0, 51.0, 54.0), 3: "W", 4: (70.0, 12.0, 0.0)}, (-33.865, -70.2)),
        ({1: "s", 2: (33.5, 0.0, 0.0), 3: "e", 4: (151.0, 12.5, 0.0)}, (-33.5, 151.208333)),
        ({1: "N", 2: (0.0, 0.0, 0.0), 3: "W", 4: (78.0, 30.0, 0.0)}, (0.0, -78.5)),
    ],
)
def test_position_of_every_hemisphere(gps: dict[int, object], want: tuple[float, float]) -> None:
    photo = open_photo(saved(scene(), "JPEG", exif=exif_bytes(gps=gps)))
    assert photo.exif_gps is not None
    assert tuple(photo.exif_gps) == pytest.approx(want, abs=1e-5)
    assert photo.warnings == ()


@pytest.mark.parametrize(
    "gps",
    [
        {1: "N", 2: (91.0, 0.0, 0.0), 3: "E", 4: (9.0, 0.0, 0.0)},
        {1: "N", 2: (48.0, 99.0, 0.0), 3: "E", 4: (9.0, 0.0, 0.0)},
        {1: "N", 2: (48.0, 0.0, 0.0), 3: "E", 4: (999.0, 0.0, 0.0)},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
        {1: "X", 2: (48.0, 0.0, 0.0), 3: "E", 4: (9.0, 0.0, 0.0)},
        {2: (48.0, 0.0, 0.0), 4: (9.0, 0.0, 0.0)},
        {1: "N", 2: (48.0, 0.0, 0.0)},
        {1: "N", 2: (48.0,), 3: "E", 4: (9.0, 0.0, 0.0)},
    ],
)
def test_senseless_position_is_a_warning(gps: dict[int, object]) -> None:
    photo = open_photo(saved(scene(), "JPEG", exif=exif_bytes(gps=gps)))
    assert photo.exif_gps is None
    assert any("position" in note for note in photo.warnings)


def test_rational_without_denominator_is_a_warning() -> None:
    exif = exif_bytes(gps={1: "N", 2: (48.25, 0.0, 0.0), 3: "E", 4: (9.0, 0.0, 0.0)})
    quarter = (193).to_bytes(4, "big") + (4).to_bytes(4, "big")
    assert quarter in exif
    photo = open_photo(saved(scene(), "JPEG", exif=exif.replace(quarter, quarter[:4] + bytes(4))))
    assert photo.exif_gps is None
    assert any("position" in note for note in photo.warnings)


@pytest.mark.parametrize("junk", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0" + b"\xff" * 80])
def test_broken_exif_does_not_stop_the_photo(junk: bytes) -> None:
    photo = open_photo(saved(scene(), "JPEG", exif=junk))
    assert difference(photo, scene()) < 4
    assert photo.exif_gps is None


# --- folders and threads --------------------------------------------------------------------------------------------


def test_find_photos_walks_folders(tmp_path: Path) -> None:
    for name in ("b.JPG", "a.png", "notes.txt", ".hidden.jpg", "sub/c.webp", ".git/d.jpg", "sub/deep/e.heic"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sub" / "loop").symlink_to(tmp_path)
    names = [path.relative_to(tmp_path).as_posix() for path in find_photos([tmp_path])]
    assert names == ["a.png", "b.JPG", "sub/c.webp", "sub/deep/e.heic"]
    odd, missing = tmp_path / "notes.txt", tmp_path / "missing"
    assert find_photos([odd, str(missing), odd, tmp_path / "sub"])[:2] == [odd, missing]
    assert len(find_photos([tmp_path, tmp_path / "a.png"])) == 4
    assert find_photos([]) == []
    assert {".jpg", ".heic", ".avif"} <= PHOTO_SUFFIXES


def test_quiet_puts_the_filters_back_after_overlapping_threads() -> None:
    before = list(warnings.filters)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with quiet:
            inside.set()
            leave.wait(5)

    thread = threading.Thread(target=hold)
    with quiet:
        thread.start()
        assert inside.wait(5)
    warnings.warn("nobody hears this", stacklevel=1)
    leave.set()
    thread.join()
    assert list(warnings.filters) == before

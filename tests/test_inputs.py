"""What a photo may be given as, and one agent in many threads."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from geoagent import GeoAgent, Photo
from geoagent.errors import InputError, PhotoError
from geoagent.evidence.photos import open_photo
from geoagent.types import TextRegion

PHOTOS = Path(__file__).resolve().parents[1] / "examples" / "photos"
KOELN = PHOTOS / "de_koeln.jpg"


class Signs:
    """An engine that tells photos by their first pixel."""

    name = "signs"
    SIGNS = ("50672 Köln", "Rue de la République, 69002 Lyon", "+48 12 422 12 34 Kraków", "Tel. 0761 201-0 Freiburg")

    def __call__(self, photo: Photo) -> tuple[TextRegion, ...]:
        box = np.array([(2, 2), (30, 2), (30, 10), (2, 10)])
        return (TextRegion(self.SIGNS[int(photo.pixels[0, 0, 0]) % 4], box, 0.95, "Latn", True, "test"),)


@pytest.fixture(scope="module")
def reads(agent: GeoAgent) -> GeoAgent:
    return replace(agent, ocr=Signs())


@pytest.fixture(scope="module")
def pixels() -> Any:
    with Image.open(KOELN) as image:
        return np.asarray(image.convert("RGB"))


FORMS: dict[str, Callable[[Path], Any]] = {
    "path": Path,
    "text": str,
    "bytes": Path.read_bytes,
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "buffer": lambda path: io.BytesIO(path.read_bytes()),
    "opened": lambda path: path.open("rb"),
    "picture": Image.open,
    "array": lambda path: np.asarray(Image.open(path).convert("RGB")),
    "photo": lambda path: Photo(np.asarray(Image.open(path).convert("RGB"))),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_photo_is_the_same_photo(form, pixels):
    with given(form) as photo:
        assert np.array_equal(open_photo(photo).pixels, pixels)


@pytest.mark.parametrize("form", FORMS)
def test_locate_verify_and_read_take_every_form(form, reads, pixels):
    with given(form) as photo:
        assert reads.locate(photo).status != "error"
    with given(form) as photo:
        assert [region.text for region in reads.read(photo).regions] == [Signs()(Photo(pixels))[0].text]
    with given(form) as photo:
        assert reads.verify(photo, "Europe").claim == "Europe"


def test_a_claim_on_a_photo_is_one_on_what_was_observed(reads):
    assert reads.verify(reads.observe(KOELN), "DE") == reads.verify(KOELN, "DE")


@contextmanager
def given(form: str) -> Iterator[Any]:
    """The photo in one form, closed afterwards where it can be."""
    photo = FORMS[form](KOELN)
    try:
        yield photo
    finally:
        getattr(photo, "close", lambda: None)()


def test_a_wrong_claim_is_told_before_the_photo_is_read(reads, tmp_path):
    with pytest.raises(InputError, match="Nowherecaster"):
        reads.verify(tmp_path / "absent.jpg", "Nowherecaster")
    with pytest.raises(InputError, match="claims no position"):
        reads.verify(np.zeros((40, 40), dtype=np.uint8), "exif")


@pytest.mark.parametrize(
    ("array", "first"),
    [
        (np.full((40, 50), 7, dtype=np.uint8), (7, 7, 7)),
        (np.full((40, 50, 1), 7, dtype=np.uint8), (7, 7, 7)),
        (np.full((40, 50, 3), (1, 2, 3), dtype=np.uint8), (1, 2, 3)),
        (np.full((40, 50, 4), (1, 2, 3, 255), dtype=np.uint8), (1, 2, 3)),
        (np.full((40, 50, 4), (1, 2, 3, 0), dtype=np.uint8), (255, 255, 255)),
        (np.full((40, 50, 3), 0x1234, dtype=np.uint16), (0x12, 0x12, 0x12)),
        (np.full((40, 50, 3), 0.2, dtype=np.float32), (51, 51, 51)),
        (np.full((40, 50, 3), (1, 2, 3), dtype=np.uint8)[::2, ::-1, ::-1], (3, 2, 1)),
    ],
    ids=["grey", "grey with an axis", "RGB", "opaque", "transparent", "16 bits", "floating", "strided"],
)
def test_arrays_of_pixels(array, first):
    photo = open_photo(array)
    assert (photo.height_px, photo.width_px) == array.shape[:2]
    assert tuple(photo.pixels[0, 0]) == first
    assert photo.source == "array"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((3, 40, 50), dtype=np.uint8), "the colours go last"),
        (np.zeros((40,), dtype=np.uint8), r"got shape \(40,\)"),
        (np.zeros((0, 40, 3), dtype=np.uint8), r"got shape \(0, 40, 3\)"),
        (np.full((40, 50, 3), 200.0), "divide by 255"),
        (np.full((40, 50, 3), np.nan), "divide by 255"),
        (np.zeros((40, 50), dtype=np.int64), "got int64"),
        (np.zeros((40, 50), dtype=bool), "got bool"),
        (io.StringIO("text"), "mode 'rb'"),
        (io.BytesIO(b""), "is empty"),
        (io.BytesIO(b"no photo at all"), "is a text file"),
        (17, "got int"),
        (None, "got NoneType"),
        (["a.jpg", "b.jpg"], "got list"),
    ],
)
def test_what_is_no_photo_is_named(reads, given, says):
    for use in (reads.locate, reads.read, reads.observe):
        with pytest.raises(PhotoError, match=says):
            use(given)
        if hasattr(given, "seek"):
            given.seek(0)


def test_an_opened_file_keeps_its_name_and_stays_open(tmp_path):
    with KOELN.open("rb") as file:
        photo = open_photo(file)
        assert not file.closed
    assert photo.source == str(KOELN)
    with pytest.raises(PhotoError, match="closed file"):
        open_photo(file)
    with (tmp_path / "out.jpg").open("wb") as out, pytest.raises(PhotoError, match=r"out\.jpg"):
        open_photo(out)


def test_a_large_array_is_reduced_as_a_file_is():
    photo = open_photo(np.zeros((20, 5000, 3), dtype=np.uint8))
    assert photo.width_px == 4000
    assert photo.original_px == (5000, 20)
    assert any("reduced from 5000" in warning for warning in photo.warnings)


def test_one_agent_in_many_threads_answers_as_in_one(reads):
    fresh = GeoAgent.load(ocr="nothing")  # whose cached parts are made by whichever thread comes first
    shared = replace(fresh, ocr=Signs())
    pictures = [np.full((40, 40, 3), i, dtype=np.uint8) for i in range(4)] * 8
    alone = [_plain(reads.locate(picture)) for picture in pictures[:4]]
    assert len(set(alone)) == 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: _plain(shared.locate(picture)), pictures))
        claims = list(pool.map(lambda picture: shared.verify(picture, "Germany").verdict, pictures))
    assert together == alone * 8
    assert claims == [reads.verify(picture, "Germany").verdict for picture in pictures[:4]] * 8


@pytest.mark.slow
def test_one_engine_in_many_threads_reads_as_in_one():
    from geoagent import plugs

    engine = plugs.build("ocr", "multiscript", None)
    photos = [
        open_photo(PHOTOS / name) for name in ("de_koeln.jpg", "pl_krakow.jpg", "kr_busan.jpg", "th_chiangmai.jpg")
    ]
    alone = [[region.text for region in engine(photo)] for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda photo: [region.text for region in engine(photo)], photos))
    assert together == alone
    assert all(alone)


def _plain(answer: Any) -> str:
    return answer.model_copy(update={"timings_s": {}}).to_json()

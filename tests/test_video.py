"""Frames of videos as photos of an album."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from geoagent.errors import MissingDependency, PhotoError
from geoagent.evidence import video
from geoagent.evidence.video import capture_of_video, frames, is_video, later
from geoagent.interfaces.cli import main
from geoagent.places.geo import LatLon
from geoagent.types import Capture

av = pytest.importorskip("av", reason="av is not installed (pip install 'geoagent-photo[video]')")

TAGS = {"creation_time": "2023-07-04T10:00:00Z", "location": "+45.7640+004.8357/"}


def clip(path: Path, scenes: list[int], *, seconds: int = 2, tags: dict[str, str] | None = None) -> Path:
    """A video of grey scenes, each with a square somewhere else; every tenth frame a key frame."""
    with av.open(str(path), "w") as container:
        container.metadata.update(tags or {})
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", 10
        stream.time_base = Fraction(1, 10)
        for number, grey in enumerate(scenes):
            pixels = np.full((120, 160, 3), grey, dtype=np.uint8)
            pixels[20 * number : 20 * number + 20, 40:80] = 255 - grey
            for _ in range(10 * seconds):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def test_frames_are_taken_where_the_picture_changes(tmp_path: Path):
    found = frames(clip(tmp_path / "a.mp4", [20, 120, 220]))
    assert [round(frame.seconds) for frame in found] == [0, 2, 4]
    assert [frame.photo.pixels[0, 0].mean() // 100 for frame in found] == [0, 1, 2]
    assert found[1].photo.source.endswith("a.mp4#t=2.0")


def test_a_still_video_is_one_frame(tmp_path: Path):
    assert len(frames(clip(tmp_path / "a.mp4", [90], seconds=6))) == 1


def test_no_more_frames_than_asked_for(tmp_path: Path):
    path = clip(tmp_path / "a.mp4", [10, 200, 20, 210, 30, 220], seconds=1)
    found = frames(path, most=3)
    assert len(found) == 3
    assert found[0].seconds == 0
    assert [frame.seconds for frame in found] == sorted(frame.seconds for frame in found)


def test_time_and_place_of_a_container(tmp_path: Path):
    capture = capture_of_video(clip(tmp_path / "a.mp4", [90], tags=TAGS))
    assert capture.utc == datetime(2023, 7, 4, 10, tzinfo=UTC)
    assert capture.clock is None
    assert capture.position.distance_km(LatLon(45.764, 4.8357)) < 0.01
    assert later(capture, 90.0).utc == datetime(2023, 7, 4, 10, 1, 30, tzinfo=UTC)
    assert later(Capture(), 90.0) == Capture()


@pytest.mark.parametrize("content", [b"", b"no video", b"\0\0\0\x18ftypmp42" + bytes(40)])
def test_files_that_are_no_videos(tmp_path: Path, content: bytes):
    (tmp_path / "a.mp4").write_bytes(content)
    with pytest.raises(PhotoError):
        frames(tmp_path / "a.mp4")


def test_a_missing_video(tmp_path: Path):
    with pytest.raises(PhotoError, match="no such file"):
        frames(tmp_path / "a.mp4")


def test_without_the_package_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = clip(tmp_path / "a.mp4", [90])
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    with pytest.raises(MissingDependency, match=r"geoagent-photo\[video\]"):
        frames(path)


def test_names_of_videos():
    assert is_video(Path("a.MP4"))
    assert is_video(Path("b.mov"))
    assert not is_video(Path("c.jpg"))
    assert ".webm" in video.SUFFIXES


def test_a_video_places_a_photo_of_the_same_place(tmp_path: Path):
    clip(tmp_path / "a.mp4", [20, 120], tags=TAGS)
    Image.new("RGB", (320, 240), "grey").save(tmp_path / "b.jpg")
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    names = [str(tmp_path / name) for name in ("a.mp4", "b.jpg", "broken.mp4")]
    out = tmp_path / "answers.jsonl"
    for _ in range(2):  # the second run looks at nothing anew
        result = CliRunner().invoke(main, ["locate", *names, "--same-place", "--ocr", "nothing", "--out", str(out)])
        assert result.exit_code == 0, result.output
        rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
        found = {Path(row["source"]).name: row for row in rows}
        assert set(found) == {"a.mp4#t=0.0", "a.mp4#t=2.0", "b.jpg", "broken.mp4"}
        assert found["b.jpg"]["best"]["place"] == "Lyon"
        assert found["broken.mp4"]["status"] == "error"

"""The tools for assistants: the real command, spoken to by a real client of the protocol."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from stand_in.engine import EVIL, HOSTILE, KOELN, NOTHING, picture

pytest.importorskip("mcp", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from mcp import StdioServerParameters
from mcp.client import Client

from geoagent.errors import InputError, PhotoError
from geoagent.interfaces.web.tools import Folder

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples" / "photos"


def asked(
    folder: Path, *calls: tuple[str, dict[str, Any]], ocr: str = "stand_in.engine"
) -> tuple[list[str], list[Any]]:
    """Names of the tools, and the results of calls, in one session with `geoagent mcp`."""
    import os

    paths = os.pathsep.join([str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "geoagent", "mcp", str(folder), "--ocr", ocr],
        env={**os.environ, "PYTHONPATH": paths},
    )

    async def session() -> tuple[list[str], list[Any]]:
        async with Client(command, read_timeout_seconds=120) as client:
            tools = await client.list_tools()
            return [tool.name for tool in tools.tools], [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(session())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photos = tmp_path / "photos"
    (photos / "trip").mkdir(parents=True)
    (photos / "trip" / "shop.png").write_bytes(picture(KOELN))
    (photos / "evil.png").write_bytes(picture(EVIL))
    (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    (tmp_path / "secret.png").write_bytes(picture(KOELN))
    (photos / "link.png").symlink_to(tmp_path / "secret.png")
    return photos


def said(result: Any) -> str:
    return " ".join(part.text for part in result.content)


def test_an_assistant_asks_all_tools(folder: Path) -> None:
    names, results = asked(
        folder,
        ("list_photos", {}),
        ("locate_photo", {"path": "trip/shop.png"}),  # another name that is understood
        ("verify_claim", {"photo": "trip/shop.png", "claim": "Kyiv, Ukraine"}),
        ("read_signs", {"photo": "trip/shop.png"}),
        ("lookup_place", {"place": "Hallstatt"}),
        ("locate_photo", {"photo": "trip/shop.png", "within": "PT"}),
    )
    assert names == [
        "locate_photo", "locate_album", "verify_claim", "compare_claims", "read_signs", "read_crop", "list_photos",
        "lookup_place", "distance", "what_is_seen_at",
    ]  # fmt: skip
    assert not any(result.is_error for result in results), [said(result) for result in results]
    photos, located, verified, read, places, portugal = (result.structured_content for result in results)
    assert photos["photos"] == ["broken.jpg", "evil.png", "link.png", "trip/shop.png"]
    assert (located["best"]["place"], located["source"]) == ("Köln", "trip/shop.png")
    assert located["reasons"][0]["nats"] > 1
    assert verified["verdict"] == "contradicted"
    assert read["regions"][0]["text"] == "Bäckerei Hofmann"
    assert places["readings"][0]["places"][0]["country"] == "AT"
    assert portugal["best"]["country"] == "PT"


def test_what_goes_wrong_is_said_in_words_and_no_other_file_is_read(folder: Path) -> None:
    outside = ["../secret.png", str(folder.parent / "secret.png"), "link.png", "/etc/passwd", "trip/../../secret.png"]
    calls = [("locate_photo", {"photo": path}) for path in outside]
    calls += [("read_signs", {"photo": "nothing.png"}), ("read_signs", {"photo": "broken.jpg"})]
    calls += [("verify_claim", {"photo": "trip/shop.png", "claim": "Qwxzatl"}), ("read_signs", {"photo": "evil.png"})]
    _, results = asked(folder, *calls)
    for result in results[: len(outside)]:
        assert result.is_error
        assert "outside the folder" in said(result)
    missing, broken, unknown, evil = results[len(outside) :]
    for result, says in ((missing, "no such file"), (broken, "damaged"), (unknown, "Qwxzatl")):
        assert result.is_error
        assert says in said(result)
    assert str(folder) not in said(broken)
    assert not evil.is_error
    assert any(HOSTILE in region["text"] for region in evil.structured_content["regions"])


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this file system has no such names")
def test_a_name_that_is_no_utf8_is_passed_to_and_fro(tmp_path: Path) -> None:
    for name in ("Stra\udcdfe.png", "two\nlines.png", r"back\xdfslash.png"):
        (tmp_path / name).write_bytes(picture(KOELN))
    (tmp_path / "bad \udcff.png").write_bytes(b"no photo")
    names = [r"Stra\xdfe.png", r"back\x5cxdfslash.png", r"bad \xff.png", r"two\x0alines.png"]
    calls = [(tool, {"photo": name}) for name in names for tool in ("locate_photo", "read_signs")]
    _, (listed, *results) = asked(tmp_path, ("list_photos", {}), *calls)
    assert sorted(listed.structured_content["photos"]) == names
    for (_, given), result in zip(calls, results, strict=True):
        if given["photo"].startswith("bad"):
            assert result.is_error
            assert r"bad \xff.png: is a text file" in said(result)
        else:
            assert not result.is_error, said(result)
            assert result.structured_content["source"] == given["photo"]


def test_the_real_engine_reads_for_an_assistant(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "pl_krakow.jpg", tmp_path / "a.jpg")
    _, (result,) = asked(tmp_path, ("locate_photo", {"photo": "a.jpg"}), ocr="auto")
    assert result.structured_content["best"]["country"] == "PL"


def test_a_folder_is_needed(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is no folder"):
        Folder(tmp_path / "nothing")
    with pytest.raises(PhotoError, match="is no path"):
        Folder(tmp_path).file("a\0b")


def test_photos_of_a_trip_are_weighed_together(tmp_path: Path) -> None:
    for name, text, when in (("a.png", KOELN, "10:00"), ("b.png", NOTHING, "10:12"), ("c.png", NOTHING, "10:40")):
        exif = Image.Exif()
        exif[0x10F], exif[0x110] = "Google", "Pixel 7"
        exif.get_ifd(0x8769).update({0x9003: f"2023:07:04 {when}:00", 0x9011: "+02:00"})
        (tmp_path / name).write_bytes(picture(text, exif=exif))
    paths = ["b.png", "a.png", "c.png"]
    _, results = asked(
        tmp_path,
        ("locate_album", {"photos": paths}),
        ("locate_photo", {"photo": "b.png"}),
        ("locate_album", {"photos": ["a.png", "../x.png"]}),
        ("locate_album", {"photos": ["a.png", "a.png"]}),
        ("locate_album", {"photos": paths, "clocks": ["Pixel"]}),
    )
    told, alone, outside, twice, clock = results
    found = told.structured_content["photos"]
    assert [each["source"] for each in found] == paths
    assert [each["best"]["place"] for each in found] == ["Köln", "Köln", "Köln"]
    assert "a photo of the same camera points to Köln" in found[0]["reasons"][0]["says"]
    assert alone.structured_content["best"]["precision"] == "none"
    assert found[0]["album"] == ["Taken 2023-07-04 08:12 UTC, by its EXIF data, with Google Pixel 7."]
    assert alone.structured_content["album"] == []
    for result, says in ((outside, "outside the folder"), (twice, "named twice"), (clock, "a camera and hours")):
        assert result.is_error
        assert says in said(result)


def track(*points: tuple[float, float, str]) -> str:
    body = "".join(f'<trkpt lat="{lat}" lon="{lon}"><time>{when}</time></trkpt>' for lat, lon, when in points)
    return f'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>{body}</trkseg></trk></gpx>'


def test_a_track_places_a_photo_and_is_read_in_the_folder_alone(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    exif = Image.Exif()
    exif[0x110] = "Pixel 7"
    exif.get_ifd(0x8769).update({0x9003: "2023:07:04 10:12:00", 0x9011: "+02:00"})
    (folder / "a.png").write_bytes(picture(NOTHING, exif=exif))
    walk = [(50.94, 6.95, f"2023-07-04T08:{minute:02d}:00Z") for minute in range(0, 30, 2)]
    (folder / "walk.gpx").write_text(track(*walk, (0, 0, "2023-07-04T08:40:00Z")), "utf-8")
    (tmp_path / "secret.gpx").write_text(track(*walk), "utf-8")
    (folder / "broken.gpx").write_text("<gpx><trkpt lat='1'", "utf-8")
    (folder / "link.gpx").symlink_to(tmp_path / "secret.gpx")
    calls = [
        {"photos": ["a.png"], "tracks": ["walk.gpx"]},
        {"photos": ["a.png"]},
        *({"photos": ["a.png"], "tracks": [name]} for name in ("../secret.gpx", "link.gpx", "broken.gpx", "no.gpx")),
    ]
    _, (told, alone, *refused) = asked(folder, *(("locate_album", call) for call in calls))
    assert not told.is_error, said(told)
    (found,) = told.structured_content["photos"]
    assert found["best"]["place"] == "Köln"
    assert "the track was in Köln" in found["reasons"][0]["says"]
    assert any(note.startswith("walk.gpx: of 16 points") for note in found["warnings"])
    assert alone.is_error
    assert "two photos or more, or a track" in said(alone)
    for result, says in zip(refused, ("outside", "outside", "broken.gpx", "no such file"), strict=True):
        assert result.is_error
        assert says in said(result)
        assert str(tmp_path) not in said(result)

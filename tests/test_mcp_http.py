"""The tools for assistants over HTTP and over standard input, spoken to by a real client of the protocol."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from PIL import Image
from server_process import PATHS, Process, ended, served
from stand_in.engine import KOELN, picture

pytest.importorskip("mcp", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

import httpx2
from mcp import MCPError, StdioServerParameters
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

TOKEN = "a-token-for-the-tools-of-tests"
EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
Call = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    photos = tmp_path_factory.mktemp("photos")
    (photos / "shop.png").write_bytes(picture(KOELN))
    (photos.parent / "secret.png").write_bytes(picture(KOELN))
    return photos


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Process]:
    with served("mcp", str(folder), "--http", "--port", "0", "--ocr", "stand_in.engine", GEOAGENT_TOKEN=TOKEN) as here:
        yield here


def over_http(
    here: Process, *calls: Call, token: str = TOKEN, statuses: list[int] | None = None
) -> tuple[Any, list[Any]]:
    """Tools, and results of calls, over HTTP; the statuses of all replies are added to a list."""

    async def replied(reply: Any) -> None:
        if statuses is not None:
            statuses.append(reply.status_code)

    async def session() -> tuple[Any, list[Any]]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        hooks = {"response": [replied]}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=120, event_hooks=hooks) as http,
            Client(streamable_http_client(here.address, http_client=http), read_timeout_seconds=120) as client,
        ):
            listed = (await client.list_tools()).tools
            return listed, [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(session())


def over_stdio(folder: Path, *calls: Call, options: tuple[str, ...] = ("--ocr", "stand_in.engine")) -> list[Any]:
    """Results of calls over standard input and output."""
    started = StdioServerParameters(
        command=sys.executable,
        args=["-m", "geoagent", "mcp", str(folder), *options],
        env={**os.environ, "PYTHONPATH": PATHS},
    )

    async def session() -> list[Any]:
        async with Client(started, read_timeout_seconds=120) as client:
            return [await client.call_tool(name, given) for name, given in calls]

    return asyncio.run(session())


def said(result: Any) -> str:
    return " ".join(part.text for part in result.content)


def test_an_assistant_asks_over_http(server: Process, folder: Path) -> None:
    listed, results = over_http(
        server,
        ("list_photos", {}),
        ("locate_photo", {"photo": "shop.png"}),
        ("locate_photo", {"photo": "../secret.png"}),
        ("read_signs", {"image": "shop.png"}),
    )
    assert server.address.endswith("/mcp")
    for tool in listed:
        assert "Example: {" in tool.description
    by_name = {tool.name: list(tool.input_schema["properties"]) for tool in listed}
    assert by_name["locate_photo"] == ["photo", "hint", "within"]
    assert by_name["compare_claims"] == ["photo", "claims"]
    assert by_name["read_crop"] == ["photo", "box"]
    assert by_name["distance"] == ["start", "end"]
    assert by_name["lookup_place"] == by_name["what_is_seen_at"] == ["place"]
    photos, located, outside, read = results
    assert photos.structured_content == {"photos": ["shop.png"], "count": 1}
    assert located.structured_content["best"]["place"] == "Köln"
    assert outside.is_error
    assert "outside the folder" in said(outside)
    assert str(folder.parent) not in said(outside)
    assert read.structured_content["regions"][0]["text"] == "Bäckerei Hofmann"


@pytest.mark.parametrize("token", ["", "not-the-token-of-this-server", TOKEN[:-1]])
def test_a_client_without_the_token_learns_nothing(server: Process, token: str) -> None:
    statuses: list[int] = []
    with pytest.raises(BaseExceptionGroup) as caught:
        over_http(server, token=token, statuses=statuses)
    assert caught.group_contains(MCPError)
    assert set(statuses) == {401}


def posted(here: Process, method: str = "POST", **headers: str) -> tuple[int, dict[str, str], bytes]:
    parts = urlsplit(here.address)
    first = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    given = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    given |= {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, parts.path, json.dumps(first).encode() if method == "POST" else None, given)
        reply = connection.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        connection.close()


def test_it_is_refused_in_words_before_anything_is_read(server: Process) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer no"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Cookie": f"token={TOKEN}"},
    ):
        status, named, body = posted(server, **headers)
        assert status == 401
        assert named["www-authenticate"].startswith("Bearer")
        assert "Authorization: Bearer TOKEN" in json.loads(body)["error"]
        assert TOKEN not in body.decode()
    right = {"Authorization": f"Bearer {TOKEN}"}
    assert posted(server, **right)[0] == 200
    assert posted(server, **right, Host="evil.example")[0] == 421
    assert posted(server, **right, Host="evil.example:7861")[0] == 421
    for method in ("POST", "GET", "DELETE"):
        assert posted(server, method, **right, Origin="http://evil.example")[0] == 403, method
        assert posted(server, method, **right, Sec_Fetch_Site="cross-site")[0] == 403, method
    assert posted(server, **right, Origin=f"http://{urlsplit(server.address).netloc}")[0] == 200


def test_a_token_is_made_and_said_once(folder: Path) -> None:
    with served("mcp", str(folder), "--http", "--port", "0", "--ocr", "nothing") as here:
        match = _until(here, r"Token, made for this run and printed only here: ([\w-]{43})\n")
        assert over_http(here, token=match)[0]
        assert posted(here)[0] == 401
    assert here.said.count(match) == 1


def _until(here: Process, pattern: str) -> str:
    import time

    end = time.monotonic() + 60
    while (match := re.search(pattern, here.said)) is None:
        assert time.monotonic() < end, here.said
        time.sleep(0.05)
    return match[1]


def test_a_set_token_is_never_printed(server: Process) -> None:
    assert TOKEN not in server.said
    assert "Token" not in server.said


def test_options_of_http_need_it(folder: Path) -> None:
    done = ended("mcp", str(folder), "--port", "8000", "--host", "127.0.0.1")
    assert done.returncode == 2
    assert "--host, --port: only with --http" in done.stderr


def test_all_readings_of_a_name_are_in_one_block(server: Process) -> None:
    asked = ["Springfield", "Paris, Texas", "Georgia", "Qwxzatl", "Kölln", "the Balkans"]
    _, results = over_http(server, *(("lookup_place", {"place": name}) for name in asked))
    assert [len(result.content) for result in results] == [1] * len(asked)
    springfield, paris, georgia, unknown, misspelt, balkans = (result.structured_content for result in results)
    names = [reading["understood"] for reading in springfield["readings"]]
    assert len(names) > 2
    assert "Springfield, Missouri, United States" in names
    assert "there are also" in springfield["says"]
    assert springfield["readings"][0]["weight"] == 1
    assert {place["country"] for place in springfield["namesakes"]} >= {"US"}
    assert [reading["understood"] for reading in paris["readings"]] == ["Paris, Texas, United States"]
    assert paris["readings"][0]["places"][0]["lat"] == pytest.approx(33.66, abs=0.05)
    assert {r["places"][0]["level"] for r in georgia["readings"]} == {"country", "admin1"}
    assert (unknown["readings"], unknown["similar"]) == ([], [])
    assert "knows no place" in unknown["says"]
    assert "Köln" in {place["name"] for place in misspelt["similar"]} or misspelt["readings"]
    assert len(balkans["readings"][0]["places"]) > 5


def test_distance_and_direction(server: Process) -> None:
    calls = [
        {"start": "Paris, France", "end": "London, GB"},
        {"from": "0, 0", "to": "0, 90"},
        {"start": "Springfield", "end": "Chicago"},
        {"start": "50, 8", "end": "50, 8"},
        {"start": "0, 0", "end": "0, 180"},
        {"start": "Qwxzatl", "end": "Paris"},
        {"start": "95, 200", "end": "Paris"},
    ]
    _, results = over_http(server, *(("distance", call) for call in calls))
    paris, equator, springfield, same, opposite, unknown, nowhere = results
    told = paris.structured_content
    assert told["km"] == pytest.approx(343, abs=3)
    assert told["bearing_deg"] == pytest.approx(330, abs=2)
    assert told["direction"] == "NNW"
    assert told["end"].startswith("London")
    told = equator.structured_content
    assert (told["km"], told["bearing_deg"], told["direction"]) == (10007.6, 90.0, "E")
    told = springfield.structured_content
    starts = {told["start"], *(leg["start"] for leg in told["other_readings"])}
    assert len(starts) > 1
    assert len({leg["km"] for leg in told["other_readings"]}) == len(told["other_readings"])
    assert "there are also" in " ".join(told["notes"])
    assert (same.structured_content["km"], same.structured_content["direction"]) == (0, None)
    assert opposite.structured_content["bearing_deg"] is None
    assert unknown.is_error
    assert "Qwxzatl" in said(unknown)
    assert nowhere.is_error


def test_what_is_seen_at_a_place(server: Process) -> None:
    asked = ["Köln", "Japan", "Quebec", "48.2, 16.37", "the Balkans", "0, -30", "Qwxzatl"]
    _, results = over_http(server, *(("what_is_seen_at", {"place": name}) for name in asked))
    koeln, japan, quebec, wien, balkans, sea, unknown = results
    told = koeln.structured_content
    assert (told["country"], told["drives_on"], told["calling_codes"], told["domains"]) == (
        "DE",
        "right",
        ["+49"],
        [".de"],
    )
    assert told["languages"][0] == {"what": "de", "share": 0.94}
    assert (told["postcode"], told["postcodes_here"], told["plates_here"]) == ("like 00000", ["50", "51"], ["K"])
    assert told["currencies"] == ["EUR"]
    assert "e.V." in told["companies"]
    told = japan.structured_content
    assert (told["drives_on"], told["postcode"], told["scripts"][0]["what"]) == ("left", "like 000-0000", "Jpan")
    assert "円" in told["prices"]
    told = quebec.structured_content
    assert "arret stop" in told["words_here"]
    assert "Québec, Quebec, Canada" in told["other_readings"]
    assert wien.structured_content["place"] == "Vienna, AT"
    for result, says in ((balkans, "several countries"), (sea, "lies in no country"), (unknown, "Qwxzatl")):
        assert result.is_error
        assert says in said(result)


def test_claims_are_weighed_side_by_side(server: Process) -> None:
    _, results = over_http(
        server,
        ("compare_claims", {"photo": "shop.png", "claims": ["Kyiv, Ukraine", "Köln", "Bonn"]}),
        ("verify_claim", {"photo": "shop.png", "claim": "Köln"}),
        ("compare_claims", {"photo": "shop.png", "claims": ["Köln", "Cologne"]}),
        ("compare_claims", {"photo": "shop.png", "claims": ["Köln", "Qwxzatl"]}),
        ("compare_claims", {"photo": "shop.png", "claims": ["Köln"]}),
    )
    compared, alone, twice, unknown, one = results
    told = compared.structured_content
    assert told["claims"][0]["understood"].split(",")[0] == "Köln"
    assert told["claims"][0]["probability"] == alone.structured_content["probability"]
    odds = [each["odds_of_first"] for each in told["claims"]]
    assert odds[0] == 1
    assert odds == sorted(odds)
    for each in told["claims"]:
        assert each["odds_of_first"] == pytest.approx(told["claims"][0]["probability"] / each["probability"])
    assert all(len(row["nats"]) == 3 for row in told["evidence"])
    kyiv = [each["claim"] for each in told["claims"]].index("Kyiv, Ukraine")
    assert told["claims"][kyiv]["verdict"] == "contradicted"
    assert told["evidence"][0]["nats"][0] > told["evidence"][0]["nats"][kyiv] + 1
    assert "Köln" in told["says"]
    for result, says in ((twice, "same place"), (unknown, "Qwxzatl"), (one, "at least 2")):
        assert result.is_error
        assert says in said(result)


def test_a_part_is_read_again_with_the_real_engine(tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "de_koeln.jpg") as photo:
        width, height = photo.size
    shutil.copy(EXAMPLES / "de_koeln.jpg", tmp_path / "a.jpg")
    (read,) = over_stdio(tmp_path, ("read_signs", {"photo": "a.jpg"}), options=("--ocr", "auto"))
    regions = read.structured_content["regions"]
    address = next(region for region in regions if "50672" in region["text"])
    xs, ys = [x for x, _ in address["polygon_px"]], [y for _, y in address["polygon_px"]]
    box = [max(0, min(xs) - 12), max(0, min(ys) - 12), max(xs) + 12, max(ys) + 12]
    shares = [box[0] / width, box[1] / height, box[2] / width, box[3] / height]
    asked = [box, shares, [0, 0, 1e-9, 1e-9], [10, 10, 5, 5], [width + 5, 0, width + 50, 50], [-5, 0, 10, 10]]
    results = over_stdio(
        tmp_path, *(("read_crop", {"photo": "a.jpg", "box": each}) for each in asked), options=("--ocr", "auto")
    )
    for result in results[:2]:
        told = result.structured_content
        (line,) = [line for line in told["lines"] if "50672" in line["text"]]
        assert told["enlarged"] > 1
        for (x, y), (a, b) in zip(line["polygon_px"], address["polygon_px"], strict=True):
            assert abs(x - a) < 0.03 * width
            assert abs(y - b) < 0.03 * height
        assert any("50672" in cue for cue in told["cues"])
        assert len(told["lines"]) < len(regions)
    assert results[0].structured_content["box_px"] == pytest.approx(results[1].structured_content["box_px"], abs=1)
    for result in results[2:]:
        assert result.is_error
        assert "box" in said(result)


def test_under_a_cap_nothing_is_read_and_no_finer_claim_compared(folder: Path) -> None:
    crop, signs, fine, coarse = over_stdio(
        folder,
        ("read_crop", {"photo": "shop.png", "box": [0, 0, 1, 1]}),
        ("read_signs", {"photo": "shop.png"}),
        ("compare_claims", {"photo": "shop.png", "claims": ["Köln", "Bonn"]}),
        ("compare_claims", {"photo": "shop.png", "claims": ["Germany", "Austria"]}),
        options=("--ocr", "stand_in.engine", "--max-precision", "country"),
    )
    for result in (crop, signs, fine):
        assert result.is_error
        assert "capped at country precision" in said(result)
    assert coarse.structured_content["claims"][0]["claim"] == "Germany"
    for secret in ("Köln", "50672", "0221"):
        assert secret not in json.dumps(coarse.structured_content, ensure_ascii=False)

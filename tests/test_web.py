"""The HTTP API, through a real server and real processes; only the OCR engine stands in, except where it says so."""

from __future__ import annotations

import io
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from stand_in.engine import EVIL, HOSTILE, KOELN, NOTHING, picture

pytest.importorskip("fastapi", reason="needs the extra web (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="needs the extra web (pip install 'geoagent-photo[web]')")

from web_server import Running, running

from geoagent.answer import Answer
from geoagent.errors import ConfigError, InputError
from geoagent.verify import Verification
from geoagent.web.limits import Limits
from geoagent.web.memory import Memory
from geoagent.web.readers import Seen
from geoagent.web.serve import is_local, listen

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"
SMALL = Limits(workers=1, photo_mb=2, request_mb=6, waiting=24, photos_a_job=5, read_s=20, upload_s=3)


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(SMALL) as here:
        yield here


def observation(server: Running, content: bytes | None = None, name: str = "photo.png") -> str:
    reply = server.photo("/api/locate", content or picture(), name)
    assert reply.status == 200, reply.body
    return reply.headers["x-observation"]


# --- asking ---


def test_a_photo_is_located(server: Running) -> None:
    reply = server.photo("/api/locate", picture(), "köln.png")
    answer = Answer.model_validate(reply.json)
    assert (answer.source, answer.best.place, answer.best.country) == ("köln.png", "Köln", "DE")
    assert answer.regions[0].text == "Bäckerei Hofmann"
    assert answer.world["name"]


def test_the_real_engine_reads_a_real_example() -> None:
    with running(ocr="auto") as server:
        reply = server.photo("/api/locate", (EXAMPLES / "de_koeln.jpg").read_bytes(), "de_koeln.jpg")
        assert reply.json["best"]["place"] == "Köln"
        (pid,) = server.office.desk.pids
        memory = Path(f"/proc/{pid}/status")
        if memory.exists():
            peak_kb = next(int(line.split()[1]) for line in memory.read_text().splitlines() if line.startswith("VmHWM"))
            assert peak_kb < 2_500_000


def test_weights_hints_and_areas_change_the_answer_without_the_photo(server: Running) -> None:
    id = observation(server)
    before = server.office.desk.typical_s
    silent = server.post("/api/locate", observation=id, text_weight="0").json
    assert silent["best"]["place"] != "Köln"
    hinted = server.post("/api/locate", observation=id, text_weight="0", hint="Portugal").json
    assert hinted["best"]["country"] == "PT"
    assert (
        server.post("/api/locate", observation=id, text_weight="0", within="PT,BR", exclude="PT").json["best"][
            "country"
        ]
        == "BR"
    )
    assert server.office.desk.typical_s == before


def test_a_cap_hides_what_is_finer_and_the_map_too(server: Running) -> None:
    id = observation(server)
    capped = server.post("/api/view", observation=id, max_precision="country").json
    assert capped["cells"] == []
    assert not any(capped["lights"])
    assert "Köln" not in json.dumps(capped["exact"]["best"])


def test_a_cap_of_the_server_cannot_be_raised() -> None:
    with running(SMALL, max_precision="country") as server:
        for asked in ("full", "auto", "city"):
            reply = server.photo("/api/locate", picture(), max_precision=asked).json
            assert reply["best"]["precision"] == "country"
            assert "Köln" not in json.dumps(reply, ensure_ascii=False)


def test_compare_tells_the_halves_apart(server: Running) -> None:
    reply = server.photo("/api/compare", picture()).json
    assert reply["text_aware"]["best"]["place"] == "Köln"
    assert reply["vision_only"]["best"]["place"] != "Köln"
    assert reply["comparison"] is None  # the starter world has no picture half


def test_a_claim_is_verified(server: Running) -> None:
    id = observation(server)
    right = Verification.model_validate(server.post("/api/verify", observation=id, claim="Köln, Germany").json)
    wrong = Verification.model_validate(server.post("/api/verify", observation=id, claim="Kyiv, Ukraine").json)
    assert (right.verdict, wrong.verdict) == ("supported", "contradicted")
    assert server.post("/api/verify", observation=id, claim="Nowhereville XYZ").status == 400
    assert "claims no position" in server.post("/api/verify", observation=id, claim="exif").json["error"]


def test_text_is_read(server: Running) -> None:
    reply = server.photo("/api/read", picture()).json
    assert [region["text"] for region in reply["regions"]][:2] == ["Bäckerei Hofmann", "Ehrenstraße 28 · 50672 Köln"]
    assert {cue["kind"] for cue in reply["cues"]} >= {"postcode", "phone", "name"}


def test_cues_are_left_out_by_their_keys(server: Running) -> None:
    id = observation(server)
    view = server.post("/api/view", observation=id).json
    assert len(view["keys"]) == len(view["answer"]["cues"]) == len(view["lights"])
    assert abs(sum(p for _, p in view["cells"]) - 1) < 0.01
    town = [
        view["keys"][i] for i, cue in enumerate(view["answer"]["cues"]) if cue["kind"] in ("postcode", "phone", "name")
    ]
    assert len(town) >= 3
    rest = server.post("/api/view", observation=id, without=town).json
    assert rest["exact"]["best"]["place"] != "Köln"
    assert {cue["key"] for cue in rest["left_out"]} == set(town)


def test_geojson_and_a_report_can_be_had(server: Running) -> None:
    id = observation(server, name="köln <b>.png")
    geojson = server.post("/api/geojson", observation=id)
    assert geojson.headers["content-type"].startswith("application/geo+json")
    (feature,) = geojson.json["features"]
    assert feature["geometry"]["coordinates"] == pytest.approx([6.95, 50.93], abs=0.1)
    report = server.post("/api/report", observation=id, hint="near Bonn", text_weight="0.5")
    page = report.body.decode()
    assert report.headers["content-disposition"].startswith("attachment")
    assert "Köln" in page
    assert "<b>" not in page
    assert "near Bonn" in page
    assert "text_weight = 0.5" in page
    assert "data:image/jpeg" in page
    capped = server.post("/api/report", observation=id, hint="near Bonn", max_precision="country").body.decode()
    assert "Köln" not in capped.replace("köln &lt;b&gt;", "")
    assert "Bonn" not in capped
    assert "data:image/jpeg" not in capped


def test_places_are_looked_up(server: Running) -> None:
    found = server.get("/api/places?name=Hallstatt").json
    assert (found[0]["name"], found[0]["country"]) == ("Hallstatt", "AT")


def test_a_job_of_several_photos_tells_its_progress(server: Running) -> None:
    files = [("photos", f"{i}.png", picture(seconds=0.2)) for i in range(4)] + [("photos", "bad.png", b"no photo")]
    job = server.post("/api/jobs", files)
    assert job.status == 202
    assert job.json["total"] == 5
    assert sorted(item["before"] for item in job.json["items"])[-1] >= 3
    state = server.job(job.json["id"])
    assert [item["state"] for item in state["items"]] == ["done"] * 4 + ["failed"]
    assert "bad.png: is a text file" in state["items"][4]["error"]
    assert server.post("/api/locate", observation=state["items"][2]["observation"]).json["best"]["place"] == "Köln"


def test_a_job_can_be_cancelled_and_is_forgotten(server: Running) -> None:
    job = server.post("/api/jobs", [("photos", f"{i}.png", picture(seconds=1)) for i in range(4)]).json
    ended = server.ask("DELETE", f"/api/jobs/{job['id']}").json
    assert ended["over"]
    assert server.get(f"/api/jobs/{job['id']}").status == 404
    begin = time.monotonic()
    observation(server)
    assert time.monotonic() - begin < 3  # the one that was being read may end first, the others are gone


def test_a_photo_can_be_seen_and_forgotten(server: Running) -> None:
    id = observation(server)
    shown = server.get(f"/api/observations/{id}/photo")
    assert Image.open(io.BytesIO(shown.body)).size == (640, 480)
    assert server.ask("DELETE", f"/api/observations/{id}").status == 204
    for reply in (server.post("/api/locate", observation=id), server.get(f"/api/observations/{id}/photo")):
        assert reply.status == 404
        assert "send it again" in reply.json["error"]


def test_the_preview_has_no_metadata(server: Running) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret description"
    id = observation(server, picture(kind="JPEG", quality=95, exif=exif))
    assert b"secret" not in server.get(f"/api/observations/{id}/photo").body


# --- the description ---


def test_openapi_has_true_schemas(server: Running) -> None:
    api = server.get("/api/openapi.json").json
    for path in (
        "/api/locate",
        "/api/compare",
        "/api/verify",
        "/api/read",
        "/api/jobs",
        "/api/jobs/{id}",
        "/health",
        "/ready",
    ):
        assert path in api["paths"], path
    schema = api["paths"]["/api/locate"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    own = api["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    assert set(own["properties"]) == set(Answer.model_json_schema(by_alias=True)["properties"])
    form = api["paths"]["/api/verify"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]["$ref"]
    assert {"photo", "observation", "claim", "text_weight"} <= set(
        api["components"]["schemas"][form.rsplit("/", 1)[1]]["properties"]
    )


def test_health_and_readiness(server: Running) -> None:
    for path in ("/health", "/ready"):
        reply = server.get(path)
        assert reply.status == 200
        assert reply.json["status"] == "ok"


# --- what is refused, and how ---


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"hello, I am text", "is a text file"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG drawing"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (picture()[:200], "damaged"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "damaged"),
    ],
)
def test_bad_files_are_refused_in_words(server: Running, content: bytes, says: str) -> None:
    reply = server.photo("/api/locate", content, "thing.jpg")
    assert reply.status == 422
    assert reply.json["error"].startswith("thing.jpg: ")
    assert says in reply.json["error"]


def test_a_decompression_bomb_is_refused_before_it_is_decoded(server: Running) -> None:
    content = bytearray(picture())
    content[16:24] = struct.pack(">II", 60_000, 60_000)  # 3.6 gigapixels, as the header says
    content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
    reply = server.photo("/api/locate", bytes(content), "bomb.png")
    assert reply.status == 422
    assert "GB to decode" in reply.json["error"]


def test_too_large_photos_and_requests_are_refused(server: Running) -> None:
    photo = server.photo("/api/locate", bytes(2_500_000), "large.jpg")
    assert photo.status == 413
    assert "at most 2 MB" in photo.json["error"]
    assert server.photo("/api/locate", bytes(7_000_000)).status == 413
    chunked = server.ask(
        "POST", "/api/locate", b"0\r\n\r\n", Content_Type="multipart/form-data; boundary=x", Transfer_Encoding="chunked"
    )
    assert chunked.status in (400, 422)


def test_a_request_that_never_ends_is_cut_off(server: Running) -> None:
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(server.url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as slow:
        slow.sendall(
            f"POST /api/locate HTTP/1.1\r\nHost: {parts.netloc}\r\n".encode()
            + b"Content-Type: multipart/form-data; boundary=x\r\n"
        )
        slow.sendall(b"Content-Length: 1000\r\n\r\n--x\r\n")
        assert b" 408 " in slow.recv(4000)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text_weight": "7"}, "text_weight"),
        ({"max_precision": "street"}, "max_precision"),
        ({"within": "Qwxzatl"}, "Qwxzatl"),
        ({"hint": "x" * 501}, "hint"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_wrong_settings_are_refused_before_the_photo_is_read(
    server: Running, fields: dict[str, str], says: str
) -> None:
    kept = len(server.office.memory)
    reply = server.photo("/api/locate", picture(), **fields)
    assert reply.status in (400, 422)
    assert says in reply.json["error"]
    assert len(server.office.memory) == kept


def test_neither_or_both_of_photo_and_observation(server: Running) -> None:
    id = observation(server)
    for reply in (server.post("/api/locate"), server.photo("/api/locate", picture(), observation=id)):
        assert reply.status == 400
        assert "not both" in reply.json["error"]
    assert server.ask("POST", "/api/locate", b"{}", Content_Type="application/json").status in (400, 422)
    assert server.ask("POST", "/api/locate", b"junk", Content_Type="multipart/form-data").status == 400


def test_unknown_ids_and_paths_are_404(server: Running) -> None:
    for path in ("/api/jobs/../../etc/passwd", "/api/jobs/x", "/api/observations/x/photo", "/page/../app.py",
                 "/page/%2e%2e/app.py", "/page/..%2f..%2fagent.py", "/examples/..%2f..%2fREADME.jpg",
                 "/examples/expected.csv",
                 "/examples/%2e%2e%2fscenes.jpg", "/etc/passwd"):  # fmt: skip
        reply = server.get(path)
        assert reply.status == 404, path
        assert "error" in reply.json


def test_names_of_files_are_only_shown(server: Running) -> None:
    for name, shown in [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system.ini", "system.ini"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("", "photo"),
        ("x" * 500 + ".jpg", "x" * 120),
        (HOSTILE.replace("/", "|") + ".png", (HOSTILE.replace("/", "|") + ".png").replace('"', "%22")),
    ]:
        reply = server.photo("/api/locate", picture(NOTHING), name)
        assert reply.json["source"] == shown


def test_foreign_hosts_and_pages_are_refused(server: Running) -> None:
    own = server.url.removeprefix("http://").rstrip("/")
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil", "", "[", "a b"):
        assert server.get("/health", Host=host).status in (400, 421), host
    for host in (own, "localhost", "LOCALHOST:99", "[::1]:7860", "192.168.1.5"):
        assert server.get("/health", Host=host).status == 200, host
    for headers in ({"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
                    {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"}):  # fmt: skip
        reply = server.post("/api/locate", [("photo", "x.png", picture())], headers)
        assert reply.status == 403, headers
        assert server.ask("DELETE", "/api/observations/x", **headers).status == 403
    assert (
        server.post("/api/locate", [("photo", "x.png", picture(NOTHING))], {"Origin": server.url.rstrip("/")}).status
        == 200
    )


def test_every_reply_carries_the_policy(server: Running) -> None:
    for path in ("/", "/page/page.js", "/health", "/nothing", "/api/openapi.json", "/examples/de_koeln.jpg"):
        headers = server.get(path).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
    assert server.get("/api/jobs/x").headers["cache-control"] == "no-store"
    assert server.get("/health", Host="evil.example").headers["x-frame-options"] == "DENY"


def test_hostile_text_is_json_and_nothing_else(server: Running) -> None:
    reply = server.photo("/api/locate", picture(EVIL), "evil.png")
    assert reply.headers["content-type"] == "application/json"
    assert any(HOSTILE in region["text"] for region in reply.json["regions"])


# --- many at once, and what goes wrong ---


def test_twenty_uploads_at_once_are_all_answered(server: Running) -> None:
    done: dict[int, tuple[float, int, str]] = {}
    begin = time.monotonic()

    def upload(i: int) -> None:
        reply = server.photo("/api/locate", picture(KOELN if i % 2 else NOTHING, seconds=0.1), f"{i}.png")
        done[i] = (time.monotonic() - begin, reply.status, reply.json["source"])

    threads = [threading.Thread(target=upload, args=(i,)) for i in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted((status, source) for _, status, source in done.values()) == sorted(
        (200, f"{i}.png") for i in range(20)
    )
    times = sorted(seconds for seconds, _, _ in done.values())
    assert times[0] < times[-1] / 3  # the first does not wait for the others


def test_a_full_queue_says_when_to_come_again() -> None:
    with running(Limits(waiting=2, read_s=20)) as server:
        first = server.post("/api/jobs", [("photos", "slow.png", picture(seconds=2))])
        time.sleep(0.4)  # it is being read now and waits no more
        two = server.post("/api/jobs", [("photos", f"{i}.png", picture()) for i in range(2)])
        full = server.photo("/api/locate", picture())
        assert (first.status, two.status, full.status) == (202, 202, 503)
        assert int(full.headers["retry-after"]) >= 1
        assert server.get("/health").status == 200
        server.job(two.json["id"])
        assert server.photo("/api/locate", picture()).status == 200


def test_a_long_job_does_not_keep_others_waiting(server: Running) -> None:
    long = server.post("/api/jobs", [("photos", f"{i}.png", picture(seconds=0.5)) for i in range(5)]).json
    assert server.photo("/api/locate", picture()).status == 200
    assert not server.get(f"/api/jobs/{long['id']}").json["over"]
    server.ask("DELETE", f"/api/jobs/{long['id']}")


def test_a_killed_reader_loses_no_photo(server: Running) -> None:
    job = server.post("/api/jobs", [("photos", "slow.png", picture(seconds=1.5))]).json
    time.sleep(0.5)
    (pid,) = server.office.desk.pids
    os.kill(pid, signal.SIGKILL)
    assert server.get("/health").status == 200
    state = server.job(job["id"])
    assert state["items"][0]["state"] == "done"
    assert server.office.desk.pids != [pid]


def test_a_reader_that_is_killed_while_idle_is_replaced(server: Running) -> None:
    (pid,) = server.office.desk.pids
    os.kill(pid, signal.SIGKILL)
    assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"


def test_a_deadly_photo_is_reported_and_the_next_one_answered(server: Running) -> None:
    reply = server.photo("/api/locate", picture(deadly=True), "deadly.png")
    assert reply.status == 502
    assert reply.json["error"].startswith("deadly.png: could not be looked at")
    assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"


def test_a_photo_that_takes_too_long_is_ended() -> None:
    with running(Limits(read_s=4)) as server:
        reply = server.photo("/api/locate", picture(seconds=12), "slow.png")
        assert reply.status == 502
        assert "took longer than 4 s" in reply.json["error"]
        assert server.photo("/api/locate", picture()).status == 200


def test_a_reader_that_has_grown_too_large_is_replaced_between_photos() -> None:
    with running(Limits(reader_mb=1)) as server:
        pids = set(server.office.desk.pids)
        for _ in range(3):
            assert server.photo("/api/locate", picture()).json["best"]["place"] == "Köln"
            pids |= set(server.office.desk.pids)
        assert len(pids) >= 3


def test_readers_that_cannot_start_are_said_and_nobody_waits_for_ever() -> None:
    with running(Limits(), ready=False, ocr="stand_in.broken") as server:
        assert server.get("/ready").status == 503
        reply = server.photo("/api/locate", picture(), "x.png")
        assert reply.status == 502
        assert "this engine never starts" in reply.json["error"]
        assert server.get("/health").json["status"] == "broken"
        assert server.get("/health").status == 200


def test_weights_of_the_server_hold_until_others_are_asked_for() -> None:
    with running(SMALL, text_weight=0.0) as server:
        reply = server.photo("/api/locate", picture())
        assert reply.json["best"]["place"] != "Köln"
        id = reply.headers["x-observation"]
        assert server.post("/api/locate", observation=id, text_weight="1").json["best"]["place"] == "Köln"


def test_nothing_is_written_to_the_disk(server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    def no_file(*_: object, **__: object) -> object:
        raise AssertionError("an upload went to the disk")

    monkeypatch.setattr(tempfile, "TemporaryFile", no_file)
    large = picture(size=(1200, 900), kind="BMP")[:1_900_000]  # larger than what the usual parser keeps in memory
    assert server.photo("/api/locate", large, "large.bmp").status in (200, 422)


# --- parts ---


def seen(name: str = "x") -> Seen:
    return Seen(name, b"", "", 0.0)  # type: ignore[arg-type]


def test_memory_forgets_the_oldest_and_what_has_had_its_time() -> None:
    now = [0.0]
    memory = Memory(2, 10, clock=lambda: now[0])
    a, b = memory.put(seen("a")), memory.put(seen("b"))
    assert memory.get(a) is not None
    c = memory.put(seen("c"))
    assert memory.get(b) is None
    now[0] = 9
    assert memory.get(c) is not None
    now[0] = 15
    assert memory.get(a) is None
    assert memory.get(c) is not None
    assert len({memory.put(seen()) for _ in range(100)}) == 100
    assert len(memory) == 2
    assert len(a) >= 20


def test_limits_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="workers must be greater than 0"):
        Limits(workers=0)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("example.org", False)],
)
def test_addresses_of_this_machine_alone_are_known(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_a_port_that_is_taken_is_said() -> None:
    with listen("127.0.0.1", 0) as taken, pytest.raises(InputError, match="cannot listen at"):
        listen("127.0.0.1", taken.getsockname()[1])


def test_the_command_serves_and_ends_with_a_signal(tmp_path: Path) -> None:
    import http.client
    from urllib.parse import urlsplit

    command = [sys.executable, "-m", "geoagent", "web", "--port", "0", "--ocr", "nothing"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        parts = urlsplit(line.split()[3])
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=20)
        connection.request("GET", "/")
        assert b"<title>geoagent</title>" in connection.getresponse().read()
        connection.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert list(tmp_path.iterdir()) == []

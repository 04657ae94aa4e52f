"""The HTTP API, through a real server and real processes; only the OCR engine stands in, except where it says so."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from stand_in.engine import picture

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")

from web_server import SMALL, Running, observation, running

from geoagent.agent.verification import Verification
from geoagent.answer import Answer

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(SMALL) as here:
        yield here


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
        id = observation(server)
        refused = server.post("/api/read", observation=id)
        assert (refused.status, "capped at country precision" in refused.json["error"]) == (400, True)
        assert server.post("/api/verify", observation=id, claim="50.94,6.96").status == 400
        assert server.post("/api/locate", observation=id, hint="near Köln").status == 400
        assert server.post("/api/locate", observation=id, hint="Germany").status == 200
        keys = [c.id for c in server.office.remembered(id).observed.text.constraints]
        left = server.post("/api/view", observation=id, without=keys).json["left_out"]
        assert len(left) == len(keys)
        assert not any("Köln" in cue["value"] or "0221" in cue["value"] for cue in left)


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
    assert reply["regions"][0]["languages"][0] == "de"
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
    assert server.office.desk.waiting == 0  # the one that was being read may end, the others are gone
    observation(server)


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

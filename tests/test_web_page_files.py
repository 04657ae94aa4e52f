"""The photo from near, several photos at once, and files that the page saves and opens again."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import found, headline, needs_browser, settled, until
from stand_in.engine import KOELN, NOTHING, picture
from web_server import Running, observation, running

pytestmark = needs_browser


def zoom(page: Any) -> float:
    return float(page.locator("#photo").get_attribute("data-zoom"))


# --- the photo ---


def test_the_photo_is_zoomed_and_dragged_with_its_boxes(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    assert zoom(page) == 1
    box = page.locator("#photo").bounding_box()
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.move(*middle)
    page.mouse.wheel(0, -600)
    until(page, "Number(document.getElementById('photo').dataset.zoom) > 2")
    photo, boxes = page.locator("#photo img").bounding_box(), page.locator("#photo svg").bounding_box()
    assert boxes == pytest.approx(photo, abs=1)
    page.mouse.down()
    page.mouse.move(middle[0] + 50, middle[1] + 30, steps=4)
    page.mouse.up()
    moved = page.locator("#photo img").bounding_box()
    assert (moved["x"] - photo["x"], moved["y"] - photo["y"]) == pytest.approx((50, 30), abs=6)
    page.mouse.dblclick(*middle)
    assert zoom(page) == 1
    page.mouse.dblclick(*middle)
    assert zoom(page) == 3
    page.locator("#reset").click()  # weighing again leaves it as it is
    settled(page)
    assert zoom(page) == 3


def test_a_box_can_still_be_chosen_in_a_photo_that_is_near(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    page.locator("#photo-in").click()
    place = page.locator("#photo").bounding_box()
    boxes = [box.bounding_box() for box in page.locator("#photo .seen").all()]
    middles = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes]
    x, y = next((x, y) for x, y in middles if place["y"] + 20 < y < place["y"] + place["height"] - 20)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 2, y + 1)  # a hand that trembles
    page.mouse.up()
    assert page.locator(".cue.held").count() == 1


def test_the_photo_by_keyboard(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    page.locator("#photo").focus()
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert zoom(page) == pytest.approx(2.56, abs=0.01)
    before = page.locator("#photo img").bounding_box()["x"]
    page.keyboard.press("ArrowRight")
    assert page.locator("#photo img").bounding_box()["x"] < before
    page.keyboard.press("0")
    assert zoom(page) == 1


def test_the_photo_is_pinched(visit: Callable[..., Any]) -> None:
    page = visit(width=390, height=844)
    found(page)
    page.evaluate(
        """() => {
          const box = document.getElementById("photo"), b = box.getBoundingClientRect();
          const send = (type, pointerId, x) => box.dispatchEvent(new PointerEvent(type,
            { pointerId, pointerType: "touch", bubbles: true, clientX: b.left + x, clientY: b.top + 60 }));
          send("pointerdown", 1, 150); send("pointerdown", 2, 200);
          send("pointermove", 1, 100); send("pointermove", 2, 250);
          send("pointerup", 1, 100); send("pointerup", 2, 250);
        }"""
    )
    assert zoom(page) == pytest.approx(3, abs=0.1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# --- several photos ---


def test_several_photos_at_once(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN), picture(NOTHING), names=("sign.png", "wall.png"))
    page.locator("#all").click()
    page.wait_for_selector("#found.overview")
    rows = page.locator("#summary tbody tr")
    assert "sign.png" in rows.nth(0).inner_text()
    assert "Köln" in rows.nth(0).inner_text()
    assert "no place named" in rows.nth(1).inner_text()
    assert page.locator(".pin").count() == 1
    assert page.locator("#photo").is_hidden()
    with page.expect_download() as got:
        page.locator("[data-all=csv]").click()
    table = list(csv.DictReader(io.StringIO(Path(got.value.path()).read_text("utf-8-sig"))))
    assert [(row["source"], row["place"]) for row in table] == [("sign.png", "Köln"), ("wall.png", "")]
    heads = page.locator("#summary thead th").all_inner_texts()
    assert "Country sure" in heads
    assert "Probability" not in heads
    assert page.locator("#unplaced").inner_text() == "1 photo names no place: wall.png."
    with page.expect_download() as got:
        page.locator("[data-all=geojson]").click()
    assert len(json.loads(Path(got.value.path()).read_text("utf-8"))["features"]) == 2
    rows.nth(1).locator("button").click()
    settled(page)
    assert page.locator("#unplaced").is_hidden()
    assert page.locator("#found.overview").count() == 0
    assert page.locator("#summary .source").inner_text() == "wall.png"
    assert page.locator("#photo").is_visible()


def test_photos_that_name_a_country_alone_are_said_in_words(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    said = page.evaluate(
        """() => {
          const best = (country, precision) => ({ lat: null, lon: null, place: "", country, precision });
          const kept = now.photos;
          now.photos = [["a.jpg", "PT", "country"], ["b.jpg", "CL", "country"], ["c.jpg", null, "none"]].map(
            ([name, country, precision]) => ({ name, answer: { best: best(country, precision) } }));
          try { return unplacedSays(); } finally { now.photos = kept; }
        }"""
    )
    assert said == ("2 photos name a country alone: a.jpg (Portugal), b.jpg (Chile). 1 photo names no place: c.jpg.")


def test_the_overview_on_a_small_screen(visit: Callable[..., Any]) -> None:
    page = visit(width=390, height=844, scheme="dark")
    found(page, picture(KOELN), picture(NOTHING), names=("x" * 80 + ".png", "wall.png"))
    page.locator("#all").click()
    page.wait_for_selector("#found.overview")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    table, box = page.locator("#summary table").bounding_box(), page.locator("#summary .scroll").bounding_box()
    assert table["width"] <= box["width"]  # nothing of it is cut
    assert page.locator("#summary tbody tr").nth(0).get_by_text("Köln").is_visible()


# --- files ---


def test_answers_are_saved_for_other_programs(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, names=("my photo.png",))
    page.wait_for_selector("#get-xmp")
    for kind, name, says in (("csv", "my photo.csv", "Köln"), ("xmp", "my photo.png.xmp", "photoshop:City>Köln")):
        with page.expect_download() as got:
            page.locator(f"#get-{kind}").click()
        assert got.value.suggested_filename == name
        assert says in Path(got.value.path()).read_text("utf-8")


def test_exports_over_the_api(server: Running) -> None:
    here, nowhere = observation(server, picture(KOELN)), observation(server, picture(NOTHING))
    assert {"csv", "xmp"} <= set(server.get("/api/formats").json)
    several = server.post("/api/export", observations=[here, here], kind="xmp")
    with zipfile.ZipFile(io.BytesIO(several.body)) as archive:
        assert archive.namelist() == ["photo.png.xmp", "1-photo.png.xmp"]
    for fields, says in (({"kind": "xmp", "observations": nowhere}, "names a place"),
                         ({"kind": "../x", "observations": here}, "no format")):  # fmt: skip
        reply = server.post("/api/export", **fields)
        assert reply.status == 400
        assert says in reply.json["error"]


def test_a_case_is_saved_and_opened_again(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN), picture(NOTHING), names=("sign.png", "wall.png"))
    page.fill("#note", "Asked the baker: <b>yes</b>")
    with page.expect_download() as got:
        page.locator("#save-case").click()
    assert got.value.suggested_filename == "case.geoagent"
    content = Path(got.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        head = json.loads(archive.read("case.json"))
    assert [photo["answer"]["best"]["place"] for photo in head["photos"]] == ["Köln", None]
    other = visit()
    other.set_input_files("#file", [{"name": "mine.geoagent", "mimeType": "", "buffer": content}])
    other.wait_for_selector("#found:not([hidden]) #summary h1")
    assert headline(other).startswith("Köln")
    assert other.locator("#strip button").count() == 2
    assert other.locator("#note").input_value() == "Asked the baker: <b>yes</b>"
    assert other.locator("#photo img").evaluate("image => image.naturalWidth") == 640
    other.locator("#strip button").nth(1).click()
    settled(other)
    assert other.locator("#note").input_value() == ""


def test_a_case_opens_with_what_was_asked(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(NOTHING), picture(KOELN), names=("wall.png", "sign.png"))
    page.evaluate("document.getElementById('clocks').value = 'Canon*=+2h'")
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === 2")
    settled(page)
    page.locator("#strip button").nth(1).click()
    settled(page)
    page.locator("[aria-label^='Leave out cue 1:']").click()
    until(page, "now.settings.without.length === 1")
    settled(page)
    page.fill("#hint", "southern Germany")
    page.fill("#within", "Germany")
    page.fill("#exclude", "Austria")
    page.keyboard.press("Enter")
    until(page, "now.view.exact.cues.some((cue) => cue.kind === 'hint')")
    before = page.evaluate("[now.view.exact.best, now.view.exact.cues.map((cue) => cue.value), now.settings]")
    with page.expect_download() as got:
        page.locator("#save-case").click()
    content = Path(got.value.path()).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        head = json.loads(archive.read("case.json"))
    assert head["photos"][1]["answer"]["best"] == before[0]  # the answer that was shown is the one that is kept
    other = visit()
    other.set_input_files("#file", [{"name": "mine.geoagent", "mimeType": "", "buffer": content}])
    other.wait_for_selector("#found:not([hidden]) #summary h1")
    settled(other)
    assert other.locator("#summary .source").inner_text() == "sign.png"
    after = other.evaluate("[now.view.exact.best, now.view.exact.cues.map((cue) => cue.value), now.settings]")
    assert after == before
    told = [other.locator(f"#{name}").input_value() for name in ("hint", "within", "exclude", "clocks")]
    assert told == ["southern Germany", "Germany", "Austria", "Canon*=+2h"]
    assert other.locator("#together").is_checked()
    assert other.locator(".left-out button").count() == 1


def test_an_older_case_opens_under_the_usual_settings(server: Running) -> None:
    files = case_of(server)
    head = json.loads(files["case.json"])
    del head["asked"]
    opened = server.post(
        "/api/case/open", [("case", "case.geoagent", packed({**files, "case.json": json.dumps(head).encode()}))]
    )
    assert opened.status == 200
    assert opened.json["asked"]["settings"]["hint"] == ""
    head["asked"] = {"settings": {"hint": "x" * 501}}
    wrong = server.post(
        "/api/case/open", [("case", "case.geoagent", packed({**files, "case.json": json.dumps(head).encode()}))]
    )
    assert wrong.status == 400
    assert "damaged" in wrong.json["error"]


def test_weights_of_a_case_stand_on_the_slider(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    for picture_weight, text_weight, slider, looks, reads in (
        ("0.40", "", "60", True, True), ("", "0.25", "-75", True, True), ("0.00", "", "0", False, True),
    ):  # fmt: skip
        page.evaluate(
            f"now.settings = {{ ...plain(), vision_weight: '{picture_weight}', text_weight: '{text_weight}' }}"
        )
        page.evaluate("controls()")
        assert page.locator("#balance").input_value() == slider
        assert page.evaluate("document.getElementById('use-picture').checked") is looks
        assert page.evaluate("document.getElementById('use-text').checked") is reads
        weights = page.evaluate("[now.settings.vision_weight, now.settings.text_weight]")
        assert weights == [picture_weight, text_weight]


def case_of(server: Running) -> dict[str, bytes]:
    """The files of a case."""
    reply = server.post("/api/case", observations=[observation(server)], notes=["a note"])
    with zipfile.ZipFile(io.BytesIO(reply.body)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def test_a_case_keeps_tracks(server: Running) -> None:
    gpx = b'<gpx><trk><trkseg><trkpt lat="50" lon="7"><time>2023-07-04T08:00:00Z</time></trkpt></trkseg></trk></gpx>'
    (track,) = server.post("/api/tracks", [("tracks", "walk.gpx", gpx)]).json
    case = server.post("/api/case", observations=[observation(server)], track_ids=track["id"]).body
    opened = server.post("/api/case/open", [("case", "case.geoagent", case)]).json
    assert [(each["name"], each["points"]) for each in opened["tracks"]] == [("walk.gpx", 1)]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda files: b"no archive", "is no case of geoagent"),
        (lambda files: packed({**files, "case.json": b"{}"}), "format"),
        (lambda files: packed({**files, "case.json": files["case.json"].replace(b"case/1", b"case/9")}), "case/9"),
        (lambda files: packed({**files, "0000.jpg": b"no picture"}), "damaged"),
        (lambda files: packed({**files, "seen.jsonl": files["seen.jsonl"].split(b"\n")[0]}), "another world"),
        (lambda files: packed({n: c for n, c in files.items() if n != "seen.jsonl"}), "is no case"),
        (lambda files: packed({**files, "zeros": bytes(500_000_001)}), "too large"),
    ],
)  # fmt: skip
def test_a_case_that_is_none_is_refused(
    server: Running, change: Callable[[dict[str, bytes]], bytes], says: str
) -> None:
    reply = server.post("/api/case/open", [("case", "case.geoagent", change(case_of(server)))])
    assert reply.status == 400, reply.body
    assert says in reply.json["error"]


def test_notes_and_photos_of_a_case_must_be_as_many(server: Running) -> None:
    id = observation(server)
    assert server.post("/api/case", observations=[id], notes=["a", "b"]).status == 400
    with running(max_precision="country") as capped:
        reply = capped.post("/api/case", observations=[observation(capped)])
        assert reply.status == 400
        assert "withholds" in reply.json["error"]

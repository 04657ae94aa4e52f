"""The page in a real browser, over a real server; only the OCR engine stands in, except where it says so."""

from __future__ import annotations

import io
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import screenshots
from conftest import make_world
from PIL import Image
from seen import seen_world
from stand_in.engine import EVIL, HOSTILE, KOELN, NOTHING, picture

pytest.importorskip("fastapi", reason="needs the extra web (pip install 'geoagent-photo[web]')")
pytest.importorskip("uvicorn", reason="needs the extra web (pip install 'geoagent-photo[web]')")

from web_server import Running, running

from geoagent.answer import Answer
from geoagent.web.limits import Limits

sync_api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright (pip install playwright)")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs a Chromium browser on the PATH (apt install chromium)")
EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "photos"


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running(Limits(photo_mb=60)) as here:
        yield here


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Any, server: Running) -> Iterator[Callable[..., Any]]:
    """Open the page as one more person; what went wrong is checked when the test ends."""
    contexts, pages = [], []

    def open_page(width: int = 1280, height: int = 860, scheme: str = "light", url: str = server.url) -> Any:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        page = context.new_page()
        page.said, page.asked, page.failed, page.url_of_server = [], [], [], url
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda problem: page.said.append(str(problem)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("requestfailed", lambda request: page.failed.append(f"{request.url}: {request.failure}"))
        page.goto(url)
        page.wait_for_selector("#examples li")
        contexts.append(context)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        assert page.evaluate("window.pwned") is None
        for url in page.asked:
            assert url.startswith((page.url_of_server, "blob:" + page.url_of_server, "data:")), url
        refused = ("status of 4", "status of 5")  # what Chromium says of a reply that the test asked for
        assert [said for said in page.said if not any(part in said for part in refused)] == []
        assert [each for each in page.failed if "ERR_ABORTED" not in each] == []  # the page takes questions back
    for context in contexts:
        context.close()


def send(page: Any, *contents: bytes, names: tuple[str, ...] = ("photo.png", "second.png", "third.png")) -> None:
    files = [
        {"name": name, "mimeType": "image/png", "buffer": content}
        for name, content in zip(names, contents, strict=False)
    ]
    page.set_input_files("#file", files)


def found(page: Any, *contents: bytes, **options: Any) -> str:
    """Send photos, wait for the answer, and return its headline."""
    send(page, *(contents or (picture(KOELN),)), **options)
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    return headline(page)


def headline(page: Any) -> str:
    return str(page.locator("#summary h1").inner_text())


def until(page: Any, condition: str, seconds: float = 20) -> None:
    """Wait for a condition. Playwright's own way evaluates strings, which the page's policy forbids."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(50)


def settled(page: Any) -> None:
    until(page, "!document.querySelector('#found.busy') && !now.asking")


def lit(page: Any) -> tuple[list[str], list[str], int]:
    """What is lit: cues, regions of the photo, and how many cells of the map."""
    cues = page.locator("[data-cue].hot").evaluate_all("nodes => nodes.map((n) => n.dataset.cue)")
    regions = page.locator("#photo .seen.hot").evaluate_all("nodes => nodes.map((n) => n.dataset.region)")
    return cues, regions, int(page.locator("#view").get_attribute("data-lit") or 0)


# --- one photo, from beginning to end ---


def test_a_photo_is_sent_and_its_place_seen(visit: Callable[..., Any]) -> None:
    page = visit()
    assert found(page, picture(seconds=0.5)) == "Köln, North Rhine-Westphalia, Germany"
    assert page.title().startswith("Köln")
    assert page.locator(".pin[aria-label^='Best place']").count() == 1
    assert page.locator("#cues .cue").count() >= 4
    assert page.locator("#photo .tag").count() >= 4
    assert page.locator("#photo img").evaluate("image => image.naturalWidth") == 640
    table = page.locator("#halves table").inner_text()
    for row in ("Picture only", "Text only", "Picture and text"):
        assert row in table
    assert page.evaluate("now.view.cells.length") > 0


def test_progress_is_told_while_it_works(visit: Callable[..., Any]) -> None:
    page = visit()
    send(page, picture(seconds=1.5))
    until(page, "document.getElementById('stage-says').textContent.includes('reading its text')")
    assert page.locator("#early").is_visible()
    assert 0 < page.locator("#meter").evaluate("meter => meter.value") < 100
    page.wait_for_selector("#found:not([hidden])")
    assert page.locator("#work").is_hidden()


def test_an_example_can_be_tried(visit: Callable[..., Any]) -> None:
    page = visit()
    page.locator("[data-example=de_koeln]").click()
    page.wait_for_selector("#found:not([hidden]) #summary h1")
    assert page.locator("#summary .source").inner_text() == "de_koeln.jpg"


def test_a_photo_can_be_pasted_or_dropped(visit: Callable[..., Any]) -> None:
    page = visit()
    for name in ("paste", "drop"):
        page.evaluate(
            """([kind, bytes]) => {
              const data = new DataTransfer();
              data.items.add(new File([new Uint8Array(bytes)], kind + ".png", { type: "image/png" }));
              const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
                : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
              document.body.dispatchEvent(event);
            }""",
            [name, list(picture())],
        )
        until(page, f"document.querySelector('#summary .source')?.textContent === '{name}.png'")


def test_a_cue_lights_its_region_and_its_cells(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    page.locator("#summary h1").hover()
    assert lit(page)[:2] == ([], [])
    page.locator("[data-cue='0']").hover()
    cues, regions, cells = lit(page)
    assert cues == ["0"]
    assert regions
    assert cells > 0
    page.locator("#summary h1").hover()
    assert lit(page) == ([], [], 0)
    page.locator("[data-tag='0']").first.hover()  # and from the photo
    assert "0" in lit(page)[0]
    assert lit(page)[2] == cells


def test_a_cue_that_is_clicked_stays_lit_and_the_map_shows_where_it_points(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    language = page.locator("#cues .cue", has_text="language")
    before = page.locator("#view").get_attribute("data-zoom")
    language.locator(".open").click()
    page.locator("#summary h1").hover()
    cues, regions, cells = lit(page)
    assert len(cues) == 1
    assert regions
    assert cells > 20  # Germany, and where else German is written
    assert language.locator(".open").get_attribute("aria-pressed") == "true"
    until(page, f"document.getElementById('view').dataset.zoom !== '{before}'")
    page.keyboard.press("Escape")
    assert lit(page) == ([], [], 0)


def test_the_map_lights_the_cues_of_the_cell_that_is_pointed_at(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    page.evaluate("map.fit([now.view.answer.best], 9)")
    page.wait_for_timeout(200)
    box = page.locator("#view").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2 + 25, box["y"] + box["height"] / 2 + 25)
    page.wait_for_selector("#tip:not([hidden])")
    assert "This cell" in page.locator("#tip").inner_text()
    assert len(lit(page)[0]) >= 2


def test_the_slider_and_the_switches_weigh_again_without_reading(visit: Callable[..., Any], server: Running) -> None:
    page = visit()
    found(page)
    jobs = sum("/api/jobs" in url for url in page.asked)
    slider = page.locator("#balance")
    slider.focus()
    page.keyboard.press("Home")
    assert page.locator("#balance-says").inner_text() == "Picture 100 %, text 0 %"
    until(page, "!document.querySelector('#summary h1').textContent.includes('Köln')")
    page.keyboard.press("End")
    until(page, "document.querySelector('#summary h1').textContent.includes('Köln')")
    page.locator("#use-text").uncheck()
    until(page, "!document.querySelector('#summary h1').textContent.includes('Köln')")
    page.locator("#reset").click()
    until(page, "document.querySelector('#summary h1').textContent.includes('Köln')")
    assert page.locator("#use-text").is_checked()
    assert sum("/api/jobs" in url for url in page.asked) == jobs


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server whose world has a picture half: every photo looks like the middle of France."""
    world = replace(seen_world(), encoder={"name": "stand_in.encoder"})
    with running(world=world.save(tmp_path_factory.mktemp("world") / "seen")) as here:
        yield here


def test_the_slider_goes_from_picture_to_text(visit: Callable[..., Any], seeing: Running) -> None:
    page = visit(url=seeing.url)
    assert "Köln" in found(page)
    table = page.locator("#halves table").inner_text()
    assert "France" in table
    assert page.locator(".pin[aria-label^='Picture only']").count() == 1
    page.locator("#balance").focus()
    page.keyboard.press("Home")
    until(page, "document.querySelector('#summary h1').textContent.includes('France')")
    assert page.evaluate("map.dots.length") > 3  # the neighbours that the place was computed from
    page.keyboard.press("End")
    until(page, "document.querySelector('#summary h1').textContent.includes('Köln')")
    page.locator("#use-picture").uncheck()
    settled(page)
    assert "Köln" in headline(page)
    comparison = page.evaluate("now.view.exact.comparison?.says || ''")
    assert comparison in page.locator("#halves").inner_text()


def test_a_world_without_polygons_has_discs(visit: Callable[..., Any], tmp_path: Path) -> None:
    plain = make_world()
    world = replace(plain, cells=replace(plain.cells, wkb=None))
    with running(world=world.save(tmp_path / "w")) as here:
        page = visit(url=here.url)
        found(page, picture(NOTHING))
        assert page.evaluate("now.view.cells.length") == 12
        assert page.evaluate("map.cells.every((cell) => cell.box[2] > cell.box[0])")


def test_a_hint_and_areas_count(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(NOTHING))
    page.fill("#hint", "Portugal")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#summary h1').textContent.includes('Portugal')")
    assert "user" in page.locator("#cues").inner_text() or page.locator("#cues .cue").count() == 1
    page.fill("#within", "Qwxzatl")
    page.locator("#hints button[type=submit]").click()
    page.wait_for_selector("#weigh-error:not([hidden])")
    assert "Qwxzatl" in page.locator("#weigh-error").inner_text()
    assert "Portugal" in headline(page)


def test_a_cue_can_be_left_out_and_put_back(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    count = page.locator("#cues .cue").count()
    page.locator("#cues .cue", has_text="postcode").get_by_role("button", name="Leave out").click()
    settled(page)
    assert page.locator("#cues .cue").count() == count - 1
    assert "postcode" in page.locator(".left-out").inner_text()
    page.locator(".left-out button").click()
    until(page, f"document.querySelectorAll('#cues .cue').length === {count}")


def test_a_claim_is_checked(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    for claim, verdict in (("Köln", "Supported"), ("Kyiv, Ukraine", "Contradicted")):
        page.fill("#claim", claim)
        page.keyboard.press("Enter")
        until(page, f"document.querySelector('#verdict h3')?.textContent.startsWith('{verdict}')")
        assert page.locator("#verdict li").count() > 2
    page.locator("#use-text").uncheck()  # the claim is weighed again as well
    until(page, "document.querySelector('#verdict h3')?.textContent.startsWith('Undecided')")
    page.fill("#claim", "Qwxzatl")
    page.locator("#claims button").click()
    page.wait_for_selector("#verdict .note")
    assert "Qwxzatl" in page.locator("#verdict").inner_text()


def test_the_answer_can_be_taken_away(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, names=("my photo.png",))
    with page.expect_download() as saved:
        page.locator("#get-json").click()
    assert saved.value.suggested_filename == "my photo.json"
    assert Answer.model_validate_json(Path(saved.value.path()).read_text("utf-8")).best.place == "Köln"


@pytest.mark.parametrize("kind", ["geojson", "report"])
def test_geojson_and_report_can_be_taken_away(visit: Callable[..., Any], kind: str) -> None:
    page = visit()
    found(page, names=("a.png",))
    with page.expect_download() as saved:
        page.locator(f"#get-{kind}").click()
    assert saved.value.suggested_filename == {"geojson": "a.geojson", "report": "a.html"}[kind]
    assert "Köln" in Path(saved.value.path()).read_text("utf-8")


def test_a_place_can_be_told_less_finely(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    page.locator("#precision").select_option("country")
    until(page, "document.querySelector('#summary h1').textContent === 'Germany'")
    assert page.evaluate("now.view.cells") == []
    page.locator("#precision").select_option("")
    until(page, "document.querySelector('#summary h1').textContent.includes('Köln')")


def test_a_page_that_is_loaded_again_shows_what_it_had(visit: Callable[..., Any], server: Running) -> None:
    page = visit()
    found(page, picture(KOELN), picture(NOTHING))
    page.reload()
    page.wait_for_selector("#found:not([hidden]) #summary h1")
    assert page.locator("#strip button").count() == 2
    for photo in page.evaluate("now.photos.map((photo) => photo.id)"):
        server.ask("DELETE", f"/api/observations/{photo}")
    page.reload()
    page.wait_for_selector("#examples li")
    until(page, "now.photos.length === 0")
    assert page.locator("#start").is_visible()
    assert "Köln" in found(page)


def test_a_photo_can_be_forgotten(visit: Callable[..., Any], server: Running) -> None:
    page = visit()
    found(page)
    id = page.evaluate("now.chosen.id")
    page.locator("#forget").click()
    page.wait_for_selector("#start:not([hidden])")
    assert server.get(f"/api/observations/{id}/photo").status == 404


# --- several photos, several people ---


def test_several_photos_can_be_sent_and_chosen_between(visit: Callable[..., Any]) -> None:
    page = visit()
    assert "Köln" in found(page, picture(KOELN), picture(NOTHING), b"no photo")
    page.wait_for_selector("#trouble:not([hidden])")
    page.wait_for_timeout(300)
    assert "third.png: is a text file" in page.locator("#trouble").inner_text()  # and it stays
    assert page.locator("#strip button").count() == 2
    page.locator("#strip button").nth(1).click()
    until(page, "document.querySelector('#summary .source').textContent === 'second.png'")
    assert "Köln" not in headline(page)


def test_two_people_at_once_see_their_own_photo(visit: Callable[..., Any]) -> None:
    first, second = visit(), visit()
    send(first, picture(KOELN, seconds=1), names=("hers.png",))
    send(second, picture(NOTHING, seconds=0.2), names=("his.png",))
    for page, name in ((second, "his.png"), (first, "hers.png")):
        page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=30_000)
        assert page.locator("#summary .source").inner_text() == name
    assert "Köln" in headline(first)
    assert "Köln" not in headline(second)
    assert first.evaluate("now.chosen.id") != second.evaluate("now.chosen.id")


def test_the_one_who_waits_is_told_how_many_are_before(visit: Callable[..., Any], server: Running) -> None:
    page = visit()
    long = server.post("/api/jobs", [("photos", f"{i}.png", picture(seconds=3)) for i in range(2)]).json
    send(page, picture(KOELN))
    until(page, "document.getElementById('stage-says').textContent.includes('before yours')")
    page.wait_for_selector("#found:not([hidden])", timeout=30_000)
    server.ask("DELETE", f"/api/jobs/{long['id']}")


def test_sending_can_be_cancelled(visit: Callable[..., Any]) -> None:
    page = visit()
    send(page, picture(KOELN, seconds=3))
    until(page, "now.job && now.job.id")
    page.locator("#cancel").click()
    page.wait_for_selector("#start:not([hidden])")
    page.wait_for_timeout(600)
    assert page.locator("#found").is_hidden()


# --- bad files, large files, hostile files ---


@pytest.mark.parametrize(
    ("content", "says"),
    [(picture()[:300], "damaged"), (b"", "is empty"), (b"not a photo at all", "is a text file")],
)
def test_a_bad_file_is_said_in_words(visit: Callable[..., Any], content: bytes, says: str) -> None:
    page = visit(width=390, height=844)
    send(page, content, names=("broken.jpg",))
    page.wait_for_selector("#trouble:not([hidden])")
    assert says in page.locator("#trouble").inner_text()
    box = page.locator("#trouble").bounding_box()
    assert 0 <= box["y"] < 844 - box["height"]
    assert page.locator("#start").is_visible()
    assert "Köln" in found(page)  # and the next photo works
    assert page.locator("#trouble").is_hidden()


def test_a_file_that_is_too_large_is_said_in_words(visit: Callable[..., Any]) -> None:
    page = visit()
    page.evaluate("send([new File([new Uint8Array(61e6)], 'huge.jpg')])")
    page.wait_for_selector("#trouble:not([hidden])", timeout=30_000)
    assert "at most 60 MB" in page.locator("#trouble").inner_text()


def test_a_photo_of_forty_megapixels(visit: Callable[..., Any]) -> None:
    rows = np.linspace(40, 220, 5200, dtype=np.uint8)[:, None, None]
    pixels = np.broadcast_to(rows, (5200, 7700, 3)).copy()
    pixels[:64, :64] = (KOELN, 0, 0)  # it is reduced before it is read
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    page = visit()
    assert "Köln" in found(page, buffer.getvalue(), names=("large.png",))
    assert page.evaluate("now.view.size_px") == pytest.approx([7700, 5200], abs=1)
    assert page.locator("#photo img").evaluate("image => image.naturalWidth") == 1600
    assert "reduced from 7700" in page.locator("#summary").inner_text()


def test_hostile_names_and_texts_are_text(visit: Callable[..., Any]) -> None:
    page = visit()
    name = HOSTILE.replace("/", "∕") + ".png"
    found(page, picture(EVIL), names=(name,))
    assert "<script>" in page.locator("#summary .source").inner_text()
    assert "onerror" in page.locator("#more").inner_text()
    page.fill("#claim", HOSTILE)
    page.locator("#claims button").click()
    page.wait_for_selector("#verdict .note")
    page.fill("#hint", HOSTILE)
    page.keyboard.press("Enter")
    settled(page)
    assert page.locator("img[src=x], #found script").count() == 0
    assert page.evaluate("window.pwned") is None


def test_an_error_with_a_hostile_name_is_text(visit: Callable[..., Any]) -> None:
    page = visit()
    send(page, b"text", names=("<img src=x onerror=window.pwned=1>.jpg",))
    page.wait_for_selector("#trouble:not([hidden])")
    assert "<img src=x" in page.locator("#trouble").inner_text()
    assert page.locator("#trouble img").count() == 0


def test_a_server_that_is_gone_is_said(browser: Any) -> None:
    with running(Limits(workers=1)) as here:
        page = browser.new_page()
        page.goto(here.url)
        page.wait_for_selector("#examples li")
    send(page, picture())
    page.wait_for_selector("#trouble:not([hidden])")
    assert "does not answer" in page.locator("#trouble").inner_text()
    page.close()


# --- for everybody ---


@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_is_wider_than_the_screen(visit: Callable[..., Any], width: int) -> None:
    page = visit(width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found(page, picture(EVIL), names=("x" * 110 + ".png",))
    page.fill("#claim", "Kyiv, Ukraine")
    page.locator("#claims button").click()
    page.wait_for_selector("#verdict h3")
    for details in page.locator("#panel details").all():
        details.evaluate("node => { node.open = true; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    wide = page.evaluate(
        """() => [...document.querySelectorAll("#panel *, #summary *, #bar *")].filter((node) => {
          const box = node.getBoundingClientRect();
          return box.width > 1 && box.right > innerWidth + 1;
        }).map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def tab_to(page: Any, selector: str, most: int = 120, key: str = "Tab") -> None:
    """Press Tab until the focus is there; it must be visible then."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("(s) => document.activeElement?.matches(s) ?? false", selector):
            outline = page.evaluate(
                """() => [document.activeElement, document.activeElement.closest("label")].filter(Boolean)
                  .map((node) => getComputedStyle(node).outlineStyle)"""
            )
            assert any(style != "none" for style in outline), selector
            return
    raise AssertionError(f"Tab does not reach {selector}")


def test_everything_can_be_done_with_the_keyboard(visit: Callable[..., Any]) -> None:
    page = visit()
    tab_to(page, "#file")
    tab_to(page, "[data-example=de_koeln]")
    send(page, picture())
    page.wait_for_selector("#found:not([hidden]) #summary h1")
    assert page.evaluate("document.activeElement.id") == "summary"  # where reading goes on
    tab_to(page, "#view")
    zoom = float(page.locator("#view").get_attribute("data-zoom"))
    page.keyboard.press("+")
    until(page, f"Number(document.getElementById('view').dataset.zoom) > {zoom}")
    tab_to(page, ".pin")
    assert page.locator("#tip").inner_text()
    tab_to(page, ".tag")
    assert lit(page)[0]
    tab_to(page, "[data-cue='0'] .open")
    assert lit(page)[0] == ["0"]
    page.keyboard.press("Enter")
    assert page.locator("[data-cue='0'].held").count() == 1
    tab_to(page, "#balance")
    page.keyboard.press("ArrowLeft")
    assert page.locator("#balance-says").inner_text() == "Picture 100 %, text 95 %"
    settled(page)
    tab_to(page, "#use-text")
    page.keyboard.press("Space")
    until(page, "!document.querySelector('#summary h1').textContent.includes('Köln')")
    page.keyboard.press("Space")
    until(page, "document.querySelector('#summary h1').textContent.includes('Köln')")
    tab_to(page, "#claim")
    page.keyboard.type("Köln")
    page.keyboard.press("Enter")
    page.wait_for_selector("#verdict h3.supported")
    tab_to(page, "#get-json")
    with page.expect_download():
        page.keyboard.press("Enter")
    tab_to(page, "#another", key="Shift+Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "file"


def test_every_control_has_a_name(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page)
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, a[href], [role=application]")].filter((node) =>
          !(node.getAttribute("aria-label") || node.textContent.trim() || (node.labels && node.labels.length))
        ).map((node) => node.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert page.evaluate("[...document.querySelectorAll('img')].every((image) => image.hasAttribute('alt'))")
    assert page.evaluate("[...document.querySelectorAll('h1')].filter((h) => h.offsetParent).length") == 1
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))


CONTRAST = """() => {
  const parse = (text) => { const m = text.match(/[\\d.]+/g).map(Number); return m.length > 3 ? m : [...m, 1]; };
  const over = (top, under) => [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * under[i]);
  const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (node) => {
    const layers = [];
    for (let n = node; n; n = n.parentElement) {
      const colour = parse(getComputedStyle(n).backgroundColor);
      if (colour[3]) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((kid) => kid.nodeType === 3 && kid.textContent.trim());
    const style = getComputedStyle(node), box = node.getBoundingClientRect();
    if (!own || node.closest("script, noscript, style") || box.width < 2 || box.height < 2) continue;
    const back = behind(node), [a, b] = [light(over(parse(style.color), back)), light(back)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), size = parseFloat(style.fontSize);
    const large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) poor.push([ratio.toFixed(2), node.tagName, node.className, node.textContent.trim()]);
  }
  return poor;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_contrast_is_sufficient(visit: Callable[..., Any], scheme: str, width: int) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 : 1, 3 : 1 for large text, of what the browser computed."""
    page = visit(width=width, scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    found(page, picture(KOELN), b"no photo")
    page.fill("#claim", "Kyiv, Ukraine")
    page.locator("#claims button").click()
    page.wait_for_selector("#verdict h3")
    page.locator("#cues .plain").first.click()
    settled(page)
    page.locator("[data-cue='0'] .open").click()
    for details in page.locator("details").all():
        details.evaluate("node => { node.open = true; }")
    page.wait_for_timeout(400)
    assert page.evaluate(CONTRAST) == []


def test_the_real_engine_answers_and_the_picture_of_the_readme_can_be_taken_again(
    visit: Callable[..., Any], browser: Any, tmp_path: Path
) -> None:
    with running(ocr="auto") as real:
        page = visit(url=real.url)
        page.locator("[data-example=de_koeln]").click()
        page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
        assert headline(page).startswith("Köln")
        assert "Hofmann" in page.locator("#more").inner_text()
        target = screenshots.take(browser, real.url, tmp_path)
    shown = Path(__file__).resolve().parents[1] / "docs" / target.name
    assert shown.stat().st_size < 300_000
    with Image.open(target) as mine, Image.open(shown) as kept:
        assert mine.size == kept.size == screenshots.SIZE

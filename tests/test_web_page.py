"""The page in a real browser, over a real server; only the OCR engine stands in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from browsing import found, headline, lit, needs_browser, send, settled, until
from conftest import make_world
from stand_in.engine import KOELN, NOTHING, PARTLY_READ, picture
from web_server import Running, running, running_with_eyes

from geoagent.answer import Answer

pytestmark = needs_browser


def test_a_photo_is_sent_and_its_place_seen(visit: Callable[..., Any]) -> None:
    page = visit()
    assert found(page, picture(seconds=0.5)) == "Köln, North Rhine-Westphalia, Germany"
    assert page.title().startswith("Köln")
    assert page.locator(".pin[aria-label^='Best place']").count() == 1
    assert page.locator("#cues .cue").count() >= 4
    assert page.locator("#photo .tag").count() >= 4
    assert page.locator("#photo img").evaluate("image => image.naturalWidth") == 640
    assert page.locator("#halves table").count() == 0  # the picture was not judged: nothing to compare
    assert page.locator("#balance").is_hidden()
    assert page.locator("#use-picture").is_hidden()
    assert page.locator("#hint").is_visible()
    assert page.locator("#summary .note").count() == 0  # the text settles it
    assert "geoagent get vision" in page.locator("#more").inner_text()
    assert "German" in page.locator("#cues .cue", has_text="language").locator(".open").inner_text()
    assert "Latin · German" in page.locator("#more").inner_text()
    assert page.evaluate("now.view.cells.length") > 0


def test_text_that_could_not_be_read_is_boxed_and_told(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(PARTLY_READ))
    assert "1 place with text could not be read" in page.locator("#summary .note").all_inner_texts()
    boxes = page.locator("#photo svg .unread")
    assert boxes.count() == 1
    assert page.locator("#photo svg title").text_content() == "text that could not be read"
    assert boxes.evaluate("box => getComputedStyle(box).strokeDasharray") != "none"
    assert page.locator("#more [data-line]").count() == 2


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


def test_a_photo_without_anything_to_go_by_says_what_was_looked_for(visit: Callable[..., Any]) -> None:
    page = visit()
    assert found(page, picture(NOTHING)) == "No place can be named"
    summary = page.locator("#summary").inner_text()
    assert (
        "The picture was not judged, and no text in it speaks for a place. Looked for: signs, number plates" in summary
    )
    assert summary.count("not judged") == 1
    assert "geoagent get vision" in summary
    for nothing in ("#halves table", ".pin", "#others li", "#others .share", "#legend label"):
        assert page.locator(nothing).count() == 0, nothing
    assert page.evaluate("now.view.cells.length + now.view.answer.countries.length") == 0
    for hidden in ("#balance", "#use-text", "#cues"):
        assert page.locator(hidden).is_hidden(), hidden
    assert page.title() == "No place can be named – geoagent"


def test_the_slider_and_the_switches_weigh_again_without_reading(visit: Callable[..., Any], seeing: Running) -> None:
    page = visit(url=seeing.url)
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
    with running_with_eyes(tmp_path_factory.mktemp("world")) as here:
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
        found(page, picture(KOELN))
        assert page.evaluate("now.view.cells.length") > 0
        assert page.evaluate("map.cells.every((cell) => cell.box[2] > cell.box[0])")
        page.wait_for_load_state("networkidle")  # this server ends before the page does


def test_a_hint_and_areas_count(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(NOTHING))
    page.fill("#hint", "Portugal")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#summary h1').textContent.includes('Portugal')")
    assert "user" in page.locator("#cues").inner_text() or page.locator("#cues .cue").count() == 1
    page.fill("#within", "Qwxzatl")
    page.locator("#hints button[type=submit]").click()
    page.wait_for_selector("#within-error:not([hidden])")
    assert "Qwxzatl" in page.locator("#within-error").inner_text()
    assert page.locator("#weigh-error").is_hidden()
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
    page.fill("#within", "UA")
    page.locator("#hints button[type=submit]").click()  # the claim is weighed again as well
    until(page, "!document.querySelector('#verdict h3')?.textContent.startsWith('Contradicted')")
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

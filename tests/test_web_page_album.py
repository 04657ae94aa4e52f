"""Photos of an album on the page, in a real browser; only the OCR engine stands in."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from browsing import headline, needs_browser, send, settled, until
from PIL import Image
from stand_in.engine import KOELN, NOTHING, picture

pytestmark = needs_browser


def taken(when: str, text: int = NOTHING) -> bytes:
    exif = Image.Exif()
    exif[0x10F], exif[0x110] = "Google", "Pixel 7"
    exif.get_ifd(0x8769).update({0x9003: f"2023:07:04 {when}:00", 0x9011: "+02:00"})
    return picture(text, exif=exif)


def trip(page: Any) -> None:
    """Send three photos, the last one first in time."""
    names = ("sign.png", "later.png", "before.png")
    send(page, taken("10:12", KOELN), taken("11:00"), taken("10:00"), names=names)
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    until(page, "now.photos.length === 3")
    settled(page)


def test_photos_that_belong_together_place_one_another(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    assert not page.locator("#together").is_checked()
    assert page.locator("#timeline").is_hidden()
    page.locator("#strip button").nth(1).click()
    settled(page)
    assert "No place can be named" in headline(page)
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === 3")
    settled(page)
    assert headline(page).startswith("Köln")
    assert "album" in page.locator("#cues").inner_text().lower()
    names = page.locator("#timeline .file").all_inner_texts()
    assert names == ["before.png", "sign.png", "later.png"]
    assert page.locator("#timeline .when").first.inner_text() == "2023-07-04 08:00 UTC"
    assert page.locator("#timeline .place").all_inner_texts() == ["Köln, Germany"] * 3
    assert page.evaluate("map.trip.length") == 3


def test_the_album_is_left_again(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === 3")
    page.locator("#timeline button").nth(2).click()
    settled(page)
    assert headline(page).startswith("Köln")
    assert page.locator("#timeline button").nth(2).get_attribute("aria-current") == "true"
    page.locator("#together").uncheck()
    until(page, "document.querySelectorAll('#timeline li').length === 0 && map.trip.length === 0")
    settled(page)
    assert "No place can be named" in headline(page)


def test_a_photo_that_is_deleted_tells_the_others_nothing_more(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === 3")
    page.locator("#strip button").first.click()
    settled(page)
    page.locator("#forget").click()
    until(page, "now.photos.length === 2 && document.querySelectorAll('#timeline li').length === 2")
    settled(page)
    assert "No place can be named" in headline(page)


WALK = (
    b'<gpx xmlns="http://www.topografix.com/GPX/1/1"><trk><trkseg>'
    b'<trkpt lat="47.00" lon="8.30"><time>2023-07-04T07:00:00Z</time></trkpt>'
    b'<trkpt lat="47.01" lon="8.31"><time>2023-07-04T08:00:00Z</time></trkpt>'
    b'<trkpt lat="47.05" lon="8.30"><time>2023-07-04T10:30:00Z</time></trkpt>'
    b'<trkpt lat="47.05" lon="8.30"/></trkseg></trk></gpx>'
)


def drop(page: Any, *files: tuple[str, bytes]) -> None:
    """Drop files on the page."""
    page.evaluate(
        """(files) => {
          const data = new DataTransfer();
          for (const [name, bytes] of files) data.items.add(new File([new Uint8Array(bytes)], name));
          document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }""",
        [[name, list(content)] for name, content in files],
    )


def test_a_track_dropped_with_photos_places_them_and_is_drawn(visit: Callable[..., Any]) -> None:
    page = visit()
    drop(page, ("walk.gpx", WALK), ("a.png", taken("10:00")), ("b.png", taken("11:00")))
    page.wait_for_selector("#timeline li", timeout=60_000)
    settled(page)
    assert page.locator("#together").is_checked()
    assert headline(page).endswith("Switzerland")
    assert page.evaluate("map.tracks.length") == 1
    assert page.locator("#legend", has_text="Tracks").count() == 1
    page.locator("#trip-more summary").click()
    assert "walk.gpx · 3 points, 2023-07-04" in page.locator("#tracks").inner_text()
    assert "1 without a time" in page.locator("#tracks").inner_text()
    assert "Taken 2023-07-04 08:00 UTC, by its EXIF data" in page.locator("#summary").inner_text()
    assert "the track walk.gpx near" in page.locator("#told").inner_text()
    page.reload()
    page.wait_for_selector("#tracks li", state="attached")
    page.locator("#trip-more summary").click()
    page.locator("#tracks button").click()
    until(page, "now.tracks.length === 0 && map && map.tracks.length === 0")


def test_a_track_for_one_photo_that_was_sent_before(visit: Callable[..., Any]) -> None:
    page = visit()
    drop(page, ("walk.gpx", WALK))
    page.wait_for_selector("#trouble:not([hidden])")
    assert "walk.gpx: read. Now add the photos" in page.locator("#trouble").inner_text()
    send(page, taken("10:00"))
    page.wait_for_selector("#timeline li", timeout=60_000)
    settled(page)
    assert headline(page).endswith("Switzerland")
    assert page.locator("#trouble").is_hidden()


def test_a_track_that_cannot_be_read_says_so_beside_its_field(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    page.locator("#trip-more summary").click()
    page.set_input_files("#track", [{"name": "no.gpx", "mimeType": "", "buffer": b"<gpx/>"}])
    page.wait_for_selector("#track-error:not([hidden])")
    assert "no.gpx" in page.locator("#track-error").inner_text()
    assert not page.locator("#together").is_checked()


def test_a_clock_is_set(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    page.locator("#trip-more summary").click()
    page.fill("#clocks", "Google*=+1h, Canon=2")
    page.keyboard.press("Enter")
    until(page, "document.getElementById('clock-says').textContent.includes('1 hour ahead of UTC')")
    settled(page)
    assert "You said that the clock of Google Pixel 7" in page.locator("#clock-says").inner_text()
    assert "1 hour ahead of UTC" in page.locator("#summary").inner_text()
    page.fill("#clocks", "Google")
    page.keyboard.press("Enter")
    page.wait_for_selector("#clock-error:not([hidden])")
    assert "a camera and hours" in page.locator("#clock-error").inner_text()
    assert page.locator("#trouble").is_hidden()


def test_the_timeline_by_keyboard_and_on_a_small_screen(visit: Callable[..., Any]) -> None:
    page = visit(width=390, height=800, scheme="dark")
    trip(page)
    page.locator("#together").focus()
    page.keyboard.press("Space")
    until(page, "document.querySelectorAll('#timeline li').length === 3")
    settled(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "now.chosen.name === 'before.png'")
    settled(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def together(page: Any) -> None:
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === now.photos.length")
    settled(page)


def test_photos_are_numbered_by_time_on_the_line_and_on_the_map(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    together(page)
    numbers = page.locator("#timeline li").evaluate_all("nodes => nodes.map((n) => n.dataset.n)")
    assert numbers == ["1", "2", "3"]
    assert page.evaluate("map.trip.map((stop) => stop.n)") == [1, 2, 3]
    assert page.locator("#timeline li").nth(1).locator("[aria-current=true]").count() == 1
    stops = page.locator(".pin .mark.stop").all_inner_texts()
    assert len(stops) == 2  # and the chosen one's pin
    assert page.locator(".pin[data-stop='2'] .mark.best").count() == 1
    assert "Taken 2023-07-04 08:12 UTC" in page.locator("#summary").inner_text()


def test_card_and_point_light_one_another(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    together(page)
    page.locator("#timeline li").nth(2).hover()
    until(page, "map.hot === 3")
    page.locator(".pin[data-stop='2']").hover()
    until(page, "map.hot === 2")
    assert page.locator("#timeline li.hot").get_attribute("data-n") == "2"
    page.locator("#timeline button").first.focus()
    until(page, "map.hot === 1")


def test_the_album_is_left_out_like_any_cue(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    together(page)
    page.locator("#timeline button").nth(0).click()
    settled(page)
    assert headline(page).startswith("Köln")
    page.locator("[aria-label^='Leave out cue'][aria-label*='album']").click()
    until(page, "now.settings.without.length === 1")
    settled(page)
    assert "No place can be named" in headline(page)
    assert page.evaluate("map.trip.map((stop) => stop.n)") == [2, 3]
    assert page.locator("#timeline .place").first.inner_text() == "no place named"
    page.locator(".left-out button").click()
    until(page, "now.settings.without.length === 0")
    settled(page)
    assert headline(page).startswith("Köln")
    assert page.evaluate("map.trip.length") == 3


def test_a_screenshot_takes_no_part(visit: Callable[..., Any]) -> None:
    page = visit()
    names = ("a.png", "Screenshot_2.png", "b.png")
    send(page, taken("10:12", KOELN), taken("10:15", KOELN), taken("10:30"), names=names)
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    until(page, "now.photos.length === 3")
    settled(page)
    together(page)
    assert page.locator("#timeline li.aside .file").all_inner_texts() == ["Screenshot_2.png"]
    assert "screenshot" in page.locator("#timeline li.aside .place").inner_text()
    assert page.evaluate("map.trip.map((stop) => stop.n)") == [1, 2]


def test_what_the_others_tell_is_in_the_downloads_and_in_claims(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    together(page)
    page.locator("#timeline button").nth(2).click()
    settled(page)
    page.locator("#claim").fill("Lisbon, Portugal")
    page.locator("#claims button").click()
    until(page, "document.querySelector('#verdict .contradicted') !== null")
    assert "minutes before it a photo of the same camera" in page.locator("#verdict").inner_text()
    with page.expect_download() as download:
        page.locator("#get-geojson").click()
    (feature,) = json.loads(Path(download.value.path()).read_text("utf-8"))["features"]
    assert feature["properties"]["taken"] == "2023-07-04T09:00:00Z"
    assert "sign.png" in feature["properties"]["witnesses"][0]


def test_a_page_that_is_loaded_again_weighs_each_photo_by_itself(visit: Callable[..., Any]) -> None:
    page = visit()
    trip(page)
    together(page)
    page.reload()
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    until(page, "now.photos.length === 3")
    settled(page)
    assert not page.locator("#together").is_checked()
    assert page.locator("#timeline").is_hidden()
    together(page)
    assert page.evaluate("map.trip.length") == 3


def test_the_first_look_at_an_album_holds_its_track(visit: Callable[..., Any]) -> None:
    page = visit()
    drop(page, ("walk.gpx", WALK), ("a.png", taken("10:00")), ("b.png", taken("11:00")))
    page.wait_for_selector("#timeline li", timeout=60_000)
    settled(page)
    page.wait_for_timeout(200)
    xys = page.evaluate("map.tracks.flat().map(([lat, lon]) => map.pixel({ lat, lon }))")
    width, height = page.evaluate("[map.w, map.h]")
    assert all(0 < x < width and 0 < y < height for x, y in xys)
    long = max(abs(a - b) for a in (y for _, y in xys) for b in (y for _, y in xys))
    assert long > 20  # and is not a point: it is 6 km long
    before = page.locator("#view").get_attribute("data-zoom")
    page.locator("#timeline button").nth(1).click()
    settled(page)
    page.wait_for_timeout(200)
    assert page.locator("#view").get_attribute("data-zoom") == before  # from photo to photo the map stays

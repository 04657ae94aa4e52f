"""The order of an album whose cameras show different clocks, and what the page says of those clocks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from browsing import needs_browser, send, settled, until
from PIL import Image
from stand_in.engine import KOELN, NOTHING, picture

pytestmark = needs_browser

PHONE, CAMERA = ("Google", "Pixel 7"), ("Canon", "Canon EOS 80D")


def taken(when: str, device: tuple[str, str], zone: str = "", text: int = NOTHING) -> bytes:
    """A photo of this clock time; without a zone its file does not tell UTC."""
    exif = Image.Exif()
    exif[0x10F], exif[0x110] = device
    times = {0x9003: f"2023:07:04 {when}:00"} if when else {}
    exif.get_ifd(0x8769).update({**times, **({0x9011: zone} if zone else {})})
    return picture(text, exif=exif)


def album(page: Any, *, clocks: str = "") -> None:
    """A phone in UTC, a camera two hours ahead without a zone, and a photo without a time, sent in another order."""
    send(
        page, taken("", PHONE), taken("14:10", CAMERA), taken("13:00", PHONE, "+00:00", KOELN),
        taken("12:00", PHONE, "+00:00", KOELN), names=("lost.png", "camera.png", "late.png", "early.png"),
    )  # fmt: skip
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=60_000)
    until(page, "now.photos.length === 4")
    settled(page)
    page.locator("#trip-more summary").click()
    page.fill("#clocks", clocks)
    page.locator("#together").check()
    until(page, "document.querySelectorAll('#timeline li').length === 4")
    settled(page)


def test_the_time_line_is_in_order_of_the_instant(visit: Callable[..., Any]) -> None:
    page = visit()
    album(page, clocks="Canon*=+2h")
    names = page.locator("#timeline .file").all_inner_texts()
    assert names == ["early.png", "camera.png", "late.png", "lost.png"]
    assert page.locator("#timeline .when").all_inner_texts() == [
        "2023-07-04 12:00 UTC", "2023-07-04 12:10 UTC (clock 14:10)", "2023-07-04 13:00 UTC", "no time",
    ]  # fmt: skip
    numbers = page.locator("#timeline li").evaluate_all("nodes => nodes.map((n) => n.dataset.n || '')")
    assert numbers == ["1", "2", "3", ""]
    page.fill("#clocks", "Canon*=0h")  # as the clock shows it, it is the last of the three
    page.locator("#clock-form button").click()
    until(page, "document.querySelector('#timeline .file').textContent === 'early.png' && !now.asking")
    until(page, "document.querySelectorAll('#timeline .file')[2].textContent === 'camera.png'")
    settled(page)


def test_a_clock_that_fits_no_camera_is_said_beside_its_field(visit: Callable[..., Any]) -> None:
    page = visit()
    album(page, clocks="Nikon*=+2h")
    said = page.locator("#clock-says").inner_text()
    assert "“Nikon*”, and no photo is of such a camera: they are of Canon EOS 80D, Google Pixel 7." in said
    example = page.locator("#clocks").get_attribute("placeholder")
    page.fill("#clocks", example)
    page.locator("#clock-form button").click()
    until(page, "document.getElementById('clock-says').textContent.includes('5.5 hours behind')")
    assert "no photo is of such a camera" not in page.locator("#clock-says").inner_text()
    settled(page)


def test_a_clock_that_is_assumed_is_set_on_the_page_and_not_by_an_option(visit: Callable[..., Any]) -> None:
    page = visit()
    album(page)
    page.locator("#timeline button", has_text="camera.png").click()
    settled(page)
    assert "--" not in page.locator("#trip-says").inner_text() + page.locator("#summary").inner_text()
    assert "set it under Clocks" in page.locator("#trip-says").inner_text()
    assert "set it under Clocks" in page.locator("#summary").inner_text()


def test_the_keyboard_stays_where_it_is_when_the_time_line_is_drawn_again(visit: Callable[..., Any]) -> None:
    page = visit()
    album(page)
    page.locator("#timeline button").nth(1).focus()
    page.keyboard.press("Enter")
    until(page, "now.chosen.name === document.querySelectorAll('#timeline .file')[1].textContent && now.view")
    settled(page)
    assert page.evaluate("document.activeElement === document.querySelectorAll('#timeline button')[1]")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    until(page, "now.chosen.name === document.querySelectorAll('#timeline .file')[2].textContent && now.view")
    settled(page)
    page.locator("#strip button").nth(0).focus()
    page.keyboard.press("Enter")
    until(page, "now.chosen.name === 'lost.png' && now.view")
    settled(page)
    assert page.evaluate("document.activeElement === document.querySelector('#strip button')")


def test_the_overview_has_the_numbers_of_the_time_line(visit: Callable[..., Any]) -> None:
    page = visit()
    album(page, clocks="Canon*=+2h")
    page.locator("#all").click()
    page.wait_for_selector("#found.overview")
    rows = page.locator("#summary tbody tr")
    told = [(row.locator("td").first.inner_text(), row.locator("th").inner_text()) for row in rows.all()]
    assert told == [("1", "early.png"), ("2", "camera.png"), ("3", "late.png"), ("–", "lost.png")]
    assert page.locator("#timeline [aria-current=true]").count() == 0
    until(page, "document.querySelectorAll('.pin:not([hidden]) .mark.stop').length === 1")
    until(page, "document.querySelector('.pin:not([hidden]) .mark.stop').textContent === '1 +1'")
    assert page.evaluate("map.trip.map((stop) => stop.n)") == [1, 3]
    assert "camera.png" in page.locator("#unplaced").inner_text()  # of another device, and not known to be with it
    assert "lost.png" in page.locator("#unplaced").inner_text()
    rows.nth(2).locator("button").click()
    settled(page)
    until(page, "document.querySelectorAll('#timeline li')[2].querySelector('[aria-current=true]')")
    page.wait_for_timeout(100)
    assert page.locator("#timeline [aria-current=true]").count() == 1

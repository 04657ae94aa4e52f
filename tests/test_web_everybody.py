"""The page with bad, large and hostile files, on small screens, with the keyboard alone, in light and dark."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import screenshots
from browsing import found, headline, lit, needs_browser, send, settled, until
from PIL import Image
from stand_in.engine import EVIL, HOSTILE, KOELN, picture
from web_server import Running, running, running_with_eyes

from geoagent.interfaces.web.limits import Limits

pytestmark = needs_browser


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
    assert "does not respond" in page.locator("#trouble").inner_text()
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


@pytest.fixture(scope="module")
def seeing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_with_eyes(tmp_path_factory.mktemp("world"), Limits(photo_mb=60)) as here:
        yield here


def test_everything_can_be_done_with_the_keyboard(visit: Callable[..., Any], seeing: Running) -> None:
    page = visit(url=seeing.url)
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

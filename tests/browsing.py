"""Driving the page in a browser: sending, waiting, and looking at what is lit."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import pytest
from stand_in.engine import KOELN, picture

for package in ("fastapi", "uvicorn"):
    pytest.importorskip(package, reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
if find_spec("playwright") is None:  # imported with the first browser, since that takes a second
    pytest.skip("playwright is not installed (pip install playwright)", allow_module_level=True)
CHROMIUM = os.environ.get(
    "GEOAGENT_CHROMIUM", next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
)
"""Path of the browser; set the variable to choose another, or to nothing for none."""
needs_browser = pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed (apt-get install chromium)")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@contextmanager
def visitors(browser: Any, server_url: str) -> Iterator[Callable[..., Any]]:
    """A way to open the page as one more person; what went wrong on any of their pages is checked at the end."""
    contexts, pages = [], []

    def open_page(width: int = 1280, height: int = 860, scheme: str = "light", url: str = server_url) -> Any:
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

"""The picture of the page that README shows; from the top of a checkout: python tests/screenshots.py [folder]."""

from __future__ import annotations

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image

EXAMPLE = "br_curitiba"
SIZE = (1280, 820)


def take(browser: Any, url: str, folder: Path) -> Path:
    """Let the page answer an example, point at a cue, and write what is seen."""
    context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="light")
    page = context.new_page()
    page.goto(url)
    page.locator(f"[data-example={EXAMPLE}]").click()
    page.wait_for_selector("#found:not([hidden]) #summary h1", timeout=120_000)
    page.locator("[data-cue='0']").hover()
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    context.close()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / "page.webp"
    picture.save(target, quality=88, method=6)
    return target


def main() -> None:
    """Take it with the real engine."""
    from playwright.sync_api import sync_playwright
    from web_server import running

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with running(ocr="auto") as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        target = take(browser, server.url, folder)
        browser.close()
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")  # noqa: T201


if __name__ == "__main__":
    main()

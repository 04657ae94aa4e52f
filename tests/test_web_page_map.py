"""The map and the fields of the page: what it shows of the world, what leads out of it, and who says what is wrong."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from browsing import found, headline, needs_browser, settled, until
from PIL import Image, ImageColor
from stand_in.engine import KOELN, NOTHING, picture
from web_server import Running

pytestmark = needs_browser


def view(page: Any) -> tuple[float, float, float]:
    """Zoom, latitude and longitude of the map."""
    box = page.locator("#view")
    lat, lon = map(float, box.get_attribute("data-centre").split(","))
    return float(box.get_attribute("data-zoom")), lat, lon


# --- fields ---


def test_each_field_says_what_is_wrong_with_it(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    page.fill("#hint", "Qwxzatl")
    page.fill("#exclude", "Zzyzzq")
    page.locator("#hints button[type=submit]").click()
    page.wait_for_selector("#hint-error:not([hidden])")
    assert "Qwxzatl" in page.locator("#hint-error").inner_text()
    assert "Zzyzzq" in page.locator("#exclude-error").inner_text()
    assert page.locator("#within-error").is_hidden()
    assert page.locator("#weigh-error").is_hidden()
    assert page.locator("#hint").get_attribute("aria-invalid") == "true"
    page.fill("#claim", "Köln")  # what is wrong elsewhere is not in the way
    page.locator("#claims button").click()
    until(page, "document.querySelector('#verdict h3')?.textContent.startsWith('Supported')")
    page.fill("#hint", "Germany")
    page.fill("#exclude", "")
    page.locator("#hints button[type=submit]").click()
    until(page, "document.getElementById('hint-error').hidden && document.getElementById('exclude-error').hidden")
    assert page.locator("#hint").get_attribute("aria-invalid") == "false"


def test_what_is_wrong_is_said_under_the_label_of_its_field(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    page.fill("#within", "Zzyzzq")
    page.fill("#exclude", "Zzyzzq")
    page.locator("#hints button[type=submit]").click()
    page.wait_for_selector("#within-error:not([hidden])")
    assert page.locator("#within-error").inner_text().startswith("Only in: 'Zzyzzq'")
    assert page.locator("#exclude-error").inner_text().startswith("Not in: 'Zzyzzq'")


def test_the_examples_in_the_fields_earn_no_warning(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    for name in ("hint", "within", "exclude"):
        page.fill(f"#{name}", page.locator(f"#{name}").get_attribute("placeholder"))
    page.locator("#hints button[type=submit]").click()
    until(page, "now.view.exact.cues.some((cue) => cue.kind === 'within')")
    assert page.locator("#summary .note").count() == 0
    assert page.locator("#weigh .note:not([hidden])").count() == 0


def test_countries_that_are_ruled_out_are_not_listed(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(NOTHING))
    page.fill("#within", "China")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#summary h1').textContent === 'China'")
    countries = page.locator("#others .share").all_inner_texts()
    assert [text.split("\n")[0] for text in countries] == ["China"]
    assert "together" not in page.locator("#others").inner_text()
    shares = '[["DE", 0.97], ["AT", 0.02], ["CH", 0.004], ["FR", 0.003], ["AD", 0.0000001]]'
    lines = page.evaluate(f"countriesOf({{ countries: {shares} }}).map((node) => node.textContent)")
    assert lines == ["Countries", "Germany97 %", "Austria2 %", "2 others together: 1 %"]


def test_the_words_of_the_command_line_are_not_those_of_the_page(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    assert "0.7 doubles the odds, 2.3 makes them ten times as high" in page.locator("#cues").inner_text()
    page.locator("#precision").select_option("country")
    until(page, "document.querySelector('#summary h1').textContent === 'Germany'")
    words = page.locator("#found").inner_text()
    assert "withheld at this precision" in words
    assert "max_precision" not in words


def test_the_api_names_the_fields(server: Running) -> None:
    id = server.photo("/api/locate", picture(KOELN)).headers["x-observation"]
    reply = server.post("/api/view", observation=id, hint="Qwxzatl", within="DE")
    assert reply.status == 400
    assert list(reply.json["fields"]) == ["hint"]
    reply = server.post("/api/verify", observation=id, claim="Qwxzatl")
    assert list(reply.json["fields"]) == ["claim"]


# --- the map ---


def test_a_country_is_shown_and_not_the_world_or_its_capital(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(NOTHING))
    page.fill("#hint", "Portugal")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#summary h1').textContent === 'Portugal'")
    page.wait_for_timeout(200)
    zoom, lat, lon = view(page)
    assert zoom > 4
    assert (lat, lon) == pytest.approx((39.6, -7.9), abs=1.2)
    summary = page.locator("#summary").inner_text()
    assert "°" not in summary
    assert "No more than the country can be told" in summary
    assert page.locator(".pin[aria-label^='Best place']").count() == 0
    assert page.evaluate("map.circles.length") == 0
    assert page.evaluate("map.belief.length") > 0
    assert page.locator("#legend", has_text="Cells with 90 %").count() == 1


def test_reset_brings_the_map_back(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    page.wait_for_timeout(200)
    before = view(page)
    page.evaluate("map.fit([{ lat: 35, lon: 139 }], 9)")
    until(page, "document.getElementById('view').dataset.zoom === '9.000'")
    page.locator("#reset").click()
    settled(page)
    page.wait_for_timeout(200)
    assert view(page) == pytest.approx(before, abs=0.01)


def test_towns_are_named_where_the_map_is_near(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    page.evaluate("map.fit([now.view.answer.best], 9)")
    until(page, "map.towns.length && ['Köln', 'Bonn'].includes(map.towns[0].name)")
    until(page, "Number(document.getElementById('view').dataset.towns) > 5")
    page.evaluate("map.fit([])")
    until(page, "map.towns.length === 0")


@pytest.mark.parametrize(
    ("box", "names", "status"),
    [
        ({"south": 50, "north": 52, "west": 6, "east": 8}, {"Köln", "Düsseldorf"}, 200),
        ({"south": -20, "north": -15, "west": 170, "east": 185}, {"Suva"}, 200),
        ({"south": -20, "north": -15, "west": -190, "east": -175}, {"Suva"}, 200),
        ({"south": 52, "north": 50, "west": 6, "east": 8}, set(), 400),
        ({"south": 50, "north": 52, "west": 6, "east": 9999}, set(), 422),
    ],
)
def test_towns_of_a_box(server: Running, box: dict[str, float], names: set[str], status: int) -> None:
    reply = server.get("/api/towns?" + "&".join(f"{key}={value}" for key, value in box.items()))
    assert reply.status == status
    if status == 200:
        found_names = [town["name"] for town in reply.json]
        assert names <= set(found_names)
        sizes = [town["population"] for town in reply.json]
        assert sizes == sorted(sizes, reverse=True)


def test_tiles_are_loaded_only_after_the_button(browser: Any, server: Running) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    context.route("https://tile.openstreetmap.org/**", lambda route: route.abort())
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.url)
    page.wait_for_selector("#examples li")
    found(page, picture(KOELN))
    page.wait_for_timeout(400)
    assert all(url.startswith((server.url, "blob:", "data:")) for url in asked)
    with page.expect_request("https://tile.openstreetmap.org/**") as first:
        page.locator("#tiles").click()
    assert first.value.headers.get("referer", server.url) == server.url
    until(page, "document.getElementById('credit').textContent.includes('No tiles could be loaded')")
    assert page.locator("#tiles").inner_text().startswith("Load online map tiles")  # it is back on its own map
    assert page.locator("#tiles").get_attribute("aria-pressed") == "false"
    assert page.evaluate("map.tiles === null")
    until(page, "Number(document.getElementById('view').dataset.towns) > 5")
    context.close()


def land_of(page: Any) -> float:
    """Share of the map that has the colour of land, by a screenshot: a canvas with tiles of others cannot be read."""
    page.wait_for_timeout(300)
    shot = np.asarray(Image.open(io.BytesIO(page.locator("#view canvas").first.screenshot())).convert("RGB"), dtype=int)
    name = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--land').trim()")
    land = np.array(ImageColor.getrgb(name)[:3])
    return float((np.abs(shot - land).max(axis=-1) <= 3).mean())


def test_where_a_tile_is_missing_the_own_map_is_seen(browser: Any, server: Running) -> None:
    """Tiles of the west come, those of the east do not: land and towns of the east stay."""
    grey = io.BytesIO()
    Image.new("RGB", (256, 256), (120, 120, 120)).save(grey, "PNG")
    context = browser.new_context(viewport={"width": 1280, "height": 860})
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("#examples li")
    found(page, picture(KOELN))
    page.evaluate("map.show.cells = map.show.radii = map.show.shade = false; map.fit([{ lat: 50.94, lon: 6.96 }], 8)")
    until(page, "map.towns.length > 20 && Number(document.getElementById('view').dataset.towns) > 5")
    before, towns = land_of(page), int(page.locator("#view").get_attribute("data-towns"))
    middle = page.evaluate("Math.floor(map.x * 2 ** Math.round(map.z))")

    def answer(route: Any) -> None:
        west = int(route.request.url.split("/")[-2]) <= middle
        return route.fulfill(body=grey.getvalue(), content_type="image/png") if west else route.abort()

    context.route("https://tile.openstreetmap.org/**", answer)
    page.locator("#tiles").click()
    page.wait_for_timeout(1500)  # requests are answered meanwhile, and not while something else is evaluated
    until(
        page, "map.tiles.loaded > 0 && map.tiles.failed > 0 && map.tiles.loaded + map.tiles.failed === map.tiles.asked"
    )
    land = land_of(page)
    assert 0.15 * before < land < 0.85 * before
    assert 0 < int(page.locator("#view").get_attribute("data-towns")) < towns
    assert page.locator("#tiles").inner_text() == "Hide map tiles"
    context.close()


def test_the_first_view_fits_what_is_believed_and_zooming_keeps_the_place(visit: Callable[..., Any]) -> None:
    page = visit()
    found(page, picture(KOELN))
    page.wait_for_timeout(200)
    r90 = page.evaluate("now.view.answer.best.r90")
    wide = page.evaluate("2 * Math.PI * 6371 * Math.cos(51 * Math.PI / 180) / map.size * Math.min(map.w, map.h)")
    room = max(40, min(3 * r90, 120), 1.2 * r90)
    assert 2 * room < wide < 4 * room
    tip = "map.pixel(now.view.answer.best)"
    width, height = page.evaluate("[map.w, map.h]")
    assert page.evaluate(tip) == pytest.approx([width / 2, height / 2], abs=5)
    page.evaluate("map.pan(150, -60)")
    for _ in range(4):
        page.locator("#in").click()
    page.locator("#view").focus()
    for _ in range(4):
        page.keyboard.press("+")
    assert page.evaluate(tip) == pytest.approx([width / 2 - 150, height / 2 + 60], abs=8)


def test_the_api_has_geojson_of_several(server: Running) -> None:
    ids = [server.photo("/api/locate", picture(KOELN)).headers["x-observation"] for _ in range(2)]
    reply = server.post("/api/export", observations=ids, kind="geojson")
    assert len(reply.json["features"]) == 2


def test_links_lead_out_and_coordinates_can_be_copied(browser: Any, server: Running) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(server.url)
    page.wait_for_selector("#examples li")
    found(page, picture(KOELN))
    best = page.evaluate("[now.view.answer.best.lat, now.view.answer.best.lon]")
    links = page.locator("#summary .links a")
    hosts = [link.get_attribute("href").split("/")[2] for link in links.all()]
    assert hosts == ["www.openstreetmap.org", "www.google.com", "www.mapillary.com"]
    for link in links.all():
        assert link.get_attribute("rel") == "noopener noreferrer"
        assert f"{best[0]:.5f}" in link.get_attribute("href")
    page.locator("#summary .links button").click()
    until(page, "document.querySelector('#summary .links button').textContent === 'Copied'")
    assert page.evaluate("navigator.clipboard.readText()") == f"{best[0]:.5f}, {best[1]:.5f}"
    known = page.evaluate("now.view.answer.alternatives.filter((alt) => alt.lat !== null).length")
    assert page.locator("#others .links").count() == known
    assert headline(page).startswith("Köln")
    context.close()

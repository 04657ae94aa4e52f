"""The map page in a real browser."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from albums import CAMERA, LYON, PARIS, album
from albums import photo as photo_of
from answers import ALL, OUTLINES, error, fiji, full, no_cues, nowhere, photo
from browsing import needs_browser

from geoagent import GeoAgent
from geoagent.agent.album_run import answer_of
from geoagent.answer import Answer
from geoagent.interfaces.render.map import map_html
from geoagent.places.geo import LatLon

pytestmark = needs_browser


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open answers as a page; `page.said` is what went wrong, `page.asked` which hosts it asked for something."""
    contexts = []

    def open_page(answer: Answer | list[Answer], *, width: int = 1280, height: int = 860, **options: Any) -> Any:
        file = tmp_path / "answer.html"
        file.write_text(map_html(answer, outlines=OUTLINES, **options), encoding="utf-8")
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda problem: page.said.append(str(problem)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.route("http*://**", lambda route: route.abort())
        page.goto(file.as_uri())
        page.wait_for_function("document.getElementById('view').dataset.zoom !== undefined")
        page.asked = [url for url in page.asked if not url.startswith(("file:", "data:"))]
        return page

    yield open_page
    for context in contexts:
        context.close()


def view(page: Any) -> tuple[float, float, float]:
    """Zoom, latitude and longitude of the middle, once the page has drawn."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    zoom, centre = page.evaluate(
        "[document.getElementById('view').dataset.zoom, document.getElementById('view').dataset.centre]"
    )
    lat, lon = centre.split(",")
    return float(zoom), float(lat), float(lon)


@pytest.mark.parametrize("name", sorted(ALL))
@pytest.mark.parametrize("width", [1280, 390])
def test_page_runs_without_a_complaint_and_asks_nobody(name: str, width: int, show: Callable[..., Any]) -> None:
    page = show(ALL[name](), width=width, photo=photo())
    assert page.said == []
    assert page.asked == []
    assert page.evaluate("window.pwned") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").inner_text()


def test_everything_that_counts_can_be_read(show: Callable[..., Any]) -> None:
    page = show(full(), photo=photo())
    words = page.locator("#panel").inner_text()
    for part in (
        "Stuttgart, Baden-Württemberg, Germany", "8.4 km", "46 km", "96 %", "+49 711", "+4.2", "−0.6",
        "Without it: Linz", "Picture only", "Text only", "The text moved the answer by", "Mannheim",
        "text below 12 px", "fingerprint", "It was not used",
    ):  # fmt: skip
        assert part in page.locator("#panel").inner_text() or part in page.locator("#panel").text_content(), (
            part,
            words,
        )
    assert page.locator(".cues .cue").count() == 4
    assert page.locator(".pin").count() == 7  # best, picture, text, file, three alternatives


def test_a_cue_lights_its_regions(show: Callable[..., Any]) -> None:
    page = show(full(), photo=photo())
    assert page.locator(".photo .hot").count() == 0
    page.locator("[data-cue='1']").focus()
    assert page.locator(".photo .hot").evaluate_all("nodes => nodes.map((n) => n.dataset.region)") == ["0", "2"]
    page.locator("[data-cue='0']").hover()
    assert "1" in page.locator(".photo .hot").evaluate_all("nodes => nodes.map((n) => n.dataset.region)")


def test_keyboard_moves_and_zooms(show: Callable[..., Any]) -> None:
    page = show(full())
    page.locator("#view").focus()
    zoom, lat, lon = view(page)
    page.keyboard.press("+")
    assert view(page)[0] == pytest.approx(zoom + 1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    moved = view(page)
    assert moved[2] > lon
    assert moved[1] > lat
    page.keyboard.press("0")
    assert view(page) == pytest.approx((zoom, lat, lon), abs=1e-3)


def test_mouse_wheel_and_drag(show: Callable[..., Any]) -> None:
    page = show(full())
    zoom, _, lon = view(page)
    page.mouse.move(300, 600)
    page.mouse.down()
    page.mouse.move(200, 600)
    page.mouse.up()
    assert view(page)[2] > lon
    page.mouse.wheel(0, -400)
    page.wait_for_function(f"Number(document.getElementById('view').dataset.zoom) > {zoom}")


def test_pins_stand_where_their_places_are(show: Callable[..., Any]) -> None:
    """The tip of the best place's pin is the middle of the map once the map is centred there."""
    page = show(fiji())
    page.locator(".pin[aria-label^='Best place']").click()
    _, lat, lon = view(page)
    assert (lat, lon) == pytest.approx((-16.8, 179.6), abs=0.2)
    box, map_box = page.locator(".pin[aria-label^='Best place']").bounding_box(), page.locator("#view").bounding_box()
    assert box["x"] + 15 == pytest.approx(map_box["x"] + map_box["width"] / 2, abs=8)


def test_the_date_line_does_not_tear_the_answer_apart(show: Callable[..., Any]) -> None:
    page = show(fiji())
    zoom, _, lon = view(page)
    assert zoom > 2.5  # both sides fit without showing the whole world
    assert lon > 170 or lon < -170
    xs = [page.locator(".pin").nth(i).bounding_box()["x"] for i in range(page.locator(".pin").count())]
    assert all(0 <= x <= 810 for x in xs)


def test_a_radius_of_half_the_world_shows_the_world(show: Callable[..., Any]) -> None:
    page = show(no_cues().model_copy(update={"radius_90_km": 13_000.0}))
    assert view(page)[0] < 3
    assert page.said == []


def test_an_answer_that_names_no_place_points_at_none(show: Callable[..., Any]) -> None:
    page = show(nowhere())
    assert page.locator("h1").inner_text() == "No place can be named"
    assert page.locator(".pin").count() == 0
    assert view(page)[0] < 3


def test_cells_and_layers_can_be_switched(show: Callable[..., Any]) -> None:
    """Cells take the place of the countries' shade; a switch changes what is drawn."""
    square = [[(8, 48), (10, 48), (10, 50), (8, 50), (8, 48)]]
    page = show(full(), cells=[(square, 0.8)])
    drawn = "document.getElementById('canvas').toDataURL()"
    view(page)
    before = page.evaluate(drawn)
    switch = page.locator("#legend label", has_text="Probability of map cells").locator("input")
    assert switch.is_checked()
    assert not page.locator("#legend label", has_text="Probability of countries").locator("input").is_checked()
    switch.uncheck()
    view(page)
    assert page.evaluate(drawn) != before


def test_tiles_are_asked_for_only_after_the_button(show: Callable[..., Any]) -> None:
    page = show(full())
    assert page.asked == []
    with page.expect_request("https://tile.openstreetmap.org/**"):
        page.locator("#tiles").click()
    page.wait_for_selector("#credit:has-text('No tiles could be loaded')")
    assert page.locator("#tiles").get_attribute("aria-pressed") == "false"


def test_several_photos_can_be_chosen_between(show: Callable[..., Any]) -> None:
    page = show([full(), error(), no_cues()])
    assert page.locator("[data-pick]").count() == 3
    page.locator("[data-pick='2']").click()
    assert "Cape Town" in page.locator("h1").inner_text()
    assert view(page)[1:] == pytest.approx((-33.9, 18.6), abs=4)  # Mercator: not quite the middle
    page.locator("[data-pick='1']").click()
    assert page.locator("h1").inner_text() == "No answer"
    assert page.said == []


def test_photos_of_an_album_are_a_trip_in_order_of_time(show: Callable[..., Any], agent: GeoAgent) -> None:
    taken = [
        photo_of(agent, "late", 1500, PARIS),
        photo_of(agent, "early", 0, LYON),
        photo_of(agent, "between", 20, LYON),
    ]
    made = album(agent, [*taken, photo_of(agent, "last", 1520, PARIS)])
    page = show([answer_of(agent, made, key) for key in made.photos])
    trip = page.evaluate("map.trip.map((place) => place.lat)")
    assert trip == sorted(trip)
    assert len(trip) == 4
    assert "2023-07-04 08:20 UTC" in page.locator("[data-pick='2']").inner_text()
    assert page.said == []
    assert page.evaluate("map.trip.length") == 4
    plain = show([full(), no_cues()])
    assert plain.evaluate("map.trip.length") == 0


FIJI = (LatLon(-16.8, 179.6), LatLon(-17.6, -178.9))
"""On both sides of the date line."""


def trip_of(agent: GeoAgent, *, fiji: bool = False, **settings: Any) -> list[Answer]:
    """Answers of an album in an order that is not that of time: Lyon, then Paris, and a photo that takes no part."""
    first, last = FIJI if fiji else (LYON, PARIS)
    under = agent.using(**settings) if settings else agent
    made = album(
        under,
        [
            photo_of(under, "last.jpg", 1520, last),
            photo_of(under, "late.jpg", 1500, last),
            photo_of(under, "screen.jpg", 30, form="screenshot", why_form="it has the size of a screen"),
            photo_of(under, "early.jpg", 0, first),
            photo_of(under, "between.jpg", 20, first),
        ],
    )
    return [answer_of(under, made, key) for key in made.photos]


def marks(page: Any) -> list[str]:
    return list(page.locator("#times button").evaluate_all("nodes => nodes.map((n) => n.getAttribute('aria-label'))"))


def drawn(page: Any) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_the_time_line_has_one_mark_a_photo(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent))
    assert [label.split(" · ")[-1] for label in marks(page)] == ["early.jpg", "between.jpg", "late.jpg", "last.jpg"]
    assert marks(page)[0].startswith("1 of 4 · 2023-07-04 08:00 UTC · Lyon")
    assert page.locator("#times .day").all_inner_texts() == ["2023-07-04", "2023-07-05"]
    lefts = page.locator("#times button").evaluate_all("nodes => nodes.map((n) => n.getBoundingClientRect().left)")
    assert lefts == sorted(lefts)
    assert min(b - a for a, b in itertools.pairwise(lefts)) >= 27  # none hides another
    assert page.locator(".pickers .row").all_inner_texts()[-1].startswith("5")  # what takes no part comes last
    assert "screen.jpg" in page.locator(".pickers .row").all_inner_texts()[-1]
    assert page.said == []
    assert page.asked == []


def test_points_have_the_numbers_of_the_time_line(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent))
    page.locator("#times button").nth(0).click()
    page.evaluate("map.fit(map.trip)")
    drawn(page)
    shown = page.locator(".pin:not([hidden]) .mark.stop").all_inner_texts()
    assert sorted(shown) == ["2", "3–4"]  # those in one place are one point
    assert page.locator(".pin[data-stop='1'] .mark.best").count() == 1
    assert "Taken 2023-07-04 08:00 UTC" in page.locator("#panel").inner_text()


def test_mark_point_and_row_light_one_another(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent))
    page.locator("#times button").nth(0).click()
    page.locator("#times button").nth(2).hover()
    hot = "nodes => nodes.map((n) => n.dataset.stop)"
    assert set(page.locator(".hot[data-stop]").evaluate_all(hot)) == {"3"}
    assert page.locator(".row.hot").inner_text().startswith("3")
    assert page.evaluate("map.hot") == 3
    page.locator(".pickers .row").nth(1).hover()
    assert page.locator("#times .hot").inner_text() == "2"
    page.locator("h1").hover()
    assert page.locator(".hot[data-stop]").count() == 0
    page.evaluate("map.fit(map.trip)")
    drawn(page)
    page.locator(".pin[data-stop='3']:not([hidden]), .pin[data-stop='4']:not([hidden])").first.click()
    assert page.locator("#panel > .source").inner_text() in ("late.jpg", "last.jpg")


def test_arrow_keys_go_from_photo_to_photo(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent), width=390)
    page.locator("#times button").nth(0).click()
    told = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home"):
        page.keyboard.press(key)
        told.append(page.locator("#panel > .source").inner_text())
    assert told == ["between.jpg", "late.jpg", "between.jpg", "last.jpg", "last.jpg", "early.jpg"]
    assert page.evaluate("document.activeElement.textContent") == "1"
    tabs = page.locator("#times button").evaluate_all("nodes => nodes.map((n) => n.tabIndex)")
    assert tabs == [0, -1, -1, -1]  # the line is one stop of the Tab key
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_trip_over_the_date_line_takes_the_shorter_way(show: Callable[..., Any], agent: GeoAgent) -> None:
    """With the whole world in sight and Europe in its middle, nothing is drawn across it."""
    page = show(trip_of(agent, fiji=True))
    middle = """() => {
      map.tiles = null; Object.assign(map.show, { shade: false, radii: false, dots: false });
      map.move(0.5, 0.5, 0);
      return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        const c = map.context, y = Math.round((map.h / 2 + (my(-17.2) - map.y) * map.size) * map.ratio);
        done([...c.getImageData(0, y - 12, map.canvas.width, 24).data].join());
      })));
    }"""
    with_trip = page.evaluate(middle)
    page.evaluate("map.show.trip = false")
    without = page.evaluate(middle)
    width = page.evaluate("map.canvas.width")
    changed = {
        (i // 4) % width
        for i, (a, b) in enumerate(zip(with_trip.split(","), without.split(","), strict=True))
        if a != b
    }
    assert changed
    size = page.evaluate("map.size * map.ratio")
    seam = [width / 2 - size / 2, width / 2 + size / 2]
    assert all(min(abs(x - at) for at in seam) < 30 for x in changed)


def test_a_trip_that_is_capped_tells_no_times(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent, max_precision="country"))
    assert page.locator("#times").is_hidden()
    assert page.evaluate("map.trip.length") == 0
    assert "2023-07-04" not in page.content()


def test_a_photo_without_a_place_shows_the_trip(show: Callable[..., Any], agent: GeoAgent) -> None:
    page = show(trip_of(agent))
    page.locator("[data-pick='2']").click()
    assert "No place can be named" in page.locator("h1").inner_text()
    assert "It takes no part in the album: it has the size of a screen." in page.locator("#panel").inner_text()
    assert view(page)[0] > 4
    plain = show([full(), no_cues()])
    assert plain.locator("#times").is_hidden()


def test_the_time_line_of_two_clocks_is_in_order_of_the_instant(show: Callable[..., Any], agent: GeoAgent) -> None:
    photos = [
        photo_of(agent, "late", 60, LYON, ahead_h=0),
        photo_of(agent, "camera", 10, LYON, device=CAMERA, zone=False),
        photo_of(agent, "early", 0, LYON, ahead_h=0),
    ]
    made = album(agent, photos, clocks=(("Canon*", 2.0),))
    page = show([answer_of(agent, made, key) for key in made.photos])
    assert [label.split(" · ")[-1] for label in marks(page)] == ["early", "camera", "late"]


def test_a_country_alone_has_no_dot_on_its_capital(show: Callable[..., Any]) -> None:
    answer = full()
    page = show(answer)
    assert page.evaluate("map.dots.length") == len(answer.neighbours) > 0
    best = answer.best.model_copy(update={"precision": "country", "place": None, "admin1": None})
    places = [each.model_copy(update={"similarity": None}) for each in answer.neighbours]
    page = show(answer.model_copy(update={"best": best, "neighbours": places}))
    assert page.evaluate("map.dots.length") == 0
    assert page.locator("#legend", has_text="Places behind the estimate").count() == 0


def test_a_photo_that_takes_no_part_does_not_move_the_first_look(show: Callable[..., Any], agent: GeoAgent) -> None:
    answers = trip_of(agent)
    aside = answers[2].model_copy(update={"best": no_cues().best, "radius_90_km": 40.0})  # a screenshot of Cape Town
    page = show([*answers[:2], aside, *answers[3:]])
    assert page.evaluate("PLACED.length") == 4
    _, lat, lon = view(page)
    assert (lat, lon) == pytest.approx((47.3, 3.6), abs=1)  # between Lyon and Paris

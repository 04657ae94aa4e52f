"""The two figures of a report: the photo with its numbered regions, and the map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from geoagent.answer import Answer
from geoagent.interfaces.render import UNREAD, alone_text, cue_colours, halves, is_blank, place_text, region_numbers
from geoagent.interfaces.render._chart import City, Pin, chart
from geoagent.interfaces.render._evidence import Names, placed, where_text
from geoagent.interfaces.render._html import Kids, el
from geoagent.interfaces.render._page import small_photo
from geoagent.interfaces.render.annotate import free_spot
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import LatLon, haversine_km
from geoagent.types import Photo

_MOST_TOWNS = 60


def figures(
    answer: Answer, photo: Photo | None, outlines: Mapping[str, Any], gazetteer: Gazetteer | None, names: Names
) -> Element:
    """Photo, if there is one, and map, side by side where there is room."""
    drawn = _map(answer, outlines, gazetteer, names)
    if photo is None:
        return el("div", {"class": "figures alone"}, drawn)
    return el("div", {"class": "figures"}, _picture(answer, photo), drawn)


def _picture(answer: Answer, photo: Photo) -> Element:
    small = small_photo(photo)
    width, height = small["width"], small["height"]
    size = {"width": f"{width:g}", "height": f"{height:g}"}
    svg = el("svg", {"class": "picture", "viewBox": f"0 0 {width:g} {height:g}", "role": "img"})
    svg.set("aria-label", "The photo, with the regions that cues rest on")
    svg.append(el("image", {"href": small["src"], **size}))
    colours, numbers = cue_colours(answer.cues), region_numbers(answer)
    radius, taken = max(width, height) / 55, list[tuple[float, float]]()
    badges = []
    for index, region in enumerate(answer.regions):
        if len(region.polygon_px) < 3:
            continue
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in region.polygon_px)
        own = numbers.get(index, [])
        if not own:
            svg.append(el("polygon", {"class": "idle", "points": points}))
            continue
        svg.append(el("polygon", {"class": "case", "points": points}))
        svg.append(el("polygon", {"class": "seen", "points": points, "stroke": colours[own[0] - 1]}))
        left, middle = min(x for x, _ in region.polygon_px), (region.polygon_px[0][1] + region.polygon_px[-1][1]) / 2
        for number in reversed(own):
            x, y = _beside(left - 1.3 * radius, middle, radius, (round(width), round(height)), taken)
            taken.append((x, y))
            badges.append(
                el("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:.1f}", "fill": colours[number - 1]})
            )
            at = {"x": f"{x:.1f}", "y": f"{y:.1f}", "dy": "0.36em", "font-size": f"{1.25 * radius:.1f}"}
            badges.append(el("text", at, str(number)))
    svg.extend(badges)
    for place in answer.unread:
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in place.polygon_px)
        svg.append(el("polygon", {"class": "under", "points": points}))
        svg.append(el("polygon", {"class": "unread", "points": points}, el("title", {}, UNREAD)))
    says = "The photo, made small. Numbers are those of the cues below" if numbers else "The photo, made small"
    idle = any(i not in numbers for i in range(len(answer.regions)))
    keys = ["dashed: text that spoke for no place"] if idle else []
    keys += [f"dashed in black and white: {UNREAD}"] if answer.unread else []
    return el("figure", {}, svg, el("figcaption", {}, "; ".join([says, *keys]) + "."))


def _beside(
    x: float, y: float, radius: float, size: tuple[int, int], taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """The nearest free place to the left, where a badge hides no letter of its line; else any that is free."""
    start = x
    while x > radius:
        if all((x - a) ** 2 + (y - b) ** 2 >= (2 * radius) ** 2 for a, b in taken):
            return x, y
        x -= 0.5 * radius
    return free_spot(start, y, radius, size, taken)


def map_of(
    answer: Answer, outlines: Mapping[str, Any], gazetteer: Gazetteer | None, names: Names
) -> tuple[Element, list[Kids], str]:
    """The map of an answer as SVG, its legend, and what it shows in words."""
    best = placed(answer.best)
    pins = [Pin("best", best, place_text(answer.best).split(",")[0])] if best is not None else []
    beside = (("vision", answer.vision_only), ("text", answer.text_only)) if halves(answer) else ()
    for kind, seen in beside:
        at = placed(seen.best) if seen is not None else None
        if at is not None and (best is None or best.distance_km(at) > 1):
            pins.append(Pin(kind, at))
    if answer.exif_gps is not None:
        pins.append(Pin("file", LatLon(answer.exif_gps.lat, answer.exif_gps.lon)))
    pins += [
        Pin("alt", LatLon(other.lat, other.lon), str(i))
        for i, other in enumerate(answer.alternatives, start=1)
        if other.lat is not None and other.lon is not None and best is not None
    ]
    vague = answer.best is None or answer.best.precision == "country"
    radii = None
    if best is not None and answer.radius_50_km is not None and answer.radius_90_km is not None:
        radii = (answer.radius_50_km, answer.radius_90_km)
    says = f"Map: {where_text(answer.best, names)}"
    svg = chart(
        outlines,
        pins,
        shares={} if is_blank(answer) else {share.code: share.p for share in answer.countries},
        radii_km=radii,
        # Of a country, towns would be the ones around the place that stands for it.
        cities=None if gazetteer is None or vague else _towns(gazetteer),
        names=names,
        says=says,
    )
    keys = [
        ("best", "this answer"),
        ("vision", alone_text(answer)),
        ("text", "text only"),
        ("file", "what the file says"),
    ]
    kinds = {pin.kind for pin in pins}
    legend: list[Kids] = [_key(kind, says) for kind, says in keys if kind in kinds]
    if radii is not None:
        legend.append("Circles: 50 % and 90 % radius. ")
    if "alt" in kinds:
        legend.append("Numbers: other places, listed below. ")
    if not is_blank(answer):
        legend.append("The redder a country, the likelier.")
    source = str(outlines.get("attribution") or "")
    return svg, [*legend, f" Borders: {source}" if source else None], says


def _map(answer: Answer, outlines: Mapping[str, Any], gazetteer: Gazetteer | None, names: Names) -> Element:
    svg, legend, _ = map_of(answer, outlines, gazetteer, names)
    return el("figure", {}, svg, el("figcaption", {}, legend))


def _key(kind: str, says: str) -> Element:
    shapes = {
        "best": [el("path", {"d": "M0 8C-3 2-7 0-7-3A7 7 0 0 1 7-3C7 0 3 2 0 8Z"}), el("circle", {"cy": -3, "r": 2.4})],
        "vision": [el("circle", {"r": 6})],
        "text": [el("path", {"d": "M0-7L7 0L0 7L-7 0Z"})],
        "file": [el("path", {"d": "M-6-6H6V6H-6Z"})],
    }
    icon = el(
        "svg", {"viewBox": "-10 -10 20 20", "aria-hidden": "true"}, el("g", {"class": f"pin {kind}"}, shapes[kind])
    )
    return el("span", {"class": "legend"}, icon, says)


def _towns(gazetteer: Gazetteer) -> Callable[[LatLon, float], Sequence[City]]:
    """Towns by population, within a distance of a place."""
    cities = gazetteer.cities

    def within(centre: LatLon, km: float) -> Sequence[City]:
        known = np.flatnonzero(cities.population > 0)
        near = known[haversine_km(cities.latlon[known], [centre.lat, centre.lon]) <= km]
        most = near[np.argsort(-cities.population[near], kind="stable")[:_MOST_TOWNS]]
        return [City(cities.name(int(i)), LatLon(*cities.latlon[i].tolist())) for i in most]

    return within

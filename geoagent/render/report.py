"""An answer as a document: one HTML file to hand to somebody who must decide what to make of it.

The page has no script and asks nobody for anything: its Content-Security-Policy allows one style by its hash, and
pictures that are in the file. It is made of elements (`_html`), so that nothing that a sign or a file name says can
become markup. `map` makes the page to explore an answer with.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np

from geoagent import __version__
from geoagent.answer import Answer, Best, CueReport
from geoagent.errors import InputError
from geoagent.gazetteer import Gazetteer
from geoagent.geo import LatLon, haversine_km
from geoagent.render import (
    NO_CUES,
    PRECISION_SAYS,
    change_text,
    coordinates_text,
    cue_colours,
    km_text,
    nats_text,
    percent_text,
    place_text,
    region_numbers,
    shown,
)
from geoagent.render._account import caveats, facts, method
from geoagent.render._chart import City, Pin, chart
from geoagent.render._html import Kids, el, markup, say
from geoagent.render._page import asset, fill, policy, small_photo
from geoagent.render.annotate import free_spot
from geoagent.types import Photo

Names = Callable[[str], str]
_MOST_TOWNS = 60


def report_html(
    answer: Answer,
    *,
    photo: Photo | None,
    outlines: Mapping[str, Any],
    command: str,
    gazetteer: Gazetteer | None = None,
    card: Mapping[str, Any] | None = None,
    digest: str | None = None,
    made: date | None = None,
) -> str:
    """Return one self-contained HTML page about one answer, to be read, printed and sent on.

    It shows what the answer discloses and no more; of a capped answer the caller leaves out the photo, and out of the
    command what would tell the place.

    Args:
        answer: the answer; an error answer is shown as such.
        photo: the photo, embedded small and without metadata. None leaves it out.
        outlines: GeoJSON FeatureCollection of countries, lon/lat, each feature with the property `country` (ISO code).
        command: what to run for the same answer; "" leaves it out.
        gazetteer: names of countries, and towns to find one's way by on the map; without it countries are codes.
        card: what the world was made from, with its figures.
        digest: SHA-256 of the photo's file, so that a reader can tell which file it was.
        made: the day of the report.

    Raises:
        InputError: outlines that are no FeatureCollection.
    """
    if not isinstance(outlines.get("features"), list):
        raise InputError("outlines must be a GeoJSON FeatureCollection with a list 'features'")

    def names(code: str) -> str:
        place = gazetteer.country(code) if gazetteer is not None else None
        return place.name if place is not None else code

    body = el("main", {}, _kicker(answer, made), _headline(answer, names), _warnings(answer))
    if answer.status != "error":
        body.extend(
            [
                _figures(answer, photo, outlines, gazetteer, names),
                *_section("Why: cues in the scene", _cues(answer, names)),
                *_section("What picture and text say by themselves", _comparison(answer, names)),
                *_section("Other places that the evidence allows", _others(answer, names)),
                *_section("Text read in the photo", _read(answer)),
                *_section("What the file says about itself", _file_says(answer)),
                *_section("Before you rely on this", caveats(answer)),
            ]
        )
    body.extend(_section("How the answer was made", method(answer)))
    body.extend(_section("Run it again", _again(answer, command, digest)))
    body.extend(_section("Versions", facts(answer, card)))
    body.append(el("footer", {}, f"Made by geoagent {__version__}. An estimate with its evidence, not a proof."))
    style = asset("report.css")
    values = {
        "csp": policy(style),
        "generator": f"geoagent {__version__}",
        "title": html.escape(f"{place_text(answer.best)} – report of geoagent"),
        "style": style,
        "body": markup(body),
    }
    return fill(asset("report.html"), values)


def _section(title: str, kids: Kids) -> list[Element]:
    kids = [kids] if isinstance(kids, Element | str) else [kid for kid in kids or () if kid is not None]
    return [el("section", {}, el("h2", {}, title), kids)] if kids else []


def where_text(best: Best | None, names: Names) -> str:
    """Return "Köln, North Rhine-Westphalia, Germany", as much of it as there is."""
    if best is None or best.precision == "none":
        return "no place"
    parts = [best.place, best.admin1, names(best.country) if best.country else None]
    return ", ".join(dict.fromkeys(shown(part) for part in parts if part)) or "no place"


def _placed(best: Best | None) -> LatLon | None:
    if best is None or best.precision == "none" or best.lat is None or best.lon is None:
        return None
    return LatLon(best.lat, best.lon)


def _kicker(answer: Answer, made: date | None) -> Element:
    name = answer.source if answer.id is None else f"{answer.source} · {answer.id}"
    day = f"{made.day} {made:%B %Y}" if made is not None else None
    what = "Where was this taken? Report of geoagent"
    return el("div", {"class": "kicker"}, el("span", {}, what), el("span", {}, say(name)), day and el("span", {}, day))


def _headline(answer: Answer, names: Names) -> Element:
    if answer.status == "error":
        return el(
            "header", {}, el("h1", {}, "No answer"), el("p", {"class": "note"}, say(answer.error or "unknown reason"))
        )
    best, at = answer.best, _placed(answer.best)
    named = best is not None and best.precision != "none"
    country = names(best.country) if best is not None and best.country else "the country"
    likely = percent_text(answer.confidence)
    if not named:
        lead = f"The evidence points nowhere clearly enough. The likeliest country, {country}, has {likely}."
    elif at is None:
        lead = f"Coordinates are not shown at this precision. {country} has a probability of {likely}."
    else:
        lead = (
            f"Half of the probability lies within {km_text(answer.radius_50_km)} of the place below, 90 % within "
            f"{km_text(answer.radius_90_km)}. {country} has a probability of {likely}."
        )
    pairs = [
        ("Coordinates", coordinates_text(at.lat, at.lon, answer.radius_50_km) if at is not None else None),
        ("50 % within", km_text(answer.radius_50_km) if at is not None else None),
        ("90 % within", km_text(answer.radius_90_km) if at is not None else None),
        ("Precision", PRECISION_SAYS[best.precision] if named and best is not None else None),
    ]
    cells = [el("div", {}, el("dt", {}, term), el("dd", {}, value)) for term, value in pairs if value]
    title = where_text(best, names) if named else "No place can be named"
    return el(
        "header",
        {},
        el("h1", {}, say(title)),
        el("p", {"class": "lead"}, say(lead)),
        el("dl", {"class": "numbers"}, cells) if cells else None,
    )


def _warnings(answer: Answer) -> Element | str:
    notes = list(answer.warnings)
    if answer.status == "partial":
        notes.insert(0, "This answer is partial: a part of the agent could not do its work.")
    return el("div", {"class": "notes"}, [el("p", {"class": "note"}, say(note)) for note in notes])


def _figures(
    answer: Answer, photo: Photo | None, outlines: Mapping[str, Any], gazetteer: Gazetteer | None, names: Names
) -> Element:
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
    radius, taken = max(width, height) / 45, list[tuple[float, float]]()
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
        x, y = region.polygon_px[0]
        for number in own:
            x, y = free_spot(x, y, radius, (round(width), round(height)), taken)
            taken.append((x, y))
            badges.append(
                el("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": f"{radius:.1f}", "fill": colours[number - 1]})
            )
            at = {"x": f"{x:.1f}", "y": f"{y:.1f}", "dy": "0.36em", "font-size": f"{1.25 * radius:.1f}"}
            badges.append(el("text", at, str(number)))
    svg.extend(badges)
    says = "The photo, made small. Numbers are those of the cues below" if numbers else "The photo, made small"
    idle = any(i not in numbers for i in range(len(answer.regions)))
    return el("figure", {}, svg, el("figcaption", {}, says, "; dashed: text that spoke for no place." if idle else "."))


def _map(answer: Answer, outlines: Mapping[str, Any], gazetteer: Gazetteer | None, names: Names) -> Element:
    best = _placed(answer.best)
    pins = [Pin("best", best, place_text(answer.best).split(",")[0])] if best is not None else []
    for kind, seen in (("vision", answer.vision_only), ("text", answer.text_only)):
        at = _placed(seen.best) if seen is not None else None
        if at is not None and (best is None or best.distance_km(at) > 1):
            pins.append(Pin(kind, at))
    if answer.exif_gps is not None:
        pins.append(Pin("file", LatLon(answer.exif_gps.lat, answer.exif_gps.lon)))
    pins += [
        Pin("alt", LatLon(other.lat, other.lon), str(i))
        for i, other in enumerate(answer.alternatives, start=1)
        if other.lat is not None and other.lon is not None and best is not None
    ]
    radii = None
    if best is not None and answer.radius_50_km is not None and answer.radius_90_km is not None:
        radii = (answer.radius_50_km, answer.radius_90_km)
    svg = chart(
        outlines,
        pins,
        shares={share.code: share.p for share in answer.countries},
        radii_km=radii,
        cities=None if gazetteer is None else _towns(gazetteer),
        names=names,
        says=f"Map: {where_text(answer.best, names)}",
    )
    keys = [("best", "this answer"), ("vision", "picture only"), ("text", "text only"), ("file", "what the file says")]
    kinds = {pin.kind for pin in pins}
    legend: list[Kids] = [_key(kind, says) for kind, says in keys if kind in kinds]
    if radii is not None:
        legend.append(el("span", {}, "Circles: 50 % and 90 % radius. "))
    legend.append("The redder a country, the likelier.")
    source = str(outlines.get("attribution") or "")
    return el("figure", {}, svg, el("figcaption", {}, legend, f" Borders: {source}" if source else None))


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


def _cues(answer: Answer, names: Names) -> list[Element]:
    if not answer.cues:
        return [el("p", {"class": "muted"}, NO_CUES)]
    most = max(1.0, *(abs(cue.nats) for cue in answer.cues))
    colours = cue_colours(answer.cues)
    rows = [
        _cue(number, cue, colour, most, answer, names)
        for number, (cue, colour) in enumerate(zip(answer.cues, colours, strict=True), start=1)
    ]
    how = (
        "A bar shows what a cue added to the log probability of the place, in nats: to the right for it, to the left "
        "against it. 0.7 nats double the odds, 2.3 make them ten times as high, 4.6 a hundred times."
    )
    return [el("p", {"class": "muted small prose"}, how), el("ol", {"class": "cues"}, rows)]


def _cue(number: int, cue: CueReport, colour: str, most: float, answer: Answer, names: Names) -> Element:
    badge = el(
        "svg",
        {"class": "num", "viewBox": "-12 -12 24 24", "aria-hidden": "true"},
        el("circle", {"r": 12, "fill": colour}),
        el("text", {"dy": "0.36em", "font-size": 13}, str(number)),
    )
    long = 60 * min(abs(cue.nats) / most, 1.0)
    bar = el(
        "svg",
        {"class": "bar", "viewBox": "-60 0 120 14", "preserveAspectRatio": "none", "aria-hidden": "true"},
        el("rect", {"class": "track", "x": -60, "y": 3, "width": 120, "height": 8}),
        el(
            "rect",
            {
                "class": "for" if cue.nats >= 0 else "against",
                "x": f"{0 if cue.nats >= 0 else -long:.2f}",
                "y": 1,
                "width": f"{long:.2f}",
                "height": 12,
            },
        ),
        el("line", {"class": "zero", "x1": 0, "x2": 0, "y1": 0, "y2": 14}),
    )
    place = cue.favours or max(cue.places, key=lambda p: p.p, default=None)
    parts = () if place is None else (place.name, names(place.code) if place.code else None)
    favours = ", ".join(dict.fromkeys(shown(part) for part in parts if part))
    changed = place_text(cue.without) != place_text(answer.best)
    without = f"Without it: {where_text(cue.without, names)}" if changed else "Without it the answer stays the same"
    return el(
        "li",
        {"class": "cue"},
        badge,
        el("span", {"class": "value"}, el("span", {"class": "kind"}, say(cue.kind)), " ", say(cue.value)),
        bar,
        el("span", {"class": "nats"}, nats_text(cue.nats)),
        el(
            "p",
            {"class": "says"},
            say(cue.says),
            [" Speaks for ", el("strong", {}, say(favours)), "."] if favours else None,
        ),
        el("p", {"class": "without"}, say(without), "" if cue.source == "lexicon" else f" · from {shown(cue.source)}"),
    )


def _table(head: Sequence[str], rows: Iterable[tuple[str, Sequence[Kids]]], first_number: int) -> Element:
    """A table whose first column names the row; columns from `first_number` on are numbers."""
    kinds = ["n" if i >= first_number else None for i in range(len(head))]
    top = el(
        "tr", {}, [el("th", {"scope": "col", "class": kind}, text) for text, kind in zip(head, kinds, strict=True)]
    )
    body = [
        el(
            "tr",
            {"class": kind or None},
            el("th", {"scope": "row"}, cells[0]),
            [el("td", {"class": kinds[i]}, cell) for i, cell in enumerate(cells[1:], start=1)],
        )
        for kind, cells in rows
    ]
    return el("table", {}, el("thead", {}, top), el("tbody", {}, body))


def _comparison(answer: Answer, names: Names) -> list[Element]:
    rows: list[tuple[str, Sequence[Kids]]] = []
    halves = (
        ("Picture only", answer.vision_only, ""),
        ("Text only", answer.text_only, ""),
        ("Picture and text", answer.text_aware, "both"),
    )
    for name, seen, kind in halves:
        if seen is None:
            rows.append((kind, (name, el("span", {"class": "muted"}, "not available"), "–", "–")))
            continue
        hidden = _placed(seen.best) is None
        radii = "–" if hidden else f"{km_text(seen.radius_50_km)} / {km_text(seen.radius_90_km)}"
        rows.append((kind, (name, say(where_text(seen.best, names)), percent_text(seen.confidence), radii)))
    if not any((answer.vision_only, answer.text_only, answer.text_aware)):
        return []
    change = change_text(answer)
    kids = [_table(("", "Place", "Country", "50 % / 90 % within"), rows, 2)]
    return kids + ([el("p", {"class": "muted small"}, say(change))] if change else [])


def _others(answer: Answer, names: Names) -> list[Element]:
    rows: list[tuple[str, Sequence[Kids]]] = []
    for number, other in enumerate(answer.alternatives, start=1):
        parts = (other.place, other.admin1, names(other.country))
        named = ", ".join(dict.fromkeys(shown(part) for part in parts if part))
        at = coordinates_text(other.lat, other.lon, answer.radius_50_km) or "–"
        rows.append(("", (str(number), say(named), at, percent_text(other.p))))
    kids = [_table(("", "Place", "Coordinates", "Probability"), rows, 2)] if rows else []
    if answer.countries:
        shares = [f"{names(share.code)} {percent_text(share.p)}" for share in answer.countries[:6]]
        kids.append(el("p", {"class": "muted small"}, "Countries: ", say(", ".join(shares)), "."))
    return kids


def _read(answer: Answer) -> list[Element]:
    numbers = region_numbers(answer)
    rows: list[tuple[str, Sequence[Kids]]] = []
    for i, region in enumerate(answer.regions):
        script = " · ".join(shown(part) for part in (region.script, region.language) if part)
        rows.append(
            (
                "",
                (
                    say(region.text),
                    script,
                    ", ".join(map(str, numbers.get(i, []))) or "–",
                    percent_text(region.confidence),
                ),
            )
        )
    return [_table(("Line", "Script and language", "Cues", "OCR sure"), rows, 2)] if rows else []


def _file_says(answer: Answer) -> list[Element]:
    gps = answer.exif_gps
    if gps is None:
        return []
    away = "" if gps.distance_km is None else f", {km_text(gps.distance_km)} from the answer"
    return [
        el("p", {}, f"GPS position in the file: {coordinates_text(gps.lat, gps.lon)}{away}."),
        el("p", {"class": "muted small prose"}, "It was not used. Anybody can write any position into a file."),
    ]


def _again(answer: Answer, command: str, digest: str | None) -> list[Element]:
    kids = []
    if command:
        world = answer.world.get("name")
        with_what = f"geoagent {answer.versions.get('geoagent', __version__)}" + (
            f" and the world “{world}”" if world else ""
        )
        kids.append(el("p", {}, f"With {shown(with_what)}, and the same photo, this command gives the same answer:"))
        kids.append(el("pre", {}, el("code", {}, command)))
    if digest:
        kids.append(
            el("p", {"class": "small"}, el("span", {"class": "muted"}, "SHA-256 of the photo's file: "), digest)
        )
    return kids

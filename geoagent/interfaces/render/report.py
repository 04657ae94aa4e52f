"""The report: an answer as one HTML document for a reader who decides on it.

The page has no script and asks nobody for anything: its Content-Security-Policy allows one style by its hash, and
pictures that are in the file. It is made of elements (`_html`), so that nothing that a sign or a file name says can
become markup. `map` makes the page to explore an answer with.
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from datetime import date
from typing import Any
from xml.etree.ElementTree import Element

from geoagent import __version__
from geoagent.answer import Answer
from geoagent.errors import InputError
from geoagent.interfaces.render import (
    PRECISION_SAYS,
    blank_text,
    coordinates_text,
    is_blank,
    is_vague,
    km_text,
    notes_text,
    percent_text,
    shown,
    title_text,
)
from geoagent.interfaces.render._account import caveats, facts, method
from geoagent.interfaces.render._evidence import (
    Names,
    comparison,
    cues,
    file_says,
    in_album,
    lines_read,
    others,
    placed,
    where_text,
)
from geoagent.interfaces.render._figures import figures
from geoagent.interfaces.render._html import Kids, el, markup, say
from geoagent.interfaces.render._page import asset, fill, policy
from geoagent.places.gazetteer import Gazetteer
from geoagent.types import Photo


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
                figures(answer, photo, outlines, gazetteer, names),
                *_section("Why: cues in the scene", [] if is_blank(answer) else cues(answer, names)),
                *_section("What picture and text say by themselves", comparison(answer, names)),
                *_section("What else the evidence allows", others(answer, names)),
                *_section("Text read in the photo", lines_read(answer)),
                *_section("When it was taken, and the photos around it", in_album(answer)),
                *_section("What the file says about itself", file_says(answer)),
                *_section("Before you rely on this", caveats(answer)),
            ]
        )
    body.extend(_section("How the answer was made", method(answer)))
    body.extend(_section("Run it again", _again(answer, command, digest)))
    body.extend(_section("Versions", facts(answer, card)))
    body.append(el("footer", {}, f"Made by geoagent {__version__}. An estimate with its evidence, not a proof."))
    style = asset("report.css")
    settled = answer.best is not None and answer.best.precision != "none"
    title = where_text(answer.best, names) if settled else title_text(answer)
    values = {
        "csp": policy(style),
        "generator": f"geoagent {__version__}",
        "title": html.escape(f"{shown(title)} – report of geoagent"),
        "style": style,
        "body": markup(body),
    }
    return fill(asset("report.html"), values)


def _section(title: str, kids: Kids) -> list[Element]:
    kids = [kids] if isinstance(kids, Element | str) else [kid for kid in kids or () if kid is not None]
    return [el("section", {}, el("h2", {}, title), kids)] if kids else []


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
    best, at = answer.best, placed(answer.best)
    named = best is not None and best.precision != "none"
    country = names(best.country) if best is not None and best.country else "the country"
    likely = percent_text(answer.confidence)
    if is_blank(answer):
        lead = blank_text(answer)
    elif not named:
        lead = "The evidence points nowhere clearly enough."
        if answer.countries:
            first = answer.countries[0]
            lead += f" The likeliest country, {names(first.code)}, has {percent_text(first.p)}."
    elif at is None:
        what = (
            "No more than the country can be told."
            if is_vague(answer)
            else "Coordinates are not shown at this precision."
        )
        lead = f"{what} {country} has a probability of {likely}."
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
    title = where_text(best, names) if named else title_text(answer)
    return el(
        "header",
        {},
        el("h1", {}, say(title)),
        el("p", {"class": "lead"}, say(lead)),
        el("dl", {"class": "numbers"}, cells) if cells else None,
    )


def _warnings(answer: Answer) -> Element | None:
    notes = notes_text(answer, all_of_them=False)
    if answer.status == "partial":
        notes.insert(0, "This answer is partial: a part of the agent could not do its work.")
    return el("div", {"class": "notes"}, [el("p", {"class": "note"}, say(note)) for note in notes]) if notes else None


def _again(answer: Answer, command: str, digest: str | None) -> list[Element]:
    kids = []
    if command:
        world = answer.world.get("name")
        with_what = f"geoagent {answer.versions.get('geoagent', __version__)}" + (
            f" and the world “{world}”" if world else ""
        )
        same = (
            "the same answer, save for the cues that were left out by hand" if " # " in command else "the same answer"
        )
        kids.append(el("p", {}, f"With {shown(with_what)}, and the same photo, this command gives {same}:"))
        kids.append(el("pre", {}, el("code", {}, command)))
    if digest:
        kids.append(
            el("p", {"class": "small"}, el("span", {"class": "muted"}, "SHA-256 of the photo's file: "), digest)
        )
    return kids

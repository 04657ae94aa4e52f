"""An answer in a notebook: HTML without script, style sheet or request, which any notebook shows as it is.

The map is an SVG picture in a data address, so that its style sheet is its own; everything else is plain tables, with
colours that suit a light and a dark notebook.
"""

from __future__ import annotations

import base64
from xml.etree.ElementTree import Element, tostring

from geoagent.answer import Alternative, Answer
from geoagent.interfaces.outputs._row import plain
from geoagent.interfaces.render import (
    alone_text,
    cue_colours,
    is_blank,
    nats_text,
    notes_text,
    percent_text,
    place_text,
    shown,
    value_text,
)
from geoagent.interfaces.render._evidence import where_text
from geoagent.interfaces.render._figures import map_of
from geoagent.interfaces.render._html import Kids, el, markup, say
from geoagent.interfaces.render._page import asset
from geoagent.interfaces.render.names import country_name, gazetteer
from geoagent.interfaces.render.words import place_words, sure_words, why_words

_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0"
_WIDTH_PX = 460


def answer_html(answer: Answer) -> str:
    """Return an answer as a piece of HTML: place, how sure, why, a map, and the cues in a table."""
    name = answer.source if answer.id is None else f"{answer.source} {answer.id}"
    kids: list[Kids] = [el("div", {"style": "opacity:.7"}, say(name))]
    if answer.status == "error":
        kids.append(el("p", {}, el("strong", {}, "No answer: "), say(answer.error or "unknown reason")))
        return markup(el("div", {"class": "geoagent-answer"}, kids))
    kids.append(el("div", {"style": "font-size:1.3em;font-weight:600"}, say(place_words(answer))))
    kids.append(el("div", {}, say(sure_words(answer))))
    if why := why_words(answer):
        kids.append(el("div", {}, "Why: ", say(why), "."))
    kids += [el("div", {"style": "opacity:.8"}, "! ", say(note)) for note in notes_text(answer)]
    kids.append(_map(answer))
    if answer.cues:
        kids.append(_cues(answer))
    return markup(el("div", {"class": "geoagent-answer"}, kids))


def _map(answer: Answer) -> Element | None:
    known = gazetteer()
    if known is None or is_blank(answer):
        return None
    drawn, legend, says = map_of(answer, known.outlines(), known, country_name)
    kinds = {node.get("class", "").removeprefix("pin ") for node in drawn.iter("g")}
    keys = [f"{shape}: {what}. " for kind, shape, what in _marks(answer) if kind in kinds]
    keys += [part for part in legend if isinstance(part, str)]
    picture = base64.b64encode(_standing_alone(drawn).encode()).decode()
    image = el(
        "img",
        {
            "src": f"data:image/svg+xml;base64,{picture}",
            "alt": says,
            "width": _WIDTH_PX,
            "style": "max-width:100%;height:auto;border-radius:4px",
        },
    )
    note = el("div", {"style": "opacity:.7;font-size:.85em"}, keys)
    others = [
        f"{number} {_named(other)} ({percent_text(other.p)})"
        for number, other in enumerate(answer.alternatives, start=1)
    ]
    beside = el("div", {}, "Or else: ", say(", ".join(others)), ".") if others else None
    return el("div", {"style": "margin:8px 0"}, image, note, beside)


def _marks(answer: Answer) -> tuple[tuple[str, str, str], ...]:
    """Kind, shape and meaning of the marks on the map beside the pin."""
    alone = alone_text(answer)
    return (("vision", "Ring", alone), ("text", "Diamond", "text only"), ("file", "Square", "what the file says"))


def _named(other: Alternative) -> str:
    names = (other.place or other.admin1, country_name(other.country))
    return ", ".join(dict.fromkeys(shown(name) for name in names if name))


def _standing_alone(svg: Element) -> str:
    """An SVG of the report as a picture of its own: with the namespace, the style sheet and a ground."""
    svg.set("xmlns", "http://www.w3.org/2000/svg")
    x, y, width, height = svg.get("viewBox", "0 0 1 1").split()
    svg.set("width", width)
    svg.set("height", height)
    kind = "paper" if "world" in svg.get("class", "") else "sea"
    ground = el("rect", {"x": x, "y": y, "width": width, "height": height, "style": f"fill:var(--{kind})"})
    svg.insert(0, ground)
    svg.insert(0, el("style", {}, asset("report.css")))
    return plain(tostring(svg, encoding="unicode"))  # a sign that XML has not would cost the whole picture


def _cues(answer: Answer) -> Element:
    head = [el("th", {"style": _CELL, "scope": "col"}, text) for text in ("", "cue", "what it says", "nats", "without")]
    rows = []
    for number, (cue, colour) in enumerate(zip(answer.cues, cue_colours(answer.cues), strict=True), start=1):
        changed = place_text(cue.without) != place_text(answer.best)
        badge = f"background:{colour};color:#fff;border-radius:9px;padding:0 6px"
        cells: list[Kids] = [
            el("span", {"style": badge}, str(number)),
            [el("strong", {}, say(cue.kind)), " ", say(value_text(cue))],
            say(cue.says),
            nats_text(cue.nats),
            say(where_text(cue.without, country_name) if changed else "the same"),
        ]
        rows.append(el("tr", {}, [el("td", {"style": _CELL}, cell) for cell in cells]))
    return el(
        "table", {"style": "border-collapse:collapse"}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)
    )

"""Method, caveats and provenance of an answer, for the report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element

from geoagent.answer import Answer
from geoagent.interfaces.render import ALBUM, is_blank, percent_text, shown
from geoagent.interfaces.render._html import el, say

_MOST_CHARS, _MOST_PLACES = 240, 4


def method(answer: Answer) -> list[Element]:
    """Describe the steps from photo to answer."""
    return [el("ul", {"class": "points"}, [el("li", {}, say(line)) for line in _steps(answer)])]


def _steps(answer: Answer) -> Iterator[str]:
    encoder, cells = answer.world.get("encoder"), answer.world.get("cells")
    into = f"The world is cut into {cells:,} cells. " if isinstance(cells, int) else "The world is cut into cells. "
    pictured = any(cue.source == "llm-picture" for cue in answer.cues)
    if encoder:
        yield (
            f"{into}An image encoder ({encoder}) turned the picture into numbers, and a model trained on photos of "
            "known places gave each cell a probability."
        )
    elif pictured:
        yield f"{into}A vision-language model saw the picture and proposed places."
    else:
        yield (
            f"{into}No image encoder is part of this world, so the picture itself was not judged: how many people "
            "live, and how many photos are taken, in each cell stood in for it."
        )
    lines = len(answer.regions)
    count = f"{lines} line{'s' if lines != 1 else ''} of text" if lines else "no text"
    yield f"Optical character recognition found {count}. Tables and a gazetteer say where such words are used."
    yield (
        "Each cue raises the cells it speaks for and lowers the others, by as much as cues of its kind were measured "
        "to be worth. No cue alone rules a place out, and cues that rest on the same words are not counted twice."
    )
    if answer.best is not None and answer.best.precision == "none":
        yield "No country is probable enough to be named, so no place in one is, and there are no radii."
    else:
        yield (
            "The country with most probability was chosen first, then the place in it. The radii say how far the rest "
            "of the probability is spread around that place."
        )
    if answer.neighbours:
        heaviest = sorted(answer.neighbours, key=lambda n: -n.weight)[:_MOST_PLACES]
        named = ", ".join(f"{shown(n.ref)} ({percent_text(n.weight)})" for n in heaviest)
        yield f"The position was computed from {len(answer.neighbours)} known places, the heaviest of them {named}."
    if any(cue.source == ALBUM for cue in answer.cues):
        yield (
            "Other photos of the same album told where this one can have been taken: by the times between them, how "
            "people move, and what each of them shows or holds of its place."
        )
        yield "A position that the file claims (EXIF GPS) is evidence for the other photos, never for this one."
    else:
        yield "A position that the file claims (EXIF GPS) is never evidence."
    if (llm := answer.llm) is not None:
        yield (
            f"A language model ({llm.model}) was asked {llm.calls} time{'s' if llm.calls != 1 else ''}, as one more "
            f"cue. Coordinates are the gazetteer's, never the model's. {llm.dropped} of its candidates were dropped "
            f"for want of evidence, {llm.redacted} stretches of text were masked before sending."
        )


def caveats(answer: Answer) -> list[Element]:
    """What a reader should know before building on the answer."""
    lines = [
        "This is an estimate with its evidence, not a proof. Confirm it by a way of your own: landmarks, street-level "
        "pictures, the shadow and the weather of the day, the person who took the photo.",
        "Signs travel. A shop may bear the name of another town, a photo may be mirrored, cropped, edited or made up. "
        "The agent reads what it sees and does not judge whether the picture is genuine.",
        "Optical character recognition misreads. Compare each cue with the photo before you quote it.",
        "Probabilities and radii hold on average, over many photos like those they were fitted on; this photo may be "
        "of another kind.",
    ]
    if not answer.world.get("encoder") and answer.looked is not True and not is_blank(answer):
        lines.insert(
            1, "The picture itself was not judged. Everything beyond the text is where photos tend to be taken."
        )
    lines.append("Do not use it to find people who do not want to be found.")
    return [el("ul", {"class": "points"}, [el("li", {}, line) for line in lines])]


def facts(answer: Answer, card: Mapping[str, Any] | None) -> list[Element]:
    """Return tables of the world and its card, versions, timings and language model usage."""
    llm = {}
    if answer.llm is not None:
        report = answer.llm
        llm = {
            "model": report.model,
            "prompts": ", ".join(report.prompts),
            "questions": f"{report.calls} sent, {report.cached} from the cache, {report.failed} failed",
            "tokens": f"{report.input_tokens:,} in, {report.output_tokens:,} out",
            "lines withheld": report.withheld,
        }
    tables = [
        ("World", answer.world),
        ("The world's card", card or {}),
        ("Software", answer.versions),
        ("Language model", llm),
        ("Seconds", {key: f"{seconds:.2f}" for key, seconds in answer.timings_s.items()}),
    ]
    kids = [el("div", {}, el("h3", {}, title), _pairs(values)) for title, values in tables if values]
    return [el("div", {"class": "twin"}, kids)] if kids else []


def _pairs(values: Mapping[str, Any]) -> Element:
    rows = [
        el("tr", {}, el("th", {"scope": "row"}, say(key.replace("_", " "))), el("td", {}, say(_value(value))))
        for key, value in values.items()
        if value is not None
    ]
    return el("table", {"class": "facts"}, el("tbody", {}, rows))


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    text = shown(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= _MOST_CHARS else text[: _MOST_CHARS - 1] + "…"

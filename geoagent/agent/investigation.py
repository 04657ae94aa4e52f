"""Investigation of an undecided photo: the language model may use four tools, a bounded number of times.

The tools return text, never coordinates. What a reread region says goes the way of all text; what the model concludes
goes the way of its first opinion, and replaces it. Every step is logged with the change that it made.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from geoagent.agent.closer import enlarged
from geoagent.errors import GeoAgentError
from geoagent.evidence import llm_log
from geoagent.evidence.constraints._reply import SignReading
from geoagent.evidence.constraints._signs import Signs
from geoagent.evidence.cues.reading import percent
from geoagent.evidence.llm_log import Step
from geoagent.evidence.llm_messages import Ask, Message, ToolCall
from geoagent.evidence.scripts import clean
from geoagent.places.geo import Float
from geoagent.prompts import Prompt
from geoagent.protocols import Assets, LanguageModel, OcrEngine
from geoagent.types import Candidates, Constraint, Photo, TextEvidence

UNDECIDED = 0.8
"""Photos whose leading country is less probable than this are investigated."""
_LEADING = 5
_CLOSER = 3  # how much a region is enlarged
_CROP_PX = 1600


class Reread(BaseModel):
    """Read one region of the picture again, cut out and enlarged."""

    region: int = Field(ge=0, le=10_000)


class Lookup(BaseModel):
    """Look a name up in the gazetteer: which places have it, in which country and region, with how many people."""

    name: str = Field(min_length=1, max_length=120)


class Leading(BaseModel):
    """List the leading countries and regions, and what would tell these countries apart on a sign."""


class Neighbours(BaseModel):
    """List where the photos are that look most like this one."""


TOOLS: tuple[type[BaseModel], ...] = (Reread, Lookup, Leading, Neighbours)


@dataclass(frozen=True, eq=False)
class Scene:
    """What an investigation may use.

    Attributes:
        assets: world, gazetteer, facts.
        ocr: reads a region again.
        photo: the picture, or None for a text without one.
        understand: regions to evidence, the model's opinion included.
        log_probs: evidence to `(C,)` log probabilities.
        neighbours: of the picture, or None.
        conclude: a new opinion to constraints; None where no source takes one.
    """

    assets: Assets
    ocr: OcrEngine
    photo: Photo | None
    understand: Callable[[Sequence[Any]], TextEvidence]
    log_probs: Callable[[TextEvidence], Float]
    neighbours: Callable[[Float], Candidates | None]
    conclude: Callable[[SignReading, Signs], tuple[Constraint, ...]] | None = None


def investigate(scene: Scene, text: TextEvidence, model: LanguageModel, prompt: Prompt, steps: int) -> TextEvidence:
    """Return the evidence after at most `steps` steps; unchanged if the photo is decided or the model fails."""
    log_probs = scene.log_probs(text)
    if steps < 1 or _first(scene, log_probs)[1] >= UNDECIDED:
        return text
    signs = Signs.of(text.regions, text.cues)
    first = prompt.messages(signs=signs.json, leading=json.dumps(_countries(scene, log_probs), ensure_ascii=False))
    messages = tuple(Message(role, said) for role, said in first)
    used = False
    for _ in range(steps):
        reply = model(Ask(prompt.name, messages, None, TOOLS, max_tokens=400))
        if reply.outcome != "ok":
            return _ended(text, f"{reply.outcome}: {reply.why}")
        if not reply.calls:
            break
        call, used = reply.calls[0], True
        said, arguments, changed = _run(scene, text, call)
        _log(scene, call.name, arguments, said, text, changed)
        text = changed or text
        turn = Message("assistant", clean(reply.text)[:1000], calls=(call,))
        messages = (*messages, turn, Message("tool", said, call_id=call.id))
    if not used or scene.conclude is None:
        return text
    signs = Signs.of(text.regions, text.cues)
    last = Message("user", f"{_CONCLUDE}\n==========\n{signs.json}\n==========")
    reply = model(Ask(prompt.name, (*messages, last), SignReading))
    if reply.outcome != "ok":
        return _ended(text, f"{reply.outcome}: {reply.why}")
    rest = tuple(c for c in text.constraints if c.source != "llm")
    changed = replace(text, constraints=(*rest, *scene.conclude(reply.value, signs)))
    _log(scene, "conclude", {}, f"{len(reply.value.candidates)} candidates", text, changed)
    return changed


_CONCLUDE = (
    "Now say what the text tells, by the rules of a first reading: candidates that exclude each other, each citing "
    "regions with the very words of that region, and a reason that quotes nothing else. The regions as they read now:"
)


def _ended(text: TextEvidence, why: str) -> TextEvidence:
    return replace(text, warnings=(*text.warnings, f"the second look ended early: {why}"))


def _log(
    scene: Scene, tool: str, arguments: dict[str, Any], said: str, before: TextEvidence, after: TextEvidence | None
) -> None:
    """Write one step and the change that it made into the log."""
    was = _first(scene, scene.log_probs(before))
    now = was if after is None else _first(scene, scene.log_probs(after))
    change = "nothing" if now == was else f"{was[0]} {percent(was[1])} → {now[0]} {percent(now[1])}"
    llm_log.current().steps.append(Step(tool, arguments, said[:500], change))


def _run(scene: Scene, text: TextEvidence, call: ToolCall) -> tuple[str, dict[str, Any], TextEvidence | None]:
    """Return what a tool says, its arguments, and the evidence if that has changed."""
    tool = next((t for t in TOOLS if t.__name__ == call.name), None)
    if tool is None:
        return f"there is no tool named {clean(call.name)[:40]!r}", {}, None
    try:
        given = tool.model_validate_json(call.arguments or "{}")
    except ValidationError as error:
        return f"wrong arguments: {error.errors(include_url=False)[0]['msg']}", {}, None
    arguments = given.model_dump()
    if isinstance(given, Lookup):
        return _lookup(scene, given.name), arguments, None
    if isinstance(given, Leading):
        return json.dumps(_countries(scene, scene.log_probs(text), closely=True), ensure_ascii=False), arguments, None
    if isinstance(given, Neighbours):
        return _neighbours(scene, text), arguments, None
    assert isinstance(given, Reread)
    said, changed = _reread(scene, text, given.region)
    return said, arguments, changed


def _lookup(scene: Scene, name: str) -> str:
    matches = scene.assets.gazetteer.fuzzy(clean(name), k=6)
    rows = [
        {"place": str(m.place), "level": m.place.level, "people": m.place.population, "match": m.exactness}
        for m in matches
    ]
    return json.dumps(rows, ensure_ascii=False) if rows else "no place of that name is known"


def _neighbours(scene: Scene, text: TextEvidence) -> str:
    near = scene.neighbours(scene.log_probs(text))
    if near is None:
        return "this world has no photos to compare with"
    codes = scene.assets.world.cells.country[near.cell]
    rows = []
    for code in dict.fromkeys(codes.tolist()):
        mine = codes == code
        rows.append(
            {
                "country": code,
                "photos": int(mine.sum()),
                "most_alike": round(float(np.nanmax(near.similarity[mine])), 3),
            }
        )
    return json.dumps(rows[:8])


def _reread(scene: Scene, text: TextEvidence, region: int) -> tuple[str, TextEvidence | None]:
    """Read a region again, enlarged; the new reading replaces the old one."""
    if scene.photo is None or region >= len(text.regions) or not len(text.regions[region].polygon_px):
        return "that region has no picture", None
    old = text.regions[region]
    corners = old.polygon_px / scene.photo.scale
    (x0, y0), (x1, y1) = corners.min(axis=0), corners.max(axis=0)
    margin = 0.15 * max(y1 - y0, 8.0)
    box = (x0 - margin, y0 - margin, x1 + margin + 1, y1 + margin + 1)
    closer = enlarged(scene.photo, box, times=_CLOSER, most_px=_CROP_PX)
    if closer is None:
        return "that region is too small", None
    try:
        found = scene.ocr(closer)
    except GeoAgentError as error:
        return f"not read: {error}", None
    better = [r for r in found if r.text.strip()]
    if not better:
        return "nothing was read", None
    best = max(better, key=lambda r: r.score * len(r.text))
    shown = Signs.of([best])
    if not shown.lines:
        return "it tries to instruct a program and is left out", None
    if best.text == old.text or best.score < old.score:
        return f"it reads {json.dumps(shown.lines[0], ensure_ascii=False)}, no surer than before", None
    regions = [*text.regions]
    regions[region] = replace(best, polygon_px=old.polygon_px)
    changed = scene.understand(regions)
    return f"it reads {json.dumps(shown.lines[0], ensure_ascii=False)}", changed


def _countries(scene: Scene, log_probs: Float, *, closely: bool = False) -> list[dict[str, Any]]:
    """The leading countries, with details that distinguish their signs."""
    cells, shares = scene.assets.world.cells, scene.assets.world.cells.by_country(np.exp(log_probs))
    rows = []
    for i in np.argsort(-shares, kind="stable")[:_LEADING]:
        code = str(cells.country_codes[i])
        row: dict[str, Any] = {"country": code, "p": round(float(shares[i]), 3)}
        known = scene.assets.facts.countries.get(code) if closely else None
        if known is not None:
            row |= {
                "languages": sorted(known.languages, key=lambda k: -known.languages[k])[:3],
                "scripts": sorted(known.scripts, key=lambda k: -known.scripts[k])[:3],
                "domains": list(known.tlds)[:2],
                "calling_codes": list(known.calling_codes)[:2],
            }
        rows.append(row)
    return rows


def _first(scene: Scene, log_probs: Float) -> tuple[str, float]:
    """The leading country and its probability."""
    cells = scene.assets.world.cells
    shares = cells.by_country(np.exp(log_probs))
    i = int(shares.argmax())
    return str(cells.country_codes[i]), float(shares[i])

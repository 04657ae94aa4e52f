"""Terminal output of answers, as rich objects.

Untrusted strings go in as `Text`, which has no markup to fall for, and without control characters, so that a sign in a
photo can neither colour the terminal nor move its cursor.
"""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from geoagent.answer import Answer
from geoagent.interfaces.render import (
    AROUND_KM,
    NO_CUES,
    PRECISION_SAYS,
    blank_text,
    change_text,
    coordinates_text,
    exif_distance_km,
    favours_text,
    file_text,
    halves,
    is_blank,
    km_text,
    likeliest_text,
    nats_text,
    notes_text,
    percent_text,
    place_text,
    short_text,
    shown,
    title_text,
)
from geoagent.interfaces.render.album import album_text

MOST_REGIONS = 12
PARTIAL = "(partial: see the warnings)"


def answer_text(answer: Answer, *, compare: bool = False, width: int | None = None) -> RenderableType:
    """Return what a person reads of an answer.

    Args:
        answer: the answer, of any status.
        compare: show picture alone, text alone and both in a table; without it, one line says what the text changed.
        width: columns to use; the terminal's where None.
    """
    parts: list[RenderableType] = []
    for part in _parts(answer, compare):
        if parts:
            parts.append(Text())
        parts.append(part)
    return Constrain(Group(*parts), width)


def _parts(answer: Answer, compare: bool) -> Iterator[RenderableType]:
    yield _headline(answer)
    if notes := notes_text(answer):
        yield Group(*(_hanging("! ", Text(shown(note)), "yellow") for note in notes))
    if answer.status == "error":
        return
    if told := album_text(answer.album):
        yield Text("\n".join(told))
    if answer.cues:
        yield _cues(answer)
    elif answer.regions:
        read = [shown(region.text) for region in answer.regions[:MOST_REGIONS]]
        more = len(answer.regions) - len(read)
        yield Text(f"No text speaks for a place. Read: {' | '.join(read)}{f' | … {more} more' if more else ''}")
    elif not is_blank(answer):
        yield Text(NO_CUES, style="dim")
    if answer.looked and answer.world.get("encoder"):
        name, encoder = (shown(str(answer.world.get(key) or "?")) for key in ("name", "encoder"))
        yield Text(f"The picture was judged by the encoder of the world “{name}” ({encoder}).", style="dim")
    if compare and halves(answer):
        yield _comparison(answer)
    elif change := change_text(answer):
        yield Text(change)
    if answer.alternatives:
        yield _alternatives(answer)
    if (gps := answer.exif_gps) is not None:
        at = f" ({coordinates_text(gps.lat, gps.lon)})" if gps.place else ""
        away = "" if (km := exif_distance_km(answer)) is None else f", {km_text(km)} from the answer"
        yield Text(f"The file says {file_text(answer)}{at}{away}: not used", style="magenta")
    elif answer.exif_partial:
        yield Text(f"The file says: {shown(answer.exif_partial)}: not used", style="magenta")


def line_text(answer: Answer) -> str:
    """Return one line about one of many answers: its name, its place and what `answer_text` says under it."""
    name = shown(answer.id or answer.source)
    if answer.status == "error":
        return f"{name}: error: {error_text(answer)}"
    partial = f" {PARTIAL}" if answer.status == "partial" else ""
    facts = [f"the file says {file_text(answer)}: not used"] if is_blank(answer) and answer.exif_gps else _facts(answer)
    return f"{name}: {' · '.join([title_text(answer) + partial, *facts])}"


def error_text(answer: Answer) -> str:
    """Return why there is no answer, without the photo's name, which messages about files begin with."""
    return shown((answer.error or "unknown reason").removeprefix(f"{answer.source}: "))


def comparison_text(answer: Answer) -> RenderableType:
    """The halves side by side, what the text changed, and whether picture and text agree."""
    parts: list[RenderableType] = [_headline(answer)]
    if answer.status != "error":
        parts += [Text(""), _comparison(answer)] if halves(answer) else [Text("")]
        told = answer.comparison
        if told is not None:
            style = "bold red" if told.conflict else ""
            nats = f"agreement {told.agreement_nats:+.1f} nats, divergence {told.divergence_nats:.2f} of at most 0.69"
            parts += [Text(shown(f"{told.says} {told.change}".strip()) + f" ({nats})", style=style)]
        elif not is_blank(answer):
            why = "the picture was not judged" if answer.looked is False else "its text says nothing of a place"
            parts += [Text(f"Not compared: {why}.", style="dim")]
        parts += [_hanging("! ", Text(shown(note)), "yellow") for note in notes_text(answer)]
    return Group(*parts)


def _headline(answer: Answer) -> RenderableType:
    name = answer.source if answer.id is None else f"{answer.source} {answer.id}"
    lines = [Text(shown(name), style="dim")]
    if answer.status == "error":
        return Group(*lines, _hanging("✗ ", Text(f"no answer: {error_text(answer)}"), "bold red"))
    lines.append(Text(title_text(answer), "bold"))
    if answer.status == "partial":
        lines[-1].append(f"  {PARTIAL}", "yellow")
    if is_blank(answer):
        lines.append(Text(blank_text(answer)))
    elif facts := _facts(answer):
        lines.append(Text(" · ".join(facts)))
    return Group(*lines)


def _facts(answer: Answer) -> list[str]:
    """Where, how far around, how precise and how sure, each in a few words."""
    best, facts = answer.best, []
    if best is not None and best.lat is not None and best.precision != "none":
        facts.append(coordinates_text(best.lat, best.lon, answer.radius_50_km))
        facts.append(f"50 % within {km_text(answer.radius_50_km)}, 90 % within {km_text(answer.radius_90_km)}")
    if best is not None and best.precision != "none":
        facts.append(f"precision: {PRECISION_SAYS[best.precision]}")
    if best is not None and best.precision != "none" and best.country and answer.confidence is not None:
        facts.append(f"{percent_text(answer.confidence)} sure of {shown(best.country)}")
    elif likeliest := likeliest_text(answer):
        facts.append(likeliest)
    return facts


def _table(*columns: tuple[str, str, int | None]) -> Table:
    """A plain table: title, justification and least width (None: wraps) of each column."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    for title, justify, least in columns:
        table.add_column(
            title,
            justify="right" if justify == "right" else "left",
            no_wrap=least is not None,
            min_width=least,
            overflow="fold",
        )
    return table


def _cues(answer: Answer) -> RenderableType:
    table = _table(
        ("", "right", 2), ("cue", "left", None), ("what it says", "left", None), ("favours", "left", None),
        ("nats", "right", 5), ("without it", "left", None),
    )  # fmt: skip
    for column, most in ((1, 24), (3, 20), (5, 20)):  # what it says takes the rest, and gives way first
        table.columns[column].max_width = most
    for number, cue in enumerate(answer.cues, start=1):
        favours = favours_text(cue) or "–"
        style = "green" if cue.nats > 0.05 else "red" if cue.nats < -0.05 else ""
        changed = place_text(cue.without) != place_text(answer.best)
        table.add_row(
            str(number),
            Text.assemble((shown(cue.kind), "cyan"), " ", shown(cue.value)),
            Text(shown(cue.says) + ("" if cue.source == "lexicon" else f" [{shown(cue.source)}]")),
            Text(favours),
            Text(nats_text(cue.nats), style=style),
            Text(short_text(cue.without)) if changed else Text("the same", style="dim"),
        )
    return table


def _comparison(answer: Answer) -> RenderableType:
    table = _table(
        ("", "left", 16), ("place", "left", None), ("country", "right", 7), ("50 %", "right", 7), ("90 %", "right", 7),
    )  # fmt: skip
    for name, seen in halves(answer):
        if seen is None:
            table.add_row(name, Text("not available", style="dim"), "–", "–", "–")
            continue
        hidden = seen.best.lat is None or seen.best.precision == "none"
        radii = ("–", "–") if hidden else (km_text(seen.radius_50_km), km_text(seen.radius_90_km))
        table.add_row(name, Text(place_text(seen.best)), percent_text(seen.confidence), *radii)
    change = change_text(answer)
    return Group(table, Text(change)) if change else table


def _alternatives(answer: Answer) -> RenderableType:
    table = _table(("", "right", 2), ("or else", "left", None), ("", "left", None), ("p", "right", 4))
    for number, other in enumerate(answer.alternatives, start=1):
        names = [shown(part) for part in (other.place, other.admin1, other.country) if part]
        where = coordinates_text(other.lat, other.lon, max(answer.radius_50_km or 0.0, AROUND_KM))
        table.add_row(
            str(number), Text(", ".join(dict.fromkeys(names))), Text(where, style="dim"), percent_text(other.p)
        )
    return table


def _hanging(sign: str, text: Text, style: str) -> RenderableType:
    table = Table.grid(padding=0)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    text.style = style
    table.add_row(Text(sign, style=style), text)
    return Padding(table, 0)

"""Terminal output of answers, as rich objects.

Untrusted strings go in as `Text`, which has no markup to fall for, and without control characters, so that a sign in a
photo can neither colour the terminal nor move its cursor.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from geoagent.answer import Answer, Best
from geoagent.interfaces.render import (
    AROUND_KM,
    EYES_TEXT,
    NO_CUES,
    PRECISION_SAYS,
    change_text,
    coordinates_text,
    exif_distance_km,
    file_text,
    halves,
    is_blank,
    is_settled,
    km_text,
    likeliest_text,
    nats_text,
    notes_text,
    percent_text,
    place_text,
    shown,
    title_text,
    value_text,
)
from geoagent.interfaces.render._evidence import placed, where_text
from geoagent.interfaces.render.album import album_text
from geoagent.interfaces.render.names import country_name
from geoagent.interfaces.render.words import place_words, sure_words, why_words

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
    notes, last = notes_text(answer), list[str]()
    if is_settled(answer):
        last = [note for note in notes if note.endswith(EYES_TEXT)]
        notes = [note for note in notes if note not in last]
    if notes:
        yield _notes(notes)
    if answer.status == "error":
        return
    if album := album_text(answer.album):
        yield Text("\n".join(album))
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
    if told := file_says(answer):
        yield Text(told, style="magenta")
    if last:
        yield _notes(last)


def _notes(notes: Sequence[str]) -> RenderableType:
    return Group(*(_hanging("! ", Text(shown(note)), "yellow") for note in notes))


def file_says(answer: Answer) -> str:
    """Return what the file says of where it was taken: "The file says Reykjavík, Iceland (…): not used"; or ""."""
    if answer.exif_gps is None:
        return f"The file says: {shown(answer.exif_partial)}: not used" if answer.exif_partial else ""
    gps = answer.exif_gps
    at = f" ({coordinates_text(gps.lat, gps.lon)})" if gps.place else ""
    away = "" if (km := exif_distance_km(answer)) is None else f", {km_text(km)} from the answer"
    return f"The file says {file_text(answer)}{at}{away}: not used"


def line_text(answer: Answer) -> str:
    """Return one line about one of many answers: its name, its place and what `answer_text` says under it."""
    name = shown(answer.id or answer.source)
    if answer.status == "error":
        return f"{name}: error: {error_text(answer)}"
    partial = f" {PARTIAL}" if answer.status == "partial" else ""
    facts = [f"the file says {file_text(answer)}: not used"] if is_blank(answer) and answer.exif_gps else _facts(answer)
    best = answer.best
    named = best is not None and best.precision != "none"
    place = _short(best) if named and best is not None else title_text(answer)
    return f"{name}: {' · '.join([place + partial, *facts])}"


def _short(best: Best) -> str:
    """Return the finest name and the country: "Stuttgart, Germany"."""
    names = (best.place or best.admin1, country_name(best.country) if best.country else None)
    return ", ".join(dict.fromkeys(shown(name) for name in names if name)) or "no place"


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
        if said := file_says(answer):
            parts += [Text(said, style="magenta")]
        parts += [_hanging("! ", Text(shown(note)), "yellow") for note in notes_text(answer)]
    return Group(*parts)


def _headline(answer: Answer) -> RenderableType:
    """Which place, how sure, and why: to be understood at first read."""
    name = answer.source if answer.id is None else f"{answer.source} {answer.id}"
    lines = [Text(shown(name), style="dim")]
    if answer.status == "error":
        return Group(*lines, _hanging("✗ ", Text(f"no answer: {error_text(answer)}"), "bold red"))
    lines.append(Text(place_words(answer), "bold"))
    if answer.status == "partial":
        lines[-1].append(f"  {PARTIAL}", "yellow")
    if sure := sure_words(answer):
        lines.append(Text(sure))
    if why := why_words(answer):
        lines.append(Text(f"Why: {why}."))
    if level := _level(answer):
        lines.append(Text(level))
    return Group(*lines)


def _level(answer: Answer) -> str:
    """How precise the answer is, where that is less than a city."""
    if answer.best is None or answer.best.precision in ("none", "city", "full"):
        return ""
    return f"Precision: {PRECISION_SAYS[answer.best.precision]}; the evidence supports nothing finer."


def _facts(answer: Answer) -> list[str]:
    """How sure and how near, each in a few words."""
    best, facts = answer.best, []
    if best is None or best.precision == "none":
        likeliest = likeliest_text(answer)
        return [likeliest] if likeliest else []
    if best.country and answer.confidence is not None:
        facts.append(f"{percent_text(answer.confidence)} sure")
    if best.precision == "country":
        facts.append(PRECISION_SAYS["country"])
    elif best.lat is not None and answer.radius_90_km is not None:
        facts.append(f"90 % within {km_text(answer.radius_90_km)}")
    return facts


def plain_table(*columns: tuple[str, str, int | None]) -> Table:
    """Return a table without lines: title, justification and least width (None: wraps) of each column."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim", expand=False)
    table.show_header = any(title for title, _, _ in columns)
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
    table = plain_table(("", "right", 2), ("cue", "left", None), ("what it says", "left", None), ("nats", "right", 5))
    table.columns[1].max_width = 24  # what it says takes the rest
    decisive = False
    for number, cue in enumerate(answer.cues, start=1):
        style = "green" if cue.nats > 0.05 else "red" if cue.nats < -0.05 else ""
        says = Text(shown(cue.says) + ("" if cue.source == "lexicon" else f" [{shown(cue.source)}]"))
        if place_text(cue.without) != place_text(answer.best):
            decisive = True
            says.append(f" Without it: {where_text(cue.without, country_name)}.", "italic")
        table.add_row(
            str(number),
            Text.assemble((shown(cue.kind), "cyan"), " ", shown(value_text(cue))),
            says,
            Text(nats_text(cue.nats), style=style),
        )
    notes = "nats: what a cue adds; 0.7 doubles the odds, 2.3 makes them ten times as high."
    if not decisive and answer.best is not None and answer.best.precision != "none":
        notes += " The place stays the same without any single one of these cues."
    return Group(table, Text(notes, style="dim"))


def _comparison(answer: Answer) -> RenderableType:
    table = plain_table(
        ("", "left", 16), ("place", "left", None), ("country", "right", 7), ("50 %", "right", 7), ("90 %", "right", 7),
    )  # fmt: skip
    for name, seen in halves(answer):
        if seen is None:
            table.add_row(name, Text("not available", style="dim"), "–", "–", "–")
            continue
        hidden = placed(seen.best) is None
        radii = ("–", "–") if hidden else (km_text(seen.radius_50_km), km_text(seen.radius_90_km))
        table.add_row(name, Text(where_text(seen.best, country_name)), percent_text(seen.confidence), *radii)
    change = change_text(answer)
    return Group(table, Text(change)) if change else table


def _alternatives(answer: Answer) -> RenderableType:
    table = plain_table(("", "right", 2), ("or else", "left", None), ("", "left", None), ("chance", "right", 6))
    for number, other in enumerate(answer.alternatives, start=1):
        names = [shown(part) for part in (other.place, other.admin1, country_name(other.country)) if part]
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

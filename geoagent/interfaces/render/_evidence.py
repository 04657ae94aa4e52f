"""The evidence in a report: cues, vision-only beside text-aware, alternatives, text that was read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from xml.etree.ElementTree import Element

from geoagent.answer import Answer, Best, CueReport
from geoagent.evidence.cues.language_names import language_name, script_name
from geoagent.interfaces.render import (
    AROUND_KM,
    NO_CUES,
    change_text,
    coordinates_text,
    cue_colours,
    exif_distance_km,
    file_text,
    halves,
    is_blank,
    is_vague,
    km_text,
    nats_text,
    percent_text,
    place_text,
    region_numbers,
    shown,
    value_text,
)
from geoagent.interfaces.render._html import Kids, el, say
from geoagent.interfaces.render.album import album_text, witness_text
from geoagent.places.geo import LatLon

Names = Callable[[str], str]
"""From a country's code to its name."""


def where_text(best: Best | None, names: Names) -> str:
    """Return "Köln, North Rhine-Westphalia, Germany", as much of it as there is."""
    if best is None or best.precision == "none":
        return "no place"
    parts = [best.place, best.admin1, names(best.country) if best.country else None]
    return ", ".join(dict.fromkeys(shown(part) for part in parts if part)) or "no place"


def placed(best: Best | None) -> LatLon | None:
    """Return where a place is, None where none is named, its position is hidden, or it is that of a whole country."""
    if best is None or best.precision in ("none", "country") or best.lat is None or best.lon is None:
        return None
    return LatLon(best.lat, best.lon)


def cues(answer: Answer, names: Names) -> list[Element]:
    """Cues as a numbered list, each with what it says, a bar and what the answer would be without it."""
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
    if not any(_decides(cue, answer) for cue in answer.cues):
        how += " Without any single one of these cues the answer stays the same."
    kids = [el("p", {"class": "muted small prose"}, how), el("ol", {"class": "cues"}, rows)]
    return kids + ([el("p", {"class": "prose words"}, say(answer.explanation))] if answer.explanation else [])


def _decides(cue: CueReport, answer: Answer) -> bool:
    return place_text(cue.without) != place_text(answer.best)


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
    parts = () if place is None else (place.name, names(place.code.split(".")[0]) if place.code else None)
    favours = ", ".join(dict.fromkeys(shown(part) for part in parts if part))
    notes = [f"Without it: {where_text(cue.without, names)}"] if _decides(cue, answer) else []
    notes += [f"from {cue.source}"] if cue.source != "lexicon" else []
    return el(
        "li",
        {"class": "cue"},
        badge,
        el("span", {"class": "value"}, el("span", {"class": "kind"}, say(cue.kind)), " ", say(value_text(cue))),
        bar,
        el("span", {"class": "nats"}, nats_text(cue.nats)),
        el(
            "p",
            {"class": "says"},
            say(cue.says),
            [" Speaks most for ", el("strong", {}, say(favours)), "."] if favours else None,
        ),
        el("p", {"class": "without"}, say(" · ".join(notes))) if notes else None,
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
            [
                el("td", {"class": kinds[i], "data-label": head[i] or None}, cell)
                for i, cell in enumerate(cells[1:], start=1)
            ],
        )
        for kind, cells in rows
    ]
    return el("table", {"class": "wide"}, el("thead", {}, top), el("tbody", {}, body))


def comparison(answer: Answer, names: Names) -> list[Element]:
    """Picture, text, and both, as a table."""
    rows: list[tuple[str, Sequence[Kids]]] = []
    for name, seen in halves(answer):
        name, kind = name.capitalize(), "both" if seen is answer.text_aware else ""
        if seen is None:
            rows.append((kind, (name, el("span", {"class": "muted"}, "not available"), "–", "–")))
            continue
        hidden = placed(seen.best) is None
        radii = "–" if hidden else f"{km_text(seen.radius_50_km)} / {km_text(seen.radius_90_km)}"
        rows.append((kind, (name, say(where_text(seen.best, names)), percent_text(seen.confidence), radii)))
    if not rows or not any((answer.vision_only, answer.text_only, answer.text_aware)):
        return []
    told = answer.comparison
    agreed = "" if told is None else f"{told.says} (agreement {nats_text(told.agreement_nats)} nats)"
    lines = [change_text(answer), agreed]
    kids = [_table(("", "Place", "Country", "50 % / 90 % within"), rows, 2)]
    return kids + [el("p", {"class": "muted small"}, say(line)) for line in lines if line]


def others(answer: Answer, names: Names) -> list[Element]:
    """Other places, and the most likely countries; nothing where nothing is known of the photo."""
    if is_blank(answer):
        return []
    rows: list[tuple[str, Sequence[Kids]]] = []
    for number, other in enumerate(answer.alternatives, start=1):
        parts = (other.place, other.admin1, names(other.country))
        named = ", ".join(dict.fromkeys(shown(part) for part in parts if part))
        at = coordinates_text(other.lat, other.lon, max(answer.radius_50_km or 0.0, AROUND_KM)) or "–"
        rows.append(("", (str(number), say(named), at, percent_text(other.p))))
    kids = [_table(("", "Place", "Coordinates", "Share"), rows, 2)] if rows else []
    if rows:
        share = f"Share: how much of the probability lies around this place, within some {AROUND_KM:.0f} km."
        kids.append(el("p", {"class": "muted small"}, share))
    if answer.countries:
        shares = [f"{names(share.code)} {percent_text(share.p)}" for share in answer.countries[:6]]
        kids.append(el("p", {"class": "muted small"}, "Countries: ", say(", ".join(shares)), "."))
    return kids


def lines_read(answer: Answer) -> list[Element]:
    """Lines of text with the cues that rest on them."""
    numbers = region_numbers(answer)
    rows: list[tuple[str, Sequence[Kids]]] = []
    for i, region in enumerate(answer.regions):
        script = " · ".join(
            shown(part) for part in (script_name(region.script or ""), language_name(region.language or "")) if part
        )
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
    return [_table(("Line", "Script, language", "Cues", "OCR sure"), rows, 2)] if rows else []


def in_album(answer: Answer) -> list[Element]:
    """When and with what the photo was taken, and the photos next to it in time."""
    kids = [el("p", {"class": "prose"}, say(line)) for line in album_text(answer.album)]
    if answer.album is not None and answer.album.witnesses:
        rows = [el("li", {}, say(f"{witness_text(each)}.")) for each in answer.album.witnesses]
        kids += [el("p", {}, "The nearest photos in time that tell a place:"), el("ul", {"class": "points"}, rows)]
    return kids


def file_says(answer: Answer) -> list[Element]:
    """The position in the file's EXIF data, which is not used as evidence."""
    gps = answer.exif_gps
    if gps is None:
        partial = shown(answer.exif_partial or "")
        return [el("p", {}, f"In the file's EXIF data: {partial}. It was not used.")] if partial else []
    away = "" if is_vague(answer) or (km := exif_distance_km(answer)) is None else f", {km_text(km)} from the answer"
    at = f"{file_text(answer)}, " if gps.place else ""
    return [
        el("p", {}, say(f"GPS position in the file: {at}{coordinates_text(gps.lat, gps.lon)}{away}.")),
        el("p", {"class": "muted small prose"}, "It was not used. Anybody can write any position into a file."),
    ]

"""The annotated photo: regions with cues outlined and numbered, with a legend below.

Regions that a cue rests on are outlined and carry the cue's number; the colour says which place the cue favours. Text
that could not be read has a dashed box.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFont, features

from geoagent.answer import Answer
from geoagent.interfaces.render import (
    NO_CUES,
    UNREAD,
    cue_colours,
    favours_text,
    km_text,
    nats_text,
    region_numbers,
    shown,
    title_text,
)
from geoagent.types import Photo

MIN_SIDE_PX = 900
"""The longer side of a marked photo: smaller ones are enlarged, so that numbers can be read."""
MAX_LINES = 40
_DARK = "#1c1c1e"

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_FIRST = (
    "DejaVuSans.ttf",
    "NotoSans-Regular.ttf",
    "segoeui.ttf",
    "Arial Unicode.ttf",
    "NotoSansCJK-Regular.ttc",
    "msyh.ttc",
)
_LETTERS_THAT_JOIN = ((0x0590, 0x08FF), (0x0900, 0x0DFF), (0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF))
"""Code points of scripts that run from right to left or whose letters change beside others: they need libraqm."""


def annotate(photo: Photo, answer: Answer) -> Image.Image:
    """Return the photo with the regions that cues rest on, outlined and numbered as in `answer.cues`, and a legend.

    Args:
        photo: the photo that the answer is about; `answer.regions` are in pixels of its upright original.
        answer: the answer; one without regions or cues gives the photo with a legend that says so.

    Returns:
        An RGB image, at least `MIN_SIDE_PX` on its longer side without the legend.
    """
    image = Image.fromarray(np.asarray(photo.pixels))
    enlarge = max(1.0, MIN_SIDE_PX / max(image.size))
    if enlarge > 1:
        image = image.resize((round(image.width * enlarge), round(image.height * enlarge)), Image.Resampling.LANCZOS)
    unit = max(image.size) / MIN_SIDE_PX
    _draw_regions(image, answer, enlarge / photo.scale, unit)
    legend = _legend(answer, image.width, unit)
    whole = Image.new("RGB", (image.width, image.height + legend.height), "white")
    whole.paste(image, (0, 0))
    whole.paste(legend, (0, image.height))
    return whole


def _draw_regions(image: Image.Image, answer: Answer, zoom: float, unit: float) -> None:
    draw = ImageDraw.Draw(image)
    colours = cue_colours(answer.cues)
    width, radius = max(2, round(3 * unit)), 13 * unit
    boxes: list[tuple[float, float]] = []
    for place in answer.unread:
        _dashed(draw, [(x * zoom, y * zoom) for x, y in place.polygon_px], max(2, round(2 * unit)), 9 * unit)
    for index, numbers in sorted(region_numbers(answer).items()):
        corners = [(x * zoom, y * zoom) for x, y in answer.regions[index].polygon_px]
        if len(corners) < 3:
            continue
        ring = [*corners, *corners[:2]]  # past the start, so that the last corner is joined like the others
        draw.line(ring, fill="white", width=width + max(2, round(2.5 * unit)), joint="curve")
        draw.line(ring, fill=colours[numbers[0] - 1], width=width, joint="curve")
        x, y = corners[0]
        for number in numbers:
            x, y = free_spot(x, y, radius, image.size, boxes)
            boxes.append((x, y))
            _badge(draw, x, y, radius, number, colours[number - 1])


def _dashed(draw: ImageDraw.ImageDraw, corners: list[tuple[float, float]], width: int, dash: float) -> None:
    """Draw a closed outline in dashes of `dash` pixels, dark under white, so that it shows on any ground."""
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        length = float(np.hypot(x1 - x0, y1 - y0))
        draw.line([(x0, y0), (x1, y1)], fill=_DARK, width=width)
        for start in np.arange(0.0, length, 2 * dash):
            a, b = start / length, min(start + dash, length) / length
            ends = [(x0 + a * (x1 - x0), y0 + a * (y1 - y0)), (x0 + b * (x1 - x0), y0 + b * (y1 - y0))]
            draw.line(ends, fill="white", width=width)


def free_spot(
    x: float, y: float, radius: float, size: tuple[int, int], taken: list[tuple[float, float]]
) -> tuple[float, float]:
    """Return the nearest place to the right, then below, where a badge hides no other and stays on the photo."""
    low, right, bottom = radius + 1, size[0] - radius - 1, size[1] - radius - 1
    start = x = min(max(x, low), right)
    y = min(max(y, low), bottom)
    for _ in range(200):
        if all((x - a) ** 2 + (y - b) ** 2 >= (2 * radius) ** 2 for a, b in taken):
            break
        x += 2.05 * radius
        if x > right:
            x, y = start, y + 2.05 * radius
            if y > bottom:
                y = bottom
                break
    return x, y


def _badge(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, number: int, colour: str) -> None:
    disc = (x - radius, y - radius, x + radius, y + radius)
    draw.ellipse(disc, fill=colour, outline="white", width=max(1, round(radius / 7)))
    font = ImageFont.load_default(radius * (1.25 if number < 10 else 1.0))
    draw.text((x, y), str(number), fill="white", font=font, anchor="mm")


def _legend(answer: Answer, width: int, unit: float) -> Image.Image:
    """The strip below: the answer in one line, then one entry a cue."""
    size, pad, radius = 19 * unit, 14 * unit, 12 * unit
    head = [title_text(answer)]
    if answer.status == "error":
        head = [f"No answer: {shown(answer.error or '')}"]
    elif answer.best is not None and answer.best.lat is not None and answer.best.precision != "none":
        head += [f"50 % within {km_text(answer.radius_50_km)}", f"90 % within {km_text(answer.radius_90_km)}"]
    entries: list[tuple[int | None, list[str]]] = [(None, " · ".join(head).split(" "))]
    for number, cue in enumerate(answer.cues[:MAX_LINES], start=1):
        place = favours_text(cue)
        said = f"{shown(cue.kind)} {shown(cue.value)}{f' → {place}' if place else ''} ({nats_text(cue.nats)} nats)"
        entries.append((number, said.split(" ")))
    if len(answer.cues) > MAX_LINES:
        entries.append((None, f"and {len(answer.cues) - MAX_LINES} more".split(" ")))
    if not answer.cues and answer.status != "error":
        entries.append((None, NO_CUES.split(" ")))
    if answer.unread:
        entries.append((None, f"Dashed: {UNREAD}".split(" ")))

    colours = cue_colours(answer.cues)
    step = size * 1.55
    # Laid out twice: first to measure the height, then to draw.
    strip = Image.new("RGB", (width, 1), "white")
    for _ in range(2):
        draw = ImageDraw.Draw(strip)
        y = pad + step / 2
        for cue_number, words in entries:
            left = pad if cue_number is None else pad + 2.6 * radius
            if cue_number is not None:
                _badge(draw, pad + radius, y, radius, cue_number, colours[cue_number - 1])
            y = _write(draw, words, (left, y), width - pad, size, step) + step
        strip_height = round(y - step / 2 + pad)
        if strip.height < strip_height:
            strip = Image.new("RGB", (width, strip_height), "white")
    return strip


def _write(
    draw: ImageDraw.ImageDraw, words: list[str], start: tuple[float, float], right: float, size: float, step: float
) -> float:
    """Write words from `start` (left, middle of the line), wrapped at `right`; return the last line's middle."""
    left, y = start
    x, space = left, size * 0.28
    for word in words:
        text, font = drawable(word, size)
        while text:
            length = draw.textlength(text, font=font)
            if x > left and x + length > right:
                x, y = left, y + step
            fits = len(text)
            while fits > 1 and x + draw.textlength(text[:fits], font=font) > right:
                fits -= max(1, fits // 16)
            fits = max(1, fits)
            draw.text((x, y), text[:fits], fill=_DARK, font=font, anchor="lm")
            x += draw.textlength(text[:fits], font=font)
            text = text[fits:]
        x += space
    return y


def drawable(text: str, size: float) -> tuple[str, Font]:
    """Return `text` and a font that has all of its signs; in Latin letters where no font on this machine has them."""
    for name in (*islice(_font_files(), 80), None):
        font = _font(name, size)
        if font is not None and _covers(name, text):
            return text, font
    latin = anyascii(text)
    plain = _font(None, size)
    assert plain is not None
    return "".join(c for c in latin if c.isprintable()) or "?", plain


@cache
def _font(name: str | None, size: float) -> Font | None:
    if name is None:
        return ImageFont.load_default(size)
    try:
        return ImageFont.truetype(name, size)
    except OSError:
        return None


@cache
def _covers(name: str | None, text: str) -> bool:
    if any(low <= ord(c) <= high for c in text for low, high in _LETTERS_THAT_JOIN) and not features.check("raqm"):
        return False
    return all(_has(name, c) for c in text if not c.isspace())


@cache
def _has(name: str | None, char: str) -> bool:
    """Whether the font has a glyph for `char`, not the missing-glyph box."""
    font = _font(name, 24)
    if font is None:
        return False
    return bytes(font.getmask(char)) != bytes(font.getmask("\U0010fffe"))


@cache
def _font_files() -> tuple[str, ...]:
    """Installed fonts likely to cover many scripts, widest coverage first."""
    found = {path.name: str(path) for folder in _folders() for path in _walk(folder)}
    first = [found[name] for name in _FIRST if name in found]
    noto = [found[name] for name in sorted(found) if name.startswith("NotoSans") and "Regular" in name]
    return tuple(dict.fromkeys([*first, *noto]))


def _folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        return [Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts"]
    if sys.platform == "darwin":
        return [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share")
    return [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), data / "fonts", home / ".fonts"]


def _walk(folder: Path) -> Iterator[Path]:
    for top, _, files in os.walk(folder):
        for file in files:
            if file.lower().endswith((".ttf", ".otf", ".ttc")):
                yield Path(top) / file

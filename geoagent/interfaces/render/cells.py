"""Pictures of geocells: a PNG of the world or of one country. `cells_page` has the page and GeoJSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw, ImageFont

from geoagent.errors import InputError
from geoagent.places.geo import Float, check_latlon
from geoagent.places.geocells import Geocells, touching

By = Literal["country", "cell", "size", "radius"]
_FINE = 3
"""Pixels are drawn this many times finer and then averaged, which smooths every edge at once."""
_SEA, _OTHER, _CELL, _COUNTRY, _COAST = (214, 226, 234), (236, 233, 226), (255, 255, 255), (70, 66, 62), (120, 132, 140)
_HUES = np.array(
    [[124, 169, 205], [233, 168, 114], [141, 190, 139], [214, 141, 150], [172, 157, 205], [226, 203, 117],
     [126, 190, 190], [205, 165, 136], [176, 196, 122], [201, 151, 190]]
)  # fmt: skip
_RAMP = np.array([[255, 247, 210], [253, 206, 122], [240, 132, 82], [190, 56, 84], [98, 22, 92], [40, 11, 60]])
_INK, _EMPTY = (28, 28, 30), (225, 222, 216)
_LEAST_PART = 5e-3


def cells_png(
    cells: Geocells,
    path: str | Path,
    *,
    by: By = "country",
    sizes: ArrayLike | None = None,
    country: str | None = None,
    box: tuple[float, float, float, float] | None = None,
    places: ArrayLike | None = None,
    width_px: int = 1600,
    title: str | None = None,
) -> Path:
    """Draw geocells as a PNG.

    Longitude is squeezed by the cosine of the middle latitude, so that a country has its familiar shape. A country on
    both sides of ±180° is drawn in one piece.

    Args:
        cells: geocells with polygons.
        path: where to write.
        by: what colours mean: neighbouring countries differ, neighbouring cells differ, places of a cell, or radius.
        sizes: `(C,)` places of each cell, for `by="size"`.
        country: draw this country (ISO code) and leave its neighbours pale; the world where absent.
        box: (south, west, north, east) degrees to draw instead; west > east runs across ±180°.
        places: `(N, 2)` degrees to draw as dots, such as training places.
        width_px: width of the picture.
        title: a line at the top; a summary of the cells where absent, nothing for "".

    Returns:
        The path.

    Raises:
        InputError: no polygons, a country without cells, no sizes for `by="size"`, or a box without area.
    """
    if not cells.polygons:
        raise InputError("these geocells have no polygons to draw; they are known by their centroids only")
    if country is not None and country not in cells.country_codes:
        raise InputError(f"no geocell lies in {country!r}; the cells have {', '.join(cells.country_codes[:20])} …")
    shown = np.ones(len(cells), dtype=bool) if country is None else cells.country == country
    view = _View.of(cells, shown if country else None, box, width_px)
    ids = view.draw(cells)
    colours, bounds = cell_colours(cells, by, sizes, shown)
    picture = _paint(ids, cells, colours, country is None)
    if places is not None:
        _dots(picture, view, check_latlon(np.asarray(places, dtype=np.float64).reshape(-1, 2)))
    small = picture.resize((view.width, view.height), Image.Resampling.BOX)
    _legend(small, _summary(cells, shown, country) if title is None else title, by, bounds)
    small.save(path, "PNG", optimize=True)
    return Path(path)


class _View:
    """A window in degrees and the pixels that it becomes; longitudes run on past 180 where it crosses ±180°."""

    def __init__(self, south: float, west: float, north: float, east: float, width_px: int) -> None:
        self.south, self.west, self.north, self.east = south, west, north, east
        squeeze = max(0.15, float(np.cos(np.radians((south + north) / 2)))) if east - west < 200 else 1.0
        self.width = width_px
        self.height = max(1, min(2 * width_px, round(width_px * (north - south) / ((east - west) * squeeze))))

    @classmethod
    def of(
        cls, cells: Geocells, shown: NDArray[np.bool_] | None, box: tuple[float, float, float, float] | None, width: int
    ) -> _View:
        if box is not None:
            south, west, north, east = box
            east = east + 360.0 if east < west else east
            if not (-90 <= south < north <= 90 and west < east):
                raise InputError(f"expected a box (south, west, north, east) with an area, got {box}")
            return cls(south, west, north, east, width)
        if shown is None:
            return cls(-60.0, -180.0, 84.0, 180.0, width)
        import shapely

        parts = shapely.get_parts(np.array(cells.polygons, dtype=object)[shown])
        area = shapely.area(parts)
        parts = parts[area >= _LEAST_PART * area.max()]  # a remote islet should not shrink the country
        bounds = shapely.bounds(parts)
        # The view begins after the widest stretch of longitudes without land.
        order = np.argsort(bounds[:, 0])
        begin, reach = bounds[order, 0], np.maximum.accumulate(bounds[order, 2])
        gaps = np.append(begin[1:] - reach[:-1], begin[0] + 360.0 - reach[-1])
        cut = int(gaps.argmax())
        west = float(begin[(cut + 1) % len(begin)])
        east = float(reach[cut])
        east = east + 360.0 if east <= west else east
        south, north = float(bounds[:, 1].min()), float(bounds[:, 3].max())
        pad = 0.04 * max(east - west, north - south, 0.02)
        return cls(max(south - pad, -90), west - pad, min(north + pad, 90), min(east + pad, west - pad + 360), width)

    def pixels(self, lonlat: Float, turn: float = 0.0) -> Float:
        """Degrees `(n, 2)` lon, lat, longitudes moved by `turn`, as fine pixels."""
        x = (lonlat[:, 0] + turn - self.west) / (self.east - self.west) * self.width * _FINE
        y = (self.north - lonlat[:, 1]) / (self.north - self.south) * self.height * _FINE
        return np.column_stack([x, y])

    def turns(self, west: float, east: float) -> Iterator[float]:
        """Whole turns by which land between two longitudes comes into view."""
        yield from (turn for turn in (-360.0, 0.0, 360.0) if east + turn >= self.west and west + turn <= self.east)

    def draw(self, cells: Geocells) -> NDArray[np.int32]:
        """The cell of each fine pixel, -1 for the sea."""
        import shapely

        image = Image.new("I", (self.width * _FINE, self.height * _FINE), -1)
        pen = ImageDraw.Draw(image)
        parts, owner = shapely.get_parts(np.array(cells.polygons, dtype=object), return_index=True)
        tolerance = 0.3 * (self.east - self.west) / (self.width * _FINE)
        simple = shapely.simplify(parts, tolerance, preserve_topology=True)
        bounds = shapely.bounds(simple)
        # Large ones first: what lies in a hole is smaller than what is around it.
        for i in np.argsort(-shapely.area(simple), kind="stable").tolist():
            west, south, east, north = bounds[i].tolist()
            if not (south <= self.north and north >= self.south):
                continue
            for turn in self.turns(west, east):
                for ring, fill in [
                    (simple[i].exterior, int(owner[i])),
                    *((hole, -1) for hole in simple[i].interiors),
                ]:
                    xy = self.pixels(shapely.get_coordinates(ring), turn)
                    pen.polygon(xy.ravel().tolist(), fill=fill)
        return np.asarray(image, dtype=np.int32)


def cell_values(cells: Geocells, by: By, sizes: ArrayLike | None) -> Float | None:
    """The number `(C,)` that a colour stands for, None where it stands for none."""
    if by == "radius":
        return np.asarray(cells.radius_km, dtype=np.float64)
    if by != "size":
        return None
    if sizes is None:
        raise InputError('colours by "size" need sizes=…, the training places of each cell')
    values = np.asarray(sizes, dtype=np.float64)
    if values.shape != (len(cells),):
        raise InputError(f"expected sizes of {len(cells)} cells, got shape {values.shape}")
    return values


def cell_colours(
    cells: Geocells, by: By, sizes: ArrayLike | None = None, shown: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.uint8], tuple[float, float] | None]:
    """Colours `(C, 3)` as in `cells_png`, and the least and largest value where they mean one.

    Cells that are not `shown` are pale.

    Raises:
        InputError: no sizes for `by="size"`, or of another number of cells.
    """
    values = cell_values(cells, by, sizes)
    shown = np.ones(len(cells), dtype=bool) if shown is None else shown
    out = np.empty((len(cells), 3))
    bounds = None
    if values is not None:
        seen = values[shown & (values > 0)]
        low, high = (float(seen.min()), float(seen.max())) if len(seen) else (1.0, 1.0)
        bounds = (low, high)
        at = np.log(np.clip(values, low, high) / low) / max(np.log(high / low), 1e-9) * (len(_RAMP) - 1)
        out = np.column_stack([np.interp(at, np.arange(len(_RAMP)), _RAMP[:, k]) for k in range(3)])
        out[values <= 0] = _EMPTY
    else:
        shapes = np.array(cells.polygons, dtype=object)
        pairs = touching(shapes)
        nodes = np.arange(len(cells)) if by == "cell" else cells.country_index
        out = _HUES[_apart(nodes, pairs)].astype(np.float64)
        if by == "country":  # cells of a country are shades of one colour
            out *= (0.93 + 0.035 * (_apart(np.arange(len(cells)), pairs) % 5))[:, None]
    out[~shown] = _OTHER
    return np.clip(np.round(out), 0, 255).astype(np.uint8), bounds


def _apart(nodes: NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """Colour numbers such that touching nodes differ as far as the colours go; the least used one is taken."""
    near: dict[int, set[int]] = {}
    for a, b in nodes[pairs].tolist():
        if a != b:
            near.setdefault(a, set()).add(b)
            near.setdefault(b, set()).add(a)
    colour: dict[int, int] = {}
    used = [0] * len(_HUES)
    for node in sorted(set(nodes.tolist()), key=lambda n: (-len(near.get(n, ())), n)):
        taken = [colour.get(other, -1) for other in near.get(node, ())]
        best = min(range(len(_HUES)), key=lambda k: (taken.count(k), used[k], k))
        colour[node] = best
        used[best] += 1
    return np.array([colour[n] for n in nodes.tolist()], dtype=np.int64)


def _paint(ids: NDArray[np.int32], cells: Geocells, colours: NDArray[np.uint8], whole_world: bool) -> Image.Image:
    """Colour the cells, then the lines where a pixel and the next one differ."""
    table = np.vstack([colours, np.array([_SEA], dtype=np.uint8)])
    rgb = table[ids]
    country = np.append(cells.country_index, -1)[ids]
    cell_line = _edges(ids, 1)
    border = _edges(country, 1 if whole_world else 2)
    coast = border & _edges(ids < 0, 1 if whole_world else 2)
    rgb[cell_line] = (0.45 * rgb[cell_line] + 0.55 * np.array(_CELL)).astype(np.uint8)
    rgb[border] = _COUNTRY
    rgb[coast] = _COAST
    return Image.fromarray(rgb)


def _edges(values: NDArray[Any], width: int) -> NDArray[np.bool_]:
    out = np.zeros(values.shape, dtype=bool)
    for step in range(1, width + 1):
        out[:, :-step] |= values[:, :-step] != values[:, step:]
        out[:-step] |= values[:-step] != values[step:]
    return out


def _dots(picture: Image.Image, view: _View, places: Float) -> None:
    pen = ImageDraw.Draw(picture)
    reach = _FINE * (0.8 if len(places) > 5000 else 1.4)
    lonlat = places[:, ::-1]
    for turn in (-360.0, 0.0, 360.0):
        for x, y in view.pixels(lonlat, turn).tolist():
            if 0 <= x <= picture.width and 0 <= y <= picture.height:
                pen.ellipse((x - reach, y - reach, x + reach, y + reach), fill=_INK)


def _summary(cells: Geocells, shown: NDArray[np.bool_], country: str | None) -> str:
    count = int(shown.sum())
    if country:
        return f"{country}: {count:,} geocells"
    return f"{count:,} geocells in {len(cells.country_codes)} countries"


def _legend(picture: Image.Image, title: str, by: By, bounds: tuple[float, float] | None) -> None:
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(13, picture.width // 80))
    pad = picture.width // 100
    if title:
        left, top, right, bottom = pen.textbbox((2 * pad, 2 * pad), title, font=font)
        pen.rectangle((left - pad, top - pad // 2, right + pad, bottom + pad // 2), fill=(255, 255, 255))
        pen.text((2 * pad, 2 * pad), title, fill=_INK, font=font)
    if bounds is None:
        return
    words = (
        "places of a cell" if by == "size" else "km from the middle that hold half",
        *(f"{b:,.0f}" for b in bounds),
    )
    long, tall = picture.width // 6, max(8, picture.width // 130)
    line = font.size * 1.3 if hasattr(font, "size") else 16
    x, y = 2 * pad, picture.height - 2 * pad - tall - 2 * line
    pen.rectangle(
        (x - pad, y - pad // 2, x + max(long, pen.textlength(words[0], font)) + pad, picture.height - pad),
        fill=(255, 255, 255),
    )
    pen.text((x, y), words[0], fill=_INK, font=font)
    for step in range(long):
        at = step / (long - 1) * (len(_RAMP) - 1)
        shade = tuple(round(float(np.interp(at, np.arange(len(_RAMP)), _RAMP[:, k]))) for k in range(3))
        pen.line((x + step, y + line, x + step, y + line + tall), fill=shade)
    pen.text((x, y + line + tall), words[1], fill=_INK, font=font)
    pen.text((x + long - pen.textlength(words[2], font), y + line + tall), words[2], fill=_INK, font=font)

"""A static SVG map without script, for printing and sharing.

Near the answer the projection is azimuthal equidistant about it, so that circles around the place are circles on paper
and distances from it are true; an answer that may be anywhere gets the world (Equal Earth, Šavrič et al. 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
import shapely

from geoagent.interfaces.render import km_text
from geoagent.interfaces.render._html import el
from geoagent.interfaces.render._projection import equal_earth, equidistant
from geoagent.interfaces.render._rings import rings_of
from geoagent.places.geo import Float, LatLon, haversine_km, lonlat_from_latlon

WIDTH, HEIGHT = 540.0, 390.0
NEAREST_KM, FARTHEST_KM = 260.0, 7000.0
"""Least half height of a map near a place, so that one sees which part of which country it is, and the most."""
_GLOBE = 48.0
_MAIN_TOWNS = 8
_NICE_KM = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Pin:
    """A place on the map: `kind` is best, vision, text, file or alt; `label` stands in or beside it."""

    kind: str
    at: LatLon
    label: str = ""


@dataclass(frozen=True, slots=True)
class City:
    """A town shown for orientation."""

    name: str
    at: LatLon


def chart(
    outlines: Mapping[str, Any],
    pins: Sequence[Pin],
    *,
    shares: Mapping[str, float],
    radii_km: tuple[float, float] | None,
    cities: Callable[[LatLon, float], Sequence[City]] | None = None,
    names: Callable[[str], str] = str,
    says: str = "Map",
) -> Element:
    """Draw a map.

    Args:
        outlines: GeoJSON FeatureCollection of countries (lon, lat) with the property `country`.
        pins: places; the first of kind "best" is the middle. Without one the world is shown.
        shares: probability by country code, drawn as shade.
        radii_km: 50 and 90 % radius around the best place.
        cities: towns within a distance (km) of a place, most important first.
        names: from a country's code to its name.
        says: what the map shows, for those who cannot see it.
    """
    best = next((pin for pin in pins if pin.kind == "best"), None)
    if best is None or (radii_km is not None and radii_km[1] > FARTHEST_KM):
        return _world(outlines, pins, shares, says)
    reach = [NEAREST_KM, 1.2 * radii_km[1] if radii_km is not None else 0.0]
    reach += [1.1 * km for pin in pins if (km := best.at.distance_km(pin.at)) < 900 and pin.kind != "alt"]
    return _near(outlines, pins, best.at, min(max(reach), FARTHEST_KM), shares, radii_km, cities, names, says)


def _near(
    outlines: Mapping[str, Any],
    pins: Sequence[Pin],
    centre: LatLon,
    half_km: float,
    shares: Mapping[str, float],
    radii_km: tuple[float, float] | None,
    cities: Callable[[LatLon, float], Sequence[City]] | None,
    names: Callable[[str], str],
    says: str,
) -> Element:
    scale = HEIGHT / 2 / half_km
    corner_km = float(np.hypot(WIDTH, HEIGHT)) / 2 / scale
    frame = shapely.box(-2, -2, WIDTH + 2, HEIGHT + 2)

    def place(lonlat: Float) -> Float:
        return np.array([WIDTH / 2, HEIGHT / 2]) + scale * equidistant(lonlat, centre)

    root = _root(says)
    taken = _Labels()
    labels = []
    for code, rings in _countries(outlines):
        seen = _seen(rings, centre, corner_km, place, frame)
        if seen.is_empty:
            continue
        root.append(_shape(code, shares, _path(seen)))
        largest = max(shapely.get_parts(seen), key=shapely.area)
        if largest.area > 2500:
            labels.append((largest.area, names(code), shapely.maximum_inscribed_circle(largest).coords[0]))
    cx, cy = WIDTH / 2, HEIGHT / 2
    for km, kind in zip(radii_km or (), ("r50", "r90"), strict=False):
        root.append(el("circle", {"class": kind, "cx": cx, "cy": cy, "r": f"{km * scale:.1f}"}))
    spots = [(pin, place(lonlat_from_latlon([[pin.at.lat, pin.at.lon]]))[0]) for pin in pins]
    spots = [(pin, xy) for pin, xy in spots if 0 <= xy[0] <= WIDTH and 0 <= xy[1] <= HEIGHT]
    for pin, (x, y) in spots:
        taken.add(x - 10, y - (29 if pin.kind == "best" else 9), x + 10, y + (5 if pin.kind == "best" else 9))
    taken.add(0, HEIGHT - 30, 170, HEIGHT)
    taken.add(WIDTH - 2 * _GLOBE - 24, 0, WIDTH, 2 * _GLOBE + 24)
    marks = [node for pin, (x, y) in reversed(spots) for node in _pin(pin, x, y)]
    for pin, (x, y) in spots:
        if pin.kind == "best" and pin.label:
            marks += taken.text(pin.label, x, y, "name", 14, 15)
    written_towns = 0
    for city in cities(centre, corner_km) if cities is not None else ():
        x, y = place(lonlat_from_latlon([[city.at.lat, city.at.lon]]))[0]
        if 6 < x < WIDTH - 6 and 6 < y < HEIGHT - 6 and taken.free(x - 3, y - 3, x + 3, y + 3):
            rank = "" if written_towns < _MAIN_TOWNS else " minor"  # those are left out of a small screen
            written = taken.text(city.name, x, y, f"city{rank}", 6, 12)
            if written:
                written_towns += 1
                root.append(el("circle", {"class": f"town{rank}", "cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": 2}))
                root.extend(written)
    for _, name, (x, y) in sorted(labels, reverse=True):
        root.extend(taken.text(name.upper(), x, y, "land-name", 0, 11, middle=True))
    root.extend(marks)
    root.append(_ruler(scale))
    root.append(_globe(outlines, centre, shares))
    return root


def _world(outlines: Mapping[str, Any], pins: Sequence[Pin], shares: Mapping[str, float], says: str) -> Element:
    scale = WIDTH / 2 / 2.75

    def place(lonlat: Float) -> Float:
        return np.array([WIDTH / 2, HEIGHT / 2]) + scale * equal_earth(lonlat) * [1, -1]

    root = _root(says)
    top = 1.33 * scale
    root.set("viewBox", f"0 {HEIGHT / 2 - top:.0f} {WIDTH:g} {2 * top:.0f}")
    edge = [(180.0, lat) for lat in range(-90, 91, 3)] + [(-180.0, lat) for lat in range(90, -91, -3)]
    root.set("class", "chart world")
    root.append(el("path", {"class": "ocean", "d": _line(place(np.array(edge)))}))
    for code, rings in _countries(outlines):
        root.append(_shape(code, shares, "".join(_coarse(place(ring), 0.25) for ring in rings)))
    for pin in reversed(pins):
        x, y = place(lonlat_from_latlon([[pin.at.lat, pin.at.lon]]))[0]
        root.extend(_pin(pin, float(x), float(y)))
    return root


def _root(says: str) -> Element:
    box = f"0 0 {WIDTH:g} {HEIGHT:g}"
    return el("svg", {"class": "chart", "viewBox": box, "role": "img", "aria-label": says})


def _countries(outlines: Mapping[str, Any]) -> Iterator[tuple[str, list[Float]]]:
    for feature in outlines.get("features") or ():
        code = str((feature.get("properties") or {}).get("country") or "")
        yield code, list(rings_of(feature.get("geometry") or {}))


def _shape(code: str, shares: Mapping[str, float], path: str) -> Element:
    p = min(max(shares.get(code, 0.0), 0.0), 1.0)
    # Fills that a style sheet cannot hold, since the policy of the page allows no style beside the hashed one.
    shade = {"fill-opacity": f"{0.05 + 0.24 * p**0.5:.2f}", "class": "land likely"} if p > 0.002 else {"class": "land"}
    group = el("g", {}, el("path", {"class": "land", "d": path}))
    if p > 0.002:
        group.append(el("path", {**shade, "d": path}))
    return group


def _seen(rings: Sequence[Float], centre: LatLon, corner_km: float, place: Callable[[Float], Float], frame: Any) -> Any:
    """The part of a country that lies inside the frame, in pixels.

    A ring whose corners are all beyond the frame is left out, unless the middle lies in it: the projection would turn
    one around the antipode inside out.
    """
    parts = []
    middle = np.array([centre.lat, centre.lon])
    for ring in rings:
        if len(ring) < 4:
            continue
        far = bool((haversine_km(ring[:, ::-1], middle) > 1.05 * corner_km).all())
        if far and not shapely.contains_xy(shapely.polygons(ring), centre.lon, centre.lat):
            continue
        shape = shapely.make_valid(shapely.polygons(place(_dense(ring))))
        parts.append(shapely.intersection(shape, frame))
    whole = parts[0] if parts else shapely.Polygon()
    for part in parts[1:]:  # rings of holes take away, rings of islands add
        whole = shapely.symmetric_difference(whole, part)
    return whole


def _dense(ring: Float) -> Float:
    """A ring without steps of more than 2°, since straight lines on the globe are curves on the map."""
    return np.asarray(shapely.get_coordinates(shapely.segmentize(shapely.linestrings(ring), 2.0)), dtype=np.float64)


def _globe(outlines: Mapping[str, Any], centre: LatLon, shares: Mapping[str, float]) -> Element:
    """Where in the world: the half of the globe around the place; what lies behind is drawn onto its edge."""
    group = el("g", {"class": "globe", "transform": f"translate({WIDTH - _GLOBE - 12:g} {_GLOBE + 12:g})"})
    group.append(el("circle", {"class": "ocean", "r": _GLOBE}))
    lon0, lat0 = np.radians(centre.lon), np.radians(centre.lat)
    for code, rings in _countries(outlines):
        path = ""
        for ring in rings:
            lon, lat = np.radians(ring).T
            depth = np.sin(lat0) * np.sin(lat) + np.cos(lat0) * np.cos(lat) * np.cos(lon - lon0)
            if len(ring) < 4 or (depth < 0).all():
                continue
            x = np.cos(lat) * np.sin(lon - lon0)
            y = np.sin(lat0) * np.cos(lat) * np.cos(lon - lon0) - np.cos(lat0) * np.sin(lat)
            beyond = np.where(depth < 0, np.maximum(np.hypot(x, y), 1e-9), 1.0)
            path += _coarse(_GLOBE * np.column_stack([x / beyond, y / beyond]), 0.4)
        if path:
            group.append(el("path", {"class": "land lit" if shares.get(code, 0.0) > 0.25 else "land", "d": path}))
    group.append(el("circle", {"class": "here", "r": 3.5}))
    return group


def _path(shape: Any) -> str:
    rings, _ = shapely.get_rings(shapely.get_parts(shape), return_index=True)
    return "".join(_line(shapely.get_coordinates(shapely.simplify(ring, 0.3))) for ring in rings)


def _coarse(xy: Float, tolerance: float) -> str:
    """Simplify a ring to the visible detail."""
    if len(xy) < 3 or np.ptp(xy, axis=0).max() < 3 * tolerance:
        return ""
    return _line(shapely.get_coordinates(shapely.simplify(shapely.linestrings(xy), tolerance)))


def _line(xy: Float) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in xy.tolist()) + "Z"


def _pin(pin: Pin, x: float, y: float) -> list[Element]:
    at = {"transform": f"translate({x:.1f} {y:.1f})", "class": f"pin {pin.kind}"}
    if pin.kind == "best":
        drop = "M0 0C-3-7-10-11-10-18A10 10 0 0 1 10-18C10-11 3-7 0 0Z"
        return [el("g", at, el("path", {"d": drop}), el("circle", {"cy": -18, "r": 3.5}))]
    if pin.kind == "alt":
        return [el("g", at, el("circle", {"r": 8}), el("text", {"dy": "0.36em"}, pin.label))]
    shape = {"text": "M0-8L8 0L0 8L-8 0Z", "file": "M-6-6H6V6H-6Z"}.get(pin.kind)
    return [el("g", at, el("path", {"d": shape}) if shape else el("circle", {"r": 7}))]


def _ruler(scale: float) -> Element:
    km = next((km for km in reversed(_NICE_KM) if km * scale <= 150), _NICE_KM[0])
    x, y = 14.0, HEIGHT - 13
    line = el("path", {"d": f"M{x} {y - 5}V{y}H{x + km * scale:.1f}V{y - 5}"})
    return el("g", {"class": "ruler"}, line, el("text", {"x": x + 5, "y": y - 5}, km_text(km)))


class _Labels:
    """Areas already occupied by labels."""

    def __init__(self) -> None:
        self._boxes: list[tuple[float, float, float, float]] = []

    def add(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self._boxes.append((x0, y0, x1, y1))

    def free(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        return all(x1 < a or c < x0 or y1 < b or d < y0 for a, b, c, d in self._boxes)

    def text(self, text: str, x: float, y: float, kind: str, gap: float, size: float, *, middle: bool = False) -> Any:
        """A label beside (or, `middle`, upon) a place, to its right or else left; nothing where there is no room."""
        text = text if len(text) <= 40 else text[:39] + "…"
        wide, tall = (0.74 if middle else 0.62) * size * len(text), size
        sides = ((x - wide / 2, "middle"),) if middle else ((x + gap, "start"), (x - gap - wide, "end"))
        for left, anchor in sides:
            box = (left - 2, y - tall / 2 - 1, left + wide + 2, y + tall / 2 + 1)
            if box[0] >= 2 and box[2] <= WIDTH - 2 and box[1] >= 2 and box[3] <= HEIGHT - 2 and self.free(*box):
                self.add(*box)
                at = {"start": left, "middle": x, "end": left + wide}[anchor]
                return [
                    el(
                        "text",
                        {"class": kind, "x": f"{at:.1f}", "y": f"{y:.1f}", "dy": "0.35em", "text-anchor": anchor},
                        text,
                    )
                ]
        return []

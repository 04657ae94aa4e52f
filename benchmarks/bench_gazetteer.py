"""Benchmark the gazetteer: `python benchmarks/bench_gazetteer.py`. CPU time, one thread."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import numpy as np

from geoagent.places.gazetteer import Gazetteer, normalise

SIGN = (
    "Rolla – Sharjah, Karak chai 06 568 0042\nKöln Hauptbahnhof, 50667 Köln\n東京都新宿区\n"
    "กรุงเทพมหานคร\nСанкт-Петербург\nالقاهرة\nSan José de Mayo, Uruguay 12 Dhs Free home delivery"
)


def cpu(run: Callable[[], object], times: int) -> float:
    """Return CPU seconds per run."""
    start = time.process_time()
    for _ in range(times):
        run()
    return (time.process_time() - start) / times


def recall(gaz: Gazetteer, edits: int, count: int = 400) -> tuple[float, float, float]:
    """Return recall@8, mean and worst seconds for misspelt names of cities above 50,000 people."""
    rng = random.Random(edits)
    cities = gaz.cities
    big = np.flatnonzero(cities.population > 50_000).tolist()
    hits = tried = 0
    spent: list[float] = []
    for i in rng.sample(big, count):
        letters = list(normalise(cities.name(i)))
        if len(letters) < (5 if edits == 1 else 9):
            continue
        for _ in range(edits):
            at, new = rng.randrange(len(letters)), rng.choice("abcdefghijklmnopqrstuvwxyz")
            kind = rng.choice(("replace", "insert", "drop"))
            letters[at : at + (kind != "insert")] = [] if kind == "drop" else [new]
        start = time.process_time()
        found = gaz.fuzzy("".join(letters))
        spent.append(time.process_time() - start)
        tried += 1
        hits += any(m.place.name == cities.name(i) for m in found)
    return hits / tried, float(np.mean(spent)), max(spent)


def main() -> None:
    """Print the table."""
    rows: list[tuple[str, str, str]] = []
    rows.append(("load", f"{cpu(Gazetteer.load, 3):.3f} s", "≤ 0.3 s"))
    gaz = Gazetteer.load()
    names = ["Köln", "Paris", "San José", "東京", "Санкт-Петербург", "القاهرة", "Springfield", "Tbilisi"]
    for name in names:
        gaz.lookup(name)
    rows.append(
        ("exact lookup", f"{cpu(lambda: [gaz.lookup(n) for n in names], 200) / len(names) * 1e6:.1f} µs", "≤ 20 µs")
    )
    start = time.process_time()
    gaz.fuzzy("Thessalonkii")
    rows.append(("first fuzzy (two edits)", f"{time.process_time() - start:.2f} s", "≤ 2 s"))
    gaz.scan(SIGN)
    rows.append((f"scan, {len(SIGN)} characters", f"{cpu(lambda: gaz.scan(SIGN), 100) * 1e3:.2f} ms", "≤ 2 ms"))
    rows.append(("scan with fuzzy", f"{cpu(lambda: gaz.scan(SIGN, fuzzy=True), 20) * 1e3:.2f} ms", "–"))
    rows.append(("scan, 100,000 characters", f"{cpu(lambda: gaz.scan(SIGN * 520), 1):.2f} s", "–"))
    for edits in (1, 2):
        share, mean, worst = recall(gaz, edits)
        rows.append((f"fuzzy, {edits} random edit(s): recall@8", f"{share:.3f}", "≥ 0.97" if edits == 1 else "≥ 0.85"))
        rows.append(
            (f"fuzzy, {edits} random edit(s): mean, worst", f"{mean * 1e3:.2f}, {worst * 1e3:.1f} ms", "≤ 5 ms")
        )
    rows.append(("polygons, first use", f"{cpu(lambda: gaz.areas, 1):.3f} s", "–"))
    gaz.reverse((50.94, 6.96))
    rows.append(("reverse", f"{cpu(lambda: gaz.reverse((50.94, 6.96)), 100) * 1e3:.2f} ms", "–"))
    rng = np.random.default_rng(0)
    cities = gaz.cities
    weight = np.maximum(cities.population, 0) / cities.population.sum()
    drawn = rng.choice(len(cities), 2000, p=weight)
    points = cities.latlon[drawn] + rng.normal(0, 0.03, (2000, 2))
    rows.append(("countries_at", f"{cpu(lambda: gaz.countries_at(points), 3) / 2000 * 1e6:.1f} µs a point", "–"))
    right = (gaz.countries_at(points) == cities.country[drawn]).mean()
    rows.append(("country right, jittered places", f"{right:.4f}", "≥ 0.99"))
    places = [gaz.reverse(tuple(p)) for p in points]
    same = np.mean([p is not None and p.name == cities.name(int(i)) for p, i in zip(places, drawn, strict=True)])
    rows.append(("reverse gives the source city", f"{same:.3f}", "≥ 0.60"))
    total = 0
    for name in (
        "places.npz",
        "places.json",
        "names.marisa",
        "names.npz",
        "admin.xz",
        "outlines.geojson.gz",
        "stopwords.txt",
    ):
        size = (gaz.folder / name).stat().st_size
        total += size
        rows.append((name, f"{size / 1e6:.2f} MB", "–"))
    rows.append(("all files", f"{total / 1e6:.2f} MB", "≤ 13.5 MB"))
    for key, value in gaz.counts.items():
        rows.append((key, f"{value:,}", "≥ 790,000" if key == "names" else "≥ 170,000" if key == "cities" else "–"))
    for what, got, want in rows:
        print(f"{what:40} {got:>20} {want:>12}")


if __name__ == "__main__":
    main()

"""A world that sees: the starter's geocells, with a head whose features are where a photo was taken, and noise.

An embedding is a place's unit vector, so the head's logits κ · cos(angle) are those of a round cloud around it: a
picture that tells roughly where it is from, over real countries, for which real texts can be weighed.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np

from geoagent.places.geo import to_unit
from geoagent.worlds.gallery import Gallery
from geoagent.worlds.head import CellHead
from geoagent.worlds.world import World

TOWNS = {
    "DE": (50.94, 6.96), "FR": (47.32, 5.04), "IT": (45.07, 7.69), "ES": (41.65, -0.88), "PL": (50.06, 19.94),
    "GR": (40.64, 22.94), "JP": (34.69, 135.5), "BR": (-23.55, -46.63), "KE": (-1.29, 36.82), "TR": (39.93, 32.86),
    "GB": (53.48, -2.24), "SE": (57.71, 11.97), "MX": (20.67, -103.35), "KR": (35.18, 129.08),
}  # fmt: skip
TEXTS = {
    "DE": ["Apotheke am Dom", "Tel. 0221 4710234", "50667 Köln"],
    "FR": ["Boulangerie", "12 rue de la Liberté", "21000 Dijon"],
    "IT": ["Farmacia Centrale", "Via Roma 12", "10123 Torino"],
    "ES": ["Farmacia", "Calle de Alfonso I 22", "50003 Zaragoza"],
    "PL": ["Apteka Pod Złotym Orłem", "ul. Floriańska 5", "31-019 Kraków"],
    "GR": ["ΦΑΡΜΑΚΕΙΟ", "Εγνατία 45", "Θεσσαλονίκη"],
    "JP": ["大阪市役所", "大阪府大阪市北区"],
    "BR": ["Padaria São José", "Rua Augusta 1500", "(11) 3256-1234"],
    "KE": ["Nairobi City County", "P.O. Box 30075", "Tel. +254 20 2224281"],
    "TR": ["Eczane", "Atatürk Bulvarı No: 12", "Çankaya / Ankara"],
    "GB": ["Deansgate", "Manchester M3 2BQ", "0161 496 0123"],
    "SE": ["Apoteket", "Kungsgatan 12", "411 19 Göteborg"],
    "MX": ["Farmacia Guadalajara", "Av. Vallarta 1200", "44160 Guadalajara, Jal."],
    "KR": ["부산광역시", "해운대구청"],
}


def features(latlon: object, noise: float = 0.02, views: int = 2, seed: int = 0) -> np.ndarray:
    """`(N, views, 3)` features of places."""
    unit = to_unit(np.atleast_2d(np.asarray(latlon, dtype=np.float64)))
    rng = np.random.default_rng(seed)
    return (unit[:, None, :] + noise * rng.normal(size=(len(unit), views, 3))).astype(np.float32)


@lru_cache(maxsize=1)
def seen_world(kappa: float = 900.0) -> World:
    """The world; its gallery are photos at the starter's places of support."""
    world = World.load()
    head = CellHead(kappa * to_unit(world.cells.centroids), world.log_prior, "toy", world.cells.fingerprint)
    rows = np.random.default_rng(1).permutation(len(world.support.latlon))[:6000]
    latlon, cell = world.support.latlon[rows], world.support.cell[rows]
    order = np.argsort(cell, kind="stable")
    places = latlon[order]
    gallery = Gallery.make(
        features(places, 0.0, 1)[:, 0], places, cell[order], [f"photo {i}" for i in range(len(rows))]
    )
    return replace(world, name="seen", head=head, gallery=gallery, calibration={"alpha": 15.0, "bandwidth_km": 50.0})


def write_pairs(folder: Path, each: int = 3) -> tuple[Path, Path, Path]:
    """Labelled texts, features of places, and pairs of both: every town `each` times, and texts without evidence."""
    rng = np.random.default_rng(2)
    rows, places, pairs = [], [], []
    for code, (lat, lon) in TOWNS.items():
        for number in range(each):
            key = f"{code}{number}"
            lines = TEXTS[code][: 3 - number % 2]
            rows.append(
                {"id": key, "lines": lines, "country": code, "also": [], "lat": lat, "lon": lon, "kinds": ["name"]}
            )
            places.append((lat + rng.uniform(-0.2, 0.2), lon + rng.uniform(-0.2, 0.2)))
            pairs.append({"text_id": key, "panorama": len(places) - 1, "km_from_city": "20"})
    for number in range(4):
        rows.append({"id": f"none{number}", "lines": ["OPEN", "24 h"], "country": None, "kinds": ["none"]})
        pairs.append({"text_id": f"none{number}", "panorama": number, "km_from_city": ""})
    texts, table, csv_path = folder / "texts.jsonl", folder / "places.npz", folder / "pairs.csv"
    texts.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    latlon = np.array(places)
    np.savez(table, lat=latlon[:, 0], lon=latlon[:, 1], views=features(latlon), split=np.full(len(latlon), "val"))
    with csv_path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(pairs[0]))
        writer.writeheader()
        writer.writerows(pairs)
    return texts, table, csv_path

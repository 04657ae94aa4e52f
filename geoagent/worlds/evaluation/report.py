"""The report of an evaluation, as JSON and as text."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.places.geo import Float
from geoagent.worlds.evaluation.metrics import Figure

SCHEMA = "geoagent.report/1"
_PER_CENT = (
    "within_", "country", "head_country", "admin1", "cell_", "radius_50_holds", "radius_90_holds", "ece", "unanswered",
)  # fmt: skip


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Results of every row, for plots and inspection; not part of the JSON.

    Attributes:
        truth: `(N, 2)` degrees.
        latlon: `(N, 2)`; NaN for unanswered rows.
        distance_km: `(N,)`; NaN for unanswered rows.
        confidence: `(N,)` probability of the chosen country.
        country_right: `(N,)` whether the chosen country is the true one.
    """

    truth: Float
    latlon: Float
    distance_km: Float
    confidence: Float
    country_right: np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, eq=False, slots=True)
class Report:
    """Figures of one world on one set of photos.

    Attributes:
        figures: by name, each with its 95 % interval: within_1_km … within_2500_km, median_km, mean_km, geoscore,
            country (of the answered place), head_country (most probable by the cells), admin1, cell_top_1,
            cell_top_5, ece and log_loss (of the country's probability), cell_log_loss, radius_50_holds,
            radius_90_holds, unanswered.
        settings: world, data, views, split, refiner, seed and so on.
        seconds: time taken to answer.
        rows: results per row.
    """

    figures: dict[str, Figure]
    settings: dict[str, Any]
    seconds: float
    rows: Rows = field(repr=False)

    def __getitem__(self, name: str) -> float:
        return self.figures[name].value

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict; non-finite figures become null."""
        figures = {name: {k: _number(v) for k, v in asdict(f).items()} for name, f in self.figures.items()}
        return {
            "schema": SCHEMA,
            "settings": self.settings,
            "seconds": round(self.seconds, 2),
            "rows": len(self.rows.truth),
            "figures": figures,
        }

    def to_json(self) -> str:
        """Return the report as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def save(self, path: str | Path) -> Path:
        """Write the JSON."""
        target = Path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self.to_json(), "utf-8")
        return target

    def lines(self) -> list[tuple[str, str, str]]:
        """Return name, figure and interval as text, one per line, shares in per cent."""
        found = []
        for name, figure in self.figures.items():
            share = name.startswith(_PER_CENT) and not name.endswith("log_loss")
            scale, digits = (100.0, 1) if share else (1.0, 3 if name.endswith("log_loss") else 1)
            value = f"{figure.value * scale:,.{digits}f}" + (" %" if share else " km" if name.endswith("_km") else "")
            span = (
                ""
                if math.isnan(figure.low)
                else f"{figure.low * scale:,.{digits}f} … {figure.high * scale:,.{digits}f}"
            )
            found.append((name, value, span))
        return found


def _number(value: float) -> float | None:
    return round(value, 6) if math.isfinite(value) else None

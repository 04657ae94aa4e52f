"""Three plots of an evaluation: error distances, calibration, and a map of errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.optional import needs
from geoagent.places.gazetteer import Gazetteer
from geoagent.worlds.evaluation.metrics import THRESHOLDS_KM, reliability_bins
from geoagent.worlds.evaluation.report import Report

_INK, _SOFT, _MAIN, _FAR = "#1f2933", "#c9d1d9", "#1f6f8b", "#c8553d"


def save_plots(report: Report, folder: str | Path) -> tuple[Path, ...]:
    """Write error_cdf.png, reliability.png and error_map.png.

    Args:
        report: an evaluation.
        folder: output folder; created if missing.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    home = Path(folder)
    made = []
    for name, size, draw in (
        ("error_cdf.png", (6.4, 4.2), _cdf),
        ("reliability.png", (4.6, 4.6), _reliability),
        ("error_map.png", (10.0, 5.0), _map),
    ):
        with canvas(home / name, size) as axes:
            draw(axes, report)
        made.append(home / name)
    return tuple(made)


@contextmanager
def canvas(path: Path, size: tuple[float, float]) -> Iterator[Any]:
    """Context manager: axes of the given size in inches, saved as an image on exit.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    with needs("plots", "matplotlib"):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not pyplot, which keeps global state and selects a display backend.
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    yield axes
    figure.savefig(path, dpi=150)


def _cdf(axes: Any, report: Report) -> None:
    distance = report.rows.distance_km
    known = np.sort(np.maximum(distance[np.isfinite(distance)], 0.1))
    axes.plot(known, 100.0 * np.arange(1, len(known) + 1) / len(distance), color=_MAIN, lw=2)
    for limit in THRESHOLDS_KM:
        share = 100.0 * report[f"within_{limit:g}_km"]
        axes.axvline(limit, color=_SOFT, lw=1, zorder=0)
        axes.annotate(
            f"{share:.0f} %", (limit, share), textcoords="offset points", xytext=(4, -10), color=_INK, fontsize=8
        )
    axes.set(
        xscale="log", xlim=(1, 20_100), ylim=(0, 100), xlabel="error, km", ylabel="share of photos within this error, %"
    )
    axes.set_title(f"median {report['median_km']:,.0f} km, {len(distance):,} photos", loc="left", fontsize=10)


def _reliability(axes: Any, report: Report) -> None:
    p, hit, count = reliability_bins(report.rows.confidence, report.rows.country_right)
    full = count > 0
    axes.plot([0, 1], [0, 1], color=_SOFT, lw=1, zorder=0)
    axes.scatter(p[full], hit[full], s=8 + 220 * count[full] / count.max(), color=_MAIN, alpha=0.8)
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="stated probability of the country", ylabel="observed accuracy")
    axes.set_title(f"calibration error {100 * report['ece']:.1f} %", loc="left", fontsize=10)


def _map(axes: Any, report: Report) -> None:
    for ring in _rings(Gazetteer.load().outlines()):
        axes.fill(ring[:, 0], ring[:, 1], color="#eef1f4", lw=0.3, ec=_SOFT, zorder=0)
    rows = report.rows
    distance = np.where(np.isfinite(rows.distance_km), rows.distance_km, 20_000.0)
    order = np.argsort(distance)  # large errors on top
    shade = np.clip(np.log10(np.maximum(distance[order], 10.0)) - 1.0, 0.0, 3.0) / 3.0
    dots = axes.scatter(rows.truth[order, 1], rows.truth[order, 0], c=shade, cmap="RdYlBu_r", s=4, vmin=0, vmax=1)
    bar = axes.figure.colorbar(dots, ax=axes, shrink=0.6, ticks=[0, 1 / 3, 2 / 3, 1])
    bar.ax.set_yticklabels(["≤ 10 km", "100 km", "1,000 km", "≥ 10,000 km"])
    axes.set(xlim=(-180, 180), ylim=(-60, 85), aspect="equal", xticks=[], yticks=[])
    axes.set_title("error by true place", loc="left", fontsize=10)


def _rings(geojson: dict[str, Any]) -> list[Any]:
    """Outer rings of all countries, `(n, 2)` lon, lat (x, y order for drawing)."""
    found = []
    for feature in geojson["features"]:
        shape = feature["geometry"]
        polygons = [shape["coordinates"]] if shape["type"] == "Polygon" else shape["coordinates"]
        found += [np.asarray(polygon[0], dtype=np.float64) for polygon in polygons]
    return found

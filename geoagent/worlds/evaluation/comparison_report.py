"""Tables and plots of a comparison."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.worlds.evaluation.comparison import EVERYTHING, Comparison, risk_coverage
from geoagent.worlds.evaluation.metrics import Figure, reliability_bins
from geoagent.worlds.evaluation.plots import canvas

_EVIDENCE = "evidence in the text"
_COLUMNS: tuple[tuple[str, str, float, int], ...] = (
    ("country", "country, %", 100.0, 1),
    ("log_loss", "log loss", 1.0, 3),
    ("ece", "ECE, %", 100.0, 1),
    ("median_km", "median km", 1.0, 0),
    ("within_25_km", "≤ 25 km, %", 100.0, 1),
    ("radius_50_holds", "50 % radius holds, %", 100.0, 1),
    ("radius_90_holds", "90 % radius holds, %", 100.0, 1),
    ("in_cells", "90 % set of cells holds, %", 100.0, 1),
    ("in_countries", "90 % set of countries holds, %", 100.0, 1),
    ("countries", "countries in it", 1.0, 1),
)
_BRIEF = ("country", "log_loss", "median_km", "radius_90_holds")
_INKS = {
    "vision-only": "#1f6f8b",
    "text-only": "#b8860b",
    "text-aware": "#c8553d",
    "text-aware, cross-fitted": "#7a1f3d",
}


def markdown(found: Comparison) -> str:
    """The full report: methods where the text has evidence, strata, ablations, changes by the text."""
    lines = ["# Does the text help?", "", *_preface(found)]
    for name, groups in found.figures.items():
        main = _EVIDENCE if _EVIDENCE in groups else EVERYTHING
        count = int(groups[main]["text-aware"]["n"].value)
        lines += ["", f"## {name}: {main} ({count})", ""]
        ours = [method for method in groups[main] if method not in found.ablations]
        lines += _table(groups[main], ours, [column[0] for column in _COLUMNS])
        lines += ["", "Text-aware with one part changed:", ""]
        lines += _table(groups[main], ["text-aware", *found.ablations], [column[0] for column in _COLUMNS[:7]])
        lines += ["", "What the text changed, and log loss against the others (negative is better):", ""]
        for method, changes in found.changes[name][main].items():
            lines += [f"- {method}: {label.replace('_', ' ')} {_span(figure)}" for label, figure in changes.items()]
        lines += ["", f"### {name}, by stratum", ""]
        lines += _strata(groups, [m for m in ("vision-only", "text-only", *found.changes[name][main]) if m in ours])
        lines += ["", f"### {name}, abstaining", "", *_abstaining(found, name)]
    return "\n".join(lines) + "\n"


def save_plots(found: Comparison, folder: Path) -> tuple[Path, ...]:
    """Write, for each set of cases, strata_….png, reliability_….png and risk_coverage_….png.

    Raises:
        MissingDependency: matplotlib is not installed.
    """
    made = []
    for name, columns in found.columns.items():
        shown = {method: columns[method] for method in _INKS if method in columns}
        slug = "".join(c if c.isalnum() else "_" for c in name)
        with canvas(folder / f"strata_{slug}.png", (7.2, 6.4)) as axes:
            _bars(axes, found.figures[name], list(shown), name)
        with canvas(folder / f"reliability_{slug}.png", (4.8, 4.8)) as axes:
            axes.plot([0, 1], [0, 1], color="#c9d1d9", lw=1, zorder=0)
            for method, column in shown.items():
                p, hit, count = reliability_bins(column.confidence, column.right, 10)
                full = count > 0
                axes.plot(p[full], hit[full], color=_INKS[method], lw=1, alpha=0.5)
                axes.scatter(p[full], hit[full], s=6 + 3 * count[full], color=_INKS[method], label=method)
            axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="stated probability of the country", ylabel="share right")
            axes.set_title(f"{name}: calibration", loc="left", fontsize=10)
            axes.legend(frameon=False, fontsize=8)
        with canvas(folder / f"risk_coverage_{slug}.png", (5.6, 4.2)) as axes:
            for method, column in shown.items():
                order = np.argsort(-column.confidence, kind="stable")
                given = np.arange(1, len(order) + 1)
                wrong = np.cumsum(~column.right[order]) / given
                axes.plot(100 * given / len(order), 100 * wrong, color=_INKS[method], label=method)
            axes.set(xlim=(0, 100), ylim=(0, None), xlabel="photos answered, %", ylabel="wrong countries, %")
            axes.set_title(f"{name}: risk by coverage", loc="left", fontsize=10)
            axes.legend(frameon=False, fontsize=8)
        made += [folder / f"{kind}_{slug}.png" for kind in ("strata", "reliability", "risk_coverage")]
    return tuple(made)


def _preface(found: Comparison) -> list[str]:
    world, said = found.settings.get("world", {}), found.settings
    lines = [
        f"World {world.get('name')} ({world.get('cells'):,} geocells); 95 % intervals of "
        f"{said.get('bootstrap')} resamples, seed {said.get('seed')}; cross-fitted over {said.get('folds')} parts.",
    ]
    if said.get("pairs"):
        lines.append(
            "Picture and text of a pair come from different photos of one place: features of a panorama and the text "
            "of a sign in the same country, paired with the panorama nearest to the city on the sign. Distances count "
            "if that is within 50 km."
        )
    return lines


def _table(figures: Mapping[str, Mapping[str, Figure]], methods: Sequence[str], names: Sequence[str]) -> list[str]:
    shown = [c for c in _COLUMNS if c[0] in names and any(c[0] in figures[m] for m in methods)]
    lines = ["| method | " + " | ".join(label for _, label, _, _ in shown) + " |", "|---|" + "---|" * len(shown)]
    for method in methods:
        cells = [_cell(figures[method].get(name), scale, digits) for name, _, scale, digits in shown]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def _strata(groups: Mapping[str, Mapping[str, Mapping[str, Figure]]], methods: Sequence[str]) -> list[str]:
    shown = [column for column in _COLUMNS if column[0] in _BRIEF]
    lines = [
        "| stratum | n | method | " + " | ".join(label for _, label, _, _ in shown) + " |",
        "|---|---|---|" + "---|" * len(shown),
    ]
    for stratum, figures in groups.items():
        for number, method in enumerate(methods):
            cells = [_cell(figures[method].get(name), scale, digits) for name, _, scale, digits in shown]
            head = (stratum, str(int(figures[method]["n"].value))) if number == 0 else ("", "")
            lines.append(f"| {head[0]} | {head[1]} | {method} | " + " | ".join(cells) + " |")
    return lines


def _abstaining(found: Comparison, name: str) -> list[str]:
    lines = [
        "| method | area under the curve | wrong at 70 % answered | at 80 % | at 90 % | at 100 % |",
        "|---|" + "---|" * 5,
    ]
    for method in found.columns[name]:
        if method in found.ablations:
            continue
        curve = risk_coverage(found.columns[name][method])
        at = {row["coverage"]: 100 * row["risk"] for row in curve["at"]}
        cells = [f"{curve['aurc']:.4f}", *(f"{at[c]:.1f} %" for c in (0.7, 0.8, 0.9, 1.0))]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def _cell(figure: Figure | None, scale: float, digits: int) -> str:
    if figure is None or not math.isfinite(figure.value):
        return ""
    # Adding 0.0 turns a rounded -0.0 into 0.0.
    value, low, high = (round(v * scale, digits) + 0.0 for v in (figure.value, figure.low, figure.high))
    if not math.isfinite(low):
        return f"{value:,.{digits}f}"
    return f"{value:,.{digits}f} [{low:,.{digits}f}, {high:,.{digits}f}]"


def _span(figure: Figure) -> str:
    if not math.isfinite(figure.value):
        return "not defined: there was nothing to change"
    return f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"


def _bars(
    axes: Any, groups: Mapping[str, Mapping[str, Mapping[str, Figure]]], methods: Sequence[str], name: str
) -> None:
    """Plot country accuracy of the larger strata: a dot with its interval for each method."""
    strata = [s for s, by in groups.items() if by["text-aware"]["n"].value >= 10][:14]
    for row, stratum in enumerate(strata):
        for offset, method in enumerate(methods):
            figure = groups[stratum][method]["country"]
            y = row + 0.18 * (offset - (len(methods) - 1) / 2)
            axes.plot([100 * figure.low, 100 * figure.high], [y, y], color=_INKS[method], lw=1.5, alpha=0.5)
            axes.plot(100 * figure.value, y, "o", color=_INKS[method], ms=4, label=method if row == 0 else None)
    labels = [f"{stratum} ({int(groups[stratum]['text-aware']['n'].value)})" for stratum in strata]
    axes.set(yticks=range(len(strata)), yticklabels=labels, xlabel="country right, %", xlim=(0, 101))
    axes.invert_yaxis()
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    axes.set_title(f"{name}: effect of the text, with 95 % intervals", loc="left", fontsize=10)

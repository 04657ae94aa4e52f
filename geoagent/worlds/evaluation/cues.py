"""Reliability of cues, measured on labelled texts by cross-validation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.agent.core import GeoAgent
from geoagent.belief.calibration import KNOTS, Observation, fit, log_loss
from geoagent.errors import InputError, WorldError
from geoagent.evidence.constraints.lexicon import Lexicon, shared_conventions
from geoagent.places.geo import LatLon
from geoagent.tables import Row, read_rows
from geoagent.types import Constraint, Cue, TextRegion, regions_from_lines
from geoagent.worlds.evaluation.generated import Signs
from geoagent.worlds.evaluation.labels import Labels
from geoagent.worlds.evaluation.metrics import ece, ece_by_chance
from geoagent.worlds.world import World

NEAR_KM = 25.0
GENERATED_WEIGHT = 0.1
"""Weight of a cue from a generated text relative to one from a real text: generated texts come from the cue tables."""


@dataclass(frozen=True, eq=False, slots=True)
class Text:
    """One labelled text, with its cues.

    Attributes:
        id: name of the row.
        allowed: countries that count as right, the true one first; () if the text has no evidence.
        latlon: the true place, or None.
        regions: its lines.
        cues: cues found in them.
    """

    id: str
    allowed: tuple[str, ...]
    latlon: LatLon | None
    regions: tuple[TextRegion, ...]
    cues: tuple[Cue, ...]


def read_texts(paths: Sequence[Path], agent: GeoAgent) -> list[Text]:
    """Read labelled texts and find their cues.

    Args:
        paths: JSON Lines of {"id", "lines", "country", and optionally "also", "lat", "lon"}; a null country means
            that the text has no evidence. In place of "lines" a row may have "regions", as OCR read them from a photo
            (`region_row`). Or CSV tables of photographed signs with the columns text_lines (lines
            separated by " | ") and country; rows whose country is empty or a guess ("EG?") are left out.
        agent: whose gazetteer, tables and prior are used.

    Raises:
        InputError: a file cannot be read, or a row is malformed; the message names file and line.
    """
    texts = []
    labels = Labels(agent.assets.gazetteer)
    for path in paths:
        for row in read_rows(path):
            signs = row.get(("text_lines",))
            if not row.json and row.column(("text_lines",)) is None:
                raise row.error("a table of signs needs the columns text_lines and country")
            country = labels.country(row)
            if country is None and not (row.json and labels.says_none(row)):
                continue
            allowed = () if country is None else (country, *labels.countries(row, "also"))
            place = labels.place(row, country)
            if row.json:
                texts.append(_text(row, f"{path}:{row.number}", allowed, place, agent))
            elif signs:
                regions = regions_from_lines(str(signs).split(" | "))
                cues = agent.understand(regions).cues
                texts.append(Text(f"{path.name}:{row.number}", allowed, place, regions, cues))
    if not texts:
        raise InputError("there are no labelled texts to measure cues on")
    return texts


def made_up(count: int, agent: GeoAgent, *, seed: int = 0) -> list[Text]:
    """Generate texts and find their cues; see `generated`."""
    assets = agent.assets
    rows = Signs(assets.gazetteer, assets.facts, assets.world.country_prior, seed).texts(count)
    made = [Row(Path(row["id"]), 1, row, json=True) for row in rows if row["lines"]]
    return [_text(r, str(r.path), (r.values["country"], *r.values["also"]), r.place(), agent) for r in made]


def _text(row: Row, where: str, allowed: tuple[str, ...], place: LatLon | None, agent: GeoAgent) -> Text:
    """A labelled text of JSON Lines with its cues."""
    try:
        read = row.values.get("regions")
        if read is None and not isinstance(row.values["lines"], list | tuple):
            raise TypeError("lines are no list")
        regions = regions_from_lines([str(text) for text in row.values["lines"]]) if read is None else _regions(read)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise row.error(f"expected {{id, lines, country, …}}, got {str(dict(row.values))[:80]} ({error})") from error
    return Text(str(row.values.get("id", where)), allowed, place, regions, agent.understand(regions).cues)


def observe(texts: Sequence[Text], agent: GeoAgent) -> list[list[Observation]]:
    """Observations of every cue about the true country; cues that favour no place are left out."""
    lexicon, prior = _lexicon(agent, None), agent.assets.world.country_prior
    found = []
    for text in texts:
        mine: list[Observation] = []
        if text.allowed:
            strengths = lexicon.strengths(text.cues, text.regions)
            for constraint in lexicon(text.regions, text.cues):
                number = int(constraint.id.rpartition("-")[2])
                mine.append(_observation(constraint, strengths[number - 1], text, prior))
        found.append(mine)
    return found


def _regions(rows: Sequence[Mapping[str, Any]]) -> tuple[TextRegion, ...]:
    """Return the regions of a photo from their JSON; see `region_row`."""
    return tuple(TextRegion(**{**row, "polygon_px": np.array(row["polygon_px"], dtype=np.float32)}) for row in rows)


def region_row(region: TextRegion) -> dict[str, Any]:
    """Return a region as the JSON object that `read_texts` reads back: one key an attribute."""
    row = {field.name: getattr(region, field.name) for field in fields(region)}
    return {**row, "polygon_px": [[round(float(x), 1), round(float(y), 1)] for x, y in region.polygon_px]}


def _observation(constraint: Constraint, strength: float, text: Text, prior: Mapping[str, float]) -> Observation:
    mass = constraint.by_country()
    city = None
    cities = [
        (w, p) for p, w in zip(constraint.places, constraint.weights, strict=True) if p.level == "city" and w > 0.2
    ]
    if cities and text.latlon is not None:
        city = max(cities, key=lambda pair: pair[0])[1].latlon.distance_km(text.latlon) <= NEAR_KM
    expected = sum(prior.get(code, 0.0) for code in text.allowed)
    return Observation(
        kind=constraint.kind,
        strength=strength,
        ratio=sum(mass.get(code, 0.0) for code in text.allowed) / expected if expected > 0 else 0.0,
        country_right=max(mass, key=lambda code: mass[code]) in text.allowed,
        city_right=city,
    )


def _lexicon(agent: GeoAgent, curves: Mapping[str, Any] | None) -> Lexicon:
    world, gazetteer = agent.assets.world, agent.assets.gazetteer
    return Lexicon(gazetteer, world.country_prior, curves, shared_conventions(world, gazetteer))


def measure(
    paths: Sequence[Path], agent: GeoAgent, *, folds: int = 5, seed: int = 0, generated: int = 0
) -> dict[str, Any]:
    """Fit reliabilities on all texts, and evaluate them by cross-validation.

    Args:
        paths: labelled texts, see `read_texts`.
        agent: agent over the world whose prior is used.
        folds: number of parts; each part is evaluated with reliabilities fitted on the others.
        seed: random seed of the split and the generated texts.
        generated: number of generated texts that help to fit rare kinds of cue. They are weighted by
            `GENERATED_WEIGHT` and never used for evaluation.

    Returns:
        "reliability": curves by kind at the strengths `calibrate.KNOTS`; "kinds": how often each kind was right;
        "crossed" and "before": figures of the country posterior on held-out texts with fitted curves, and with the
        previous ones ("ece_by_chance" is the ECE of a calibrated posterior on that few texts); "texts",
        "generated", "fingerprint" and "date" of the data.

    Raises:
        InputError: rows cannot be read, or there are fewer texts with a country than folds.
    """
    if folds < 2:
        raise InputError(f"cross-validation takes at least 2 folds, got {folds}")
    texts = read_texts(paths, agent)
    known = [text for text in texts if text.allowed]
    if len(known) < folds:
        raise InputError(f"{len(known)} texts with a country are too few for {folds} folds; use fewer folds")
    seen = observe(known, agent)
    extra = [
        replace(one, weight=GENERATED_WEIGHT)
        for mine in observe(made_up(generated, agent, seed=seed) if generated else [], agent)
        for one in mine
    ]
    dealt = np.random.default_rng(seed).permutation(len(known)) % folds
    rows: list[tuple[float, bool, float]] = [(0.0, False, 0.0)] * len(known)
    before = [_judge(text, agent, agent.assets.world.calibration.get("reliability")) for text in known]
    cue_loss = 0.0
    for fold in range(folds):
        curves = fit([*extra, *(one for i, mine in enumerate(seen) if dealt[i] != fold for one in mine)])
        held = [one for i, mine in enumerate(seen) if dealt[i] == fold for one in mine]
        cue_loss += log_loss(held, curves) * len(held) if held else 0.0
        for i in np.flatnonzero(dealt == fold):
            rows[i] = _judge(known[i], agent, curves)
    everything = [one for mine in seen for one in mine]
    return {
        "reliability": {kind: list(curve) for kind, curve in fit([*everything, *extra]).items()},
        "strengths": list(KNOTS),
        "kinds": _by_kind(everything),
        "crossed": {**_figures(rows), "cue_log_loss": round(cue_loss / max(len(everything), 1), 4)},
        "before": _figures(before),
        "texts": len(known),
        "generated": generated,
        "folds": folds,
        "fingerprint": fingerprint(paths),
        "date": date.today().isoformat(),
    }


def _judge(text: Text, agent: GeoAgent, curves: Mapping[str, Any] | None) -> tuple[float, bool, float]:
    """Confidence, whether the first country is right, and −log p of the true ones."""
    world = agent.assets.world
    constraints = _lexicon(agent, curves)(text.regions, text.cues)
    posterior = agent.fusion(world.log_prior, constraints)
    mass = world.cells.by_country(np.exp(posterior.log_probs))
    codes = list(world.cells.country_codes)
    first = int(mass.argmax())
    p_true = sum(float(mass[codes.index(code)]) for code in set(text.allowed) if code in codes)
    return float(mass[first]), codes[first] in text.allowed, -float(np.log(max(p_true, 1e-9)))


def judged(texts: Sequence[Text], agent: GeoAgent) -> tuple[float, float]:
    """Country accuracy and mean −log p of the true country in nats, with the current reliabilities."""
    figures = _figures([_judge(text, agent, agent.assets.world.calibration.get("reliability")) for text in texts])
    return figures["country_right"], figures["log_loss"]


def _figures(rows: Sequence[tuple[float, bool, float]]) -> dict[str, float]:
    confidence, right, loss = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return {
        "country_right": round(float(right.mean()), 4),
        "log_loss": round(float(loss.mean()), 4),
        "ece": round(float(ece(confidence, right.astype(bool))), 4),
        "ece_by_chance": round(ece_by_chance(confidence), 4),
    }


def _by_kind(observations: Sequence[Observation]) -> dict[str, dict[str, float | int | None]]:
    table: dict[str, dict[str, float | int | None]] = {}
    for kind in sorted({one.kind for one in observations}):
        mine = [one for one in observations if one.kind == kind]
        cities = [one.city_right for one in mine if one.city_right is not None]
        table[kind] = {
            "cues": len(mine),
            "country_right": round(sum(one.country_right for one in mine) / len(mine), 3),
            "cities": len(cities),
            "city_right": round(sum(cities) / len(cities), 3) if cities else None,
        }
    return table


def fingerprint(paths: Sequence[Path]) -> str:
    """First 16 hex digits of the SHA-256 of the files' bytes, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def store(report: Mapping[str, Any], folder: Path) -> None:
    """Write fitted reliabilities into a world's folder, next to its other calibration.

    Raises:
        WorldError: the folder is not a world, or cannot be written.
    """
    world = World.load(folder)
    measured = {
        "reliability": report["reliability"],
        "reliability_from": {key: report[key] for key in ("texts", "generated", "fingerprint", "date", "crossed")},
    }
    try:
        replace(world, calibration={**world.calibration, **measured}).save(folder)
    except OSError as error:
        raise WorldError(f"cannot store reliabilities in {folder}: {error}") from error

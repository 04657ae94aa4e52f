"""Cases for the comparison of picture and text: photos with known place and text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from geoagent.agent.batch import read_pairs
from geoagent.agent.core import GeoAgent
from geoagent.errors import InputError, PhotoError
from geoagent.evidence.observation import Observation
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.regions import macro_regions
from geoagent.places.geo import LatLon, haversine_km
from geoagent.tables import ID, IMAGE, read_rows
from geoagent.worlds.evaluation.evaluate import choose_views
from geoagent.worlds.evaluation.labels import Labels
from geoagent.worlds.training.table import Table, read_table

NEAR_KM = 50.0
"""Distances are evaluated only for pictures within this distance of the city that their text names."""
CONTINENTS = ("Africa", "Asia", "Europe", "North America", "Oceania", "South America")
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False, slots=True)
class Labelled:
    """A labelled text.

    Attributes:
        id: name of the row.
        lines: as read by an OCR engine.
        country: true country, ISO 3166-1 alpha-2; None if the text has no evidence.
        latlon: the city that it names, or None.
        kinds: labelled kinds of cue, including "misleading".
        difficulty: free text, or "".
    """

    id: str
    lines: tuple[str, ...]
    country: str | None
    latlon: LatLon | None
    kinds: tuple[str, ...] = ()
    difficulty: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Case:
    """One photo, or a picture and a text of one place, with the truth.

    Attributes:
        id: name of the row.
        observed: its observation.
        country: true country, ISO 3166-1 alpha-2.
        latlon: true position, or None if distances are meaningless.
        evidence: whether the text points to a place, by its label; for a photo, whether any cue was found.
        misleading: whether the text also points to a wrong one.
        text: id of its text, so that fits can exclude it.
        strata: names of its evaluation groups.
    """

    id: str
    observed: Observation
    country: str
    latlon: LatLon | None
    evidence: bool
    misleading: bool
    text: str
    strata: tuple[str, ...]


def read_labelled(path: Path, gazetteer: Gazetteer | None = None) -> dict[str, Labelled]:
    """Read JSON Lines of {"id", "lines", "country"} and optionally "lat", "lon", "kinds", "difficulty".

    A country is a name or a code; rows whose country is a guess ("EG?") are left out.

    Raises:
        InputError: the file cannot be read, or a row is malformed; the message names the line.
    """
    found: dict[str, Labelled] = {}
    labels = Labels(gazetteer)
    for row in read_rows(path):
        key, lines, kinds = (row.values.get(name) for name in ("id", "lines", "kinds"))
        if key is None or not isinstance(lines, list) or not isinstance(kinds or [], list):
            raise row.error(f"expected {{id, lines, country, …}}, got {str(dict(row.values))[:80]}")
        country = labels.country(row)
        if country is None and not labels.says_none(row):
            continue
        found[str(key)] = Labelled(
            id=str(key),
            lines=tuple(str(text) for text in lines),
            country=country,
            latlon=labels.place(row, country),
            kinds=tuple(map(str, kinds or ())),
            difficulty=str(row.values.get("difficulty") or ""),
        )
    return found


def load_pairs(
    pairs: Path, texts: Path, features: Path, agent: GeoAgent, *, views: str = "all", progress: Progress | None = None
) -> list[Case]:
    """Read pairs of a picture's features and a sign's text of one country.

    Args:
        pairs: table of text_id, panorama (a row of `features`) and, if the text names a city, km_from_city.
        texts: see `read_labelled`.
        features: NPZ of lat, lon, views.
        agent: agent over the world whose encoder made the features.
        views: "1" for the first view of each place, "all" for the mean of all.
        progress: called with (stage, done, total).

    Raises:
        InputError: a file cannot be read, or names rows that do not exist.
    """
    labelled, table = read_labelled(texts, agent.assets.gazetteer), read_table(features)
    rows = read_pairs(pairs, labelled, len(table))
    places = table.take(np.array([row for _, row in rows], dtype=np.int64))
    apart = [row.number_in(("km_from_city",)) for row in read_rows(pairs)]
    chosen = [
        (labelled[key], row, km is not None and km <= NEAR_KM)
        for (key, _), row, km in zip(rows, range(len(rows)), apart, strict=True)
    ]
    return paired(chosen, places, agent, views=views, progress=progress)


def pair_up(
    texts: Sequence[Labelled], table: Table, agent: GeoAgent, *, each: int = 4, views: str = "all", seed: int = 0
) -> list[Case]:
    """Pair texts with places of their country, for fitting.

    A text that names a city is paired with the nearest place of its country; distances count within `NEAR_KM`. Other
    texts are paired with `each` random places of their country; distances count there too, since the text points to
    nothing finer. Texts whose country is missing from the table are skipped.

    Args:
        texts: labelled texts.
        table: places with features.
        agent: agent over the world whose encoder made the features.
        each: maximum places per text without a city.
        views: see `load_pairs`.
        seed: random seed.
    """
    rng = np.random.default_rng(seed)
    country = agent.assets.gazetteer.countries_at(table.latlon)
    chosen: list[tuple[Labelled, int, bool]] = []
    for text in texts:
        mine = np.arange(len(table)) if text.country is None else np.flatnonzero(country == text.country)
        if text.latlon is not None:
            away = haversine_km((text.latlon.lat, text.latlon.lon), table.latlon[mine])
            chosen += [(text, int(mine[i]), bool(away[i] <= NEAR_KM)) for i in np.argsort(away, kind="stable")[:1]]
        elif len(mine):
            picked = rng.choice(mine, size=min(each, len(mine)), replace=False)
            chosen += [(text, int(row), True) for row in picked]
    places = table.take(np.array([row for _, row, _ in chosen], dtype=np.int64))
    return paired([(text, i, km) for i, (text, _, km) in enumerate(chosen)], places, agent, views=views)


def paired(
    chosen: Sequence[tuple[Labelled, int, bool]],
    places: Table,
    agent: GeoAgent,
    *,
    views: str = "all",
    progress: Progress | None = None,
) -> list[Case]:
    """Observe texts with pictures: `(text, row of places, whether distances count)`; each text is parsed once."""
    looked = choose_views(places.unit_views(), views)
    countries = agent.assets.gazetteer.countries_at(places.latlon)
    read: dict[str, Observation] = {}
    cases = []
    for number, (text, row, km) in enumerate(chosen, start=1):
        seen = agent.observe_features(looked[row], () if text.id in read else text.lines, id=text.id)
        seen = replace(seen, text=read.setdefault(text.id, seen).text)
        place = LatLon(*places.latlon[row].tolist())
        evidence, misleading = text.country is not None, "misleading" in text.kinds and text.country is not None
        country = text.country or str(countries[row])
        strata = _strata(seen, country, evidence, misleading)
        strata += [f"difficulty {text.difficulty}"] if text.difficulty and evidence else []
        strata += ["city named"] if text.latlon is not None else []
        strata += [f"cue {kind}" for kind in dict.fromkeys(text.kinds) if evidence and kind != "misleading"]
        name = f"{text.id}@{row}"
        cases.append(Case(name, seen, country, place if km else None, evidence, misleading, text.id, tuple(strata)))
        if progress is not None:
            progress("reading texts", number, len(chosen))
    return cases


def load_photos(truth: Path, agent: GeoAgent, *, progress: Progress | None = None) -> list[Case]:
    """Observe labelled photos from pixels; skips those that cannot be opened or whose country is a guess.

    Args:
        truth: table with the columns file, country (a name or a code) and optionally lat and lon; photo paths are
            relative to it. A country with a question mark is the labeller's guess.
        agent: any agent.
        progress: see `load_pairs`.

    Raises:
        InputError: the table cannot be read, lacks a column, or none of its photos can be opened.
    """
    rows, labels = [], Labels(agent.assets.gazetteer)
    for row in read_rows(truth):  # all of the table before the first photo
        country, file = labels.country(row), row.get((*IMAGE, *ID))
        if file is None:
            raise row.error(f"expected columns file and country; found {', '.join(row.values)}")
        if country is not None:
            rows.append((str(file).strip().replace("\\", "/"), country, labels.place(row, country)))
    cases = []
    for number, (file, country, place) in enumerate(rows, start=1):
        if progress is not None:
            progress("reading photos", number, len(rows))
        try:
            seen = agent.observe(truth.parent / file)
        except PhotoError:
            continue
        evidence = bool(seen.text.constraints)
        strata = _strata(seen, country, evidence, False)
        strata += [f"cue {kind}" for kind in dict.fromkeys(c.kind for c in seen.text.constraints)]
        cases.append(Case(file, seen, country, place, evidence, False, file, tuple(strata)))
    if not cases:
        raise InputError(f"{truth}: no photo with a country can be opened; check the paths in the column file")
    return cases


def continent_of(country: str) -> str:
    """The continent of a country, by UN M49 with the Americas in two; "" if it has none."""
    regions = macro_regions()
    return next((name for name in CONTINENTS if country in regions[name.casefold()].countries), "")


def _strata(seen: Observation, country: str, evidence: bool, misleading: bool) -> list[str]:
    found = ["evidence in the text" if evidence else "no evidence in the text"]
    found += ["misleading text"] if misleading else []
    scripts = {r.script for r in seen.text.regions if r.script not in ("", "Zyyy")} if evidence else set()
    found += [f"script {script}" for script in sorted(scripts)]
    continent = continent_of(country)
    return [*found, f"continent {continent}"] if continent else found

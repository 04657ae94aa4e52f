"""What photos of a claimed country tend to show, and whether this one shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geoagent.agent.claims import Claim
from geoagent.evidence.cues.language_names import currency_name, script_name
from geoagent.evidence.observation import Observation
from geoagent.evidence.scripts import clean
from geoagent.protocols import Assets
from geoagent.types import Constraint

_USUAL = 0.1  # share of a country's signs above which a script or language is expected there


class Expected(BaseModel):
    """Something that photos of the claimed place tend to show."""

    kind: str
    what: str = Field(description="in words; of languages their ISO 639 codes, as in the cues")
    status: Literal["seen", "not seen", "seen otherwise"]
    here: str | None = Field(default=None, description="what was read of the kind, where anything was")

    model_config = ConfigDict(frozen=True, extra="forbid")


def expected_of(claim: Claim, observed: Observation, assets: Assets, *, quoting: bool) -> list[Expected]:
    """What photos of the claimed country tend to show, and whether this one shows it.

    Args:
        claim: the claim.
        observed: the observation.
        assets: facts of the country.
        quoting: whether to quote what was read.
    """
    if len(claim.countries) != 1:
        return []
    code = claim.countries[0]
    facts = assets.facts.countries.get(code)
    if facts is None:
        return []
    what = {
        "script": _scripts(s for s, share in facts.scripts.items() if share >= _USUAL),
        "language": " ".join(lang for lang, share in facts.languages.items() if share >= _USUAL),
        "phone": " or ".join(f"+{c}" for c in facts.calling_codes),
        "domain": " or ".join(f".{tld}" for tld in facts.tlds),
        "currency": " or ".join(map(currency_name, facts.currencies)),
        "postcode": postcode_form(facts.postcode, facts.name) if facts.postcode else "",
        "plate": f"number plates of {facts.name}",
        "road": f"numbers of {facts.name}, traffic on the {'left' if facts.drives_left else 'right'}",
    }
    prior = assets.world.country_prior.get(code, 0.0)
    found = []
    for kind, shown in what.items():
        if not shown:
            continue
        read = [c for c in observed.text.constraints if c.kind == kind]
        fits = [_weight_in(code, c) > prior for c in read]
        told = [_quoted(c, observed) for c, fit in zip(read, fits, strict=True) if fit == any(fits)]
        if kind == "phone" and any(fits) and not any(f and c.value[:1] == "+" for c, f in zip(read, fits, strict=True)):
            shown = f"a number of a form used in {facts.name}"
        if kind == "script":  # Latin is no cue, and may be what is expected
            evident = [r.script for r in observed.text.regions if r.script_is_evidence]
            fits += [facts.scripts.get(script, 0.0) >= _USUAL for script in evident]
            told = [_scripts([script]) for script in evident]
        status: Literal["seen", "not seen", "seen otherwise"] = "not seen"
        if fits:
            status = "seen" if any(fits) else "seen otherwise"
        here = ", ".join(dict.fromkeys(part for part in told if part)) if quoting else ""
        found.append(Expected(kind=kind, what=shown, status=status, here=here or None))
    return found


def _scripts(codes: Iterable[str]) -> str:
    """Names of scripts: "Japanese or Latin"."""
    return " or ".join(dict.fromkeys(name for name in map(script_name, codes) if name))


def _quoted(constraint: Constraint, observed: Observation) -> str:
    """The words in the photo that a constraint rests on."""
    lines = observed.text.regions
    said = [lines[s.region].text[s.start : s.end] for s in constraint.spans if s.region < len(lines)]
    return clean(" … ".join(dict.fromkeys(part for part in said if part))) or constraint.value


def postcode_form(pattern: str, country: str) -> str:
    """Describe a pattern of postcodes: "like 000-0000", or by its country alone where it has many forms."""
    plain = re.sub(r"\\d\{(\d)\}", lambda m: "0" * int(m[1]), pattern).replace("\\d", "0")
    plain = re.sub(r"\[[^\]]*\]", lambda m: "0" if "9" in m[0] or m[0][1].isdigit() else "A", plain)
    plain = plain.replace(" ?", "" if re.fullmatch("[0 ?]+", plain) else " ").replace("?", "")
    return f"like {plain}" if re.fullmatch(r"[0-9A-Z -]+", plain) else f"those of {country}"


def _weight_in(country: str, constraint: Constraint) -> float:
    """Share of a constraint's weight that is in a country."""
    shares = zip(constraint.places, constraint.weights.tolist(), strict=True)
    return float(sum(weight for place, weight in shares if place.country == country))

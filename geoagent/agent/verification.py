"""Verification of a claim about a photo: its odds, the weight of each cue, and what such photos tend to show."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from geoagent.agent.answer_builder import AnswerBuilder
from geoagent.agent.claim_probability import Probability
from geoagent.agent.claims import Claim, rivals_of
from geoagent.agent.disclosure import HIDDEN, hidden_says, withheld
from geoagent.agent.expectations import Expected, expected_of
from geoagent.agent.inference import Inference
from geoagent.belief.explanation import where
from geoagent.config import OPEN
from geoagent.evidence.observation import Observation
from geoagent.places.gazetteer.readings import PLAUSIBLE, taken_as
from geoagent.places.geo import Float
from geoagent.protocols import Assets
from geoagent.types import Constraint

Verdict = Literal["supported", "consistent", "undecided", "contradicted"]
STRONG, FAIR = math.log(10.0), math.log(3.0)
"""Nats from which evidence is called strong, or worth a mention (Kass & Raftery 1995, section 3.2)."""


_EXCLUDED = math.log(1e-6)
"""Log odds below which what the user stated leaves no room for a claim."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Weighed(_Part):
    """One piece of evidence for or against a claim."""

    key: str = Field(description="the constraint's key, or “picture”")
    kind: str
    value: str
    says: str
    regions: list[int]
    nats: float = Field(
        description="weight of it by itself, against `instead` where that is given; positive speaks for the claim"
    )


class OtherReading(_Part):
    """Another place that the claim may mean."""

    understood: str
    verdict: Verdict
    probability: float = Field(description="that the claim is true in this reading")


class Verification(_Part):
    """The result of a verification: the JSON contract `geoagent.verification/1`."""

    schema_: Literal["geoagent.verification/1"] = Field(default="geoagent.verification/1", alias="schema")
    source: str
    claim: str
    understood: str
    lat: float | None
    lon: float | None
    radius_km: float | None
    countries: list[str]
    verdict: Verdict
    instead: str | None = Field(default=None, description="a place that explains the evidence better")
    probability: float = Field(description="that the claim is true, all evidence considered")
    prior_probability: float = Field(description="before anything was seen, what the user said included")
    odds: float = Field(description="probability : 1 - probability")
    bayes_factor_nats: float = Field(description="log of posterior odds over prior odds")
    evidence: list[Weighed] = Field(description="strongest first")
    expected: list[Expected]
    says: str
    other_readings: list[OtherReading] = Field(
        default_factory=list, description="other places of the claimed name, with the verdict on each; likeliest first"
    )
    warnings: list[str]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> str:
        """One line of JSON."""
        return self.model_dump_json(by_alias=True, exclude={"instead"} if self.instead is None else None)


_MERIT: dict[Verdict, int] = {"contradicted": 0, "undecided": 1, "consistent": 2, "supported": 3}


def verify(
    observed: Observation, claims: Sequence[Claim], assets: Assets, inference: Inference, builder: AnswerBuilder
) -> Verification:
    """Weigh a claim in each of its readings.

    A name may be that of several places, and whoever claims it means one. Of the readings that people may well mean,
    the one that the evidence favours most is answered, since the claim may be true in it; the others are told with
    their verdicts. So are unlikely readings on which the verdict would be a better one.

    Args:
        observed: the observation.
        claims: the readings, likeliest first, at least one.
        assets: world and facts.
        inference: weighs the evidence; includes what the user stated.
        builder: names places.
    """
    found = [(_weigh(observed, claim, assets, inference, builder), claim) for claim in claims]
    plausible = [pair for pair in found if pair[1].weight >= PLAUSIBLE] or found[:1]
    best, taken = max(plausible, key=lambda pair: (_MERIT[pair[0].verdict], pair[1].weight))
    merit = _MERIT[best.verdict]
    others = [
        other
        for other, claim in found
        if claim is not taken and (claim.weight >= PLAUSIBLE or _MERIT[other.verdict] > merit)
    ]
    if not others:
        return best
    differing = [other for other in others if other.verdict != best.verdict]
    says = " ".join((best.says, *(f"Read as {o.understood}, it is {o.verdict}." for o in differing)))
    note = taken_as(taken.said, taken.name, (o.understood for o in others))
    rows = [OtherReading(understood=o.understood, verdict=o.verdict, probability=o.probability) for o in others]
    return best.model_copy(update={"says": says, "other_readings": rows, "warnings": [note, *best.warnings]})


def _weigh(
    observed: Observation, claim: Claim, assets: Assets, inference: Inference, builder: AnswerBuilder
) -> Verification:
    """Weigh one reading of a claim.

    Each piece of evidence is weighed by itself: log P(it | claim) − log P(it | no claim), the weight of evidence (Good
    1950, chapter 6); where another place of the claim's kind explains all of it better, − log P(it | that place). To
    take a piece away from all the others instead would turn signs round: beside a postcode of Köln a German text speaks
    for Austria, since nothing but places with German texts is left.

    """
    prior, looked, fusion = assets.world.log_prior, observed.vision.log_probs, inference.fusion
    user, everything = inference.user, (*inference.user, *observed.constraints)
    fused, probability = fusion.over(everything), Probability(claim, assets.world, assets.gazetteer, fusion.text_weight)

    known: dict[tuple[int, int, tuple[str, ...]], float] = {}

    def odds(base: Float, constraints: tuple[Constraint, ...], of: Probability = probability) -> float:
        key = (id(of), id(base), tuple(c.id for c in constraints))
        if key not in known:
            p = of(fused(base, constraints), constraints)
            known[key] = math.log(p) - math.log1p(-p)
        return known[key]

    # What the user stated was not seen in the photo, so it belongs to the prior.
    before, after = odds(prior, user), odds(looked, everything)
    p, factor = 1.0 / (1.0 + math.exp(-after)), after - before
    answered = inference.of(observed.vision, everything)(looked, everything)[1]
    lead, rival = -math.inf, None
    for other in rivals_of(claim, answered, assets):
        better = Probability(other, assets.world, assets.gazetteer, fusion.text_weight)
        if odds(looked, everything, better) < 0.0:
            continue
        ahead = odds(looked, everything, better) - odds(prior, user, better) - factor
        if ahead > lead:
            lead, rival = ahead, better
    rival = rival if lead >= STRONG else None

    def alone(base: Float, constraint: Constraint | None = None) -> float:
        """Weight of one piece of evidence for the claim in nats, against the rival if there is one."""
        own = () if constraint in user else user
        with_it = own if constraint is None else (*own, constraint)
        moved = odds(base, with_it) - odds(prior, own)
        if rival is not None:
            moved -= odds(base, with_it, rival) - odds(prior, own, rival)
        return round(moved, 3)

    weighed = []
    for c in everything:
        hidden = withheld(c, builder.cap)
        value, says = (HIDDEN, hidden_says(c.kind)) if hidden else (c.value, c.says)
        weighed.append(
            Weighed(key=c.id, kind=c.kind, value=value, says=says, regions=list(c.regions), nats=alone(prior, c))
        )
    if observed.vision.encoder is not None:
        nats = alone(looked)
        says = f"How the scene looks speaks {'for' if nats > 0 else 'against'} the claim."
        weighed.append(
            Weighed(key="picture", kind="picture", value=observed.vision.encoder, says=says, regions=[], nats=nats)
        )
    excluded = bool(user) and before < _EXCLUDED and odds(prior, ()) > before + STRONG
    verdict: Verdict = "contradicted" if excluded else _verdict(p, factor, lead)
    placed = builder.placed(answered)[0]
    instead = (
        where(placed, builder.country_name)
        if rival is not None and builder.cap in OPEN and placed.precision != "none"
        else ""
    )
    return Verification(
        source=observed.source,
        claim=claim.said,
        understood=claim.name,
        lat=None if claim.centre is None else claim.centre.lat,
        lon=None if claim.centre is None else claim.centre.lon,
        radius_km=None if claim.centre is None else claim.radius_km,
        countries=list(claim.countries),
        verdict=verdict,
        instead=instead or None,
        probability=p,
        prior_probability=1.0 / (1.0 + math.exp(-before)),
        odds=math.exp(after),
        bayes_factor_nats=round(factor, 3),
        evidence=sorted(weighed, key=lambda w: -abs(w.nats)),
        expected=expected_of(claim, observed, assets, quoting=builder.cap in OPEN),
        says=f"What you stated rules the claim out: {claim.name} is not within it, whatever the photo shows."
        if excluded
        else _words(claim, verdict, p, factor, len(weighed) - len(user), instead),
        warnings=list(dict.fromkeys((*claim.notes, *builder.notes, *observed.warnings))),
    )


def _verdict(p: float, factor: float, lead: float) -> Verdict:
    """Turn probability and evidence into a verdict; a claim is not contradicted merely because it is improbable.

    Evidence is against a claim that it makes less likely, and against one that another place beats: a sign of Szeged
    makes Budapest likelier than before, and yet contradicts it.

    Args:
        p: probability of the claim.
        factor: nats by which the evidence changed its log odds.
        lead: by how much more it changed those of another place that is now likelier than not.
    """
    if factor >= STRONG and p >= 0.5:
        return "supported"
    if (p <= 0.05 and factor <= -STRONG) or (p <= 0.1 and lead >= STRONG):
        return "contradicted"
    return "consistent" if factor >= FAIR else "undecided"


def _words(claim: Claim, verdict: Verdict, p: float, factor: float, pieces: int, instead: str) -> str:
    named = {
        "supported": "The evidence supports the claim",
        "consistent": "The evidence agrees with the claim and does not settle it",
        "undecided": "The evidence says little about the claim",
        "contradicted": "The evidence speaks against the claim",
    }[verdict]
    if not pieces:
        return f"{named}: nothing in the photo speaks for any place. {claim.name} has {_percent(p)} by itself."
    if verdict == "contradicted" and instead:
        return f"{named}: {claim.name} has a probability of {_percent(p)}; the evidence points to {instead}."
    return f"{named}: {claim.name} has a probability of {_percent(p)}; what was seen makes it {times_text(factor)}."


_MOST_TIMES = 1e6
"""Odds that are told: reading errors and forgeries make more of them no surer."""


def times_text(nats: float) -> str:
    """Say by how much odds changed, as people do: "19,000 times less likely than before"."""
    times = math.exp(min(abs(nats), 700.0))
    if times < 1.05:
        return "as likely as before"
    how = f"{'likelier' if nats > 0 else 'less likely'} than before"
    if times >= _MOST_TIMES:
        return f"over a million times {how}"
    if times < 9.5:
        return f"{times:.1f} times {how}"
    return f"{float(f'{times:.2g}'):,.0f} times {how}"  # two digits are more than it is known by


def _percent(p: float) -> str:
    return f"{round(100 * p)} %" if 0.01 <= p <= 0.99 else "under 1 %" if p < 0.01 else "over 99 %"

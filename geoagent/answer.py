"""The JSON answer: the contract `geoagent.answer/1`.

Names and shapes here stay as they are; more may be added. `Answer.model_json_schema()` is the published schema.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = "geoagent.answer/1"

AnswerPrecision = Literal["none", "country", "region", "city", "full"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Best(_Part):
    """The place that an answer names; what the asked precision hides is None."""

    lat: float | None = Field(description="degrees, WGS 84")
    lon: float | None = Field(description="degrees, WGS 84")
    place: str | None = Field(description="nearest place that matters, or the admin-1 unit, or the country")
    admin1: str | None = Field(default=None, description="name of the admin-1 unit")
    country: str | None = Field(default=None, description="ISO 3166-1 alpha-2")
    precision: AnswerPrecision = Field(description="finest level that the evidence supports")


class CountryShare(_Part):
    """One country's probability."""

    code: str
    p: float


class Prediction(_Part):
    """What one half, or both, say."""

    best: Best
    radius_50_km: float
    radius_90_km: float
    confidence: float = Field(description="probability of best.country")
    countries: list[CountryShare] = Field(description="descending, sums to 1")


class Alternative(_Part):
    """Another place that the evidence allows."""

    lat: float | None
    lon: float | None
    place: str | None
    admin1: str | None = None
    country: str
    p: float = Field(description="probability that the photo is around this place: within some 150 km")


class CuePlace(_Part):
    """A place that a cue speaks for: `code` for a country or admin-1 unit, `name` for a city."""

    code: str | None = None
    name: str | None = None
    p: float


class CueReport(_Part):
    """One cue, where it was seen and what it did."""

    id: str
    constraint: str = Field(default="", description="what `GeoAgent.answer(without=…)` takes to leave it out")
    kind: str
    value: str
    says: str
    regions: list[int]
    places: list[CuePlace]
    reliability: float
    nats: float = Field(description="what it added to the log probability of the best place")
    favours: CuePlace | None = Field(default=None, description="what it raised most")
    without: Best = Field(description="the answer without this cue")
    source: str = "lexicon"


class RegionReport(_Part):
    """One line of text in the photo."""

    text: str
    polygon_px: list[tuple[float, float]] = Field(description="pixels of the upright photo, clockwise from top-left")
    confidence: float
    script: str
    language: str | None = None


class NeighbourReport(_Part):
    """A place or a training photo that the final position was computed from."""

    ref: str
    lat: float
    lon: float
    weight: float
    similarity: float | None


class CredibleSet(_Part):
    """Countries that together hold the photo as often as `coverage` says, on photos like those it was fitted on."""

    coverage: float
    countries: list[str] = Field(description="most probable first")
    cells: int | None = Field(default=None, description="how many geocells the set of cells has; null if not fitted")
    resting_on: str = Field(description="picture, text or city: what the answer rests on, and the set was fitted for")


class Comparison(_Part):
    """What the text changed, and whether it agrees with the picture."""

    changed: Literal["nothing", "place", "region", "country"] = Field(description="the coarsest thing that changed")
    moved_km: float | None = Field(description="from the vision-only place to the text-aware one")
    divergence_nats: float = Field(description="Jensen-Shannon divergence of picture and text over cells, 0 to ln 2")
    agreement_nats: float = Field(description="log of how many times likelier one place makes both than two places do")
    conflict: bool = Field(description="whether they rather speak of two places")
    says: str = Field(description="whether they agree, in words")
    change: str = Field(default="", description="what the text changed, in words")


class ExifGps(_Part):
    """What the file says about itself, and how far the answer is from it."""

    lat: float
    lon: float
    distance_km: float | None


class LlmStep(_Part):
    """One step of the second look."""

    tool: str
    arguments: dict[str, Any]
    result: str
    change: str = Field(description="what the step changed in the answer")


class LlmReport(_Part):
    """What the language model was asked, what it cost, and what of it could not be used."""

    model: str
    prompts: list[str] = Field(description="names with versions, in the order of their first use")
    calls: int = Field(description="questions that were sent")
    cached: int = Field(description="questions that an earlier reply on the disk answered")
    repaired: int
    failed: int
    modes: list[str] = Field(description="how JSON was asked for")
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool = Field(description="whether the server did not count, and characters / 4 stand in")
    cost_usd: float | None = Field(description="by the configured prices; null without them")
    languages: list[str]
    observations: list[str]
    notes: list[str] = Field(description="what it said that the gazetteer does not know")
    dropped: int = Field(description="candidates that cited nothing, or words that are not there")
    redacted: int = Field(description="stretches of text that were masked before sending")
    withheld: int = Field(description="lines that were not sent, since they try to instruct a program")
    removed: int = Field(default=0, description="sentences of its explanation that the checker removed")
    steps: list[LlmStep] = Field(default_factory=list)
    would_send: list[dict[str, Any]] = Field(default_factory=list, description="payloads of a dry run")


class Answer(_Part):
    """One photo's answer; see `SCHEMA`."""

    schema_: Literal["geoagent.answer/1"] = Field(default="geoagent.answer/1", alias="schema")
    id: str | None = Field(default=None, description="the row's id, for texts that came without a photo")
    source: str
    status: Literal["ok", "partial", "error"]
    error: str | None = None
    best: Best | None = None
    radius_50_km: float | None = None
    radius_90_km: float | None = None
    confidence: float | None = Field(default=None, description="probability of best.country")
    abstained: bool = Field(default=False, description="whether no place is named since none is probable enough")
    countries: list[CountryShare] = Field(default_factory=list)
    credible: CredibleSet | None = Field(default=None, description="absent where the world has fitted none")
    alternatives: list[Alternative] = Field(default_factory=list)
    looked: bool | None = Field(default=None, description="whether the picture was judged, not its text alone")
    vision_only: Prediction | None = None
    text_only: Prediction | None = None
    text_aware: Prediction | None = None
    comparison: Comparison | None = Field(default=None, description="absent where picture or text was not judged")
    cues: list[CueReport] = Field(default_factory=list)
    regions: list[RegionReport] = Field(default_factory=list)
    neighbours: list[NeighbourReport] = Field(default_factory=list)
    explanation: str = ""
    warnings: list[str] = Field(default_factory=list)
    world: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    timings_s: dict[str, float] = Field(default_factory=dict)
    exif_gps: ExifGps | None = None
    llm: LlmReport | None = Field(default=None, description="absent unless a language model is configured")
    settings: str | None = Field(default=None, description="mark of the settings it was made under; differs as they do")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> str:
        """One line of JSON."""
        optional = ("id", "llm", "credible", "comparison", "looked", "settings")
        absent = {key for key in optional if getattr(self, key) is None}
        return self.model_dump_json(by_alias=True, exclude=absent)

    @classmethod
    def failed(cls, source: str, message: str, *, id: str | None = None) -> Answer:
        """The error row of a photo that could not be answered."""
        return cls(source=source, status="error", error=message, id=id)

"""The JSON answer: the contract `geoagent.answer/1`.

Existing fields keep their names and types; new ones may be added. `Answer.model_json_schema()` is the published schema.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geoagent import plugs

SCHEMA = "geoagent.answer/1"

AnswerPrecision = Literal["none", "country", "region", "city", "full"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Best(_Part):
    """The place that an answer names; fields finer than the requested precision are None.

    Where no country is probable enough, no place is named: `precision` is "none" and everything else is None.
    """

    lat: float | None = Field(description="degrees, WGS 84")
    lon: float | None = Field(description="degrees, WGS 84")
    place: str | None = Field(description="nearest notable place, or the admin-1 unit, or the country")
    admin1: str | None = Field(default=None, description="name of the admin-1 unit")
    country: str | None = Field(default=None, description="ISO 3166-1 alpha-2")
    precision: AnswerPrecision = Field(description='finest level that the evidence supports; "none": no place is named')


class CountryShare(_Part):
    """One country's probability."""

    code: str
    p: float


class Prediction(_Part):
    """A prediction from the picture, from the text, or from both."""

    best: Best
    radius_50_km: float | None = Field(description="null where no place is named")
    radius_90_km: float | None = Field(description="null where no place is named")
    confidence: float = Field(description="probability of countries[0], which is best.country where one is named")
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
    """A place that a cue supports: `code` for a country or admin-1 unit, `name` for a city."""

    code: str | None = None
    name: str | None = None
    p: float


class CueReport(_Part):
    """One cue: where it was found and how it changed the answer."""

    id: str
    constraint: str = Field(default="", description="id to pass to `GeoAgent.answer(without=…)` to leave this cue out")
    kind: str
    value: str
    says: str
    regions: list[int]
    places: list[CuePlace]
    reliability: float
    nats: float = Field(description="nats added to the log probability of the best place, or of the likeliest cell")
    favours: CuePlace | None = Field(default=None, description="place whose probability it raised most")
    without: Best = Field(description="the answer without this cue")
    source: str = "lexicon"


class RegionReport(_Part):
    """One line of text in the photo."""

    text: str
    polygon_px: list[tuple[float, float]] = Field(description="pixels of the upright photo, clockwise from top-left")
    confidence: float
    script: str
    language: str | None = None


class UnreadReport(_Part):
    """A place in the photo with text that was detected and could not be read."""

    polygon_px: list[tuple[float, float]] = Field(description="pixels of the upright photo, clockwise from top-left")


class NeighbourReport(_Part):
    """A place or training photo from which the final position was computed."""

    ref: str
    lat: float
    lon: float
    weight: float
    similarity: float | None


class CredibleSet(_Part):
    """Countries that contain the true one with probability `coverage`, for photos like those it was calibrated on."""

    coverage: float
    countries: list[str] = Field(description="most probable first")
    cells: int | None = Field(default=None, description="size of the credible set of geocells; null if not fitted")
    resting_on: str = Field(description="picture, text or city: the evidence that the set was fitted for")


class Comparison(_Part):
    """How the text changed the answer, and whether it agrees with the picture."""

    changed: Literal["nothing", "place", "region", "country"] = Field(description="coarsest level that changed")
    moved_km: float | None = Field(description="from the vision-only place to the text-aware one; null without either")
    divergence_nats: float = Field(description="Jensen-Shannon divergence of picture and text over cells, 0 to ln 2")
    agreement_nats: float = Field(description="log of how many times likelier both are under one place than under two")
    conflict: bool = Field(description="whether they more likely come from two places")
    says: str = Field(description="whether they agree, in words")
    change: str = Field(default="", description="what the text changed, in words")


class ExifGps(_Part):
    """The position in the file's EXIF data, and its distance from the answer."""

    lat: float
    lon: float
    distance_km: float | None = Field(description="null where no place is named")
    place: str | None = Field(default=None, description="town and country of the position; null on the open sea")


class LlmStep(_Part):
    """One step of the investigation by the language model."""

    tool: str
    arguments: dict[str, Any]
    result: str
    change: str = Field(description="how the step changed the answer")


class LlmReport(_Part):
    """How the language model was used: calls, costs and discarded output."""

    model: str
    prompts: list[str] = Field(description="names with versions, in order of first use")
    calls: int = Field(description="requests sent")
    cached: int = Field(description="requests answered from the disk cache")
    repaired: int
    failed: int
    modes: list[str] = Field(description="modes in which JSON was requested")
    input_tokens: int
    output_tokens: int
    tokens_estimated: bool = Field(description="whether the server reported no counts, so that characters / 4 are used")
    cost_usd: float | None = Field(description="at the configured prices; null without them")
    languages: list[str]
    observations: list[str]
    notes: list[str] = Field(description="replies about places missing from the gazetteer")
    dropped: int = Field(description="candidates that cited no text, or text that is not in the photo")
    redacted: int = Field(description="spans of text masked before sending")
    withheld: int = Field(description="lines not sent because they look like prompt injection")
    removed: int = Field(default=0, description="sentences of its explanation that the checker removed")
    steps: list[LlmStep] = Field(default_factory=list)
    would_send: list[dict[str, Any]] = Field(default_factory=list, description="payloads of a dry run")


class AlbumWitness(_Part):
    """A photo, or a point of a track, next to this one in time, that the album's evidence rests on."""

    source: str
    minutes: float = Field(description="from this photo to that one: negative before it")
    device: str | None = None
    rests_on: Literal["position", "track", "text or picture"]
    place: str | None = Field(description="town and country that it is nearest to")


class AlbumReport(_Part):
    """The photo as a part of its album."""

    part: bool = Field(description="whether it takes part: it is a photo, and its time is known")
    why_not: str | None = None
    taken: str | None = Field(default=None, description="ISO 8601; in UTC if it ends in Z, else by the camera's clock")
    utc: str | None = Field(
        default=None,
        description="the instant by which the album is ordered, ISO 8601 in UTC: where the file tells none, the "
        "camera's clock, put right by what was stated, found or assumed of it",
    )
    taken_from: str | None = Field(default=None, description="gps, exif, xmp, sidecar or name")
    device: str | None = None
    clock: str | None = Field(default=None, description="what was stated, found or assumed about the camera's clock")
    witnesses: list[AlbumWitness] = Field(default_factory=list)
    doubts: list[str] = Field(default_factory=list, description="why its time or position may be wrong, by its file")
    wrong_position: float | None = Field(
        default=None, description="probability that the position in its file is of another place or time"
    )
    agreement_nats: float | None = Field(
        default=None,
        description="log of how many times likelier its own evidence and the album's are under one place than two",
    )


class Answer(_Part):
    """One photo's answer; see `SCHEMA`."""

    schema_: Literal["geoagent.answer/1"] = Field(default="geoagent.answer/1", alias="schema")
    id: str | None = Field(default=None, description="the row's id, for text given without a photo")
    source: str
    status: Literal["ok", "partial", "error"]
    error: str | None = None
    best: Best | None = None
    radius_50_km: float | None = Field(default=None, description="null where no place is named")
    radius_90_km: float | None = Field(default=None, description="null where no place is named")
    confidence: float | None = Field(
        default=None, description="probability of countries[0], which is best.country where one is named"
    )
    abstained: bool = Field(default=False, description="whether no place is named because none is probable enough")
    countries: list[CountryShare] = Field(default_factory=list)
    credible: CredibleSet | None = Field(default=None, description="absent if the world has none fitted")
    alternatives: list[Alternative] = Field(default_factory=list)
    looked: bool | None = Field(
        default=None, description="whether an encoder or a vision-language model judged the picture"
    )
    vision_only: Prediction | None = None
    text_only: Prediction | None = None
    text_aware: Prediction | None = None
    comparison: Comparison | None = Field(default=None, description="absent if the picture or the text was not judged")
    cues: list[CueReport] = Field(default_factory=list)
    regions: list[RegionReport] = Field(default_factory=list)
    unread: list[UnreadReport] = Field(
        default_factory=list, description="places with text that could not be read; never evidence"
    )
    neighbours: list[NeighbourReport] = Field(default_factory=list, description="empty where no place is named")
    explanation: str = ""
    warnings: list[str] = Field(default_factory=list)
    world: dict[str, Any] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)
    timings_s: dict[str, float] = Field(default_factory=dict)
    exif_gps: ExifGps | None = None
    exif_partial: str | None = Field(
        default=None, description="what the EXIF data hold of a position that is not whole, in words; absent otherwise"
    )
    album: AlbumReport | None = Field(default=None, description="absent unless the photo was located in an album")
    llm: LlmReport | None = Field(default=None, description="absent unless a language model is configured")
    settings: str | None = Field(default=None, description="fingerprint of the settings that produced it")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> str:
        """Return the answer as one line of JSON."""
        optional = ("id", "llm", "album", "credible", "comparison", "looked", "settings", "exif_partial")
        absent = {key for key in optional if getattr(self, key) is None}
        return self.model_dump_json(by_alias=True, exclude=absent)

    def to_geojson(self) -> dict[str, Any]:
        """Return the answer as a GeoJSON Feature (RFC 7946): a point, lon before lat; no geometry without a place."""
        feature: dict[str, Any] = _shown("outputs.geojson", "feature", self)
        return feature

    def __repr__(self) -> str:
        """Three lines for people; `to_json` has everything."""
        return str(_shown("render.words", "repr_text", self))

    __str__ = __repr__

    def _repr_html_(self) -> str:
        """What a notebook shows: the place, a map and the cues, without script and without requests."""
        return str(_shown("render.notebook", "answer_html", self))

    @classmethod
    def failed(cls, source: str, message: str, *, id: str | None = None) -> Answer:
        """Return the error row for a photo that could not be located."""
        return cls(source=source, status="error", error=message, id=id)


def _shown(module: str, function: str, answer: Answer) -> Any:
    """Show an answer by a function of a layer above, which is looked up only then."""
    return plugs.attribute(f"geoagent.interfaces.{module}", function)(answer)

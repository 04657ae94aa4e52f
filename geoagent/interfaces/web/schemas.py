"""Replies of the API besides `Answer` and `Verification`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from geoagent.answer import Answer, Comparison, Prediction
from geoagent.evidence.observation import Observation
from geoagent.interfaces.web.cases import CaseSettings
from geoagent.types import Place


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Problem(_Part):
    """Why there is no answer."""

    error: str
    fields: dict[str, str] = Field(default={}, description="what is wrong, by name of the field, where that is known")


class AlbumItem(_Part):
    """One photo of an album."""

    observation: str = Field(description="new id of what was seen, the other photos' evidence included")
    answer: Answer


class TrackRead(_Part):
    """A track that was read."""

    id: str = Field(description="send it to /api/album as one of `track_ids`")
    name: str
    points: int
    begin: str = Field(description="time of the first point, ISO 8601 in UTC")
    end: str = Field(description="time of the last point, ISO 8601 in UTC")
    notes: list[str] = Field(description="what was left out")


class TrackLines(_Part):
    """A track on the map of an album."""

    name: str
    lines: list[list[tuple[float, float]]] = Field(
        description="lat, lon in order of time, from a day before the first photo to a day after the last"
    )


class CasePhoto(_Part):
    """A photo of a case."""

    observation: str
    name: str
    note: str


class CaseOpened(_Part):
    """What a case holds, remembered from now on."""

    photos: list[CasePhoto]
    tracks: list[TrackRead]
    asked: CaseSettings


class AlbumAnswers(_Part):
    """Photos that were weighed together."""

    items: list[AlbumItem] = Field(description="in the order of the ids that were sent")
    notes: list[str] = Field(description="what was found about cameras and clocks, and left out of tracks")
    tracks: list[TrackLines] = Field(description="empty under a cap on precision")


class Region(_Part):
    """One line of text."""

    text: str
    polygon_px: list[tuple[float, float]] = Field(description="pixels of the upright photo, clockwise from top-left")
    confidence: float
    script: str = Field(description="ISO 15924")
    languages: list[str] = Field(description="that it is read as, likelier ones first")
    panel: str | None = Field(description="colour of what it is written on")


class Unread(_Part):
    """A place with text that was detected and could not be read."""

    polygon_px: list[tuple[float, float]] = Field(description="pixels of the upright photo, clockwise from top-left")


class ReadCue(_Part):
    """Something in the text that says where it may be."""

    kind: str
    value: str
    says: str
    regions: list[int]
    strength: float


class Reading(_Part):
    """What was read in a photo, without an answer."""

    source: str
    observation: str
    regions: list[Region]
    unread: list[Unread]
    cues: list[ReadCue]
    warnings: list[str]

    @classmethod
    def of(cls, observed: Observation, id: str) -> Reading:
        """Write down what was observed."""
        return cls(
            source=observed.source,
            observation=id,
            regions=[
                Region(
                    text=r.text,
                    polygon_px=[(round(float(x), 1), round(float(y), 1)) for x, y in r.polygon_px],
                    confidence=round(r.confidence, 3),
                    script=r.script,
                    languages=[
                        language
                        for c in observed.text.cues
                        if c.kind == "language" and i in c.regions
                        for language in c.value.split()
                    ],
                    panel=r.panel or None,
                )
                for i, r in enumerate(observed.text.regions)
            ],
            unread=[
                Unread(polygon_px=[(round(float(x), 1), round(float(y), 1)) for x, y in r.polygon_px])
                for r in observed.text.unread
            ],
            cues=[
                ReadCue(kind=c.kind, value=c.value, says=c.says, regions=list(c.regions), strength=round(c.strength, 3))
                for c in observed.text.cues
            ],
            warnings=list(dict.fromkeys(observed.warnings)),
        )


class Compared(_Part):
    """What the picture alone says, the text alone, and both together."""

    source: str
    observation: str
    vision_only: Prediction | None
    text_only: Prediction | None
    text_aware: Prediction | None
    comparison: Comparison | None = Field(description="null where picture or text was not judged")
    warnings: list[str]

    @classmethod
    def of(cls, answer: Answer, id: str) -> Compared:
        """Take it out of an answer."""
        return cls(
            source=answer.source,
            observation=id,
            vision_only=answer.vision_only,
            text_only=answer.text_only,
            text_aware=answer.text_aware,
            comparison=answer.comparison,
            warnings=answer.warnings,
        )


class JobItem(_Part):
    """One photo of a job."""

    name: str
    state: Literal["waiting", "reading", "done", "failed", "cancelled"]
    before: int = Field(description="photos that will be taken before this one")
    seconds: float = Field(description="for how long it is being read")
    observation: str | None = Field(description="ask about the photo under this id once it is done")
    error: str | None


class JobState(_Part):
    """How far a job is."""

    id: str
    done: int = Field(description="photos of which nothing more will come")
    total: int
    over: bool
    typical_s: float = Field(description="seconds that a photo took lately")
    items: list[JobItem]


class Health(_Part):
    """That the server runs, and what it does."""

    status: Literal["ok", "starting", "broken"]
    version: str | None = Field(default=None, description="this and the rest only to whoever may ask")
    workers: int | None = Field(default=None, description="readers that run")
    waiting: int | None = Field(default=None, description="photos that wait")
    remembered: int | None = Field(default=None, description="observations that are kept")
    trouble: str | None = None


class PlaceFound(_Part):
    """A place of the gazetteer."""

    name: str
    country: str
    admin1: str
    lat: float
    lon: float
    level: str = Field(description="country, admin1 or city")
    population: int

    @classmethod
    def of(cls, place: Place) -> PlaceFound:
        """Write a place down."""
        return cls(
            name=place.name,
            country=place.country,
            admin1=place.admin1_name,
            lat=round(place.latlon.lat, 5),
            lon=round(place.latlon.lon, 5),
            level=place.level,
            population=place.population,
        )


class Town(_Part):
    """A town on the map."""

    name: str
    lat: float
    lon: float
    population: int


class LeftOut(_Part):
    """A cue that was left out."""

    key: str
    kind: str
    value: str


class View(_Part):
    """What the page draws."""

    observation: str
    answer: dict[str, Any] = Field(description="`exact`, with numbers as words and foreign text made safe to look at")
    keys: list[str] = Field(description="keys of the cues, as `without` takes them; empty for what cannot be left out")
    left_out: list[LeftOut]
    cells: list[tuple[int, float]] = Field(description="number of a geocell in /api/atlas, and its probability")
    lights: list[list[int]] = Field(description="for each cue, numbers of the geocells that it raises most")
    size_px: tuple[int, int] = Field(description="width and height of the upright photo")
    exact: Answer

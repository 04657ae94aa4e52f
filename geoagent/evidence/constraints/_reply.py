"""Schemas of the language model's replies, the only form in which its output is used.

The docstrings of the classes are part of the JSON Schema that is sent to the model.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field, field_validator

StatedLevel = Literal["country", "admin1", "city", "street", "institution"]


class Cite(BaseModel):
    """Words of one region."""

    region: int = Field(ge=0, le=10_000)
    text: str = Field(max_length=200, description="the very words of that region")


class Candidate(BaseModel):
    """One place that the text speaks for."""

    place: str = Field(max_length=120, description="name of the place")
    level: StatedLevel
    country: str = Field(max_length=60, description="ISO 3166-1 alpha-2 code")
    probability: float = Field(ge=0.0, le=1.0)
    cites: list[Cite] = Field(max_length=12)
    reason: str = Field(max_length=300, description="one sentence")

    @field_validator("country")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.strip().upper()


class SignReading(BaseModel):
    """What the text of one photo says; no candidates where it is no evidence."""

    language: str = Field(max_length=60)
    observations: list[str] = Field(max_length=8)
    candidates: list[Candidate] = Field(max_length=8)


class Sight(BaseModel):
    """One visible thing that speaks for places."""

    kind: Literal["architecture", "vegetation", "road", "driving_side", "plates", "signs", "vehicles", "other"]
    seen: str = Field(max_length=200)


class PlaceGuess(BaseModel):
    """One place that the picture speaks for."""

    place: str = Field(max_length=120)
    level: StatedLevel
    country: str = Field(max_length=60, description="ISO 3166-1 alpha-2 code")
    probability: float = Field(ge=0.0, le=1.0)
    reason: str = Field(max_length=300)

    @field_validator("country")
    @classmethod
    def _upper(cls, value: str) -> str:
        return value.strip().upper()


class PictureReading(BaseModel):
    """What a picture shows; no candidates where it is no evidence."""

    sights: list[Sight] = Field(max_length=12)
    candidates: list[PlaceGuess] = Field(max_length=8)

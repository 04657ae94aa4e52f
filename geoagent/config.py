"""Configuration: one frozen tree, built from TOML, flags or code.

Unknown keys are rejected with a suggestion. Secrets are never stored here: they are read from the environment at the
point of use.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from geoagent.errors import ConfigError
from geoagent.types import Precision

WEIGHING = frozenset(
    {
        "within",
        "exclude",
        "hint",
        "text_weight",
        "vision_weight",
        "max_precision",
        "confidence",
        "abstain_below",
        "same_region",
    }
)
"""Settings that only affect weighing: they can change without rebuilding the agent."""


class Plug(BaseModel):
    """A plug's name and options: `{name = "rapidocr", max_side_px = 1600}`."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Options passed to the plug's `build` besides the assets."""
        return dict(self.model_extra or {})


class LlmUse(BaseModel):
    """What a language model may be used for, and its limits.

    Attributes:
        sees_picture: also send the picture: a small copy without EXIF data. Off by default.
        narrative: let it phrase the explanation, which is then checked against the evidence.
        investigate: maximum steps when investigating undecided photos; 0 turns it off.
        max_calls: maximum calls per run; None for no cap.
        max_tokens: maximum tokens per run, input and output; None for no cap.
        cache: cache replies on disk.
        usd_per_million: prices per million input and output tokens, for the cost report.
        dry_run: send nothing; the answer contains the payloads that would be sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    sees_picture: bool = False
    narrative: bool = False
    investigate: int = Field(default=0, ge=0, le=20)
    max_calls: int | None = Field(default=10_000, ge=0)
    max_tokens: int | None = Field(default=20_000_000, ge=0)
    cache: bool = True
    usd_per_million: tuple[float, float] | None = None
    dry_run: bool = False


OPEN: tuple[str, ...] = ("full", "auto")
"""Values of `Config.max_precision` that withhold nothing."""


class Config(BaseModel):
    """Configuration of a `GeoAgent`.

    Attributes:
        world: folder or name of the world; "auto" for the default world of this machine (`geoagent get`), which is the
            starter world where there is no other; "starter" or None for the starter world.
        encoder: the picture half; None takes what the world asks for.
        ocr: the reading half; "auto" takes the best engine that is installed.
        language: identifier of languages: "py3langid", "fasttext" or "langdetect".
        cues: modules outside the package with more kinds of cue, by dotted path; each has a function `find`.
        constraints: constraint sources, each adding its own.
        search: how neighbours are found where the world has a gallery; "auto" compares all photos of the leading cells,
            and from 100,000 photos on uses FAISS if it is installed.
        refiner: from candidates to one place.
        neighbours: M, how many neighbours are searched; None takes the world's fitted number, else 50.
        same_region: see `fusion.SAME_REGION`; None takes the world's fitted value, else the default.
        within: the photo is in one of these, as the user says: ISO 3166-1 codes, or names of countries, macro-regions,
            regions; () for the whole world.
        exclude: areas that the photo is known not to be in.
        hint: what the user believes about the place, in words; see `hints`.
        text_weight: factor on the text evidence, on top of the fitted weights; 0 ignores it.
        vision_weight: factor on the picture's evidence; 0 leaves the prior.
        max_precision: finest level that an answer discloses; "auto" for the finest that reaches `confidence`.
        confidence: probability that a level must reach under "auto", in (0, 1).
        abstain_below: name no place if the country is less probable than this; below one half none is named anyway.
        llm: the language model; None, the default, for none.
        llm_use: what the language model may be used for.
        offline: make no requests to other machines, whatever else is set.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    world: Path | None = Path("auto")
    encoder: Plug | None = None
    ocr: Plug = Field(default_factory=lambda: Plug(name="auto"))
    language: Literal["py3langid", "fasttext", "langdetect"] = "py3langid"
    cues: tuple[str, ...] = ()
    constraints: tuple[Plug, ...] = Field(default_factory=lambda: (Plug(name="lexicon"),))
    search: Plug = Field(default_factory=lambda: Plug(name="auto"))
    refiner: Plug = Field(default_factory=lambda: Plug(name="mode"))
    neighbours: int | None = Field(default=None, ge=1)
    same_region: float | None = Field(default=None, ge=0.0, le=1.0)
    within: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    hint: str = Field(default="", max_length=500)
    text_weight: float = Field(default=1.0, ge=0.0, le=3.0)
    vision_weight: float = Field(default=1.0, ge=0.0, le=3.0)
    max_precision: Precision | Literal["auto"] = "full"
    confidence: float = Field(default=0.8, gt=0.0, lt=1.0)
    abstain_below: float = Field(default=0.0, ge=0.0, lt=1.0)
    llm: Plug | None = None
    llm_use: LlmUse = Field(default_factory=LlmUse)
    offline: bool = False

    @property
    def least_confidence(self) -> float:
        """Probability that a country must reach to be named: one half, or more where more is asked for."""
        return max(self.confidence if self.max_precision == "auto" else 0.5, self.abstain_below)

    @property
    def capped(self) -> bool:
        """Whether answers withhold details finer than `max_precision`."""
        return self.max_precision not in OPEN

    @field_validator("encoder", "ocr", "search", "refiner", "llm", mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """A bare name is a plug without options."""
        return {"name": value} if isinstance(value, str) else value

    @field_validator("constraints", mode="before")
    @classmethod
    def _short_list(cls, value: Any) -> Any:
        if isinstance(value, str):
            return ({"name": value},)
        return tuple({"name": v} if isinstance(v, str) else v for v in value)

    @field_validator("within", "exclude")
    @classmethod
    def _areas(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        areas = (area.strip() for area in value)
        return tuple(a.upper() if len(a) == 2 and a.isascii() and a.isalpha() else a for a in areas if a)

    @classmethod
    def make(cls, settings: Mapping[str, Any]) -> Config:
        """Check settings and freeze them.

        Raises:
            ConfigError: a key is unknown or a value is wrong; the message names it.
        """
        unknown = [key for key in settings if key not in cls.model_fields]
        if unknown:
            near = difflib.get_close_matches(unknown[0], list(cls.model_fields), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known are {', '.join(cls.model_fields)}"
            raise ConfigError(f"unknown setting {unknown[0]!r}{hint}")
        try:
            return cls.model_validate(dict(settings))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ConfigError(f"setting {where}: {first['msg'].removeprefix('Value error, ')}") from error

    @classmethod
    def load(cls, path: str | Path, **overrides: Any) -> Config:
        """Read a TOML file; `overrides` win over it.

        Raises:
            ConfigError: the file is missing, is not valid TOML, or has unknown keys.
        """
        try:
            settings = tomllib.loads(Path(path).read_text("utf-8-sig"))
        except OSError as error:
            raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
        return cls.make({**settings, **overrides})

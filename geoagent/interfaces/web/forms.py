"""Parsing uploads into memory, never onto disk."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal

from geoagent.interfaces.render import shown
from geoagent.optional import needs

with needs("web", "fastapi", "starlette", "python_multipart"):
    import python_multipart  # noqa: F401  # what reads forms; without it FastAPI complains in its own words
    from fastapi import Form, UploadFile
    from fastapi.routing import APIRoute
    from starlette.datastructures import FormData
    from starlette.datastructures import UploadFile as StarletteUpload
    from starlette.exceptions import HTTPException
    from starlette.formparsers import MultiPartException, MultiPartParser
    from starlette.requests import Request
    from starlette.responses import Response

from pydantic import BaseModel, ConfigDict, Field

from geoagent.places.coordinates import NOTATIONS
from geoagent.types import Precision

_NO_DISK = 1 << 62
_FIELD_BYTES = 64_000
_MOST_FILES, _MOST_FIELDS = 200, 1_300
"""In one form; an album of a thousand photos has a field for each."""
_LISTS = frozenset({"photos", "without", "observations", "clocks", "tracks", "track_ids", "notes", "answered"})
"""Fields that may be sent more than once."""


class _Parser(MultiPartParser):
    """The usual parser would write larger files to the disk."""

    spool_max_size = _NO_DISK


class _Request(Request):
    async def _get_form(
        self, *, max_files: Any = _MOST_FILES, max_fields: Any = _MOST_FIELDS, max_part_size: int = 0
    ) -> FormData:
        kind = self.headers.get("content-type", "").split(";")[0].strip().lower()
        if self._form is None and kind == "multipart/form-data":
            async with aclosing(self.stream()) as stream:
                parser = _Parser(
                    self.headers,
                    stream,
                    max_files=_MOST_FILES,
                    max_fields=_MOST_FIELDS,
                    max_part_size=_FIELD_BYTES,
                )
                try:
                    self._form = await parser.parse()
                except (MultiPartException, KeyError) as error:
                    message = getattr(error, "message", "no boundary")
                    raise HTTPException(400, f"the form cannot be read: {message}") from error
        found = await super()._get_form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS, max_part_size=_FIELD_BYTES)
        for name, count in Counter(name for name, _ in found.multi_items()).items():
            if count > 1 and name not in _LISTS:
                await found.close()
                several = "; /api/jobs takes several, as photos" if name == "photo" else ""
                raise HTTPException(422, f"{shown(name)}: sent {count} times, and only one would count{several}")
        return found


class MemoryRoute(APIRoute):
    """A route whose form is read into memory."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the usual handler."""
        usual = super().get_route_handler()

        async def handler(request: Request) -> Response:
            return await usual(_Request(request.scope, request.receive))

        return handler


def areas_of(text: str) -> tuple[str, ...]:
    """Areas that are named in one text, by commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


class Settings(BaseModel):
    """Settings for weighing an observation; none needs the photo to be read again."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    text_weight: float | None = Field(
        default=None,
        ge=0,
        le=3,
        description="what the evidence of the text counts for; 1 unless the server says otherwise",
    )
    vision_weight: float | None = Field(default=None, ge=0, le=3, description="what the picture counts for; likewise")
    hint: str = Field(default="", max_length=500, description="what you believe about the place, in words")
    within: str = Field(default="", max_length=500, description="country codes or names of areas, by commas")
    exclude: str = Field(default="", max_length=500, description="country codes or names of areas, by commas")
    max_precision: Precision | Literal["auto"] | None = Field(
        default=None, description="finest level that is disclosed; auto for the finest that reaches `confidence`"
    )
    confidence: float | None = Field(default=None, gt=0, lt=1, description="what a level must reach under auto")
    abstain_below: float | None = Field(
        default=None, ge=0, lt=1, description="name no place where no country is as probable as this"
    )
    without: list[str] = Field(default=[], max_length=200, description="keys of cues that are left out")

    def changes(self) -> dict[str, Any]:
        """What is stated, as `GeoAgent.using` takes it; the rest is as the server was started."""
        stated = {
            "text_weight": self.text_weight,
            "vision_weight": self.vision_weight,
            "hint": self.hint or None,
            "within": areas_of(self.within) or None,
            "exclude": areas_of(self.exclude) or None,
            "max_precision": self.max_precision,
            "confidence": self.confidence,
            "abstain_below": self.abstain_below,
        }
        return {name: value for name, value in stated.items() if value is not None}


class Question(Settings):
    """A photo, or the id of an earlier observation, and how to weigh it."""

    photo: UploadFile | None = Field(default=None, description="the photo; or give `observation`")
    observation: str = Field(default="", max_length=64, description="id that an earlier reply gave")


class Claim(Question):
    """A question about a claim."""

    claim: str = Field(
        min_length=1, max_length=2000, description=f'"Kyiv, Ukraine", "exif", or coordinates: {NOTATIONS}'
    )


class AlbumQuestion(Settings):
    """Observations that are weighed together."""

    observations: list[str] = Field(
        min_length=1, max_length=1000, description="ids that earlier replies gave, of photos of one album"
    )
    tracks: list[UploadFile] = Field(
        default=[], description="where you were: GPX, KML, KMZ or Google's location history"
    )
    track_ids: list[str] = Field(default=[], max_length=50, description="ids that /api/tracks gave; or send `tracks`")
    clocks: list[str] = Field(
        default=[],
        max_length=50,
        description='how far clocks are ahead of UTC: "Canon*=+2h"; the first that fits counts',
    )
    together: bool = Field(default=False, description="all cameras were together all the time")
    same_place: bool = Field(default=False, description="all photos show one place, whatever their times")


class Export(Settings):
    """Answers for another program."""

    observations: list[str] = Field(min_length=1, max_length=1000, description="ids that earlier replies gave")
    kind: str = Field(max_length=40, description="one of /api/formats")


class CaseAsked(Settings):
    """Photos that are kept in one file."""

    observations: list[str] = Field(min_length=1, max_length=1000, description="ids that earlier replies gave")
    notes: list[str] = Field(default=[], max_length=1000, description="what is noted on each photo; or none at all")
    track_ids: list[str] = Field(default=[], max_length=50, description="ids that /api/tracks gave")
    answered: list[str] = Field(
        default=[],
        max_length=1000,
        description="ids that /api/album gave, one for each observation, whose answers are kept; or none at all",
    )
    chosen: int | None = Field(
        default=None, ge=0, lt=1000, description="number from 0 of the photo that the settings are for; without it all"
    )
    together: bool = Field(default=False, description="whether the photos were weighed together")
    clocks: list[str] = Field(
        default=[], max_length=50, description="what was stated of clocks, as /api/album takes it"
    )

    def asked_of(self, number: int) -> Settings:
        """The settings for one of the photos, by its number from 0."""
        return self if self.chosen is None or self.chosen == number else Settings()


class CaseFile(BaseModel):
    """A case."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    case: UploadFile = Field(description="the file that /api/case gave")


class TrackFiles(BaseModel):
    """Tracks."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    tracks: list[UploadFile] = Field(
        min_length=1, max_length=50, description="GPX, KML, KMZ or Google's location history"
    )


class Photos(BaseModel):
    """Photos of one job."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    photos: list[UploadFile] = Field(min_length=1, description="one photo or several")


Asked = Annotated[Question, Form(media_type="multipart/form-data")]
Claimed = Annotated[Claim, Form(media_type="multipart/form-data")]
AlbumAsked = Annotated[AlbumQuestion, Form(media_type="multipart/form-data")]
TracksSent = Annotated[TrackFiles, Form(media_type="multipart/form-data")]
ExportAsked = Annotated[Export, Form(media_type="multipart/form-data")]
CaseWanted = Annotated[CaseAsked, Form(media_type="multipart/form-data")]
CaseSent = Annotated[CaseFile, Form(media_type="multipart/form-data")]
Sent = Annotated[Photos, Form(media_type="multipart/form-data")]


def no_such_field(name: str, path: str, value: Any) -> str:
    """What to say of a field that a route does not have; a file in it was meant as a photo."""
    if not isinstance(value, StarletteUpload):
        return f"{name}: there is no such field"
    return f"{name}: there is no such field; a photo is sent as {'photos' if path == '/api/jobs' else 'photo'}"


def file_name(sent: str | None) -> str:
    """The last part of the name that a client sent, fit to be shown; never used to open anything."""
    last = PureWindowsPath(PurePosixPath(sent or "").name).name
    return unicodedata.normalize("NFC", shown(last)).strip()[:120] or "photo"

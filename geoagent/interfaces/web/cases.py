"""A case: photos with their answers, notes and tracks in one file, to be opened again.

An archive of JSON and JPEG. It holds what was seen in each photo and a reduced copy without metadata, never the
original; answers are in it for readers, and are weighed anew when it is opened. What a file says is checked like an
upload: it may come from anybody.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from geoagent.agent.album_run import looking_mark
from geoagent.agent.core import GeoAgent
from geoagent.answer import Answer
from geoagent.errors import GeoAgentError, InputError
from geoagent.evidence.photos import open_photo
from geoagent.evidence.saved import Observations
from geoagent.evidence.tracks import Track
from geoagent.interfaces.web.exports import zipped
from geoagent.interfaces.web.forms import Settings, file_name
from geoagent.interfaces.web.readers import Seen, preview_of

FORMAT = "geoagent.case/1"
ENDING = ".geoagent"
_MOST_BYTES = 500_000_000
_DIGEST = re.compile("[0-9a-f]{64}")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Photo(_Part):
    name: str = Field(max_length=300)
    digest: str = ""
    note: str = Field(default="", max_length=20_000)


class _Track(_Part):
    name: str = Field(max_length=300)
    utc_s: list[float]
    latlon: list[tuple[float, float]]
    accuracy_m: list[float | None]
    notes: list[str] = []


class CaseSettings(_Part):
    """What was asked about the photos of a case; the page asks it again."""

    settings: Settings = Settings()
    chosen: int = Field(default=0, ge=0, lt=1000, description="number from 0 of the photo that was shown")
    together: bool = Field(default=False, description="whether the photos were weighed together")
    clocks: list[Annotated[str, Field(max_length=200)]] = Field(default=[], max_length=50, description="as stated")


class _Case(_Part):
    format: str
    asked: CaseSettings = CaseSettings()
    photos: list[_Photo] = Field(max_length=1000)
    tracks: list[_Track] = Field(default=[], max_length=50)


@dataclass(frozen=True, slots=True)
class Case:
    """What a case holds.

    Attributes:
        photos: what was seen, with the note on it.
        tracks: where somebody was meanwhile.
        asked: under which settings; the usual ones in older cases.
    """

    photos: tuple[tuple[Seen, str], ...]
    tracks: tuple[Track, ...] = ()
    asked: CaseSettings = field(default_factory=CaseSettings)


def write_case(agent: GeoAgent, case: Case, answers: Sequence[Answer]) -> bytes:
    """Return a case as the content of its file."""
    files: dict[str, Any] = {}
    photos = [
        {"name": seen.observed.source, "digest": seen.digest, "note": note, "answer": json.loads(answer.to_json())}
        for (seen, note), answer in zip(case.photos, answers, strict=True)
    ]
    tracks = [
        {
            "name": track.source,
            "utc_s": track.utc_s.tolist(),
            "latlon": track.latlon.tolist(),
            "accuracy_m": [value if value == value else None for value in track.accuracy_m.tolist()],
            "notes": list(track.notes),
        }
        for track in case.tracks
    ]
    head = {"format": FORMAT, "photos": photos, "tracks": tracks, "asked": case.asked.model_dump(mode="json")}
    files["case.json"] = json.dumps(head, ensure_ascii=False, allow_nan=False)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seen.jsonl"
        with Observations(path, looking_mark(agent), agent.assets.world).appending({}) as append:
            for number, (seen, _) in enumerate(case.photos):
                append(replace(seen.observed, source=_key(number), album=()), seen.capture)
        files["seen.jsonl"] = path.read_bytes()
    files |= {f"{_key(number)}.jpg": seen.preview for number, (seen, _) in enumerate(case.photos)}
    return zipped(files)


def read_case(agent: GeoAgent, content: bytes) -> Case:
    """Read a case from the content of its file.

    Raises:
        InputError: it is none, it is damaged, or it was made with other settings or another world.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(info.file_size for info in archive.infolist()) > _MOST_BYTES:
                raise InputError("the case is too large")
            head = _Case.model_validate_json(archive.read("case.json"))
            if head.format != FORMAT:
                raise InputError(f"the case has the format {head.format!r}; this geoagent reads {FORMAT}")
            seen = _seen(agent, archive.read("seen.jsonl"), len(head.photos))
            previews = [_preview(archive.read(f"{_key(number)}.jpg")) for number in range(len(head.photos))]
        tracks = tuple(_track(track) for track in head.tracks)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise InputError(f"the case is damaged ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error
    except InputError:
        raise
    except GeoAgentError as error:
        raise InputError(f"the case is damaged ({error})") from error
    except (zipfile.BadZipFile, zlib.error, KeyError, OSError, EOFError, RuntimeError, ValueError, TypeError) as error:
        raise InputError("the file is no case of geoagent, or it is damaged") from error
    photos = []
    for number, (photo, preview) in enumerate(zip(head.photos, previews, strict=True)):
        observed, capture = seen[_key(number)]
        observed = replace(observed, source=file_name(photo.name))
        digest = photo.digest if _DIGEST.fullmatch(photo.digest) else ""
        photos.append((Seen(observed, preview, digest, 0.0, capture), photo.note))
    return Case(tuple(photos), tracks, head.asked)


def _key(number: int) -> str:
    return f"{number:04d}"


def _seen(agent: GeoAgent, content: bytes, count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seen.jsonl"
        path.write_bytes(content)
        found = Observations(path, looking_mark(agent), agent.assets.world).read()
    if count and not found:
        raise InputError(
            "the case was made with another world, or with other settings of OCR or language models; open it with "
            "those, or send the photos again"
        )
    if set(found) != {_key(number) for number in range(count)}:
        raise InputError("the case is damaged: photos are missing")
    return found


def _preview(content: bytes) -> bytes:
    """The picture, encoded again so that nothing but its pixels comes from the file."""
    return preview_of(open_photo(content))


def _track(track: _Track) -> Track:
    import numpy as np

    columns = (
        np.array(track.utc_s),
        np.array(track.latlon, dtype=np.float64).reshape(-1, 2),
        np.array([np.nan if value is None else value for value in track.accuracy_m], dtype=np.float64),
    )
    if not len(columns[0]) == len(columns[1]) == len(columns[2]) or not np.isfinite(columns[0]).all():
        raise InputError("the case is damaged: a track has columns of different lengths")
    return Track(file_name(track.name), *columns, notes=tuple(track.notes))

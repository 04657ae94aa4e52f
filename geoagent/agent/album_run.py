"""Locating an album: look at every photo once, then weigh them together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from geoagent.agent.albums import Album, AlbumPhoto, AlbumSettings
from geoagent.agent.fingerprint import fingerprint
from geoagent.answer import AlbumReport, Answer
from geoagent.config import WEIGHING
from geoagent.errors import GeoAgentError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.observation import Observation
from geoagent.evidence.saved import Observations
from geoagent.evidence.tracks import Track
from geoagent.filenames import safe, written
from geoagent.types import Capture

Looked = Callable[[int], None]
"""Told how many photos have been looked at."""


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """The photos of an album that were looked at, and the errors of those that could not be.

    Attributes:
        order: sources of all photos, as given.
        photos: by source.
        failed: message by source.
        kept: how many were seen in a run before.
    """

    order: tuple[str, ...]
    photos: dict[str, AlbumPhoto] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    kept: int = 0


def look_at(agent: Any, paths: Sequence[Path], saved: Path | None = None, looked: Looked | None = None) -> Seen:
    """Look at the photos of an album; each is saved as soon as it was looked at.

    Args:
        agent: a `GeoAgent`.
        paths: the photos.
        saved: file of observations; photos in it that were seen under the same settings are not looked at again.
        looked: is told the progress.

    Raises:
        InputError: the file of observations is none of ours.
    """
    order = tuple(dict.fromkeys(written(path) for path in paths))
    store = None if saved is None else Observations(saved, looking_mark(agent), agent.assets.world)
    before = {} if store is None else {key: pair for key, pair in store.read().items() if key in set(order)}
    seen = Seen(order, kept=len(before))
    for key, (observation, capture) in before.items():
        seen.photos[key] = AlbumPhoto(observation, capture)
    with nullcontext(None) if store is None else store.appending(before) as append:
        for number, path in enumerate(dict(zip(map(written, paths), paths, strict=True)).values(), start=1):
            key = written(path)
            if key not in seen.photos:
                _look(agent, path, key, seen, append)
            if looked is not None:
                looked(number)
    return seen


def looking_mark(agent: Any) -> str:
    """Fingerprint of the settings that decide what is seen, leaving out those that only weigh it."""
    config, model = agent.config, agent.assets.model
    plain = type(config).make({k: v for k, v in config.model_dump(exclude_unset=True).items() if k not in WEIGHING})
    return fingerprint(plain, agent.assets.world, None if model is None else model.name)


def answers(
    agent: Any, seen: Seen, tracks: Sequence[Track] = (), settings: AlbumSettings | None = None
) -> Iterator[Answer]:
    """Weigh the photos of an album together, and answer for each in the order given."""
    album = Album(list(seen.photos.values()), agent.assets, agent.fusion, tracks, settings)
    for key in seen.order:
        if key in seen.failed:
            yield Answer.failed(key, safe(seen.failed[key]))
            continue
        yield answer_of(agent, album, key)


def answer_of(agent: Any, album: Album, key: str, *, without: Collection[str] = ()) -> Answer:
    """The answer for one photo of an album; `without` leaves constraints out, as in `GeoAgent.answer`."""
    answer: Answer = agent.answer(album.observed(key), without=without)
    report = album.report(key)
    if agent.config.capped:
        report = AlbumReport(part=report.part, why_not=report.why_not)
    return answer.model_copy(update={"album": report, "settings": f"album-{answer.settings}"})


def named_again(answer: Answer, names: Mapping[str, str]) -> Answer:
    """An answer whose photo and witnesses have the names of their files instead of those of the album."""
    told = answer.album
    if told is not None:
        rows = [w.model_copy(update={"source": names.get(w.source, w.source)}) for w in told.witnesses]
        told = told.model_copy(update={"witnesses": rows})
    return answer.model_copy(update={"source": names.get(answer.source, answer.source), "album": told})


def _look(agent: Any, path: Path, key: str, seen: Seen, append: Callable[[Observation, Capture], None] | None) -> None:
    """Look at one photo; whatever goes wrong with it is its error."""
    try:
        capture = capture_of(path)
        observation = replace(agent.observe(path), source=key)
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except GeoAgentError as error:
        seen.failed[key] = str(error)
        return
    except BaseException as error:  # a bug in our code or in a library; see `batch`
        seen.failed[key] = " ".join(f"unexpected {type(error).__name__}: {error}".split())
        return
    seen.photos[key] = AlbumPhoto(observation, capture)
    if append is not None:
        append(observation, capture)

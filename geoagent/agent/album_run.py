"""Locating an album: look at every photo once, then weigh them together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from geoagent.agent.albums import Album, AlbumPhoto, AlbumSettings
from geoagent.agent.batch import attempt
from geoagent.agent.fingerprint import fingerprint
from geoagent.agent.many import Ahead
from geoagent.answer import AlbumReport, Answer
from geoagent.config import WEIGHING
from geoagent.errors import GeoAgentError
from geoagent.evidence.capture import capture_of
from geoagent.evidence.observation import Observation
from geoagent.evidence.saved import Append, Observations
from geoagent.evidence.tracks import Track
from geoagent.evidence.video import FRAME, Frame, capture_of_video, frames, is_video, later
from geoagent.filenames import safe, written
from geoagent.types import Capture

Looked = Callable[[int], None]
"""Told how many photos have been looked at."""
Look = Callable[[], tuple[Capture, Observation]]


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """The photos of an album that were looked at, and the errors of those that could not be.

    Attributes:
        order: sources of all photos and frames, as given.
        photos: by source.
        failed: message by source.
        kept: how many were seen in a run before.
    """

    order: list[str]
    photos: dict[str, AlbumPhoto] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    kept: int = 0


def look_at(
    agent: Any,
    paths: Sequence[Path],
    saved: Path | None = None,
    looked: Looked | None = None,
    ahead: Ahead | None = None,
) -> Seen:
    """Look at the photos of an album; each is saved as soon as it was looked at.

    Args:
        agent: a `GeoAgent`.
        paths: the photos.
        saved: file of observations; photos in it that were seen under the same settings are not looked at again.
        looked: is told the progress.
        ahead: looks at the photos; the frames of videos are looked at here.

    Raises:
        InputError: the file of observations is none of ours.
    """
    wanted = dict(zip(map(written, paths), paths, strict=True))
    store = None if saved is None else Observations(saved, looking_mark(agent), agent.assets.world)
    before = {} if store is None else {key: pair for key, pair in store.read().items() if _file(key) in wanted}
    seen = Seen([], kept=len(before))
    for key, (observation, capture) in before.items():
        seen.photos[key] = AlbumPhoto(observation, capture)
    if ahead is not None:
        ahead.begin([path for key, path in wanted.items() if not is_video(path) and key not in seen.photos])
    observe = agent.observe if ahead is None else ahead.observe
    with nullcontext(None) if store is None else store.appending(before) as append:
        for number, (key, path) in enumerate(wanted.items(), start=1):
            if is_video(path):
                _look_at_video(agent, path, key, seen, append)
            else:
                seen.order.append(key)
                if key not in seen.photos:
                    _look(key, seen, append, partial(_photo, observe, path))
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
    return in_album(agent, agent.answer(album.observed(key), without=without), album.report(key))


def in_album(agent: Any, answer: Answer, report: AlbumReport) -> Answer:
    """An answer with what its album tells of the photo, as far as the agent's cap allows."""
    if agent.config.capped:
        report = AlbumReport(part=report.part, why_not=report.why_not)
    return answer.model_copy(update={"album": report, "settings": f"album-{answer.settings}"})


def named_again(answer: Answer, names: Mapping[str, str]) -> Answer:
    """An answer whose photo and witnesses have the names of their files instead of those of the album."""
    told = None if answer.album is None else report_named_again(answer.album, names)
    return answer.model_copy(update={"source": names.get(answer.source, answer.source), "album": told})


def report_named_again(report: AlbumReport, names: Mapping[str, str]) -> AlbumReport:
    """The same of a report alone."""
    rows = [w.model_copy(update={"source": names.get(w.source, w.source)}) for w in report.witnesses]
    return report.model_copy(update={"witnesses": rows})


def _file(key: str) -> str:
    """The file that a photo or the frame of a video is from."""
    file, mark, seconds = key.rpartition(FRAME)
    return file if mark and seconds.replace(".", "", 1).isdigit() else key


def _look_at_video(agent: Any, path: Path, key: str, seen: Seen, append: Append | None) -> None:
    """Look at the frames of a video at which its picture changes; each is a photo of the album."""
    try:
        capture, found = capture_of_video(path), frames(path)
    except GeoAgentError as error:
        seen.order.append(key)
        seen.failed[key] = str(error)
        return
    for frame in found:
        name = f"{key}{FRAME}{frame.seconds:.1f}"
        seen.order.append(name)
        if name not in seen.photos:
            _look(name, seen, append, partial(_frame, agent, capture, frame))


def _photo(observe: Callable[[Path], Observation], path: Path) -> tuple[Capture, Observation]:
    return capture_of(path), observe(path)


def _frame(agent: Any, capture: Capture, frame: Frame) -> tuple[Capture, Observation]:
    return later(capture, frame.seconds), agent.observe(frame.photo)


def _look(key: str, seen: Seen, append: Append | None, look: Look) -> None:
    """Look at one photo or frame; whatever goes wrong with it is its error."""
    found = attempt(look)
    if isinstance(found, GeoAgentError):
        seen.failed[key] = str(found)
        return
    capture, observation = found
    observation = replace(observation, source=key)
    seen.photos[key] = AlbumPhoto(observation, capture)
    if append is not None:
        append(observation, capture)

"""Answers in bulk: what `geoagent locate` answers, a row a photo."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from geoagent.agent.batch import Job, answered, attempt
from geoagent.agent.many import observe_many
from geoagent.agent.workers import Serve
from geoagent.answer import Answer
from geoagent.config import Config
from geoagent.errors import GeoAgentError, InputError
from geoagent.evidence.observation import Observation
from geoagent.evidence.saved import observation_data
from geoagent.filenames import safe
from geoagent.interfaces.bulk.files import filesystem
from geoagent.interfaces.bulk.manifest import Entry
from geoagent.interfaces.bulk.opening import SEEN, Opener
from geoagent.interfaces.bulk.plan import Kind, Plan, Row
from geoagent.interfaces.outputs import row_of
from geoagent.optional import needs
from geoagent.types import Photo

_TEXT = ("id", "source", "status", "error", "place", "admin1", "country", "precision")
_NUMBERS = ("lat", "lon", "radius_50_km", "radius_90_km", "confidence")


def working(config: Config, keep_seen: bool) -> Serve:
    """What a worker does: from entries to rows with their answers as `geoagent locate --out` writes them."""
    from geoagent.agent.core import GeoAgent

    agent, opened = GeoAgent.load(config), Opener()

    def given(entry: Entry) -> Observation | Photo:
        before = opened.seen(entry)
        return opened(entry) if before is None else agent.observe_again(before)

    def weighed(observed: Observation | GeoAgentError) -> Answer:
        if isinstance(observed, GeoAgentError):
            raise observed
        return agent.answer(observed)

    def rows(entries: Sequence[Entry]) -> list[Row]:
        found = [attempt(given, entry) for entry in entries]
        looked = iter(observe_many(agent, [photo for photo in found if isinstance(photo, Photo)]))
        made = []
        for entry, seen in zip(entries, found, strict=True):
            seen = next(looked) if isinstance(seen, Photo) else seen
            made.append(_row(entry, *answered(Job(_source(entry), partial(weighed, seen)))))
            if keep_seen:
                kept = None if isinstance(seen, GeoAgentError) else observation_data(seen)
                made[-1][SEEN] = None if kept is None else json.dumps(kept, ensure_ascii=False)
        return made

    return rows


def failed(entry: Entry, why: str) -> Row:
    """The row of a photo whose worker died."""
    answer = Answer.failed(_source(entry), safe(why))
    return _row(entry, answer, answer.to_json())


_COLUMNS = {name: "string" for name in _TEXT} | {name: "double" for name in _NUMBERS} | {"answer": "large_string"}
ANSWERS = Kind("geoagent.answers/1", working, failed, _COLUMNS)
SEEN_ANSWERS = replace(ANSWERS, columns=_COLUMNS | {SEEN: "large_string"})


def answers_plan(config: Config, out: str, *, keep_seen: bool = False, batch: int = 1) -> Plan:
    """The plan of a run that answers photos under a configuration.

    Args:
        config: of the agents.
        out: folder of the output.
        keep_seen: keep what was seen in each photo, so that it can be answered again without it.
        batch: photos that an encoder gets at once.
    """
    from geoagent.agent.core import GeoAgent

    mark = GeoAgent.load(config, looks=False).mark
    kind, mark = (SEEN_ANSWERS, f"{mark}+{SEEN}") if keep_seen else (ANSWERS, mark)
    return Plan(kind, (config, keep_seen), mark, out, batch)


def answer_lines(url: str) -> Iterator[str]:
    """Answers in a folder that `geoagent bulk` wrote, in the order of its manifest, each as a line of JSON.

    Raises:
        InputError: there are none.
    """
    with needs("bulk", "pyarrow"):
        import pyarrow.parquet as parquet
    files, folder = filesystem(url)
    parts = sorted(files.glob(f"{folder}/part-*.parquet"))
    if not parts:
        raise InputError(f"{url}: no answers of geoagent bulk (part-000000.parquet, …) in this folder")
    for path in parts:
        file: Any = parquet.ParquetFile(path, filesystem=files)
        if "answer" not in file.schema_arrow.names:
            raise InputError(f"{path} has no column of answers")
        for batch in file.iter_batches(batch_size=256, columns=["answer"]):
            yield from batch.column(0).to_pylist()


def _source(entry: Entry) -> str:
    return safe(entry.path if entry.row < 0 and entry.start < 0 else entry.id)


def _row(entry: Entry, answer: Answer, line: str) -> Row:
    flat = row_of(answer)
    row = {name: getattr(flat, name) for name in (*_TEXT, *_NUMBERS) if name not in ("id", "error")}
    return {**row, "id": entry.id, "error": answer.error, "answer": line}

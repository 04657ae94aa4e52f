"""Observations on disk: what was seen in photos, so that weighing them again needs no look at them.

A JSON Lines file: a first line with format, version and the settings behind them, then one line a photo. It is only
ever appended to, and a last line that was cut off is dropped.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from geoagent.errors import InputError
from geoagent.evidence.observation import Observation
from geoagent.types import Capture, VisionEvidence
from geoagent.worlds.world import World

FORMAT = "geoagent.observations/1"
Append = Callable[[Observation, Capture], None]


class Observations:
    """The file of what was observed in the photos of a folder.

    Args:
        path: the file; made with the first observation.
        settings: fingerprint of the settings that decide what is seen.
        world: whose cells the evidence is over; pictures are judged again by its head from their embeddings.
    """

    def __init__(self, path: Path, settings: str, world: World) -> None:
        self.path, self._settings, self._world = path, settings, world

    def read(self) -> dict[str, tuple[Observation, Capture]]:
        """What was observed so far, by source; {} where there is no file yet, or one of other settings.

        Raises:
            InputError: the file is none of ours, or a line that is not the last is damaged.
        """
        if not self.path.exists():
            return {}
        try:
            rows = self.path.read_text("utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} cannot be read: {error}") from error
        head = _json(rows[0])
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise InputError(f"{self.path}: no observations of geoagent ({FORMAT})")
        if head.get("settings") != self._settings:
            return {}
        found = {}
        last = len(rows) - 1
        for number, row in enumerate(rows[1:], start=2):
            if not row:
                continue
            try:
                data = json.loads(row)
                seen = self._observation(data["observation"])
                found[seen.source] = seen, _value(Capture, data["capture"])
            except (ValueError, KeyError, TypeError) as error:
                if number - 1 == last:
                    break  # cut off by an interruption; that photo is looked at again
                raise InputError(f"{self.path}, line {number}: damaged ({error})") from error
        return found

    @contextmanager
    def appending(self, keep: Mapping[str, tuple[Observation, Capture]]) -> Iterator[Append]:
        """Open the file; the function given appends one observation at once.

        Args:
            keep: what `read` gave; the file is written anew with these alone.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.path.with_name(self.path.name + ".tmp")
        with temporary.open("w", encoding="utf-8") as file:
            file.write(json.dumps({"format": FORMAT, "settings": self._settings}) + "\n")
            file.writelines(self._line(*pair) for pair in keep.values())
        temporary.replace(self.path)
        with self.path.open("a", encoding="utf-8") as file:

            def append(observation: Observation, capture: Capture) -> None:
                file.write(self._line(observation, capture))
                file.flush()

            yield append

    def _line(self, observation: Observation, capture: Capture) -> str:
        pair = {"observation": observation_data(observation), "capture": _data(capture)}
        return json.dumps(pair, ensure_ascii=False) + "\n"

    def _observation(self, data: Any) -> Observation:
        seen = observation_of(data)
        vision, world = seen.vision, self._world
        judged = world.log_prior
        if vision.embedding is not None and world.head is not None:
            judged = world.head(vision.embedding)
        return dataclasses.replace(seen, vision=dataclasses.replace(vision, log_probs=judged))


def observation_data(observation: Observation) -> Any:
    """Return an observation as JSON values, without the probabilities of geocells, which follow from its embedding."""
    return _data(dataclasses.replace(observation, vision=_without_probabilities(observation.vision)))


def observation_of(data: Any) -> Observation:
    """Return the observation that `observation_data` gave; its `vision.log_probs` are empty.

    Raises:
        ValueError, KeyError, TypeError: the data are none of ours.
    """
    found: Observation = _value(Observation, data)
    return found


def _without_probabilities(vision: VisionEvidence) -> VisionEvidence:
    """The evidence without its probabilities of thousands of cells, which follow from the embedding."""
    return dataclasses.replace(vision, log_probs=np.zeros(0))


def _json(row: str) -> Any:
    try:
        return json.loads(row)
    except ValueError:
        return None


def _data(value: Any) -> Any:
    """A value of ours as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: _data(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if field.init and not _is_default(value, field)
        }
    if isinstance(value, np.ndarray):
        return {"shape": value.shape, "type": str(value.dtype), "data": base64.b64encode(value.tobytes()).decode()}
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _data(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_data(each) for each in value]
    if isinstance(value, np.generic):
        return value.item()
    return value


def _is_default(value: Any, field: dataclasses.Field[Any]) -> bool:
    held = getattr(value, field.name)
    if field.default is not dataclasses.MISSING:
        return type(held) is type(field.default) and not isinstance(held, np.ndarray) and held == field.default
    return False


def _value(kind: Any, data: Any) -> Any:
    """A value of a type of ours from JSON.

    Raises:
        ValueError, KeyError, TypeError: it is none.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None:
            return None
        return _value(next(each for each in arguments if each is not type(None)), data)
    if origin is np.ndarray or (isinstance(data, dict) and set(data) == {"shape", "type", "data"}):
        return np.frombuffer(base64.b64decode(data["data"]), np.dtype(data["type"])).reshape(data["shape"])
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _value(hints[name], each) for name, each in data.items()})
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_value(arguments[0], each) for each in data)
        return tuple(_value(each, part) for each, part in zip(arguments, data, strict=True))
    if origin is list:
        return [_value(arguments[0], each) for each in data]
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {key: _value(arguments[1], each) for key, each in data.items()}
    if kind is datetime:
        return datetime.fromisoformat(data)
    return data

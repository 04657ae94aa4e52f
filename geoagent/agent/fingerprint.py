"""Fingerprint of the settings that an answer was made under."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from geoagent.config import Config
from geoagent.worlds.world import World

_COSTS = frozenset({"max_calls", "max_tokens", "cache", "usd_per_million", "dry_run"})
_TELLING = ("hint", "within", "exclude")


def fingerprint(config: Config, world: World, model: str | None = None) -> str:
    """Sixteen hexadecimal digits that differ where a setting does that may change an answer.

    Where the world lies, what a language model may cost and whether the network may be used change none. Of a capped
    answer the mark holds only whether the user said something about the place, since what was said could be guessed
    from a mark of its words.

    Args:
        config: the settings; one that is left out and one that is stated as its default are the same.
        world: its cells and fitted numbers count.
        model: name of the language model, which may also come from the environment.
    """
    told: dict[str, Any] = config.model_dump(mode="json", exclude_defaults=True, exclude={"world", "offline"})
    use = told.pop("llm_use", {})
    if config.llm is not None:
        told["llm_use"] = {name: value for name, value in use.items() if name not in _COSTS}
    if config.max_precision != "auto":
        told.pop("confidence", None)
    for name in _TELLING:
        if name in told and config.capped:
            told[name] = True
        elif name in told and name != "hint":
            told[name] = sorted(told[name])
    text = json.dumps([told, world.summary(), dict(world.calibration), model], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

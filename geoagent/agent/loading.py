"""The parts of an agent that its configuration asks for, and the clock that times them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from geoagent import plugs
from geoagent.config import Config, Plug
from geoagent.errors import ConfigError, GeoAgentError
from geoagent.evidence.llm import Metered
from geoagent.protocols import Assets, Encoder, LanguageModel
from geoagent.resources import cache_dir


class Clock:
    """Adds up how long each part of one answer took."""

    def __init__(self, seconds: Mapping[str, float] | None = None) -> None:
        self.seconds: dict[str, float] = dict(seconds or {})

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Time one part."""
        begin = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = round(time.perf_counter() - begin, 4)


def model_of(config: Config, assets: Assets) -> LanguageModel:
    """The language model that the user configured, with its caps and its cache."""
    assert config.llm is not None
    use = config.llm_use
    return Metered(
        plugs.build("llm", config.llm.name, assets, **config.llm.options),
        max_calls=use.max_calls,
        max_tokens=use.max_tokens,
        cache=cache_dir() / "llm" if use.cache else None,
        offline=config.offline,
        dry=use.dry_run,
    )


def sources_of(config: Config) -> tuple[Plug, ...]:
    """The constraint sources; a language model that is configured is one, unless they name it already."""
    known = {plug.name for plug in config.constraints}
    return config.constraints if config.llm is None or "llm" in known else (*config.constraints, Plug(name="llm"))


def encoder_of(config: Config, assets: Assets) -> tuple[Encoder | None, tuple[str, ...]]:
    """The encoder that the user or the world asks for; what the world's encoder lacks is said, not raised."""
    world = assets.world
    if config.encoder is not None:
        encoder: Encoder = plugs.build("encoders", config.encoder.name, assets, **config.encoder.options)
        if world.head is None:
            return None, (f"the world {world.name!r} has no head for an encoder: the picture itself was not judged",)
        if encoder.dim != world.head.dim:
            raise ConfigError(
                f"encoder {encoder.name} gives {encoder.dim} numbers, the head of {world.name!r} wants {world.head.dim}"
            )
        return encoder, ()
    if world.encoder is None or world.head is None:
        return None, ()
    plug = Plug.model_validate(dict(world.encoder))
    try:
        return plugs.build("encoders", plug.name, assets, **plug.options), ()
    except GeoAgentError as error:
        return None, (f"the picture itself was not judged: the encoder {plug.name} cannot be had: {error}",)

"""Loading: the parts of an agent that its configuration asks for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from geoagent import plugs
from geoagent.config import Config, Plug
from geoagent.errors import ConfigError, GeoAgentError, WorldError
from geoagent.evidence.constraints import _picture
from geoagent.evidence.llm import Metered
from geoagent.places.gazetteer import Gazetteer
from geoagent.places.gazetteer.facts import Facts
from geoagent.protocols import Assets, Encoder, LanguageModel
from geoagent.resources import cache_dir
from geoagent.worlds.home import AUTO, find
from geoagent.worlds.world import World


def parts_of(config: Config, *, looks: bool = True) -> dict[str, Any]:
    """Build every part of an agent that a configuration asks for.

    Args:
        config: the configuration.
        looks: False for no encoder and no OCR engine.

    Returns:
        The arguments of `GeoAgent`, by name.

    Raises:
        WorldError: the world cannot be read.
        UnknownPlug: a part does not exist.
        MissingDependency: a part that was asked for needs a package that is not installed.
    """
    world = world_of(config)
    assets = Assets(world, Gazetteer.load(), Facts.load())
    if config.llm is not None:
        assets = replace(assets, model=model_of(config, assets))
    encoder, lost = encoder_of(config, assets) if looks else (None, ())
    engine = config.ocr if looks else Plug(name="nothing")
    searchable = world.gallery is not None and world.head is not None
    return {
        "assets": assets,
        "ocr": plugs.build("ocr", engine.name, assets, **engine.options),
        "sources": tuple(plugs.build("constraints", p.name, assets, **p.options) for p in sources_of(config)),
        "finders": tuple(plugs.attribute(module, "find") for module in config.cues),
        "refiner": plugs.build("refiners", config.refiner.name, assets, **config.refiner.options),
        "encoder": encoder,
        "search": plugs.build("search", config.search.name, assets, **config.search.options) if searchable else None,
        "config": config,
        "lost": lost,
        "viewer": _picture.build(assets) if config.llm_use.sees_picture else None,
    }


def world_of(config: Config) -> World:
    """Load the configured world.

    Raises:
        WorldError: it cannot be read; for the default world the message says how to go back.
    """
    folder = find(config.world)
    try:
        return World.load(folder)
    except WorldError as error:
        if folder is None or str(config.world) != AUTO:
            raise
        raise WorldError(
            f"the default world is damaged: {error}; go back with --world starter, or get it again"
        ) from error


def model_of(config: Config, assets: Assets) -> LanguageModel:
    """Build the configured language model with its caps and its cache."""
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
    """The constraint sources, with the configured language model added unless it is among them."""
    known = {plug.name for plug in config.constraints}
    return config.constraints if config.llm is None or "llm" in known else (*config.constraints, Plug(name="llm"))


def encoder_of(config: Config, assets: Assets) -> tuple[Encoder | None, tuple[str, ...]]:
    """Build the encoder of the user or of the world; for the world's, what is missing is a message and no error."""
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
    files = {name: str(path) for name, path in world.encoder_files.items()}
    options = {key: files.get(v, v) if isinstance(v, str) else v for key, v in world.encoder.items()}
    plug = Plug.model_validate(options)
    try:
        return plugs.build("encoders", plug.name, assets, **plug.options), ()
    except GeoAgentError as error:
        return None, (f"the picture itself was not judged: the encoder {plug.name} cannot be had: {error}",)

"""Plugs by name: the folder is the registry.

A plug of slot `ocr` named `rapidocr` is the module `geoagent/evidence/ocr/rapidocr.py` with a function
`build(assets, **options)`; a package in such a folder is no plug. Code outside geoagent is named by its dotted module
path. Modules are imported on first use.
"""

from __future__ import annotations

import inspect
import pkgutil
from importlib import import_module
from typing import Any

from geoagent.errors import ConfigError, UnknownPlug

_FOLDERS = {
    "encoders": "geoagent.evidence.encoders",
    "ocr": "geoagent.evidence.ocr",
    "llm": "geoagent.evidence.llm",
    "constraints": "geoagent.evidence.constraints",
    "search": "geoagent.worlds.search",
    "refiners": "geoagent.belief.refiners",
}
SLOTS = tuple(_FOLDERS)


def names(slot: str) -> tuple[str, ...]:
    """Return the names of the built-in plugs in `slot`, sorted.

    Raises:
        UnknownPlug: there is no such slot.
    """
    if slot not in SLOTS:
        raise UnknownPlug(f"no slot named {slot!r}; choose from {', '.join(SLOTS)}")
    folder = import_module(_FOLDERS[slot])
    found = pkgutil.iter_modules(folder.__path__)
    return tuple(sorted(m.name for m in found if not m.ispkg and not m.name.startswith("_")))


def attribute(module: str, name: str) -> Any:
    """Return what a module, also one outside the package, calls `name`.

    Args:
        module: dotted path of the module.
        name: of a function in it.

    Raises:
        UnknownPlug: there is no such module, or it has nothing of that name.
    """
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(error.name + ".")):
            raise UnknownPlug(f"no module {module!r}; check its name and the Python path") from error
        raise
    if not hasattr(found, name):
        raise UnknownPlug(f"the module {module} has no {name!r}")
    return getattr(found, name)


def build(slot: str, name: str, assets: Any, **options: Any) -> Any:
    """Build the plug `name` of `slot`.

    Args:
        slot: one of `SLOTS`.
        name: file name of a built-in plug, or a dotted module path to any other.
        assets: resources passed to every plug of the slot (see `protocols.Assets`).
        options: the plug's own options, as in the configuration.

    Raises:
        UnknownPlug: no such slot or plug.
        ConfigError: the plug has no such option.
        MissingDependency: the plug's packages are not installed.
    """
    found = factory(slot, name)
    try:
        inspect.signature(found).bind(assets, **options)
    except TypeError as error:
        raise ConfigError(f"{slot} plug {name!r}: {error}") from error
    return found(assets, **options)


def factory(slot: str, name: str) -> Any:
    """Return the function `build` of the plug `name` of `slot`.

    Raises:
        UnknownPlug: no such slot or plug.
        MissingDependency: the plug's packages are not installed.
    """
    known = names(slot)
    if "." not in name and name not in known:
        raise UnknownPlug(
            f"no {slot} plug named {name!r}; choose from {', '.join(known)}, or give a dotted module path"
        )
    return attribute(name if "." in name else f"{_FOLDERS[slot]}.{name}", "build")

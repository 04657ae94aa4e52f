"""geoagent: where was this photo taken?

`GeoAgent.load().locate("photo.jpg")` returns a place, its uncertainty and every cue that supports it. Public names are
imported on first use, so `import geoagent` stays cheap.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geoagent.agent.core import GeoAgent
    from geoagent.answer import Answer
    from geoagent.config import Config
    from geoagent.errors import GeoAgentError
    from geoagent.interfaces.outputs.frame import answers_to_frame
    from geoagent.places.gazetteer import Gazetteer
    from geoagent.places.geo import LatLon
    from geoagent.types import Photo
    from geoagent.worlds.world import World

__version__ = "0.1.0"

# Packages that send usage data to their makers unless these are set before they are imported; ONNX Runtime's wheels of
# 2026 keep a device id as well. geoagent contacts no other host unless its user asks for that.
for _switch, _off in (
    ("ORT_DISABLE_TELEMETRY", "1"),
    ("RAY_USAGE_STATS_ENABLED", "0"),
    ("HF_HUB_DISABLE_TELEMETRY", "1"),
):
    os.environ.setdefault(_switch, _off)

_HOME = {
    "Answer": "geoagent.answer",
    "Config": "geoagent.config",
    "Gazetteer": "geoagent.places.gazetteer",
    "GeoAgent": "geoagent.agent.core",
    "GeoAgentError": "geoagent.errors",
    "LatLon": "geoagent.places.geo",
    "Photo": "geoagent.types",
    "World": "geoagent.worlds.world",
    "answers_to_frame": "geoagent.interfaces.outputs.frame",
}

__all__ = [
    "Answer",
    "Config",
    "Gazetteer",
    "GeoAgent",
    "GeoAgentError",
    "LatLon",
    "Photo",
    "World",
    "__version__",
    "answers_to_frame",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'geoagent' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Map data of the page: borders and geocells, built once and sent once."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass

from geoagent.agent.core import GeoAgent
from geoagent.interfaces.render.atlas import atlas


@dataclass(frozen=True, slots=True)
class Atlas:
    """What `render.atlas` gives, as gzipped JSON.

    Attributes:
        content: the JSON.
        tag: changes when the content does.
    """

    content: bytes
    tag: str

    @classmethod
    def of(cls, agent: GeoAgent) -> Atlas:
        """Make it for an agent's world."""
        data = atlas(agent.assets.world.cells, agent.assets.gazetteer.outlines())
        content = gzip.compress(json.dumps(data, separators=(",", ":")).encode(), 6, mtime=0)
        return cls(content, f'"{hashlib.sha256(content).hexdigest()[:24]}"')

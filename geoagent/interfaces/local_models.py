"""Language models on this machine: what Ollama and LM Studio have loaded or installed, and what it could be used for.

Only this machine is asked, at the ports that the two use unless told otherwise, with GET requests that carry nothing.
"""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from geoagent.interfaces.render import shown
from geoagent.optional import DISTRIBUTION

SERVERS = {"Ollama": "http://127.0.0.1:11434", "LM Studio": "http://127.0.0.1:1234"}
"""Addresses that the servers listen on by default."""
TO_GET = {"Ollama": "ollama pull qwen2.5vl:3b", "LM Studio": "lms get qwen2.5-vl-3b-instruct"}
"""How to get a model that sees pictures."""
_PATHS = {"Ollama": "/api/tags", "LM Studio": "/v1/models"}
_MOST_BYTES, _MOST_NAMED = 1_000_000, 12
_SEES = re.compile(
    r"""(?<![a-z])(?:
        (?:qwen|intern|cog|smol|kimi-?|deepseek-?|lfm|ernie|ovis)?[\d.]*-?vlm?(?![a-z])
        | (?:bak)?llava | moondream | pixtral | molmo | idefics | paligemma | fuyu | florence
        | minicpm-?[ov](?![a-z]) | glm-?4(?:\.\d)?v(?![a-z]) | phi-?\d(?:\.\d)?-(?:vision|multimodal)
        | gemma-?3(?![n\d])(?!.*(?:\b1b|270m)) | llama-?4(?!\d) | mistral-small-?3\.[12]
        | (?:[a-z0-9.]+-)?vision(?![a-z])
    )""",
    re.VERBOSE,
)
_FAMILIES = frozenset({"clip", "mllama", "qwen2vl", "qwen25vl", "qwen3vl", "llama4", "mistral3"})
"""Families in Ollama's list whose models have an image encoder."""


@dataclass(frozen=True, slots=True)
class LocalServer:
    """A server that answered.

    Attributes:
        name: "Ollama" or "LM Studio".
        url: its address, without a path.
        version: as it states it; "" where it does not.
        models: names of its models, as it lists them.
        seeing: those that can see pictures, by their names and families.
    """

    name: str
    url: str
    version: str
    models: tuple[str, ...]
    seeing: tuple[str, ...]

    def command(self, client: bool = True) -> str:
        """Return the command that uses it for a photo, "" without a model.

        Args:
            client: whether the client for such servers is installed; else the command begins with installing it.
        """
        usable = [m for m in (*self.seeing, *self.models) if "," not in m]
        if not usable:
            return ""
        llm = shlex.quote(f"openai_compatible,model={usable[0]},base_url={self.url}/v1")
        eyes = " --llm-sees-picture" if usable[0] in self.seeing else ""
        install = "" if client else f"pip install '{DISTRIBUTION}[llm]' && "
        return shown(f"{install}geoagent locate photo.jpg --llm {llm}{eyes}")

    def says(self) -> str:
        """Return in a line what it is and has."""
        head = f"{self.version or 'found'} at {self.url}".strip()
        if not self.models:
            return shown(f"{head}, without a model; one that sees pictures: {TO_GET[self.name]}")
        named = [f"{m} (sees pictures)" if m in self.seeing else m for m in self.models]
        more = len(named) - _MOST_NAMED
        text = f"{head}, models: {', '.join(named[:_MOST_NAMED])}{f' and {more} more' if more > 0 else ''}"
        return shown(text if self.seeing else f"{text}; none sees pictures, one that does: {TO_GET[self.name]}")


def sees_pictures(name: str, families: tuple[str, ...] = ()) -> bool:
    """Whether a model can see pictures, judged by its name and its families."""
    low = name.casefold()
    return "embed" not in low and (bool(_SEES.search(low)) or not _FAMILIES.isdisjoint(f.casefold() for f in families))


def local_servers(timeout_s: float = 2.0, servers: Mapping[str, str] | None = None) -> tuple[LocalServer, ...]:
    """Look for the servers on this machine, all at the same time.

    Args:
        timeout_s: how long to wait for each reply.
        servers: addresses by name, `SERVERS` unless given.
    """
    asked = SERVERS if servers is None else servers
    with ThreadPoolExecutor(2 * len(asked) or 1) as pool:
        lists = {name: pool.submit(_get, url + _PATHS[name], timeout_s) for name, url in asked.items()}
        versions = {
            name: pool.submit(_get, f"{url}/api/version", timeout_s) for name, url in asked.items() if name == "Ollama"
        }
        found = []
        for name, url in asked.items():
            listed = lists[name].result()
            rows = None if listed is None else listed.get("models" if name == "Ollama" else "data")
            if not isinstance(rows, list):
                continue  # something else listens there
            known = (versions[name].result() or {}).get("version") if name in versions else None
            found.append(_server(name, url, str(known or ""), rows))
    return tuple(found)


def _server(name: str, url: str, version: str, rows: list[Any]) -> LocalServer:
    models: dict[str, bool] = {}
    for row in rows:
        model = row.get("name" if name == "Ollama" else "id") if isinstance(row, dict) else None
        if not isinstance(model, str) or not model or "embed" in model.casefold():
            continue
        details = row.get("details")
        families = details.get("families") if isinstance(details, dict) else None
        kinds = tuple(f for f in families if isinstance(f, str)) if isinstance(families, list) else ()
        models[model] = sees_pictures(model, kinds)
    return LocalServer(name, url, version, tuple(models), tuple(model for model, sees in models.items() if sees))


def _get(url: str, timeout_s: float) -> dict[str, Any] | None:
    """The JSON object at an address; None where there is none, whatever the reason."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.request("GET", parts.path)
        reply = connection.getresponse()
        body = reply.read(_MOST_BYTES + 1)
        found = json.loads(body) if reply.status == 200 and len(body) <= _MOST_BYTES else None
    except (OSError, http.client.HTTPException, ValueError, RecursionError):
        return None
    finally:
        connection.close()
    return found if isinstance(found, dict) else None

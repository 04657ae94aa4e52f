"""A scripted model with predefined replies: for tests, benchmarks and experiments without a server."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geoagent.errors import ConfigError, InputError
from geoagent.evidence.llm._parse import read_reply
from geoagent.evidence.llm_messages import Ask, Reply, Usage
from geoagent.tables import json_lines

if TYPE_CHECKING:
    from geoagent.protocols import Assets

Script = Callable[[Ask], Reply | dict[str, Any] | str]


class Scripted:
    """Replies from a function, or from a list of replies in order; the last one is repeated.

    A dict is the JSON of a reply, a string is text that contains the JSON, and a `Reply` is returned unchanged.
    """

    def __init__(self, script: Script | Iterable[Reply | dict[str, Any] | str], name: str = "scripted") -> None:
        self.name = name
        self.asked: list[Ask] = []
        if callable(script):
            self._script: Script = script
        else:
            rows = list(script)
            if not rows:
                raise ConfigError("a scripted model needs at least one reply")
            self._script = lambda ask: rows[min(len(self.asked), len(rows)) - 1]

    def __call__(self, ask: Ask) -> Reply:
        """Return the next scripted reply, validated against the schema like a server's reply."""
        self.asked.append(ask)
        said = self._script(ask)
        if isinstance(said, Reply):
            return said
        text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
        usage = Usage(sum(len(m.text) for m in ask.messages) // 4, len(text) // 4, True)
        if ask.schema is None:
            return Reply("ok", text=text, usage=usage, requests=1)
        value, wrong = read_reply(text, ask.schema)
        if value is None:
            return Reply("malformed", text=text, usage=usage, why=wrong, requests=1)
        return Reply("ok", value=value, text=text, usage=usage, requests=1)

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return the messages only."""
        return {"model": self.name, "messages": [{"role": m.role, "content": m.text} for m in ask.messages]}


def build(assets: Assets, replies: str | list[Any], name: str = "scripted") -> Scripted:
    """Build the model.

    Args:
        assets: not used.
        replies: JSON replies, or the path of a JSON Lines file with one reply per line.
        name: name of the model in answers.

    Raises:
        ConfigError: the file cannot be read, or contains no reply.
    """
    if not isinstance(replies, str):
        return Scripted(replies, name)
    try:
        return Scripted([value for _, value in json_lines(Path(replies))], name)
    except InputError as error:
        raise ConfigError(f"llm: cannot read the replies: {error}") from error

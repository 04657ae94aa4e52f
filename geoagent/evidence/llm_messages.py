"""Immutable types for requests to a language model and its replies.

A reply is never an exception: a refusal, a truncation or an unreachable server is an outcome like any other, since the
rest of the answer does not depend on the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Role = Literal["system", "user", "assistant", "tool"]
Mode = Literal["json_schema", "json_object", "prompt"]
"""How the server is asked for JSON, strictest first; "prompt" only asks for it in the prompt text."""
MODES: tuple[Mode, ...] = ("json_schema", "json_object", "prompt")

Outcome = Literal["ok", "refused", "truncated", "malformed", "unavailable", "limit", "offline", "dry", "none"]
"""How a call ended.

"malformed": no valid JSON after one repair attempt; "unavailable": timeout or server error; "limit": the run's cap on
calls or tokens is reached; "offline" and "dry": nothing was sent; "none": no model is configured.
"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool call requested by the model.

    Attributes:
        id: call id assigned by the server.
        name: name of the tool.
        arguments: JSON text, not validated yet.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: role of the sender.
        text: content of the message.
        image: an attached JPEG, or None.
        calls: tool calls of an assistant message.
        call_id: the tool call that a tool message answers.
    """

    role: Role
    text: str
    image: bytes | None = None
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request to the model.

    Attributes:
        prompt: name and version of the prompt, such as "constraints.v1".
        messages: the conversation so far.
        schema: schema of the reply; None if the model may call tools instead.
        tools: pydantic models whose names and docstrings describe the available tools; () for none.
        max_tokens: maximum number of tokens in the reply.
    """

    prompt: str
    messages: tuple[Message, ...]
    schema: type[BaseModel] | None = None
    tools: tuple[type[BaseModel], ...] = ()
    max_tokens: int = 900


@dataclass(frozen=True, slots=True)
class Usage:
    """Token usage of a call.

    Attributes:
        input_tokens: tokens sent, repairs included.
        output_tokens: tokens received.
        estimated: whether the server reported no usage, so that the counts are estimated as characters / 4.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    estimated: bool = False

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.estimated or other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """The model's reply to one request.

    Attributes:
        outcome: see `Outcome`.
        value: an instance of the requested schema if the outcome is "ok"; None if tools were called.
        text: raw text of the reply.
        calls: tool calls requested by the model.
        usage: token usage.
        mode: how the server was asked for JSON.
        repaired: whether the validation error was sent back once for repair.
        cached: whether the reply came from the disk cache and nothing was sent.
        why: what went wrong; "" if nothing did.
        requests: number of HTTP requests, including repairs and excluding the SDK's own retries.
    """

    outcome: Outcome
    value: Any = None
    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    mode: Mode = "json_schema"
    repaired: bool = False
    cached: bool = False
    why: str = ""
    requests: int = 0

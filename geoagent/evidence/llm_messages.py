"""What is said to a language model and what comes back, as frozen values.

A reply is never an exception: a refusal, a truncation or a server that is away are outcomes like any other, since the
rest of the answer does not depend on the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

Role = Literal["system", "user", "assistant", "tool"]
Mode = Literal["json_schema", "json_object", "prompt"]
"""How a server is made to answer in JSON, strongest first; "prompt" only asks for it in words."""
MODES: tuple[Mode, ...] = ("json_schema", "json_object", "prompt")

Outcome = Literal["ok", "refused", "truncated", "malformed", "unavailable", "limit", "offline", "dry", "none"]
"""How a call ended.

"malformed": no JSON of the wanted form, after one repair; "unavailable": no answer in time, or an error of the server;
"limit": the run's cap on calls or tokens is reached; "offline" and "dry": nothing was sent; "none": there is no model.
"""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that the model wants to use.

    Attributes:
        id: the server's.
        name: of the tool.
        arguments: as JSON text, not checked yet.
    """

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: who speaks.
        text: what is said.
        image: a JPEG that goes with it, or None.
        calls: the tools that an assistant's message calls.
        call_id: the call that a tool's message answers.
    """

    role: Role
    text: str
    image: bytes | None = None
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question.

    Attributes:
        prompt: name of the prompt with its version, "constraints.v1".
        messages: the conversation so far.
        schema: what the reply must be; None where the model may use tools instead.
        tools: pydantic models whose names and docstrings describe what may be called; () for none.
        max_tokens: most tokens of the reply.
    """

    prompt: str
    messages: tuple[Message, ...]
    schema: type[BaseModel] | None = None
    tools: tuple[type[BaseModel], ...] = ()
    max_tokens: int = 900


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call.

    Attributes:
        input_tokens: of all that was sent, repairs included.
        output_tokens: of all that came back.
        estimated: whether the server did not count and a quarter of the characters stands in.
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
    """What came back.

    Attributes:
        outcome: see `Outcome`.
        value: an instance of the asked schema where the outcome is "ok"; None where tools were called.
        text: as the model wrote it.
        calls: tools that the model wants to use.
        usage: tokens.
        mode: how the server was made to answer in JSON.
        repaired: whether the validation error had to be sent back once.
        cached: whether it came from the disk, and nothing was sent.
        why: what went wrong, in words; "" where nothing did.
        requests: HTTP requests that were made, repairs included and the SDK's own retries not.
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

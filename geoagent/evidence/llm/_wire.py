"""Wire format of the chat completions API."""

from __future__ import annotations

import base64
import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from geoagent.evidence.llm_messages import MODES, Message, Mode, ToolCall

OUTSIDE_SDK = ("chat_template_kwargs",)
"""Fields of a request that only some servers know, and the SDK does not."""
_LACKS = ("response_format", "json_schema", "json_object", "schema", "grammar", "structured")


class _Function(BaseModel):
    model_config = ConfigDict(extra="ignore")
    name: str
    arguments: str | dict[str, Any] = ""


class _Call(BaseModel):
    id: str | None = None
    function: _Function


class _Said(BaseModel):
    content: str | None = None
    refusal: str | None = None
    reasoning: Any = None  # Ollama, vLLM, OpenRouter
    reasoning_content: Any = None  # DeepSeek, llama.cpp, LM Studio, SGLang
    tool_calls: list[_Call] | None = None

    def only_thought(self, said: str) -> bool:
        """Whether there are thoughts, in a field of their own or before `said` in the content, and nothing is said."""
        return not said.strip() and bool(self.reasoning or self.reasoning_content or (self.content or "").strip())

    def thoughts(self) -> str:
        """What the model thought: a field of its own, else the content."""
        apart = [field for field in (self.reasoning, self.reasoning_content) if isinstance(field, str)]
        return next((text for text in apart if text.strip()), self.content or "")


class _Choice(BaseModel):
    message: _Said
    finish_reason: str | None = None


class Counted(BaseModel):
    """Token usage as reported by the server."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Completion(BaseModel):
    """The fields of a server's response that are used."""

    choices: list[_Choice] = Field(min_length=1)
    usage: Counted | None = None


def turn_of(message: Message) -> dict[str, Any]:
    """Convert a message to the API's format."""
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.call_id, "content": message.text}
    if message.calls:
        calls = [
            {"id": c.id, "type": "function", "function": {"name": c.name, "arguments": c.arguments}}
            for c in message.calls
        ]
        return {"role": message.role, "content": message.text, "tool_calls": calls}
    if message.image is None:
        return {"role": message.role, "content": message.text}
    address = "data:image/jpeg;base64," + base64.b64encode(message.image).decode("ascii")
    parts = [{"type": "text", "text": message.text}, {"type": "image_url", "image_url": {"url": address}}]
    return {"role": message.role, "content": parts}


def calls_of(calls: list[_Call]) -> tuple[ToolCall, ...]:
    """Return the tool calls of a completion."""
    return tuple(
        ToolCall(
            call.id or f"call-{i}",
            call.function.name,
            call.function.arguments
            if isinstance(call.function.arguments, str)
            else json.dumps(call.function.arguments),
        )
        for i, call in enumerate(calls)
    )


def message_of(error: Any) -> str:
    """Return the server's error message."""
    body = error.body
    if isinstance(body, dict) and isinstance(body.get("message"), str):
        return str(body["message"])
    return str(error.message)


def lacks_mode(status: int, said: str) -> bool:
    """Whether an error may mean that the server does not support this JSON mode."""
    return status in (400, 415, 422, 501) or (status == 500 and any(word in said for word in _LACKS))


def weaker(mode: Mode) -> Mode | None:
    """Return the next less strict JSON mode; None after the last."""
    i = MODES.index(mode) + 1
    return MODES[i] if i < len(MODES) else None

"""One request to a server with its retries in weaker modes and its repair."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geoagent.evidence.llm._parse import last_value, read_reply, without_thoughts
from geoagent.evidence.llm._wire import OUTSIDE_SDK, Completion, Counted, calls_of, lacks_mode, message_of, weaker
from geoagent.evidence.llm_messages import Ask, Message, Mode, Reply, Usage

if TYPE_CHECKING:
    from geoagent.evidence.llm.openai_compatible import OpenAICompatible

_MOST_BYTES = 2_000_000
THOUGHT = (
    "the model only thought and did not reply; turn its thinking off with the option thinking=off "
    '(--llm openai_compatible,thinking=off,…; in Ollama reasoning_effort "none" or "think": false)'
)
CUT = "the reply was cut off after {} tokens; raise the limit with the option reply_tokens=N"


class Expired(Exception):
    """The request has timed out; ends its thread."""


class Talk:
    """One request in flight. Runs in its own thread, so that a slow server cannot block the caller."""

    def __init__(self, model: OpenAICompatible, ask: Ask) -> None:
        self._model, self._ask = model, ask
        self.expired = threading.Event()
        self.reply: Reply | None = None
        self.failure: BaseException | None = None
        self.usage, self.requests = Usage(), 0

    def run(self) -> None:
        """Set `reply`, or `failure` in case of a bug in this module."""
        try:
            self.reply = self._converse()
        except Expired:
            return
        except BaseException as error:
            self.failure = error

    def _converse(self) -> Reply:
        messages, mode, repaired, adapted = self._ask.messages, self._model._mode, False, 0
        while True:
            said, status = self._request(messages, mode)
            if isinstance(said, str):
                if status in (400, 422) and adapted < 3 and self._model.adapt(said):
                    adapted += 1
                    continue
                lower = weaker(mode) if self._ask.schema is not None and lacks_mode(status, said) else None
                if lower is not None:
                    mode = lower
                    continue
                return self._reply("unavailable", mode, repaired, why=said)
            choice = said.choices[0]
            text = choice.message.content or ""
            if choice.message.refusal or choice.finish_reason == "content_filter":
                return self._reply("refused", mode, repaired, text, why=choice.message.refusal or "content filter")
            if self._ask.tools and choice.message.tool_calls:
                return self._reply("ok", mode, repaired, text, calls=calls_of(choice.message.tool_calls))
            if choice.message.only_thought(without_thoughts(text)):
                cut, schema = choice.finish_reason == "length", self._ask.schema
                value = None if cut or schema is None else last_value(choice.message.thoughts(), schema)
                if value is not None:  # some servers take the whole reply for a thought
                    self._model.settle(mode)
                    return self._reply("ok", mode, repaired, value.model_dump_json(), value=value)
                why = f"{THOUGHT}. {self._cut()}" if cut else THOUGHT
                return self._reply("truncated" if cut else "malformed", mode, repaired, why=why)
            if self._ask.schema is None:
                return self._reply("ok", mode, repaired, text)
            value, wrong = read_reply(text, self._ask.schema)
            if value is not None:
                self._model.settle(mode)
                return self._reply("ok", mode, repaired, text, value=value)
            if choice.finish_reason == "length":
                return self._reply("truncated", mode, repaired, text, why=self._cut())
            if repaired:
                return self._reply("malformed", mode, repaired, text, why=wrong)
            repaired = True
            again = f"That is not what was asked for: {wrong}. Reply again with one JSON object of the schema."
            messages = (*messages, Message("assistant", text[:4000]), Message("user", again))

    def _request(self, messages: tuple[Message, ...], mode: Mode) -> tuple[Completion | str, int]:
        """Make one SDK request; return the completion or an error message, and the HTTP status."""
        if self.expired.is_set():
            raise Expired
        openai, model = self._model._openai, self._model
        body = model.body(self._ask, messages, mode)
        self.requests += 1
        try:
            api = model.client().chat.completions.with_streaming_response
            known = {name: value for name, value in body.items() if name not in OUTSIDE_SDK}
            extra = {name: body[name] for name in OUTSIDE_SDK if name in body}
            with api.create(**known, extra_body=extra or None) as response:
                raw = bytearray()
                for block in response.iter_bytes():
                    raw += block
                    if len(raw) > _MOST_BYTES:
                        return f"the reply is larger than {_MOST_BYTES / 1e6:g} MB", response.status_code
                status = response.status_code
        except openai.APIStatusError as error:
            return model.scrub(f"HTTP {error.status_code}: {message_of(error)}"), error.status_code
        except openai.APITimeoutError:
            return "no answer in time", 0
        except (openai.OpenAIError, OSError) as error:
            cause = error.__cause__
            return model.scrub(f"{error}{f' ({cause})' if cause and str(cause) != str(error) else ''}"), 0
        except Exception as error:
            # Transport errors while the body is read are not wrapped, and their names differ between versions.
            if type(error).__module__.split(".")[0] not in ("httpx", "httpx2", "httpcore", "httpcore2", "h11"):
                raise
            return model.scrub(f"the connection broke: {error}"), 0
        if self.expired.is_set():
            raise Expired
        return self._understood(bytes(raw), body), status

    def _understood(self, raw: bytes, body: dict[str, Any]) -> Completion | str:
        try:
            said = Completion.model_validate_json(raw)
        except ValidationError:
            return self._model.scrub(f"no chat completion came back: {raw[:80].decode('utf-8', 'replace')!r}")
        counted = said.usage or Counted()
        if counted.prompt_tokens is None or counted.completion_tokens is None:
            size = sum(len(str(turn["content"])) for turn in body["messages"])
            self.usage += Usage(size // 4, len(said.choices[0].message.content or "") // 4, True)
        else:
            self.usage += Usage(max(0, counted.prompt_tokens), max(0, counted.completion_tokens))
        return said

    def _cut(self) -> str:
        return CUT.format(self._model.limit(self._ask))

    def _reply(self, outcome: Any, mode: Mode, repaired: bool, text: str = "", **more: Any) -> Reply:
        return Reply(outcome, text=text, mode=mode, repaired=repaired, usage=self.usage, requests=self.requests, **more)

"""Client for servers with an OpenAI-compatible chat completions API: OpenAI, vLLM, Ollama, llama.cpp, LM Studio, ….

The SDK sends requests, retries 429 and 5xx with back-off and honours Retry-After. This module limits time and size,
falls back from schema-constrained replies to JSON to plain prompting if a server lacks a mode, and asks once for a
repair.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from geoagent.errors import ConfigError
from geoagent.evidence.llm._parse import read_reply, strict_schema
from geoagent.evidence.llm._wire import Completion, Counted, calls_of, lacks_mode, message_of, turn_of, weaker
from geoagent.evidence.llm_messages import MODES, Ask, Message, Mode, Reply, Usage
from geoagent.optional import needs

if TYPE_CHECKING:
    from openai import OpenAI

    from geoagent.protocols import Assets

OPENAI_URL = "https://api.openai.com/v1"
MODEL_ENV, URL_ENV, KEY_ENV = "GEOAGENT_LLM_MODEL", "GEOAGENT_LLM_URL", "GEOAGENT_LLM_KEY"
_MOST_BYTES = 2_000_000
_OPTIONAL = ("temperature", "seed")


class _Expired(Exception):
    """The request has timed out; ends its thread."""


class OpenAICompatible:
    """Client of one model at one address. Thread-safe."""

    def __init__(
        self,
        model: str,
        base_url: str,
        key: str | None,
        *,
        timeout_s: float,
        max_retries: int,
        temperature: float,
        seed: int,
        mode: Mode,
    ) -> None:
        with needs("llm", "openai"):
            import openai
        self._openai = openai
        self.name = model
        self.base_url = base_url
        self._key = key
        self._timeout_s, self._max_retries = timeout_s, max_retries
        self._sampling: dict[str, Any] = {"temperature": temperature, "seed": seed}
        self._length = "max_tokens"
        self._mode: Mode = mode
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def __call__(self, ask: Ask) -> Reply:
        """Send the request; `timeout_s` covers everything, including waiting, retries and the repair."""
        talk = _Talk(self, ask)
        thread = threading.Thread(target=talk.run, name="geoagent-llm", daemon=True)
        thread.start()
        thread.join(self._timeout_s)
        if thread.is_alive():
            talk.expired.set()
            self._drop_client()
            thread.join(0.2)
            return Reply(
                "unavailable",
                why=f"no reply within {self._timeout_s:g} s",
                usage=talk.usage,
                mode=self._mode,
                requests=talk.requests,
            )
        if talk.reply is None:
            raise talk.failure or RuntimeError("the thread of a question ended without a reply")
        return talk.reply

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return the body of the first HTTP request."""
        return self.body(ask, ask.messages, self._mode)

    def body(self, ask: Ask, messages: tuple[Message, ...], mode: Mode) -> dict[str, Any]:
        """Return the body of one HTTP request."""
        turns = [turn_of(message) for message in messages]
        body: dict[str, Any] = {"model": self.name, "messages": turns, **self._sampling, self._length: ask.max_tokens}
        if ask.tools:
            body["tools"] = [
                {
                    "type": "function",
                    "function": {
                        "name": tool.__name__,
                        "description": " ".join((tool.__doc__ or "").split()),
                        "parameters": strict_schema(tool),
                    },
                }
                for tool in ask.tools
            ]
        if ask.schema is None:
            return body
        schema = strict_schema(ask.schema)
        if mode == "json_schema":
            named = {"name": ask.schema.__name__, "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
            return body
        if mode == "json_object":
            body["response_format"] = {"type": "json_object"}
        words = "Reply with one JSON object and nothing else. Its JSON Schema: " + json.dumps(schema)
        if turns and turns[0]["role"] == "system":
            turns[0] = {**turns[0], "content": f"{turns[0]['content']}\n\n{words}"}
        else:
            turns.insert(0, {"role": "system", "content": words})
        return body

    def client(self) -> OpenAI:
        """The SDK client, created on first use; redirects are refused, since their target was not configured."""
        with self._lock:
            if self._client is None:
                self._client = self._openai.OpenAI(
                    api_key=self._key or "none",
                    base_url=self.base_url,
                    timeout=self._timeout_s,
                    max_retries=self._max_retries,
                    default_headers={"Connection": "close"},  # keep-alive gains nothing for calls seconds apart
                    http_client=self._openai.DefaultHttpxClient(follow_redirects=False, timeout=self._timeout_s),
                )
            return self._client

    def _drop_client(self) -> None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):  # the abandoned thread is still using it
                client.close()

    def scrub(self, text: str) -> str:
        """Shorten a server's message and remove the API key, which some servers echo."""
        if self._key:
            text = text.replace(self._key, "(key)")
        text = " ".join(text.split())
        return text if len(text) <= 300 else text[:300] + "…"

    def adapt(self, said: str) -> bool:
        """Drop or rename a parameter that the server rejects; return False for any other error."""
        for name in _OPTIONAL:
            if name in said and self._sampling.pop(name, None) is not None:
                return True
        if self._length == "max_tokens" and "max_completion_tokens" in said:
            self._length = "max_completion_tokens"
            return True
        return False

    def settle(self, mode: Mode) -> None:
        """Use this mode, which worked, for further requests."""
        self._mode = mode


class _Talk:
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
        except _Expired:
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
            if self._ask.schema is None:
                return self._reply("ok", mode, repaired, text)
            value, wrong = read_reply(text, self._ask.schema)
            if value is not None:
                self._model.settle(mode)
                return self._reply("ok", mode, repaired, text, value=value)
            if choice.finish_reason == "length":
                return self._reply("truncated", mode, repaired, text, why="the reply was cut off")
            if repaired:
                return self._reply("malformed", mode, repaired, text, why=wrong)
            repaired = True
            again = f"That is not what was asked for: {wrong}. Reply again with one JSON object of the schema."
            messages = (*messages, Message("assistant", text[:4000]), Message("user", again))

    def _request(self, messages: tuple[Message, ...], mode: Mode) -> tuple[Completion | str, int]:
        """Make one SDK request; return the completion or an error message, and the HTTP status."""
        if self.expired.is_set():
            raise _Expired
        openai, model = self._model._openai, self._model
        body = model.body(self._ask, messages, mode)
        self.requests += 1
        try:
            api = model.client().chat.completions.with_streaming_response
            with api.create(**body) as response:
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
            raise _Expired
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

    def _reply(self, outcome: Any, mode: Mode, repaired: bool, text: str = "", **more: Any) -> Reply:
        return Reply(outcome, text=text, mode=mode, repaired=repaired, usage=self.usage, requests=self.requests, **more)


def build(
    assets: Assets,
    model: str | None = None,
    base_url: str | None = None,
    *,
    key_env: str | None = None,
    timeout_s: float = 120.0,
    max_retries: int = 2,
    temperature: float = 0.0,
    seed: int = 0,
    mode: Mode = "json_schema",
) -> OpenAICompatible:
    """Build the client; nothing is sent before the first call.

    Args:
        assets: not used.
        model: the server's name of the model; defaults to $GEOAGENT_LLM_MODEL.
        base_url: base URL of the API, ".../v1"; defaults to $GEOAGENT_LLM_URL, else to OpenAI's own.
        key_env: environment variable that holds the API key; defaults to $GEOAGENT_LLM_KEY and, for OpenAI's own URL
            only, $OPENAI_API_KEY. Keys cannot be set in the configuration, so that no file contains one.
        timeout_s: timeout of one call, including retries and the repair.
        max_retries: maximum retries of one HTTP request, on 429, 5xx and broken connections.
        temperature: sampling temperature; 0 for greedy decoding; omitted if the server rejects it.
        seed: sampling seed; omitted if the server rejects it.
        mode: JSON mode to try first.

    Raises:
        ConfigError: the model is missing, or the URL is invalid or contains a key.
        MissingDependency: the SDK is not installed.
    """
    model = model or os.environ.get(MODEL_ENV)
    if not model:
        raise ConfigError(f"llm: no model is set; set model=NAME, or ${MODEL_ENV}")
    base_url = base_url or os.environ.get(URL_ENV) or OPENAI_URL
    parts = urlsplit(base_url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"llm: base_url must look like https://host/v1, got {base_url!r}")
    if parts.username or parts.password or parts.query:
        raise ConfigError(f"llm: base_url contains credentials or a query; put the key into ${KEY_ENV}")
    if mode not in MODES:
        raise ConfigError(f"llm: mode must be one of {', '.join(MODES)}, got {mode!r}")
    if not timeout_s > 0 or max_retries < 0:
        raise ConfigError("llm: timeout_s must be positive and max_retries not negative")
    key = os.environ.get(key_env or KEY_ENV)
    if key is None and key_env is None and base_url.startswith(OPENAI_URL):
        key = os.environ.get("OPENAI_API_KEY")
    return OpenAICompatible(
        str(model),
        base_url,
        key,
        timeout_s=float(timeout_s),
        max_retries=int(max_retries),
        temperature=float(temperature),
        seed=int(seed),
        mode=mode,
    )

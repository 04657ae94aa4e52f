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

from geoagent.errors import ConfigError
from geoagent.evidence.llm._parse import strict_schema
from geoagent.evidence.llm._talk import Talk
from geoagent.evidence.llm._wire import turn_of
from geoagent.evidence.llm_messages import MODES, Ask, Message, Mode, Reply
from geoagent.optional import needs

if TYPE_CHECKING:
    from openai import OpenAI

    from geoagent.protocols import Assets

OPENAI_URL = "https://api.openai.com/v1"
MODEL_ENV, URL_ENV, KEY_ENV = "GEOAGENT_LLM_MODEL", "GEOAGENT_LLM_URL", "GEOAGENT_LLM_KEY"
_NO_THINKING: dict[str, Any] = {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}}
_OPTIONAL = ("temperature", "seed", *_NO_THINKING)


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
        thinking: bool = True,
        reply_tokens: int | None = None,
    ) -> None:
        with needs("llm", "openai"):
            import openai
        self._openai = openai
        self.name = model
        self.base_url = base_url
        self._key = key
        self._timeout_s, self._max_retries = timeout_s, max_retries
        self._sampling: dict[str, Any] = {"temperature": temperature, "seed": seed}
        self._sampling |= {} if thinking else _NO_THINKING
        self._reply_tokens = reply_tokens
        self._length = "max_tokens"
        self._mode: Mode = mode
        self._client: OpenAI | None = None
        self._lock = threading.Lock()

    def __call__(self, ask: Ask) -> Reply:
        """Send the request; `timeout_s` covers everything, including waiting, retries and the repair."""
        talk = Talk(self, ask)
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
        body: dict[str, Any] = {"model": self.name, "messages": turns, **self._sampling, self._length: self.limit(ask)}
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

    def limit(self, ask: Ask) -> int:
        """Return the maximum number of tokens in a reply."""
        return ask.max_tokens if self._reply_tokens is None else self._reply_tokens

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
    thinking: bool | str = True,
    reply_tokens: int | None = None,
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
        thinking: "off" or false asks a model that thinks before it replies not to: by `reasoning_effort` "none"
            (Ollama, OpenAI, llama.cpp) and `enable_thinking` in `chat_template_kwargs` (vLLM, SGLang, LM Studio);
            either is omitted if the server rejects it.
        reply_tokens: maximum number of tokens in a reply, thoughts included; by default 400 to 900, by the question.

    Raises:
        ConfigError: the model is missing, the URL is invalid or contains a key, or another option is invalid.
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
    switch = {"on": True, "true": True, "off": False, "false": False}.get(str(thinking).lower())
    if switch is None:
        raise ConfigError(f"llm: thinking must be on or off, got {thinking!r}")
    if reply_tokens is not None and not int(reply_tokens) > 0:
        raise ConfigError(f"llm: reply_tokens must be positive, got {reply_tokens!r}")
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
        thinking=switch,
        reply_tokens=None if reply_tokens is None else int(reply_tokens),
    )

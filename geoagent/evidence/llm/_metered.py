"""Wrapper around every model: caps, cache, usage accounting, and the offline and dry-run modes."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from geoagent.evidence import llm_log
from geoagent.evidence.llm._parse import read_reply, strict_schema
from geoagent.evidence.llm_messages import Ask, Reply, Usage
from geoagent.protocols import LanguageModel

FAILURES = 3
"""Consecutive failed calls after which the server is not called for a while."""
REST_S = 30.0


class Metered:
    """A model whose calls are counted, capped and cached.

    Args:
        inner: the model.
        max_calls: maximum number of calls sent in this run; None for no cap.
        max_tokens: maximum number of input and output tokens of this run; None for no cap.
        cache: folder of cached replies; None for no cache. It stores replies only, never requests.
        offline: send nothing.
        dry: send nothing and write the payload to the log.
        now: a monotonic clock, seconds.
    """

    def __init__(
        self,
        inner: LanguageModel,
        *,
        max_calls: int | None = None,
        max_tokens: int | None = None,
        cache: Path | None = None,
        offline: bool = False,
        dry: bool = False,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inner, self.name = inner, inner.name
        self._max_calls, self._max_tokens = max_calls, max_tokens
        self._cache, self._offline, self._dry, self._now = cache, offline, dry, now
        self._lock = threading.Lock()
        self._calls, self._tokens, self._failures, self._rest_until = 0, 0, 0, 0.0

    def __call__(self, ask: Ask) -> Reply:
        """Send the request, unless a cap or mode forbids it, and append the reply to the current log."""
        reply = self._reply(ask)
        llm_log.current().replies.append((ask.prompt, reply))
        return reply

    def payload(self, ask: Ask) -> dict[str, Any]:
        """Return the payload that the model would send."""
        return self.inner.payload(ask)

    def _reply(self, ask: Ask) -> Reply:
        if self._dry:
            llm_log.current().would_send.append(self.inner.payload(ask))
            return Reply("dry", why="dry run: nothing was sent")
        if self._offline:
            return Reply("offline", why="offline: nothing was sent")
        where = self._where(ask)
        known = _read(where, ask) if where is not None else None
        if known is not None:
            return known
        refused = self._refused(ask)
        if refused is not None:
            return refused
        reply = self.inner(ask)
        with self._lock:
            self._tokens += reply.usage.input_tokens + reply.usage.output_tokens
            if reply.outcome == "unavailable":
                self._failures += 1
                if self._failures >= FAILURES:
                    self._rest_until = self._now() + REST_S
            else:
                self._failures = 0
        if where is not None and reply.outcome == "ok":
            _write(where, reply)
        return reply

    def _refused(self, ask: Ask) -> Reply | None:
        """Return a reply that states why this call may not be sent; if it may, count it and return None."""
        with self._lock:
            if self._failures >= FAILURES and self._now() < self._rest_until:
                return Reply("unavailable", why=f"not asked: the last {self._failures} calls found the server away")
            if self._max_calls is not None and self._calls >= self._max_calls:
                return Reply("limit", why=f"not asked: this run's {self._max_calls} calls are used up")
            if self._max_tokens is not None and self._tokens + ask.max_tokens > self._max_tokens:
                return Reply("limit", why=f"not asked: this run's {self._max_tokens} tokens are used up")
            self._calls += 1
            return None

    def _where(self, ask: Ask) -> Path | None:
        """Return the cache file of a request, keyed by model, address, prompt version and payload."""
        if self._cache is None:
            return None
        key = {
            "model": self.name,
            "url": getattr(self.inner, "base_url", ""),
            "prompt": ask.prompt,
            "schema": None if ask.schema is None else strict_schema(ask.schema),
            "payload": self.inner.payload(replace(ask, schema=None)),
        }
        digest = hashlib.sha256(json.dumps(key, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        return self._cache / digest[:2] / f"{digest}.json"


def _read(where: Path, ask: Ask) -> Reply | None:
    """Return a cached reply; None if there is none or the file is damaged."""
    try:
        row = json.loads(where.read_text("utf-8"))
        text, mode = str(row["text"]), row["mode"]
        tokens = Usage(int(row["input_tokens"]), int(row["output_tokens"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if ask.schema is None:
        return Reply("ok", text=text, usage=tokens, mode=mode, cached=True)
    value, _ = read_reply(text, ask.schema)
    return None if value is None else Reply("ok", value=value, text=text, usage=tokens, mode=mode, cached=True)


def _write(where: Path, reply: Reply) -> None:
    """Cache a reply, unless it calls tools. If it cannot be written, for example on a full disk, it is not cached."""
    if reply.calls:
        return
    row = {
        "text": reply.text,
        "mode": reply.mode,
        "input_tokens": reply.usage.input_tokens,
        "output_tokens": reply.usage.output_tokens,
    }
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=where.parent, prefix=".new-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(row, file, ensure_ascii=False)
        Path(name).replace(where)
    except OSError:
        return

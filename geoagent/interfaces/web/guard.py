"""Checks before every request: allowed hosts and origins, size limits, and security headers of the reply.

A page in another browser tab must not be able to use a server on this machine. Its requests carry a foreign `Origin`,
which is refused; host names that resolve to 127.0.0.1 (DNS rebinding) are refused unless they are on the allow list.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
from collections.abc import Collection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geoagent.interfaces.render.map import TILE_HOST
from geoagent.interfaces.web.limits import MB, Limits
from geoagent.interfaces.web.watch import Watch
from geoagent.optional import needs

with needs("web", "starlette"):
    from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from geoagent.interfaces.web.access import Access

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src 'self' blob: data: {TILE_HOST}",  # nothing is loaded from there before its button is pressed
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}
_DRAINED_BYTES, _DRAINED_S = 1_000 * MB, 20.0
_SAFE = {"GET", "HEAD", "OPTIONS"}


class Refused(HTTPException):
    """A rejected request, with the reason."""

    def __init__(self, status: int, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(status, message, None if retry_after_s is None else {"retry-after": str(retry_after_s)})


class Guard:
    """ASGI middleware that enforces the rules of this module.

    Attributes:
        app: the wrapped application.

    Args:
        app: the same.
        limits: size and time limits.
        hosts: allowed host names, in addition to localhost and numeric addresses.
        access: who may ask; None for anybody who reaches the server.
        watch: is told of every request.
        safe: methods that pages of other servers may use, since they change nothing and their replies cannot be read.
    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        hosts: Collection[str] = (),
        *,
        access: Access | None = None,
        watch: Watch | None = None,
        safe: Collection[str] = _SAFE,
    ) -> None:
        self.app, self._limits = app, limits
        self._access, self._watch, self._safe = access, watch or Watch(), safe
        self._hosts = {"localhost", *(host.lower() for host in hosts)}
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it with the reason."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if self._access is not None:
            self._access.hide(scope)
        started, status = False, 0

        async def sent(message: Message) -> None:
            nonlocal started, status
            if message["type"] == "http.response.start":
                started, status = True, message["status"]
                given = {name.lower() for name, _ in message["headers"]}
                own = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in given]
                if b"cache-control" not in given:
                    own.append((b"cache-control", b"no-store"))
                message = {**message, "headers": [*message["headers"], *own]}
            await send(message)

        body = _Body(receive, self._limits.request_mb * MB, self._limits.upload_s)
        try:
            self._check(scope["method"], headers)
            size = self._reserve(scope["method"], headers)
            try:
                if self._access is None:
                    await self.app(scope, body, sent)
                else:
                    await self._access.serve(self.app, scope, body, sent)
            finally:
                self._arriving -= size
        except Refused as refused:
            if not started:
                await body.drain()
                await _refuse(sent, refused)
        finally:
            self._watch.request(scope["method"], getattr(scope.get("route"), "path", ""), status)

    def _check(self, method: str, headers: dict[str, str]) -> None:
        host = headers.get("host", "")
        if not self._known(host):
            raise Refused(421, f"this server does not answer to the name {host[:100]!r}; see --allow-host")
        if method in self._safe:
            return
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            raise Refused(403, "requests from pages of other servers are refused")
        if origin is None and headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise Refused(403, "requests from pages of other servers are refused")

    def _known(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)  # a numeric address is not subject to DNS rebinding
        except ValueError:
            return False
        return True

    def _reserve(self, method: str, headers: dict[str, str]) -> int:
        """Reserve memory for a request body until the request has been answered."""
        if method in _SAFE:
            return 0
        most = int(self._limits.request_mb * MB)
        stated = headers.get("content-length", "")
        size = int(stated) if stated.isdecimal() else most if "transfer-encoding" in headers else 0
        if size > most:
            raise Refused(
                413, f"the request has {size / MB:.0f} MB; at most {self._limits.request_mb:.0f} MB are taken"
            )
        if self._arriving + size > 2 * self._limits.waiting_mb * MB:
            raise Refused(503, "too much is being sent at once; try again in a moment", 5)
        self._arriving += size
        return size


class _Body:
    """The body of a request, counted and timed as it arrives."""

    def __init__(self, receive: Receive, most: float, seconds: float) -> None:
        self._receive, self._most, self._seconds = receive, most, seconds
        self._got = 0
        self._end: float | None = None
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:  # only disconnect messages follow
            return await self._receive()
        message = await self._next(self._seconds)
        if self._got > self._most:
            raise Refused(413, "the request is too large")
        return message

    async def _next(self, seconds: float) -> Message:
        now = asyncio.get_running_loop().time()
        self._end = now + seconds if self._end is None else self._end
        try:
            async with asyncio.timeout_at(self._end):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, f"the request did not arrive within {seconds:.0f} s") from None
        self._got += len(message.get("body", b""))
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def drain(self) -> None:
        """Drain the rest of a rejected body: most clients read no response before they have sent everything."""
        with contextlib.suppress(Refused):
            while not self._whole and self._got < _DRAINED_BYTES:
                await self._next(_DRAINED_S)


async def _refuse(send: Any, refused: Refused) -> None:
    body = json.dumps({"error": refused.detail}, ensure_ascii=False).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in (refused.headers or {}).items()]
    headers.append((b"connection", b"close"))  # an unread body must not be parsed as the next request
    await send({"type": "http.response.start", "status": refused.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": body})

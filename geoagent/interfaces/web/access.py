"""Who may ask: a token in a header, or a session that a browser got for it.

Programs send `Authorization: Bearer TOKEN` with each request. A browser is asked for the token once, or opens a link
that the server printed and that works once; it then holds a cookie with a random name for its session, which says
nothing of the token and ends with the server. What failed is slowed down, and an address that failed often must wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import time
from collections import OrderedDict, deque
from collections.abc import Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode

from geoagent.errors import ConfigError
from geoagent.interfaces.web.guard import Refused
from geoagent.interfaces.web.login import COOKIE, found_page, login_page, moved_to
from geoagent.interfaces.web.memory import Memory

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

VARIABLE = "GEOAGENT_TOKEN"
"""Environment variable that may hold the token."""
KNOWN = "geoagent.known"
"""Entry of a request's scope: whether whoever asks has shown the token, or need not."""
_ONCE = "geoagent.once"
_LEAST = 16
_SESSION_S, _SESSIONS = 12 * 3600.0, 1000
_LINK_S = 600.0
_FAILED, _WINDOW_S, _ADDRESSES = 10, 60.0, 4096
_PAUSE_S = 0.3
_FORM_BYTES = 4096
_ANYBODY = frozenset({"/health", "/ready", "/page/map.css", "/page/page.css", "/page/icon.svg"})
"""What is answered to strangers: that the server runs, and what its login page looks like."""


class Token:
    """A token; only its digest is kept.

    Args:
        secret: at least 16 printable ASCII characters without spaces, so that a header can carry it.

    Raises:
        ConfigError: it is anything else; the message does not repeat it.
    """

    def __init__(self, secret: str) -> None:
        if not secret.isascii() or not secret.isprintable() or " " in secret:
            raise ConfigError("the token must be printable ASCII characters without spaces")
        if len(secret) < _LEAST:
            raise ConfigError(f"the token has {len(secret)} characters; take at least {_LEAST}, and random ones")
        self._digest = hashlib.sha256(secret.encode()).digest()

    def fits(self, said: str) -> bool:
        """Whether somebody said it; takes the same time whatever they said."""
        return hmac.compare_digest(hashlib.sha256(said.encode("utf-8", "surrogatepass")).digest(), self._digest)


def stated_token(file: Path | None, environ: MutableMapping[str, str] = os.environ) -> Token | None:
    """The token that the user set; None where there is none.

    The variable is taken out of the environment, so that worker processes, which decode foreign files, do not have it.

    Args:
        file: a file with the token and nothing else; wins over the variable.
        environ: the environment.

    Raises:
        ConfigError: the file cannot be read, or the token is empty or too short.
    """
    said = environ.pop(VARIABLE, None)
    if file is not None:
        try:
            said = file.read_text("utf-8")
        except (OSError, UnicodeError) as error:
            why = getattr(error, "strerror", None) or "it is no text"
            raise ConfigError(f"the token file {file} cannot be read: {why}") from error
    return None if said is None else Token(said.strip())


class Tries:
    """Failed tries by address.

    Args:
        clock: seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, address: str) -> int:
        """Seconds that an address must wait before it may try again; 0 for none."""
        failed = self._failed.get(address)
        if failed is None or len(failed) < _FAILED:
            return 0
        return max(0, int(failed[0] + _WINDOW_S - self._clock() + 1))

    def failed(self, address: str) -> None:
        """Note a failed try."""
        self._failed.setdefault(address, deque(maxlen=_FAILED)).append(self._clock())
        self._failed.move_to_end(address)
        while len(self._failed) > _ADDRESSES:
            self._failed.popitem(last=False)


class Access:
    """Decides who may ask.

    Args:
        token: what must be shown.
        page: whether browsers may sign in, for the page.
        clock: seconds that only grow.
    """

    def __init__(self, token: Token, *, page: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._token, self._page = token, page
        self._tries = Tries(clock)
        self._sessions: Memory[bool] = Memory(_SESSIONS, _SESSION_S, clock)
        self._links: Memory[bool] = Memory(16, _LINK_S, clock)

    def link(self, address: str) -> str:
        """A link to the page that signs in once, within ten minutes."""
        return f"{address}?token={self._links.put(True)}"

    @staticmethod
    def hide(scope: Scope) -> None:
        """Take a token out of the address of a request, before anything can log it."""
        said = parse_qsl(scope.get("query_string", b"").decode("latin-1"), keep_blank_values=True)
        token = [value for name, value in said if name == "token"]
        if token:
            scope["query_string"] = urlencode([row for row in said if row[0] != "token"]).encode("latin-1")
            scope[_ONCE] = token[0]

    async def serve(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or ask for the token.

        Raises:
            Refused: no token or a wrong one (401), or too many wrong ones (429).
        """
        path, method = scope["path"], scope["method"]
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        session = _cookie(headers) if self._page else ""
        signed_in = bool(session) and self._sessions.get(session) is not None
        if self._page and path == "/login":
            await self._login(scope, receive, send, signed_in=signed_in)
            return
        if self._page and path == "/logout" and method == "POST":
            self._sessions.forget(session)
            await moved_to("/login", scope, cookie="", seconds=0)(scope, receive, send)
            return
        if self._page and path == "/" and _ONCE in scope:
            await self._open(scope, receive, send, signed_in=signed_in)
            return
        scope[KNOWN] = signed_in or await self._shown(scope, headers)
        if scope[KNOWN] or (self._page and path in _ANYBODY):
            await app(scope, receive, send)
        elif self._page and path == "/" and method in ("GET", "HEAD"):
            await moved_to("/login", scope)(scope, receive, send)
        else:
            raise _no_token()

    async def _shown(self, scope: Scope, headers: dict[str, str]) -> bool:
        """Whether a header shows the token; a wrong one is refused, and none is no try."""
        kind, _, said = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return False
        wait = self._tries.wait_s(_address(scope))
        if wait:
            raise Refused(429, f"too many wrong tokens from this address; try again in {wait} s", wait)
        if not self._token.fits(said.strip()):
            await self._failed(scope)
            raise _no_token("this is not the token")
        return True

    async def _failed(self, scope: Scope) -> None:
        self._tries.failed(_address(scope))
        await asyncio.sleep(_PAUSE_S)

    async def _open(self, scope: Scope, receive: Receive, send: Send, *, signed_in: bool) -> None:
        """Sign in by a link, once, and leave its token out of the address from now on."""
        if signed_in:
            await moved_to("/", scope)(scope, receive, send)
        elif not self._tries.wait_s(_address(scope)) and self._links.forget(scope[_ONCE]):
            await self._enter(scope, receive, send)
        else:
            await self._failed(scope)
            await moved_to("/login", scope)(scope, receive, send)

    async def _enter(self, scope: Scope, receive: Receive, send: Send) -> None:
        await moved_to("/", scope, cookie=self._sessions.put(True), seconds=_SESSION_S)(scope, receive, send)

    async def _login(self, scope: Scope, receive: Receive, send: Send, *, signed_in: bool) -> None:
        if scope["method"] != "POST":
            reply = found_page() if signed_in else login_page()
            await reply(scope, receive, send)
            return
        said = parse_qs(await _form(receive)).get("token", [""])[0].strip()
        wait = self._tries.wait_s(_address(scope))
        if wait:
            says = f"Too many wrong tokens. Try again in {wait} seconds."
            await login_page(429, says, {"retry-after": str(wait)})(scope, receive, send)
        elif self._token.fits(said):
            await self._enter(scope, receive, send)
        else:
            await self._failed(scope)
            await login_page(401, "That is not the token.")(scope, receive, send)


def _no_token(says: str = "this server asks for a token") -> Refused:
    refused = Refused(401, f"{says}; send the header Authorization: Bearer TOKEN")
    refused.headers = {"www-authenticate": 'Bearer realm="geoagent"'}
    return refused


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _cookie(headers: dict[str, str]) -> str:
    try:
        found: Any = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else str(found.value)


async def _form(receive: Receive) -> str:
    """The body of the login form, which is short."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _FORM_BYTES:
            raise Refused(413, "the form is too large")
    return body.decode("utf-8", "replace")

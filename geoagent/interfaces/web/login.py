"""The login page, and the cookie that a browser gets."""

from __future__ import annotations

from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from geoagent.optional import needs

with needs("web", "starlette"):
    from starlette.responses import HTMLResponse, RedirectResponse, Response

if TYPE_CHECKING:
    from starlette.types import Scope

COOKIE = "geoagent_session"
"""Name of the cookie."""
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "referrer-policy": "same-origin",  # without one, browsers say that the form comes from nowhere
}
_ASKS = """<form method="post" action="/login">
    <input type="text" name="username" value="geoagent" autocomplete="username" hidden>
    <label for="token">Token</label>
    <input type="password" id="token" name="token" autocomplete="current-password" required autofocus>
    <button class="primary">Sign in</button>
  </form>"""
_SIGNED_IN = """<p><a href="/">Go to the page</a></p>
  <form method="post" action="/logout"><button>Sign out</button></form>"""


def login_page(status: int = 200, says: str = "", headers: dict[str, str] | None = None) -> Response:
    """The page that asks for the token.

    Args:
        status: HTTP status.
        says: what was wrong.
        headers: further headers.
    """
    alert = f'<p role="alert">{escape(says)}</p>' if says else ""
    return _page("Whoever started the server has the token.", alert + _ASKS, status, headers)


def found_page() -> Response:
    """The same page for whoever is signed in."""
    return _page("You are signed in.", _SIGNED_IN)


def moved_to(path: str, scope: Scope, *, cookie: str | None = None, seconds: float = 0) -> Response:
    """Send the browser to a path of this server, with a cookie where one is given; an empty one ends the session.

    Args:
        path: where to.
        scope: the request.
        cookie: value of the cookie.
        seconds: how long the browser keeps it.
    """
    reply = RedirectResponse(path, 303, {"referrer-policy": "same-origin"})
    if cookie is not None:
        reply.set_cookie(
            COOKIE, cookie, max_age=int(seconds), path="/", httponly=True, samesite="strict",
            secure=scope.get("scheme") == "https",
        )  # fmt: skip
    return reply


def _page(lead: str, content: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    text = _template().replace("{lead}", lead).replace("{content}", content)
    return HTMLResponse(text, status, {**_HEADERS, **(headers or {})})


@cache
def _template() -> str:
    return resources.files("geoagent.interfaces.web").joinpath("page/login.html").read_text("utf-8")

"""The tools over HTTP (the transport that MCP calls streamable HTTP), for callers with the token."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from geoagent.interfaces.web.access import Access
from geoagent.interfaces.web.guard import Guard
from geoagent.interfaces.web.limits import Limits
from geoagent.interfaces.web.serve import run
from geoagent.optional import needs

with needs("web", "mcp"):
    from mcp.server.transport_security import TransportSecuritySettings

PATH = "/mcp"
"""Where the tools are."""
_LIMITS = Limits(request_mb=4)  # calls name files and hold none


def create_http(server: Any, access: Access, hosts: Collection[str] = ()) -> Any:
    """Make the ASGI application.

    Args:
        server: what `create_tools` made.
        access: who may ask.
        hosts: names that the server answers to, beside localhost and addresses in figures.
    """
    ours = TransportSecuritySettings(enable_dns_rebinding_protection=False)  # the guard looks at host and origin
    # Each request stands for itself: clients survive a restart, and nothing is kept of them.
    app = server.streamable_http_app(streamable_http_path=PATH, stateless_http=True, transport_security=ours)
    return Guard(app, _LIMITS, hosts, access=access, safe=())


def serve_tools(
    server: Any,
    access: Access,
    *,
    host: str = "127.0.0.1",
    port: int = 7861,
    hosts: Collection[str] = (),
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve the tools over HTTP until interrupted.

    Args:
        server: what `create_tools` made.
        access: who may ask.
        host: address to listen at.
        port: port to listen at; 0 for any that is free.
        hosts: further names that the server answers to.
        started: called with the address of the tools once the port is taken.

    Raises:
        InputError: the address or port cannot be had.
    """

    def told(address: str) -> None:
        if started is not None:
            started(address.rstrip("/") + PATH)

    run(create_http(server, access, {*hosts, host}), host, port, "warning", told)

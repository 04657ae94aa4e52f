"""Running the server."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Collection
from typing import Any

from geoagent.config import Config
from geoagent.errors import ConfigError, InputError
from geoagent.interfaces.web.access import VARIABLE, Access
from geoagent.interfaces.web.app import create_app
from geoagent.interfaces.web.limits import Limits
from geoagent.optional import needs

with needs("web", "uvicorn"):
    import uvicorn


def serve(
    config: Config,
    limits: Limits,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    hosts: Collection[str] = (),
    log_level: str = "warning",
    started: Callable[[str], None] | None = None,
    access: Access | None = None,
    metrics: bool = False,
) -> None:
    """Serve the page and the API until interrupted.

    Args:
        config: how agents are put together.
        limits: what may be asked at once.
        host: address to listen at.
        port: port to listen at; 0 for any that is free.
        hosts: names that the server answers to, beside localhost and addresses in figures.
        log_level: of the server ("info" logs every request).
        started: called with the address once the port is taken.
        access: who may ask; None for anybody, at an address of this machine alone.
        metrics: whether to count, and to tell it at `/metrics`.

    Raises:
        ConfigError: others reach the address, and anybody may ask.
        InputError: the address or port cannot be had.
        MissingDependency: the extra `web` is not installed, or `metrics` where it is asked for.
    """
    if access is None and not is_local(host):
        ways = f"--token-file FILE or the environment variable {VARIABLE}"
        raise ConfigError(f"{host} is no address of this machine alone: set a token, with {ways}")
    app = create_app(config, limits, {*hosts, host}, access=access, metrics=metrics)
    run(app, host, port, log_level, started)


def run(app: Any, host: str, port: int, log_level: str, started: Callable[[str], None] | None = None) -> None:
    """Serve an ASGI application until interrupted; the arguments are those of `serve`.

    Raises:
        InputError: the address or port cannot be had.
    """
    listening = listen(host, port)
    if started is not None:
        started(address_of(listening))
    settings = uvicorn.Config(
        app, log_level=log_level, server_header=False, access_log=log_level == "info", timeout_keep_alive=15,
        limit_concurrency=500, timeout_graceful_shutdown=3, ws="none",
    )  # fmt: skip
    with contextlib.suppress(KeyboardInterrupt):  # which it raises again once it has ended well
        uvicorn.Server(settings).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Take a port.

    Raises:
        InputError: it cannot be had; the message says why.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(128)
        except BaseException:
            listening.close()
            raise
    except OSError as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot listen at {host}:{port}: {why}; choose another with --host and --port") from error
    return listening


def address_of(listening: socket.socket) -> str:
    """The address of the page, as a browser takes it."""
    host, port = listening.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


def is_local(host: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

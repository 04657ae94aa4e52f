"""`geoagent web`: the page and the API; `geoagent mcp`: tools for assistants."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from geoagent.interfaces.cli._main import agent_options, load_agent, load_config

token_file = click.option(
    "--token-file", type=click.Path(path_type=Path, exists=True, dir_okay=False), envvar="GEOAGENT_TOKEN_FILE",
    help="File with the token that callers must show; or set GEOAGENT_TOKEN_FILE or GEOAGENT_TOKEN.",
)  # fmt: skip


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; this machine by default.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=7860, show_default=True, help="Port; 0 for any free one."
)
@click.option("--allow-host", multiple=True, metavar="NAME", help="Another host name to accept; repeatable.")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True,
              help="Worker processes, about 1 GB each.")  # fmt: skip
@click.option(
    "--max-photo-mb",
    type=click.FloatRange(0, min_open=True),
    default=64,
    show_default=True,
    help="Largest photo accepted.",
)
@click.option("--max-waiting", type=click.IntRange(1), default=100, show_default=True, help="Most photos in the queue.")
@click.option("--timeout", type=click.FloatRange(0, min_open=True), default=120, show_default=True, metavar="SECONDS",
              help="Timeout for one photo.")  # fmt: skip
@click.option("--remember", type=click.FloatRange(0, min_open=True), default=60, show_default=True, metavar="MINUTES",
              help="How long an observation is kept after its last use.")  # fmt: skip
@click.option(
    "--max-precision", type=click.Choice(["country", "region", "city", "full"]), help="Disclose nothing finer."
)
@token_file
@click.option("--metrics", is_flag=True, help="Count requests, photos and seconds, for Prometheus at /metrics.")
@click.option("--verbose", is_flag=True, help="Log every request.")
@agent_options
def web(
    host: str, port: int, allow_host: tuple[str, ...], workers: int, max_photo_mb: float, max_waiting: int,
    timeout: float, remember: float, token_file: Path | None, metrics: bool, verbose: bool, **settings: Any,
) -> None:  # fmt: skip
    """Serve the web page and the HTTP API.

    It listens on this machine only, keeps photos in memory and never on disk, and contacts no other host unless you
    name a language model. The API is described at /api/openapi.json. Where others reach the address, a token is needed
    and must be set: programs send it (Authorization: Bearer TOKEN), and the page asks for it once.

    \b
    Examples:
      geoagent web
      geoagent web --world my-world --port 8000 --workers 2
      geoagent web --host 0.0.0.0 --token-file token.txt
    """
    from geoagent.interfaces.web.access import Access, stated_token
    from geoagent.interfaces.web.limits import Limits
    from geoagent.interfaces.web.serve import serve

    token = stated_token(token_file)
    access = None if token is None else Access(token, page=True)
    config = load_config(settings)
    limits = Limits(
        workers=workers, photo_mb=max_photo_mb, request_mb=max(256.0, max_photo_mb + 1), waiting=max_waiting,
        read_s=timeout, remembered_s=60 * remember,
    )  # fmt: skip

    def started(address: str) -> None:
        click.echo(f"geoagent is at {address} (Ctrl+C ends it)", err=True)
        if access is not None and sys.stderr.isatty():  # nobody else should find the link in a log
            click.echo(f"Sign in once, within ten minutes, at {access.link(address)}", err=True)

    serve(
        config, limits, host=host, port=port, hosts=allow_host,
        log_level="info" if verbose else "warning", started=started,
        access=access, metrics=metrics,
    )  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--max-precision", type=click.Choice(["country", "region", "city", "full"]), help="Disclose nothing finer."
)
@click.option("--http", is_flag=True, help="Over HTTP instead of standard input and output; always with a token.")
@click.option("--host", help="Address to listen on with --http.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port with --http; 0 for any free one.  [default: 7861]")
@click.option("--allow-host", multiple=True, metavar="NAME", help="Another host name to accept; repeatable.")
@token_file
@agent_options
def mcp(
    folder: Path, http: bool, host: str | None, port: int | None, allow_host: tuple[str, ...], token_file: Path | None,
    **settings: Any,
) -> None:  # fmt: skip
    """Serve tools for an assistant (Model Context Protocol over standard input and output, or over HTTP).

    The tools can read the photos in FOLDER and nothing else. Tools: locate_photo, locate_album, verify_claim,
    compare_claims, read_signs, read_crop, list_photos, lookup_place, distance, what_is_seen_at. Over HTTP callers send
    a token (Authorization: Bearer TOKEN); where none is set, one is made and printed once.

    \b
    Examples, and the assistant's configuration:
      geoagent mcp photos/
      geoagent mcp photos/ --http --token-file token.txt
      {"mcpServers": {"geoagent": {"command": "geoagent", "args": ["mcp", "/photos"]}}}
    """
    if not http:
        given = {"--host": host, "--port": port, "--allow-host": allow_host or None, "--token-file": token_file}
        if click.get_current_context().get_parameter_source("token_file") is ParameterSource.ENVIRONMENT:
            del given["--token-file"]
        if strange := [name for name, value in given.items() if value is not None]:
            raise click.UsageError(f"{', '.join(strange)}: only with --http")
        from geoagent.interfaces.web.tools import create_tools

        create_tools(load_agent(settings), folder).run("stdio")
        return
    _mcp_over_http(folder, settings, host or "127.0.0.1", 7861 if port is None else port, allow_host, token_file)


def _mcp_over_http(
    folder: Path, settings: dict[str, Any], host: str, port: int, allow_host: tuple[str, ...], token_file: Path | None
) -> None:
    from geoagent.interfaces.web.access import Access, Token, stated_token
    from geoagent.interfaces.web.tools import create_tools
    from geoagent.interfaces.web.tools.http import serve_tools

    token, made = stated_token(token_file), ""
    if token is None:
        made = secrets.token_urlsafe(32)
        token = Token(made)

    def started(address: str) -> None:
        click.echo(f"geoagent's tools are at {address} (Ctrl+C ends it)", err=True)
        if made:
            click.echo(f"Token, made for this run and printed only here: {made}", err=True)

    access = Access(token, page=False)
    tools = create_tools(load_agent(settings), folder)
    serve_tools(tools, access, host=host, port=port, hosts=allow_host, started=started)

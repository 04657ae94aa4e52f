"""`geoagent web`: the page and the API; `geoagent mcp`: tools for assistants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from geoagent.interfaces.cli._main import agent_options, load_agent, load_config


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
@click.option("--verbose", is_flag=True, help="Log every request.")
@agent_options
def web(
    host: str, port: int, allow_host: tuple[str, ...], workers: int, max_photo_mb: float, max_waiting: int,
    timeout: float, remember: float, verbose: bool, **settings: Any,
) -> None:  # fmt: skip
    """Serve the web page and the HTTP API.

    It listens on this machine only, keeps photos in memory and never on disk, and contacts no other host unless you
    name a language model. The API is described at /api/openapi.json.

    \b
    Examples:
      geoagent web
      geoagent web --world my-world --port 8000 --workers 2
    """
    from geoagent.interfaces.web.limits import Limits
    from geoagent.interfaces.web.serve import is_local, serve

    config = load_config(settings)
    limits = Limits(
        workers=workers, photo_mb=max_photo_mb, request_mb=max(256.0, max_photo_mb + 1), waiting=max_waiting,
        read_s=timeout, remembered_s=60 * remember,
    )  # fmt: skip

    def started(address: str) -> None:
        click.echo(f"geoagent is at {address} (Ctrl+C ends it)", err=True)
        if not is_local(host):
            click.echo(
                f"Warning: {host} is no address of this machine alone; anybody who reaches it may use it", err=True
            )

    serve(
        config, limits, host=host, port=port, hosts=allow_host,
        log_level="info" if verbose else "warning", started=started,
    )  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--max-precision", type=click.Choice(["country", "region", "city", "full"]), help="Disclose nothing finer."
)
@agent_options
def mcp(folder: Path, **settings: Any) -> None:
    """Serve tools for an assistant (Model Context Protocol over standard input and output).

    The tools can read the photos in FOLDER and nothing else. Tools: locate_photo, verify_claim, read_signs,
    lookup_place, list_photos.

    \b
    Example, and the assistant's configuration:
      geoagent mcp photos/
      {"mcpServers": {"geoagent": {"command": "geoagent", "args": ["mcp", "/photos"]}}}
    """
    from geoagent.interfaces.web.tools import create_tools

    create_tools(load_agent(settings), folder).run("stdio")

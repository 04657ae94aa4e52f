"""The group of all commands, and what they share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent import __version__

if TYPE_CHECKING:
    from geoagent.agent import GeoAgent


class _OneLine(click.Group):
    """Turns our own errors into one line and exit code 1; anything else is a defect and keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        from geoagent.errors import ConfigError, GeoAgentError, UnknownPlug

        try:
            return super().invoke(ctx)
        except (ConfigError, UnknownPlug) as error:
            raise click.UsageError(str(error)) from error
        except GeoAgentError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="geoagent")
def main() -> None:
    """Where was this photo taken? An explained, calibrated answer, on your own machine.

    \b
    Example:
      geoagent locate examples/photos/de_koeln.jpg
    """


def agent_options(command: Any) -> Any:
    """Add the options that say how an agent is put together; `load_agent` takes them."""
    options = [
        click.option(
            "--world", type=click.Path(path_type=Path), help="Folder of a world; the starter world by default."
        ),
        click.option("--config", type=click.Path(path_type=Path), help="TOML file of settings; flags win over it."),
        click.option("--ocr", metavar="NAME", help="OCR engine (auto, rapidocr, tesseract, paddle, nothing, …)."),
        click.option("--thorough", is_flag=True, help="Add the costlier passes of reading: turned, enlarged."),
        click.option("--language", metavar="NAME", help="Identifier of languages (py3langid, fasttext, langdetect)."),
        click.option("--no-text", is_flag=True, help="Do not read the text in the photo."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def load_agent(settings: dict[str, Any]) -> GeoAgent:
    """An agent from flags; what was not given is left to the configuration file."""
    from geoagent.agent import GeoAgent

    config = settings.pop("config", None)
    thorough = settings.pop("thorough", False)
    if thorough:
        settings["ocr"] = {"name": settings.get("ocr") or "auto", "thorough": True}
    if settings.pop("no_text", False):
        settings["ocr"] = "nothing"
    within = settings.pop("within", None)
    chosen = {name: value for name, value in settings.items() if value is not None}
    if within is not None:
        chosen["within"] = tuple(code for code in within.split(",") if code.strip())
    return GeoAgent.load(config, **chosen)

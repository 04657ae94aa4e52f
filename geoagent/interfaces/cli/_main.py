"""The command group, and options shared by commands."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent import __version__
from geoagent.interfaces.cli._params import READ, WORLD

if TYPE_CHECKING:
    from geoagent.agent.core import GeoAgent
    from geoagent.config import Config


class _OneLine(click.Group):
    """Turn our own errors into one line and exit code 1 (usage: 2); other exceptions keep their traceback: bugs."""

    def invoke(self, ctx: click.Context) -> Any:
        from geoagent.errors import ConfigError, GeoAgentError, UnknownPlug
        from geoagent.filenames import safe

        try:
            return super().invoke(ctx)
        except (ConfigError, UnknownPlug) as error:
            raise click.UsageError(safe(str(error))) from error
        except GeoAgentError as error:
            raise click.ClickException(safe(str(error))) from error


@click.group(cls=_OneLine, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="geoagent")
def main() -> None:
    """Where was this photo taken? An explained, calibrated answer, on your own machine.

    \b
    Example:
      geoagent locate examples/photos/de_koeln.jpg
    """


@contextmanager
def photo_errors(source: Path | None, as_json: bool) -> Iterator[None]:
    """With --json, print an error about a photo as a row too, as `locate --json` does, then re-raise it."""
    from geoagent.errors import GeoAgentError
    from geoagent.filenames import safe, written

    try:
        yield
    except GeoAgentError as error:
        if as_json:
            row = {"source": None if source is None else written(source), "status": "error", "error": safe(str(error))}
            click.echo(json.dumps(row, ensure_ascii=False))
        raise


def agent_options(command: Any) -> Any:
    """Add the options that configure an agent; `load_agent` takes them."""
    options = [
        click.option(
            "--world",
            type=WORLD,
            help="Folder or name of a world; by default the one that `geoagent get` made, else the starter world.",
        ),
        click.option("--config", type=READ, help="TOML file of settings; flags override it."),
        click.option("--ocr", metavar="NAME", help="OCR engine (auto, rapidocr, tesseract, paddle, nothing, …)."),
        click.option("--thorough", is_flag=True, help="Also read the photo turned and enlarged; slower."),
        click.option("--language", metavar="NAME", help="Language identifier (py3langid, fasttext, langdetect)."),
        click.option("--no-text", is_flag=True, help="Do not read the text in the photo."),
        click.option(
            "--llm",
            metavar="NAME[,k=v]",
            help="Use a language model, e.g. openai_compatible,model=M,base_url=URL; none by default.",
        ),
        click.option(
            "--llm-sees-picture", is_flag=True, help="Also send it a small copy of the picture, without EXIF."
        ),
        click.option("--narrative", is_flag=True, help="Let it phrase the explanation, checked against the evidence."),
        click.option(
            "--investigate",
            type=click.IntRange(0, 20),
            metavar="N",
            help="Let it investigate an undecided photo, at most N steps.",
        ),
        click.option("--dry-run", is_flag=True, help="Print exactly what would be sent to it, without sending."),
        click.option("--offline", is_flag=True, help="Make no network calls."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def load_agent(settings: dict[str, Any]) -> GeoAgent:
    """Load an agent from flags; the configuration file fills in the rest."""
    from geoagent.agent.core import GeoAgent

    return GeoAgent.load(load_config(settings))


def load_config(settings: dict[str, Any]) -> Config:
    """Load a configuration from flags; the file of `--config` fills in the rest."""
    from geoagent.config import Config

    config = settings.pop("config", None)
    thorough = settings.pop("thorough", False)
    if thorough:
        settings["ocr"] = {"name": settings.get("ocr") or "auto", "thorough": True}
    if settings.pop("no_text", False):
        settings["ocr"] = "nothing"
    if settings.pop("offline", False):
        settings["offline"] = True
        os.environ["HF_HUB_OFFLINE"] = "1"  # encoders access the model hub through their own client
    uses = {
        "sees_picture": settings.pop("llm_sees_picture", False),
        "narrative": settings.pop("narrative", False),
        "investigate": settings.pop("investigate", None),
        "dry_run": settings.pop("dry_run", False),
    }
    uses = {name: value for name, value in uses.items() if value}
    settings["llm"] = parse_plug("--llm", settings.get("llm"))
    if uses:
        base = Config.load(config) if config is not None else Config()
        if settings["llm"] is None and base.llm is None:
            flag = {"sees_picture": "llm-sees-picture", "dry_run": "dry-run"}.get(next(iter(uses)), next(iter(uses)))
            raise click.UsageError(f"--{flag} needs a language model: --llm NAME")
        settings["llm_use"] = {**base.llm_use.model_dump(), **uses}
    within, exclude = settings.pop("within", None), settings.pop("exclude", None)
    chosen = {name: value for name, value in settings.items() if value is not None}
    for name, areas in (("within", within), ("exclude", exclude)):
        if areas is not None:
            chosen[name] = tuple(area for area in areas.split(",") if area.strip())
    return Config.load(config, **chosen) if config is not None else Config.make(chosen)


def parse_plug(option: str, text: str | None) -> dict[str, Any] | None:
    """Turn "onnx,model=a.onnx,size=224" into {"name": "onnx", "model": "a.onnx", "size": 224}."""
    if text is None:
        return None
    name, *options = text.split(",")
    plug: dict[str, Any] = {"name": name.strip()}
    for each in options:
        key, equals, value = each.partition("=")
        if not equals:
            raise click.UsageError(f"{option}: expected option=value, got {each!r}")
        plug[key.strip()] = int(value) if value.isdigit() else float(value) if _is_float(value) else value
    return plug


def _is_float(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True

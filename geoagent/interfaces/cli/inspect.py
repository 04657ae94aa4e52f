"""Commands that inspect: a photo's text, this installation, the answer's schema, prompts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from textwrap import TextWrapper, fill
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._main import agent_options, load_agent, photo_errors
from geoagent.interfaces.cli._params import PHOTOS, READ

if TYPE_CHECKING:
    from geoagent.types import Cue, Place, TextEvidence

_SHOWN = 8
"""Places of a constraint that are printed."""


def _languages(region: int, cues: Sequence[Cue]) -> list[str]:
    """Identified languages of a region, most probable first."""
    return [lang for cue in cues if cue.kind == "language" and region in cue.regions for lang in cue.value.split()]


@click.command()
@click.argument("photo", type=PHOTOS)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@agent_options
def read(photo: Path, as_json: bool, **settings: Any) -> None:
    """Print the text evidence of a photo: regions, scripts, languages, cues and constraints, without an answer.

    \b
    Example:
      geoagent read photo.jpg --json
    """
    from geoagent.evidence.photos import open_photo

    agent = load_agent(settings)
    with photo_errors(photo, as_json):
        opened = open_photo(photo)
        text = agent.read(opened)
    report = {
        "source": opened.source,
        "regions": [
            {
                "text": r.text,
                "polygon_px": r.polygon_px.round(1).tolist(),
                "confidence": round(r.confidence, 3),
                "script": r.script,
                "languages": _languages(i, text.cues),
                "panel": r.panel or None,
            }
            for i, r in enumerate(text.regions)
        ],
        "unread": [{"polygon_px": r.polygon_px.round(1).tolist()} for r in text.unread],
        "cues": [
            {
                "kind": c.kind,
                "value": c.value,
                "says": c.says,
                "regions": list(c.regions),
                "strength": round(c.strength, 3),
            }
            for c in text.cues
        ],
        "constraints": [
            {
                "kind": c.kind,
                "value": c.value,
                "reliability": round(c.reliability, 3),
                "places": [
                    {"name": place.name, "country": place.country, "level": place.level, "p": round(float(weight), 3)}
                    for place, weight in zip(c.places[:_SHOWN], c.weights[:_SHOWN], strict=True)
                ],
            }
            for c in text.constraints
        ],
        "warnings": [*opened.warnings, *text.warnings],
    }
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    _tell(text)
    for warning in report["warnings"]:
        click.echo(f"Warning: {warning}", err=True)


def _place(place: Place) -> str:
    """The name of a place with that of its country, once."""
    from geoagent.interfaces.render.names import country_name

    return ", ".join(dict.fromkeys((place.name, country_name(place.country))))


def _tell(text: TextEvidence) -> None:
    """How much was read and what speaks for a place, then the lines, the cues and what is believed of each."""
    from rich.console import Console
    from rich.text import Text

    from geoagent.belief.explanation import named_value
    from geoagent.evidence.cues.language_names import language_name, script_name
    from geoagent.interfaces.render import percent_text, shown
    from geoagent.interfaces.render.text import plain_table

    console = Console(highlight=False)
    read, cues = len(text.regions), len(text.cues)
    if not read:
        console.print(Text("No text found.", "bold"))
        return
    lines = f"{read} line{'' if read == 1 else 's'} of text"
    speak = f"{cues} cue{'' if cues == 1 else 's'} to where it is" if cues else "none of it speaks for a place"
    console.print(Text(f"{lines}, {speak}", "bold"))
    table = plain_table(("", "right", 2), ("text", "left", None), ("script, language, sureness, ground", "left", None))
    for i, region in enumerate(text.regions):
        spoken = " or ".join(map(language_name, _languages(i, text.cues)))
        notes = [part for part in dict.fromkeys((script_name(region.script), spoken)) if part]
        notes.append(f"{percent_text(region.confidence)} sure")
        notes += [f"on {region.panel}"] if region.panel else []
        table.add_row(str(i), Text(shown(region.text)), Text(", ".join(notes), "dim"))
    console.print(table)
    if text.cues:
        table = plain_table(("cue", "left", 8), ("what it says", "left", None), ("in", "left", 2))
        for cue in text.cues:
            table.add_row(Text(cue.kind, "cyan"), Text(shown(cue.says)), ", ".join(map(str, cue.regions)))
        console.print()
        console.print(table)
    if text.constraints:
        table = plain_table(("", "left", 8), ("", "left", None), ("believed", "right", 8), ("places", "left", None))
        for constraint in text.constraints:
            ranked = sorted(zip(constraint.places, constraint.weights, strict=True), key=lambda pair: -pair[1])[:3]
            places = "; ".join(f"{_place(place)} {percent_text(float(weight))}" for place, weight in ranked)
            sure = percent_text(constraint.reliability)
            table.add_row(
                Text(constraint.kind, "cyan"),
                Text(shown(named_value(constraint.kind, constraint.value))),
                sure,
                Text(shown(places)),
            )
        console.print()
        console.print(table)


@click.command()
@click.option("--config", type=READ, help="TOML file of settings to examine as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(config: Path | None, as_json: bool) -> None:
    """Report what is installed, which scripts can be read, and what to install for more.

    With --config, models that the settings name by path are opened too: ocr = {name = "rapidocr", models = "models/"}.

    \b
    Examples:
      geoagent doctor --json
      geoagent doctor --config geoagent.toml
    """
    from geoagent.config import Config
    from geoagent.interfaces.doctor import examine, in_words

    report = examine(Config.load(config) if config is not None else None)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    lay = TextWrapper(
        width=shutil.get_terminal_size().columns,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    headline, sections = in_words(report)
    click.echo(fill(headline, width=lay.width))
    for section, lines in sections.items():
        click.echo(click.style(f"\n{section}", bold=True))
        for line in lines:
            # A command that is broken into lines cannot be copied.
            click.echo(f"  {line}" if "geoagent locate " in line else lay.fill(line))


@click.command()
def schema() -> None:
    """Print the JSON Schema of an answer.

    \b
    Example:
      geoagent schema > answer.schema.json
    """
    from geoagent.answer import Answer

    click.echo(json.dumps(Answer.model_json_schema(by_alias=True), indent=2))


@click.group()
def prompts() -> None:
    """Show and check the prompts for a language model.

    \b
    Example:
      geoagent prompts show constraints.v1
    """


@prompts.command()
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str | None, as_json: bool) -> None:
    """Print a prompt, or the names of all.

    \b
    Example:
      geoagent prompts show constraints.v1 --json
    """
    from geoagent.prompts import Prompt, names

    if name is None:
        click.echo(json.dumps(list(names())) if as_json else "\n".join(names()))
        return
    prompt = Prompt.load(name)
    types = {variable: prompt.types.get(variable, "text") for variable in prompt.variables}
    if as_json:
        click.echo(json.dumps({"name": prompt.name, "variables": types, "text": prompt.text}, ensure_ascii=False))
        return
    for variable, kind in types.items():
        click.echo(f"${variable}: {kind}")
    click.echo(prompt.text, nl=False)


@prompts.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(folder: Path | None, as_json: bool) -> None:
    """Check every prompt: its name, variables, types and messages.

    \b
    Example:
      geoagent prompts check
    """
    from geoagent.errors import ConfigError
    from geoagent.prompts import Prompt, names

    found: dict[str, list[str]] = {}
    for name in names(folder):
        try:
            found[name] = Prompt.load(name, folder).problems()
        except ConfigError as error:
            found[name] = [str(error)]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    for name, wrong in found.items() if not as_json else ():
        click.echo(f"{name}: {'; '.join(wrong) or 'sound'}")
    if any(found.values()) or not found:
        raise click.exceptions.Exit(1)

"""Commands that look: at a photo's text, at this installation, at the answer's schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from geoagent.cli._main import agent_options, load_agent


@click.command()
@click.argument("photo", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@agent_options
def read(photo: Path, as_json: bool, **settings: Any) -> None:
    """Print what a photo's text says: regions, scripts, languages and cues, without an answer.

    \b
    Example:
      geoagent read photo.jpg --json
    """
    from geoagent.photos import open_photo

    agent = load_agent(settings)
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
            }
            for r in text.regions
        ],
        "cues": [{"kind": c.kind, "value": c.value, "says": c.says, "regions": list(c.regions)} for c in text.cues],
        "warnings": [*opened.warnings, *text.warnings],
    }
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for i, region in enumerate(text.regions):
        click.echo(f"[{i}] {region.text}   ({region.script}, {region.confidence:.2f})")
    if not text.regions:
        click.echo("no text found")
    for cue in text.cues:
        click.echo(f"  {cue.kind}: {cue.says}")
    for warning in report["warnings"]:
        click.echo(f"Warning: {warning}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> None:
    """Say what is installed, which scripts can be read, and what to install for more.

    \b
    Example:
      geoagent doctor --json
    """
    from geoagent.doctor import examine

    report = examine()
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for section, rows in report.items():
        click.echo(click.style(section.replace("_", " "), bold=True))
        if isinstance(rows, dict):
            for name, value in rows.items():
                click.echo(f"  {name}: {value}")
        else:
            for row in rows:
                click.echo(f"  {row}")


@click.command()
def schema() -> None:
    """Print the JSON Schema of an answer.

    \b
    Example:
      geoagent schema > answer.schema.json
    """
    from geoagent.answer import Answer

    click.echo(json.dumps(Answer.model_json_schema(by_alias=True), indent=2))

"""`geoagent verify`: checking a claim about a photo."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geoagent.interfaces.cli._main import agent_options, load_agent, photo_errors
from geoagent.interfaces.cli._params import PHOTOS, value_of

if TYPE_CHECKING:
    from geoagent.agent.verification import Verification

EXIT = {"supported": 0, "consistent": 0, "contradicted": 3, "undecided": 4}
"""Exit codes by verdict; 1 and 2 mean an error and wrong usage, as everywhere."""


@click.command()
@click.argument("photo", type=PHOTOS, required=False)
@click.option("--claim", required=True, metavar="PLACE", help='"Kyiv, Ukraine", coordinates, or exif.')
@click.option(
    "--text", "lines", multiple=True, metavar="LINE", help="Text of a photo, without the photo; repeat per line."
)
@click.option("--hint", metavar="TEXT", help="What you believe about the place, in words.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@agent_options
def verify(
    photo: Path | None, claim: str, lines: tuple[str, ...], as_json: bool, hint: str | None, **settings: Any
) -> None:
    """Check a claim about where a photo was taken.

    Coordinates are LAT,LON[,RADIUS_KM], 36 deg 48' 14.54" S, 174 deg 43' 35.34" E, geo: URIs, links of maps,
    ISO 6709, WKT and GeoJSON points, MGRS (extra coordinates) and plus codes.

    Exit codes: 0 supported or consistent, 3 contradicted, 4 undecided; 1 an error, 2 wrong usage.

    \b
    Examples:
      geoagent verify photo.jpg --claim "Kyiv, Ukraine"
      geoagent verify photo.jpg --claim 50.45,30.52,10 --json
      geoagent verify photo.jpg --claim exif
    """
    from geoagent.agent.claims import read_claims
    from geoagent.agent.disclosure import permitted

    if (photo is None) == (not lines):
        raise click.UsageError("give either a photo or its text by --text")
    agent = load_agent({**settings, "hint": hint})
    if claim.strip().casefold() != "exif":
        with value_of("--claim"):
            permitted(read_claims(claim, agent.assets.gazetteer, agent.assets.world), agent.config.max_precision)
    with photo_errors(photo, as_json):
        found = agent.verify(agent.observe(photo) if photo is not None else agent.observe_text(lines), claim)
    if as_json:
        click.echo(found.to_json())
    else:
        _show(found)
    sys.exit(EXIT[found.verdict])


def _show(found: Verification) -> None:
    """The verdict and why in words; then what speaks for and against the claim, and what photos from there show."""
    from rich.console import Console
    from rich.text import Text

    from geoagent.evidence.cues.language_names import language_name
    from geoagent.interfaces.render import nats_text, shown
    from geoagent.interfaces.render.text import plain_table

    console = Console(highlight=False)
    console.print(Text.assemble((f"{found.verdict.capitalize()}: ", "bold"), shown(found.understood)))
    console.print(Text(shown(found.says)))
    rows = [w for w in found.evidence if abs(w.nats) >= 0.05]
    if rows:
        than = f", weighed against {shown(found.instead)}" if found.instead else ""
        table = plain_table(("nats", "right", 5), ("", "left", None))
        for row in sorted(rows, key=lambda row: -abs(row.nats)):
            style = "green" if row.nats > 0 else "red"
            table.add_row(Text(nats_text(row.nats), style), Text(shown(row.says)))
        console.print()
        console.print(Text(f"What speaks for (+) and against (−) it{than}"))
        console.print(table)
    if found.expected:
        table = plain_table(("", "left", 14), ("", "left", None))
        for each in found.expected:
            what = " or ".join(map(language_name, each.what.split())) if each.kind == "language" else each.what
            here = f" (here: {shown(each.here)})" if each.here and each.here != each.what else ""
            table.add_row(each.status, Text.assemble((each.kind, "cyan"), f": {shown(what)}{here}"))
        console.print()
        console.print(Text("What a photo from there tends to show"))
        console.print(table)
    for warning in found.warnings:
        console.print(Text(f"Warning: {shown(warning)}", "yellow"))

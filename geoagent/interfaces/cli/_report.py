"""Writing the report of `geoagent locate --report`."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

if TYPE_CHECKING:
    from geoagent.agent.core import GeoAgent
    from geoagent.answer import Answer

OUTPUTS = frozenset(
    {"as_json", "compare", "map_path", "annotated", "report", "out", "retry_errors", "retry_partial", "redo"}
)
"""Options that set where an answer is written, not its content."""
_TELLING = frozenset({"hint", "within", "exclude"})


def write_report(answer: Answer, target: Path, agent: GeoAgent, *, command: str, capped: bool) -> None:
    """Write the report of one answer; of a capped one without the photo and what would identify it.

    It is made to be handed on, so the photo goes by its name, not by where it lies on this machine.
    """
    from geoagent.evidence.photos import open_photo
    from geoagent.filenames import path_of, written
    from geoagent.interfaces.outputs import whole
    from geoagent.interfaces.render.report import report_html

    source = path_of(answer.source)
    page = report_html(
        answer.model_copy(update={"source": written(source.name)}),
        photo=None if capped else open_photo(source),
        outlines=agent.assets.gazetteer.outlines(),
        command=command,
        gazetteer=agent.assets.gazetteer,
        card=agent.assets.world.card,
        digest=None if capped else _digest(source),
        made=datetime.now(UTC).date(),
    )
    with whole(target) as temporary:
        temporary.write_text(page, "utf-8")


def command_again(context: click.Context, *, leave_out: Collection[str] = OUTPUTS, capped: bool = False) -> str:
    """Return the command that was given, without the options in `leave_out`; photos go by their names.

    Args:
        context: of the command.
        leave_out: names of parameters.
        capped: put "…" for what the user said about the place, which a capped answer must not tell.
    """
    from geoagent.filenames import safe, written

    arguments: list[str] = []
    options: list[str] = []
    for parameter in context.command.params:
        name = parameter.name or ""
        value = context.params.get(name)
        if name in leave_out or context.get_parameter_source(name) is ParameterSource.DEFAULT or value is None:
            continue
        if isinstance(parameter, click.Argument):
            arguments += [
                written(Path(each).name or each) for each in (value if isinstance(value, tuple) else (value,))
            ]
        elif getattr(parameter, "is_flag", False):
            options += [parameter.opts[0]] if value else []
        else:
            options += [parameter.opts[0], "…" if capped and name in _TELLING else safe(str(value))]
    if any(each.startswith("-") for each in arguments):
        return shlex.join(["geoagent", str(context.info_name), *options, "--", *arguments])
    return shlex.join(["geoagent", str(context.info_name), *arguments, *options])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

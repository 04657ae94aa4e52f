"""Make docs/api.md, the page of the public Python API, from the docstrings and annotations in the source.

    python docs/make_api.py

Nothing is imported: the page is the same with and without optional packages. `tests/test_site.py` checks that it is
current.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "api.md"
INTRODUCTION = """\
# Python API

Everything that programs may rely on. The names under “Start here” are imported from `geoagent`, all others from the
module that is given. Coordinates are WGS 84 degrees, latitude first; distances are kilometres. The package is typed
(`py.typed`) and checked with `mypy --strict`. An agent may be used from any number of threads.

```python
from geoagent import GeoAgent

agent = GeoAgent.load()
answer = agent.locate("photo.jpg")
```

The commands have pages of their own (`geoagent COMMAND --help`), the JSON answer a schema (`geoagent schema`).
"""
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start here": (
        "agent.core.GeoAgent", "answer.Answer", "interfaces.outputs.frame.answers_to_frame", "types.photo.Photo",
        "places.geo.LatLon", "config.Config", "worlds.world.World", "places.gazetteer.gazetteer.Gazetteer",
    ),
    "Parts of an answer": (
        "answer.Best", "answer.CountryShare", "answer.Prediction", "answer.Alternative", "answer.CueReport",
        "answer.CuePlace", "answer.RegionReport", "answer.UnreadReport", "answer.NeighbourReport",
        "answer.CredibleSet", "answer.Comparison", "answer.ExifGps", "answer.AlbumReport", "answer.AlbumWitness",
        "answer.LlmReport",
    ),
    "Claims": ("agent.verification.Verification", "agent.verification.Weighed", "agent.verification.OtherReading"),
    "Photos and what was seen in them": (
        "evidence.photos.open_photo", "evidence.decoding.picture_of", "evidence.photos.what_it_says",
        "evidence.observation.Observation", "types.photo.TextRegion", "evidence.tracks.read_track",
        "agent.albums.AlbumSettings", "filenames.written", "filenames.path_of",
    ),
    "Answers as files and pages": (
        "interfaces.outputs.read_answers", "interfaces.outputs.write", "interfaces.outputs.geojson.feature_collection",
        "interfaces.outputs._row.Row", "interfaces.outputs._row.row_of", "interfaces.outputs.xmp.write",
        "interfaces.outputs.exiftool.write", "interfaces.render.map.map_html", "interfaces.render.report.report_html",
        "interfaces.render.annotate.annotate", "agent.disclosure.disclose",
    ),
    "Worlds": (
        "worlds.training.table.read_table", "worlds.training.places_table.Table", "worlds.training.train.TrainSettings",
        "worlds.training.train.train", "worlds.evaluation.evaluate.evaluate",
    ),
    "Parts of your own": (
        "protocols.Assets", "protocols.OcrEngine", "protocols.Encoder", "protocols.ConstraintSource",
        "protocols.LanguageModel", "protocols.NeighbourSearch", "protocols.Refiner", "plugs.build", "plugs.names",
    ),
}  # fmt: skip
_PUBLIC = {"geoagent." + module: f"geoagent.{module.rpartition('._row')[0]}" for module in ("interfaces.outputs._row",)}
_AT_HOME = ("places.gazetteer.gazetteer", "types.photo")
_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$")


def page() -> str:
    """Return the text of the page."""
    parts = [INTRODUCTION]
    for title, names in SECTIONS.items():
        parts.append(f"\n## {title}\n")
        for name in names:
            parts += entry(name, short=title == "Start here")
    parts.append("\n## Errors\n")
    parts.append("All of them are in `geoagent.errors`.\n")
    tree = ast.parse(source("errors").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = ", ".join(f"`{ast.unparse(base)}`" for base in node.bases)
            parts.append(f"- `{node.name}` ({bases}): {first_line(node)}")
    return re.sub("\n{3,}", "\n\n", "\n".join(parts)).rstrip() + "\n"


def source(module: str) -> Path:
    """Return the file of a module, by its dotted name without `geoagent`."""
    base = ROOT / "geoagent" / Path(*module.split("."))
    return base / "__init__.py" if base.is_dir() else base.with_suffix(".py")


def entry(name: str, *, short: bool) -> Iterator[str]:
    """Describe one class or function by its dotted name."""
    module, _, own = name.rpartition(".")
    for node in ast.parse(source(module).read_text("utf-8")).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == own and not overload(node):
            break
    else:
        raise LookupError(f"no {name} in the source")
    home = "geoagent" if short else "geoagent." + next((h.rpartition(".")[0] for h in _AT_HOME if h == module), module)
    home = _PUBLIC.get(home, home)
    yield f"\n### {own}\n"
    yield f"`from {home} import {own}`\n"
    if isinstance(node, ast.FunctionDef):
        yield signature(node)
        yield from described(node)
        return
    yield from described(node)
    fields = [child for child in node.body if is_field(child)]
    told = "Attributes:" in (ast.get_docstring(node) or "")
    if fields and not told:
        for field in fields:
            yield field_line(field)
        yield ""
    for child in node.body:
        if isinstance(child, ast.FunctionDef) and (not child.name.startswith("_") or child.name == "__call__"):
            yield f"\n#### {own}.{child.name}\n"
            yield signature(child)
            yield from described(child)


def overload(node: ast.ClassDef | ast.FunctionDef) -> bool:
    """Whether it is a signature for type checkers alone."""
    return any(ast.unparse(mark) == "overload" for mark in node.decorator_list)


def is_field(node: ast.stmt) -> bool:
    """Whether a statement of a class is a public field with a type."""
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.endswith("_")


def field_line(node: ast.stmt) -> str:
    """A field of a model, with its type and the description given in the source."""
    assert isinstance(node, ast.AnnAssign)
    says = ""
    if isinstance(node.value, ast.Call):
        found = [word.value for word in node.value.keywords if word.arg == "description"]
        says = f": {found[0].value}" if found and isinstance(found[0], ast.Constant) else ""
    return f"- `{ast.unparse(node.target)}` (`{ast.unparse(node.annotation)}`){says}"


def signature(node: ast.FunctionDef) -> str:
    """A function's signature as a block of Python; properties are shown as attributes."""
    marks = {ast.unparse(mark).partition("(")[0] for mark in node.decorator_list}
    returns = ast.unparse(node.returns) if node.returns is not None else "None"
    if marks & {"property", "cached_property"}:
        return f"```python\n{node.name}: {returns}\n```\n"
    own = ast.parse(ast.unparse(node.args).join(("def f(", "): ..."))).body[0]
    assert isinstance(own, ast.FunctionDef)
    if own.args.args and own.args.args[0].arg in ("self", "cls"):
        own.args.args.pop(0)
    said = f"def {node.name}({ast.unparse(own.args)}) -> {returns}"
    if len(said) > 100:
        said = f"def {node.name}(\n    {_parted(own.args)},\n) -> {returns}"
    mark = "@classmethod\n" if "classmethod" in marks else ""
    return f"```python\n{mark}{said}\n```\n"


def _parted(arguments: ast.arguments) -> str:
    """Arguments one a line: at commas outside of brackets and strings."""
    text, depth, quoted, parts = ast.unparse(arguments), 0, "", [""]
    for sign in text:
        quoted = "" if sign == quoted else quoted or (sign if sign in "'\"" else "")
        depth += 0 if quoted else (sign in "([{") - (sign in ")]}")
        if sign == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += sign
    return ",\n    ".join(part.strip() for part in parts)


def first_line(node: ast.ClassDef | ast.FunctionDef) -> str:
    """The first sentence of a docstring, on one line."""
    return " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())


def described(node: ast.ClassDef | ast.FunctionDef) -> Iterator[str]:
    """A docstring in Google's style as Markdown: its sections become lists."""
    inside = ""
    for line in (ast.get_docstring(node) or "").splitlines():
        if found := _SECTION.match(line):
            inside = found[1]
            yield f"\n**{inside}**\n"
        elif not inside or not line.strip():
            yield line
        elif re.match(r" {4}\S", line):
            name, colon, says = line.strip().partition(": ")
            if inside in ("Returns", "Yields"):
                yield line.strip()
            else:
                yield f"- `{name}`: {says}" if colon else f"- {line.strip()}"
        else:
            yield f"  {line.strip()}"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")

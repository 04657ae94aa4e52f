"""Layers: a module imports only from lower layers or its own folder, and plugs never import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "geoagent"
LAYERS = [
    {"errors"},
    {"filenames", "optional", "resources", "plugs", "places.geo", "evidence.scripts", "evidence.quiet"},
    {"places.coordinates", "places.zones", "types", "tables", "config", "prompts"}
    | {"evidence.llm_messages", "evidence.llm_log"},
    {"places.geocells", "places.gazetteer", "evidence.photos", "evidence.folders", "evidence.opening", "evidence.raw"}
    | {"evidence.decoding", "evidence.exif", "evidence.gps", "evidence.copied"}
    | {"evidence.capture", "evidence.taken", "evidence.named_times", "evidence.takeout", "evidence.forms"}
    | {"evidence.tracks", "evidence.location_history"}
    | {"evidence.video"},
    {
        "answer",
        "protocols",
        "evidence.cues",
        "evidence.observation",
        "evidence.legibility",
        "evidence.privacy",
        "evidence.untrusted",
        "evidence.quantised",
        "evidence.saved",
        "worlds.home",
        "worlds.world",
        "worlds.head",
        "worlds.lens",
        "worlds.gallery",
        "belief",
    },
    {
        "evidence.encoders",
        "evidence.ocr",
        "evidence.llm",
        "evidence.constraints",
        "worlds.search",
        "belief.refiners",
        "album",
    },
    {"agent"},
    {
        "worlds.catalogue",
        "worlds.downloads",
        "worlds.eyes",
        "worlds.hub",
        "worlds.installed",
        "worlds.training",
        "worlds.evaluation",
        "evidence.ocr.training",
        "interfaces",
    },
    {"interfaces.cli", "__main__"},
]
PLUGS = LAYERS[5] - {"album"}
HEAVY = {
    "torch",
    "torchvision",
    "open_clip",
    "paddleocr",
    "fastapi",
    "starlette",
    "uvicorn",
    "mcp",
    "ray",
    "geopandas",
    "faiss",
    "openai",
}
ALLOWED = {("places.geocells", "geopandas")}  # reading polygons of the user's own is part of building geocells
LAYER = {name: i for i, layer in enumerate(LAYERS) for name in layer}
PACKAGES = {"places", "evidence", "belief", "worlds", "album", "agent", "interfaces"}
MODULES = sorted(
    p for p in ROOT.rglob("*.py") if p.name != "__init__.py" or p.parent.name not in {"geoagent", *PACKAGES}
)


def unit(module: str) -> str:
    """The longest entry of the layers that a dotted name (without `geoagent.`) belongs to."""
    parts = module.split(".")
    for n in range(len(parts), 0, -1):
        if (name := ".".join(parts[:n])) in LAYER:
            return name
    raise AssertionError(f"{module} has no layer")


def imports(path: Path) -> list[tuple[str, bool]]:
    """Dotted names that a module imports, and whether only for types."""
    found = []
    tree = ast.parse(path.read_text("utf-8"))
    typing_only = {
        id(node)
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in typing_only) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module.removeprefix("geoagent.") in {"geoagent", *PACKAGES}:
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name, id(node) in typing_only) for name in names]
    return found


def dotted(path: Path) -> str:
    """`belief/fusion.py` as `belief.fusion`."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def test_every_module_has_a_layer():
    for path in MODULES:
        unit(dotted(path))


def test_the_top_level_is_a_dozen_modules_and_six_packages():
    assert len(list(ROOT.glob("*.py"))) <= 12
    assert {p.name for p in ROOT.iterdir() if p.is_dir()} - {"_data", "__pycache__", "types"} == PACKAGES


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_down(path: Path):
    home = unit(dotted(path))
    for name, typing_only in imports(path):
        if name.split(".")[0] in HEAVY and not typing_only and (home, name.split(".")[0]) not in ALLOWED:
            assert LAYER[home] in (5, 7), f"{path.name} imports {name}; heavy packages belong to layers 5 and 7"
        inner = name.removeprefix("geoagent.")
        if inner == name or inner == "__version__" or typing_only:
            continue
        there = unit(inner)
        if there != home:
            assert LAYER[there] <= LAYER[home], f"{path.name} (layer {LAYER[home]}) imports {name}"
            assert not (there in PLUGS and home in PLUGS), f"{path.name} imports {name}: plugs never import each other"
        elif home in PLUGS:
            # A plug may use what its folder shares: the package itself, or a module with a leading underscore.
            shared = inner == home or inner.removeprefix(home + ".").startswith("_")
            assert shared, f"{dotted(path)} imports {name}: plugs never import each other"

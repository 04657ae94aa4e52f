"""The house's floors: a module imports only from lower floors or its own folder, and plugs never import each other."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1] / "geoagent"
FLOORS = [
    {"errors"},
    {"optional", "resources", "plugs", "geo", "scripts"},
    {"types", "config", "prompts", "chat", "ledger"},
    {"geocells", "gazetteer", "photos", "exif"},
    {
        "head",
        "lens",
        "gallery",
        "world",
        "stages",
        "answer",
        "calibrate",
        "cues",
        "fusion",
        "explain",
        "conclude",
        "conformal",
        "spread",
        "metrics",
        "disclose",
        "fingerprint",
        "untrusted",
        "privacy",
        "observed",
        "hints",
        "pooling",
        "ranking",
        "candidates",
        "claims",
    },
    {"encoders", "ocr", "llm", "constraints", "search", "refiners"},
    {"agent", "settle", "compose", "account", "parts", "narrate", "investigate", "advice", "verify"},
    {"training", "evaluation", "web", "render", "outputs", "batch", "doctor", "worlds"},
    {"cli", "__main__"},
]
PLUGS = FLOORS[5]
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
ALLOWED = {("geocells", "geopandas")}  # reading polygons of the user's own is part of building geocells
FLOOR = {name: i for i, floor in enumerate(FLOORS) for name in floor}
MODULES = sorted(p for p in ROOT.rglob("*.py") if p.parent != ROOT or p.name != "__init__.py")


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
            if node.module == "geoagent":
                names = [f"geoagent.{alias.name}" for alias in node.names]
            found += [(name, id(node) in typing_only) for name in names]
    return found


def test_every_module_has_a_floor():
    assert {p.relative_to(ROOT).parts[0].removesuffix(".py") for p in MODULES} - {"_data"} <= set(FLOOR)


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_down(path: Path):
    home = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for name, typing_only in imports(path):
        parts = name.split(".")
        if parts[0] in HEAVY and not typing_only and (home, parts[0]) not in ALLOWED:
            assert FLOOR[home] in (5, 7), f"{path.name} imports {name}; heavy packages belong to floors 5 and 7"
        if parts[0] != "geoagent" or len(parts) < 2 or parts[1] == "__version__" or typing_only:
            continue
        there = parts[1]
        if there != home:
            assert FLOOR[there] <= FLOOR[home], f"{path.name} (floor {FLOOR[home]}) imports {name}"
            assert not (there in PLUGS and home in PLUGS), f"{path.name} imports {name}: plugs never import each other"
        elif home in PLUGS:
            # A plug may use what its folder shares: the package itself, or a module with a leading underscore.
            shared = len(parts) == 2 or parts[2].startswith("_")
            assert shared, f"{path.relative_to(ROOT)} imports {name}: plugs never import each other"

"""README and code keep each other honest."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from geoagent.interfaces.cli import main

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = [README, *(path.read_text("utf-8") for path in sorted(ROOT.glob("docs/*.md")) if path.name != "api.md")]


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_is_in_the_readme(command):
    assert f"geoagent {command}" in README


def test_python_in_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(ROOT)
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
    assert "Kraków PL" in capsys.readouterr().out


def every_command(group: click.Group) -> list[click.Command]:
    """All commands of a group, those of its groups included."""
    found: list[click.Command] = []
    for command in group.commands.values():
        found += every_command(command) if isinstance(command, click.Group) else [command]
    return found


def test_readme_is_short():
    assert README.count("\n") <= 200


def test_options_in_commands_of_readme_and_docs_exist():
    known = {opt for command in every_command(main) for p in command.params for opt in p.opts} | {"--version", "--help"}
    commands = [found for page in PAGES for found in re.findall(r"(?:^|`)geoagent [^\n`]*", page, re.MULTILINE)]
    assert len(commands) > 80
    for command in commands:
        shown = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", command.partition("#")[0]))
        assert shown <= known, command
    loose = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - known
    assert not loose


def test_files_named_in_the_readme_exist():
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target
    for example in re.findall(r"examples/photos/\w+\.jpg", README):
        assert (ROOT / example).exists(), example


def test_no_path_of_one_machine_stands_in_the_repository():
    bad = re.compile(r"(?<![\w.])/(?:work|root|home/\w+|tmp)/\w")
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("geoagent/**/*.py")]:
        assert not bad.search(path.read_text("utf-8")), path

"""The container recipe: what it says exists, and its command runs as it does there, as far as this machine can tell."""

from __future__ import annotations

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

pytest.importorskip("fastapi", reason="FastAPI or MCP is not installed (pip install 'geoagent-photo[web]')")
pytest.importorskip("prometheus_client", reason="prometheus_client is not installed (extra metrics)")

from server_process import PATHS, begun

from geoagent.interfaces.cli import main

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "examples" / "container"
SECRET = "correct-horse-battery-staple"


def instructions() -> list[tuple[str, str]]:
    """The instructions of the Dockerfile, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (FOLDER / "Dockerfile").read_text("utf-8"))
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


def only(word: str) -> str:
    (rest,) = [rest for each, rest in instructions() if each == word]
    return rest


def variables() -> dict[str, str]:
    """Environment of the last stage."""
    last = [rest for word, rest in instructions() if word == "ENV"][-1]
    return dict(pair.split("=", 1) for pair in shlex.split(last))


def test_each_instruction_is_known_and_the_base_is_plain() -> None:
    known = {"FROM", "ENV", "RUN", "WORKDIR", "COPY", "USER", "EXPOSE", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    assert {word for word, _ in instructions()} == known
    assert [rest for word, rest in instructions() if word == "FROM"] == [
        "python:3.11-slim AS build",
        "python:3.11-slim",
    ]


def test_it_runs_as_nobody_in_particular() -> None:
    words = [word for word, _ in instructions()]
    assert words.index("USER") < words.index("CMD")
    uid = only("USER")
    assert int(uid) >= 10_000
    assert any(f"--uid {uid} " in rest for word, rest in instructions() if word == "RUN")
    caches = {name: value for name, value in variables().items() if name in ("HOME", "XDG_CACHE_HOME")}
    assert all(value == "/tmp" or value.startswith("/tmp/") for value in caches.values())
    assert len(caches) == 2
    assert variables()["ORT_DISABLE_TELEMETRY"] == "1"


def test_what_is_installed_are_extras_of_this_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (install,) = [rest for word, rest in instructions() if word == "RUN" and "pip install" in rest]
    match = re.search(r'install "\.\[([\w,]+)\]"$', install)
    assert match is not None
    extras = match[1].split(",")
    assert set(extras) <= set(project["optional-dependencies"])
    assert {"web", "metrics"} <= set(extras)


def test_the_command_and_its_options_exist() -> None:
    assert json.loads(only("ENTRYPOINT")) == ["geoagent"]
    name, *arguments = json.loads(only("CMD"))
    command = main.commands[name]
    assert isinstance(command, click.Command)
    context = command.make_context(name, list(arguments))
    assert (context.params["host"], context.params["port"]) == ("0.0.0.0", int(only("EXPOSE")))
    assert context.params["metrics"] is True


def test_what_the_build_needs_is_sent_and_nothing_else() -> None:
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text("utf-8").split("\n")
    sent = [line[1:] for line in ignored if line.startswith("!")]
    assert "*" in ignored
    assert all((ROOT / path).exists() for path in sent)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    for path in (*wheel["packages"], *wheel["force-include"], "README.md", "LICENSE", "pyproject.toml"):
        assert any(path == each or path.startswith(f"{each}/") for each in sent), path


def test_compose_is_read_only_and_takes_the_token_from_a_secret() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    service = yaml.safe_load((FOLDER / "compose.yaml").read_text("utf-8"))["services"]["geoagent"]
    assert service["read_only"] is True
    assert service["tmpfs"] == ["/tmp"]
    assert (FOLDER / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
    assert service["environment"] == {"GEOAGENT_TOKEN_FILE": "/run/secrets/token"}
    assert service["ports"] == [f"127.0.0.1:{only('EXPOSE')}:{only('EXPOSE')}"]


@pytest.fixture
def frozen(tmp_path: Path) -> Iterator[Path]:
    """A working folder that nothing can be written to."""
    folder = tmp_path / "frozen"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    yield folder
    folder.chmod(stat.S_IRWXU)


def test_its_command_starts_is_healthy_and_writes_to_its_tmp_alone(tmp_path: Path, frozen: Path) -> None:
    token, tmp = tmp_path / "token", tmp_path / "tmp"
    token.write_text(SECRET, "utf-8")
    tmp.mkdir()
    env = {name: value.replace("/tmp", str(tmp)) for name, value in variables().items() if name != "PATH"}
    env |= {"PATH": os.environ["PATH"], "PYTHONPATH": PATHS, "GEOAGENT_TOKEN_FILE": str(token), "TMPDIR": str(tmp)}
    arguments = json.loads(only("CMD"))
    arguments[arguments.index("--port") + 1] = "0"
    command = [sys.executable, "-m", *json.loads(only("ENTRYPOINT")), *arguments, "--ocr", "nothing"]
    with begun(command, env, cwd=frozen) as here:
        check = re.search(r"CMD (\[.*\])$", only("HEALTHCHECK"))
        assert check is not None
        python, flag, code = json.loads(check[1])
        assert (python, flag) == ("python", "-c")
        assert f"127.0.0.1:{only('EXPOSE')}/health" in code
        code = code.replace(f"http://127.0.0.1:{only('EXPOSE')}", here.address)
        assert healthy(code, env) == 0
        assert healthy(code.replace("/health", "/metrics"), env) != 0  # behind the token
    assert healthy(code, env) != 0
    assert list(frozen.iterdir()) == []
    assert SECRET not in here.said


def test_without_a_token_it_does_not_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", *json.loads(only("ENTRYPOINT")), *json.loads(only("CMD"))]
    env: dict[str, Any] = {"PATH": os.environ["PATH"], "PYTHONPATH": PATHS, "HOME": str(tmp_path)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "set a token" in done.stderr


def healthy(code: str, env: dict[str, str]) -> int:
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, timeout=60, check=False)
    return done.returncode

"""The real commands as processes of their own, for the tests of the servers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
PATHS = os.pathsep.join([str(HERE), str(HERE.parent), *filter(None, [os.environ.get("PYTHONPATH")])])


@dataclass
class Process:
    """A server that runs.

    Attributes:
        address: what it said it is at, without a slash at its end.
        lines: what it has said.
    """

    address: str
    lines: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        return "".join(self.lines)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "geoagent", *arguments]


def environment(**variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "GEOAGENT_TOKEN"}
    return {**kept, "PYTHONPATH": PATHS, **variables}


def ended(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        command(*arguments), env=environment(**variables), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def served(*arguments: str, **variables: str) -> Iterator[Process]:
    """Run a command that serves, until the block ends; wait for its address."""
    with begun(command(*arguments), environment(**variables)) as here:
        yield here


@contextmanager
def begun(whole: Sequence[str], env: dict[str, str], cwd: Path | None = None) -> Iterator[Process]:
    """Run a whole command line that serves."""
    process = subprocess.Popen(whole, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    here, found = Process(""), threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            here.lines.append(line)
            match = re.search(r" at (http://\S+)", line)
            if match and not here.address:
                here.address = match[1].rstrip("/")
            if match:
                found.set()
        found.set()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        assert found.wait(120), here.said
        assert here.address, here.said
        yield here
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        finally:
            process.kill()
            process.wait(5)
            thread.join(10)
            if process.stdout is not None:
                process.stdout.close()

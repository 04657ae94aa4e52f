"""Prompts: versioned text files with `$variables`, filled in one pass."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from geoagent.errors import ConfigError
from geoagent.resources import data_dir

_NAME = re.compile(r"[a-z][a-z0-9_]*\.v[1-9][0-9]*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt.

    Attributes:
        name: with its version, "constraints.v1".
        text: with `$variables`.
    """

    name: str
    text: str

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> Prompt:
        """Read a prompt that ships with geoagent, or lies in `folder`.

        Raises:
            ConfigError: there is no such prompt; the message lists those that exist.
        """
        root = data_dir("prompts") if folder is None else folder
        path = root / f"{name}.md"
        if not _NAME.fullmatch(name) or not path.is_file():
            known = ", ".join(names(root)) or "none"
            raise ConfigError(f"no prompt named {name!r} in {root} (there: {known}); names end in a version, as in .v1")
        return cls(name, path.read_text("utf-8"))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of its variables, sorted."""
        return tuple(sorted(Template(self.text).get_identifiers()))

    def render(self, **values: str) -> str:
        """Fill the variables in one pass: a `$` inside a value stays what it is.

        Raises:
            ConfigError: a variable is missing, or a value has no variable.
        """
        missing, extra = set(self.variables) - set(values), set(values) - set(self.variables)
        if missing or extra:
            words = [f"missing {', '.join(sorted(missing))}"] * bool(missing)
            words += [f"unknown {', '.join(sorted(extra))}"] * bool(extra)
            raise ConfigError(f"prompt {self.name}: {' and '.join(words)}")
        return Template(self.text).substitute(values)


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all prompts, sorted."""
    root = data_dir("prompts") if folder is None else folder
    return tuple(sorted(p.stem for p in root.glob("*.md") if _NAME.fullmatch(p.stem)))

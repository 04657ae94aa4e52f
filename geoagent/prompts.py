"""Prompts: versioned text files with typed `$variables`, filled in one pass.

A file may begin with a header between two `---` lines that gives each variable a type, `name: type`, and may be split
into messages by the lines `=== system ===`, `=== user ===` and `=== assistant ===`. It is split before variables are
filled in, so no value can start a message of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from geoagent.errors import ConfigError
from geoagent.evidence.llm_messages import Role
from geoagent.resources import data_dir

_NAME = re.compile(r"[a-z][a-z0-9_]*\.v[1-9][0-9]*")
_PART = re.compile(r"^=== (system|user|assistant) ===\n", re.MULTILINE)
_HEAD = re.compile(r"\A---\n(.*?)^---\n", re.DOTALL | re.MULTILINE)


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except ValueError:
        return False
    return "\n" not in value


TYPES: Mapping[str, Callable[[str], bool]] = {
    "text": lambda value: True,
    "line": lambda value: "\n" not in value,
    "word": lambda value: bool(re.fullmatch(r"\S+", value)),
    "number": lambda value: bool(re.fullmatch(r"-?\d+(?:\.\d+)?", value)),
    "json": _is_json,
}
"""Types of variables: "json" is one line of JSON."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt.

    Attributes:
        name: name with version, as in "constraints.v1".
        text: the template with `$variables`, without the header.
        types: type of each variable, from the header; "text" by default.
    """

    name: str
    text: str
    types: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> Prompt:
        """Read a built-in prompt, or one in `folder`.

        Raises:
            ConfigError: there is no such prompt; the message lists the available ones.
        """
        root = data_dir("prompts") if folder is None else folder
        path = root / f"{name}.md"
        if not _NAME.fullmatch(name) or not path.is_file():
            known = ", ".join(names(root)) or "none"
            raise ConfigError(f"no prompt named {name!r} in {root} (there: {known}); names end in a version, as in .v1")
        text = path.read_text("utf-8")
        head = _HEAD.match(text)
        if head is None:
            return cls(name, text)
        types = {}
        for line in head.group(1).splitlines():
            key, _, kind = (part.strip() for part in line.partition(":"))
            if kind not in TYPES:
                raise ConfigError(f"prompt {name}: {line!r} gives no type; types are {', '.join(TYPES)}")
            types[key] = kind
        return cls(name, text[head.end() :], types)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables, sorted."""
        return tuple(sorted(Template(self.text).get_identifiers()))

    def render(self, **values: str) -> str:
        """Fill the variables in one pass: a `$` inside a value is left alone.

        Raises:
            ConfigError: a variable is missing or has the wrong type, or a value has no variable.
        """
        self._check(values)
        return Template(self.text).substitute(values)

    def messages(self, **values: str) -> list[tuple[Role, str]]:
        """Fill the variables of each message; a prompt without separators is a single user message.

        Raises:
            ConfigError: as for `render`.
        """
        self._check(values)
        cuts = list(_PART.finditer(self.text))
        if not cuts:
            return [("user", Template(self.text).substitute(values).strip())]
        found: list[tuple[Role, str]] = []
        for i, cut in enumerate(cuts):
            end = cuts[i + 1].start() if i + 1 < len(cuts) else len(self.text)
            part = Template(self.text[cut.end() : end])
            found.append((cut.group(1), part.substitute(values).strip()))  # type: ignore[arg-type]
        return found

    def problems(self) -> list[str]:
        """Problems of the file as messages; [] if there are none."""
        wrong = []
        template = Template(self.text)
        if not template.is_valid():
            wrong.append("a $ begins no variable; write $$ for a dollar sign")
        wrong += [f"${name} is typed but not used" for name in self.types if name not in self.variables]
        if self.types:
            wrong += [f"${name} has no type" for name in self.variables if name not in self.types]
        first = _PART.search(self.text)
        if first is not None and self.text[: first.start()].strip():
            wrong.append("there is text before the first message")
        if not self.text.strip():
            wrong.append("it is empty")
        return wrong

    def _check(self, values: Mapping[str, str]) -> None:
        missing, extra = set(self.variables) - set(values), set(values) - set(self.variables)
        if missing or extra:
            words = [f"missing {', '.join(sorted(missing))}"] * bool(missing)
            words += [f"unknown {', '.join(sorted(extra))}"] * bool(extra)
            raise ConfigError(f"prompt {self.name}: {' and '.join(words)}")
        for name, value in values.items():
            kind = self.types.get(name, "text")
            if not TYPES[kind](value):
                raise ConfigError(f"prompt {self.name}: ${name} must be {kind}, got {value[:40]!r}")


def names(folder: Path | None = None) -> tuple[str, ...]:
    """Names of all prompts, sorted."""
    root = data_dir("prompts") if folder is None else folder
    return tuple(sorted(p.stem for p in root.glob("*.md") if _NAME.fullmatch(p.stem)))

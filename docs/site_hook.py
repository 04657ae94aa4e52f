"""Hook of mkdocs: README.md is the first page, and files elsewhere in the repository that pages link to come along."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
_LINK = re.compile(r"(\]\()(?!https?:|#|mailto:)([^)#\s]+)")


def on_files(files: Files, config: Any) -> Files:
    """Add README.md as the first page, and what pages link to outside of docs/."""
    pages = {"index.md": ROOT / "README.md"}
    pages |= {file.src_uri: DOCS / file.src_uri for file in files.documentation_pages()}
    waiting, seen = list(pages.items()), set(pages)
    while waiting:
        _, path = waiting.pop()
        for target in _targets(path):
            outside = _uri(target)
            if target.is_file() and outside not in seen:
                seen.add(outside)
                waiting += [(outside, target)] if target.suffix == ".md" else []
                if not target.is_relative_to(DOCS):
                    files.append(_file(config, outside, target))
    files.append(_file(config, "index.md", pages["index.md"]))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Point the links of a page at where the files are on the site."""
    source = Path(page.file.abs_src_path or ROOT / "README.md")
    here = page.file.src_uri

    def moved(found: re.Match[str]) -> str:
        target = (source.parent / found[2]).resolve()
        return found[1] + _relative(here, _uri(target)) if target.is_file() else found[0]

    return _LINK.sub(moved, markdown)


def _targets(path: Path) -> list[Path]:
    if path.suffix != ".md":
        return []
    found = _LINK.findall(path.read_text("utf-8"))
    return [target for _, name in found if (target := (path.parent / name).resolve()).is_relative_to(ROOT)]


def _uri(path: Path) -> str:
    """Where a file of the repository is on the site: docs/ is its root, the rest keeps its path."""
    if path == ROOT / "README.md":
        return "index.md"
    return path.relative_to(DOCS if path.is_relative_to(DOCS) else ROOT).as_posix()


def _relative(here: str, there: str) -> str:
    up = here.count("/")
    return "../" * up + there


def _file(config: Any, uri: str, path: Path) -> File:
    return File.generated(config, uri, abs_src_path=str(path))

"""Where the worlds of this machine are, and which of them an agent takes by default."""

from __future__ import annotations

from pathlib import Path

from geoagent.resources import cache_dir

AUTO, STARTER = "auto", "starter"
_DEFAULT = "default"  # a file in `home()`: the name or the folder of the default world


def home() -> Path:
    """Folder of the worlds that can be named instead of given by path."""
    return cache_dir() / "worlds"


def find(name: str | Path | None) -> Path | None:
    """Resolve a name or a path to a world's folder; None stands for the starter world.

    "auto" is the default world. A path takes precedence over a name, except over "auto" and "starter".
    """
    if name is None or str(name) == STARTER:
        return None
    if str(name) == AUTO:
        return default()
    path = Path(name)
    named = home() / str(name)
    return named if not path.exists() and path.name == str(name) and named.is_dir() else path


def default() -> Path | None:
    """Return the folder of the default world, as `set_default` recorded it; None for the starter world.

    A recorded world that is no longer there counts as none.
    """
    try:
        recorded = (home() / _DEFAULT).read_text("utf-8").strip()
    except OSError:
        return None
    if recorded in ("", AUTO, STARTER):
        return None
    folder = find(recorded)
    return folder if folder is not None and (folder / "world.json").is_file() else None


def set_default(name: str | Path | None) -> None:
    """Record the default world, by name or folder; None for the starter world."""
    record = home() / _DEFAULT
    if name is None or str(name) == STARTER:
        record.unlink(missing_ok=True)
        return
    known = (home() / str(name)).is_dir() and Path(str(name)).name == str(name)
    record.parent.mkdir(parents=True, exist_ok=True)
    temporary = record.with_name(f".{_DEFAULT}.part")
    temporary.write_text(f"{name if known else Path(name).resolve()}\n", "utf-8")
    temporary.replace(record)

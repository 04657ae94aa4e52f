"""What a bulk run makes: shards of rows, each committed as one Parquet file that holds the mark of its settings.

A shard is a block of the manifest. Its file has a name that follows from its number, and is there whole or not at all.
So each photo stands in the output exactly once, whoever wrote it and however often writers were ended.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from geoagent import __version__
from geoagent.agent.workers import Make
from geoagent.errors import InputError
from geoagent.interfaces.bulk.files import filesystem, write_whole
from geoagent.interfaces.bulk.manifest import Entry, Manifest
from geoagent.optional import needs

Row = dict[str, Any]
"""A row of the output, by column; every kind has `id` and `status`."""
_KEY = b"geoagent"
_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of output.

    Attributes:
        name: format of its files.
        make: what its workers do: from a list of entries to a row each.
        failed: the row of a photo whose worker died or failed, from its entry and what happened.
        columns: Arrow types by column, as names that `pyarrow.type_for_alias` knows.
        vector: name and length of a column of float vectors, and their type.
    """

    name: str
    make: Make
    failed: Callable[[Entry, str], Row]
    columns: Mapping[str, str]
    vector: tuple[str, int, str] | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A bulk run; can be pickled and sent to another machine.

    Attributes:
        kind: what is made.
        given: arguments of `kind.make`.
        settings: mark of the settings that it is made under.
        out: folder of the output, a path or URL.
        batch: photos that a worker gets at once.
    """

    kind: Kind
    given: tuple[Any, ...]
    settings: str
    out: str
    batch: int = 1

    def manifest(self) -> Manifest:
        """The manifest in the output."""
        return Manifest(*filesystem(self.out))

    def state(self, number: int, manifest: Manifest) -> State:
        """What the file of a shard says.

        Raises:
            InputError: a file of another manifest, or none of ours.
        """
        files, folder = filesystem(self.out)
        path = f"{folder}/{part(number)}"
        said = _said(files, path, self.kind.name)
        if said.get("manifest") != manifest.digest or said.get("shard") != number:
            raise InputError(f"{path} belongs to another manifest; choose another --out")
        return State(number, int(said["rows"]), int(said["errors"]), str(said["settings"]))

    def kept(self, number: int, *, errors: bool) -> dict[str, Row]:
        """Rows of a shard that need not be made again, by id: of its file, or of a run that was stopped within it.

        Args:
            number: the shard.
            errors: whether rows with errors are kept.
        """
        files, folder = filesystem(self.out)
        for name in (part(number), _partial(number)):
            path = f"{folder}/{name}"
            if files.exists(path):
                if str(_said(files, path, self.kind.name)["settings"]) != self.settings:
                    continue
                rows = _table(files, path).to_pylist()
                return {row["id"]: row for row in rows if errors or row["status"] != "error"}
        return {}

    def save(self, number: int, manifest: Manifest, rows: Sequence[Row], *, whole: bool) -> State:
        """Write the rows of a shard: all of them, or those made so far."""
        import pyarrow
        import pyarrow.parquet as parquet

        failed = sum(row["status"] == "error" for row in rows)
        said = {"format": self.kind.name, "settings": self.settings, "manifest": manifest.digest, "shard": number}
        said |= {"rows": len(rows), "errors": failed, "geoagent": __version__}
        schema = self.schema().with_metadata({_KEY: json.dumps(said).encode()})
        table = pyarrow.Table.from_pylist(list(rows), schema=schema)
        buffer = io.BytesIO()
        parquet.write_table(table, buffer, compression="zstd")
        files, folder = filesystem(self.out)
        write_whole(files, f"{folder}/{part(number) if whole else _partial(number)}", buffer.getvalue())
        if whole and files.exists(f"{folder}/{_partial(number)}"):
            files.rm_file(f"{folder}/{_partial(number)}")
        return State(number, len(rows), failed, self.settings)

    def schema(self) -> Any:
        """Arrow schema of the output."""
        with needs("bulk", "pyarrow"):
            import pyarrow
        columns = {name: pyarrow.type_for_alias(alias) for name, alias in self.kind.columns.items()}
        if self.kind.vector is not None:
            name, length, alias = self.kind.vector
            columns[name] = pyarrow.list_(pyarrow.type_for_alias(alias), length)
        return pyarrow.schema(list(columns.items()))


@dataclass(frozen=True, slots=True)
class State:
    """The file of one shard.

    Attributes:
        number: of the shard.
        rows: photos in it.
        errors: rows with errors.
        settings: mark of the settings that it was made under.
    """

    number: int
    rows: int
    errors: int
    settings: str


def part(number: int) -> str:
    """Name of the file of a shard."""
    return f"part-{number:06d}.parquet"


def _partial(number: int) -> str:
    return f"_partial-{number:06d}.parquet"


def pending(
    plan: Plan, manifest: Manifest, numbers: Sequence[int], *, retry_errors: bool, redo: bool
) -> tuple[list[int], list[State]]:
    """Which of some shards are to be made, and the state of those that are done.

    Raises:
        InputError: shards were made under other settings, and are not to be made again.
    """
    files, folder = filesystem(plan.out)
    there = {name.rpartition("/")[2] for name in files.ls(folder, detail=False)}
    known = [number for number in numbers if part(number) in there]
    with ThreadPoolExecutor(_AT_ONCE) as threads:  # a footer in an object store takes its time
        states = {state.number: state for state in threads.map(lambda n: plan.state(n, manifest), known)}
    strange = sum(state.settings != plan.settings for state in states.values())
    if strange and not redo:
        raise InputError(
            f"{plan.out}: {strange} shards were made under other settings; choose another --out, or --redo to make "
            "them again"
        )
    done = [s for s in states.values() if s.settings == plan.settings and not (retry_errors and s.errors)]
    finished = {state.number for state in done}
    return [number for number in numbers if number not in finished], done


def _said(files: Any, path: str, name: str) -> dict[str, Any]:
    """What the footer of a shard says.

    Raises:
        InputError: it is none of ours.
    """
    with needs("bulk", "pyarrow"):
        import pyarrow
        import pyarrow.parquet as parquet
    try:
        said: dict[str, Any] = json.loads(parquet.read_schema(path, filesystem=files).metadata[_KEY])
        if said["format"] != name:
            raise ValueError(f"it holds {said['format']}")
        return said
    except (OSError, ValueError, KeyError, TypeError, pyarrow.ArrowException) as error:
        raise InputError(f"{path} is no shard of {name} ({error}); choose another --out") from error


def _table(files: Any, path: str) -> Any:
    import pyarrow.parquet as parquet

    with files.open(path, "rb") as file:
        return parquet.ParquetFile(file).read()

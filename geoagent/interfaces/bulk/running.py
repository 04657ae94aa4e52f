"""A bulk run from INPUT to OUT: the manifest is made once, then the shards that are not there yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from geoagent.agent.pool import Pool
from geoagent.errors import InputError
from geoagent.interfaces.bulk.files import filesystem, sweep
from geoagent.interfaces.bulk.inputs import entries
from geoagent.interfaces.bulk.making import Tell, make_shards
from geoagent.interfaces.bulk.manifest import NAME, Manifest, write_manifest
from geoagent.interfaces.bulk.plan import Plan, State, pending

SHARD = 500
"""Photos a shard where nobody says another number."""
Executor = Callable[[Sequence[int]], Iterator[State]]


@dataclass(slots=True)
class Run:
    """A run over the shards of an output that are not done.

    Attributes:
        plan: what is made.
        manifest: of all photos.
        wanted: numbers of the shards that this run makes.
        done: shards that were there, and those made since.
        ours: shards of this part of the work; all of them unless it is divided.
    """

    plan: Plan
    manifest: Manifest
    wanted: list[int]
    done: list[State]
    ours: list[int] = field(default_factory=list)

    @property
    def photos(self) -> int:
        """Photos of this part of the work."""
        return sum(self.manifest.count(number) for number in self.ours)

    @property
    def rows(self) -> int:
        """Rows in files that are there."""
        return sum(state.rows for state in self.done)

    @property
    def errors(self) -> int:
        """Rows with errors among them."""
        return sum(state.errors for state in self.done)

    def failures(self, most: int) -> list[tuple[str, str]]:
        """The first photos with errors, and why they have none.

        Args:
            most: how many at most.
        """
        found: list[tuple[str, str]] = []
        for state in sorted(self.done, key=lambda state: state.number):
            if state.errors and len(found) < most:
                rows = self.plan.kept(state.number, errors=True).values()
                for row in (row for row in rows if row["status"] == "error"):
                    source = row.get("source") or row["id"]
                    found.append((source, (row["error"] or "unknown reason").removeprefix(f"{source}: ")))
        return found[:most]

    def make(self, executor: Executor) -> Iterator[State]:
        """Make what is wanted; each shard is yielded once its file is there."""
        for state in executor(self.wanted):
            self.done.append(state)
            yield state
        if len(self.done) == self.manifest.shards:
            sweep(*filesystem(self.plan.out))


def prepare(
    plan: Plan,
    url: str,
    *,
    images: str | None = None,
    shard: int = SHARD,
    retry_errors: bool = False,
    redo: bool = False,
    share: tuple[int, int] = (0, 1),
) -> Run:
    """Make the manifest if it is not there, and see which shards are to be made.

    Args:
        plan: what is made.
        url: INPUT; see `inputs.entries`.
        images: folder that the paths of a table start from.
        shard: photos a shard, where the manifest is made now.
        retry_errors: make shards with errors again.
        redo: make shards again that were made under other settings.
        share: (i, n) for shards i, i + n, i + 2n, … alone, so that n processes divide the work.

    Raises:
        InputError: INPUT cannot be read, or the output is of another INPUT or of other settings.
    """
    files, folder = filesystem(plan.out)
    files.invalidate_cache()  # others may have written since it was last listed
    if not files.exists(f"{folder}/{NAME}"):
        if files.exists(folder) and (not files.isdir(folder) or files.glob(f"{folder}/part-*.parquet")):
            raise InputError(f"{plan.out} holds something else; choose another --out")
        write_manifest(entries(url, images), url, files, folder, shard)
    manifest = plan.manifest()
    if manifest.url != url:
        raise InputError(f"{plan.out} is the output for {manifest.url}, not for {url}; choose another --out")
    ours = list(range(share[0], manifest.shards, share[1]))
    wanted, done = pending(plan, manifest, ours, retry_errors=retry_errors, redo=redo)
    return Run(plan, manifest, wanted, done, ours)


@contextmanager
def on_this_machine(
    plan: Plan, workers: int, *, retry_errors: bool = False, tell: Tell | None = None
) -> Iterator[Executor]:
    """An executor with worker processes on this machine."""
    with Pool(plan.kind.make, plan.given, workers) as pool:
        yield lambda numbers: make_shards(plan, numbers, pool, retry_errors=retry_errors, tell=tell)

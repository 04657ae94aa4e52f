"""Many photos: one worker and two, the pool and Ray, and runs that are killed.

    python benchmarks/bench_bulk.py real [--photos FOLDER] [--block 15]
    python benchmarks/bench_bulk.py made [--count 5000] [--ray]
    python benchmarks/bench_bulk.py kill [--count 2000] [--kills 10] [--seed 0] [--ray]

`real` reads real photos with the default engine: one worker with one thread, one with all threads, and two workers,
turn by turn over the same blocks of photos, so that other work on the machine disturbs all alike. `made` runs
`geoagent bulk` on drawn photos with an engine that takes no time (`_listed.py`), which shows the cost of everything
else. `kill` ends workers and the command itself (kill -9) at random moments until it is done, and counts. Linux.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from _shared import data, table
from PIL import Image

HERE = Path(__file__).resolve().parent
TICK = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """A process and all below it."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(fields[1]), []).append(int(path.parent.name))
    found, waiting = [], [pid]
    while waiting:
        each = waiting.pop()
        found.append(each)
        waiting += parents.get(each, [])
    return found


def proportional_mb(pid: int) -> float:
    """Memory of a process, what it shares with others counted in part."""
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(row.split()[1]) / 1e3 for row in rows if row.startswith("Pss:")), 0.0)


def cpu_s(pids: list[int]) -> float:
    """CPU seconds that processes have used."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / TICK


class Memory(threading.Thread):
    """Peak memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.peak_mb, self.over = pid, 0.0, threading.Event()

    def run(self) -> None:
        """Look twice a second."""
        while not self.over.wait(0.5):
            self.peak_mb = max(self.peak_mb, sum(map(proportional_mb, tree(self.pid))))


def real(asked: argparse.Namespace) -> None:
    """One worker and two on real photos."""
    from geoagent.agent.core import GeoAgent
    from geoagent.agent.many import looking
    from geoagent.agent.pool import Pool
    from geoagent.evidence.folders import find_photos

    photos = find_photos([asked.photos or data("photos")])
    agent = GeoAgent.load(looks=False)
    ways = {"one worker, one thread": (1, "1"), "one worker, all threads": (1, None), "two workers": (2, None)}
    pools = {}
    for name, (workers, threads) in ways.items():
        os.environ.pop("OMP_NUM_THREADS", None)
        if threads is not None:
            os.environ["OMP_NUM_THREADS"] = threads
        pool = pools[name] = Pool(looking, (agent.config,), workers)
        list(pool.map(photos[: 2 * workers]))  # loaded, and what is loaded at first use
    spent, cpu, memory = Counter[str](), Counter[str](), Counter[str]()
    print(f"load average {os.getloadavg()[0]:.1f} before, {os.cpu_count()} cores, {len(photos)} photos", flush=True)
    for start in range(0, len(photos), asked.block):
        block = photos[start : start + asked.block]
        names = list(ways)
        for name in names[start // asked.block % 3 :] + names[: start // asked.block % 3]:
            begin, used = time.perf_counter(), cpu_s([*pools[name].pids, os.getpid()])
            for _, seen in pools[name].map(block):
                if not isinstance(seen, Exception):
                    agent.answer(seen)
            spent[name] += time.perf_counter() - begin
            cpu[name] += cpu_s([*pools[name].pids, os.getpid()]) - used
            memory[name] = max(memory[name], sum(map(proportional_mb, pools[name].pids)))
    for pool in pools.values():
        pool.close()
    count, base = len(photos), spent["one worker, one thread"]
    rows = [
        (name, count / spent[name], base / spent[name], cpu[name] / count, cpu[name] / spent[name], memory[name])
        for name in ways
    ]
    table(("way", "photos/s", "ratio", "CPU s/photo", "cores used", "workers MB"), rows)
    print(f"load average {os.getloadavg()[0]:.1f} after")


def draw(folder: Path, count: int, seed: int) -> Path:
    """Made photos: small pictures of noise, each its own."""
    folder.mkdir()
    chance = np.random.default_rng(seed)
    for number in range(count):
        pixels = chance.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).resize((320, 240)).save(folder / f"{number:06}.jpg", quality=60)
    return folder


def command(photos: Path, out: Path, *more: str) -> list[str]:
    """`geoagent bulk` with the engine that takes no time."""
    return [
        sys.executable,
        "-m",
        "geoagent",
        "bulk",
        str(photos),
        "--out",
        str(out),
        "--ocr",
        "benchmarks._listed",
        *more,
    ]


def environment() -> dict[str, str]:
    """Where the processes find geoagent and the engine."""
    return os.environ | {"PYTHONPATH": str(HERE.parent)}


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that is removed."""
    with tempfile.TemporaryDirectory(prefix="bench-bulk-") as path:
        yield Path(path)


def made(asked: argparse.Namespace) -> None:
    """The pool and Ray on made photos."""
    ways = {"pool, one worker": ("--workers", "1"), "pool, two workers": ("--workers", "2")}
    if asked.ray:
        ways["Ray, two actors"] = ("--workers", "2", "--ray")
    rows = []
    with folder() as here:
        photos, few = draw(here / "photos", asked.count, 0), draw(here / "few", 4, 1)
        print(f"load average {os.getloadavg()[0]:.1f} before", flush=True)
        for number, (name, more) in enumerate(ways.items()):
            begin = time.perf_counter()
            subprocess.run(command(few, here / f"few{number}", *more), env=environment(), check=True)
            start = time.perf_counter() - begin
            process = subprocess.Popen(command(photos, here / f"out{number}", *more), env=environment())
            memory = Memory(process.pid)
            memory.start()
            begin = time.perf_counter()
            if process.wait() != 0:
                sys.exit(f"{name}: failed")
            spent = time.perf_counter() - begin
            memory.over.set()
            rows.append((name, asked.count / spent, asked.count / (spent - start), start, memory.peak_mb))
            assert sum(exactly(here / f"out{number}").values()) == asked.count
    table(("way", "photos/s", "without start", "start s", "peak MB"), rows)


def exactly(out: Path) -> Counter[str]:
    """How often each photo stands in the output; every file is read whole."""
    import pyarrow.parquet as parquet

    found = Counter[str]()
    for path in sorted(out.glob("part-*.parquet")):
        found.update(parquet.read_table(path)["id"].to_pylist())
    return found


def victims(pid: int) -> list[int]:
    """Worker processes below a command, and Ray's actors."""
    found = []
    for each in tree(pid)[1:]:
        try:
            line = Path(f"/proc/{each}/cmdline").read_bytes()
        except OSError:
            continue
        if b"spawn_main" in line or line.startswith(b"ray::Hand"):
            found.append(each)
    return found


def kill(asked: argparse.Namespace) -> None:
    """A run that is killed at random moments until it is done."""
    chance, killed, runs = random.Random(asked.seed), Counter[str](), 0
    with folder() as here:
        photos, out = draw(here / "photos", asked.count, asked.seed), here / "out"
        more = ("--workers", "2", "--shard", str(max(1, asked.count // 40)), *(("--ray",) if asked.ray else ()))
        begin = time.perf_counter()
        while True:
            process = subprocess.Popen(command(photos, out, *more), env=environment(), start_new_session=True)
            runs += 1
            while process.poll() is None:
                time.sleep(chance.uniform(2.0, asked.pause))
                if killed.total() >= asked.kills or process.poll() is not None:
                    break
                driver = chance.random() < 0.4
                pids = [process.pid] if driver else victims(process.pid)
                if pids:
                    os.kill(chance.choice(pids), signal.SIGKILL)
                    killed["command" if driver else "worker"] += 1
            code = process.wait()
            if code == 0:
                break
            if code > 0:
                sys.exit(f"the command failed with exit code {code}")
            halves = [path for path in out.glob("part-*.parquet") if not exactly_readable(path)]
            if halves:
                sys.exit(f"half written: {halves}")
        found = exactly(out)
        wrong = [name for name, count in found.items() if count != 1]
        missing = asked.count - len(found)
        print(f"{asked.count} photos, {runs} runs, killed {dict(killed)}, {time.perf_counter() - begin:.0f} s")
        print(f"missing {missing}, more than once {len(wrong)}, left behind {len(list(out.glob('.*')))}")
        if missing or wrong:
            sys.exit(1)


def exactly_readable(path: Path) -> bool:
    """Whether a Parquet file is whole."""
    import pyarrow
    import pyarrow.parquet as parquet

    try:
        return parquet.read_table(path).num_rows > 0
    except (OSError, pyarrow.ArrowException):
        return False


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(required=True)
    way = ways.add_parser("real")
    way.add_argument("--photos", type=Path)
    way.add_argument("--block", type=int, default=15)
    way.set_defaults(act=real)
    way = ways.add_parser("made")
    way.add_argument("--count", type=int, default=5000)
    way.add_argument("--ray", action="store_true")
    way.set_defaults(act=made)
    way = ways.add_parser("kill")
    way.add_argument("--count", type=int, default=2000)
    way.add_argument("--kills", type=int, default=10)
    way.add_argument("--seed", type=int, default=0)
    way.add_argument("--pause", type=float, default=12.0, help="longest time between kills in seconds")
    way.add_argument("--ray", action="store_true")
    way.set_defaults(act=kill)
    asked = parser.parse_args()
    asked.act(asked)


if __name__ == "__main__":
    main()

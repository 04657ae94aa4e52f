"""Cost of an answer: help, import, first and later answers, memory.

    python benchmarks/bench_agent.py

Wall times and CPU seconds of the current machine; on a shared machine, wall times are noisy.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _shared import table

ROOT = Path(__file__).resolve().parents[1]
FIRST = """
import resource, sys, time
begin, cpu = time.perf_counter(), time.process_time()
from geoagent import GeoAgent
agent = GeoAgent.load()
answer = agent.locate(sys.argv[1])
first = time.perf_counter() - begin, time.process_time() - cpu
warm = []
for _ in range(3):
    begin, cpu = time.perf_counter(), time.process_time()
    agent.locate(sys.argv[1])
    warm.append((time.perf_counter() - begin, time.process_time() - cpu))
best = min(warm)
rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(*first, *best, rss)
"""


def spent(*command: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command, best of three."""
    runs = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begin = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        runs.append((time.perf_counter() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return min(runs)


def main() -> None:
    """Measure and print."""
    from PIL import Image

    rows = []
    wall, cpu = spent(sys.executable, "-m", "geoagent", "--help")
    rows.append(["geoagent --help", wall, cpu, "0.4 s"])
    wall, cpu = spent(sys.executable, "-c", "import geoagent")
    rows.append(["import geoagent", wall, cpu, ""])
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / "photo.jpg"
        with Image.open(ROOT / "examples" / "photos" / "de_koeln.jpg") as picture:
            picture.resize((1600, 1200)).save(photo, quality=90)
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", FIRST, str(photo)], check=True, capture_output=True, text=True, env=env
        )
        first_wall, first_cpu, warm_wall, warm_cpu, rss = map(float, done.stdout.split())
    rows.append(["first answer, 1600 x 1200", first_wall, first_cpu, "8 s"])
    rows.append(["later answers", warm_wall, warm_cpu, "2.5 s"])
    table(["what", "wall s", "CPU s", "floor"], rows)
    print(f"\npeak memory {rss:.2f} GB; floor 1.5 GB")


if __name__ == "__main__":
    main()

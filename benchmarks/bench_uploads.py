"""Concurrent uploads: number answered, latency and memory.

    python benchmarks/bench_uploads.py [--uploads 20] [--workers 1]

Starts `geoagent web` on a free port, sends the example photos simultaneously, and monitors the server and its worker
processes through /proc (Linux).
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

EXAMPLES = sorted((Path(__file__).resolve().parents[1] / "examples" / "photos").glob("*.jpg"))
EDGE = "----edge-5f3a"


def ask(url: str, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """One request: status and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 0, timeout=600)
    connection.request(method, path, body, {"Content-Type": f"multipart/form-data; boundary={EDGE}"} if body else {})
    reply = connection.getresponse()
    content = reply.read()
    connection.close()
    return reply.status, content


def upload(url: str, photo: Path) -> int:
    """Send one photo, and wait for its answer."""
    head = f'--{EDGE}\r\nContent-Disposition: form-data; name="photo"; filename="{photo.name}"\r\n\r\n'.encode()
    return ask(url, "POST", "/api/locate", head + photo.read_bytes() + f"\r\n--{EDGE}--\r\n".encode())[0]


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6
    except (OSError, IndexError):
        return 0.0


def children(pid: int) -> list[int]:
    """Child processes started by any thread of a process."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(child) for child in task.read_text().split()]
        except OSError:
            continue
    return found


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--uploads", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    command = [sys.executable, "-m", "geoagent", "web", "--port", "0", "--workers", str(asked.workers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        url = server.stderr.readline().split()[3]
        begin = time.monotonic()
        while ask(url, "GET", "/ready")[0] != 200:
            time.sleep(0.1)
        print(f"ready after {time.monotonic() - begin:.1f} s")
        peak: dict[str, float] = {"server": 0.0, "reader": 0.0, "all": 0.0}
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.05):
                own, readers = resident_mb(server.pid), [resident_mb(child) for child in children(server.pid)]
                now = {"server": own, "reader": max(readers, default=0.0), "all": own + sum(readers)}
                for name, value in now.items():
                    peak[name] = max(peak[name], value)

        watcher = threading.Thread(target=watch)
        watcher.start()
        done: list[tuple[float, int]] = []
        begin = time.monotonic()

        def one(i: int) -> None:
            status = upload(url, EXAMPLES[i % len(EXAMPLES)])
            done.append((time.monotonic() - begin, status))

        threads = [threading.Thread(target=one, args=(i,)) for i in range(asked.uploads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stop.set()
        watcher.join()
        print(json.dumps(json.loads(ask(url, "GET", "/health")[1])))
        server.terminate()
    times = sorted(seconds for seconds, _ in done)
    good = sum(status == 200 for _, status in done)
    print(f"{good} of {asked.uploads} answered; first after {times[0]:.1f} s, last after {times[-1]:.1f} s")
    print("peak memory (MB): " + ", ".join(f"{name} {value:,.0f}" for name, value in peak.items()))


if __name__ == "__main__":
    main()

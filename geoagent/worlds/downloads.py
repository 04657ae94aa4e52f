"""Downloading one large file: resumed after a cut, verified, and given up with a clear message instead of hanging."""

from __future__ import annotations

import errno
import hashlib
import http.client
import shutil
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from geoagent.errors import DownloadError

Tell = Callable[[str, int, int], None]
"""Progress: called with what is fetched, bytes done, and bytes in all (0 if unknown)."""

CONTACT_S = 4.0
"""How long a server may take to answer at all."""
_BLOCK = 1 << 16
_ATTEMPTS = 4  # after cuts within one call; an attempt that brought something does not count
_OF_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS, errno.EPERM, errno.EISDIR, errno.ENOTDIR)
_RETRY = "run the same command again: it goes on where it stopped"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to download.

    Attributes:
        address: URL.
        size: bytes, or None if unknown.
        sha256: expected checksum, or None where none is known.
        version: mark of its contents; a partial file of another version is not continued.
        headers: headers of the request.
    """

    address: str
    size: int | None = None
    sha256: str | None = None
    version: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """When a download counts as stalled.

    Attributes:
        silence_s: seconds without a byte.
        window_s: length of the window over which the rate is measured.
        least_bytes: minimum bytes in such a window.
    """

    silence_s: float = 15.0
    window_s: float = 30.0
    least_bytes: int = 64 * 1024


def within(seconds: float, what: str, ask: Callable[[], T]) -> T:
    """Return what `ask` returns, in a thread, since a lookup of a host's name ignores every timeout.

    Raises:
        DownloadError: there is no answer within `seconds`.
    """
    found: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            found.append(ask())
        except BaseException as error:  # raised again below
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not found:
        raise DownloadError(f"{what} gives no answer within {seconds:g} s; check the network")
    return found[0]


def download(remote: Remote, target: Path, *, tell: Tell | None = None, patience: Patience | None = None) -> Path:
    """Download a file, or continue a partial download of it.

    The partial file is beside the target, as `.NAME.VERSION.part`. It is kept after a cut and removed if its checksum
    is wrong.

    Args:
        remote: the file.
        target: where to write it; a file that is there already is returned unchanged.
        tell: progress callback.
        patience: when to give up; None for the defaults.

    Raises:
        DownloadError: the server refuses, stalls or cannot be reached, the disk is full, the file is another
            one, or another process is fetching it.
    """
    if target.is_file():
        return target
    part = target.with_name(f".{target.name}.{remote.version[:16] or 'x'}.part")
    try:
        with alone(target.with_name(f".{target.name}.lock"), target.name):
            if not target.is_file():  # another process may have fetched it meanwhile
                _room(remote, part, target)
                _complete(remote, part, target.name, tell, patience or Patience())
                _verify(remote, part)
                part.replace(target)
    except OSError as error:
        raise of_disk(error, target) from error
    return target


def _verify(remote: Remote, part: Path) -> None:
    if remote.sha256 is None:
        return
    digest = _digest(part)
    if digest != remote.sha256.lower():
        part.unlink()
        raise DownloadError(
            f"{remote.address}: expected SHA-256 {remote.sha256}, got {digest}; nothing was kept, try again or use "
            "another mirror"
        )


@contextmanager
def alone(lock: Path, what: str) -> Iterator[None]:
    """Hold a lock file, which the system releases even if this process is killed; it is removed at the end.

    Raises:
        DownloadError: another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("ab") as file:
        try:
            _hold(file.fileno())
        except OSError as error:
            raise DownloadError(f"another geoagent is fetching {what}; wait until it is done") from error
        try:
            yield
        finally:
            with suppress(OSError):  # Windows removes no open file
                lock.unlink()


def _hold(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _room(remote: Remote, part: Path, target: Path) -> None:
    there = _size(part)
    free = shutil.disk_usage(target.parent).free
    if remote.size is not None and remote.size - there > free:
        raise OSError(errno.ENOSPC, f"{free / 1e6:,.0f} MB are free, {(remote.size - there) / 1e6:,.0f} MB are needed")


def of_disk(error: OSError, target: Path) -> DownloadError:
    """Return the error for a file or folder that cannot be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DownloadError(
            f"no space left for {target}: {error.strerror}; free some or choose another place with --dir, then {_RETRY}"
        )
    return DownloadError(f"{target} cannot be written: {error.strerror or error}")


def _complete(remote: Remote, part: Path, name: str, tell: Tell | None, patience: Patience) -> None:
    left = _ATTEMPTS
    while True:
        before = _size(part)
        if remote.size is not None and before == remote.size:
            return
        try:
            whole, reason = _continue(remote, part, before, name, tell, patience), "the connection was cut"
        except TimeoutError as error:
            raise DownloadError(f"{remote.address} stalled after {_size(part) / 1e6:,.1f} MB; {_RETRY}") from error
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _OF_DISK:
                raise
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise DownloadError(f"{remote.address} gives no answer; check the network, then {_RETRY}") from error
            whole, reason = False, str(getattr(error, "reason", error)) or "the connection was cut"
        now = _size(part)
        if whole:
            if remote.size is not None and now != remote.size:
                part.unlink()
                raise DownloadError(f"{remote.address}: expected {remote.size:,} bytes, got {now:,}; nothing was kept")
            return
        left = _ATTEMPTS if now - before >= patience.least_bytes else left - 1
        if left <= 0:
            if now == 0:
                raise DownloadError(
                    f"{remote.address} cannot be reached ({reason}); check the network, or use a mirror"
                )
            of = f" of {remote.size / 1e6:,.1f}" if remote.size else ""
            raise DownloadError(f"{remote.address}: {reason} after {now / 1e6:,.1f}{of} MB; {_RETRY}")
        time.sleep(0.2)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _continue(remote: Remote, part: Path, start: int, name: str, tell: Tell | None, patience: Patience) -> bool:
    """Fetch from byte `start` on; True if the server sent all it announced."""
    headers = {"Accept-Encoding": "identity", **remote.headers, **({"Range": f"bytes={start}-"} if start else {})}
    request = urllib.request.Request(remote.address, headers=headers)
    try:
        answer = within(CONTACT_S, remote.address, lambda: urllib.request.urlopen(request, timeout=patience.silence_s))
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and start:  # the partial file is longer than the file
            part.unlink()
            return False
        raise refusal(error.code, remote.address, dict(error.headers)) from error
    with answer:
        resumed = start > 0 and answer.status == 206
        done = start if resumed else 0
        announced = answer.headers.get("Content-Length")
        total = done + int(announced) if announced else remote.size
        with part.open("ab" if resumed else "wb") as out:
            done = _pour(answer, out, done, total or 0, name, tell, patience)
    return total is None or done >= total


def _pour(answer: Any, out: Any, done: int, total: int, name: str, tell: Tell | None, patience: Patience) -> int:
    since, mark = time.monotonic(), done
    while block := answer.read1(_BLOCK):
        out.write(block)
        done += len(block)
        if tell is not None:
            tell(name, done, total)
        now = time.monotonic()
        if now - since >= patience.window_s:
            if done - mark < patience.least_bytes:
                raise TimeoutError
            since, mark = now, done
    return done


def refusal(code: int, address: str, headers: Mapping[str, str]) -> DownloadError:
    """Return the error for an HTTP status of a server that refuses."""
    lower = {name.lower(): value for name, value in headers.items()}
    if code in (401, 403):
        what = (
            "access is refused (HTTP {}): the files need an account that may read them: set HF_TOKEN, or use a mirror"
        )
        return DownloadError(f"{address}: " + what.format(code))
    if code == 404:
        return DownloadError(f"{address}: there is no such file (HTTP 404); check HF_ENDPOINT or the address")
    if code == 407:
        return DownloadError(f"{address}: the proxy asks for a login (HTTP 407); put it into HTTPS_PROXY")
    if code == 429:
        wait = f"wait {lower['retry-after']} s" if lower.get("retry-after", "").isdigit() else "wait a few minutes"
        return DownloadError(f"{address}: too many requests (HTTP 429); {wait}, then {_RETRY}")
    return DownloadError(f"{address}: the server or a proxy answers HTTP {code}; try again later, or use a mirror")

"""Files of a Hugging Face hub: found through `huggingface_hub`, which knows mirrors ($HF_ENDPOINT) and tokens.

`huggingface_hub` (2.4) deletes a partial download when it fails, so the bytes are fetched by `downloads`. A file that
is already in the hub's cache is used from there.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geoagent.errors import DownloadError
from geoagent.optional import needs
from geoagent.worlds.downloads import CONTACT_S, Patience, Remote, Tell, download, refusal, within

_SHA256 = re.compile(r"[0-9a-f]{64}")
MARGIN_S = 0.5


def _client() -> tuple[Any, Any]:
    with needs("vision", "huggingface_hub"):
        return importlib.import_module("huggingface_hub"), importlib.import_module("huggingface_hub.utils")


def endpoint() -> str:
    """Return the hub's address ($HF_ENDPOINT, else huggingface.co)."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def describe(repository: str, name: str, revision: str = "main") -> tuple[Remote, str]:
    """Ask the hub for a file's address, size and checksum.

    Returns:
        The file and the commit it is of. Large files have a SHA-256: the hub gives it as their ETag.

    Raises:
        DownloadError: the hub cannot be reached within 5 s, or refuses.
        FileNotFoundError: the repository has no such file.
        MissingDependency: huggingface_hub is not installed.
    """
    hub, utils = _client()
    place = endpoint()
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise DownloadError(f"{repository} is not on this machine, and HF_HUB_OFFLINE is set; unset it to fetch {name}")
    url = hub.hf_hub_url(repository, name, revision=revision, endpoint=place)
    try:
        found = within(
            CONTACT_S + MARGIN_S, place, lambda: hub.get_hf_file_metadata(url, timeout=CONTACT_S, endpoint=place)
        )
    except hub.errors.EntryNotFoundError as error:
        raise FileNotFoundError(f"{repository} has no {name}") from error
    except hub.errors.HfHubHTTPError as error:
        raise refusal(error.response.status_code, url, dict(error.response.headers)) from error
    except DownloadError:
        raise
    except Exception as error:  # the hub's client has changed its HTTP library before, and their errors have no base
        proxy = " through the proxy" if "proxy" in type(error).__name__.lower() else ""
        raise DownloadError(
            f"{place} cannot be reached{proxy} ({_first(error)}); check the network, or set HF_ENDPOINT to a mirror"
        ) from error
    if not found.commit_hash or not found.etag:
        raise DownloadError(f"{place} is no Hugging Face hub: it names no commit of {repository}; check HF_ENDPOINT")
    etag = str(found.etag)
    headers = dict(utils.build_hf_headers(library_name="geoagent"))
    if urllib.parse.urlsplit(found.location).netloc != urllib.parse.urlsplit(place).netloc:
        headers.pop("authorization", None)  # the token is for the hub, not for the store it redirects to
    sha256 = etag if _SHA256.fullmatch(etag) else None
    return Remote(str(found.location), found.size, sha256, etag, headers), str(found.commit_hash)


def fetch(
    repository: str,
    choices: Sequence[str],
    folder: Path,
    *,
    revision: str = "main",
    sha256: str | None = None,
    tell: Tell | None = None,
    patience: Patience | None = None,
) -> tuple[Path, str, str | None]:
    """Fetch the first of some files that the repository has, unless the hub's cache holds it.

    Args:
        repository: "ORG/NAME".
        choices: names of files, best first.
        folder: where to put the file.
        revision: branch, tag or commit.
        sha256: expected checksum; None to trust the hub's.
        tell: progress callback.
        patience: as for `downloads.download`.

    Returns:
        The file, its commit, and the checksum that was verified, or None.

    Raises:
        DownloadError: as for `describe` and `download`, or the repository has none of the files.
        MissingDependency: huggingface_hub is not installed.
    """
    hub, _ = _client()
    for name in choices:
        here = hub.try_to_load_from_cache(repository, name, cache_dir=os.environ.get("HF_HUB_CACHE"), revision=revision)
        if isinstance(here, str):
            return _link(Path(here), folder / name), Path(here).parent.name, sha256
    for name in choices:
        try:
            remote, commit = describe(repository, name, revision)
        except FileNotFoundError:
            continue
        if sha256 is not None:
            remote = Remote(remote.address, remote.size, sha256, remote.version, remote.headers)
        return download(remote, folder / name, tell=tell, patience=patience), commit, remote.sha256
    raise DownloadError(f"{repository} at {endpoint()} has none of {', '.join(choices)}; check HF_ENDPOINT")


def _link(source: Path, target: Path) -> Path:
    """Give a file of the hub's cache a second name; a copy where the file system has no links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)
    return target


def _first(error: BaseException) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__

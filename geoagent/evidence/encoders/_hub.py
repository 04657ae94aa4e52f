"""The Hugging Face hub: local cache lookup and reachability check."""

from __future__ import annotations

import importlib
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from geoagent.errors import WeightsError


def hub_url() -> str:
    """Return the URL of the hub ($HF_ENDPOINT, else huggingface.co)."""
    return os.environ.get("HF_ENDPOINT") or "https://huggingface.co"


def cached(repository: str, names: Sequence[str]) -> Path | None:
    """Return the first of `names` that is in the local cache of a hub repository, or None."""
    hub = importlib.import_module("huggingface_hub")  # installed with open_clip
    for name in names:
        found = hub.try_to_load_from_cache(repository, name)
        if isinstance(found, str):
            return Path(found)
    return None


def reach(url: str, what: str, timeout_s: float) -> None:
    """Check quickly whether the host is reachable: open_clip and the hub would retry for most of a minute.

    Raises:
        WeightsError: offline mode is set, or there is no response within `timeout_s`.
    """
    give = "give checkpoint= a local weights file, or a folder with open_clip_config.json and weights"
    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise WeightsError(f"{what} are not in the local cache and HF_HUB_OFFLINE is set; {give}")
    problem: list[str] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=timeout_s):
                pass
        except urllib.error.HTTPError as error:
            if error.code in (403, 407) or error.code >= 500:  # refused by a proxy
                problem.append(f"HTTP {error.code}")
            error.close()
        except (OSError, ValueError) as error:
            problem.append(str(getattr(error, "reason", error)))

    # In a thread, since DNS lookups ignore the timeout.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(timeout_s)
    if asking.is_alive():
        problem.append(f"no answer within {timeout_s:g} s")
    if problem:
        raise WeightsError(f"{what} are not in the local cache and {url} cannot be reached ({problem[0]}); {give}")

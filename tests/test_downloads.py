"""Downloads from a hub that cuts, stalls, refuses, or sends something else."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.util
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_server import COMMIT, Hub, Proxy, proxying, serving

from geoagent.errors import DownloadError
from geoagent.worlds import downloads
from geoagent.worlds.downloads import Patience, Remote, download, within

if importlib.util.find_spec("huggingface_hub") is None:
    pytest.skip("huggingface_hub is not installed (pip install 'geoagent-photo[vision]')", allow_module_level=True)

import huggingface_hub

from geoagent.worlds import hub as hubs

REPOSITORY, WEIGHTS = "lab/model", "open_clip_model.safetensors"
DATA = np.random.default_rng(3).bytes(900_000)
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    with serving() as server:
        server.files = {(REPOSITORY, WEIGHTS): DATA, (REPOSITORY, "open_clip_config.json"): b'{"a": 1}'}
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield server


def fetch(folder: Path, name: str = WEIGHTS, **how: object) -> tuple[Path, str, str | None]:
    return hubs.fetch(REPOSITORY, (name,), folder, **how)  # type: ignore[arg-type]


def test_a_file_is_fetched_whole_and_verified(hub, tmp_path):
    told = []
    path, commit, sha256 = fetch(tmp_path, tell=lambda *args: told.append(args))
    assert (path.read_bytes(), commit, sha256) == (DATA, COMMIT, SHA)
    assert told[-1] == (WEIGHTS, len(DATA), len(DATA))
    assert [p.name for p in tmp_path.glob(".*")] == []
    before = len(hub.gets())
    assert fetch(tmp_path)[0].read_bytes() == DATA
    assert len(hub.gets()) == before, "a file that is here is not fetched again"


def test_a_small_file_has_no_checksum_and_the_first_name_that_exists_is_taken(hub, tmp_path):
    path, commit, sha256 = hubs.fetch(REPOSITORY, ("none.bin", "open_clip_config.json"), tmp_path)
    assert (path.name, commit, sha256) == ("open_clip_config.json", COMMIT, None)
    with pytest.raises(DownloadError, match=r"has none of a\.bin, b\.bin"):
        hubs.fetch(REPOSITORY, ("a.bin", "b.bin"), tmp_path)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The same limits, shorter."""
    monkeypatch.setattr(hubs, "CONTACT_S", 0.3)
    monkeypatch.setattr(downloads, "CONTACT_S", 0.3)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)


@pytest.mark.parametrize("cuts", [1, 2, 5])
def test_a_cut_connection_is_taken_up_where_it_broke(hub, tmp_path, cuts):
    hub.cuts = [150_000] * cuts
    assert fetch(tmp_path)[0].read_bytes() == DATA
    starts = [headers.get("range") for headers in hub.gets()]
    assert starts == [None, *(f"bytes={150_000 * (i + 1)}-" for i in range(cuts))]


def test_a_later_call_goes_on_where_an_earlier_one_gave_up(hub, tmp_path):
    hub.cuts = [300_000, 0, 0, 0, 0]
    with pytest.raises(DownloadError, match=r"after 0\.3 of 0\.9 MB; run the same command again: it goes on"):
        fetch(tmp_path)
    assert hub.cuts == [], "it tried four times more without a byte"
    hub.cuts = []
    assert fetch(tmp_path)[0].read_bytes() == DATA
    assert hub.gets()[-1]["range"] == "bytes=300000-"


def test_a_store_that_ignores_ranges_starts_again(hub, tmp_path):
    hub.cuts, hub.ignores_ranges = [200_000], True
    assert fetch(tmp_path)[0].read_bytes() == DATA


def test_other_bytes_than_announced_are_not_kept(hub, tmp_path):
    hub.altered = True
    with pytest.raises(DownloadError, match="nothing was kept"):
        fetch(tmp_path)
    assert not any(p.is_file() for p in tmp_path.iterdir() if p.name != "hf")
    hub.altered = False
    with pytest.raises(DownloadError, match="expected SHA-256 0000"):
        fetch(tmp_path, sha256="0" * 64)


@pytest.mark.parametrize(
    ("status", "extra", "says"),
    [
        (401, {}, "set HF_TOKEN"),
        (403, {}, "set HF_TOKEN"),
        (404, {}, "no such file"),
        (407, {}, "proxy asks for a login"),
        (429, {"Retry-After": "37"}, "wait 37 s"),
        (429, {}, "wait a few minutes"),
        (502, {}, "HTTP 502"),
    ],
)
def test_a_refusal_says_what_to_do(hub, tmp_path, status, extra, says):
    hub.status, hub.extra = status, extra
    with pytest.raises(DownloadError, match=says):
        fetch(tmp_path)


def test_an_unknown_repository_is_refused_as_the_hub_does(hub, tmp_path):
    with pytest.raises(DownloadError, match="HTTP 401"):
        hubs.fetch("lab/none", (WEIGHTS,), tmp_path)


def test_a_slow_drip_and_silence_are_given_up(hub, tmp_path):
    hub.pause_s = 0.05
    with pytest.raises(DownloadError, match="stalled after"):
        fetch(tmp_path, patience=Patience(silence_s=5, window_s=0.3, least_bytes=500_000))
    hub.pause_s = 3
    with pytest.raises(DownloadError, match="stalled after"):
        fetch(tmp_path, patience=Patience(silence_s=0.3))


def test_no_space_is_said(hub, tmp_path, monkeypatch):
    def full(*args: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(downloads, "_pour", full)
        with pytest.raises(DownloadError, match=r"no space left for .* --dir"):
            fetch(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(downloads.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
        with pytest.raises(DownloadError, match="no space left"):
            fetch(tmp_path)
    assert fetch(tmp_path)[0].read_bytes() == DATA


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_disk_that_is_full_in_the_middle_is_said(hub, tmp_path):
    """The partial file lies on a device that is always full, so the write itself fails."""
    (tmp_path / f".{WEIGHTS}.{SHA[:16]}.part").symlink_to("/dev/full")
    with pytest.raises(DownloadError, match=r"no space left for .* --dir"):
        fetch(tmp_path)
    (tmp_path / f".{WEIGHTS}.{SHA[:16]}.part").unlink()
    assert fetch(tmp_path)[0].read_bytes() == DATA


@pytest.fixture
def proxy(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    with proxying(hub) as server:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
            monkeypatch.setenv(name, server.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "")
        monkeypatch.setenv("HF_ENDPOINT", "http://hub.example")
        huggingface_hub.close_session()  # both read the environment once
        monkeypatch.setattr(urllib.request, "_opener", None)
        yield server
    huggingface_hub.close_session()


def test_a_proxy_is_used(proxy, tmp_path):
    assert fetch(tmp_path)[0].read_bytes() == DATA
    assert any(address.startswith("http://hub.example/") for address in proxy.seen)


@pytest.mark.parametrize(
    ("status", "says"),
    [(407, "proxy asks for a login"), (403, "is refused"), (503, "server or a proxy answers HTTP 503")],
)
def test_a_proxy_that_refuses(proxy, tmp_path, status, says):
    proxy.status = status
    with pytest.raises(DownloadError, match=says):
        fetch(tmp_path)
    with pytest.raises(DownloadError, match=says):
        download(Remote("http://files.example/world.zip"), tmp_path / "world.zip")


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_to_tunnel(proxy, tmp_path, monkeypatch, status):
    proxy.status = status
    monkeypatch.setenv("HF_ENDPOINT", "https://hub.example")
    with pytest.raises(DownloadError, match=rf"{status}"):
        fetch(tmp_path)
    with pytest.raises(DownloadError, match=rf"{status}"):
        download(Remote("https://files.example/world.zip"), tmp_path / "world.zip")


@pytest.mark.parametrize("black_hole", [False, True])
def test_a_server_that_never_answers_is_given_up(tmp_path, monkeypatch, quick, black_hole):
    """It takes connections and says nothing; or its queue is full, so that packets to it are dropped."""
    with socket.socket() as silent, contextlib.ExitStack() as held:
        silent.bind(("127.0.0.1", 0))
        silent.listen(0 if black_hole else 5)
        for _ in range(4 if black_hole else 0):
            client = held.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(silent.getsockname())
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setenv("HF_ENDPOINT", address)
        with pytest.raises(DownloadError, match=r"check the network"):
            fetch(tmp_path)
        with pytest.raises(DownloadError, match=r"no answer"):
            download(Remote(f"{address}/file.onnx"), tmp_path / "file.onnx")


def test_no_answer_takes_less_than_five_seconds():
    assert hubs.CONTACT_S + hubs.MARGIN_S < 5
    assert downloads.CONTACT_S < 5


def test_a_lookup_that_hangs_is_given_up():
    with pytest.raises(DownloadError, match=r"no answer within 0\.05 s"):
        within(0.05, "https://hub.example", threading.Event().wait)


def test_a_refused_connection_names_the_mirror_setting(tmp_path, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    with pytest.raises(DownloadError, match="HF_ENDPOINT"):
        fetch(tmp_path)


def test_a_page_that_is_no_hub_is_said_to_be(hub, tmp_path):
    hub.status, hub.extra = 200, {"ETag": '"x"'}
    with pytest.raises(DownloadError, match="no Hugging Face hub"):
        fetch(tmp_path)


def test_the_token_goes_to_the_hub_and_not_to_its_store(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch(tmp_path)
    assert any("hf_secret" in headers.get("authorization", "") for _, _, headers in hub.seen)
    assert not any("authorization" in headers for headers in hub.gets())


def test_offline_mode_makes_no_request(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE"):
        fetch(tmp_path)
    assert hub.seen == []


def test_what_the_hubs_own_cache_holds_is_not_fetched(hub, tmp_path):
    import huggingface_hub

    kept = huggingface_hub.hf_hub_download(REPOSITORY, WEIGHTS, cache_dir=tmp_path / "hf", endpoint=hub.url)
    hub.status = 503
    path, commit, _ = fetch(tmp_path / "ours")
    assert (path.read_bytes(), commit) == (DATA, COMMIT)
    path.unlink()
    assert Path(kept).read_bytes() == DATA, "the hub's cache is left as it is"


def test_two_processes_at_once_do_not_mix_their_bytes(hub, tmp_path):
    code = (
        "import sys; from pathlib import Path\n"
        "from geoagent.worlds import hub; from geoagent.errors import DownloadError\n"
        f"try: print(hub.fetch({REPOSITORY!r}, ({WEIGHTS!r},), Path(sys.argv[1]))[2])\n"
        "except DownloadError as error: print(error)"
    )
    hub.pause_s = 0.0002
    both = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "w")], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=120)[0].strip() for process in both]
    assert SHA in said
    assert all(words == SHA or words.startswith("another geoagent is fetching") for words in said)
    assert (tmp_path / "w" / WEIGHTS).read_bytes() == DATA
    assert [path.name for path in (tmp_path / "w").iterdir()] == [WEIGHTS]

"""Language models on this machine: found over a real server, and never told anything."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from click.testing import CliRunner
from llm_server import disconnects, drips, floods, hangs, raw, serving

from geoagent.interfaces import doctor, local_models
from geoagent.interfaces.cli import main
from geoagent.interfaces.local_models import LocalServer, local_servers, sees_pictures


def tags(*names: str, **families: list[str]) -> dict[str, Any]:
    """What Ollama lists."""
    rows = [{"name": name, "details": {"family": "x", "families": None}} for name in names]
    rows += [{"name": name, "details": {"families": kinds}} for name, kinds in families.items()]
    return {"models": rows}


def ollama(server: Any, **options: Any) -> tuple[LocalServer, ...]:
    return local_servers(options.pop("timeout_s", 2.0), {"Ollama": server.url.removesuffix("/v1")})


@pytest.mark.parametrize(
    "name",
    [
        "qwen2.5vl:7b", "qwen3-vl:8b", "llava:13b", "bakllava", "llava-phi3:latest", "llama3.2-vision:11b",
        "gemma3:4b", "gemma3:12b-it-qat", "google/gemma-3-27b", "minicpm-v:8b", "openbmb/minicpm-o-2_6", "moondream",
        "granite3.2-vision", "mistral-small3.1:24b", "pixtral-12b", "qwen/qwen2.5-vl-7b", "internvl3-8b", "smolvlm2-2b",
        "glm-4.1v-9b-thinking", "llama4:scout", "hf.co/unsloth/Qwen2.5-VL-3B-Instruct-GGUF:Q4_K_M",
    ],
)  # fmt: skip
def test_models_that_see_are_known_by_name(name: str) -> None:
    assert sees_pictures(name)


@pytest.mark.parametrize(
    "name",
    [
        "llama3.2:3b", "qwen3:8b", "qwen2.5-coder", "gemma2:9b", "gemma3:1b", "gemma3:270m", "gemma3n:e4b",
        "mistral:7b", "deepseek-r1:14b", "phi4", "gpt-oss:20b", "nomic-embed-text", "nomic-embed-vision", "command-r",
        "supervision-writer", "glm-4-9b", "division", "vllm-made",
    ],
)  # fmt: skip
def test_models_of_text_alone_are_not_taken_to_see(name: str) -> None:
    assert not sees_pictures(name)


@pytest.mark.parametrize("family", ["clip", "mllama", "qwen25vl", "Qwen3VL", "mistral3"])
def test_ollama_tells_the_family(family: str) -> None:
    assert sees_pictures("holiday-helper", ("llama", family))
    assert not sees_pictures("holiday-helper", ("llama",))


def test_ollama_is_found_and_told_nothing() -> None:
    listed = tags("qwen3:8b", "gemma3:4b", mine=["llama", "clip"])
    with serving(pages={"/api/tags": listed, "/api/version": {"version": "0.12.3"}}) as server:
        (found,) = ollama(server)
    assert (found.name, found.version) == ("Ollama", "0.12.3")
    assert found.models == ("qwen3:8b", "gemma3:4b", "mine")
    assert found.seeing == ("gemma3:4b", "mine")
    assert sorted(server.asked) == ["/api/tags", "/api/version"]
    assert server.seen == []
    assert found.command() == (
        f"geoagent locate photo.jpg --llm openai_compatible,model=gemma3:4b,base_url={found.url}/v1 --llm-sees-picture"
    )
    assert found.command(client=False).startswith("pip install 'geoagent-photo[llm]' && geoagent locate")


def test_lm_studio_is_found() -> None:
    rows = {"data": [{"id": "qwen/qwen2.5-vl-7b"}, {"id": "text-embedding-nomic"}, {"id": "openai/gpt-oss-20b"}]}
    with serving(pages={"/v1/models": rows}) as server:
        (found,) = local_servers(2.0, {"LM Studio": server.url.removesuffix("/v1")})
    assert found.models == ("qwen/qwen2.5-vl-7b", "openai/gpt-oss-20b")
    assert found.seeing == ("qwen/qwen2.5-vl-7b",)
    assert server.asked == ["/v1/models"]
    assert "model=qwen/qwen2.5-vl-7b," in found.command()


@pytest.mark.parametrize("names", [("qwen3:8b",), ("llama3.2:3b", "phi4"), ("gemma3:1b",), ("mistral",), ("a b",)])
def test_without_a_model_that_sees_the_text_can_still_be_read_by_one(names: tuple[str, ...]) -> None:
    with serving(pages={"/api/tags": tags(*names)}) as server:
        (found,) = ollama(server)
    assert found.version == ""
    assert "--llm-sees-picture" not in found.command()
    assert names[0] in found.command()
    assert "none sees pictures" in found.says()
    assert "ollama pull" in found.says()


def test_without_any_model_one_is_named_to_get() -> None:
    with serving(pages={"/api/tags": {"models": []}}) as server:
        (found,) = ollama(server)
    assert found.command() == ""
    assert "ollama pull qwen2.5vl" in found.says()


@pytest.mark.parametrize(
    "page",
    [
        b"<html>", b"[]", b"{}", b'{"models": "many"}', b'{"models": ', b"\xff\xfe", b"[" * 100_000, disconnects, hangs,
        drips, floods, raw(b"{}", status=500), raw(b"", status=302, Location="http://127.0.0.1:9/"),
    ],
)  # fmt: skip
def test_what_is_no_such_server_is_not_taken_for_one(page: Any) -> None:
    with serving(pages={"/api/tags": page, "/api/version": page}) as server:
        assert ollama(server, timeout_s=0.3) == ()


@pytest.mark.parametrize(
    "rows", [[1, None, "x"], [{}], [{"name": None}], [{"name": ""}], [{"name": 5, "details": []}], [{"model": "x"}]]
)
def test_rows_that_are_no_models_are_passed_over(rows: list[Any]) -> None:
    with serving(pages={"/api/tags": {"models": rows}, "/api/version": []}) as server:
        (found,) = ollama(server)
    assert found.models == ()


@pytest.mark.parametrize("name", ["llava; rm -rf x", "llava'$(id)", "llava\x1b[31m", "llava\u202e", "llava\n--offline"])
def test_a_model_with_an_odd_name_cannot_end_the_command(name: str) -> None:
    with serving(pages={"/api/tags": tags(name)}) as server:
        (found,) = ollama(server)
    assert "\x1b" not in found.says() + found.command()
    assert "\n" not in found.command()
    assert found.command().count(" --") == 2 or "'" in found.command()


def test_a_port_where_nobody_listens_costs_nothing() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert local_servers(0.5, {"Ollama": f"http://127.0.0.1:{port}"}) == ()


def test_the_doctor_says_how_to_use_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_data", dict)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with serving(pages={"/api/tags": tags("qwen2.5vl:7b", "phi4"), "/api/version": {"version": "0.9"}}) as server:
        url = server.url.removesuffix("/v1")
        here = {"Ollama": url, "LM Studio": url}  # the second knows no /v1/models
        monkeypatch.setattr(local_models, "SERVERS", here)
        monkeypatch.setattr(doctor, "SERVERS", here)
        told = CliRunner().invoke(main, ["doctor"]).stdout
        report = json.loads(CliRunner().invoke(main, ["doctor", "--json"]).stdout)["local_language_models"]
    assert f"Ollama: 0.9 at {url}, models: qwen2.5vl:7b (sees pictures), phi4" in " ".join(told.split())
    assert f"model=qwen2.5vl:7b,base_url={url}/v1 --llm-sees-picture\n" in told
    assert f"  LM Studio: not found at {url}\n" in told
    assert "qwen2.5vl:7b (sees pictures)" in report["Ollama"]
    assert report["to use Ollama"].startswith("geoagent locate photo.jpg --llm openai_compatible,model=qwen2.5vl:7b,")
    assert server.seen == []

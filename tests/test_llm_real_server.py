"""The client against a server that we did not write: llama.cpp's, with a tiny random model made here.

It proves that what we send is understood and that schema-constrained decoding is used; what a random model says is
noise.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openai", reason="openai is not installed (pip install 'geoagent-photo[llm]')")
gguf = pytest.importorskip("gguf", reason="gguf is not installed: pip install gguf")
xllamacpp = pytest.importorskip("xllamacpp", reason="no real server: pip install xllamacpp")

from pydantic import BaseModel, Field  # noqa: E402

from geoagent import GeoAgent, plugs  # noqa: E402
from geoagent.evidence.constraints.llm import build  # noqa: E402
from geoagent.evidence.llm import Metered  # noqa: E402
from geoagent.evidence.llm_messages import Ask, Message  # noqa: E402

TEMPLATE = "{% for m in messages %}{{ m['content'] }}\n{% endfor %}"


def write_model(path: Path) -> None:
    """A llama of two layers with random weights, whose tokens are single bytes and short words."""
    rng = np.random.default_rng(7)
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *(chr(i) for i in range(32, 127))]
    types = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    types += [gguf.TokenType.BYTE] * 256 + [gguf.TokenType.NORMAL] * 95
    width, hidden, heads, size = 32, 64, 4, len(pieces)
    out = gguf.GGUFWriter(str(path), "llama")
    out.add_block_count(2)
    out.add_context_length(8192)
    out.add_embedding_length(width)
    out.add_feed_forward_length(hidden)
    out.add_head_count(heads)
    out.add_head_count_kv(heads)
    out.add_layer_norm_rms_eps(1e-5)
    out.add_rope_dimension_count(width // heads)
    out.add_vocab_size(size)
    out.add_tokenizer_model("llama")
    out.add_token_list(pieces)
    out.add_token_scores([0.0] * size)
    out.add_token_types(types)
    out.add_bos_token_id(1)
    out.add_eos_token_id(2)
    out.add_unk_token_id(0)
    out.add_add_bos_token(False)
    out.add_add_space_prefix(False)
    out.add_chat_template(TEMPLATE)

    def tensor(name: str, *shape: int) -> None:
        out.add_tensor(name, (rng.standard_normal(shape) * 0.1).astype(np.float32))

    tensor("token_embd.weight", size, width)
    for i in range(2):
        for part in ("attn_norm", "ffn_norm"):
            out.add_tensor(f"blk.{i}.{part}.weight", np.ones(width, dtype=np.float32))
        for part in ("attn_q", "attn_k", "attn_v", "attn_output"):
            tensor(f"blk.{i}.{part}.weight", width, width)
        tensor(f"blk.{i}.ffn_gate.weight", hidden, width)
        tensor(f"blk.{i}.ffn_up.weight", hidden, width)
        tensor(f"blk.{i}.ffn_down.weight", width, hidden)
    out.add_tensor("output_norm.weight", np.ones(width, dtype=np.float32))
    head = rng.standard_normal((size, width)).astype(np.float32)
    head[3 + 128 : 259] = 0.0  # half a character of UTF-8 is never wanted
    head[3:35] = 0.0  # nor are control characters
    out.add_tensor("output.weight", head)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    write_model(path)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel, params.warmup = 8192, 1, False
    params.cpuparams.n_threads = 1
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    del server


class Colour(BaseModel):
    name: str = Field(max_length=8)
    kind: str = Field(pattern="^(warm|cold)$")
    amount: int = Field(ge=0, le=9)


def client(url: str, **options: object):
    return plugs.build("llm", "openai_compatible", None, model="tiny", base_url=url, **{"timeout_s": 60, **options})


@pytest.mark.parametrize("mode", ["json_schema", "json_object"])
def test_a_real_server_answers(url, mode):
    reply = client(url, mode=mode)(Ask("t.v1", (Message("user", "A colour?"),), Colour, max_tokens=200))
    assert reply.requests >= 1
    assert reply.usage.input_tokens > 0
    assert not reply.usage.estimated
    if mode == "json_schema":
        assert reply.outcome == "ok", reply
        assert (reply.mode, reply.repaired) == ("json_schema", False), "random words keep to the schema: it is enforced"
        assert reply.value.kind in ("warm", "cold")
    else:
        assert reply.outcome in ("ok", "malformed", "truncated")


def test_truncation_by_a_real_server(url):
    reply = client(url)(Ask("t.v1", (Message("user", "A colour?"),), Colour, max_tokens=3))
    assert reply.outcome == "truncated"


def test_the_whole_story_with_a_real_server(url):
    agent = GeoAgent.load(ocr="nothing")
    assets = replace(agent.assets, model=Metered(client(url)))
    asking = replace(agent, assets=assets, sources=(*agent.sources, build(assets, max_tokens=600)))
    answer, before = asking.locate_text(["Elbblick", "Fahrschule"]), agent.locate_text(["Elbblick", "Fahrschule"])
    assert answer.llm.calls == 1
    assert answer.best == before.best, "noise cites nothing that is there"
    assert answer.countries == before.countries

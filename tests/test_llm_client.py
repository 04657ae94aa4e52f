"""The client against a real HTTP server that misbehaves on request."""

from __future__ import annotations

import time

import pytest

pytest.importorskip("openai", reason="openai is not installed (pip install 'geoagent-photo[llm]')")
from llm_server import GOOD, disconnects, drips, drips_headers, fails, floods, hangs, raw, says, serving
from pydantic import BaseModel, Field

from geoagent import plugs
from geoagent.errors import ConfigError
from geoagent.evidence.llm_messages import Ask, Message


class Thing(BaseModel):
    name: str
    size: float = Field(ge=0, le=1)


class Tool(BaseModel):
    """Look something up."""

    name: str


WELL = {"name": "a", "size": 0.5}
ASK = Ask("test.v1", (Message("system", "Be brief."), Message("user", "What?")), Thing, max_tokens=50)


def client(server, **options):
    return plugs.build(
        "llm", "openai_compatible", None, model="toy", base_url=server.url, **{"timeout_s": 20, **options}
    )


def ask(*behaviours, question=ASK, **options):
    with serving(*behaviours) as server:
        return client(server, **options)(question), server


def test_a_good_reply():
    reply, server = ask(says(WELL))
    assert reply.outcome == "ok"
    assert reply.value == Thing(name="a", size=0.5)
    assert (reply.usage.input_tokens, reply.usage.output_tokens) == (100, 20)
    (body,) = server.seen
    form = body["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["additionalProperties"] is False
    assert form["schema"]["required"] == ["name", "size"]
    assert (body["model"], body["max_tokens"], body["temperature"]) == ("toy", 50, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        '```json\n{"name": "a", "size": 0.5}\n```',
        '<think>{"name": 1}</think>Here: {"name": "a", "size": 0.5}. Good luck!',
    ],
)
def test_json_is_found_in_what_surrounds_it(text):
    reply, server = ask(says(text))
    assert reply.value == Thing(name="a", size=0.5)
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "bad", ['{"name": "a", "size"', '{"nom": "a"}', '{"name": "a", "size": 7}', "", "[]", "{" * 5000]
)
def test_a_malformed_reply_is_repaired_once(bad):
    reply, server = ask(says(bad), says(WELL))
    assert reply.outcome == "ok"
    assert reply.repaired
    assert reply.usage.input_tokens == 200
    again = server.seen[1]["messages"][-1]
    assert again["role"] == "user"
    assert "not what was asked for" in again["content"]
    reply, server = ask(says(bad))
    assert reply.outcome == "malformed"
    assert reply.why
    assert len(server.seen) == 2


def test_the_repair_says_what_was_wrong():
    _, server = ask(says({"name": "a", "size": 7}), says(WELL))
    assert "size" in server.seen[1]["messages"][-1]["content"]


def test_a_refusal_is_an_outcome():
    reply, server = ask(says(None, refusal="I cannot."))
    assert (reply.outcome, reply.why) == ("refused", "I cannot.")
    assert len(server.seen) == 1
    assert ask(says("", finish="content_filter"))[0].outcome == "refused"


def test_a_truncated_reply_is_an_outcome():
    reply, server = ask(says('{"name": "aaaa', finish="length"))
    assert reply.outcome == "truncated"
    assert len(server.seen) == 1


THOUGHTS = [
    {"content": "", "reasoning": "The name would be {a}, of size 0.5."},  # Ollama
    {"content": None, "reasoning_content": "The sign is German, so"},  # DeepSeek, llama.cpp
    {"content": "\n", "reasoning": "First, the words."},
    {"content": '<think>{"colour": "red"} or {"name": "a"</think>'},
    {"content": "", "reasoning": '{"name": "a", "size": "large"}'},
    {"content": "", "reasoning": {"name": "a", "size": 0.5}},
    {"content": "<thinking>Well.</thinking>\n\n"},
    {"content": "<think>The sign has been cut"},
    {"content": "The mark at the head is in the prompt.</think>"},
]


@pytest.mark.parametrize("said", THOUGHTS)
def test_a_model_that_only_thought_is_told_how_not_to(said):
    reply, server = ask(says(said["content"], **{k: v for k, v in said.items() if k != "content"}))
    assert reply.outcome == "malformed"
    assert reply.value is None
    assert "only thought" in reply.why
    assert "thinking=off" in reply.why
    assert len(server.seen) == 1  # asking for a repair would only make it think again


@pytest.mark.parametrize(
    "said",
    [
        {"content": "", "reasoning": '{"name": "quay", "size": 0.25}'},
        {"content": None, "reasoning_content": 'Then:\n```json\n{"name": "quay", "size": 0.25}\n```'},
        {"content": " ", "reasoning": 'Perhaps {"name": "pier", "size": 1}? No: {"name": "quay", "size": 0.25}.'},
        {"content": '<think>{"name": "quay", "size": 0.25}</think>'},
        {"content": "", "reasoning": 'A {brace}, {"colour": "red"}, {"name": "quay", "size": 0.25} and {"size": 9}'},
        {"content": "", "reasoning": "", "reasoning_content": "{" * 80 + '{"name": "quay", "size": 0.25}'},
    ],
)
def test_a_reply_that_a_server_takes_for_a_thought_is_understood(said):
    reply, server = ask(says(said["content"], **{k: v for k, v in said.items() if k != "content"}))
    assert reply.outcome == "ok"
    assert reply.value == Thing(name="quay", size=0.25)
    assert "quay" in reply.text
    assert len(server.seen) == 1


@pytest.mark.parametrize("draft", ['{"name": "quay", "size": 0.25}', 'First {"name": "pier", "size": 1}, but then'])
def test_a_draft_in_thoughts_that_were_cut_off_is_no_reply(draft):
    reply, _ = ask(says("", finish="length", reasoning=draft))
    assert reply.outcome == "truncated"
    assert reply.value is None


def test_a_model_that_thought_until_it_was_cut_off_is_told_both():
    reply, _ = ask(says("", finish="length", reasoning="First of all,"))
    assert reply.outcome == "truncated"
    assert "only thought" in reply.why
    assert "cut off after 50 tokens" in reply.why
    assert "reply_tokens" in reply.why


@pytest.mark.parametrize(
    "text",
    [
        '<think>Is it b? {"name": "b", "size": 1}</think>{"name": "a", "size": 0.5}',
        'No: {"name": "b", "size": 1}</think>\n{"name": "a", "size": 0.5}',
        '<THINK>\nHm.\n</THINK>\n```json\n{"name": "a", "size": 0.5}\n```',
        '{"name": "a", "size": 0.5}',
        '<think></think>{"name": "a", "size": 0.5}',
    ],
)
def test_thoughts_before_a_reply_are_left_out(text):
    reply, server = ask(says(text, reasoning="I think so."))
    assert reply.value == Thing(name="a", size=0.5)
    assert len(server.seen) == 1


def test_a_reply_that_speaks_of_thoughts_is_a_reply():
    reply, _ = ask(says({"name": "</think> a <think>", "size": 0.5}))
    assert reply.value == Thing(name="</think> a <think>", size=0.5)


@pytest.mark.parametrize("off", ["off", "false", False, "OFF", "False"])
def test_thinking_is_turned_off_on_request(off):
    _, server = ask(says(WELL), thinking=off)
    assert server.seen[0]["reasoning_effort"] == "none"
    assert server.seen[0]["chat_template_kwargs"] == {"enable_thinking": False}
    _, server = ask(says(WELL))
    assert not {"reasoning_effort", "chat_template_kwargs"} & set(server.seen[0])


def test_a_server_that_does_not_know_how_to_is_asked_without():
    told = fails(400, "Unrecognized request argument supplied: chat_template_kwargs")
    reply, server = ask(told, says(WELL), thinking="off")
    assert reply.outcome == "ok"
    assert server.seen[1]["reasoning_effort"] == "none"
    assert "chat_template_kwargs" not in server.seen[1]


def test_the_limit_of_a_reply_can_be_raised():
    reply, server = ask(says('{"name": "aaaa', finish="length"), reply_tokens=4000)
    assert server.seen[0]["max_tokens"] == 4000
    assert "cut off after 4000 tokens" in reply.why


def test_too_many_requests_are_waited_for(monkeypatch):
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    reply, server = ask(fails(429, "slow down", Retry_After="7"), says(WELL))
    assert reply.outcome == "ok"
    assert 7 in waits
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_retries_are_bounded(status):
    reply, server = ask(fails(status, "busy", Retry_After="0.01"), max_retries=2)
    assert reply.outcome == "unavailable"
    assert f"HTTP {status}" in reply.why
    assert len(server.seen) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_key_or_model_is_not_tried_again(status):
    reply, server = ask(fails(status, "no such model"))
    assert reply.outcome == "unavailable"
    assert "no such model" in reply.why
    assert len(server.seen) == 1


@pytest.mark.parametrize("behaviour", [drips, drips_headers, hangs])
def test_a_server_that_never_ends_is_given_up(behaviour):
    reply, _ = ask(behaviour, timeout_s=0.8, max_retries=0)
    assert reply.outcome == "unavailable"


def test_after_a_slow_reply_the_client_still_works():
    with serving(drips, says(WELL)) as server:
        model = client(server, timeout_s=2.0, max_retries=0)
        assert model(ASK).outcome == "unavailable"
        assert model(ASK).outcome == "ok"


@pytest.mark.parametrize(
    "behaviour",
    [
        disconnects,
        floods,
        raw(b"<html>It works!</html>", "text/html"),
        raw(b"\xff\xfe\x00", "application/octet-stream"),
        raw(b"", "application/json"),
        raw(b"null"),
        raw(b'{"choices": []}'),
        raw(b'{"choices": [{"message": {"content": 7}}]}'),
        raw(b'{"choices": "' + b"x" * 100_000 + b'"}'),
    ],
)
def test_what_is_no_completion_is_an_outcome(behaviour):
    reply, _ = ask(behaviour, max_retries=0)
    assert reply.outcome == "unavailable"
    assert reply.why
    assert len(reply.why) < 400


def test_a_server_that_is_not_there():
    with serving(says(WELL)) as server:
        pass
    reply = client(server, max_retries=0)(ASK)
    assert reply.outcome == "unavailable"


def test_redirects_are_refused():
    with serving(says(WELL)) as other:
        reply, _ = ask(raw(b"", status=307, Location=f"{other.url}/chat/completions"))
        assert reply.outcome == "unavailable"
        assert other.seen == []


def test_modes_step_down_and_the_one_that_works_is_remembered():
    def picky(handler, body):
        kind = body.get("response_format", {}).get("type")
        if kind is not None:
            fails(400, f"response_format {kind} is not supported")(handler, body)
        else:
            says(WELL)(handler, body)

    with serving(picky) as server:
        model = client(server)
        reply = model(ASK)
        assert (reply.outcome, reply.mode) == ("ok", "prompt")
        assert [b.get("response_format", {}).get("type") for b in server.seen] == ["json_schema", "json_object", None]
        assert "JSON Schema" in server.seen[-1]["messages"][0]["content"]
        model(ASK)
        assert len(server.seen) == 4


def test_a_bad_request_for_another_reason_ends():
    reply, server = ask(fails(400, "context length exceeded"))
    assert reply.outcome == "unavailable"
    assert len(server.seen) == 3


def test_parameters_that_a_server_does_not_know_are_left_out():
    def picky(handler, body):
        for name in ("temperature", "max_tokens"):
            if name in body:
                said = (
                    f"unsupported parameter {name}, use max_completion_tokens" if name == "max_tokens" else f"no {name}"
                )
                return fails(400, said)(handler, body)
        return says(WELL)(handler, body)

    reply, server = ask(picky)
    assert reply.outcome == "ok"
    assert server.seen[-1]["max_completion_tokens"] == 50


def test_tools_are_called():
    call = {"id": "c1", "type": "function", "function": {"name": "Tool", "arguments": '{"name": "Köln"}'}}
    question = Ask("test.v1", ASK.messages, None, (Tool,))
    reply, server = ask(says(None, finish="tool_calls", tool_calls=[call]), question=question)
    assert reply.calls[0].name == "Tool"
    assert reply.calls[0].arguments == '{"name": "Köln"}'
    assert server.seen[0]["tools"][0]["function"]["description"] == "Look something up."


def test_the_payload_is_what_is_sent():
    with serving(says(WELL)) as server:
        model = client(server)
        pictured = Ask("test.v1", (Message("user", "Where?", image=b"\xff\xd8jpeg"),), Thing)
        for question in (ASK, pictured):
            promised = model.payload(question)
            model(question)
            assert server.seen[-1] == promised
        assert promised["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/jpeg;base64,")


def test_the_key_comes_from_the_environment_and_is_told_to_nobody(monkeypatch):
    monkeypatch.setenv("GEOAGENT_LLM_KEY", "sk-secret-1")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    reply, server = ask(fails(401, "Incorrect API key provided: sk-secret-1"))
    assert server.headers[0]["authorization"] == "Bearer sk-secret-1"
    assert "sk-secret-1" not in repr(reply)
    monkeypatch.delenv("GEOAGENT_LLM_KEY")
    _, server = ask(says(WELL))
    assert "sk-other" not in str(server.headers), "OpenAI's key is for OpenAI's address alone"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": None}, "no model is set"),
        ({"base_url": "localhost:8080"}, "base_url"),
        ({"base_url": "http://u:p@host/v1"}, "credentials"),
        ({"mode": "xml"}, "mode"),
        ({"thinking": "loud"}, "thinking must be on or off"),
        ({"reply_tokens": 0}, "reply_tokens must be positive"),
        ({"timeout_s": 0}, "timeout_s"),
    ],
)
def test_wrong_settings_are_named(options, message, monkeypatch):
    monkeypatch.delenv("GEOAGENT_LLM_MODEL", raising=False)
    with pytest.raises(ConfigError, match=message):
        plugs.build("llm", "openai_compatible", None, **{"model": "m", "base_url": "http://127.0.0.1:1/v1", **options})


def test_the_good_reply_of_the_tests_is_one():
    from geoagent.evidence.constraints._reply import SignReading

    assert SignReading.model_validate(GOOD).candidates[0].place == "Dresden"

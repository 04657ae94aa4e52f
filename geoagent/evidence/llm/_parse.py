"""Parsing of a model's reply: extract the JSON and validate it against the requested schema."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

MOST_CHARS = 200_000
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_CUT_OFF = re.compile(r"\A\s*<think(?:ing)?>.*", re.DOTALL | re.IGNORECASE)
_HEADLESS = re.compile(r"\A\s*[^\s{`].*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_THOUGHT_TRIES = 500  # likewise, in thoughts
_TRIES = 50  # maximum number of opening braces tried


def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """Return the JSON Schema for constrained decoding: all fields required, no extra ones, no titles or defaults."""
    made: dict[str, Any] = _strict(schema.model_json_schema())
    return made


def _strict(node: Any) -> Any:
    if isinstance(node, list):
        return [_strict(part) for part in node]
    if not isinstance(node, dict):
        return node
    out = {key: _strict(value) for key, value in node.items() if key != "default"}
    if isinstance(out.get("title"), str):
        del out["title"]
    if out.get("type") == "object" and isinstance(out.get("properties"), dict):
        out["required"] = list(out["properties"])
        out["additionalProperties"] = False
    return out


def without_thoughts(text: str) -> str:
    """Return a reply without what the model thought before it: `<think>` blocks.

    The first mark is missing where a template puts it into the prompt, and the last where the reply was cut off.
    """
    return _HEADLESS.sub("", _CUT_OFF.sub("", _THOUGHT.sub("", text)))


def read_reply(text: str, schema: type[BaseModel]) -> tuple[BaseModel | None, str]:
    """Return the value in a reply, or None and what is wrong with it.

    Text around the JSON (code fences, reasoning, pleasantries) is skipped; unknown fields are ignored.
    """
    if len(text) > MOST_CHARS:
        return None, f"the reply has {len(text):,} characters"
    text = without_thoughts(text)
    wrong = "there is no JSON object in the reply"
    decoder = json.JSONDecoder()
    at, tries = text.find("{"), 0
    while at >= 0 and tries < _TRIES:
        tries += 1
        try:
            data, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            wrong = f"no valid JSON: {error}" if tries == 1 else wrong
            at = text.find("{", at + 1)
            continue
        try:
            return schema.model_validate(data), ""
        except ValidationError as error:
            wrong = _said(error) if tries == 1 else wrong
        except RecursionError:
            wrong = "the JSON is nested too deep"
        at = text.find("{", end)
    return None, wrong


def last_value(thoughts: str, schema: type[BaseModel]) -> BaseModel | None:
    """Return the last value of the schema in what a model thought; None where there is none.

    Drafts come before what is settled on. An object without any of the schema's fields is none of its values, though
    all of them may have defaults.
    """
    if len(thoughts) > MOST_CHARS:
        return None
    decoder, found, at = json.JSONDecoder(), None, thoughts.find("{")
    for _ in range(_THOUGHT_TRIES):
        if at < 0:
            break
        try:
            data, end = decoder.raw_decode(thoughts, at)
            if isinstance(data, dict) and not schema.model_fields.keys().isdisjoint(data):
                found = schema.model_validate(data)
        except (ValueError, RecursionError):  # ValidationError is a ValueError
            end = at + 1
        at = thoughts.find("{", end)
    return found


def _said(error: ValidationError) -> str:
    """Describe the first validation errors so that a model can correct them."""
    rows = [f"{'.'.join(map(str, e['loc'])) or 'object'}: {e['msg']}" for e in error.errors(include_url=False)[:5]]
    return "; ".join(rows)

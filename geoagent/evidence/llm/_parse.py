"""Reading a model's reply: the JSON in it, checked against the schema that was asked for."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError

MOST_CHARS = 200_000
_THOUGHT = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_TRIES = 50  # opening braces that are tried


def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema for constrained decoding: every field required, nothing else allowed, no titles or defaults."""
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


def read_reply(text: str, schema: type[BaseModel]) -> tuple[BaseModel | None, str]:
    """Return the value in a reply, or None and what is wrong with it.

    Text around the JSON (fences, thoughts, pleasantries) is passed over; fields that were not asked for are ignored.
    """
    if len(text) > MOST_CHARS:
        return None, f"the reply has {len(text):,} characters"
    text = _THOUGHT.sub("", text)
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


def _said(error: ValidationError) -> str:
    """The first faults, in words that a model can act on."""
    rows = [f"{'.'.join(map(str, e['loc'])) or 'object'}: {e['msg']}" for e in error.errors(include_url=False)[:5]]
    return "; ".join(rows)

"""The card of a model: what it reads, what it was made of, its figures and its hash, as JSON beside the ONNX file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geoagent.errors import ResourceError


@dataclass(frozen=True, slots=True)
class Card:
    """A model's card.

    Attributes:
        name: of the model.
        format: precision, input and output.
        sha256: of the ONNX file.
        scripts: ISO 15924 codes of the scripts that it reads.
        training: method, lines, seconds, seed, date and so on.
        data: sources of the words and the fonts, with their licences.
        validation: script to `cer` and `lines_right`.
        validation_set: what that was measured on; "" where nothing was.
        confidence: script to the figures of `validate.Confidence`.
        version: of the model.
    """

    name: str
    format: str
    sha256: str
    scripts: tuple[str, ...]
    training: Mapping[str, Any]
    data: tuple[str, ...]
    validation: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    validation_set: str = ""
    confidence: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    version: int = 1

    def save(self, model: Path) -> Path:
        """Write the card beside its model; the name of the file is the model's, with .json."""
        path = model.with_suffix(".json")
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", "utf-8")
        return path

    @classmethod
    def load(cls, model: Path) -> Card:
        """Read the card beside a model and compare its hash; entries that are not known here are left out.

        Raises:
            ResourceError: there is no card, it lacks an entry, or it is another model's.
        """
        path = model.with_suffix(".json")
        try:
            saved = json.loads(path.read_text("utf-8"))
            known = {name: saved[name] for name in cls.__slots__ if name in saved}
            entries: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in known.items()}
            card = cls(**entries)
        except (OSError, ValueError, TypeError) as error:
            raise ResourceError(f"{path} is no card of a model ({error}); expected what train-reader writes") from error
        if card.sha256 != sha256_of(model):
            raise ResourceError(f"{path} is the card of another model than {model}: the hashes differ")
        return card


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()

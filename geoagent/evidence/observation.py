"""Observation: everything extracted from one photo before the evidence is weighed.

Encoding and OCR are slow; weighing is fast. A photo is therefore observed once and can be answered many times: with
other weights, with a hint, or without a cue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from geoagent.evidence.llm_log import LlmLog
from geoagent.places.geo import LatLon
from geoagent.types import Constraint, TextEvidence, VisionEvidence


@dataclass(frozen=True, eq=False, slots=True)
class Observation:
    """Result of `GeoAgent.observe` for one photo, text or row of features.

    Holds no pixels, can be pickled, and works with any agent that uses the same geocells.

    Attributes:
        source: name of the input as the user gave it.
        vision: evidence from the picture.
        text: evidence from the text.
        warnings: problems and data loss while observing.
        id: row id of a text or of features.
        exif_gps: position stated in the file's metadata; never used as evidence.
        exif_partial: what the metadata hold of a position that is not whole, in words; "" otherwise.
        size_px: width and height of the upright original, or None if there was no picture.
        album: constraints that other photos of the same album give; see `agent.albums`.
        llm_log: log of requests to the language model.
        seconds: run time of each stage.
    """

    source: str
    vision: VisionEvidence
    text: TextEvidence = field(default_factory=TextEvidence)
    warnings: tuple[str, ...] = ()
    id: str | None = None
    exif_gps: LatLon | None = None
    exif_partial: str = ""
    size_px: tuple[int, int] | None = None
    album: tuple[Constraint, ...] = ()
    llm_log: LlmLog = field(default_factory=LlmLog)
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        """All constraints: those of the album, and those of the text and of models that see."""
        return (*self.album, *self.text.constraints)


def with_unique_ids(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Return the constraints with unique ids: two sources may have used the same id."""
    found: dict[str, Constraint] = {}
    for constraint in constraints:
        id, number = constraint.id, 2
        while id in found:
            id, number = f"{constraint.id}~{number}", number + 1
        found[id] = constraint if id == constraint.id else replace(constraint, id=id)
    return tuple(found.values())

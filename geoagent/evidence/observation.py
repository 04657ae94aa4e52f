"""What has been seen of one photo: everything that an answer is made of, before anything is weighed.

Looking and reading are what takes time; weighing is quick. So a photo is observed once and may be answered often: with
other weights, with a hint, without a cue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from geoagent.evidence.llm_log import LlmLog
from geoagent.places.geo import LatLon
from geoagent.types import Constraint, TextEvidence, VisionEvidence


@dataclass(frozen=True, eq=False, slots=True)
class Observation:
    """One photo, text or row of features, as `GeoAgent.observe` saw it.

    It holds no pixels, may be pickled, and fits every agent over the same geocells.

    Attributes:
        source: what it is, as the user named it.
        vision: what the picture says.
        text: what its text says.
        warnings: what was lost or odd.
        id: row id of a text or of features.
        exif_gps: the position that the file claims; never evidence.
        size_px: width and height of the upright original, or None where there was no picture.
        llm_log: what a language model was asked.
        seconds: how long each part took.
    """

    source: str
    vision: VisionEvidence
    text: TextEvidence = field(default_factory=TextEvidence)
    warnings: tuple[str, ...] = ()
    id: str | None = None
    exif_gps: LatLon | None = None
    size_px: tuple[int, int] | None = None
    llm_log: LlmLog = field(default_factory=LlmLog)
    seconds: Mapping[str, float] = field(default_factory=dict)


def with_unique_ids(constraints: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """The constraints with ids of their own: two sources may have given one id to two of them."""
    found: dict[str, Constraint] = {}
    for constraint in constraints:
        id, number = constraint.id, 2
        while id in found:
            id, number = f"{constraint.id}~{number}", number + 1
        found[id] = constraint if id == constraint.id else replace(constraint, id=id)
    return tuple(found.values())

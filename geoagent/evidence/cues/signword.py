"""Words on road signs: STOP is PARE, ALTO, DUR, 止まれ; "Anlieger frei", "tow away zone", "vado permanente"."""

from __future__ import annotations

from geoagent.evidence.cues.reading import Reading
from geoagent.evidence.cues.regional import search
from geoagent.types import Cue


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue of kind "signword" for each road sign word or phrase that few countries use."""
    return search(reading, earlier, reading.facts.roadwords, "signword")

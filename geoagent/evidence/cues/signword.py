"""Words of road signs: STOP is PARE, ALTO, DUR, 止まれ; "Anlieger frei", "tow away zone", "vado permanente"."""

from __future__ import annotations

from geoagent.evidence.cues.reading import Reading
from geoagent.evidence.cues.regional import search
from geoagent.types import Cue


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """One cue of kind "signword" for each word or phrase of road signs that few countries write."""
    return search(reading, earlier, reading.facts.roadwords, "signword")

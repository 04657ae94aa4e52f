"""Regions of text as a language model is shown them: cleaned, masked, bounded, without lines that instruct."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geoagent.evidence.privacy import masked_stretches, redact
from geoagent.evidence.scripts import clean
from geoagent.evidence.untrusted import instructing
from geoagent.types import Cue, Span, TextRegion

MAX_REGIONS = 60
MAX_LINE = 200
MAX_TOTAL = 5000
_QUOTED = re.compile(r"[\"“”„«»]([^\"“”„«»]{2,80})[\"“”„«»]")


@dataclass(frozen=True, eq=False)
class Signs:
    """What is sent, and the way back from a citation to the characters that it cites.

    Attributes:
        lines: region index to the masked line that is sent.
        rows: what is sent, one object a region.
        withheld: regions that are not sent, since they instruct.
        masked: stretches that were masked.
        hidden: regions of which something was masked.
        regions: as read.
    """

    lines: dict[int, str]
    rows: tuple[dict[str, Any], ...]
    withheld: frozenset[int]
    masked: int
    hidden: frozenset[int]
    regions: tuple[TextRegion, ...]

    @classmethod
    def of(cls, regions: Sequence[TextRegion], cues: Iterable[Cue] = ()) -> Signs:
        """Prepare the regions of one photo."""
        withheld = instructing([region.text for region in regions])
        known: dict[str, dict[int, list[tuple[int, int]]]] = {"plate": {}, "phone": {}}
        for cue in cues:
            for span in cue.spans if cue.kind in known else ():
                known[cue.kind].setdefault(span.region, []).append((span.start, span.end))
        where = _positions(regions)
        lines: dict[int, str] = {}
        rows: list[dict[str, Any]] = []
        masked, hidden, total = 0, set(), 0
        for i, region in enumerate(regions):
            if i in withheld or len(rows) >= MAX_REGIONS or not region.text.strip():
                continue
            # Masked before it is cleaned, since cleaning may move characters from where the cues saw them.
            safe = redact(region.text, known["plate"].get(i, ()), known["phone"].get(i, ()))
            count = masked_stretches(region.text, safe)
            line = clean(safe)[:MAX_LINE]
            again = redact(line)  # what only shows when invisible characters are gone
            count += masked_stretches(line, again)
            if not again or total + len(again) > MAX_TOTAL:
                continue
            total += len(again)
            masked += count
            hidden |= {i} if count else set()
            lines[i] = again
            row: dict[str, Any] = {"region": i, "text": again, "script": region.script}
            if where[i]:
                row["position"] = where[i]
            rows.append({**row, "confidence": round(float(region.confidence), 2)})
        return cls(lines, tuple(rows), withheld, masked, frozenset(hidden), tuple(regions))

    @property
    def json(self) -> str:
        """One line of JSON."""
        return json.dumps(self.rows, ensure_ascii=False)

    def span(self, region: int, words: str) -> Span | None:
        """The characters that a citation means; None where the words are not there."""
        line = self.lines.get(region)
        wanted = _key(words)
        if line is None or not wanted:
            return None
        key, offsets = _keyed(self.regions[region].text)
        masked, _ = _keyed(line)
        at = key.find(wanted)
        if at < 0:
            # The model saw the masked line; its masks stand at the same characters where cleaning moved nothing.
            at = masked.find(wanted)
            if at < 0:
                return None
            whole = self.regions[region].text
            return Span(region, 0, len(whole))
        return Span(region, offsets[at], offsets[at + len(wanted) - 1] + 1)

    def invented(self, reason: str) -> bool:
        """Whether a reason quotes words that stand in no region."""
        everything = " ".join(_key(line) for line in self.lines.values())
        return any(_key(quote) not in everything for quote in _QUOTED.findall(reason))


def _keyed(text: str) -> tuple[str, list[int]]:
    """Letters, digits and masks of a text in lower case, and where each stands."""
    key, offsets = [], []
    for i, char in enumerate(text):
        for part in unicodedata.normalize("NFKD", char).casefold():
            if part.isalnum() or part in "#*":
                key.append(part)
                offsets.append(i)
    return "".join(key), offsets


def _key(text: str) -> str:
    return _keyed(text)[0]


def _positions(regions: Sequence[TextRegion]) -> list[str]:
    """Where each region stands among all: "top left" …; "" where the text came without a picture."""
    boxes = [r.polygon_px for r in regions if len(r.polygon_px)]
    if not boxes:
        return [""] * len(regions)
    corners = np.concatenate(boxes)
    low, size = corners.min(axis=0), np.maximum(np.ptp(corners, axis=0), 1.0)
    words = (("left", "middle", "right"), ("top", "middle", "bottom"))
    found = []
    for region in regions:
        if not len(region.polygon_px):
            found.append("")
            continue
        at = np.clip((region.polygon_px.mean(axis=0) - low) / size * 3, 0, 2.99).astype(int)
        found.append(f"{words[1][at[1]]} {words[0][at[0]]}")
    return found

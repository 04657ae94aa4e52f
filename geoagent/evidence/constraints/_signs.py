"""Text regions as sent to a language model: cleaned, redacted, length-limited, without prompt injections."""

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
    """The text to send, and the mapping from citations back to the cited characters.

    Attributes:
        lines: region index -> masked line to send.
        rows: the payload, one object per region.
        withheld: regions that are not sent because they instruct a program.
        masked: number of masked ranges.
        hidden: regions with masked text.
        regions: regions as read.
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
            # Mask before cleaning, since cleaning may shift characters relative to the cues' offsets.
            safe = redact(region.text, known["plate"].get(i, ()), known["phone"].get(i, ()))
            count = masked_stretches(region.text, safe)
            line = clean(safe)[:MAX_LINE]
            again = redact(line)  # matches that only appear once invisible characters are removed
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
        """Return the rows as one line of JSON."""
        return json.dumps(self.rows, ensure_ascii=False)

    def span(self, region: int, words: str) -> Span | None:
        """Return the characters that a citation refers to; None if the region does not contain the words."""
        line = self.lines.get(region)
        wanted = _key(words)
        if line is None or not wanted:
            return None
        key, offsets = _keyed(self.regions[region].text)
        masked, _ = _keyed(line)
        at = key.find(wanted)
        if at < 0:
            # The model saw the masked line; unless cleaning moved characters, its offsets equal those of the text.
            at = masked.find(wanted)
            if at < 0:
                return None
            whole = self.regions[region].text
            return Span(region, 0, len(whole))
        return Span(region, offsets[at], offsets[at + len(wanted) - 1] + 1)

    def invented(self, reason: str) -> bool:
        """Whether a reason quotes words that occur in no region."""
        everything = " ".join(_key(line) for line in self.lines.values())
        return any(_key(quote) not in everything for quote in _QUOTED.findall(reason))


def _keyed(text: str) -> tuple[str, list[int]]:
    """Return the letters, digits and masks of a text in lower case, and the offset of each."""
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
    """Return each region's relative position: "top left" …; "" if the text has no picture."""
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

"""Writing systems: Georgian letters speak for Georgia, Hangul for Korea; Latin for nowhere."""

from __future__ import annotations

from geoagent.cues.reading import Reading, listed, taken
from geoagent.types import Cue, Span

_NAMES = {
    "Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Ethi":
    "Ethiopic",
    "Geor": "Georgian", "Grek": "Greek", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hang": "Hangul", "Hani": "Han",
    "Hebr": "Hebrew", "Jpan": "Japanese", "Khmr": "Khmer", "Knda": "Kannada", "Laoo": "Lao", "Mlym": "Malayalam",
    "Mong": "Mongolian", "Mymr": "Burmese", "Orya": "Odia", "Sinh": "Sinhala", "Taml": "Tamil", "Telu": "Telugu",
    "Thaa": "Thaana", "Thai": "Thai", "Tibt": "Tibetan", "Tfng": "Tifinagh", "Cans": "Canadian syllabic",
}  # fmt: skip
ABROAD = 0.004
"""Weight of a script in a country where it is not at home: restaurants, embassies, tourists."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """One cue for each script that is read surely enough, Latin and unknown ones aside.

    Lines whose language is told say nothing more by their script, since the language was sought within it.
    """
    spans: dict[str, list[Span]] = {}
    told = taken(earlier, ("language",))
    for line in reading.lines:
        if line.script_is_evidence and line.script not in ("Latn", "Zyyy") and line.region not in told:
            spans.setdefault(line.script, []).append(line.span(0, len(line.text)))
    cues = []
    for script, where in spans.items():
        kinds: dict[str, float] = dict(reading.facts.script_share("Jpan" if script == "Kana" else script))
        name = f"{_NAMES.get(script, script)} letters"
        value = script
        if script == "Hani":
            form, kinds = _han("".join(line.text for line in reading.lines if line.script == "Hani"), reading, kinds)
            value, name = form or script, {"Hans": "Simplified Chinese", "Hant": "Traditional Chinese"}.get(form, name)
            if form == "Jpan":
                name = "Characters in their Japanese form"
        if not kinds:
            continue
        most = max(kinds.values())  # a rare script is no more frequent abroad than a common one
        kinds = {code: share / most for code, share in kinds.items()}
        cues.append(
            Cue(
                kind="script",
                value=value,
                says=f"{name}: at home in {listed(reading.facts, kinds)}.",
                spans=tuple(where),
                countries=kinds,
                elsewhere=ABROAD,
            )
        )
    return cues


def han_forms(text: str) -> tuple[int, int, int]:
    """Count characters that only simplified Chinese, only traditional Chinese, and only Japanese writes.

    National character sets tell them apart: GB 2312 holds the simplified forms, Big5 the traditional ones, and JIS X
    0208 those of post-war Japan.
    """
    simplified = traditional = japanese = 0
    for char in text:
        if not "\u4e00" <= char <= "\u9fff":
            continue
        in_gb, in_big5, in_jis = (_encodes(char, codec) for codec in ("gb2312", "big5", "shift_jis"))
        simplified += in_gb and not in_big5 and not in_jis
        traditional += in_big5 and not in_gb
        japanese += in_jis and not in_gb and not in_big5
    return simplified, traditional, japanese


def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def _han(text: str, reading: Reading, share: dict[str, float]) -> tuple[str, dict[str, float]]:
    """Which form of Han a text is in, and what that makes of the countries' shares."""
    simplified, traditional, japanese = han_forms(text)
    share = {**share, "JP": max(share.get("JP", 0.0), 0.1)}
    if japanese > max(simplified, traditional):
        return "Jpan", {"JP": 1.0}
    if max(simplified, traditional) == 0:
        return "", share
    form = "Hans" if simplified >= traditional else "Hant"
    other = min(simplified, traditional) / max(simplified, traditional)
    # A country that writes the other form shows this one on a few signs; Japan's older shop signs look traditional.
    fitted = {
        code: weight * (1.0 if _form(reading, code) == form else 0.04 + 0.5 * other) for code, weight in share.items()
    }
    return form, fitted


def _form(reading: Reading, code: str) -> str:
    known = reading.facts.countries.get(code)
    return known.han if known is not None else ""

"""Writing systems: Georgian letters indicate Georgia, Hangul Korea; Latin indicates no country."""

from __future__ import annotations

from functools import lru_cache

from geoagent.evidence.cues.language_names import script_name
from geoagent.evidence.cues.reading import Reading, listed, taken
from geoagent.places.gazetteer.facts import Facts
from geoagent.places.gazetteer.normalise import variants
from geoagent.types import Cue, Span

_RARE = {
    "Cans": {"CA": 1.0},
    "Cher": {"US": 1.0},
    "Java": {"ID": 1.0},
    "Mong": {"MN": 0.5, "CN": 0.5},
    "Mtei": {"IN": 1.0},
    "Nkoo": {"GN": 0.6, "ML": 0.3, "CI": 0.1},
    "Olck": {"IN": 1.0},
    "Syrc": {"IQ": 0.5, "SY": 0.4, "TR": 0.1},
    "Tfng": {"MA": 0.7, "DZ": 0.3},
    "Thaa": {"MV": 1.0},
    "Tibt": {"CN": 0.5, "BT": 0.3, "IN": 0.15, "NP": 0.05},
    "Yiii": {"CN": 1.0},
}
"""Home regions of scripts that are not the main script of any country."""
_CODECS = ("gb2312", "big5", "shift_jis")
ABROAD = 0.004
"""Weight of a script in a country where it is not native: restaurants, embassies, tourism."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each script that was read reliably, except Latin and unknown scripts.

    Lines with an identified language are skipped: their script is already accounted for by the language cue.
    """
    spans: dict[str, list[Span]] = {}
    told = taken(earlier, ("language",))
    for line in reading.lines:
        if line.script_is_evidence and line.script not in ("Latn", "Zyyy") and line.region not in told:
            spans.setdefault(line.script, []).append(line.span(0, len(line.text)))
    cues = []
    for script, where in spans.items():
        kinds: dict[str, float] = dict(reading.facts.script_share(script) or _RARE.get(script, {}))
        name = f"{script_name(script)} letters"
        value = script
        if script == "Hani":
            text = "".join(line.text for line in reading.lines if line.script == "Hani")
            kinds["JP"] = max(kinds.get("JP", 0.0), 0.1)
            kinds = {code: share * han_fit(text, code, reading.facts) for code, share in kinds.items()}
            value, name = han_name(text)
        if not kinds:
            continue
        most = max(kinds.values())  # a rare script is no more common abroad than a frequent one
        kinds = {code: share / most for code, share in kinds.items()}
        cues.append(
            Cue(
                kind="script",
                value=value,
                says=f"{name}: at home in {listed(reading, kinds)}.",
                spans=tuple(where),
                countries=kinds,
                elsewhere=ABROAD,
            )
        )
    return cues


def han_forms(text: str) -> tuple[int, int, int]:
    """Count the characters in forms that simplified Chinese, traditional Chinese and Japanese use.

    Characters that both forms of Chinese write alike count for none. 国 counts for simplified Chinese and Japanese, 際
    for traditional Chinese and Japanese. National character sets tell the forms: GB 2312 has the simplified ones, Big5
    the traditional ones, and JIS X 0208 those of post-war Japan beside many traditional ones, which Japan no longer
    writes where it has a form of its own: 營 is 営 there.
    """
    forms = [_forms(char) for char in text if "\u4e00" <= char <= "\u9fff"]
    return tuple(sum(code in form for form in forms) for code in ("Hans", "Hant", "Jpan"))  # type: ignore[return-value]


_SIMPLIFIED_ALONE = frozenset("儿丰么")
"""Usual characters of Big5 that Taiwan hardly writes, and China as short forms of others."""
_LAST_USUAL = 0xC6  # first byte of the last row of Big5's level 1


@lru_cache(maxsize=8192)
def _forms(char: str) -> frozenset[str]:
    """Return which of "Hans", "Hant" and "Jpan" write a character in this form; none if both kinds of Chinese do."""
    in_gb, in_big5, in_jis = (_encodes(char, codec) for codec in _CODECS)
    others = variants(char) - {char}
    longer = any(_encodes(c, "big5") and not _encodes(c, "gb2312") for c in others)
    own = any(_encodes(c, "shift_jis") and not _encodes(c, "gb2312") and not _encodes(c, "big5") for c in others)
    found = {
        "Hans": in_gb,
        "Hant": in_big5 and (not (in_gb and longer) or _is_usual(char)),
        "Jpan": in_jis and not own,
    }
    kept = frozenset(code for code, fits in found.items() if fits)
    return frozenset() if kept >= {"Hans", "Hant"} else kept


def _is_usual(char: str) -> bool:
    """Whether a character is one of the 5,401 usual ones of Big5: 出 is, though 齣 is written 出 in China as well."""
    return char.encode("big5")[0] <= _LAST_USUAL and char not in _SIMPLIFIED_ALONE


@lru_cache(maxsize=32768)
def _encodes(char: str, codec: str) -> bool:
    try:
        char.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


def han_name(text: str) -> tuple[str, str]:
    """Return the ISO 15924 code and the name of the form of a text's Han characters."""
    simplified, traditional, japanese = han_forms(text)
    if max(simplified, traditional, japanese) == 0:
        return "Hani", "Han characters"
    if japanese > max(simplified, traditional):
        return "Jpan", "Han characters in their Japanese form"
    return ("Hans", "Simplified Chinese") if simplified >= traditional else ("Hant", "Traditional Chinese")


def han_fit(text: str, code: str, facts: Facts) -> float:
    """Return how well the form of a text's Han characters matches a country, (0, 1]; 1 if no character is distinctive.

    Countries that use the other form still have a few such signs; old shop signs in Japan look traditional.
    """
    simplified, traditional, japanese = han_forms(text)
    if max(simplified, traditional, japanese) == 0:
        return 1.0
    if code == "JP":
        return 1.0 if japanese >= max(simplified, traditional) else 0.05
    if japanese > max(simplified, traditional):
        return 0.02
    form = "Hans" if simplified >= traditional else "Hant"
    known = facts.countries.get(code)
    other = min(simplified, traditional) / max(simplified, traditional)
    return 1.0 if known is None or known.han in ("", form) else 0.04 + 0.5 * other

"""Languages of the signs, as a distribution, and the countries where signs are written in them.

Four features are used, in order of reliability: the script (Georgian letters allow one language), letters that few
languages use, typical words of signs, and a general language identifier (see `identify`) if a line is long enough.
Words that occur on signs everywhere ("EXIT", "WC") are ignored.
"""

from __future__ import annotations

import math

import numpy as np

from geoagent.evidence.cues.alphabets import LETTERS, OF_SCRIPT
from geoagent.evidence.cues.context import DECOR
from geoagent.evidence.cues.identify import SAME, identify
from geoagent.evidence.cues.language_names import language_name
from geoagent.evidence.cues.reading import Line, Reading, listed, overlaps, percent, taken
from geoagent.evidence.cues.script import han_fit
from geoagent.places.geo import Float
from geoagent.types import Cue

_FOREIGN_WORD = 0.025  # probability of a sign word in a language without it: misreading, loan word, name
_KIN_WORD = 0.08  # the same for a closely related language that shares most sign words
_KIN = tuple(
    frozenset(group.split())
    for group in (
        "ru be uk", "ru bg", "bg mk sr", "cs sk", "hr bs sr sl mk", "es gl ca", "pt gl", "da no sv", "id ms",
        "tr az tk", "kk ky tt", "uz tg", "hi mr ne", "fa ps", "lv lt", "nl af", "de lb als", "it co", "zu xh", "fr oc",
    )
)  # fmt: skip
_FOREIGN_LETTER = 0.12
_CLEAR = 0.3  # least share of the likeliest language of Latin text
_RARE_LANGUAGE = 1e-3
_LEAST = 0.6  # minimum evidence for a cue from Latin text: one clear sign word, or lines of longer text
_SECOND = 1.5  # nats that a further language must gain to be accepted
_MOST_LANGUAGES = 3
_LEAST_NAMED = 0.02  # of the weight of the likeliest country: one is named among those that write it
_HAN_DECOR = tuple(word for word in DECOR if len(word) > 1 and all("\u4e00" <= c <= "\u9fff" for c in word))
_LATIN_BESIDE = 6
_DECOR_SHARE = 0.35
"""Weight of a line that names a type of food or shop ("Ristorante Bella Napoli"): its language is decorative."""
_LETTERS_SURE, _LEAST_SURE = (0.2, 0.6), 0.1
"""Probabilities that a line was read right between which its rare letters come to count, and how much they do below."""
_MOST_LETTERS = 3  # distinct rare letters that count; more add no information
_CHANCE = 0.004  # added to the identifier's probabilities, so that no language is ruled out
_EXTRA = {"sr": ("hr", "bs"), "id": ("ms",), "no": ("nb", "nn")}
_TOURIST = {"en": 0.035, "fr": 0.006, "es": 0.006, "de": 0.005, "ru": 0.004, "it": 0.004, "zh": 0.004, "ar": 0.004}
"""Share of signs in a language in countries where it is not a local language: tourism, trade, fashion."""
_ELSEWHERE = 0.0025
_DIASPORAS = frozenset({"bn", "gu", "ko", "pa", "ta", "ur"})
"""Languages on the shops of many towns abroad."""
_LARGE_HOME, _LEAST_ABROAD = 0.02, 0.03
"""Prior of a language's own countries from which `_ELSEWHERE` holds; below it falls in proportion, to this share."""


def find(reading: Reading, earlier: tuple[Cue, ...]) -> list[Cue]:
    """Find one cue for each language that was identified with sufficient confidence."""
    busy = taken(earlier, ("plate", "phone", "domain", "registration", "currency", "postcode"))
    named = taken(earlier, ("name", "brand"))
    streets = taken(earlier, ("street",))
    scored: list[tuple[Line, dict[str, float], float]] = []
    for line in reading.lines:
        scores, weight = _score(line, reading, busy, named, streets)
        if scores:
            scored.append((line, scores, weight))
    cues = []
    for lines, shares, weight in _groups(scored, reading):
        cue = _cue(lines, shares, weight, reading)
        if cue is not None:
            cues.append(cue)
    return cues


def languages_of(script: str, reading: Reading) -> tuple[str, ...]:
    """Return the languages in which signs of a script may be written."""
    if script in OF_SCRIPT:
        return tuple(sorted(OF_SCRIPT[script]))
    others = frozenset().union(*OF_SCRIPT.values()) - {"sr", "az", "uz", "tk", "tt"}
    spoken = {lang for facts in reading.facts.countries.values() for lang in facts.languages}
    return tuple(sorted(spoken - others))


def _score(
    line: Line,
    reading: Reading,
    busy: dict[int, list[tuple[int, int]]],
    named: dict[int, list[tuple[int, int]]],
    streets: dict[int, list[tuple[int, int]]],
) -> tuple[dict[str, float], float]:
    """Return each language's log score for one line, and the number of informative words or letters, or ({}, 0)."""
    if line.script == "Zyyy" or (line.script != "Latn" and not line.script_is_evidence):
        return {}, 0.0
    languages = languages_of(line.script, reading)
    scores = dict.fromkeys(languages, 0.0)
    spoke = 0.0
    words = [w for w in line.words if not overlaps(busy, line.region, w.start, w.end)]
    known: list[tuple[int, int]] = []
    for key, start, end in reading.entries(line, 4, 10):
        if any(start < b and a < end for a, b in known) or overlaps(busy, line.region, start, end):
            continue
        entry = reading.facts.signwords.get(key)
        if key in reading.facts.international:
            known.append((start, end))
            continue
        spoken = entry.languages if entry is not None else _of_street(key, line, start, end, reading, streets)
        if not spoken:
            continue
        known.append((start, end))
        its = {SAME.get(lang, lang) for lang in spoken}
        for lang in spoken:
            its.update(_EXTRA.get(lang, ()))
        if not its & set(languages):
            continue
        clear = 0.5 if len(key) <= 2 else 0.8 if len(key) == 3 else 1.0
        for lang in languages:
            near = any(lang in group and group & its for group in _KIN)
            other = _KIN_WORD if near else _FOREIGN_WORD
            scores[lang] += clear * math.log(1.0 + _FOREIGN_WORD if lang in its else other)
        spoke += clear
    sure = float(np.interp(line.sure, _LETTERS_SURE, (_LEAST_SURE, 1.0)))
    rare = [c for c in sorted(set(line.text.casefold())) if c in LETTERS][:_MOST_LETTERS]
    for letter in rare:
        inside_name = all(
            overlaps(named, line.region, i, i + 1) for i, c in enumerate(line.text.casefold()) if c == letter
        )
        strength = (0.4 if inside_name else 1.0) * sure  # a misread letter is often one of another language
        for lang in languages:
            scores[lang] += strength * math.log(_FOREIGN_LETTER + (1.0 if lang in LETTERS[letter] else 0.0))
        spoke += 0.6 * strength
    rest = [
        w
        for w in words
        if not overlaps(named, line.region, w.start, w.end)
        and w.key not in reading.facts.international
        and any(c.isalpha() for c in w.text)
    ]
    length = sum(len(w.text) for w in rest)
    if line.script != "Latn" and len(languages) == 1:
        return scores, max(spoke, 2.0)
    if length >= 8:
        shares = identify(" ".join(w.text for w in rest), languages, reading.identifier)
        clear = min(1.0, length / 24)
        for lang in languages:
            scores[lang] += clear * math.log(_CHANCE + shares[lang])
        spoke += 0.5 * clear if length < 16 else clear
    elif line.script != "Latn":
        spoke = max(spoke, 0.5)
    if any(word.key in DECOR for word in line.words) or _serves_food(line, reading):
        scores = {lang: _DECOR_SHARE * score for lang, score in scores.items()}
        spoke *= _DECOR_SHARE
    return (scores, spoke) if spoke > 0 else ({}, 0.0)


def _serves_food(line: Line, reading: Reading) -> bool:
    """Whether Han text beside lines in Latin letters names a restaurant, as Chinese ones do in every country."""
    if line.script not in ("Hani", "Jpan") or not any(
        other.script == "Latn" and len(other.text) >= _LATIN_BESIDE for other in reading.lines
    ):
        return False
    return any(word in line.text for word in _HAN_DECOR)


def _of_street(
    key: str, line: Line, start: int, end: int, reading: Reading, streets: dict[int, list[tuple[int, int]]]
) -> tuple[str, ...]:
    """Return the languages of a street word, if the line contains one."""
    word = reading.facts.streets.get(key)
    if word is None or len(key) < 3 or len(word.languages) > 6 or not overlaps(streets, line.region, start, end):
        return ()
    return word.languages


def _groups(
    scored: list[tuple[Line, dict[str, float], float]], reading: Reading
) -> list[tuple[list[Line], dict[str, float], float]]:
    """Group lines by language; each group has its distribution and the amount of evidence.

    For each script, use the fewest languages that explain the lines: another one is added while the lines that it
    explains better gain more than `_SECOND` nats. Bilingual signs ("Sortie" over "Uitgang") become two groups.
    """
    groups = []
    for script in dict.fromkeys(line.script for line, _, _ in scored):
        lines = [item for item in scored if item[0].script == script]
        languages = sorted(lines[0][1])
        table = np.array([[scores[lang] for lang in languages] for _, scores, _ in lines])
        usual = _usual(languages, reading)
        chosen = [int((table.sum(axis=0) + usual).argmax())]
        while len(chosen) < _MOST_LANGUAGES:
            gain = np.maximum(table - table[:, chosen].max(axis=1, keepdims=True), 0.0).sum(axis=0)
            gain += usual - usual[chosen].max()
            if gain.max() <= _SECOND:
                break
            chosen.append(int(gain.argmax()))
        owner = table[:, chosen].argmax(axis=1)
        for k in range(len(chosen)):
            mine = [i for i in range(len(lines)) if owner[i] == k]
            if mine:
                seen = _shares(table[mine].sum(axis=0))
                if script == "Latn" and seen.max() < _CLEAR:
                    continue  # how usual a language is does not make unclear text clear
                shares = _shares(table[mine].sum(axis=0) + usual)
                spoke = sum(lines[i][2] for i in mine)
                groups.append(([lines[i][0] for i in mine], dict(zip(languages, shares.tolist(), strict=True)), spoke))
    return groups


def _shares(scores: Float) -> Float:
    """Return the shares of log scores, `(L,)`, which sum to 1."""
    shares = np.exp(scores - scores.max())
    return np.asarray(shares / shares.sum(), dtype=np.float64)


def _usual(languages: list[str], reading: Reading) -> Float:
    """Return the log of how often each language is on signs where photos are taken, `(L,)`, at half its weight."""
    if not reading.prior:
        return np.zeros(len(languages))
    share = [
        sum(reading.prior.get(code, 0.0) * part for code, part in reading.facts.language_share(language).items())
        for language in languages
    ]
    return np.asarray(0.5 * np.log(np.array(share) + _RARE_LANGUAGE), dtype=np.float64)


def _cue(lines: list[Line], shares: dict[str, float], weight: float, reading: Reading) -> Cue | None:
    top = max(shares, key=lambda lang: shares[lang])
    latin = lines[0].script == "Latn"
    if latin and (weight < _LEAST or shares[top] < _CLEAR):
        return None  # in other scripts the letters alone allow few languages and are as informative as the script
    countries: dict[str, float] = {}
    floor = 0.0
    for lang, p in shares.items():
        if p < 0.01:
            continue
        spoken = reading.facts.language_share(lang)
        tourist = _TOURIST.get(lang, _ELSEWHERE) * max(spoken.values(), default=0.0)
        if not latin and lang not in _TOURIST and lang not in _DIASPORAS and reading.prior:
            # Signs abroad are as many as those who read them. What is Latin may also be taken for a small language.
            home = sum(share * reading.prior.get(code, 0.0) for code, share in spoken.items())
            tourist *= min(1.0, max(home / _LARGE_HOME, _LEAST_ABROAD))
        floor += p * tourist
        for code, share in spoken.items():
            countries[code] = countries.get(code, 0.0) + p * max(share - tourist, 0.0)
    if lines[0].script == "Hani":
        text = "".join(line.text for line in lines)
        countries = {code: w * han_fit(text, code, reading.facts) for code, w in countries.items()}
    spoken_in = {code: w for code, w in countries.items() if w >= _LEAST_NAMED * max(countries.values())}
    countries = {code: w + floor for code, w in countries.items()}
    if not countries:
        return None
    ranked = sorted((lang for lang in shares if shares[lang] >= 0.1), key=lambda lang: -shares[lang])[:3]
    said = " or ".join(f"{language_name(lang)} ({percent(shares[lang])})" for lang in ranked) or language_name(top)
    return Cue(
        kind="language",
        value=" ".join(ranked) or top,
        says=f"{'A line reads' if len(lines) == 1 else f'{len(lines)} lines read'} as {said}, written in "
        f"{listed(reading, spoken_in)}.",
        spans=tuple(line.span(0, len(line.text)) for line in sorted(lines, key=lambda line: line.region)),
        countries=countries,
        elsewhere=floor,
        # In scripts other than Latin the distribution holds all uncertainty: the script itself is certain.
        strength=1.0 if lines[0].script != "Latn" else min(1.0, 0.55 + 0.15 * weight),
    )

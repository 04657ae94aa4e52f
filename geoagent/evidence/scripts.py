"""Script detection and text sanitising.

Standard library only. Scripts are ISO 15924 codes, as in Unicode's Scripts.txt (14.0), with one difference: Hiragana
and Katakana are both "Jpan", and so is Han in the same text.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections import Counter

UNKNOWN = "Zyyy"
MAX_CHARS = 2000

# The code point of the first *letter* of each run of letters of one script. Non-letters are never looked up, so a run
# lasts until the next one starts. Letters that Unicode counts as common to many scripts are "Zyyy".
_RUNS = """
41:Latn B5:Zyyy BA:Latn 2B9:Zyyy 2E0:Latn 2EC:Zyyy 370:Grek 374:Zyyy 376:Grek 3E2:Copt 3F0:Grek 400:Cyrl 531:Armn
5D0:Hebr 620:Arab 640:Zyyy 641:Arab 710:Syrc 750:Arab 780:Thaa 7CA:Nkoo 800:Samr 840:Mand 860:Syrc 870:Arab 904:Deva
980:Beng A05:Guru A85:Gujr B05:Orya B83:Taml C05:Telu C80:Knda D04:Mlym D85:Sinh E01:Thai E81:Laoo F00:Tibt
1000:Mymr 10A0:Geor 1100:Hang 1200:Ethi 13A0:Cher 1401:Cans 1681:Ogam 16A0:Runr 1700:Tglg 1720:Hano 1740:Buhd
1760:Tagb 1780:Khmr 1820:Mong 18B0:Cans 1900:Limb 1950:Tale 1980:Talu 1A00:Bugi 1A20:Lana 1B05:Bali 1B83:Sund
1BC0:Batk 1C00:Lepc 1C5A:Olck 1C80:Cyrl 1C90:Geor 1CE9:Zyyy 1D00:Latn 1D26:Grek 1D2B:Cyrl 1D2C:Latn 1D5D:Grek
1D62:Latn 1D66:Grek 1D6B:Latn 1D78:Cyrl 1D79:Latn 1DBF:Grek 1E00:Latn 1F00:Grek 2071:Latn 2102:Zyyy 2126:Grek
2128:Zyyy 212A:Latn 212C:Zyyy 2132:Latn 2133:Zyyy 214E:Latn 2C00:Glag 2C60:Latn 2C80:Copt 2D00:Geor 2D30:Tfng
2D80:Ethi 2E2F:Zyyy 3005:Hani 3006:Zyyy 303B:Hani 303C:Zyyy 3041:Jpan 3105:Bopo 3131:Hang 31A0:Bopo 31F0:Jpan
3400:Hani A000:Yiii A4D0:Lisu A500:Vaii A640:Cyrl A6A0:Bamu A717:Zyyy A722:Latn A788:Zyyy A78B:Latn A800:Sylo
A840:Phag A882:Saur A8F2:Deva A90A:Kali A930:Rjng A960:Hang A984:Java A9CF:Zyyy A9E0:Mymr AA00:Cham AA60:Mymr
AA80:Tavt AAE0:Mtei AB01:Ethi AB30:Latn AB65:Grek AB66:Latn AB70:Cher ABC0:Mtei AC00:Hang F900:Hani FB00:Latn
FB13:Armn FB1D:Hebr FB50:Arab FF21:Latn FF66:Jpan FF9E:Zyyy FFA0:Hang 10000:Linb 10280:Lyci 102A0:Cari 10300:Ital
10330:Goth 10350:Perm 10380:Ugar 103A0:Xpeo 10400:Dsrt 10450:Shaw 10480:Osma 104B0:Osge 10500:Elba 10530:Aghb
10570:Vith 10600:Lina 10780:Latn 10800:Cprt 10840:Armi 10860:Palm 10880:Nbat 108E0:Hatr 10900:Phnx 10920:Lydi
10980:Mero 109A0:Merc 10A00:Khar 10A60:Sarb 10A80:Narb 10AC0:Mani 10B00:Avst 10B40:Prti 10B60:Phli 10B80:Phlp
10C00:Orkh 10C80:Hung 10D00:Rohg 10E80:Yezi 10F00:Sogo 10F30:Sogd 10F70:Ougr 10FB0:Chrs 10FE0:Elym 11003:Brah
11083:Kthi 110D0:Sora 11103:Cakm 11150:Mahj 11183:Shrd 11200:Khoj 11280:Mult 112B0:Sind 11305:Gran 11400:Newa
11480:Tirh 11580:Sidd 11600:Modi 11680:Takr 11700:Ahom 11800:Dogr 118A0:Wara 11900:Diak 119A0:Nand 11A00:Zanb
11A50:Soyo 11AB0:Cans 11AC0:Pauc 11C00:Bhks 11C72:Marc 11D00:Gonm 11D60:Gong 11EE0:Maka 11FB0:Lisu 12000:Xsux
12F90:Cpmn 13000:Egyp 14400:Hluw 16800:Bamu 16A40:Mroo 16A70:Tnsa 16AD0:Bass 16B00:Hmng 16E40:Medf 16F00:Plrd
16FE0:Tang 16FE1:Nshu 16FE3:Hani 17000:Tang 18B00:Kits 18D00:Tang 1AFF0:Jpan 1B170:Nshu 1BC00:Dupl 1D400:Zyyy
1DF00:Latn 1E100:Hmnp 1E290:Toto 1E2C0:Wcho 1E7E0:Ethi 1E800:Mend 1E900:Adlm 1EE00:Arab 20000:Hani
"""
_PAIRS = [run.split(":") for run in _RUNS.split()]
_STARTS = [int(start, 16) for start, _ in _PAIRS]
_CODES = [code for _, code in _PAIRS]

# Letters according to Unicode, but rendered blank: they never appear on a sign.
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
# Kana that alone do not indicate Japanese: の decorates Chinese shop names, and OCR engines confuse the rest with Han
# characters (一 and ー, 口 and ロ, 二 and ニ, …).
_WEAK_KANA = frozenset("のノーロニハトカタエヘへミメセオヒヱ")
_JOINERS = frozenset("\u200c\u200d")
# Codes of the scripts whose spelling needs the zero-width joiner or non-joiner.
_JOINED = "Arab Syrc Nkoo Mong Deva Beng Guru Gujr Orya Taml Telu Knda Mlym Sinh Mymr Khmr Tibt Bali Java Newa Tirh"
_ALIKE = frozenset({"Latn", "Grek", "Cyrl"})
LIKE_LATIN = {
    "Grek": frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧικονυχ"),
    "Cyrl": frozenset("АВЕЅІЈКМНОРСТУХаеорсухіјѕ"),
}
"""Letters of a script that look like Latin ones."""
LATIN_LIKE = {"Grek": frozenset("ABEHIKMNOPTXYZaiknoptuvwxy"), "Cyrl": frozenset("ABCEHKMOPTXYaceopxyu")}
"""Latin letters that look like ones of a script, or are read for them."""
_WORD = re.compile(r"[^\W\d_]+")
_SHORT_SCRIPTS = frozenset({"Hani", "Jpan", "Hang", "Bopo"})
_EVIDENT_CONFIDENCE = 0.8
_LEAST_DIGITS, _DISTINCT_DIGITS = 4, 3  # of one script, for them to say something about the place
_SAME_LETTER = 0.75  # share of a line's letters above which one repeated letter is a pattern, not text


def _is_letter(char: str) -> bool:
    return char.isalpha() and char not in _FILLERS


def _is_sign(char: str) -> bool:
    """Whether `char` is a vowel sign or another mark."""
    return unicodedata.category(char) in {"Mn", "Mc"}


def _code(letter: str) -> str:
    place = bisect_right(_STARTS, ord(letter)) - 1
    return _CODES[place] if place >= 0 else UNKNOWN


def letters(text: str) -> int:
    """Count the letters of `text` (Unicode category L; vowel signs and other marks are not counted)."""
    return sum(count for char, count in Counter(text).items() if _is_letter(char))


def script_counts(text: str) -> dict[str, int]:
    """Count the letters of each script.

    Args:
        text: any Unicode, lone surrogates included.

    Returns:
        Number of letters by ISO 15924 code, in order of first appearance. Han together with kana counts as "Jpan".
        Letters that are common to several scripts are left out.
    """
    counts: dict[str, int] = {}
    for char, count in Counter(text).items():
        if _is_letter(char):
            code = _code(char)
            if code != UNKNOWN:
                counts[code] = counts.get(code, 0) + count
    if "Jpan" in counts and "Hani" in counts:
        both = counts["Jpan"] + counts["Hani"]
        counts = {("Jpan" if code == "Hani" else code): count for code, count in counts.items()}
        counts["Jpan"] = both
    return counts


def native_digits(text: str) -> dict[str, int]:
    """Count the digits that belong to one script: ٣ and ۳ to Arabic, ३ to Devanagari, 3 to none.

    Returns:
        Number of digits by ISO 15924 code, in order of first appearance.
    """
    counts: dict[str, int] = {}
    for char in text:
        # Full-width and mathematical digits are forms of the ordinary ones.
        if not char.isascii() and char.isdecimal() and not unicodedata.normalize("NFKC", char).isascii():
            code = _code(char)
            counts[code] = counts.get(code, 0) + 1
    return counts


def script_of(text: str) -> str:
    """Return the ISO 15924 code of the most frequent script of `text` ("Latn", "Cyrl", "Jpan", …).

    On a tie the first script to appear wins. Where there are no letters, digits of a script count (٠٢ is "Arab");
    returns `UNKNOWN` ("Zyyy") if there are none either.
    """
    counts = script_counts(text) or native_digits(text)
    return max(counts, key=lambda code: counts[code]) if counts else UNKNOWN


def evident_script(text: str, confidence: float) -> bool:
    """Return whether `text` was read confidently enough for its script to count as evidence.

    OCR engines hallucinate scripts: on photos with only Latin and Han signs, every false script in our measurements had
    a confidence below 0.8 or fewer than 3 letters. Each Han, kana or Hangul character is a syllable or a word, so 2 are
    enough; so are 2 letters with a vowel sign (ঢাকা). Words that mix look-alike alphabets ("Рarк" is a misreading) do
    not count, nor does Japanese whose only kana are decorative or look like Han. Four digits of
    a script count, too, if three differ (bars and dots are read as rows of ones and noughts) and no letter is foreign.

    Args:
        text: one line as read.
        confidence: the engine's, in [0, 1].
    """
    if not confidence >= _EVIDENT_CONFIDENCE:
        return False
    counts = script_counts(text)
    if _evident_digits(text, counts):
        return True
    if not counts:
        return False
    code = max(counts, key=lambda each: counts[each])
    signs = 1 if code in _SHORT_SCRIPTS else sum(_is_sign(char) and _code(char) == code for char in text)
    if counts[code] < 2 or counts[code] + signs < 3:
        return False
    if counts[code] >= 3 and max(Counter(filter(_is_letter, text)).values()) > _SAME_LETTER * counts[code]:
        return False  # 十十十十: a fence or window panes
    if code == "Jpan":
        return any(_is_letter(c) and _code(c) == "Jpan" and c not in _WEAK_KANA for c in set(text))
    if code in _ALIKE and len(_ALIKE & counts.keys()) > 1:
        return not any(len(_ALIKE & script_counts(word).keys()) > 1 for word in _WORD.findall(text))
    return True


def _evident_digits(text: str, counts: dict[str, int]) -> bool:
    digits = native_digits(text)
    varied = len({char for char in text if char.isdecimal()}) >= _DISTINCT_DIGITS
    return varied and len(digits) == 1 and sum(digits.values()) >= _LEAST_DIGITS and counts.keys() <= digits.keys()


def _invisible(char: str) -> bool:
    """Whether `char` is invisible when rendered; includes variation selectors and fillers."""
    point = ord(char)
    return (
        unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}
        or char in _FILLERS
        or point == 0x34F
        or 0xFE00 <= point <= 0xFE0F
        or 0xE0100 <= point <= 0xE01EF
        or (point & 0xFFFE) == 0xFFFE
    )


def clean(text: str) -> str:
    """Return `text` as one safe line that contains visible characters only.

    Normalises to NFC and removes control characters, bidi marks, zero-width and private-use characters and lone
    surrogates. Joiners are kept after a letter or sign of a script whose spelling needs them. White space is collapsed,
    and the result has at most `MAX_CHARS` characters. Idempotent.
    """
    kept: list[str] = []
    for char in text[: 10 * MAX_CHARS]:
        if char.isspace():
            kept.append(" ")
        elif char in _JOINERS:
            if kept and kept[-1] not in _JOINERS and _code(kept[-1]) in _JOINED and not kept[-1].isspace():
                kept.append(char)
        elif not _invisible(char):
            kept.append(char)
    line = " ".join(unicodedata.normalize("NFC", "".join(kept)).split())
    return line[:MAX_CHARS].rstrip()

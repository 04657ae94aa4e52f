"""Script properties for name search: the script of a letter, word spacing, and look-alike letters."""

from __future__ import annotations

from bisect import bisect_right

_RANGES: tuple[tuple[int, int, str], ...] = (
    (0x0041, 0x024F, "Latn"), (0x0370, 0x03FF, "Grek"), (0x0400, 0x052F, "Cyrl"), (0x0530, 0x058F, "Armn"),
    (0x0590, 0x05FF, "Hebr"), (0x0600, 0x06FF, "Arab"), (0x0700, 0x074F, "Syrc"), (0x0750, 0x077F, "Arab"),
    (0x0780, 0x07BF, "Thaa"), (0x0900, 0x097F, "Deva"), (0x0980, 0x09FF, "Beng"), (0x0A00, 0x0A7F, "Guru"),
    (0x0A80, 0x0AFF, "Gujr"), (0x0B00, 0x0B7F, "Orya"), (0x0B80, 0x0BFF, "Taml"), (0x0C00, 0x0C7F, "Telu"),
    (0x0C80, 0x0CFF, "Knda"), (0x0D00, 0x0D7F, "Mlym"), (0x0D80, 0x0DFF, "Sinh"), (0x0E00, 0x0E7F, "Thai"),
    (0x0E80, 0x0EFF, "Laoo"), (0x0F00, 0x0FFF, "Tibt"), (0x1000, 0x109F, "Mymr"), (0x10A0, 0x10FF, "Geor"),
    (0x1100, 0x11FF, "Hang"), (0x1200, 0x139F, "Ethi"), (0x1780, 0x17FF, "Khmr"), (0x1800, 0x18AF, "Mong"),
    (0x1C90, 0x1CBF, "Geor"), (0x1E00, 0x1EFF, "Latn"), (0x1F00, 0x1FFF, "Grek"), (0x3005, 0x3007, "Hani"),
    (0x3041, 0x309F, "Hira"), (0x30A1, 0x30FF, "Kana"), (0x3400, 0x9FFF, "Hani"), (0xAC00, 0xD7AF, "Hang"),
    (0xF900, 0xFAFF, "Hani"), (0xFB50, 0xFDFF, "Arab"), (0xFE70, 0xFEFF, "Arab"), (0x20000, 0x323AF, "Hani"),
)  # fmt: skip
_STARTS = [low for low, _, _ in _RANGES]
SPACELESS = frozenset({"Thai", "Laoo", "Khmr", "Mymr", "Hani", "Hira", "Kana", "Tibt"})
CASED = frozenset({"Latn", "Grek", "Cyrl", "Armn"})
_CACHE: dict[str, str] = {}


def letter_script(character: str) -> str:
    """Return the ISO 15924 code of one character's script, "" for digits, spaces and symbols."""
    known = _CACHE.get(character)
    if known is None:
        point = ord(character)
        at = bisect_right(_STARTS, point) - 1
        inside = at >= 0 and point <= _RANGES[at][1] and (character.isalpha() or not character.isascii())
        known = _RANGES[at][2] if inside else ""
        if len(_CACHE) < 50_000:
            _CACHE[character] = known
    return known


def key_script(key: str) -> str:
    """Return the script of a key's first letter."""
    for character in key:
        script = letter_script(character)
        if script:
            return script
    return ""


def _span(low: int, high: int) -> str:
    return "".join(chr(c) for c in range(low, high + 1) if chr(c).isalpha() or chr(c).isprintable())


ALPHABETS: dict[str, str] = {
    "Latn": "abcdefghijklmnopqrstuvwxyz",
    "Cyrl": "абвгдежзиклмнопрстуфхцчшщъыьэюяіјљњћџқңүұөһ",
    "Grek": "αβγδεζηθικλμνξοπρστυφχψω",
    "Arab": "ابتثجحخدذرزسشصضطظعغفقكلمنهويءؤئپچژگٹڈڑں",
    "Hebr": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "Armn": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆև",
    "Geor": "აბგდევზთიკლმნოპჟრსტუფქღყშჩცძწჭხჯჰ",
    "Deva": "अआइईउऊएऐओऔकखगघङचछजझञटठडढणतथदधनपफबभमयरलळवशषसहािीुूृेैोौ्ंँ",
    "Beng": "অআইঈউঊএঐওঔকখগঘঙচছজঝঞটঠডঢণতথদধনপফবভমযরলশষসহািীুূৃেৈোৌ্ংঁৎ",
    "Thai": _span(0x0E01, 0x0E2E) + _span(0x0E30, 0x0E39) + _span(0x0E40, 0x0E44) + _span(0x0E47, 0x0E4C),
    "Taml": "அஆஇஈஉஊஎஏஐஒஓகஙசஜஞடணதநனபமயரலவழளறஷஸஹாிீுூெேைொோௌ்",
    "Telu": "అఆఇఈఉఊఎఏఐఒఓకఖగఘచఛజఝటఠడఢణతథదధనపఫబభమయరలవశషసహళాిీుూెేైొోౌ్ం",
    "Knda": "ಅಆಇಈಉಊಎಏಐಒಓಕಖಗಘಚಛಜಝಟಠಡಢಣತಥದಧನಪಫಬಭಮಯರಲವಶಷಸಹಳಾಿೀುೂೆೇೈೊೋೌ್ಂ",
    "Mlym": "അആഇഈഉഊഎഏഐഒഓകഖഗഘങചഛജഞടഠഡണതഥദധനപഫബഭമയരലവശഷസഹളഴറാിീുൂെേൈൊോൌ്ംൻർൽൾൺ",
    "Gujr": "અઆઇઈઉઊએઐઓઔકખગઘચછજઝટઠડઢણતથદધનપફબભમયરલવશષસહળાિીુૂેૈોૌ્ં",
    "Guru": "ਅਆਇਈਉਊਏਐਓਔਕਖਗਘਚਛਜਝਟਠਡਢਣਤਥਦਧਨਪਫਬਭਮਯਰਲਵਸ਼ਹਾਿੀੁੂੇੈੋੌ੍ੰੱਂ",
}
# Letters that look alike as capitals, so that a recogniser may read a word of one script in letters of another.
_LOOKALIKES = {
    ("Latn", "Cyrl"): ("abcehikmoptxy", "авсенікмортху"),
    ("Latn", "Grek"): ("abehikmnoptyxz", "αβεηικμνορτυχζ"),
}


def in_other_scripts(key: str) -> list[str]:
    """Return variants of the key in which letters are replaced by their look-alikes in another script.

    Only whole words change, and only if every letter of the key has a counterpart or already belongs to that script.
    """
    out = []
    present = {s for s in map(letter_script, key) if s}
    for (latin, other), (left, right) in _LOOKALIKES.items():
        forth, back = dict(zip(left, right, strict=True)), dict(zip(right, left, strict=True))
        for script, table in ((other, forth), (latin, back)):
            if not present <= {latin, other} or present == {script}:
                continue
            changed = "".join(table.get(c, c) for c in key)
            if changed != key and all(letter_script(c) in (script, "") for c in changed):
                out.append(changed)
    return out

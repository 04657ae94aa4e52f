"""Redaction of personal data before text leaves the machine.

A mask preserves length and form: `#` replaces a digit, `*` a letter, and everything else is kept. Offsets therefore
stay valid, and "AB-123-CD" is still recognisable as a plate of two letters, three digits and two letters. Parts that
identify the country are kept: calling codes, area codes and top-level domains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

_EMAIL = re.compile(
    r"[\w.+%\-]+\s?(?:@|\(at\)|\[at\]|＠)\s?[\w\-]+(?:\.[\w\-]+)*?(?=\.[a-zA-Z]{2,24}\b|\b)", re.IGNORECASE
)
_EASTERN = "٠-٩۰-۹०-९০-৯０-９"
_NUMBER = re.compile(rf"(?<![\w])\+?\(?[\d{_EASTERN}](?:[ .\-–/()]{{0,3}}[\d{_EASTERN}])+(?![\w])")
_PHONE_WORD = re.compile(
    r"(?:tel|tél|tlf|telefon\w*|phone|ph|call|fon|fax|mob\w*|handy|cell|whats\s?app|тел|моб|τηλ|電話|电话|전화|هاتف|ت|โทร|"
    r"फोन|☎|✆|📞)[\s.:)]*$",
    re.IGNORECASE,
)
_DATE = re.compile(r"\d{1,2}[./\-]\d{1,2}[./\-](?:\d{2}|\d{4})|(?:1[5-9]|20)\d{2}[./\-]\d{1,2}[./\-]\d{1,2}")
_YEARS = re.compile(r"(?:1[5-9]|20)\d{2}\s?[\-–/]\s?(?:1[5-9]|20)\d{2}")
_HOURS = re.compile(r"\d{1,2}(?:[.:h]?\d{2})?\s?[\-–]\s?\d{1,2}(?:[.:h]?\d{2})?")
_PLATE = re.compile(
    r"(?<![\w])(?:[A-ZÄÖÜА-Я]{1,3}[ \-·]?\d{2,4}[ \-·]?[A-ZА-Я]{2,3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?"
    r"|[A-Z]{2}\d{2} ?[A-Z]{3}|\d{1,4}[ \-][A-Z]{2,3}[ \-]\d{1,4}|[А-Я]\d{3}[А-Я]{2}\s?\d{2,3})(?![\w])"
)
_TITLE = (
    r"(?:Dr|Prof|Drs|Mr|Mrs|Ms|Herr|Frau|Sr|Sra|Srta|Don|Doña|Dott|Dott\.ssa|Avv|Mgr|MUDr|JUDr|Mme|Mlle|Maître|Mtre|"
    r"Dra|Adv|Not|Dhr|Mevr|Д-р|Адвокат|Нотариус|Δρ|Fam|Family|Familie|Famille|Familia|Famiglia|Família|Rodina|"
    r"Rechtsanwalt|Rechtsanwältin|Zahnarzt|Zahnärztin|Notar|Notaire|Avocat|Advokat|Abogado|Abogada|Lékař|Семья|Врач)"
)
_NAME = r"(?:[^\W\d_a-zа-я]\.?\s?-?)?[^\W\d_]+(?:[\-'’][^\W\d_]+)*"
_TITLED = re.compile(
    rf"(?<![\w]){_TITLE}\.?\s+(?:med\.?\s+|dent\.?\s+|jur\.?\s+|univ\.?\s+|h\.\s?c\.\s+)*((?:{_NAME})(?:\s+(?:von|van|de|"
    rf"der|da|di|del|la|le|und|and|y|&)\s+|\s+)?(?:{_NAME})?(?:\s+{_NAME})?)"
)
_INITIAL = re.compile(r"^\W*((?:[^\W\d_]\.\s?){1,2}[^\W\d_]{3,}(?:[\-'’][^\W\d_]+)?)\W*$")
_PAIR = re.compile(
    r"^\W*([^\W\d_]{2,}(?:-[^\W\d_]+)?)(?:\s+(?:[^\W\d_]\.|[^\W\d_]+))?\s+([^\W\d_]{2,}(?:-[^\W\d_]+)?)\W*$"
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_GIVEN = _words(
    """
    hans peter klaus jürgen wolfgang werner michael thomas andreas stefan stephan martin helmut günter gerhard dieter
    uwe frank heinz karl ursula monika petra sabine renate helga karin brigitte ingrid erika andrea gisela claudia
    anna maria marie julia lena laura katharina johannes lukas felix jonas tim jan lars sven bjorn bjørn ole erik
    nils anders johan karin eva ingrid astrid kari mats magnus gustav olav jean pierre jacques michel philippe alain
    bernard andré daniel christophe nicolas laurent françois isabelle nathalie sylvie catherine martine christine
    valérie sophie camille giuseppe giovanni antonio mario luigi francesco paolo marco andrea roberto carlo luca
    giulia francesca chiara sara elena paola juan josé jose luis carlos jorge manuel pedro miguel fernando javier
    rafael diego pablo alejandro carmen ana isabel dolores pilar teresa rosa lucía joão joao paulo tiago rui nuno
    inês fernanda john james robert william david richard joseph charles mary patricia jennifer linda elizabeth susan
    jessica sarah karen nancy margaret emily emma olivia jack harry oliver george alexander samuel benjamin matthew
    jan piotr krzysztof andrzej tomasz paweł marcin michał agnieszka katarzyna małgorzata ewa anna jiří josef petr
    pavel václav jana věra lenka istván lászló jános zoltán erzsébet katalin ivan petar nikola marko milan dragan
    jelena milica ion gheorghe vasile elena mihai ioana иван сергей александр дмитрий андрей алексей владимир николай
    михаил ольга елена наталья татьяна ирина мария анна светлана георги димитър петър олександр юрій γιώργος γιάννης
    δημήτρης νίκος μαρία ελένη mehmet mustafa ahmet ali hüseyin fatma ayşe emine hatice zeynep mohamed mohammed ahmed
    hassan hussein fatima aisha yusuf ibrahim omar khalid amina priya rahul amit sunil rajesh sanjay deepak anita
    sunita ravi kumar suresh ramesh wei ming li minh nguyen budi siti agus dewi kenji hiroshi yuki takashi
    """
)
_NOT_NAMES = _words(
    """
    street straße strasse road avenue park platz square hotel café cafe restaurant bar school schule church kirche
    bank shop store market markt airport station bahnhof plaza plaça piazza via rua calle rue boulevard hospital
    pizzeria ristorante bakery bäckerei apotheke farmacia pharmacy museum bridge beach hill lake river garden gardens
    falls bay island city town center centre county college university stadium pub inn house tower mall pass allee weg
    gasse ring ufer улица площадь парк lane drive court place st ave rd blvd
    """
)


def redact(text: str, plates: Iterable[tuple[int, int]] = (), phones: Iterable[tuple[int, int]] = ()) -> str:
    """Mask e-mail addresses, telephone numbers, number plates and likely personal names in one line.

    Args:
        text: one line.
        plates: character ranges that are known to be plates.
        phones: character ranges that are known to be telephone numbers.

    Returns:
        The masked line, of the same length.
    """
    masked = list(text)
    for match in _EMAIL.finditer(text):
        _cover(masked, *match.span())
    for match in _NUMBER.finditer(text):
        if "#" in text[match.end() : match.end() + 4]:
            continue  # already masked
        _number(masked, text, *match.span(), surely=bool(_PHONE_WORD.search(text[: match.start()])))
    for start, end in phones:
        if "#" in text[start:end]:
            continue
        _number(masked, text, start, end, surely=True)
    for start, end in [*plates, *(m.span() for m in _PLATE.finditer(text) if not _road(text, *m.span()))]:
        _cover(masked, start, end)
    for match in _TITLED.finditer(text):
        words = match.group(1).split()
        behind = text[match.end(1) :].split()[:1]
        if words[0][:1].isupper() and not any(_common(w) for w in [*words, *behind]):
            _cover(masked, *match.span(1))
    alone = _INITIAL.match(text)
    if alone is not None and not _common(alone.group(1).split(".")[-1].strip()):
        _cover(masked, *alone.span(1))
    pair = _PAIR.match(text)
    if (
        pair is not None
        and pair.group(1).casefold() in _GIVEN
        and pair.group(1)[0].isupper()
        and pair.group(2)[0].isupper()
        and not any(_common(word) for word in text.split())
    ):
        _cover(masked, pair.start(1), pair.end(2))
    return "".join(masked)


def masked_stretches(before: str, after: str) -> int:
    """Count the masked character ranges of a line."""
    changed = [i for i, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    gaps = (before[i + 1 : j] for i, j in pairwise(changed))
    return bool(changed) + sum(any(c.isalnum() for c in gap) for gap in gaps)


def _common(word: str) -> bool:
    word = word.casefold().strip(".,")
    return word in _NOT_NAMES or word.endswith(("straße", "strasse", "platz", "weg", "gasse", "allee"))


def _cover(masked: list[str], start: int, end: int) -> None:
    for i in range(max(0, start), min(end, len(masked))):
        if masked[i].isdigit():
            masked[i] = "#"
        elif masked[i].isalpha():
            masked[i] = "*"


def _road(text: str, start: int, end: int) -> bool:
    """Whether the matched text looks like a plate but is a British or Dutch postcode."""
    found = text[start:end]
    return bool(re.fullmatch(r"[A-Z]{1,2}\d{1,2}[A-Z]? ?\d[A-Z]{2}|\d{4} ?[A-Z]{2}", found))


def _number(masked: list[str], text: str, start: int, end: int, *, surely: bool) -> None:
    """Mask the subscriber digits of a possible telephone number.

    The calling code and the area code are kept. The area code is the part in brackets, else the first group of digits,
    as long as at least five digits stay hidden. In an ungrouped number, all but the last six digits are kept.
    """
    found = text[start:end]
    digits = [i for i in range(start, end) if text[i].isdigit()]
    harmless = _DATE.fullmatch(found) or _YEARS.fullmatch(found) or _HOURS.fullmatch(found)
    if (len(digits) < 7 or harmless) and not surely:
        return
    closed = text.find(")", start, end)
    groups = [m.span() for m in re.finditer(r"\d+", found)]
    plus = found.startswith(("+", "(+", "00"))
    keep = start + groups[min(int(plus), len(groups) - 1)][1] if len(groups) > 1 else start
    if closed >= 0:
        keep = max(closed, keep) if plus else closed
    if len(groups) == 1:
        keep = digits[-6] if len(digits) > 6 else start
    while sum(i >= keep for i in digits) < min(5, len(digits)) and keep > start:
        keep -= 1
    _cover(masked, keep, end)

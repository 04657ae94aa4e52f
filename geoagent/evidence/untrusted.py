"""Prompt injection: text in a photo is untrusted data. It is length-limited, cleaned and never followed.

Lines that try to instruct a program are never sent to a language model. The rules of `cues.instructs` are also applied
to cheap de-obfuscations of each line: look-alike letters, digits for letters, spaced-out letters, and an instruction
split over two lines.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from anyascii import anyascii

from geoagent.evidence.cues import instructs

_LEET = str.maketrans("013457@$!|", "oieastasil")
_MARKUP = re.compile(
    r"<\|?/?\s*(?:im_start|im_end|system|assistant|user|s|inst|tool|endoftext|end)\b|\[/?(?:INST|SYS|system)\]|^#{2,}\s*"
    r"(?:system|instruction|assistant|user|response)|\{\s*[\"'“]"
    r"|[\"'”]\s*:\s*[\"'“\[{\d]|```|</?[a-z]{2,}[^>]*>"
    r"|\bBEGIN\b.*\bEND\b",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:candidates?|probabilit(?:y|ies)|json|base64|schema|(?:confidence|reliability|prompt) ?[:=]|"
    r"tool call|function call)\b"
    r"|\b(?:you|your)\b.{0,25}\b(?:must|should|task|instructions?|role|output|training)\b"
    r"|\b(?:from now on|new (?:task|rule|instructions?)|override|bypass|pretend|act as|roleplay|disregard|"
    r"do not (?:read|use|mention|trust|follow)|stop reading)\b"
    r"|\b(?:classify|label|tag|locate|geolocate|choose|conclude|assume|treat)\b.{0,30}"
    r"\b(?:as|country|location|photo|image|picture)\b"
    r"|\b(?:language|ai|artificial|vision|large language) ?(?:model|intelligence|assistant|system)s?\b"
    r"|\b(?:chatgpt|gpt|llm)s?\b"
    r"|\b(?:ignor\w*|vergiss|oublie[zr]?|olvida|esque[cç]a|dimentica|zignoruj|zapomnij|negeer|glem|glöm|unohda|"
    r"unut\w*|yok say)\b"
    r".{0,30}\b(?:anweis\w*|instru\w*|istruz\w*|regel\w*|regl\w*|r[eè]gles?|polec\w*|instruks\w*|talimat\w*|alles|tout|todo|tudo|tutto)\b"
    r"|\b(?:antworte|réponds|repond\w*|responde|rispondi|odpowiedz|antwoord|svar|vastaa|cevapla|ответь|напиши|скажи|відповідай)\b"
    r"|\b(?:dieses|das|ce|cette|esta|este|questa|essa)\s+(?:foto|bild|photo|imagen?|immagine)\b"
    r"|\b(?:фото|снимок|ответ)\b.{0,20}(?:сделан|снят|находится|—|-|это)"
    r"|(?:回答|输出|輸出|忘记|忘掉|不要|系统|系統|提示词|プロンプト|出力|答え|回答して|写真は|시스템|대답|출력|사진은|أجب|انس|النظام|الصورة)"
    r".{0,12}(?:是|在|为|指令|指示|规则|以上|之前|せよ|して|です|입니다|하라|하세요|في|:|：|التعليمات)",
    re.IGNORECASE,
)


def instructing(texts: Sequence[str]) -> frozenset[int]:
    """Return the indices of lines that try to instruct a program, alone or joined with the next line."""
    found = {i for i, text in enumerate(texts) if _instructs(text)}
    for i in range(len(texts) - 1):
        if not ({i, i + 1} & found) and _joined(texts[i], texts[i + 1]):
            found |= {i, i + 1}
    return frozenset(found)


def _instructs(text: str) -> bool:
    return any(instructs(form) or _MARKUP.search(form) or _ORDERS.search(form) for form in _forms(text))


def _joined(first: str, second: str) -> bool:
    """Whether two lines form an instruction together.

    Only `instructs` is applied to the joined lines, not the weaker patterns: adjacent lines on a wall are unrelated.
    """
    return bool(first.strip() and second.strip()) and instructs(f"{first} {second}")


def _forms(text: str) -> set[str]:
    """Return the line and its possible de-obfuscated forms."""
    shown = unicodedata.normalize("NFKC", text)
    shown = "".join(c for c in shown if unicodedata.category(c) not in ("Cc", "Cf", "Co", "Cs"))
    forms = {text, shown}
    if any(not c.isascii() for c in shown) and sum(c.isascii() and c.isalpha() for c in shown) >= 3:
        forms.add(anyascii(shown))
    for form in tuple(forms):
        if sum(c in "013457@$!|" for c in form) >= 2 and sum(c.isalpha() for c in form) >= 6:
            forms.add(form.translate(_LEET))
        words = form.split()
        if len(words) >= 6 and sum(len(w) == 1 for w in words) > 0.8 * len(words):
            forms.add(" ".join("".join(part.split()) for part in re.split(r"\s{2,}", form)))
            forms.add(_respaced("".join(words)))
        if re.search(r"\w[._*\-]\w[._*\-]\w", form):
            forms.add(re.sub(r"(?<=\w)[._*\-](?=\w)", " " if form.count(" ") < 2 else "", form))
    return forms


def _respaced(run: str) -> str:
    """Put spaces around words that are typical of instructions."""
    words = "ignore|disregard|forget|all|previous|above|instructions?|rules?|answer|reply|with|system|prompt|say|output"
    return re.sub(rf"({words})", r" \1 ", run, flags=re.IGNORECASE)

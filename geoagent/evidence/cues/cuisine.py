"""Foreign kitchens: "Chinese Restaurant" stands on signs abroad, and so does the Chinese beside it.

A country's name for a kitchen, or its dishes, written in Latin letters, tells that what else speaks for the country on
the photo may be decoration: its script, its language, names of its towns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from geoagent.types import TextRegion

_KITCHEN, _DISH = 0.25, 0.5
"""Factors on the strength of cues for a country: beside the name of its kitchen, and beside one of its dishes."""
DOUBTED = frozenset({"language", "script", "name", "regional", "signword", "brand", "institution"})
"""Kinds of cues that a kitchen abroad shows; telephone numbers, postcodes, plates and money are those of the place."""
_ROWS: tuple[tuple[str, str, str], ...] = (
    (
        "CN HK TW MO",
        "chinese chinois chinoise chinesisch chinesisches chino china cinese chinees kinesisk kiinalainen",
        "dim sum;dimsum;wok;chow mein;chop suey;bubble tea;peking duck;szechuan;sichuan",
    ),
    (
        "JP",
        "japanese japonais japonaise japanisch japanisches japonés japones giapponese japans japansk",
        "sushi;ramen;teppanyaki;teriyaki;tempura;izakaya;sashimi;bento",
    ),
    (
        "KR KP",
        "korean coréen coreen koreanisch coreano",
        "bibimbap;bulgogi;kimchi;korean bbq;tteokbokki",
    ),
    (
        "VN",
        "vietnamese vietnamien vietnamesisch vietnamita",
        "pho;phở;banh mi;bánh mì;bun bo;vietnamese noodle",
    ),
    (
        "TH",
        "thai thaï thailändisch tailandés",
        "pad thai;tom yum;thai massage",
    ),
    (
        "IN PK BD NP LK",
        "indian indien indienne indisch indisches indio indiano indiaas",
        "curry;tandoori;tikka;masala;biryani;balti;naan;dosa;halal",
    ),
    (
        "TR",
        "turkish turc turque türkisch turco",
        "kebab;kebap;döner;doner;lahmacun;pide",
    ),
    (
        "LB SY JO PS IL EG IQ IR MA TN DZ SA AE YE",
        "lebanese libanais libanesisch syrian syrien arabic oriental persian persisch moroccan marocain halal",
        "falafel;shawarma;shisha;hookah;couscous;tajine;hummus",
    ),
    (
        "GR CY",
        "greek grec grecque griechisch griego greco",
        "gyros;souvlaki;taverna",
    ),
    (
        "MX",
        "mexican mexicain mexikanisch mexicano messicano",
        "tacos;taqueria;taquería;burrito;burritos;nachos",
    ),
    (
        "ET ER",
        "ethiopian éthiopien äthiopisch eritrean",
        "injera",
    ),
    (
        "RU UA GE PL",
        "russian russe russisch polish polnisch georgian ukrainian",
        "pierogi;pelmeni;khachapuri",
    ),
)  # fmt: skip
"""Countries, names of their kitchen, and dishes divided by ";"."""


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[re.Pattern[str], tuple[str, ...], float], ...]:
    rows = []
    for codes, kitchen, dishes in _ROWS:
        for words, factor in ((kitchen.split(), _KITCHEN), (dishes.split(";"), _DISH)):
            pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
            rows.append((pattern, tuple(codes.split()), factor))
    return tuple(rows)


def kitchens(regions: Iterable[TextRegion]) -> dict[str, float]:
    """Return the countries whose kitchen or dishes are named in Latin letters, each with the factor on cues for it."""
    text = "\n".join(region.text for region in regions)
    found: dict[str, float] = {}
    for pattern, countries, factor in _words():
        if pattern.search(text):
            for country in countries:
                found[country] = min(factor, found.get(country, 1.0))
    return found

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
_MENU = frozenset(
    """
    ale apfel apple arroz ayam bacon bagel banana bandung beef beer bibimbap bier birra biscuit bière boba bread
    breakfast brunch burger burgers cake cakes cappuccino carne cerveza ceviche cheese chicken chips chocolate
    cider cocktail cocktails coffee cola cookies crab cream crepe crepes croissant curry dessert desserts dim
    drinks duck dumpling dumplings egg eggs eis ensalada ensaladas entradas espresso fisch fish fleisch fried
    fries fritto fruit fruits garlic gelato gin glace goreng grilled ham hamburger honey honeydew horchata ice
    iced jelly jugo jugos juice juices jus kaffee kartoffel kebab kopi kuchen lager lait lamb latte lemon
    lemonade limau lime limonade longan lunch lychee macchiato mango matcha meat mie milk milkshake milo mint
    mocha momo momos mushroom mushrooms nasi noodle noodles omelette onion orange pan pancake pancakes pasta
    pescado pie pizza pizzas pollo pommes pork postres poulet prawn prawns pudding queso ramen rice roast
    roasted roll rolls rum saft salad salads salat salmon sandwich sandwiches satay sate sauce sausage schnitzel
    seafood shake shakes shrimp sirap smoothie smoothies snack snacks soda sopa sopas soup soups sour spaghetti
    spritz starters steak strawberry suco sucos suppe susu tacos tart tea tee teh thé toast tofu tomato tonic
    tosta tuna vanilla vegan vegetable vegetables vegetarian vin vino vodka waffle waffles wein whiskey whisky
    wine wines wrap wraps yoghurt yogurt
    """.split()  # noqa: SIM905
)
"""Words of dishes and drinks in Latin letters."""
_MENU_LINES, _MENU_SHARE = 4, 0.2
"""Least lines with such words, and least share of all lines, from which a photo shows a menu."""
ON_A_MENU = 0.3
"""Factor on names, brands and regional words on a menu: "Bandung" is a drink there, "canelones" a dish."""
ON_MENUS = frozenset({"name", "brand", "regional", "landmark"})
"""Kinds of cues that dishes and drinks are taken for."""


@lru_cache(maxsize=1)
def _words() -> tuple[tuple[re.Pattern[str], tuple[str, ...], float], ...]:
    rows = []
    for codes, kitchen, dishes in _ROWS:
        for words, factor in ((kitchen.split(), _KITCHEN), (dishes.split(";"), _DISH)):
            pattern = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
            rows.append((pattern, tuple(codes.split()), factor))
    return tuple(rows)


def is_menu(regions: Iterable[TextRegion]) -> bool:
    """Whether the lines of a photo are mostly dishes and drinks."""
    lines = [region.text for region in regions if any(c.isalpha() for c in region.text)]
    food = sum(any(word in _MENU for word in re.findall(r"[^\W\d_]+", line.casefold())) for line in lines)
    return food >= max(_MENU_LINES, _MENU_SHARE * len(lines))


def kitchens(regions: Iterable[TextRegion]) -> dict[str, float]:
    """Return the countries whose kitchen or dishes are named in Latin letters, each with the factor on cues for it."""
    text = "\n".join(region.text for region in regions)
    found: dict[str, float] = {}
    for pattern, countries, factor in _words():
        if pattern.search(text):
            for country in countries:
                found[country] = min(factor, found.get(country, 1.0))
    return found

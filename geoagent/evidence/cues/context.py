"""Context words around a place name that show how the name is used."""

from __future__ import annotations

import re

MADE_IN = re.compile(
    r"\b(?:made in|product of|produce of|imported from|fabriqué (?:en|au)|hecho en|fabricado (?:en|em|no)|"
    r"prodotto in|hergestellt in|сделано в|изготовлено в)\s+",
    re.IGNORECASE,
)
"""Words before a place of origin, which is rarely where the sign is."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DECOR = _words(
    """
    pizza pizzeria ristorante trattoria restaurant restaurante ristorant grill bar cafe caffe café coffee burger
    bbq steak house steakhouse kebab kebap doner sushi bistro brasserie boulangerie pub inn hotel hostel motel
    fashion moda style mode boutique dental tours travel airways airlines bank cuisine kitchen food foods chaat
    biryani taqueria tacos cantina tavern taverna bakery noodle noodles ramen pho wok express palace royal star
    garden casino cinema theatre club lounge salon beauty hair nails tattoo studio fc united beer brewery wine
    tea
    spa massage college academy university kawiarnia restauracja restoran ресторан кафе бар пицца пиццерия клуб
    гриль суши шашлык مطعم كافيه مقهى
    海鲜 海鮮 飯店 饭店 酒楼 酒樓 餐馆 餐館 小館 小馆 食府 牛肉面 拉面 面馆 火锅 烤鸭 餐厅
    料理 酒家 鸡饭 面 饭 菜 小吃 烧烤 烤鸭
    包子 饺子 牛肉 炒飯 炒饭 麵 飯 ラーメン 라면 레스토랑 카페 バー レストラン
    カフェ ラーメン
    """
)
"""Words that make a place name decorative: it says what is served, sold or celebrated, not where."""

OFFICE = _words(
    """
    government govt gouvernement gobierno governo
    city town municipality municipal county council borough parish district commune mairie ville
    prefecture
    stadt stadtverwaltung gemeinde rathaus landkreis magistrat stadtmagistrat stadtpolizei kommune kommun
    gemeente
    ayuntamiento ajuntament alcaldia municipalidad municipio prefeitura camara comune provincia regione opcina
    opstina grad obec mesto mesta urad urzad miasto gmina starostwo primaria judetul belediyesi belediye valilik
    linnavalitsus savivaldybe pasvaldiba varosi onkormanyzat kunsill администрация управа город горсовет міська
    рада община область району район δημος بلدية محافظة 市役所 区役所 市政府 人民政府 시청 구청 नगर निगम
    """
)
"""Words for public authorities: a place name next to them is where the sign is."""

WELCOME = _words(
    """
    welcome willkommen bienvenue bienvenido bienvenidos bienvenidas benvenuti benvenuto bemvindo bem vindo welkom
    velkommen valkommen tervetuloa witamy vitajte vitejte dobrodosli udvozoljuk bun venit hosgeldiniz selamat datang
    добро пожаловать ласкаво просимо καλως ηρθατε croeso failte
    """
)
"""Words of welcome: a place name after them is where the sign is."""

TRADE = _words(
    """
    shop shops store stores centre center service services sales repair repairs market mart supermarket supplies
    parts auto motors garage ltd llc inc gmbh spa sa group company co studio photography photo media design
    """
)
"""Words of trade: the word before them is what is sold, or who sells it."""

LINKS = _words(
    """
    de la le les du des d l of the and und y e et i a in im am an der die das do da dos del di van von 's no
    """
)
"""Words that connect a name to what it belongs to."""

ROAD = _words(
    """
    km mi miles exit ausfahrt sortie salida uscita saida avfart
    """
)
"""Words on road signs."""

TOWARDS = _words(
    """
    line ligne linie linea línea linha lijn linje linia linka линия лінія γραμμή direction richtung direzione dirección
    direção richting riktning retning suunta kierunek směr smer irány направление напрямок κατεύθυνση towards toward
    route 方面 往 開往 开往
    """
)
"""Public transport words next to the name of a destination, which is rarely where the sign is."""

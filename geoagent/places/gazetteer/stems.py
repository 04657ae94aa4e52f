"""Inflected names: "Klaipėdos", "w Gdańsku", "İzmir'de", "г. Москвы", "City of York".

Rules replace an ending by that of the nominative, each for the countries whose languages inflect that way. Their output
is only a candidate: it must be a key of the index, and only places in those countries count.
"""

from __future__ import annotations

from collections import defaultdict

# countries: ending > nominative endings ("-" is none). Keys are normalised, so Latin endings have no diacritics.
_RULES = """
LT: os>a, aus>us, o>as, iu>iai, u>ai, es>e, ies>is, yje>is, uje>us, oje>a, eje>e, iuose>iai, uose>ai, ose>os, ame>as, iaus>ius
LV: as>a, es>e, a>a, e>e, u>i, is>is, i>s, us>i, ila>ils, am>s, os>i, iem>i
PL: iu>-, u>-, ie>-|a, wie>w|wa, cy>k|c|ca, ku>k, owie>ow, nia>n, niu>n, zi>z|za, i>-|a, y>a, a>-, ej>a, zie>da|d, cie>t|ta, dzi>dz, ze>ga, ach>y|e
CZ SK: e>-|a, u>-|o, ze>ha|ga, ne>no|na, ni>n|na, i>e|-, y>a, ech>y|e, ich>e, ove>ov, vy>va, ave>ava, ci>c|ce, eho>y, om>ov
RU BY KZ KG UA: е>а|-|о|я, и>ь|а|я|ы, у>а|-, ы>а, а>-, я>ь|й, ом>-, ске>ск, ска>ск, ого>ое|ый, ом>ое|о, ове>ов, ова>ов, ове>ово, ой>ая, ых>ые
UA: ові>ів, єві>їв, ева>їв, єва>їв, иєві>иїв, києва>київ, ова>ів, ні>на|но|нь, сі>са, і>а|ь|-|я|е|о, зі>га, ці>ка|к, у>-|о, ю>я, ої>а, ку>к, євa>їв, оля>іль, олі>іль, опа>оп
BG MK RS: то>-, ски>-, а>-, у>-, е>а, и>а|-, ом>-
HR RS BA ME SI MK: u>-|o|a, a>-|o, i>a|-, e>a, ci>ka, zi>ga, om>-, skoj>ska, ju>j, cu>c|ac, gu>g|g, ima>e|i
TR AZ: de>-, da>-, te>-, ta>-, den>-, dan>-, ten>-, tan>-, nin>-, nun>-, in>-, un>-, ye>-, ya>-, e>-, a>-, i>-, u>-, li>-, lu>-, lilar>-, deki>-, daki>-
UZ TM KZ KG: da>-, de>-, ning>-, ga>-, dan>-, nyn>-, да>-, де>-, та>-, те>-, нын>-, нин>-, ның>-, нің>-
FI: ssa>-, lla>-, n>-, sta>-, lta>-, in>i, an>a, ngissa>nki, ngin>nki, ella>i|e, essa>i|e, een>e, reella>re, eella>e, oossa>oo, ussa>u|ku, gissa>ki, gin>ki, vanta>vanta, alle>a, lle>-, seen>-, oon>o, uun>u, aan>a
EE: s>-, sse>-, st>-, l>-, le>-, lt>-, us>u, as>a|-, u>-, a>-, i>-, ga>-
HU: on>-, en>-, ban>-, ben>-, ott>-, ett>-, i>-, n>-, ra>-, re>-, tol>-, nak>-, nek>-, rol>-, bol>-, ert>-, an>a, en>e, ert>-
RO MD: ului>-, ul>-, ei>a, iului>iu, estiului>esti, ii>a|ia, lui>-
GR CY: ης>η, ας>α, ου>ο|ος, ων>α|αι|ες, ιων>ια|ιο, εων>ης|εις, ος>ος, ον>ος|ο, ους>οι, ια>ιο, ο>ος
GE: ში>ი|-, ს>-, ის>ი, ად>ი, იდან>ი, ის>ა|ე, ულ>ი
AM: ի>-, ում>-, ից>-, յան>-
AL XK: es>a|e, en>e|a, in>i|-, it>i|-, e>a, us>u, a>e, i>-, ut>-
IS FO: i>ur|-, ar>-|ur, um>ir|ar, u>a, avik>avik, avikur>avik, vikur>vik, eyrar>eyri, fjardar>fjordur, firdi>fjordur, nesi>nes, nesi>nes
DE AT CH: s>-
NL BE: s>-
DK NO SE: s>-, en>-
KR KP: 시>-, 에서>-, 에>-, 의>-, 은>-, 는>-, 점>-, 역>-, 구>-, 군>-, 도>-, 동>-, 식>-, 발>-, 행>-
"""  # noqa: E501


def _parse() -> dict[str, tuple[tuple[str, frozenset[str]], ...]]:
    rules: dict[str, list[tuple[str, frozenset[str]]]] = defaultdict(list)
    for line in _RULES.strip().splitlines():
        head, _, body = line.partition(":")
        countries = frozenset(head.split())
        for rule in body.split(","):
            ending, _, nominatives = rule.strip().partition(">")
            rules[ending].extend(
                ("" if new == "-" else new, countries) for new in nominatives.split("|") if new != ending
            )
    return {ending: tuple(new) for ending, new in rules.items()}


_ENDINGS = _parse()
_LONGEST = max(map(len, _ENDINGS))
MIN_STEM = 3


def stems(key: str) -> list[tuple[str, frozenset[str]]]:
    """Return possible nominatives of an inflected key, each with the countries whose languages inflect that way.

    Args:
        key: normalised key; its last word is inflected.
    """
    out: list[tuple[str, frozenset[str]]] = []
    for length in range(min(_LONGEST, len(key) - MIN_STEM), 0, -1):
        for new, countries in _ENDINGS.get(key[-length:], ()):
            out.append((key[:-length] + new, countries))
    return out


_BEFORE = tuple(
    "city of|town of|village of|county of|state of|province of|borough of|district of|municipality of|republic of"  # noqa: SIM905
    "|comune di|citta di|provincia di|regione|stadt|gemeinde|landkreis|kreis|ville de|commune de|mairie de|mairie d"
    "|ciudad de|municipio de|ayuntamiento de|ajuntament de|prefeitura de|prefeitura municipal de|cidade de|estado de"
    "|camara municipal de|gemeente|kommune|obec|mesto|grad|miasto|gmina|powiat|kota|kabupaten|provinsi|tinh|thanh pho"
    "|tp|quan|huyen|thi xa|г|город|гор|м|місто|с|село|гр|град|пос|пгт|р-н|обл|област|δημος|δημου|πολη|مدينه|محافظه"
    "|ولايه|بلديه|اماره|شهر|استان|شهرستان|จังหวัด|อำเภอ|เทศบาลนคร|เทศบาลเมือง|เมือง|ខេត្ត|ក្រុង|მუნიციპალიტეტი|ქალაქი".split(
        "|"
    )
)
_AFTER = tuple(
    "city|town|county|state|province|district|municipality|prefecture|oblast|krai|shi|ken|fu|gun|cho|machi|mura|ku|si|do"  # noqa: SIM905
    "|sh|shahri|viloyati|tumani|kommun|kommune|lan|fylke|stad|varos|megye|ili|ilcesi|belediyesi|buyuksehir belediyesi"
    "|rajonas|savivaldybe|miestas|novads|vald|linn|kaupunki|zupanija|opcina|okres|kraj|sheng|shahar|nagar nigam"
    "|область|обл|край|район|р н|город|облысы|қаласы|облусу|шаары|ქალაქი|მუნიციპალიტეტი|շրջան|քաղաք"
    "|জেলা|जिला|नगर निगम|शहर"
    "|জিলা|மாவட்டம்|మండలం|జిల్లా|ಜಿಲ್ಲೆ|ജില്ല|જિલ્લો|ਜ਼ਿਲ੍ਹਾ|ଜିଲ୍ଲା".split("|")
)
_HAN_AFTER = "市区县省州府都道町村郡镇乡"


def bare(key: str) -> list[str]:
    """Return the key without a generic word before or after it ("city of", "oblast", "市"); only shortened forms."""
    out = [key[len(word) + 1 :] for word in _BEFORE if key.startswith(word + " ")]
    out += [key[: -len(word) - 1] for word in _AFTER if key.endswith(" " + word)]
    if len(key) > 2 and key[-1] in _HAN_AFTER:
        out.append(key[:-1])
    return [name for name in out if len(name) > 1]

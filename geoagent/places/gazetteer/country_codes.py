"""Countries as people write them in tables: names in any language, ISO codes, and the other codes in common use.

A truth that is misunderstood would count an answer as wrong, so that what may mean two countries is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from geoagent.errors import InputError
from geoagent.places.gazetteer.gazetteer import Gazetteer
from geoagent.places.gazetteer.normalise import normalise
from geoagent.places.gazetteer.regions import COUNTRY_WORDS, UNIT_WORDS

_ISO3 = """
ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT AZEAZ BDIBI
BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO BRABR BRBBB BRNBN BTNBT
BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG COKCK COLCO COMKM CPVCV CRICR CUBCU
CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET
FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR
GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR
IRQIQ ISLIS ISRIL ITAIT JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB
LBRLR LBYLY LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH
MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA NCLNC NERNE
NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE PHLPH PLWPW PNGPG POLPL
PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ
SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC
TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY
USAUS UZBUZ VATVA VCTVC VENVE VGBVG VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW XKXXK XKOXK
"""
_SPORT = """
ALGDZ ANGAO ANTAG ARUAW ASAAS BAHBS BANBD BARBB BERBM BHUBT BIZBZ BOTBW BRUBN BULBG BURBF CAMKH CAYKY CGOCG
CHATD CHICL CRCCR CROHR CTACF DENDK ENGGB EQGGQ ESASV FIJFJ GAMGM GBSGW GEQGQ GERDE GREGR GRNGD GUAGT GUIGN
HAIHT HONHN INAID IRIIR ISVVI IVBVG KOSXK KSASA KUWKW KVXXK LATLV LBALY LESLS LIBLB MADMG MASMY MAWMW MGLMN
MONMC MRIMU MTNMR MYAMM NCANI NEDNL NEPNP NGRNG NIGNE NIRGB OMAOM PARPY PHIPH PLEPS PORPT PURPR RSAZA SAMWS
SCOGB SEYSC SINSG SKNKN SLOSI SOLSB SRILK SUDSD SUICH TAHPF TANTZ TGATO TOGTG TPETW TRITT UAEAE URUUY VANVU
VIEVN VINVC WALGB ZAMZM ZIMZW
"""
"""Codes of the IOC (olympics.com, National Olympic Committees) and FIFA (fifa.com, associations), other than ISO's."""
_ROAD = """
BDSBB BURMM CAMCM CDNCA CGOCD EAKKE EATTZ EAUUG GBGGG GBJJE GBMIM GBZGI GCAGT HKJJO KSASA LARLY MALMY MGLMN
MOCMZ NAUNR NEPNP RCACF RCBCG RCHCL RIMMR RMMML ROKKR RSMSM SLOSI SMESR SUDSD TCHTD WAGGM WALSL WANNG YARYE
"""
_LETTERS = {
    "A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "H": "HU", "I": "IT", "L": "LU", "N": "NO", "P": "PT",
    "S": "SE",
}  # fmt: skip
"""Distinguishing signs of vehicles (UNECE, Convention on Road Traffic), other than ISO's: three letters, and one."""
_TWO = {"UK": "GB", "EL": "GR"}  # as the EU writes them
_NAMES = {
    **COUNTRY_WORDS, "republic of china": "TW", "chinese taipei": "TW", "republic of ireland": "IE", "shqiperia": "AL",
    "s korea": "KR", "n korea": "KP", "nippon": "JP", "zhongguo": "CN",
}  # fmt: skip
_EITHER = {"congo": ("CD", "CG"), "virgin islands": ("VG", "VI")}
_PEOPLE = 1_000_000
"""A country of at least so many people whose name begins with another's code makes that code ambiguous."""


def iso2_of_iso3() -> dict[str, str]:
    """Return the mapping of ISO 3166-1 alpha-3 to alpha-2, including Kosovo's user-assigned codes."""
    return {word[:3]: word[3:] for word in _ISO3.split()}


def country_code(stated: str, gazetteer: Gazetteer | None = None) -> str:
    """Return the ISO 3166-1 alpha-2 code of the country that a cell of a table names.

    ISO's own codes come first, then codes in sport and on vehicles, then names. England is the United Kingdom, and
    Georgia the country. A code in brackets or after a dash must agree with the name: "Germany (DE)".

    Args:
        stated: the cell.
        gazetteer: whose names are used; by default the one that ships with geoagent, loaded for names alone.

    Raises:
        InputError: the country is unknown, or may be one of several.
    """
    text = re.sub(r"\bRep\.?(?= |$|,)", "Republic", " ".join(stated.split()))
    if re.fullmatch(r"[A-Za-z]{1,3}", text):
        code = _of_code(text.upper())
        if code is not None:
            return code
    gazetteer = gazetteer or Gazetteer.load()
    codes = _of_code_elsewhere(text.upper(), gazetteer) if re.fullmatch(r"[A-Za-z]{3}", text) else []
    codes = codes or _of_name(text, gazetteer)
    if len(codes) == 1:
        return codes[0]
    if codes:
        meant = " or ".join(f"{code} ({_name(code, gazetteer)})" for code in codes)
        raise InputError(f"{stated!r} may be {meant}; write the ISO code")
    near = [m.place for m in gazetteer.fuzzy(text, k=8) if m.place.level == "country"][:1] if len(text) > 5 else []
    meant = "".join(f"; did you mean {place.name} ({place.country})?" for place in near)
    raise InputError(f"{stated!r} is no country that is known{meant or '; write its English name or its ISO code'}")


@cache
def _three() -> dict[str, str]:
    return iso2_of_iso3()


def _of_code(code: str) -> str | None:
    """The country with a code of ISO, or one of the few others of one or two letters."""
    if len(code) == 3:
        return _three().get(code)
    return {**_TWO, **_LETTERS}.get(code, code if code in _two() else None)


@cache
def _two() -> frozenset[str]:
    return frozenset(_three().values())


def _of_code_elsewhere(code: str, gazetteer: Gazetteer) -> list[str]:
    """Countries that a code in sport or on vehicles may mean, with those whose names begin with it."""
    found = [word[3:] for word in (*_SPORT.split(), *_ROAD.split()) if word[:3] == code]
    if not found:
        return []
    places = (gazetteer.country(other) for other in sorted(_two()))
    begin = [p for p in places if p is not None and normalise(p.name).startswith(code.lower())]
    return _once([*found, *(p.country for p in begin if p.population >= _PEOPLE)])


def _of_name(text: str, gazetteer: Gazetteer) -> list[str]:
    """Countries that a name means, also turned about ("Korea, Republic of") or with a remark ("Bolivia (…)")."""
    whole = _of_plain_name(text, gazetteer)
    if whole:
        return whole
    coded = re.fullmatch(r"(?P<name>.+?) ?[(\[–—,-] ?(?P<code>[A-Za-z]{2,3})[)\]]?", text) or re.fullmatch(
        r"(?P<code>[A-Za-z]{2,3}) ?[–—:,-] ?(?P<name>.+)", text
    )
    if coded is not None and (code := _of_code(coded["code"].upper())) is not None:
        named = _of_name(coded["name"], gazetteer)
        return _once([*named, code]) if named else []
    parts = re.fullmatch(r"(?P<first>[^,(]+?),? ?[,(] ?(?P<second>[^,()]+)\)?", text)
    if parts is None:
        return []
    turned = _of_plain_name(f"{parts['second']} {parts['first']}", gazetteer)
    return turned or (_of_plain_name(parts["first"], gazetteer) if _is_remark(parts["second"]) else [])


def _of_plain_name(text: str, gazetteer: Gazetteer) -> list[str]:
    key = normalise(text).removeprefix("the ")
    if key in _EITHER:
        return list(_EITHER[key])
    if key in UNIT_WORDS or key in _NAMES:
        return [UNIT_WORDS[key][:2] if key in UNIT_WORDS else _NAMES[key]]
    for spelling in dict.fromkeys((text, key)):
        exact = [
            m
            for m in gazetteer.lookup(spelling, k=12)
            if m.place.level == "country" and m.name == normalise(spelling) and m.exactness in ("primary", "alternate")
        ]
        primary = [m.place.country for m in exact if m.exactness == "primary"]
        if exact:
            return _once(primary or [m.place.country for m in exact])
    return []


def _is_remark(words: str) -> bool:
    """Whether words after a country's name say its form, and not which of two countries it is."""
    return bool(re.search(r"\b(?:the|of|state|republic|kingdom|federation|province of china)\b", words.casefold()))


def _once(codes: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(codes))


def _name(code: str, gazetteer: Gazetteer) -> str:
    place = gazetteer.country(code)
    return code if place is None else place.name

"""Letters used by few languages: "ł" is Polish, "ў" Belarusian, "ٹ" Urdu."""

from __future__ import annotations

# Languages of signs in each script (ISO 639-1, else 639-3); for Latin there are too many to list.
OF_SCRIPT: dict[str, frozenset[str]] = {
    script: frozenset(languages.split())
    for script, languages in {
        "Arab": "ar fa ur ps ckb ug sd ks",
        "Armn": "hy",
        "Beng": "bn as",
        "Cyrl": "ru uk be bg sr mk kk ky mn tg tt ba cv os ab",
        "Deva": "hi mr ne sa mai bho",
        "Ethi": "am ti",
        "Geor": "ka",
        "Grek": "el",
        "Gujr": "gu",
        "Guru": "pa",
        "Hang": "ko",
        "Hani": "zh ja",
        "Hebr": "he yi",
        "Jpan": "ja",
        "Khmr": "km",
        "Knda": "kn",
        "Laoo": "lo",
        "Mlym": "ml",
        "Mymr": "my",
        "Orya": "or",
        "Sinh": "si",
        "Taml": "ta",
        "Telu": "te",
        "Thaa": "dv",
        "Thai": "th",
        "Tibt": "bo dz",
    }.items()
}

_LETTERS = """
ß: de
ñ: es gl eu fil tl qu gn ay ast
¿: es gl ast
¡: es gl ast
ł: pl
ą: pl lt
ę: pl lt
ś: pl
ź: pl
ć: pl hr bs sr sl
ń: pl
ż: pl mt
ő: hu
ű: hu
ř: cs
ů: cs
ě: cs
ľ: sk
ĺ: sk
ŕ: sk
ď: cs sk
ť: cs sk
ň: cs sk tk
č: cs sk hr bs sr sl lt lv et
š: cs sk hr bs sr sl lt lv et
ž: cs sk hr bs sr sl lt lv et tk
đ: hr bs sr vi
ș: ro
ț: ro
ă: ro vi
ğ: tr az tt
ı: tr az
ş: tr az ro ku tk
ə: az
å: sv da no nb nn fi
ø: da no nb nn fo
æ: da no nb nn is fo
ä: de sv fi et sk tk lb als
ö: de sv fi et hu is tr az lb als tk
ü: de et hu tr az es lb als tk
õ: et pt gl vi
ã: pt vi
ç: fr pt tr sq ca az ku tk oc
ë: sq nl lb fr af
œ: fr
è: fr it ca oc vi mt rm
ê: fr pt vi cy af
ò: it ca oc vi mt gd ht
à: fr it ca pt oc vi mt gd ro
ā: lv mi haw sm to
ē: lv mi haw sm to
ķ: lv
ļ: lv
ņ: lv
ģ: lv
ė: lt
ų: lt
į: lt
ū: lt lv mi haw sm to
ħ: mt
ġ: mt
ċ: mt
ð: is fo
þ: is
ý: cs sk is fo tk vi
ŵ: cy
ŷ: cy
ơ: vi
ư: vi
ạ: vi
ấ: vi
ầ: vi
ộ: vi
ồ: vi
ố: vi
ế: vi
ề: vi
ệ: vi
ị: vi
ọ: vi yo ig
ụ: vi ig
ủ: vi
ả: vi
ẹ: vi yo
ṣ: yo
ŋ: se
ы: ru be kk ky mn tt ba cv tg
э: ru be kk ky mn tt
ё: ru be kk ky mn tt
ъ: bg ru tt
і: uk be kk
ї: uk
є: uk
ґ: uk
ў: be uz
ј: sr mk
љ: sr mk
њ: sr mk
џ: sr mk
ћ: sr
ђ: sr
ѓ: mk
ќ: mk
ѕ: mk
қ: kk tg uz
ң: kk ky tt
ғ: kk tg
ұ: kk
һ: kk tt ba
ә: kk tt ba
ө: kk ky mn tt
ү: kk ky mn tt
ҳ: tg uz
ҷ: tg
ӯ: tg
پ: fa ur ps ckb ug sd
چ: fa ur ps ckb ug sd
ژ: fa ur ps ckb ug
گ: fa ur ckb ug sd
ٹ: ur
ڈ: ur
ڑ: ur
ں: ur
ے: ur
ۂ: ur
ې: ps ug
ۍ: ps
ډ: ps
ټ: ps
ړ: ps
ښ: ps
ە: ckb ug
ۆ: ckb ug
ێ: ckb
ڕ: ckb
ڵ: ckb
ة: ar
أ: ar ckb
إ: ar
ى: ar
ळ: mr
ऱ: mr
ৰ: as
ৱ: as
"""
LETTERS: dict[str, frozenset[str]] = {
    letter: frozenset(languages.split())
    for letter, _, languages in (row.partition(": ") for row in _LETTERS.strip().splitlines())
}

"""Names of languages and scripts in English, after CLDR (Unicode License v3), shortened as people say them."""

from __future__ import annotations

LANGUAGES = {
    "ab": "Abkhazian", "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "as": "Assamese", "az": "Azerbaijani", "ba":
    "Bashkir", "be": "Belarusian", "bg": "Bulgarian", "bho": "Bhojpuri", "bi": "Bislama", "bn": "Bengali", "bo":
    "Tibetan", "br": "Breton", "bs": "Bosnian", "ca": "Catalan", "ce": "Chechen", "ceb": "Cebuano", "ch": "Chamorro",
    "ckb": "Central Kurdish", "cnr": "Montenegrin", "co": "Corsican", "crs": "Seselwa Creole French", "cs": "Czech",
    "cv": "Chuvash", "cy": "Welsh", "da": "Danish", "de": "German", "dv": "Divehi", "dz": "Dzongkha", "el": "Greek",
    "en": "English", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fj":
    "Fijian", "fo": "Faroese", "fr": "French", "fy": "Western Frisian", "ga": "Irish", "gd": "Scottish Gaelic", "gl":
    "Galician", "gn": "Guarani", "gu": "Gujarati", "ha": "Hausa", "he": "Hebrew", "hi": "Hindi", "hr": "Croatian",
    "ht": "Haitian Creole", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "ig": "Igbo", "is": "Icelandic",
    "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kab": "Kabyle", "kea": "Kabuverdianu", "kk": "Kazakh", "kl":
    "Kalaallisut", "km": "Khmer", "kn": "Kannada", "ko": "Korean", "ks": "Kashmiri", "ku": "Kurdish", "ky": "Kyrgyz",
    "la": "Latin", "lb": "Luxembourgish", "lg": "Ganda", "ln": "Lingala", "lo": "Lao", "lt": "Lithuanian", "lv":
    "Latvian", "mai": "Maithili", "mfe": "Morisyen", "mg": "Malagasy", "mh": "Marshallese", "mi": "Māori", "mk":
    "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay", "mt": "Maltese", "my":
    "Burmese", "nd": "North Ndebele", "ne": "Nepali", "niu": "Niuean", "nl": "Dutch", "no": "Norwegian", "ny":
    "Nyanja", "oc": "Occitan", "om": "Oromo", "or": "Odia", "os": "Ossetic", "pa": "Punjabi", "pap": "Papiamento",
    "pis": "Pijin", "pl": "Polish", "ps": "Pashto", "pt": "Portuguese", "rar": "Rarotongan", "rm": "Romansh", "rn":
    "Rundi", "ro": "Romanian", "ru": "Russian", "rw": "Kinyarwanda", "sa": "Sanskrit", "sd": "Sindhi", "sg": "Sango",
    "si": "Sinhala", "sk": "Slovak", "sl": "Slovene", "sm": "Samoan", "sn": "Shona", "so": "Somali", "sq": "Albanian",
    "sr": "Serbian", "srn": "Sranan Tongo", "ss": "Swati", "st": "Southern Sotho", "sv": "Swedish", "sw": "Swahili",
    "ta": "Tamil", "te": "Telugu", "tet": "Tetum", "tg": "Tajik", "th": "Thai", "ti": "Tigrinya", "tk": "Turkmen",
    "tkl": "Tokelauan", "tl": "Filipino", "tn": "Tswana", "to": "Tongan", "tpi": "Tok Pisin", "tr": "Turkish", "tt":
    "Tatar", "ty": "Tahitian", "ug": "Uyghur", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "wo": "Wolof", "xh": "Xhosa", "yi": "Yiddish", "yo": "Yoruba", "zgh": "Standard Moroccan Tamazight", "zh":
    "Chinese", "zu": "Zulu",
}  # fmt: skip
"""By ISO 639 code."""
SCRIPTS = {
    "Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Bopo": "Bopomofo", "Cans": "Canadian syllabic", "Cher":
    "Cherokee", "Cyrl": "Cyrillic", "Deva": "Devanagari", "Ethi": "Ethiopic", "Geor": "Georgian", "Grek": "Greek",
    "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hang": "Hangul", "Hani": "Han", "Hans": "Simplified", "Hant":
    "Traditional", "Hebr": "Hebrew", "Java": "Javanese", "Jpan": "Japanese", "Khmr": "Khmer", "Knda": "Kannada",
    "Kore": "Korean", "Laoo": "Lao", "Latn": "Latin", "Mlym": "Malayalam", "Mong": "Mongolian", "Mtei": "Meitei Mayek",
    "Mymr": "Burmese", "Nkoo": "N’Ko", "Olck": "Ol Chiki", "Orya": "Odia", "Sinh": "Sinhala", "Syrc": "Syriac", "Taml":
    "Tamil", "Telu": "Telugu", "Tfng": "Tifinagh", "Thaa": "Thaana", "Thai": "Thai", "Tibt": "Tibetan", "Yiii": "Yi",
}  # fmt: skip
"""By ISO 15924 code."""


def language_name(code: str) -> str:
    """Return "Bhojpuri" for "bho"; a code without a name as it is."""
    return LANGUAGES.get(code, code)


def script_name(code: str) -> str:
    """Return "Cyrillic" for "Cyrl"; "" for what is of no script, a code without a name as it is."""
    return "" if code in ("Zyyy", "Zinh") else SCRIPTS.get(code, code)

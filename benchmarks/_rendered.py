"""Pictures of made-up signs in every script that the default OCR engine reads beside Latin, Han and Japanese.

One picture a script and font: a few lines of sign words, slightly rotated, blurred and noisy, from a seed. Fonts are
those of this machine that have every character of the lines (fontconfig's `fc-list`); a script without one is left out.
"""

from __future__ import annotations

import csv
import random
import shutil
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, features

LINES = {
    "Arab": ("صيدلية", "مدرسة ثانوية", "شارع الملك", "مركز الشرطة", "ممنوع الوقوف"),
    "Armn": ("Դեղատուն", "Դպրոց", "Երևան քաղաք", "Խանութ", "Մուտքն արգելված է"),
    "Beng": ("ঔষধালয়", "বিদ্যালয়", "ঢাকা মহানগর", "থানা রোড", "প্রবেশ নিষেধ"),
    "Cyrl": ("Аптека", "Средняя школа", "улица Пушкина", "Продукты", "Вход воспрещён"),
    "Deva": ("दवाखाना", "विद्यालय", "दिल्ली नगर", "थाना मार्ग", "प्रवेश निषेध"),
    "Ethi": ("መድኃኒት ቤት", "ትምህርት ቤት", "አዲስ አበባ", "ሆቴል", "መግባት ክልክል ነው"),
    "Geor": ("აფთიაქი", "სკოლა", "თბილისი", "მაღაზია", "შესვლა აკრძალულია"),
    "Grek": ("Φαρμακείο", "Δημοτικό Σχολείο", "Οδός Ερμού", "Ξενοδοχείο", "Απαγορεύεται η είσοδος"),
    "Gujr": ("દવાખાનું", "શાળા", "અમદાવાદ શહેર", "પોલીસ સ્ટેશન", "પ્રવેશ નિષેધ"),
    "Guru": ("ਦਵਾਖਾਨਾ", "ਸਕੂਲ", "ਅੰਮ੍ਰਿਤਸਰ ਸ਼ਹਿਰ", "ਥਾਣਾ", "ਦਾਖਲਾ ਮਨ੍ਹਾ ਹੈ"),
    "Hang": ("약국", "초등학교", "서울특별시", "경찰서", "출입 금지"),
    "Hebr": ("בית מרקחת", "בית ספר", "רחוב הרצל", "משטרה", "אין כניסה"),
    "Khmr": ("ឱសថស្ថាន", "សាលារៀន", "ភ្នំពេញ", "ផ្សារ", "ហាមចូល"),
    "Knda": ("ಔಷಧಾಲಯ", "ಶಾಲೆ", "ಬೆಂಗಳೂರು ನಗರ", "ಪೊಲೀಸ್ ಠಾಣೆ", "ಪ್ರವೇಶವಿಲ್ಲ"),
    "Laoo": ("ຮ້ານຂາຍຢາ", "ໂຮງຮຽນ", "ນະຄອນຫຼວງ", "ຕະຫຼາດ", "ຫ້າມເຂົ້າ"),
    "Mlym": ("ഔഷധശാല", "വിദ്യാലയം", "കൊച്ചി നഗരം", "പോലീസ് സ്റ്റേഷൻ", "പ്രവേശനമില്ല"),
    "Mymr": ("ဆေးဆိုင်", "ကျောင်း", "ရန်ကုန်မြို့", "ဈေး", "မဝင်ရ"),
    "Orya": ("ଔଷଧାଳୟ", "ବିଦ୍ୟାଳୟ", "ଭୁବନେଶ୍ୱର", "ଥାନା", "ପ୍ରବେଶ ନିଷେଧ"),
    "Sinh": ("ඔසුසල", "පාසල", "කොළඹ නගරය", "පොලිසිය", "ඇතුල්වීම තහනම්"),
    "Taml": ("மருந்தகம்", "பள்ளி", "சென்னை நகரம்", "காவல் நிலையம்", "அனுமதி இல்லை"),
    "Telu": ("ఔషధాలయం", "పాఠశాల", "హైదరాబాద్ నగరం", "రక్షక నిలయం", "ప్రవేశం లేదు"),
    "Thai": ("ร้านขายยา", "โรงเรียน", "กรุงเทพมหานคร", "ตลาด", "ห้ามเข้า"),
}
_FONTS = 2
"""Fonts of each script, chosen by the seed."""
_SIZE = (1000, 760)
_COLOURS = (("#f4f4f0", "#1a1a1a"), ("#14508c", "#ffffff"), ("#0a6b3b", "#fdfdfd"), ("#f2c715", "#161616"))


def render(folder: Path, seed: int = 0) -> list[str]:
    """Write pictures and their `truth.csv` to `folder`; return the scripts that no installed font has.

    Raises:
        RuntimeError: Pillow cannot shape letters, or fontconfig is not installed.
    """
    if not features.check("raqm") or shutil.which("fc-list") is None:
        raise RuntimeError("rendering needs Pillow with libraqm, and fontconfig's fc-list")
    rng = random.Random(seed)
    skipped, rows = [], []
    for script, lines in LINES.items():
        fonts = _fonts("".join(lines))
        if not fonts:
            skipped.append(script)
            continue
        for number, font in enumerate(rng.sample(fonts, min(_FONTS, len(fonts)))):
            name = f"{script}_{number}.png"
            _picture(lines, font, rng).save(folder / name)
            rows.append({"file": name, "scripts": script, "kind": "sign", "text_lines": " | ".join(lines)})
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ["file", "scripts", "kind", "text_lines"])
        table.writeheader()
        table.writerows(rows)
    return skipped


def _fonts(text: str) -> list[str]:
    """Font files with every character of `text`, sorted."""
    wanted = " ".join(f"{ord(char):x}" for char in sorted(set(text) - {" "}))
    done = subprocess.run(
        ["fc-list", f":charset={wanted}:scalable=true", "file"], check=True, capture_output=True, text=True
    )
    files = {line.strip().removesuffix(":") for line in done.stdout.splitlines()}
    return sorted(file for file in files if file.lower().endswith((".ttf", ".otf", ".ttc")))


def _picture(lines: tuple[str, ...], font: str, rng: random.Random) -> Image.Image:
    ground, ink = rng.choice(_COLOURS)
    image = Image.new("RGB", _SIZE, ground)
    draw = ImageDraw.Draw(image)
    for i, line in enumerate(lines):
        size = rng.randint(34, 60)
        face = ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.RAQM)
        draw.text((rng.randint(60, 240), 50 + 135 * i), line, font=face, fill=ink)
    image = image.rotate(rng.uniform(-3, 3), Image.Resampling.BICUBIC, fillcolor=ground)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.0, 1.2)))
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, rng.uniform(2, 9), (_SIZE[1], _SIZE[0], 3))
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.float64) + noise, 0, 255).astype(np.uint8))

"""Text in scenes that points nowhere, though it may look as if it did."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from geoagent.worlds.evaluation._pieces import firm


@dataclass(frozen=True)
class Board:
    """Text in a scene.

    Attributes:
        lines: from top to bottom.
        style: how it is drawn: "board", "plate", "painted" (on the thing itself), "shirt", "label", "clock", "compass",
            or over the photo: "watermark", "credit", "date", "osd" (on-screen display of a camera).
        paper: colour of the ground, a key of `_drawing.PAPERS`; "" for any.
    """

    lines: tuple[str, ...]
    style: str
    paper: str = ""


_FIRST = ("Anna", "J.", "Maria", "David", "Tom", "Elena", "Chris", "Lee", "Sam", "Nina", "Victor", "R.", "Ivan", "Yuki")
_LAST = (
    "Parker", "Lincoln", "Martin", "Silva", "Novak", "Berg", "Stone", "Hall", "Lane", "Costa", "Rossi", "Wood",
    "Kim", "London", "Marsh", "Winter",
)  # fmt: skip
_ENDS = ("stock", "pix", "images", "photos", "shots", "media", "press", "foto")
_BRANDS = (
    "Coca-Cola", "PEPSI", "NIKE", "adidas", "PUMA", "SONY", "Canon", "Nikon", "SAMSUNG", "TOYOTA", "HONDA", "YAMAHA",
    "BMW", "IKEA", "H&M", "ZARA", "VISA", "mastercard", "DHL", "FedEx", "McDonald's", "Burger King", "STARBUCKS",
    "SUBWAY", "Heineken", "Red Bull", "Nestlé", "LEGO", "Levi's", "GUCCI", "CAT", "DELL",
)  # fmt: skip
_SHOP_WORDS = (
    "SALE", "OPEN", "CLOSED", "TAXI", "LEVEL 2", "EXIT", "WC", "STOP", "PARKING", "HOTEL", "CAFE", "BAR", "PIZZA",
    "INFO", "ATM", "WiFi", "BUS", "METRO", "PUSH", "PULL", "NO SMOKING", "GALLERY", "MENU", "-50%", "24h", "ENTRANCE",
    "MUSEUM", "RESTAURANT", "FAST FOOD", "OPEN 24/7", "NEW", "ROOM 12", "GATE 4", "PLATFORM 1",
)  # fmt: skip
_TITLES = (
    "Parks", "The White Horse", "Victoria", "Orange", "Lincoln", "Phoenix", "Florida", "Hotel Victoria", "Café Paris",
    "Bath", "Reading", "Nice", "Hope", "Eden", "Union", "Sofia", "Regina", "Liberty", "Milano", "Bar Roma", "Athena",
    "London Pub", "The Red Lion", "Casablanca", "Aurora", "Mercury", "Santa Maria", "The Crown", "Columbus", "Bella",
    "Central", "Marina", "Melissa", "Rose", "La Paz", "Grand Hotel Europa", "Stone", "Summit", "Windsor", "San Marco",
)  # fmt: skip
_SHIRTS = (
    "BROOKLYN", "CALIFORNIA", "BERLIN", "TOKYO", "NEW YORK", "LOVE", "JUST SMILE", "ATHLETICS 1987", "COLLEGE", "PARIS",
    "MALIBU", "LOS ANGELES", "WILD & FREE", "GOOD VIBES", "RUN CLUB", "TEAM 23", "HARVARD", "HAWAII", "VENICE BEACH",
    "ROCK", "HELLO", "OXFORD", "MIAMI 84",
)  # fmt: skip
_LABELS = (
    "Net wt 500 g", "Ingredients: sugar, salt", "Shampoo 250 ml", "Organic Green Tea", "Whole Milk", "Vitamin C 1000",
    "Extra Virgin Olive Oil", "MADE IN CHINA", "Product of Italy", "MADE IN GERMANY", "Designed in California",
    "SPF 50", "Dark Chocolate 70%", "Best before 03.2019", "100% Cotton", "Swiss Quality", "French Vanilla",
    "Lager Beer 5.0% vol",
)  # fmt: skip


_CODES = (
    "? ##", "? ###", "##?", "#?", "GATE ?##", "??-###", "??-####", "??? ###", "NO. ####", "?? ## ??", "LINE #",
    "LINE 1#", "??##??", "SN ####-##", "## ?? ##", "#####", "LANE #", "80 80 ### # ###-8", "M ##",
    "T#", "?## ???", "??? ##?",
)  # fmt: skip
"""Lines of buses, lanes, serial numbers; ? stands for a letter and # for a digit."""


def distractor(kind: str, dice: random.Random) -> Board:
    """Text of a kind that points nowhere."""
    return DISTRACTORS[kind](dice)


def _person(dice: random.Random) -> str:
    return f"{dice.choice(_FIRST)} {dice.choice(_LAST)}"


def _watermark(dice: random.Random) -> Board:
    site = f"{firm(dice).lower()}{dice.choice(_ENDS)}.{dice.choice(('com', 'net', 'org'))}"
    agency = f"{firm(dice).lower()}{dice.choice(_ENDS)}"
    name = f"© {_person(dice)} Photography"
    return Board((dice.choice((site, site, agency, agency.upper(), name)),), "watermark")


def _credit(dice: random.Random) -> Board:
    person = _person(dice)
    site = f"www.{person.replace(' ', '').replace('.', '').lower()}.com"
    years = dice.randint(2004, 2024)
    forms = (f"© {person}", f"Photo: {person}", f"© {years} {person}", site, f"{person} Photography", f"@{site[4:-4]}")
    return Board((dice.choice(forms),), "credit")


def _date(dice: random.Random) -> Board:
    year, month, day = dice.randint(1996, 2023), dice.randint(1, 12), dice.randint(1, 28)
    clock = f"{dice.randint(0, 23):02d}:{dice.randint(0, 59):02d}"
    forms = (
        f"{year} {month} {day}", f"'{year % 100:02d} {month} {day}", f"{day:02d}/{month:02d}/{year}",
        f"{year}.{month:02d}.{day:02d} {clock}", f"{month:02d}-{day:02d}-{year}", f"{day}. {month}. {year} {clock}",
    )  # fmt: skip
    return Board((dice.choice(forms),), "date")


def _osd(dice: random.Random) -> Board:
    speed, stop = dice.choice((60, 125, 250, 500)), dice.choice(("1.8", "2.8", "5.6", "8"))
    forms = (
        ("REC", f"00:{dice.randint(0, 59):02d}:{dice.randint(0, 59):02d}"),
        (f"ISO {dice.choice((100, 200, 400, 800))}  f/{stop}  1/{speed}",),
        (f"CAM {dice.randint(1, 16):02d}", f"{dice.randint(2012, 2023)}-05-{dice.randint(1, 28):02d} 13:22:10"),
        ("SHOT ON PHONE X", "AI DUAL CAMERA"),
        ("4K 30FPS", f"{dice.randint(20, 99)}%"),
        (f"DSC_{dice.randint(1, 9999):04d}.JPG",),
        (f"{dice.randint(5, 130)} km/h", f"FRONT {dice.randint(2015, 2023)}/08/{dice.randint(1, 28):02d}"),
    )
    return Board(dice.choice(forms), "osd")


def _code(dice: random.Random) -> Board:
    form = dice.choice(_CODES)
    text = "".join(
        dice.choice(string.ascii_uppercase) if char == "?" else str(dice.randint(1, 9)) if char == "#" else char
        for char in form
    )
    return Board((text,), dice.choice(("board", "painted", "label")))


def _house(dice: random.Random) -> Board:
    number = dice.randint(1, 320)
    return Board(
        (dice.choice((f"{number}", f"{number}", f"{number}A", f"{number}-{number + 2}", f"No {number}")),), "painted"
    )


def _clock(dice: random.Random) -> Board:
    roman = ("XII", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI")
    return Board(roman if dice.random() < 0.5 else ("12", *map(str, range(1, 12))), "clock")


def _from(words: Sequence[str], *styles: str) -> Callable[[random.Random], Board]:
    return lambda dice: Board((dice.choice(words),), dice.choice(styles))


DISTRACTORS: dict[str, Callable[[random.Random], Board]] = {
    "watermark": _watermark,
    "credit": _credit,
    "date": _date,
    "camera": _osd,
    "house-number": _house,
    "shirt": _from(_SHIRTS, "shirt"),
    "brand": _from(_BRANDS, "board", "painted", "label"),
    "label": _from(_LABELS, "label"),
    "compass": lambda dice: Board(tuple(dice.choice(("NESW", "NOSW", "NEZW"))), "compass"),
    "clock": _clock,
    "shop-word": _from(_SHOP_WORDS, "board", "board", "painted"),
    "title": _from(_TITLES, "board", "painted", "label"),
    "code": _code,
}
"""Kinds of distractor."""
MAY_STAND_BESIDE = ("watermark", "credit", "date", "camera", "house-number", "brand", "shop-word", "code")
"""Kinds that are seen beside a sign."""

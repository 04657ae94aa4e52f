"""Drawing a scene: its background, its boards in perspective, and the faults of a camera.

The fonts are Debian's fonts-noto-core, fonts-noto-cjk, fonts-dejavu-core and fonts-liberation; they are not part of
this project. Output is the same for the same fonts and libraries.
"""

from __future__ import annotations

import itertools
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from _distractors import Board
from _grounds import GROUND_NAMES, Pixels, Rng, colour, ground
from PIL import Image, ImageDraw, ImageFont, features
from scenes import Scene

from geoagent.evidence.scripts import script_of

VERSION = 1
"""Part of the cache's keys; raised when the same scene is drawn differently."""
_FONTS = Path("/usr/share/fonts")
_NOTO = "truetype/noto/NotoSans{}-Bold.ttf"
_PLAIN = (
    "truetype/noto/NotoSans-Bold.ttf", "truetype/noto/NotoSans-Regular.ttf", "truetype/noto/NotoSerif-Bold.ttf",
    "truetype/dejavu/DejaVuSans-Bold.ttf", "truetype/dejavu/DejaVuSans.ttf",
    "truetype/liberation/LiberationSans-Bold.ttf", "truetype/liberation/LiberationSerif-Bold.ttf",
)  # fmt: skip
_FACES = {
    "Arab": "Arabic", "Armn": "Armenian", "Beng": "Bengali", "Deva": "Devanagari", "Ethi": "Ethiopic",
    "Geor": "Georgian", "Gujr": "Gujarati", "Guru": "Gurmukhi", "Hebr": "Hebrew", "Khmr": "Khmer", "Knda": "Kannada",
    "Laoo": "Lao", "Mlym": "Malayalam", "Mymr": "Myanmar", "Orya": "Oriya", "Sinh": "Sinhala", "Taml": "Tamil",
    "Telu": "Telugu", "Thaa": "Thaana", "Thai": "Thai",
}  # fmt: skip
_CJK = "opentype/noto/NotoSansCJK-Bold.ttc"
_CJK_SCRIPTS = ("Hani", "Jpan", "Hang", "Bopo")
_CJK_INDEX = {"JP": 0, "KR": 1, "KP": 1, "TW": 3, "HK": 4, "MO": 4}  # others: 2, simplified Chinese
_RTL = ("Arab", "Hebr", "Thaa")
_PX = 72  # size of the letters on a flat board
PAPERS = {
    "white": (235, 235, 230), "yellow": (240, 200, 40), "black": (25, 25, 28), "blue": (20, 65, 160),
    "green": (10, 105, 70), "red": (175, 25, 35),
}  # fmt: skip
"""Grounds of plates and of road signs."""
_OVER = ("watermark", "credit", "date", "osd")


def missing() -> str:
    """What is missing to draw every scene, or ""."""
    paths = [*_PLAIN, _CJK, *(_NOTO.format(name) for name in _FACES.values())]
    absent = [Path(path).name for path in paths if not (_FONTS / path).is_file()]
    if absent:
        return f"no {', '.join(absent)}: install fonts-noto-core fonts-noto-cjk fonts-dejavu-core fonts-liberation"
    return "" if features.check("raqm") else "Pillow has no raqm, which shapes complex scripts: install libfribidi0"


def render(scene: Scene) -> bytes:
    """Draw a scene as JPEG."""
    rng = np.random.default_rng(scene.seed)
    long, ratio = int(rng.integers(640, 1001)), float(rng.choice((0.56, 0.67, 0.75, 1.0)))
    width, height = (long, int(long * ratio)) if rng.random() < 0.75 else (int(long * ratio), long)
    image = _background(scene.ground, rng, width, height)
    for board in scene.boards:
        if board.style not in _OVER:
            image = _hang(image, board, scene.country or "", rng)
    image = _camera(image, rng)
    for board in scene.boards:
        if board.style in _OVER:
            image = _lay_over(image, board, rng)
    quality = int(rng.integers(35, 93))
    return cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _background(name: str, rng: Rng, width: int, height: int) -> Pixels:
    """Draw a background, or take a part of a mirrored photo."""
    if name in GROUND_NAMES:
        return ground(name, rng, width, height)
    with Image.open(name) as file:
        photo = np.asarray(file.convert("RGB"))[:, ::-1]
    share = rng.uniform(0.6, 0.95)
    scale = share * min(photo.shape[1] / width, photo.shape[0] / height)
    wide, tall = int(width * scale), int(height * scale)
    x, y = (int(rng.integers(0, room + 1)) for room in (photo.shape[1] - wide, photo.shape[0] - tall))
    return cv2.resize(photo[y : y + tall, x : x + wide], (width, height), interpolation=cv2.INTER_CUBIC)


@cache
def _font(path: str, size: int, index: int = 0) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONTS / path), size, index=index)


def _face(script: str, plain: str, country: str, size: int) -> ImageFont.FreeTypeFont:
    if script in _CJK_SCRIPTS:
        return _font(_CJK, size, _CJK_INDEX.get(country, 2))
    return _font(_NOTO.format(_FACES[script]) if script in _FACES else plain, size)


def _runs(line: str) -> list[tuple[str, str]]:
    """The line's pieces of one script each, in visual order; spaces and marks belong to the piece before them."""
    runs: list[tuple[str, str]] = []
    for char in line:
        own = script_of(char)
        script = runs[-1][0] if runs and own == "Zyyy" and not (char.isascii() and char.isalnum()) else own
        if runs and runs[-1][0] == script:
            runs[-1] = (script, runs[-1][1] + char)
        else:
            runs.append((script, char))
    return runs[::-1] if script_of(line) in _RTL else runs


def flat(line: str, plain: str, country: str, shade: tuple[int, int, int], size: int = _PX) -> Image.Image:
    """One line of text on a transparent ground, cropped to its ink."""
    pieces = [(text, _face(script, plain, country, size)) for script, text in _runs(line)]
    widths = [int(face.getlength(text)) + 1 for text, face in pieces]
    image = Image.new("RGBA", (sum(widths) + 2 * size, 3 * size), (*shade, 0))
    draw = ImageDraw.Draw(image)
    for (text, face), x in zip(pieces, itertools.accumulate([size, *widths]), strict=False):
        draw.text((x, 2 * size), text, (*shade, 255), face, "ls")
    return image.crop(image.getbbox() or (0, 0, 1, 1))


def _painted(board: Board, country: str, rng: Rng) -> Pixels:
    """The flat board, `(H, W, 4)`."""
    plain = str(rng.choice(_PLAIN))
    dark, light = colour(rng, 5, 90), colour(rng, 200, 250)
    ink, paper = (dark, light) if rng.random() < 0.5 else (light, dark)
    if board.paper:
        paper = PAPERS[board.paper]
        ink = (25, 25, 30) if board.paper in ("white", "yellow") else (240, 240, 235)
    if board.style in ("clock", "compass"):
        return _dial(board, plain, ink, paper)
    lines = [flat(line, plain, country, ink) for line in board.lines]
    pad = 30 if board.style != "plate" else 14
    size = (max(line.width for line in lines) + 2 * pad, sum(line.height + pad for line in lines) + pad)
    alpha = 0 if board.style == "painted" else 255
    image = Image.new("RGBA", size, (*(ink if alpha == 0 else paper), 0))
    draw = ImageDraw.Draw(image)
    if alpha:
        draw.rounded_rectangle(
            (0, 0, size[0] - 1, size[1] - 1), int(rng.integers(2, 30)), (*paper, 255), (*ink, 255), 4
        )
    y = pad
    for line in lines:
        image.alpha_composite(line, ((size[0] - line.width) // 2, y))
        y += line.height + pad
    if board.style == "shirt":
        shirt = Image.new("RGBA", (size[0] * 2, size[0] * 2), (*paper, 0))
        ImageDraw.Draw(shirt).rounded_rectangle((0, 0, size[0] * 2, size[0] * 2), size[0] // 2, (*paper, 255))
        shirt.alpha_composite(image.crop((8, 8, size[0] - 8, size[1] - 8)), (size[0] // 2, size[0] // 3))
        image = shirt
    return np.asarray(image)


def _dial(board: Board, plain: str, ink: tuple[int, int, int], paper: tuple[int, int, int]) -> Pixels:
    image = Image.new("RGBA", (640, 640), (*paper, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((4, 4, 636, 636), (*paper, 255), (*ink, 255), 10)
    for number, text in enumerate(board.lines):
        turn = 2 * np.pi * number / len(board.lines)
        draw.text((320 + 250 * np.sin(turn), 320 - 250 * np.cos(turn)), text, ink, _font(plain, 80), "mm")
    for turn, reach in ((1.0, 150), (4.2, 210)):
        draw.line((320, 320, 320 + reach * np.sin(turn), 320 - reach * np.cos(turn)), ink, 12)
    return np.asarray(image)


def _hang(image: Pixels, board: Board, country: str, rng: Rng) -> Pixels:
    """Put a board into the scene, in perspective."""
    sign, (height, width) = _painted(board, country, rng), image.shape[:2]
    narrow = board.style == "plate" or (len(board.lines[0]) <= 4 and board.style not in ("clock", "compass"))
    wide = width * (rng.uniform(0.1, 0.3) if narrow else rng.uniform(0.22, 0.7))
    tall = wide * sign.shape[0] / sign.shape[1]
    shrink = min(1.0, 0.7 * height / tall)
    wide, tall = wide * shrink, tall * shrink
    yaw, turn = rng.uniform(-0.22, 0.22), np.radians(rng.normal(0, 3))
    corners = np.array([[-1, -1 - yaw], [1, -1 + yaw], [1, 1 - yaw], [-1, 1 + yaw]]) * [wide / 2, tall / 2]
    corners[:, 0] *= 1 - abs(yaw)
    corners = corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    room = np.abs(corners).max(axis=0)
    centre = [rng.uniform(min(r, s / 2), max(s - r, s / 2)) for r, s in zip(room, (width, height), strict=True)]
    source = np.array([[0, 0], [sign.shape[1], 0], [sign.shape[1], sign.shape[0]], [0, sign.shape[0]]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, (corners + centre).astype(np.float32))
    soft = cv2.GaussianBlur(sign, (0, 0), max(0.3, 0.4 * sign.shape[1] / wide))
    laid = cv2.warpPerspective(soft, matrix, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
    cover = laid[..., 3:] / 255 * (rng.uniform(0.55, 0.95) if board.style == "painted" else 1.0)
    return (image * (1 - cover) + laid[..., :3] * cover).astype(np.uint8)


def _camera(image: Pixels, rng: Rng) -> Pixels:
    """Light, contrast, blur and noise."""
    pixels = image.astype(np.float32)
    contrast = rng.uniform(0.35, 1.1) if rng.random() < 0.3 else rng.uniform(0.8, 1.1)
    pixels = (pixels - 127) * contrast + 127 + rng.normal(0, 18)
    pixels *= 1 + rng.normal(0, 0.04, 3).astype(np.float32)
    if rng.random() < 0.15:
        length = int(rng.integers(3, 8))
        pixels = cv2.blur(pixels, (length, 1) if rng.random() < 0.7 else (1, length))
    pixels = cv2.GaussianBlur(pixels, (0, 0), float(rng.uniform(0.3, 1.5)))
    grain = rng.standard_normal(pixels.shape[:2], dtype=np.float32)[..., None]
    return np.clip(pixels + grain * rng.uniform(1, 9), 0, 255).astype(np.uint8)


def _lay_over(image: Pixels, board: Board, rng: Rng) -> Pixels:
    """Write over the finished photo."""
    height, width = image.shape[:2]
    over = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    shade = {"date": (255, 150, 40)}.get(board.style, (255, 255, 255) if rng.random() < 0.8 else (20, 20, 20))
    plain = str(rng.choice(_PLAIN))
    size = int(max(11, height * rng.uniform(0.022, 0.05)))
    if board.style == "watermark":
        size = int(size * rng.uniform(1.0, 2.2))
        line = flat(board.lines[0], plain, "", shade, size)
        if rng.random() < 0.6:
            line = line.rotate(float(rng.choice((30, 45, -30))), expand=True)
        gap = int(size * rng.uniform(2, 5))
        for row, y in enumerate(range(-line.height // 2, height, line.height + gap)):
            for x in range(-(row % 2) * line.width // 2, width, line.width + gap):
                over.paste(line, (x, y))
    else:
        lines = [flat(line, plain, "", shade, size) for line in board.lines]
        at_top, margin = board.style == "osd" and rng.random() < 0.6, size
        y = margin if at_top else height - margin - sum(line.height + size // 2 for line in lines)
        right = rng.random() < 0.7
        for line in lines:
            over.paste(line, (width - line.width - margin if right else margin, y))
            y += line.height + size // 2
    top = np.asarray(over, dtype=np.float32)
    cover = top[..., 3:] / 255 * (rng.uniform(0.2, 0.6) if board.style == "watermark" else rng.uniform(0.75, 1.0))
    return (image * (1 - cover) + top[..., :3] * cover).astype(np.uint8)

"""Draw the sample photos: street scenes with signs, rendered from fonts.

They are not photographs. They show how text in a scene points to a place, may be copied freely, and contain no real
person, plate or shop; the telephone numbers are fictitious (the German ones are from the ranges reserved for films).

    apt-get install fonts-noto-core fonts-noto-cjk      # Debian's names; the fonts are not part of this project
    python examples/make_photos.py                      # writes examples/photos/*.jpg, expected.csv and README.md

The scenes are in photos/scenes.toml. Output is deterministic for given fonts: all randomness is seeded by the
scene's name.
"""

from __future__ import annotations

import csv
import io
import sys
import tomllib
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

OUT = Path(__file__).resolve().parent / "photos"
WIDTH, HEIGHT = 1400, 934
MAX_BYTES = 150_000
FONTS = Path("/usr/share/fonts")
Colour = tuple[int, int, int]
FACES = {
    "bold": "truetype/noto/NotoSans-Bold.ttf",
    "plain": "truetype/noto/NotoSans-Regular.ttf",
    "serif": "truetype/noto/NotoSerif-BoldItalic.ttf",
    "cjk": "opentype/noto/NotoSansCJK-Bold.ttc",
    "thai": "truetype/noto/NotoSansThai-Bold.ttf",
    "arabic": "truetype/noto/NotoNaskhArabic-Bold.ttf",
    "armenian": "truetype/noto/NotoSansArmenian-Bold.ttf",
    "bengali": "truetype/noto/NotoSansBengali-Bold.ttf",
    "devanagari": "truetype/noto/NotoSansDevanagari-Bold.ttf",
    "ethiopic": "truetype/noto/NotoSansEthiopic-Bold.ttf",
    "georgian": "truetype/noto/NotoSansGeorgian-Bold.ttf",
    "hebrew": "truetype/noto/NotoSansHebrew-Bold.ttf",
    "khmer": "truetype/noto/NotoSansKhmer-Bold.ttf",
    "tamil": "truetype/noto/NotoSansTamil-Bold.ttf",
}

PAINT: dict[str, Colour] = {
    "white": (245, 245, 240),
    "black": (25, 25, 28),
    "blue": (20, 60, 150),
    "green": (15, 95, 60),
    "red": (170, 25, 30),
    "brown": (95, 55, 30),
    "cream": (240, 228, 195),
    "yellow": (250, 205, 40),
    "navy": (18, 30, 70),
    "moss": (20, 80, 40),
    "plum": (90, 20, 60),
}


@dataclass(frozen=True)
class Sign:
    """A flat board, as `photos/scenes.toml` describes it."""

    lines: list[tuple[str, str, float]]
    centre: tuple[float, float]
    width: float
    paint: tuple[str, str, str]
    yaw: float = 0.0
    roll: float = 0.0
    post: bool = False
    down: bool = False


@dataclass(frozen=True)
class Scene:
    """One picture, as `photos/scenes.toml` describes it."""

    name: str
    ground: str
    place: str
    why: str
    country: str = ""
    latlon: tuple[float, float] | None = None
    signs: tuple[Sign, ...] = ()
    light: float = 1.0


def scenes() -> list[Scene]:
    """Read the scenes."""
    with (OUT / "scenes.toml").open("rb") as file:
        rows = tomllib.load(file)["scene"]
    return [Scene(**{**row, "signs": tuple(Sign(**sign) for sign in row.get("signs", ()))}) for row in rows]


def font(face: str, size: int) -> ImageFont.FreeTypeFont:
    """Load a face; the CJK collection's first font is the Japanese one, its third the simplified Chinese one."""
    return ImageFont.truetype(str(FONTS / FACES[face]), size)


def board(sign: Sign) -> Image.Image:
    """Paint a sign flat, 1,200 pixels wide or high."""
    unit, gap = 100, 36
    if sign.down:
        faces = [(text, font(face, int(unit * size))) for text, face, size in sign.lines]
        cell = int(unit * 1.15)
        size = (len(faces) * cell + 2 * gap, max(len(text) for text, _ in faces) * cell + 2 * gap)
    else:
        faces = [(text, font(face, int(unit * size))) for text, face, size in sign.lines]
        boxes = [face.getbbox(text) for text, face in faces]
        size = (int(max(box[2] for box in boxes)) + 3 * gap, int(sum(box[3] + gap * 0.6 for box in boxes)) + 2 * gap)
    ground, letters, border = (PAINT[name] for name in sign.paint)
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), 22, (*ground, 255), (*border, 255), 9)
    y = float(gap)
    for column, (text, face) in enumerate(faces):
        if sign.down:
            for row, char in enumerate(text):
                draw.text((size[0] - gap - (column + 0.5) * cell, gap + (row + 0.5) * cell), char, letters, face, "mm")
        else:
            box = face.getbbox(text)
            draw.text(((size[0] - box[2]) / 2, y), text, letters, face)
            y += box[3] + gap * 0.6
    return image


def soft_noise(rng: np.random.Generator, cells: int, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """Clouds, hills and stains: `(H, W)` in [0, 1], about `cells` blobs across."""
    small = rng.random((max(2, cells * size[1] // size[0]), max(2, cells)))
    image = Image.fromarray((small * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.float32) / 255


def sky(rng: np.random.Generator) -> np.ndarray:
    """Sky, `(H, W, 3)` floats: blue that fades towards the horizon, with clouds."""
    down = np.linspace(0, 1, HEIGHT, dtype=np.float32)[:, None, None]
    blue = np.array([105, 150, 205]) * (1 - down) + np.array([215, 225, 232]) * down
    cloud = np.clip(soft_noise(rng, 7) * 0.6 + soft_noise(rng, 22) * 0.4 - 0.45, 0, 1)[..., None] * 2
    return np.asarray(blue * (1 - cloud) + 238 * cloud, dtype=np.float32)


def canvas(kind: str, rng: np.random.Generator) -> Image.Image:
    """Paint the background: a "street", a "wall" seen closely, or a "rural" road."""
    image = Image.fromarray(np.clip(sky(rng), 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    horizon = int(HEIGHT * 0.8)
    tone = rng.integers(-25, 25, 3)

    def shade(base: tuple[int, int, int], by: float = 0) -> Colour:
        red, green, blue = (int(np.clip(value + by + step, 0, 255)) for value, step in zip(base, tone, strict=True))
        return red, green, blue

    if kind == "rural":
        for layer, base in enumerate(((120, 145, 150), (88, 122, 88), (70, 105, 55))):
            ridge = HEIGHT * (0.5 + 0.08 * layer) - (soft_noise(rng, 5 + 3 * layer)[10] - 0.5) * 180
            draw.polygon(
                [(0, HEIGHT), *((x, float(ridge[x])) for x in range(0, WIDTH, 4)), (WIDTH, HEIGHT)], shade(base)
            )
        middle = HEIGHT * 0.68
        draw.polygon([(560, middle), (610, middle), (1050, HEIGHT), (180, HEIGHT)], (92, 92, 96))
        draw.polygon([(584, middle), (587, middle), (630, HEIGHT), (600, HEIGHT)], (225, 200, 90))
        for _ in range(22):
            x, y = int(rng.integers(0, WIDTH)), HEIGHT * rng.uniform(0.55, 0.68)
            if not 450 < x < 720:
                r = int(rng.integers(18, 60))
                draw.rectangle((x - 4, y, x + 4, y + r), (70, 55, 40))
                draw.ellipse(
                    (x - r, y - 1.6 * r, x + r, y + 0.2 * r), shade((45, 85, 40), float(rng.integers(-15, 20)))
                )
    elif kind == "wall":
        draw.rectangle((0, 0, WIDTH, HEIGHT), shade((150, 95, 75)))
        for row, y in enumerate(range(0, HEIGHT, 46)):
            for x in range(-60 * (row % 2), WIDTH, 120):
                draw.rectangle((x + 3, y + 3, x + 116, y + 42), shade((165, 102, 80), float(rng.integers(-22, 22))))
        draw.rectangle((0, horizon + 70, WIDTH, HEIGHT), (120, 118, 112))
    else:
        x = -40
        while x < WIDTH:
            wide, top = int(rng.integers(330, 560)), int(rng.integers(-80, 120))
            base = shade((205, 190, 165), float(rng.integers(-50, 30)))
            draw.rectangle((x, top, x + wide, horizon), base, (90, 85, 80), 3)
            for wy in range(top + 40, horizon - 330, 190):
                for wx in range(x + 40, x + wide - 90, 130):
                    glass = shade((70, 85, 100), float(rng.integers(-20, 40)))
                    draw.rectangle((wx, wy, wx + 76, wy + 120), glass, (235, 235, 230), 6)
            draw.rectangle((x + 30, horizon - 250, x + wide - 30, horizon - 10), shade((60, 66, 74)), (40, 40, 40), 8)
            x += wide
        draw.rectangle((0, horizon, WIDTH, HEIGHT), (125, 123, 120))
        draw.polygon([(0, horizon + 60), (WIDTH, horizon + 40), (WIDTH, HEIGHT), (0, HEIGHT)], (84, 84, 88))
    return image.filter(ImageFilter.GaussianBlur(2.2 if kind != "wall" else 1.0))


def quad_of(sign: Sign, flat: Image.Image) -> np.ndarray:
    """`(4, 2)` corners of a hung sign in the picture, clockwise from top-left."""
    wide = sign.width * WIDTH
    high = wide * flat.height / flat.width
    near, far = 1 + sign.yaw, 1 - sign.yaw
    corners = np.array([[-1, -near], [1, -far], [1, far], [-1, near]], dtype=np.float64) * [wide / 2, high / 2]
    turn = np.radians(sign.roll)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return np.asarray(corners @ matrix + np.array(sign.centre) * [WIDTH, HEIGHT])


def hang(picture: Image.Image, sign: Sign) -> Image.Image:
    """Paste a sign into the picture, in perspective, with its shadow and post."""
    flat = board(sign)
    quad = quad_of(sign, flat)
    source = [(0, 0), (flat.width, 0), (flat.width, flat.height), (0, flat.height)]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(quad, source, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    terms = np.linalg.solve(np.array(rows), np.array(wanted)).tolist()
    # Reduced first: PERSPECTIVE samples points, so letters would alias.
    laid = flat.filter(ImageFilter.GaussianBlur(max(0.0, flat.width / (sign.width * WIDTH) * 0.45)))
    laid = laid.transform((WIDTH, HEIGHT), Image.Transform.PERSPECTIVE, terms, Image.Resampling.BICUBIC)
    shadow = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    drawn = ImageDraw.Draw(shadow)
    drawn.polygon([(x + 9, y + 12) for x, y in quad.tolist()], (0, 0, 0, 120))
    picture = Image.alpha_composite(picture.convert("RGBA"), shadow.filter(ImageFilter.GaussianBlur(7)))
    if sign.post:
        x, y = sign.centre[0] * WIDTH, float(quad[:, 1].mean())
        ImageDraw.Draw(picture).rectangle((x - 8, y, x + 8, HEIGHT), (110, 112, 115), (70, 70, 72), 2)
    return Image.alpha_composite(picture, laid).convert("RGB")


def render(scene: Scene) -> bytes:
    """Return the scene as JPEG bytes, at most `MAX_BYTES`."""
    rng = np.random.default_rng(zlib.crc32(scene.name.encode()))
    picture = canvas(scene.ground, rng)
    for sign in scene.signs:
        picture = hang(picture, sign)
    pixels = np.asarray(picture.filter(ImageFilter.GaussianBlur(0.7)), dtype=np.float32)
    stains = 0.86 + 0.2 * soft_noise(rng, 6)[..., None]
    x, y = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    corners = 1 - 0.18 * (x**2 + y**2)[..., None]
    warmth = np.array([1.02, 1.0, 0.97]) * scene.light
    pixels = (
        pixels * stains * corners * warmth
        + rng.normal(0, 3.5, (HEIGHT, WIDTH, 1))
        + rng.normal(0, 1, (HEIGHT, WIDTH, 3))
    )
    final = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    for quality in range(82, 20, -4):
        buffer = io.BytesIO()
        final.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= MAX_BYTES:
            break
    return buffer.getvalue()


def readme() -> str:
    """Return the list of scenes as Markdown."""
    rows = []
    for scene in scenes():
        text = " / ".join(line[0] for sign in scene.signs for line in sign.lines) or "–"
        rows.append(f"| {scene.name}.jpg | {scene.place} | {text} | {scene.why} |")
    with (OUT / "photographs.csv").open(encoding="utf-8", newline="") as file:
        found = [f"| {r['file']} | {r['what']} | {r['source']} | {r['licence']} |" for r in csv.DictReader(file)]
    photographs = """
## Photographs

Real ones, from GitHub repositories. `photographs.csv` has where they were taken, by their own EXIF.

| file | what | source | licence |
|---|---|---|---|
"""
    head = """# Sample photos

Drawn by `examples/make_photos.py` from `scenes.toml`; no photographs, free to copy (CC0). The places are those that the
text points to; the buildings are invented, so the picture alone says nothing true. `expected.csv` has file, country,
lat and lon (WGS 84 degrees; the street or town that the text names), empty where nothing is written.

| file | place | text | what speaks for it |
|---|---|---|---|
"""
    return head + "\n".join(rows) + "\n" + photographs + "\n".join(found) + "\n"


def main() -> None:
    """Draw every scene."""
    missing = [path for path in FACES.values() if not (FONTS / path).is_file()]
    if missing:
        sys.exit(f"no {', '.join(missing)} in {FONTS}; run: apt-get install fonts-noto-core fonts-noto-cjk")
    for scene in scenes():
        data = render(scene)
        (OUT / f"{scene.name}.jpg").write_bytes(data)
        print(f"{scene.name}.jpg {len(data) / 1000:.0f} kB")
    with (OUT / "expected.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["file", "country", "lat", "lon"])
        for scene in scenes():
            table.writerow([f"{scene.name}.jpg", scene.country, *(scene.latlon or ("", ""))])
    (OUT / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    main()

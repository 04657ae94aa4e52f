"""Backgrounds of rendered scenes: streets and walls, and textures that OCR takes for text."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Rng = np.random.Generator


def ground(name: str, rng: Rng, width: int, height: int) -> Pixels:
    """Draw a background `(H, W, 3)`, RGB, by its name in `scenes`."""
    return _GROUNDS[name](rng, width, height)


def clouds(rng: Rng, width: int, height: int, cells: int) -> NDArray[np.float32]:
    """Smooth noise `(H, W)` in [0, 1], about `cells` blobs across."""
    small = rng.random((max(2, cells * height // width), max(2, cells)), dtype=np.float32)
    return np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)


def colour(rng: Rng, low: int = 40, high: int = 220) -> tuple[int, int, int]:
    """A muted colour."""
    base = rng.integers(low, high)
    red, green, blue = np.clip(base + rng.integers(-35, 35, 3), 0, 255).tolist()
    return red, green, blue


def _plain(rng: Rng, width: int, height: int, shade: tuple[int, int, int], rough: float = 0.25) -> Pixels:
    noise = 0.6 * clouds(rng, width, height, 6) + 0.4 * clouds(rng, width, height, 40)
    return np.clip(np.array(shade) * (1 - rough + 2 * rough * noise[..., None]), 0, 255).astype(np.uint8)


def _street(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, (170, 195, 225), 0.15)
    horizon, x = int(height * rng.uniform(0.7, 0.85)), -int(rng.integers(0, 60))
    while x < width:
        wide, top, wall = (
            int(width * rng.uniform(0.2, 0.45)),
            int(height * rng.uniform(-0.1, 0.3)),
            colour(rng, 90, 215),
        )
        cv2.rectangle(image, (x, top), (x + wide, horizon), wall, -1)
        across, down, glass = int(rng.integers(26, 60)), int(rng.integers(40, 90)), colour(rng, 30, 110)
        for y in range(top + 15, horizon - down, int(down * 1.6)):
            for left in range(x + 14, x + wide - across, int(across * 1.7)):
                cv2.rectangle(image, (left, y), (left + across, y + down), glass, -1)
                cv2.rectangle(image, (left, y), (left + across, y + down), (215, 215, 210), 2)
                cv2.line(image, (left + across // 2, y), (left + across // 2, y + down), (215, 215, 210), 2)
        x += wide
    cv2.rectangle(image, (0, horizon), (width, height), colour(rng, 70, 130), -1)
    return image


def _wall(rng: Rng, width: int, height: int) -> Pixels:
    return _plain(rng, width, height, colour(rng, 110, 225))


def _meadow(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, (165, 195, 225), 0.15)
    green = _plain(rng, width, height, (80, 115, 55), 0.5)
    ridge = height * (0.4 + 0.2 * clouds(rng, width, height, 5)[0])
    below = np.arange(height)[:, None] > ridge[None, :]
    return np.where(below[..., None], green, image)


def _room(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, colour(rng, 130, 220), 0.1)
    for _ in range(int(rng.integers(3, 8))):
        x, y = int(rng.integers(0, width)), int(rng.integers(height // 3, height))
        corner = (x + int(width * rng.uniform(0.1, 0.4)), y + int(height * rng.uniform(0.1, 0.4)))
        cv2.rectangle(image, (x, y), corner, colour(rng, 30, 180), -1)
    return image


def _arches(rng: Rng, width: int, height: int) -> Pixels:
    image, dark = _wall(rng, width, height), colour(rng, 10, 90)
    wide, tall = int(rng.integers(24, 90)), float(rng.uniform(1.2, 2.4))
    for y in range(int(rng.integers(10, 60)), height, int(wide * tall * rng.uniform(1.3, 1.9))):
        for x in range(int(rng.integers(4, 40)), width, int(wide * rng.uniform(1.2, 1.8))):
            bottom = y + int(wide * tall)
            cv2.ellipse(image, (x + wide // 2, y + wide // 2), (wide // 2, wide // 2), 0, 180, 360, dark, -1)
            cv2.rectangle(image, (x, y + wide // 2), (x + wide, bottom), dark, -1)
            if rng.random() < 0.8:
                cv2.line(image, (x + wide // 2, y), (x + wide // 2, bottom), (205, 200, 190), 2)
    return image


def _bricks(rng: Rng, width: int, height: int) -> Pixels:
    image, base = _plain(rng, width, height, (190, 180, 170)), np.array([165, 100, 80]) + rng.integers(-25, 25, 3)
    tall = int(rng.integers(10, 44))
    wide = int(tall * rng.uniform(2, 3.2))
    for row, y in enumerate(range(0, height, tall)):
        for x in range(-wide // 2 * (row % 2), width, wide):
            shade = np.clip(base + rng.integers(-25, 25), 0, 255).tolist()
            cv2.rectangle(image, (x + 2, y + 2), (x + wide - 2, y + tall - 2), shade, -1)
    return image


def _bars(rng: Rng, image: Pixels, step: int, thick: int, top: int, bottom: int) -> None:
    shade = colour(rng, 5, 80) if rng.random() < 0.6 else colour(rng, 200, 250)
    for x in range(int(rng.integers(0, step)), image.shape[1], step):
        cv2.line(image, (x, top), (x, bottom), shade, thick)
        if rng.random() < 0.3:
            cv2.circle(image, (x, top), thick + 2, shade, -1)
    for y in (top, bottom):
        cv2.line(image, (0, y), (image.shape[1], y), shade, thick + 1)


def _fence(rng: Rng, width: int, height: int) -> Pixels:
    image = _meadow(rng, width, height)
    top = int(height * rng.uniform(0.2, 0.5))
    _bars(rng, image, int(rng.integers(14, 50)), int(rng.integers(2, 9)), top, int(height * rng.uniform(0.7, 0.95)))
    return image


def _railing(rng: Rng, width: int, height: int) -> Pixels:
    image = _street(rng, width, height)
    for floor in range(int(rng.integers(1, 4))):
        top = int(height * (0.15 + 0.28 * floor + rng.uniform(-0.04, 0.04)))
        _bars(
            rng,
            image,
            int(rng.integers(7, 22)),
            int(rng.integers(1, 4)),
            top,
            top + int(height * rng.uniform(0.05, 0.12)),
        )
    return image


def _stripes(rng: Rng, width: int, height: int) -> Pixels:
    y, x = np.mgrid[:height, :width]
    angle, step = rng.uniform(0, np.pi), rng.uniform(12, 70)
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / step) > rng.uniform(-0.5, 0.5)
    return np.where(wave[..., None], np.array(colour(rng)), np.array(colour(rng))).astype(np.uint8)


def _leaves(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, (60, 85, 45), 0.5)
    for _ in range(int(rng.integers(300, 900))):
        centre = (int(rng.integers(0, width)), int(rng.integers(0, height)))
        axes = (int(rng.integers(6, 30)), int(rng.integers(2, 9)))
        green = np.clip(np.array([75, 115, 50]) + rng.integers(-45, 60), 0, 255).tolist()
        cv2.ellipse(image, centre, axes, float(rng.uniform(0, 360)), 0, 360, green, -1, cv2.LINE_AA)
    return image


def _branches(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, (195, 210, 225), 0.12)
    for _ in range(int(rng.integers(25, 70))):
        point, angle = np.array([rng.uniform(0, width), rng.uniform(0, height)]), rng.uniform(0, 2 * np.pi)
        for thick in range(int(rng.integers(3, 9)), 0, -1):
            angle += rng.uniform(-0.7, 0.7)
            end = point + np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(15, 60)
            cv2.line(image, point.astype(int).tolist(), end.astype(int).tolist(), (50, 42, 36), thick, cv2.LINE_AA)
            point = end
    return image


def _blinds(rng: Rng, width: int, height: int) -> Pixels:
    image = _room(rng, width, height)
    left, right = sorted(rng.integers(0, width, 2).tolist())
    step, shade = int(rng.integers(7, 28)), colour(rng, 150, 245)
    for y in range(int(height * 0.05), int(height * 0.85), step):
        cv2.rectangle(image, (left, y), (max(right, left + width // 3), y + max(2, step * 2 // 3)), shade, -1)
    return image


def _tiles(rng: Rng, width: int, height: int) -> Pixels:
    image, line, step = _wall(rng, width, height), colour(rng, 60, 240), int(rng.integers(16, 70))
    for x in range(0, width, step):
        cv2.line(image, (x, 0), (x, height), line, 2)
    for y in range(0, height, step):
        cv2.line(image, (0, y), (width, y), line, 2)
        for x in range(0, width, step):
            if rng.random() < 0.25:
                corner = (x + step - 4, y + step - 4)
                cv2.ellipse(image, (x + step // 2, y + step // 2), (step // 3, step // 4), 0, 0, 360, colour(rng), 3)
                cv2.line(image, (x + 4, y + 4), corner, colour(rng), 2)
    return image


def _gravel(rng: Rng, width: int, height: int) -> Pixels:
    image = _plain(rng, width, height, colour(rng, 90, 160), 0.4)
    for _ in range(1200):
        centre, axes = (int(rng.integers(0, width)), int(rng.integers(0, height))), rng.integers(2, 14, 2).tolist()
        cv2.ellipse(image, centre, axes, float(rng.uniform(0, 180)), 0, 360, colour(rng, 70, 200), -1, cv2.LINE_AA)
    return image


def _waves(rng: Rng, width: int, height: int) -> Pixels:
    y, x = np.mgrid[:height, :width]
    bend = 25 * clouds(rng, width, height, 8)
    wave = np.sin((y + bend) * 2 * np.pi / rng.uniform(8, 30) + x * rng.uniform(-0.05, 0.05))
    return np.clip(
        np.array([70, 110, 135]) + 55 * wave[..., None] * clouds(rng, width, height, 12)[..., None], 0, 255
    ).astype(np.uint8)


def _facade(rng: Rng, width: int, height: int) -> Pixels:
    image, glass, frame = _wall(rng, width, height), colour(rng, 20, 120), colour(rng, 150, 250)
    wide, tall = int(rng.integers(16, 60)), int(rng.integers(20, 90))
    for y in range(int(rng.integers(0, 30)), height, int(tall * 1.5)):
        for x in range(int(rng.integers(0, 30)), width, int(wide * 1.5)):
            cv2.rectangle(image, (x, y), (x + wide, y + tall), glass, -1)
            cv2.rectangle(image, (x, y), (x + wide, y + tall), frame, 2)
            for share in (0.5,) if rng.random() < 0.6 else (0.33, 0.66):
                cv2.line(image, (x, y + int(tall * share)), (x + wide, y + int(tall * share)), frame, 2)
            cv2.line(image, (x + wide // 2, y), (x + wide // 2, y + tall), frame, 2)
    return image


def _roof(rng: Rng, width: int, height: int) -> Pixels:
    image, step = _plain(rng, width, height, (150, 85, 65), 0.3), int(rng.integers(14, 46))
    for row, y in enumerate(range(0, height, step)):
        for x in range(-step // 2 * (row % 2), width, step):
            cv2.ellipse(image, (x + step // 2, y), (step // 2, step), 0, 0, 180, colour(rng, 45, 110), 2, cv2.LINE_AA)
    return image


_GROUNDS: dict[str, Callable[[Rng, int, int], Pixels]] = {
    "street": _street, "wall": _wall, "meadow": _meadow, "room": _room, "arches": _arches, "bricks": _bricks,
    "fence": _fence, "stripes": _stripes, "leaves": _leaves, "blinds": _blinds, "tiles": _tiles, "railing": _railing,
    "gravel": _gravel, "waves": _waves, "facade": _facade, "branches": _branches, "roof": _roof,
}  # fmt: skip

GROUND_NAMES = frozenset(_GROUNDS)
"""Names of all backgrounds."""

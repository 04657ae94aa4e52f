"""Damage: a drawn line as a camera and a detector leave it.

Everything is drawn at random: margins, slant and perspective, resolution, colours, texture, shadow, things in front,
blur, noise and compression. Sizes are relative to the line's height; probabilities were set once, by eye.
"""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np

from geoagent.types import Float32, UInt8

HEIGHT_PX, MIN_WIDTH_PX, MAX_WIDTH_PX = 48, 24, 2000
_REMEMBERED = 40  # lines that may leak into another as its neighbour


class Damage:
    """Damages lines; each call draws anew, and keeps some lines as neighbours of later ones.

    Args:
        rng: source of randomness.
        noise: likewise, for arrays.
    """

    def __init__(self, rng: random.Random, noise: np.random.Generator) -> None:
        self.rng, self.noise = rng, noise
        self._pool: list[UInt8] = []

    def __call__(self, alpha: UInt8, easy: bool = False) -> UInt8:
        """Return a line as it might be photographed.

        Args:
            alpha: `(H, W)` as drawn.
            easy: hardly damaged at all.

        Returns:
            `(HEIGHT_PX, W')` grey.
        """
        covered = self._photographed(alpha, easy)
        image, gap = self._coloured(covered, easy)
        if not easy:
            image = self._blurred(self._soiled(image))
            if self.rng.random() < 0.5:
                grain = self.rng.choice((0.02, 0.05, 0.1)) * gap + 1
                image = image + self.noise.standard_normal(image.shape, dtype=np.float32) * grain
        grey = np.clip(image, 0, 255).astype(np.uint8)
        if not easy and self.rng.random() < 0.4:
            grey = self._compressed(grey)
        return to_height(grey)

    def blank(self) -> UInt8:
        """Return texture without text, `(HEIGHT_PX, W)` grey."""
        r = self.rng
        height, width = r.randint(16, 48), r.randint(40, 300)
        image = r.uniform(40, 215) + self._texture(height, width) * r.choice((5, 20, 45))
        image = image + self.noise.standard_normal((height, width)) * r.choice((1, 6, 15))
        return to_height(np.clip(image, 0, 255).astype(np.uint8))

    def _photographed(self, alpha: UInt8, easy: bool) -> Float32:
        """The line cut out by a detector, bent and reduced: `(h, w)` in [0, 1]."""
        import cv2

        r = self.rng
        h, w = alpha.shape
        if easy:
            top, bottom, left, right = (int(h * r.uniform(0.05, most)) for most in (0.2, 0.2, 0.3, 0.3))
        else:  # a few crops cut into the letters
            top, bottom = (max(int(h * r.uniform(-0.05, 0.3)), -h // 12) for _ in range(2))
            left, right = (max(int(h * r.uniform(-0.02, 0.5)), 0) for _ in range(2))
        extra = h // 4  # room that the warp may show
        y, x = extra + max(top, 0), extra + left
        canvas = np.zeros((y + h + max(bottom, 0) + extra, x + w + right + extra), dtype=np.uint8)
        canvas[y : y + h, x : x + w] = alpha
        if not easy and self._pool and r.random() < 0.14:
            self._leak(canvas, y, y + h)
        self._remember(alpha)
        quad = np.array(
            [
                (x - left, y - top),
                (x + w + right, y - top),
                (x + w + right, y + h + bottom),
                (x - left, y + h + bottom),
            ],
            dtype=np.float32,
        )
        if not easy or r.random() < 0.3:
            self._bend(quad, h)
        high, wide = max(h + top + bottom, 4), w + left + right
        # As many pixels as the photo has of it.
        out_h = HEIGHT_PX if easy or r.random() < 0.35 else int(r.triangular(11, 56, 26))
        stretch = 1.0 if easy else r.choice((1, 1, r.uniform(0.72, 1.3)))
        out_w = max(8, round(wide / high * out_h * stretch))
        target = np.array([(0, 0), (out_w, 0), (out_w, out_h), (0, out_h)], dtype=np.float32)
        scale = out_h / high
        soft = cv2.GaussianBlur(canvas, (0, 0), 0.42 / scale) if scale < 0.6 else canvas
        matrix = cv2.getPerspectiveTransform(quad, target)
        warped: Any = cv2.warpPerspective(soft, matrix, (out_w, out_h), flags=cv2.INTER_LINEAR)
        if not easy and out_w > out_h and r.random() < 0.1:
            bow = r.uniform(-0.12, 0.12) * out_h * (np.linspace(-1, 1, out_w) ** 2 - 0.5)
            rows = (np.arange(out_h)[:, None] + bow[None]).astype(np.float32)
            columns = np.ascontiguousarray(np.broadcast_to(np.arange(out_w, dtype=np.float32)[None], rows.shape))
            warped = cv2.remap(warped, columns, rows, cv2.INTER_LINEAR)
        return np.asarray(warped / 255, dtype=np.float32)

    def _leak(self, canvas: UInt8, top: int, bottom: int) -> None:
        """Draw a piece of another line just above or below."""
        other = self.rng.choice(self._pool)
        above = self.rng.random() < 0.5
        high = min(len(other), top - 2 if above else len(canvas) - bottom - 2)
        wide = min(other.shape[1], canvas.shape[1])
        if high > 3 and above:
            canvas[top - 2 - high : top - 2, :wide] = other[-high:, :wide]
        elif high > 3:
            canvas[bottom + 2 : bottom + 2 + high, :wide] = other[:high, :wide]

    def _remember(self, alpha: UInt8) -> None:
        if len(self._pool) < _REMEMBERED:
            self._pool.append(alpha)
        elif self.rng.random() < 0.02:
            self._pool[self.rng.randrange(_REMEMBERED)] = alpha

    def _bend(self, quad: Float32, h: int) -> None:
        """Move the corners of the crop: perspective, slant, and a box that is not quite straight."""
        r = self.rng
        jitter = r.choice((0.02, 0.05, 0.09)) * h
        quad += self.noise.uniform(-jitter, jitter, (4, 2)).astype(np.float32)
        if r.random() < 0.35:
            shear = r.uniform(-0.3, 0.3) * h
            quad[:2, 0] += shear
            quad[2:, 0] -= shear
        if r.random() < 0.3:
            slope = math.tan(math.radians(r.uniform(-3.5, 3.5))) * float(quad[1, 0] - quad[0, 0]) / 2
            slope = max(min(slope, 0.28 * h), -0.28 * h)
            quad[[0, 3], 1] -= slope
            quad[[1, 2], 1] += slope

    def _coloured(self, covered: Float32, easy: bool) -> tuple[Float32, float]:
        """The letters in one tone on a ground of another: `(h, w)` grey, and how far the tones are apart."""
        import cv2

        r = self.rng
        h, w = covered.shape
        least = 90 if easy else r.choice((28, 50, 80, 120))
        face, ground = r.uniform(0, 255), r.uniform(0, 255)
        while abs(face - ground) < least:
            face, ground = r.uniform(0, 255), r.uniform(0, 255)
        gap = abs(face - ground)
        behind: Any = ground + self._texture(h, w) * gap * (0.03 if easy else r.choice((0.03, 0.08, 0.16)))
        if not easy and r.random() < 0.12:  # a shadow or an outline
            k = r.choice((1, 2, 3))
            if r.random() < 0.5:
                halo: Any = np.roll(covered, (r.randint(-k, k), r.randint(-k, k)), (0, 1))
            else:
                halo = cv2.dilate(covered, np.ones((k + 1, k + 1), dtype=np.uint8))
            shade = r.uniform(0, 255)
            if abs(shade - face) > 0.5 * gap:
                behind = behind + (shade - behind) * halo
        before: Any = face + self._texture(h, w) * gap * 0.1 if r.random() < 0.15 else face
        image = behind + (before - behind) * covered
        return np.asarray(image, dtype=np.float32), gap

    def _soiled(self, image: Float32) -> Float32:
        """A frame, something in front, a cast shadow or a light."""
        r = self.rng
        h, w = image.shape
        if r.random() < 0.06:
            at, thick, tone = r.randint(0, max(1, h // 10)), max(1, h // 16), r.uniform(0, 255)
            if r.random() < 0.5:
                image[at : at + thick] = tone
            else:
                image[-at - thick : h - at] = tone
        if r.random() < 0.06:
            x, thick = r.randint(0, w - 1), r.randint(1, max(1, h // 8))
            image[:, x : x + thick] = r.uniform(0, 255)
        if r.random() < 0.15:
            across = np.linspace(-1, 1, w, dtype=np.float32)[None] * r.uniform(-6, 6)
            down = np.linspace(-1, 1, h, dtype=np.float32)[:, None] * r.uniform(-2, 2)
            shade = np.clip(across + down + r.uniform(-2, 2), 0, 1) * r.uniform(0.1, 0.55)
            image = np.asarray(image * (1 - shade), dtype=np.float32)
        return image

    def _blurred(self, image: Float32) -> Float32:
        """Out of focus, shaken, or sharpened too much."""
        import cv2

        r = self.rng
        h = len(image)
        draw = r.random()
        if draw < 0.3:
            image = cv2.GaussianBlur(image, (0, 0), r.uniform(0.3, max(0.3, 0.055 * h)))  # type: ignore[assignment]
        elif draw < 0.37:
            n = r.randint(2, max(3, h // 7))
            kernel = np.zeros((n, n), dtype=np.float32)
            cv2.line(kernel, (0, r.randint(0, n - 1)), (n - 1, r.randint(0, n - 1)), 1)
            image = cv2.filter2D(image, -1, kernel / max(float(kernel.sum()), 1.0))  # type: ignore[assignment]
        elif draw < 0.42:
            image = image + 0.8 * (image - cv2.GaussianBlur(image, (0, 0), 1.2))
        return image

    def _compressed(self, grey: UInt8) -> UInt8:
        import cv2

        _, data = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, self.rng.randint(18, 85)])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), dtype=np.uint8)

    def _texture(self, h: int, w: int) -> Float32:
        """A ground: `(h, w)` around 0 with a spread of about 1."""
        import cv2

        r = self.rng
        kind = r.random()
        out = np.zeros((h, w), dtype=np.float32)
        if 0.3 <= kind < 0.65:
            down, across = self.noise.normal(size=2).astype(np.float32)
            out += np.linspace(-1, 1, h, dtype=np.float32)[:, None] * down
            out += np.linspace(-1, 1, w, dtype=np.float32)[None] * across
        if kind > 0.5:
            for _ in range(r.randint(1, 3)):
                size = r.randint(2, max(3, h // 3)), r.randint(2, max(3, w // 4))
                small = self.noise.normal(size=size).astype(np.float32)
                how = r.choice((cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_NEAREST))
                out += cv2.resize(small, (w, h), interpolation=how)
        if kind > 0.92:  # stripes
            axis = np.arange(w) if r.random() < 0.5 else np.arange(h)[:, None]
            out += (np.sign(np.sin(axis * 2 * math.pi / r.randint(3, 20) + r.random() * 6)) * 0.8).astype(np.float32)
        return out


def to_height(grey: UInt8) -> UInt8:
    """Resize a line to `(HEIGHT_PX, W)` as it is read: `_multiscript` does the same."""
    import cv2

    height, width = grey.shape
    wide = int(min(max(round(width * HEIGHT_PX / height), MIN_WIDTH_PX), MAX_WIDTH_PX))
    how = cv2.INTER_AREA if height > HEIGHT_PX else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (wide, HEIGHT_PX), interpolation=how), dtype=np.uint8)

"""What a line of text looks like in the photo: its ground (a green panel, a yellow plate), its size, its contrast."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from geoagent.places.geo import Float
from geoagent.types import Float32, Photo, TextRegion, UInt8

_SIDE = 24
"""Rows and columns of the sampling grid of a region."""
_LEAST = 0.55  # minimum share of the background for one colour
_EVEN = 0.12  # if the brighter tone's share is this close to 0.5, the edge decides
_BAND = (-0.16, -0.02)  # position of the band at the left of a plate, in widths of the text
_STRIP = 0.09
"""Height of the strips along the edges where captions, credits and dates stand, as a share of the photo's."""
_TOP = (-0.5, -0.12)  # position of the band above the number of a Mercosur plate, in heights of the text


def with_appearance(photo: Photo, regions: Iterable[TextRegion]) -> tuple[TextRegion, ...]:
    """Add to each region what it looks like: colours of the ground and of a plate's band, size, place, and contrast.

    Args:
        photo: the photo that contains the regions.
        regions: regions with polygons in pixels of the upright original.
    """
    return tuple(
        region
        if len(region.polygon_px) != 4
        else replace(
            region,
            panel=_panel(photo, region.polygon_px),
            band=_band(photo, region.polygon_px),
            height=_height(photo, region.polygon_px),
            at_edge=_at_edge(photo, region.polygon_px),
            contrast=_contrast(photo, region.polygon_px),
        )
        for region in regions
    )


def _height(photo: Photo, corners: Float32) -> float:
    """Return the height of a line across its reading direction, as a share of the photo's height."""
    sides = (
        np.linalg.norm(corners[[3, 1]] - corners[[0, 2]], axis=1),
        np.linalg.norm(corners[[1, 2]] - corners[[0, 3]], axis=1),
    )
    return float(min(side.mean() for side in sides)) / max(photo.original_px[1], 1)


def _at_edge(photo: Photo, corners: Float32) -> bool:
    """Whether all of a line lies in the strip along the photo's upper or lower edge."""
    tall = max(photo.original_px[1], 1)
    top, bottom = float(corners[:, 1].min()) / tall, float(corners[:, 1].max()) / tall
    return top >= 1.0 - _STRIP or bottom <= _STRIP


def _contrast(photo: Photo, corners: Float32) -> float:
    """Return the difference in lightness between the brighter and the darker tenth of a line's pixels."""
    inner = _samples(photo, corners, (0.0, 1.0), (0.0, 1.0))
    if len(inner) < 30:
        return 0.0
    low, high = np.percentile(inner.mean(axis=1), (10, 90))
    return float(high - low) / 255.0


def colour_name(rgb: UInt8) -> str:
    """Return a colour's name: "white", "grey", "black", "red", "orange", "brown", "yellow", "green" or "blue".

    Args:
        rgb: `(3,)` uint8.
    """
    return str(_names(np.asarray(rgb, dtype=np.float64)[None])[0])


def _names(pixels: Float) -> np.ndarray:
    """Return the names of `(N, 3)` colours: black, grey and white by saturation and value, the others by hue."""
    high, low = pixels.max(axis=1), pixels.min(axis=1)
    spread = np.maximum(high - low, 1e-9)
    red, green, blue = pixels.T
    hue = (
        np.where(
            high == red,
            ((green - blue) / spread) % 6,
            np.where(high == green, (blue - red) / spread + 2, (red - green) / spread + 4),
        )
        * 60.0
    )
    saturation = spread / np.maximum(high, 1.0)
    plain = (saturation < 0.28) | (high < 45)
    names = np.select(
        [
            plain & (high < 80),
            plain & (high < 140),
            plain,
            (hue < 14) | (hue >= 335),
            (hue < 42) & (high < 165),
            hue < 32,
            hue < 72,
            hue < 172,
            hue < 262,
        ],
        ["black", "grey", "white", "red", "brown", "orange", "yellow", "green", "blue"],
        default="red",
    )
    return np.asarray(names)


def _samples(photo: Photo, corners: Float32, across: tuple[float, float], down: tuple[float, float]) -> Float:
    """Sample colours on a grid relative to a quad, `(N, 3)`; points outside the photo are dropped.

    Args:
        photo: the photo.
        corners: `(4, 2)` pixels of the original, clockwise from the top-left.
        across: range along the upper and lower edge, 0 left, 1 right.
        down: range along the sides, 0 top, 1 bottom.
    """
    u, v = np.meshgrid(np.linspace(*across, _SIDE), np.linspace(*down, _SIDE))
    u, v = u.ravel()[:, None], v.ravel()[:, None]
    a, b, c, d = np.asarray(corners, dtype=np.float64) / photo.scale
    at = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    x, y = np.round(at[:, 0]).astype(int), np.round(at[:, 1]).astype(int)
    inside = (x >= 0) & (x < photo.width_px) & (y >= 0) & (y < photo.height_px)
    return np.asarray(photo.pixels[y[inside], x[inside]], dtype=np.float64)


def _panel(photo: Photo, corners: Float32) -> str:
    """Return the background colour of a region, without its letters.

    The background is the tone that covers the larger area, since letters rarely fill half of their line. If both cover
    about the same area, it is the tone of the edge, unless the edge already shows what is behind the panel.
    """
    inner = _samples(photo, corners, (0.0, 1.0), (0.0, 1.0))
    edge = np.concatenate([_samples(photo, corners, (0.0, 1.0), rows) for rows in ((-0.08, 0.04), (0.96, 1.08))])
    if len(inner) < 30 or len(edge) < 30:
        return ""
    light = inner.mean(axis=1)
    middle = (np.percentile(light, 5) + np.percentile(light, 95)) / 2
    bright_share = float((light > middle).mean())
    bright = bright_share > 0.5
    if abs(bright_share - 0.5) < _EVEN:
        bright = bool(np.median(edge.mean(axis=1)) > middle)
    ground = inner[(light > middle) == bright]
    if len(ground) < 15:
        return ""
    return _most(ground)


def _band(photo: Photo, corners: Float32) -> str:
    """Return the colour of the band at the left of a region; "blue above" if only the band above it is blue."""
    strip, over = (_samples(photo, corners, *at) for at in ((_BAND, (0.1, 0.9)), ((0.05, 0.95), _TOP)))
    left, above = (_most(pixels) if len(pixels) >= 60 else "" for pixels in (strip, over))
    return "blue above" if above == "blue" and left != "blue" else left


def _most(pixels: Float) -> str:
    """Return the colour name of most of the pixels, "" if there is no clear majority."""
    names, counts = np.unique(_names(pixels), return_counts=True)
    best = int(counts.argmax())
    name = str(names[best])
    return name if counts[best] >= _LEAST * counts.sum() and name != "grey" else ""

"""How lines lie to each other in a photo, by their boxes: left, top, right and bottom in pixels."""

from __future__ import annotations

Box = tuple[float, float, float, float]


def height(box: Box) -> float:
    """Height of a box in pixels."""
    return box[3] - box[1]


def width(box: Box) -> float:
    """Width of a box in pixels."""
    return box[2] - box[0]


def gap_x(a: Box, b: Box) -> float:
    """Pixels between two boxes from side to side; negative by how much one lies over the other."""
    return max(a[0], b[0]) - min(a[2], b[2])


def gap_y(a: Box, b: Box) -> float:
    """Pixels between two boxes from top to bottom; negative by how much they are beside each other."""
    return max(a[1], b[1]) - min(a[3], b[3])

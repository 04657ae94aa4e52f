"""The values that flow through geoagent.

All are frozen; arrays are cast, checked and made read-only when a value is made. Letters in shapes: N photos, C cells,
D embedding, M neighbours or candidates, K top cells, R text regions, P places of a constraint. Places are degrees, lat
then lon; probabilities over cells are natural logs whose exponentials sum to 1; boxes are pixels (x, y) of the upright
photo, y down, the only x, y in the package.
"""

from __future__ import annotations

from geoagent.types.arrays import Float32, Int, UInt8, log_normalise
from geoagent.types.belief import PRECISIONS, Candidates, Posterior, Precision, TextEvidence, VisionEvidence
from geoagent.types.capture import Capture, Device
from geoagent.types.constraint import Constraint, Cue, Level, Place, Span, Spread
from geoagent.types.photo import Photo, TextRegion, regions_from_lines

__all__ = [
    "PRECISIONS",
    "Candidates",
    "Capture",
    "Constraint",
    "Cue",
    "Device",
    "Float32",
    "Int",
    "Level",
    "Photo",
    "Place",
    "Posterior",
    "Precision",
    "Span",
    "Spread",
    "TextEvidence",
    "TextRegion",
    "UInt8",
    "VisionEvidence",
    "log_normalise",
    "regions_from_lines",
]

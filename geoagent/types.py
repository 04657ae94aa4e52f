"""The values that flow through geoagent.

All are frozen; arrays are cast, checked and made read-only when a value is made. Letters in shapes: N photos, C cells,
D embedding, M neighbours or candidates, K top cells, R text regions, P places of a constraint. Places are degrees, lat
then lon; probabilities over cells are natural logs whose exponentials sum to 1; boxes are pixels (x, y) of the upright
photo, y down, the only x, y in the package.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from geoagent.errors import ShapeError
from geoagent.evidence.scripts import evident_script, script_of
from geoagent.places.geo import Float, LatLon, check_latlon

Level = Literal["country", "admin1", "city"]
Precision = Literal["country", "region", "city", "full"]
PRECISIONS: tuple[Precision, ...] = ("country", "region", "city", "full")

UInt8 = NDArray[np.uint8]
Float32 = NDArray[np.float32]
Int = NDArray[np.int64]


def _freeze(owner: Any, name: str, value: ArrayLike, dtype: Any, shape: tuple[int | None, ...], letters: str) -> None:
    """Cast, check and lock one array field of a frozen value."""
    array = np.array(value, dtype=dtype)
    if array.ndim != len(shape) or any(
        want is not None and want != got for want, got in zip(shape, array.shape, strict=True)
    ):
        raise ShapeError(f"{type(owner).__name__}.{name}: expected {letters}, got shape {array.shape}")
    array.setflags(write=False)
    object.__setattr__(owner, name, array)


def log_normalise(log_weights: ArrayLike) -> Float:
    """Subtract the log of the sum of exponentials, so that the exponentials sum to 1.

    Raises:
        ShapeError: there is nothing to normalise, or no entry is finite.
    """
    x = np.asarray(log_weights, dtype=np.float64)
    top = x.max() if x.size else -np.inf
    if not np.isfinite(top):
        raise ShapeError("cannot normalise log weights: none of them is finite")
    return np.asarray(x - (top + np.log(np.exp(x - top).sum())), dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class Photo:
    """One upright photo.

    Attributes:
        pixels: `(H, W, 3)` uint8 RGB, EXIF orientation applied, possibly reduced.
        source: where it came from, as the user named it.
        exif_gps: the position that the file claims. Never evidence; shown beside the answer as a check.
        scale: pixels of the upright original per pixel here; 1 unless the photo was reduced on reading.
        warnings: what was odd about the file.
    """

    pixels: UInt8
    source: str = "array"
    exif_gps: LatLon | None = None
    scale: float = 1.0
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _freeze(self, "pixels", self.pixels, np.uint8, (None, None, 3), "(H, W, 3)")

    @property
    def width_px(self) -> int:
        """Width of `pixels`."""
        return int(self.pixels.shape[1])

    @property
    def height_px(self) -> int:
        """Height of `pixels`."""
        return int(self.pixels.shape[0])

    @property
    def original_px(self) -> tuple[int, int]:
        """Width and height of the upright original."""
        return round(self.width_px * self.scale), round(self.height_px * self.scale)


@dataclass(frozen=True, eq=False, slots=True)
class TextRegion:
    """One line of text in a photo.

    Attributes:
        text: as read, Unicode NFC.
        polygon_px: `(4, 2)` float32 corners in the upright original, clockwise from top-left; `(0, 2)` where the text
            came without a picture.
        confidence: the engine's own, in [0, 1].
        script: ISO 15924 code of most letters ("Latn", "Cyrl", "Jpan", …), "Zyyy" where there are none.
        script_is_evidence: whether the script is read surely enough to say something about the place.
        engine: engine and model that read it.
        panel: colour of what it is written on ("white", "green", "blue", …), "" where that is not known.
        band: colour of the strip at its left (the blue one of European plates), "blue above" for a blue strip over it
            (plates of Mercosur), "" where that is not known.
    """

    text: str
    polygon_px: Float32 = field(default_factory=lambda: np.zeros((0, 2), dtype=np.float32))
    confidence: float = 1.0
    script: str = "Zyyy"
    script_is_evidence: bool = False
    engine: str = "given"
    panel: str = ""
    band: str = ""

    def __post_init__(self) -> None:
        _freeze(self, "polygon_px", self.polygon_px, np.float32, (None, 2), "(4, 2) or (0, 2)")
        if len(self.polygon_px) not in (0, 4):
            raise ShapeError(f"TextRegion.polygon_px: expected (4, 2) or (0, 2), got shape {self.polygon_px.shape}")


@dataclass(frozen=True, slots=True)
class Place:
    """A named place.

    Attributes:
        name: its usual name.
        level: "country", "admin1" or "city".
        country: ISO 3166-1 alpha-2 code.
        latlon: where it is; for areas, a place inside that stands for it.
        admin1: GeoNames admin-1 code ("DE.07"), "" where none is known.
        admin1_name: the name of that unit.
        population: people, 0 where unknown.
    """

    name: str
    level: Level
    country: str
    latlon: LatLon
    admin1: str = ""
    admin1_name: str = ""
    population: int = 0

    def __str__(self) -> str:
        return ", ".join(dict.fromkeys(part for part in (self.name, self.admin1_name, self.country) if part))


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of region `region`: the text that a cue rests on."""

    region: int
    start: int
    end: int


@dataclass(frozen=True, eq=False, slots=True)
class Cue:
    """Something in the scene that speaks for places.

    Attributes:
        kind: "script", "language", "name", "phone", "domain", "postcode", "currency", "street", "company", "brand", ….
        value: what was seen, normalised ("+49 711", ".ch", "de").
        says: one sentence for a person.
        spans: the text that it rests on; at least one.
        countries: how likely such a cue is to be seen in each country (ISO code to weight > 0), relative; empty where
            the cue speaks through `places`. A country that is absent has `elsewhere`.
        inside: country to places in it, with weights that sum to at most 1: where in that country the cue is seen; the
            rest of the weight stays with the country as a whole.
        places: places that it names outright, with weights of their own (P(place | cue) up to a factor).
        elsewhere: weight of every country that `countries` does not list.
        strength: in (0, 1]: how clear the cue is of its kind (length of the match, exactness, OCR confidence).
    """

    kind: str
    value: str
    says: str
    spans: tuple[Span, ...]
    countries: Mapping[str, float] = field(default_factory=dict)
    inside: Mapping[str, tuple[tuple[Place, float], ...]] = field(default_factory=dict)
    places: tuple[tuple[Place, float], ...] = ()
    elsewhere: float = 0.0
    strength: float = 1.0

    @property
    def regions(self) -> tuple[int, ...]:
        """Indices of the regions that it rests on, ascending."""
        return tuple(sorted({span.region for span in self.spans}))


@dataclass(frozen=True, eq=False, slots=True)
class Constraint:
    """A soft statement: with probability `reliability`, the photo is in one of these places, with these weights.

    Attributes:
        id: unique in one answer.
        kind: the kind of cue that it comes from.
        value: what was seen.
        says: one sentence for a person.
        source: the constraint source that made it ("lexicon", "llm", "user").
        places: P places.
        weights: `(P,)` float64, not negative, sums to 1: P(place | cue) under the world's prior.
        reliability: in (0, 1).
        spans: the text that it rests on; empty for what a user said.
    """

    id: str
    kind: str
    value: str
    says: str
    source: str
    places: tuple[Place, ...]
    weights: Float
    reliability: float
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        _freeze(self, "weights", self.weights, np.float64, (len(self.places),), f"({len(self.places)},)")
        if not self.places:
            raise ShapeError(f"constraint {self.id}: needs at least one place")
        if (self.weights < 0).any() or not np.isclose(self.weights.sum(), 1.0, atol=1e-6):
            raise ShapeError(f"constraint {self.id}: weights must not be negative and must sum to 1")
        if not 0.0 < self.reliability < 1.0:
            raise ShapeError(f"constraint {self.id}: reliability must lie in (0, 1), got {self.reliability}")

    @property
    def rule(self) -> bool:
        """Whether the user rules all other places out by it, whatever the evidence says."""
        return self.source == "user" and self.kind in ("within", "not")

    @property
    def regions(self) -> tuple[int, ...]:
        """Indices of the regions that it rests on, ascending."""
        return tuple(sorted({span.region for span in self.spans}))


@dataclass(frozen=True, eq=False, slots=True)
class TextEvidence:
    """What the text half found."""

    regions: tuple[TextRegion, ...] = ()
    cues: tuple[Cue, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class VisionEvidence:
    """What the picture half found.

    Attributes:
        log_probs: `(C,)` float64, logsumexp 0.
        embedding: `(D,)` float32 of unit length, or None where no encoder looked.
        cells: fingerprint of the cells that `log_probs` is over.
        encoder: name of the encoder, or None where the world's prior stands in.
    """

    log_probs: Float
    cells: str
    embedding: Float32 | None = None
    encoder: str | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _freeze(self, "log_probs", self.log_probs, np.float64, (None,), "(C,)")
        if self.embedding is not None:
            _freeze(self, "embedding", self.embedding, np.float32, (None,), "(D,)")


@dataclass(frozen=True, eq=False, slots=True)
class Posterior:
    """Belief over cells.

    Attributes:
        log_probs: `(C,)` float64, logsumexp 0.
        base: `(C,)` float64: log probabilities before any constraint.
        contributions: constraint id to `(C,)` float64 nats; `log_probs = base + Σ contributions − log Z`.
        cells: fingerprint of the cells.
    """

    log_probs: Float
    base: Float
    contributions: Mapping[str, Float]
    cells: str

    def __post_init__(self) -> None:
        _freeze(self, "log_probs", self.log_probs, np.float64, (None,), "(C,)")
        _freeze(self, "base", self.base, np.float64, (len(self.log_probs),), f"({len(self.log_probs)},)")

    @property
    def probs(self) -> Float:
        """`(C,)` probabilities, sum 1."""
        return np.asarray(np.exp(self.log_probs), dtype=np.float64)


@dataclass(frozen=True, eq=False, slots=True)
class Candidates:
    """Exact places that compete for the answer inside the cells: neighbours, or places of the gazetteer.

    Attributes:
        latlon: `(M, 2)` degrees.
        cell: `(M,)` index of the cell that each lies in.
        log_weight: `(M,)` float64: log of each one's share *within its cell*, before the cell's own probability.
        similarity: `(M,)` float32 cosine to the photo's embedding; NaN where there is none.
        refs: M names of what each is ("Köln", or a photo's path); "" where it has none yet.
        kind: "neighbour" or "place".
        extent_km: `(M,)` how far photos typically are from each; 1 where not given.
    """

    latlon: Float
    cell: Int
    log_weight: Float
    similarity: Float32
    refs: tuple[str, ...]
    kind: Literal["neighbour", "place"] = "place"
    extent_km: Float = field(default_factory=lambda: np.zeros(0))

    def __post_init__(self) -> None:
        count = len(self.refs)
        if len(self.extent_km) != count:
            object.__setattr__(self, "extent_km", np.ones(count))
        _freeze(self, "extent_km", self.extent_km, np.float64, (count,), f"({count},)")
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        _freeze(self, "latlon", self.latlon, np.float64, (count, 2), f"({count}, 2)")
        _freeze(self, "cell", self.cell, np.int64, (count,), f"({count},)")
        _freeze(self, "log_weight", self.log_weight, np.float64, (count,), f"({count},)")
        _freeze(self, "similarity", self.similarity, np.float32, (count,), f"({count},)")

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def named(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """`(M,)` which of them are cities that the text names: they have a name and were not seen."""
        return np.array([bool(ref) for ref in self.refs], dtype=bool) & np.isnan(self.similarity)


def regions_from_lines(lines: Iterable[str]) -> tuple[TextRegion, ...]:
    """Text regions for lines that came without a picture, with their scripts."""
    return tuple(TextRegion(t, script=script_of(t), script_is_evidence=evident_script(t, 1.0)) for t in lines)

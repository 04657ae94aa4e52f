"""Evidence of one photo, and what is believed because of it: over geocells, and over exact places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from geoagent.places.geo import Float, check_latlon
from geoagent.types.arrays import Float32, Int, freeze
from geoagent.types.constraint import Constraint, Cue
from geoagent.types.photo import TextRegion

Precision = Literal["country", "region", "city", "full"]
PRECISIONS: tuple[Precision, ...] = ("country", "region", "city", "full")


@dataclass(frozen=True, eq=False, slots=True)
class TextEvidence:
    """What the text half found.

    Attributes:
        regions: lines that were read.
        unread: places with text that could not be read, never evidence.
    """

    regions: tuple[TextRegion, ...] = ()
    cues: tuple[Cue, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    warnings: tuple[str, ...] = ()
    unread: tuple[TextRegion, ...] = ()


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
        freeze(self, "log_probs", self.log_probs, np.float64, (None,), "(C,)")
        if self.embedding is not None:
            freeze(self, "embedding", self.embedding, np.float32, (None,), "(D,)")


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
        freeze(self, "log_probs", self.log_probs, np.float64, (None,), "(C,)")
        freeze(self, "base", self.base, np.float64, (len(self.log_probs),), f"({len(self.log_probs)},)")

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
        freeze(self, "extent_km", self.extent_km, np.float64, (count,), f"({count},)")
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        freeze(self, "latlon", self.latlon, np.float64, (count, 2), f"({count}, 2)")
        freeze(self, "cell", self.cell, np.int64, (count,), f"({count},)")
        freeze(self, "log_weight", self.log_weight, np.float64, (count,), f"({count},)")
        freeze(self, "similarity", self.similarity, np.float32, (count,), f"({count},)")

    def __len__(self) -> int:
        return len(self.refs)

    @property
    def named(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """`(M,)` which of them are cities that the text names: they have a name and were not seen."""
        return np.array([bool(ref) for ref in self.refs], dtype=bool) & np.isnan(self.similarity)

"""Clusters of a gallery's photos inside the geocells."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from geoagent.errors import ShapeError, WorldError
from geoagent.places.geo import Float, check_latlon
from geoagent.types import Float32, Int
from geoagent.worlds.gallery.store import FOLDER

_PROTOTYPES = "prototypes.npz"


@dataclass(frozen=True, eq=False, slots=True)
class Prototypes:
    """Clusters of gallery photos inside the cells (PIGEON, Haas et al. 2024, section 3.4).

    Attributes:
        mean: `(P, D)` float32: mean of the members' gallery rows; not normalised.
        cell: `(P,)` the cell of each cluster, ascending.
        latlon: `(P, 2)` degrees: spherical mean of the members' places.
        member: gallery rows of all clusters, one cluster after the other.
        start: `(P + 1,)`; cluster p owns `member[start[p]:start[p + 1]]`.
    """

    mean: Float32
    cell: Int
    latlon: Float
    member: Int
    start: Int

    def __post_init__(self) -> None:
        for name, dtype in (("mean", np.float32), ("cell", np.int64), ("member", np.int64), ("start", np.int64)):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=dtype))
        object.__setattr__(self, "latlon", check_latlon(np.asarray(self.latlon, dtype=np.float64).reshape(-1, 2)))
        count = len(self.mean)
        if self.mean.ndim != 2 or len(self.cell) != count or len(self.latlon) != count or len(self.start) != count + 1:
            raise ShapeError(
                f"Prototypes: expected (P, D), (P,), (P, 2) and (P + 1,), got {self.mean.shape}, {self.cell.shape}, "
                f"{self.latlon.shape} and {self.start.shape}"
            )
        if int(self.start[0]) != 0 or int(self.start[-1]) != len(self.member) or (np.diff(self.start) < 1).any():
            raise ShapeError("Prototypes.start: every cluster needs at least one member, and all members one cluster")
        if (np.diff(self.cell) < 0).any():
            raise ShapeError("Prototypes.cell: expected cells in ascending order")

    def __len__(self) -> int:
        return len(self.mean)

    def save(self, folder: Path, cells: str) -> None:
        """Write the prototypes into the world folder `folder`, next to its gallery."""
        np.savez_compressed(
            folder / FOLDER / _PROTOTYPES,
            cells=np.str_(cells),
            mean=self.mean,
            cell=self.cell.astype(np.int32),
            latlon=self.latlon,
            member=self.member.astype(np.int32),
            start=self.start,
        )

    @classmethod
    def load(cls, folder: Path, cells: str) -> Prototypes | None:
        """Read the prototypes of a world folder; None if it has none.

        Raises:
            WorldError: the file is damaged, or was made for other geocells.
        """
        path = folder / FOLDER / _PROTOTYPES
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as data:
                made_for = str(data["cells"])
                found = cls(*(data[name] for name in ("mean", "cell", "latlon", "member", "start")))
        except (OSError, ValueError, KeyError, EOFError) as error:
            raise WorldError(f"{path} is damaged: {error}") from error
        if made_for != cells:
            raise WorldError(f"{path} was made for geocells {made_for}, these are {cells}")
        return found

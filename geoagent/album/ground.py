"""The geocells below an album's places: prior mass and likelihood of each state."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from geoagent.album.places import SCALES_KM, WIDE, Places, shells
from geoagent.places.geo import Float, from_unit, great_circle_km
from geoagent.types import Float32, Int
from geoagent.worlds.world import World


class Ground:
    """Geocells below some places.

    Args:
        places: V places.
        world: cells and prior.
    """

    def __init__(self, places: Places, world: World) -> None:
        self._places, self._world = places, world

    @cached_property
    def cell(self) -> Int:
        """`(V,)` the cell that each place lies in."""
        return self._world.cells.assign(self._places.latlon)

    @cached_property
    def shell_cells(self) -> Int:
        """`(V, W, P)` the cells of the points that stand for the wide states (`places.shells`)."""
        points, shares = shells(self._places.unit[:, None], self._places.scale_km[:, WIDE:])
        return self._world.cells.assign(from_unit(points).reshape(-1, 2)).reshape(shares.shape)

    @cached_property
    def density(self) -> Float:
        """`(V, S)` prior density of photos, per km², in each state."""
        scale, support = self._places.scale_km, self._world.support
        order, start = self._world.support_of_cell
        found = np.zeros(scale.shape)
        for v, cell in enumerate(self.cell.tolist()):
            rows = order[start[cell] : start[cell + 1]]
            km = great_circle_km(self._world.support_unit[rows], self._places.unit[v])
            square = scale[v, :WIDE, None] ** 2 + support.extent_km[rows] ** 2
            mass = self._world.prior[cell] * self._world.support_share[rows]
            found[v, :WIDE] = (mass * np.exp(-(km**2) / (2 * square)) / (2 * np.pi * square)).sum(axis=1)
        for s, window in enumerate(self._windows, start=WIDE):
            found[:, s] = (window @ self._world.prior) / (2 * np.pi * scale[:, s] ** 2)
        return found

    def likelihood(self, log_ratio: Float, rows: Int) -> Float:
        """Mean likelihood in each state of K places, `(K · S + 1,)`; the last is anywhere else.

        Args:
            log_ratio: `(C,)` log of posterior over prior.
            rows: the places.
        """
        prior, ratio = self._world.prior, np.exp(log_ratio)
        found = np.repeat(ratio[self.cell[rows], None], self._places.scale_km.shape[1], axis=1)
        outside = np.ones(len(prior))
        for s, window in enumerate(self._windows, start=WIDE):
            near = window[rows]
            found[:, s] = (near @ (prior * ratio)) / np.maximum(near @ prior, 1e-30)
            outside = np.minimum(outside, 1.0 - near.max(axis=0, initial=0.0))
        outside[self.cell[rows]] = 0.0
        rest = outside * prior
        return np.append(found.ravel(), max(float(rest @ ratio), 1e-9) / max(float(rest.sum()), 1e-9))

    @cached_property
    def _windows(self) -> list[Float32]:
        """For each wide scale, the weight of every cell around each place, `(V, C)`."""
        km = great_circle_km(self._places.unit, self._world.cells.unit.T)
        found = []
        for s in range(WIDE, len(SCALES_KM)):
            square = km**2 / (2 * self._places.scale_km[:, s, None] ** 2)
            window = np.exp(-square) * -np.expm1(-4 * square)  # a ring: what lies at the place is its finest state's
            window[:, np.unique(self.cell)] = 0.0  # and what lies at any place of the album is that one's
            found.append(window.astype(np.float32))
        return found

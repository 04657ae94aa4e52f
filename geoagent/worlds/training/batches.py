"""Batches of places for training: from memory, or read and labelled while the last batch is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from geoagent.types import Float32, Int
from geoagent.worlds.training.group import Group
from geoagent.worlds.training.labels import Labels
from geoagent.worlds.training.views import Rows, mean_view

Targets = Float32 | Labels
"""Soft labels `(N, C)`: an array, or made when asked for."""
_BLOCK = 4096  # validation rows that are judged at once


class Data:
    """Places with labels on the device of a training, and this process's part of each batch.

    Attributes:
        count: N, number of places.
        dim: D.
        cells: C.
        val: `(2n, D)` centred: one view and all of each validation place, as the head is used.
    """

    def __init__(
        self,
        torch: Any,
        device: Any,
        views: Rows,
        targets: Targets,
        val: Float32,
        val_targets: Targets,
        mean: Float32,
        group: Group,
    ) -> None:
        self.torch, self.device, self.group = torch, device, group
        self.count, self.dim, self.cells = len(views), views.shape[2], targets.shape[1]
        self._views, self._targets = self._held(views), self._held(targets)
        self.mean = torch.as_tensor(mean, device=device)
        both = np.concatenate([val[:, 0], mean_view(val)])
        self.val = self.centred(torch.as_tensor(both, device=device))
        self._val_targets = self._held(val_targets)
        self._member: Any = None
        self._true: Any = None

    def _held(self, rows: Any) -> Any:
        """Arrays as tensors on the device; anything else as it is."""
        return self.torch.as_tensor(rows, device=self.device) if isinstance(rows, np.ndarray) else rows

    def _rows(self, held: Any, rows: Any) -> Any:
        if isinstance(held, self.torch.Tensor):
            return held[rows.to(held.device)]
        return self.torch.as_tensor(held[rows.numpy()], device=self.device)

    def add_countries(self, country: Int, true_country: Int) -> None:
        """The cells of each country, and the country of each place."""
        member = np.zeros((int(country.max()) + 1, len(country)), dtype=np.float32)
        member[country, np.arange(len(country))] = 1.0
        self._member = self._held(member)
        self._true = self._held(true_country)

    def part(self, count: int) -> slice:
        """This process's rows of a batch of `count`."""
        return self.group.part(count)

    def share(self, count: int) -> float:
        """This process's share of a batch of `count`."""
        part = self.part(count)
        return float((part.stop - part.start) / count)

    def batches(self, batches: Sequence[Any]) -> Iterator[tuple[Any, Any, Any]]:
        """This process's part of each batch: views `(b, V, D)`, targets `(b, C)`, true countries `(b,)` or None.

        Args:
            batches: rows of each, tensors on the CPU.
        """

        def read(rows: Any) -> tuple[Any, Any, Any]:
            mine = rows[self.part(len(rows))]
            true = None if self._true is None else self._rows(self._true, mine)
            return self._rows(self._views, mine), self._rows(self._targets, mine), true

        if all(isinstance(held, self.torch.Tensor) for held in (self._views, self._targets)):
            yield from map(read, batches)
            return
        with ThreadPoolExecutor(1) as reader:  # reads and labels the next batch while this one is computed
            coming = reader.submit(read, batches[0]) if len(batches) else None
            for following in [*batches[1:], None]:
                assert coming is not None
                found = coming.result()
                coming = None if following is None else reader.submit(read, following)
                yield found

    def loss(self, log_p: Any, targets: Any, true_country: Any, weight: float) -> Any:
        """Cross entropy with the soft targets, and with the true countries, whose borders smoothing ignores."""
        cells = -(targets * log_p).sum(1).mean()
        if true_country is None:
            return cells
        mass = (log_p.exp() * self._member[true_country]).sum(1)
        return cells - weight * self.torch.log(mass + 1e-9).mean()

    def validation(self) -> Iterator[tuple[Any, Any]]:
        """This process's part of the validation rows, centred `(b, D)`, and their targets, block by block."""
        part, places = self.part(len(self.val)), len(self.val) // 2
        for begin in range(part.start, part.stop, _BLOCK):
            rows = self.torch.arange(begin, min(begin + _BLOCK, part.stop))
            yield self.val[begin : begin + len(rows)], self._rows(self._val_targets, rows % places)

    def total(self, number: float) -> float:
        """The sum of each process's number."""
        if self.group.size == 1:
            return number
        kind = self.torch.float64 if self.device.type != "mps" else self.torch.float32
        return float(self.group.total(self.torch, self.torch.tensor(number, dtype=kind, device=self.device)))

    def centred(self, x: Any) -> Any:
        """Rows minus the mean of all, of unit length."""
        return self.torch.nn.functional.normalize(x - self.mean, dim=1)

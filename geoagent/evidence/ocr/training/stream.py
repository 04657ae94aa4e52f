"""Batches from worker processes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

from geoagent.evidence.ocr.training.material import Material
from geoagent.evidence.ocr.training.samples import Batch, Batches, Sampler
from geoagent.optional import needs

with needs("reader", "torch"):
    import torch
    from torch import multiprocessing
    from torch.utils import data

_READY = 2  # batches that each worker keeps ready
_APART = 1000  # between the seeds of two workers


class Stream:
    """An endless run of batches.

    The same seed and number of workers make the same run until `harden`, which reaches workers between two batches.

    Args:
        material: what the lines are made of.
        lines: lines of 240 px in a batch.
        seed: of everything random.
        workers: processes that draw; 0 to draw in this one.
        easy: begin with clean, short lines.
    """

    def __init__(self, material: Material, lines: int, seed: int, workers: int, easy: bool) -> None:
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else None)
        self._easy = context.Value("i", int(easy))
        drawn = _Drawn(material, lines, seed, self._easy)
        self._batches: Iterator[Batch] = iter(drawn)
        if workers > 0:
            loader = data.DataLoader(
                drawn,
                batch_size=None,
                num_workers=workers,
                prefetch_factor=_READY,
                multiprocessing_context=context,
                worker_init_fn=_ignore_interrupt,
                collate_fn=_as_is,
            )
            self._batches = iter(loader)

    def __next__(self) -> Batch:
        return next(self._batches)

    def harden(self) -> None:
        """Draw damaged lines from now on; batches that are ready come first."""
        self._easy.value = 0


class _Drawn(data.IterableDataset):  # type: ignore[misc]
    def __init__(self, material: Material, lines: int, seed: int, easy: Any) -> None:
        self.material, self.lines, self.seed, self.easy = material, lines, seed, easy

    def __iter__(self) -> Iterator[Batch]:
        import cv2

        worker = data.get_worker_info()
        if worker is not None:
            torch.set_num_threads(1)
            cv2.setNumThreads(0)
        seed = self.seed + _APART * (worker.id if worker is not None else 0)
        batches = Batches(Sampler(self.material, seed), self.lines, seed)
        while True:
            yield batches.draw(easy=bool(self.easy.value))


def _ignore_interrupt(_: int) -> None:
    """Leave Ctrl-C to the process that trains, which saves and then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_is(batch: Batch) -> Batch:
    return batch

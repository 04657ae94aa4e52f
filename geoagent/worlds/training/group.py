"""Several processes that train one model together, as `torchrun` starts them.

Every process draws the same random numbers and the same batches; of each batch it computes its own part. Gradients are
averaged by torch's `DistributedDataParallel`, so that all hold the same model, which is that of a single process up to
the order of sums.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from geoagent.errors import ConfigError, GeoAgentError
from geoagent.optional import needs

T = TypeVar("T")

DEVICES = ("auto", "cpu", "cuda", "mps")
"""Where a model may be trained; "auto" is a CUDA GPU if there is one, else the CPU."""
_PATIENCE = timedelta(hours=12)  # for the first process, which makes the geocells while the others wait
_BROKEN = ("connection closed", "connection reset", "broken pipe", "gloo", "nccl", "processgroup", "tcpstore")


@dataclass(frozen=True, slots=True)
class Group:
    """This process among those that train together.

    Attributes:
        rank: number of this process, from 0.
        size: number of processes.
        local: number of this process on its machine, which is the number of its GPU.
    """

    rank: int = 0
    size: int = 1
    local: int = 0

    @property
    def first(self) -> bool:
        """Whether this is the process that writes files and shows progress."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """Return this process's rows of a batch of `count`; parts differ by at most one row."""
        return slice(count * self.rank // self.size, count * (self.rank + 1) // self.size)

    def device(self, torch: Any, wanted: str) -> str:
        """Resolve a device's name for this process: `pick_device`, with the number of its GPU."""
        found = pick_device(torch, wanted)
        return f"cuda:{self.local}" if found == "cuda" and self.size > 1 else found

    def wrapped(self, torch: Any, module: Any) -> Any:
        """Return the module so that its gradients are averaged over all processes; a single process's unchanged."""
        if self.size == 1:
            return module
        return torch.nn.parallel.DistributedDataParallel(module)

    def total(self, torch: Any, tensor: Any) -> Any:
        """Sum a tensor over all processes, in place, and return it."""
        if self.size > 1:
            torch.distributed.all_reduce(tensor)
        return tensor

    def given(self, make: Callable[[], T]) -> T:
        """Return what the first process makes; the others receive it."""
        if self.size == 1:
            return make()
        import torch.distributed as dist

        box: list[Any] = [make() if self.first else None]
        dist.broadcast_object_list(box)
        return box[0]  # type: ignore[no-any-return]

    def in_turn(self, make: Callable[[], T]) -> T:
        """Let the first process make something, then the others, who find what it left in a cache."""
        if self.size == 1:
            return make()
        import torch.distributed as dist

        made = make() if self.first else None
        dist.barrier()
        return made if made is not None else make()


def pick_device(torch: Any, wanted: str) -> str:
    """Resolve the training device: as requested, or a CUDA GPU if available.

    Raises:
        ConfigError: no such device, or torch sees none.
    """
    kind = wanted.partition(":")[0]
    if kind not in DEVICES:
        raise ConfigError(f"device must be one of {', '.join(DEVICES)}; got {wanted!r}")
    if wanted == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[kind]:
        raise ConfigError(f"device {wanted!r} was asked for, but torch sees none; use auto or cpu")
    return wanted


@contextmanager
def together(device: str = "auto") -> Iterator[Group]:
    """Join the processes that `torchrun` started with this one, if it did: over NCCL on GPUs, else over gloo.

    Args:
        device: where the model is trained; see `DEVICES`.

    Raises:
        ConfigError: a device that cannot be used, or fewer GPUs than processes.
        GeoAgentError: another process ended early.
        MissingDependency: torch is not installed.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size < 2 or "RANK" not in os.environ:
        yield Group()
        return
    with needs("train", "torch"):
        import torch
    group = Group(int(os.environ["RANK"]), size, int(os.environ.get("LOCAL_RANK", "0")))
    kind = pick_device(torch, device)
    if kind == "mps":
        raise ConfigError("several processes cannot share an mps device; use --device cpu, or one process")
    if kind == "cuda":
        if group.local >= torch.cuda.device_count():
            raise ConfigError(f"{torch.cuda.device_count()} GPUs for more processes; use --nproc-per-node with fewer")
        torch.cuda.set_device(group.local)
    try:
        torch.distributed.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=_PATIENCE)
        yield group
        torch.distributed.barrier()  # one that leaves while another still talks to it may be aborted
        torch.distributed.destroy_process_group()
    except GeoAgentError:
        raise
    except RuntimeError as error:
        if not any(word in str(error).lower() for word in _BROKEN):
            raise
        raise GeoAgentError("another process of this training ended early; its own message says why") from error

"""One network while it learns: its optimiser, the running mean of its weights, and single steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from geoagent.evidence.ocr.training.network import Checkpoint, Reader, Shape
from geoagent.evidence.ocr.training.samples import Batch
from geoagent.optional import needs
from geoagent.types import Float32, UInt8

with needs("reader", "torch"):
    import torch
    from torch.nn import functional, utils

_WEIGHT_DECAY, _BETAS, _CLIP = 0.05, (0.9, 0.98), 2.0
_MEAN_FROM, _MEAN_MOST = 50, 0.9995  # first step of the running mean, and the most it keeps at one step


class Learner:
    """A network in training.

    Args:
        start: weights, characters and shape.
        device: "cpu" or "cuda".
    """

    def __init__(self, start: Checkpoint, device: str) -> None:
        self.characters, self.shape, self.lines = start.characters, start.shape, start.lines
        self.device = torch.device(device)
        self.steps = 0
        self._fast = self.device.type == "cuda"
        self.net = start.network().to(self.device).to(memory_format=torch.channels_last)
        self._mean = {k: v.detach().clone() for k, v in self.net.state_dict().items()}
        every = list(self.net.parameters())
        heavy = [p for p in every if p.ndim > 1 and p.numel() > 512]
        light = [p for p in every if not (p.ndim > 1 and p.numel() > 512)]
        groups = [{"params": heavy, "weight_decay": _WEIGHT_DECAY}, {"params": light, "weight_decay": 0.0}]
        self._optimiser = torch.optim.AdamW(groups, betas=_BETAS, fused=self._fast)

    @classmethod
    def new(cls, characters: tuple[str, ...], shape: Shape, device: str, seed: int) -> Learner:
        """Start from random weights."""
        torch.manual_seed(seed)
        net = Reader(len(characters) + 1, shape)
        return cls(Checkpoint(net.state_dict(), characters, shape), device)

    def step(self, batch: Batch, rate: float) -> float:
        """Learn from one batch.

        Args:
            batch: new lines, or such as `blurred_again` returns.
            rate: learning rate.

        Returns:
            The CTC loss, mean over the batch, each line's divided by the length of its label.
        """
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        lines = self._scaled(batch.images)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._fast):
            scores = self.net(lines)
        likely = scores.float().log_softmax(-1).transpose(0, 1)
        steps = torch.full((len(batch.images),), likely.shape[0], dtype=torch.long)
        labels, lengths = torch.from_numpy(batch.labels).to(self.device), torch.from_numpy(batch.lengths)
        loss = functional.ctc_loss(likely, labels, steps, lengths, zero_infinity=True)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        utils.clip_grad_norm_(self.net.parameters(), _CLIP)
        self._optimiser.step()
        self._follow()
        self.steps += 1
        self.lines += len(batch.images)
        return float(loss.detach())

    def checkpoint(self) -> Checkpoint:
        """Return the running mean of the weights, on the CPU."""
        return Checkpoint({k: v.to("cpu") for k, v in self._mean.items()}, self.characters, self.shape, self.lines)

    def _follow(self) -> None:
        keep = min(_MEAN_MOST, self.steps / (self.steps + 60)) if self.steps > _MEAN_FROM else 0.0
        with torch.no_grad():
            for name, value in self.net.state_dict().items():
                if value.is_floating_point():
                    self._mean[name].lerp_(value, 1 - keep)

    def _scaled(self, images: UInt8) -> Any:
        return scaled(images, self.device).to(memory_format=torch.channels_last)


def scaled(images: UInt8, device: Any = "cpu") -> Any:
    """Return lines `(B, 48, W)` as the network takes them: `(B, 1, 48, W)` in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device).float()[:, None] / 127.5 - 1


def probabilities(net: Reader, images: UInt8, device: Any = "cpu") -> Float32:
    """Read a batch of lines.

    Args:
        net: in evaluation mode.
        images: `(B, 48, W)` grey.
        device: of the network.

    Returns:
        `(B, W / 4, K)`.
    """
    with torch.no_grad():
        found = torch.softmax(net(scaled(images, device)).float(), -1)
    return np.asarray(found.cpu().numpy(), dtype=np.float32)


def blurred_again(batch: Batch, rng: np.random.Generator) -> Batch:
    """Return a batch seen before with other noise, contrast and polarity: for when new lines are not ready yet."""
    each = (len(batch.images), 1, 1)
    lines = batch.images.astype(np.float32) / 127.5 - 1
    lines *= rng.choice(np.array([-1, 1], dtype=np.float32), each)
    lines = (lines + rng.normal(0, 0.1, each)) * rng.uniform(0.6, 1.2, each)
    lines = np.clip(lines + rng.standard_normal(lines.shape, dtype=np.float32) * rng.uniform(0, 0.08, each), -1, 1)
    return Batch(((lines + 1) * 127.5).astype(np.uint8), batch.labels, batch.lengths)


def rates(part: float, step: int, most: float, shares: Sequence[float] = (300, 0.1)) -> float:
    """Return the learning rate: a rise over the first steps, or a tenth of the run if that is less, and half a cosine.

    Args:
        part: of the run that is over, in [0, 1].
        step: steps done.
        most: the peak.
        shares: steps of the rise, and the share of the run that it takes at most.
    """
    rise = min(1.0, max((step + 1) / shares[0], part / shares[1]))
    return most * rise * float(0.5 + 0.5 * np.cos(np.pi * min(part, 1.0))) + 1e-6

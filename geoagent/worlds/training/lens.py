"""Training the lens, a projection in which photos taken near each other are near.

Neighbourhood component analysis (Goldberger et al. 2004) with haversine-smoothed targets: of all other training places
j, the model assigns the share softmax(s · cos(zᵢ, zⱼ)) for place i, and the target is ∝ exp(−d(xᵢ, xⱼ) / τ), d the
great-circle distance. It is the classifier's loss with every training place as its own cell, so it resolves places
within geocells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from geoagent.errors import ConfigError
from geoagent.optional import needs
from geoagent.places.geo import Float, haversine_km
from geoagent.types import Float32, Int
from geoagent.worlds.lens import Lens, unit_rows
from geoagent.worlds.training.head import Progress, pick_device
from geoagent.worlds.training.views import centre, draw_views, mean_view

_NEAR = 128  # nearest places in a target; exp(−d/τ) of the others is negligible
_WHOLE = 1 << 15  # up to this many places are compared at each step; more are sampled
_REFRESH = 15  # steps between re-embeddings of the gallery
_LEAST_STEPS = 40
_HELD_OUT = 1000  # held-out places on which the lens is evaluated
_GAIN = 0.01  # least improvement, nats, for the lens to be kept
_SCALES = (0.0, 5.0, 12.0, 25.0)  # of cosines, when the lens is compared with no lens


@dataclass(frozen=True, slots=True)
class LensSettings:
    """Settings for training a lens.

    Attributes:
        dims: Q, dimension of gallery embeddings; 0 for no lens.
        hidden: units of the hidden layer.
        epochs: passes over all places.
        batch: places per step.
        tau_km: scale of the smoothing; places this close count as the same.
        dropout: share of hidden units dropped per step.
        learning_rate: peak of the cosine schedule.
        weight_decay: of AdamW.
        scale: initial s; it is learned.
    """

    dims: int = 256
    hidden: int = 1024
    epochs: int = 6
    batch: int = 512
    tau_km: float = 30.0
    dropout: float = 0.3
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    scale: float = 16.0

    def __post_init__(self) -> None:
        for name in ("hidden", "epochs", "batch", "tau_km", "learning_rate", "scale"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"lens: {name} must be positive, got {getattr(self, name)}")
        if self.dims < 0 or not 0 <= self.dropout < 1 or self.weight_decay < 0:
            raise ConfigError("lens: dims and weight_decay must not be negative, dropout must lie in [0, 1)")


def train_lens(
    views: Float32,
    latlon: Float,
    val_views: Float32,
    val_latlon: Float,
    *,
    settings: LensSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
) -> tuple[Lens | None, dict[str, float]]:
    """Train a lens, and keep it only if it retrieves the neighbours of held-out places better than no lens.

    Args:
        views: `(N, V, D)` unit rows.
        latlon: `(N, 2)` degrees.
        val_views: `(n, V', D)` of held-out places.
        val_latlon: `(n, 2)`.
        settings: training settings.
        seed: random seed.
        device: see `HeadSettings`.
        progress: see `Progress`.

    Returns:
        The lens, or None if comparing centred embeddings is as good, and both losses on the held-out places, nats.

    Raises:
        MissingDependency: torch or scikit-learn is not installed.
    """
    how = settings or LensSettings()
    with needs("train", "torch"):
        import torch
    device = pick_device(torch, device)
    mean = centre(views)
    near, target, weight = _targets(latlon, latlon, how.tau_km, itself=True)
    if not weight.any():
        return None, {}
    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(seed)
    count, dim = len(views), views.shape[2]
    net = _Net(torch, dim, how, generator, device)
    rows_all = torch.as_tensor(views, device=device)
    middle = torch.as_tensor(mean, device=device)
    near_t, target_t, weight_t = (torch.as_tensor(a, device=device) for a in (near, target, weight))
    batch = min(how.batch, count)
    per_epoch = max(count // batch, -(-_LEAST_STEPS // how.epochs))
    optimiser = torch.optim.AdamW(net.parameters, lr=how.learning_rate, weight_decay=how.weight_decay, fused=True)
    total = how.epochs * per_epoch
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, how.learning_rate, total_steps=total + 1, pct_start=0.1, anneal_strategy="cos"
    )

    def look(x: Any, train: bool) -> Any:
        return net(functional.normalize(x - middle, dim=1), train)

    gallery: Any = None
    order = torch.randperm(count, generator=generator)
    for step in range(total):
        if step % _REFRESH == 0:
            with torch.no_grad():
                parts = [look(draw_views(torch, part, generator), False) for part in rows_all.split(4096)]
            gallery = torch.cat(parts)
        begin = step % (count // batch) * batch
        if begin == 0:
            order = torch.randperm(count, generator=generator)
        rows = order[begin : begin + batch].to(rows_all.device)
        z = look(draw_views(torch, rows_all[rows], generator), True)
        some = torch.randperm(count, generator=generator)[:_WHOLE].to(rows.device) if count > _WHOLE else None
        with torch.no_grad():
            pull = functional.embedding_bag(near_t[rows], gallery, per_sample_weights=target_t[rows], mode="sum")
            push = _expected(torch, z, net.log_scale.exp(), gallery, rows, some)
            # Hand-written gradient of the cross entropy by s·z: keeps one matrix over all places instead of five.
            slope = (push - pull) * net.log_scale.exp() * weight_t[rows, None] / len(rows)
        loss = (z * slope).sum() + net.log_scale * (z.detach() * slope).sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
        if progress is not None and (step + 1) % per_epoch == 0:
            progress("training the lens", (step + 1) // per_epoch, how.epochs)
    lens = net.lens(mean)
    losses = _held_out(lens, mean, views, latlon, val_views, val_latlon, how.tau_km)
    return (lens if losses["lens_loss"] < losses["plain_loss"] - _GAIN else None), losses


def _expected(torch: Any, z: Any, scale: Any, gallery: Any, rows: Any, some: Any) -> Any:
    """Mean of the gallery under softmax(s · cos) excluding the rows themselves, `(B, D)`; over `some` rows, or all."""
    others = gallery if some is None else gallery[some]
    logits = (z * scale) @ others.T
    if some is None:
        logits.scatter_(1, rows[:, None], -torch.inf)
    else:
        logits.masked_fill_(some == rows[:, None], -torch.inf)
    return torch.softmax(logits, 1) @ others


class _Net:
    """The lens as tensors, initialised from our generator, so the global seed is untouched."""

    def __init__(self, torch: Any, dim: int, how: LensSettings, generator: Any, device: str) -> None:
        self._torch, self._drop, self._generator, self._dim = torch, how.dropout, generator, dim

        def made(*shape: int, inputs: int) -> Any:
            drawn = (torch.rand(*shape, generator=generator) * 2 - 1) / float(np.sqrt(inputs))
            return torch.nn.Parameter(drawn.to(device))

        self.hidden_weight, self.hidden_bias = made(how.hidden, dim, inputs=dim), made(how.hidden, inputs=dim)
        self.weight, self.bias = made(how.dims, how.hidden, inputs=how.hidden), made(how.dims, inputs=how.hidden)
        self.skip = made(how.dims, dim, inputs=dim)
        self.log_scale = torch.nn.Parameter(torch.tensor(float(np.log(how.scale)), device=device))
        self.parameters = [self.hidden_weight, self.hidden_bias, self.weight, self.bias, self.skip, self.log_scale]

    def __call__(self, x: Any, train: bool) -> Any:
        functional = self._torch.nn.functional
        x = x * float(np.sqrt(self._dim))  # unit rows have entries of 1 / √D; layers are initialised for entries of 1
        h = functional.gelu(x @ self.hidden_weight.T + self.hidden_bias, approximate="tanh")
        if train and self._drop:
            keep = self._torch.rand(h.shape, generator=self._generator).to(h) >= self._drop
            h = h * keep / (1.0 - self._drop)
        return functional.normalize(h @ self.weight.T + self.bias + x @ self.skip.T, dim=1)

    def lens(self, mean: Float32) -> Lens:
        """Export as arrays that accept unit rows."""
        arrays = {n: getattr(self, n).detach().cpu().numpy() for n in ("hidden_bias", "weight", "bias")}
        scaled = {n: getattr(self, n).detach().cpu().numpy() * np.sqrt(self._dim) for n in ("hidden_weight", "skip")}
        return Lens(mean=mean, **arrays, **scaled)


def _targets(latlon: Float, others: Float, tau_km: float, *, itself: bool) -> tuple[Int, Float32, Float32]:
    """For each place, its nearest others `(N, k)`, their shares of the target `(N, k)`, and its weight `(N,)`.

    A place with no neighbours nearby has nothing to learn from, so weights grow with the mass around a place, up to 1.
    """
    with needs("train", "sklearn"):
        from sklearn.neighbors import BallTree
    tree = BallTree(np.radians(others), metric="haversine")
    near = tree.query(np.radians(latlon), k=min(_NEAR, len(others)), return_distance=False).astype(np.int64)
    share = np.exp(-haversine_km(latlon[:, None, :], others[near]) / tau_km)
    if itself:
        share[near == np.arange(len(latlon))[:, None]] = 0.0
    weight = share.sum(axis=1)
    share = share / np.maximum(weight, 1e-12)[:, None]
    return near, share.astype(np.float32), np.minimum(weight, 1.0).astype(np.float32)


def _held_out(
    lens: Lens, mean: Float32, views: Float32, latlon: Float, val_views: Float32, val_latlon: Float, tau_km: float
) -> dict[str, float]:
    """Loss on held-out places with and without the lens, each at its best scale; nats."""
    chosen = np.linspace(0, len(val_views) - 1, min(_HELD_OUT, len(val_views))).astype(np.int64)
    val_views = val_views[chosen]
    near, target, weight = _targets(val_latlon[chosen], latlon, tau_km, itself=False)
    if not weight.any():
        return {"lens_loss": 0.0, "plain_loss": 0.0}

    known, asked = mean_view(views), mean_view(val_views)

    def loss(see: Any) -> float:
        gallery, found = see(known), np.zeros(len(_SCALES))
        for begin in range(0, len(asked), 256):
            part = slice(begin, begin + 256)
            cosine = see(asked[part]) @ gallery.T
            to_near = (target[part] * np.take_along_axis(cosine, near[part], 1)).sum(axis=1)
            for i, scale in enumerate(_SCALES):
                total = np.log(np.exp(scale * (cosine - 1.0)).sum(axis=1)) + scale
                found[i] += float(((total - scale * to_near) * weight[part]).sum())
        return float(found.min() / weight.sum())

    return {"lens_loss": round(loss(lens), 4), "plain_loss": round(loss(lambda x: unit_rows(x - mean)), 4)}

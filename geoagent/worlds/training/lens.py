"""Training the lens, a projection in which photos taken near each other are near.

Neighbourhood component analysis (Goldberger et al. 2004) with haversine-smoothed targets: of all other training places
j, the model assigns the share softmax(s · cos(zᵢ, zⱼ)) for place i, and the target is ∝ exp(−d(xᵢ, xⱼ) / τ), d the
great-circle distance. It is the classifier's loss with every training place as its own cell, so it resolves places
within geocells.

Of very many places each epoch draws its own sample, so that time and memory stop growing with their number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from geoagent.errors import ConfigError
from geoagent.optional import needs
from geoagent.places.geo import Float, haversine_km
from geoagent.types import Float32, Int
from geoagent.worlds.lens import Lens, unit_rows
from geoagent.worlds.training.checkpoints import Checkpoints
from geoagent.worlds.training.group import Group
from geoagent.worlds.training.head import Progress
from geoagent.worlds.training.views import Rows, centre, draw_views, mean_view

_NEAR = 128  # nearest places in a target; exp(−d/τ) of the others is negligible
_WHOLE = 1 << 15  # up to this many places are compared at each step; more are sampled
_SAMPLE = 1 << 17  # above this many places, each epoch trains on so many of them
_NUMBERS = 1 << 28  # most numbers in the views of a sample
_PART = 4096  # places that are embedded at once
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
    views: Rows,
    latlon: Float,
    val_views: Float32,
    val_latlon: Float,
    *,
    settings: LensSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: Progress | None = None,
    group: Group | None = None,
    checkpoints: Checkpoints | None = None,
) -> tuple[Lens | None, dict[str, float]]:
    """Train a lens, and keep it only if it retrieves the neighbours of held-out places better than no lens.

    Args:
        views: `(N, V, D)` unit rows; those that are no array are read when a sample is drawn.
        latlon: `(N, 2)` degrees.
        val_views: `(n, V', D)` of held-out places.
        val_latlon: `(n, 2)`.
        settings: training settings.
        seed: random seed.
        device: see `HeadSettings`.
        progress: see `Progress`.
        group: the processes that train together; all call this function with the same arguments.
        checkpoints: where the state is kept, and continued from.

    Returns:
        The lens, or None if comparing centred embeddings is as good, and both losses on the held-out places, nats.

    Raises:
        ConfigError: a device that cannot be used, or batches smaller than the number of processes.
        MissingDependency: torch or scikit-learn is not installed.
    """
    how, group, checkpoints = settings or LensSettings(), group or Group(), checkpoints or Checkpoints()
    with needs("train", "torch"):
        import torch
    if min(how.batch, len(views)) < group.size:
        raise ConfigError(
            f"lens: batches of {min(how.batch, len(views))} places are too few for {group.size} processes"
        )
    known = checkpoints.load("lens")
    if known is not None and known["done"]:
        return _of_state(known), known["losses"]
    run = _Run(torch, views, latlon, how, seed, group.device(torch, device), group)
    lens, losses = run.train(val_views, val_latlon, progress, checkpoints, known)
    arrays = {} if lens is None else {name: torch.as_tensor(a) for name, a in _arrays(lens).items()}
    checkpoints.save("lens", {"done": True, "losses": losses, "arrays": arrays})
    return lens, losses


class _Run:
    """The training of one lens, from its beginning or from its last state."""

    def __init__(
        self, torch: Any, views: Rows, latlon: Float, how: LensSettings, seed: int, device: str, group: Group
    ) -> None:
        self.torch, self.views, self.latlon, self.how, self.group = torch, views, latlon, how, group
        self.device, self.seed = device, seed
        self.mean = centre(views)
        self.middle = torch.as_tensor(self.mean, device=device)
        self.generator = torch.Generator().manual_seed(seed)
        most = min(_SAMPLE, _NUMBERS // (views.shape[1] * views.shape[2]))
        self.count = min(len(views), max(most, how.batch))
        self.batch = min(how.batch, self.count)
        self.part = group.part(self.batch)
        self.per_epoch = max(self.count // self.batch, -(-_LEAST_STEPS // how.epochs))
        self.order: Any = None
        self._draw(0)

    def _draw(self, epoch: int) -> None:
        """Hold the places of an epoch, all of them where they are few, and their neighbours among them."""
        if self.count < len(self.views):
            chosen = np.random.default_rng((self.seed, epoch)).choice(len(self.views), self.count, replace=False)
            chosen.sort()
            self.known, self.places = self.views[chosen], self.latlon[chosen]
        else:
            self.known, self.places = self.views[:], self.latlon
        near, target, weight = _targets(self.places, self.places, self.how.tau_km, itself=True)
        self.alone = not weight.any()
        self.rows = self.torch.as_tensor(self.known, device=self.device)
        arrays = (near, target, weight)
        self.near, self.target, self.weight = (self.torch.as_tensor(a, device=self.device) for a in arrays)

    def train(
        self,
        val_views: Float32,
        val_latlon: Float,
        progress: Progress | None,
        checkpoints: Checkpoints,
        state: Mapping[str, Any] | None,
    ) -> tuple[Lens | None, dict[str, float]]:
        """Return the lens, or None, and its losses on held-out places."""
        torch, how, group, generator = self.torch, self.how, self.group, self.generator
        if self.alone:
            return None, {}
        self.net = _net(torch, self.views.shape[2], how, generator, self.batch, self.part).to(self.device)
        rates = {"lr": how.learning_rate, "weight_decay": how.weight_decay}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), fused=True, **rates)
        total = how.epochs * self.per_epoch
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, how.learning_rate, total_steps=total + 1, pct_start=0.1, anneal_strategy="cos"
        )
        self.order = torch.randperm(self.count, generator=generator)
        begin_at = 0 if state is None else self._restore(state)
        net = group.wrapped(torch, self.net)
        gallery: Any = None
        for step in range(begin_at, total):
            if step and step % self.per_epoch == 0 and self.count < len(self.views):
                self._draw(step // self.per_epoch)
                gallery = None
            if gallery is None or step % _REFRESH == 0:
                if checkpoints.due():
                    checkpoints.save("lens", self._state(step))
                gallery = self._gallery()
            begin = step % (self.count // self.batch) * self.batch
            if begin == 0:
                self.order = torch.randperm(self.count, generator=generator)
            drawn = self.order[begin : begin + self.batch]
            rows = drawn[self.part].to(self.rows.device)
            x = draw_views(torch, self.rows[rows], generator, self.part, self.batch)
            z, log_scale = net(torch.nn.functional.normalize(x - self.middle, dim=1))
            some = None
            if self.count > _WHOLE:
                some = torch.randperm(self.count, generator=generator)[:_WHOLE].to(rows.device)
            with torch.no_grad():
                scale = log_scale.exp()
                pull = self._pull(gallery, rows)
                push = _expected(torch, z, scale, gallery, rows, some)
                # Hand-written gradient of the cross entropy by s·z: keeps one matrix over all places instead of five.
                slope = (push - pull) * scale * self.weight[rows, None] * (group.size / self.batch)
            loss = (z * slope).sum() + log_scale * (z.detach() * slope).sum()
            self.optimiser.zero_grad(set_to_none=True)
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            if progress is not None and (step + 1) % self.per_epoch == 0:
                progress("training the lens", (step + 1) // self.per_epoch, how.epochs)
        lens = _exported(self.net, self.mean)
        losses = group.given(
            lambda: _held_out(lens, self.mean, self.known, self.places, val_views, val_latlon, how.tau_km)
        )
        return (lens if losses["lens_loss"] < losses["plain_loss"] - _GAIN else None), losses

    def _pull(self, gallery: Any, rows: Any) -> Any:
        near, target = self.near[rows], self.target[rows]
        if gallery.device.type == "mps":  # which has no weighted bags
            return (gallery[near] * target[..., None]).sum(1)
        return self.torch.nn.functional.embedding_bag(near, gallery, per_sample_weights=target, mode="sum")

    def _gallery(self) -> Any:
        """Embed all places, `(n, Q)`: each process every K-th block."""
        torch, functional = self.torch, self.torch.nn.functional
        found = torch.zeros(self.count, self.how.dims, device=self.device)
        self.net.eval()
        with torch.no_grad():
            for number, part in enumerate(self.rows.split(_PART)):
                drawn = draw_views(torch, part, self.generator)
                if number % self.group.size == self.group.rank:
                    z, _ = self.net(functional.normalize(drawn - self.middle, dim=1))
                    found[number * _PART : number * _PART + len(z)] = z
        self.net.train()
        return self.group.total(torch, found)

    def _state(self, step: int) -> dict[str, Any]:
        return {
            "done": False,
            "step": step,
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "order": self.order,
        }

    def _restore(self, state: Mapping[str, Any]) -> int:
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.generator.set_state(state["generator"])
        self.order = state["order"]
        step = int(state["step"])
        if step // self.per_epoch and step % self.per_epoch and self.count < len(self.views):
            self._draw(step // self.per_epoch)
        return step


def _expected(torch: Any, z: Any, scale: Any, gallery: Any, rows: Any, some: Any) -> Any:
    """Mean of the gallery under softmax(s · cos) excluding the rows themselves, `(B, D)`; over `some` rows, or all."""
    others = gallery if some is None else gallery[some]
    logits = (z * scale) @ others.T
    if some is None:
        logits.scatter_(1, rows[:, None], -torch.inf)
    else:
        logits.masked_fill_(some == rows[:, None], -torch.inf)
    return torch.softmax(logits, 1) @ others


def _net(torch: Any, dim: int, how: LensSettings, generator: Any, batch: int, part: slice) -> Any:
    """The lens as a module, initialised from our generator, so the global seed is untouched.

    It returns `(b, Q)` of unit length and the log of s; dropout is drawn for the whole batch of which `part` is given.
    """
    functional = torch.nn.functional

    class Net(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()

            def made(*shape: int, inputs: int) -> Any:
                drawn = (torch.rand(*shape, generator=generator) * 2 - 1) / float(np.sqrt(inputs))
                return torch.nn.Parameter(drawn)

            self.hidden_weight, self.hidden_bias = made(how.hidden, dim, inputs=dim), made(how.hidden, inputs=dim)
            self.weight, self.bias = made(how.dims, how.hidden, inputs=how.hidden), made(how.dims, inputs=how.hidden)
            self.skip = made(how.dims, dim, inputs=dim)
            self.log_scale = torch.nn.Parameter(torch.tensor(float(np.log(how.scale))))

        def forward(self, x: Any) -> Any:
            # Unit rows have entries of 1 / √D; layers are initialised for entries of 1.
            x = x * float(np.sqrt(dim))
            h = functional.gelu(x @ self.hidden_weight.T + self.hidden_bias, approximate="tanh")
            if self.training and how.dropout:
                keep = torch.rand((batch, h.shape[1]), generator=generator)[part].to(h) >= how.dropout
                h = h * keep / (1.0 - how.dropout)
            z = functional.normalize(h @ self.weight.T + self.bias + x @ self.skip.T, dim=1)
            return z, self.log_scale.clone()

    return Net()


def _exported(net: Any, mean: Float32) -> Lens:
    """The trained lens as arrays that accept unit rows."""
    arrays = {name: value.detach().cpu().numpy() for name, value in net.named_parameters() if name != "log_scale"}
    for name in ("hidden_weight", "skip"):
        arrays[name] = arrays[name] * np.sqrt(len(mean))
    return Lens(mean=mean, **arrays)


def _arrays(lens: Lens) -> dict[str, Any]:
    return {field.name: np.array(getattr(lens, field.name)) for field in fields(Lens)}


def _of_state(state: Mapping[str, Any]) -> Lens | None:
    return Lens(**{name: tensor.numpy() for name, tensor in state["arrays"].items()}) if state["arrays"] else None


def _targets(latlon: Float, others: Float, tau_km: float, *, itself: bool) -> tuple[Int, Float32, Float32]:
    """For each place, its nearest others `(N, k)`, their shares of the target `(N, k)`, and its weight `(N,)`.

    A place with no neighbours nearby has nothing to learn from, so weights grow with the mass around a place, up to 1.
    """
    with needs("train", "sklearn"):
        from sklearn.neighbors import BallTree
    tree = BallTree(np.radians(others), metric="haversine")
    count = min(_NEAR, len(others))
    near = np.empty((len(latlon), count), dtype=np.int64)
    shares, weights = np.empty(near.shape, dtype=np.float32), np.empty(len(latlon), dtype=np.float32)
    for begin in range(0, len(latlon), _PART):
        part = slice(begin, min(begin + _PART, len(latlon)))
        near[part] = tree.query(np.radians(latlon[part]), k=count, return_distance=False)
        share = np.exp(-haversine_km(latlon[part, None, :], others[near[part]]) / tau_km)
        if itself:
            share[near[part] == np.arange(part.start, part.stop)[:, None]] = 0.0
        weight = share.sum(axis=1)
        shares[part] = share / np.maximum(weight, 1e-12)[:, None]
        weights[part] = np.minimum(weight, 1.0)
    return near, shares, weights


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

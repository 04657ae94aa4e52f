"""Training the classification head in torch and exporting it as arrays."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geoagent.errors import ConfigError, InputError
from geoagent.optional import needs
from geoagent.types import Float32
from geoagent.worlds.head import CellHead
from geoagent.worlds.training.batches import Data, Targets
from geoagent.worlds.training.checkpoints import Checkpoints
from geoagent.worlds.training.group import Group, pick_device
from geoagent.worlds.training.views import Rows, centre, draw_views

__all__ = ["Fitted", "HeadSettings", "Progress", "pick_device", "train_head"]

Progress = Callable[[str, int, int], None]
"""Progress callback, called with (stage, done, total)."""

_ASK = 16  # steps between questions whether the state is to be written
_LEAST_STEPS = 40  # per epoch: a hundred photos are one batch, and patience would run out before anything is learnt


@dataclass(frozen=True, slots=True)
class HeadSettings:
    """Settings for training a head.

    Attributes:
        hidden: units of the hidden layer of each model; 0 for a linear head.
        models: number of models in the ensemble, trained with different seeds.
        epochs: passes over all places; each pass draws `draws` mixtures of views per place.
        draws: see `epochs`.
        batch: places per step.
        learning_rate: peak of the cosine schedule, after a tenth of warm-up.
        weight_decay: of AdamW.
        dropout: share of hidden units dropped per step.
        noise: standard deviation of noise on the centred unit embedding, times √D.
        country_loss: weight of the country cross entropy, added to that of the cells.
        patience: epochs without a better validation loss before training stops.
        budget_s: seconds per model after which no further epoch starts; None for no limit.
        seed: random seed.
        device: see `group.DEVICES`.
    """

    hidden: int = 1024
    models: int = 3
    epochs: int = 8
    draws: int = 2
    batch: int = 512
    learning_rate: float = 2e-3
    weight_decay: float = 0.05
    dropout: float = 0.5
    noise: float = 0.0
    country_loss: float = 1.0
    patience: int = 3
    budget_s: float | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        positive = ("models", "epochs", "draws", "batch", "learning_rate", "patience")
        for name in positive:
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}")
        if self.hidden < 0 or self.noise < 0 or self.weight_decay < 0 or not 0 <= self.dropout < 1:
            raise ConfigError("hidden, noise and weight_decay must not be negative, dropout must lie in [0, 1)")
        if self.models > 1 and self.hidden == 0:
            raise ConfigError("an ensemble of linear models is one linear model; set models = 1 or hidden > 0")


@dataclass(frozen=True, eq=False, slots=True)
class Fitted:
    """A trained head and its training history.

    Attributes:
        head: with temperature 1.
        history: per model, per epoch: training loss, validation loss (both cross entropy with the soft targets).
        seconds: wall time.
    """

    head: CellHead
    history: tuple[tuple[tuple[float, float], ...], ...] = field(default_factory=tuple)
    seconds: float = 0.0


def train_head(
    views: Rows,
    targets: Targets,
    val_views: Float32,
    val_targets: Targets,
    *,
    country: ArrayLike | None = None,
    true_country: ArrayLike | None = None,
    encoder: str,
    cells: str,
    settings: HeadSettings | None = None,
    progress: Progress | None = None,
    group: Group | None = None,
    checkpoints: Checkpoints | None = None,
) -> Fitted:
    """Train a head on places with several views each.

    Each draw of a place is the mean of a random, non-empty subset of its views, so that one head serves any number of
    views. Embeddings are centred on the mean of all training views and normalised to unit length, which matters: image
    encoders' features share a large common component that carries no information about places.

    Args:
        views: `(N, V, D)` unit rows; those that are no array are read batch by batch.
        targets: `(N, C)` soft labels, likewise.
        val_views: `(n, V', D)` of held-out places, for early stopping.
        val_targets: `(n, C)`.
        country: `(C,)` country of each cell as an index from 0, for `country_loss`; None for no country loss.
        true_country: `(N,)` country of each place, likewise.
        encoder: name of the encoder that made the views.
        cells: fingerprint of the geocells.
        settings: training settings.
        progress: see `Progress`.
        group: the processes that train together; all call this function with the same arguments.
        checkpoints: where the state is kept, and continued from.

    Raises:
        InputError: arrays of mismatched shapes.
        ConfigError: a device that cannot be used, or batches smaller than the number of processes.
        MissingDependency: torch is not installed.
    """
    how, group = settings or HeadSettings(), group or Group()
    if len(views) != len(targets) or len(val_views) != len(val_targets) or len(views) == 0 or len(val_views) == 0:
        raise InputError(
            f"expected a target for each place, and places for training and validation; got {len(views)} places and "
            f"{len(targets)} targets, {len(val_views)} and {len(val_targets)} for validation"
        )
    if min(how.batch, len(views)) < group.size:
        raise ConfigError(f"batches of {min(how.batch, len(views))} places are too few for {group.size} processes")
    with needs("train", "torch"):
        import torch
    started = time.perf_counter()
    mean = centre(views)
    device = torch.device(group.device(torch, how.device))
    data = Data(torch, device, views, targets, val_views, val_targets, mean, group)
    if country is not None and true_country is not None and how.country_loss:
        data.add_countries(np.asarray(country, dtype=np.int64), np.asarray(true_country, dtype=np.int64))
    models, history = [], []
    for number in range(how.models):
        tell = _numbered(progress, number, how)
        run = _Run(torch, data, how, how.seed + 1000 * number, f"head-{number}", checkpoints or Checkpoints())
        layers, epochs = run.train(tell)
        models.append(layers)
        history.append(epochs)
    return Fitted(_joined(models, mean, encoder, cells, how), tuple(history), time.perf_counter() - started)


class _Run:
    """The training of one model, from its beginning or from its last state."""

    def __init__(
        self, torch: Any, data: Data, how: HeadSettings, seed: int, name: str, checkpoints: Checkpoints
    ) -> None:
        self.torch, self.data, self.how, self.name, self.checkpoints = torch, data, how, name, checkpoints
        self.generator = torch.Generator().manual_seed(seed)
        self.batch = min(how.batch, data.count)
        self.net = _network(torch, data, how, self.generator, self.batch).to(data.device)
        rates = {"lr": how.learning_rate, "weight_decay": how.weight_decay}
        self.optimiser = torch.optim.AdamW(self.net.parameters(), fused=True, **rates)
        self.steps = data.count // self.batch
        self.draws = max(how.draws, math.ceil(_LEAST_STEPS / self.steps))
        total = how.epochs * self.draws * self.steps
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, how.learning_rate, total_steps=total + 1, pct_start=0.1, anneal_strategy="cos"
        )
        self.scale = float(np.sqrt(data.dim))  # unit rows have entries of 1 / √D; layers expect entries of 1
        self.at = (0, 0, 0)  # epoch, draw and step that come next
        self.order: Any = None
        self.running, self.best, self.since, self.seconds = 0.0, float("inf"), 0, 0.0
        self.best_state: dict[str, Any] | None = None
        self.history: list[tuple[float, float]] = []

    def train(self, tell: Callable[[int], None]) -> tuple[list[Float32], tuple[tuple[float, float], ...]]:
        """Return the layers as arrays, from the epoch with the best validation loss, and the losses by epoch."""
        known = self.checkpoints.load(self.name)
        if known is not None and known["done"]:
            tell(self.how.epochs)
            return [layer.numpy() for layer in known["layers"]], tuple((a, b) for a, b in known["history"])
        if known is not None:
            self._restore(known)
        net = self.data.group.wrapped(self.torch, self.net)
        began = time.perf_counter() - self.seconds
        for epoch in range(self.at[0], self.how.epochs):
            if epoch and self.at[1:] == (0, 0) and self.data.group.given(lambda: self._late(began)):
                break
            self._epoch(net, epoch, began)
            held_out = self._held_out()
            total = self.data.total(self.running) / (self.draws * self.steps)
            self.history.append((total, held_out))
            tell(epoch + 1)
            self.running, self.at = 0.0, (epoch + 1, 0, 0)
            if held_out < self.best - 1e-4:
                self.best, self.since = held_out, 0
                self.best_state = {k: v.detach().cpu().clone() for k, v in self.net.state_dict().items()}
            else:
                self.since += 1
                if self.since >= self.how.patience:
                    break
        assert self.best_state is not None
        layers = [self.best_state[name] for name in self.net.state_dict()]
        layers[0] = layers[0] * self.scale  # so that the head accepts unit rows
        self.checkpoints.save(self.name, {"done": True, "layers": layers, "history": self.history})
        return [layer.numpy() for layer in layers], tuple(self.history)

    def _late(self, began: float) -> bool:
        return self.how.budget_s is not None and time.perf_counter() - began > self.how.budget_s

    def _epoch(self, net: Any, epoch: int, began: float) -> None:
        torch, data, how = self.torch, self.data, self.how
        _, first_draw, first_step = self.at
        self.net.train()
        share = data.share(self.batch)
        for draw in range(first_draw, self.draws):
            if self.order is None:
                self.order = torch.randperm(data.count, generator=self.generator)
            order = self.order
            batches = [order[at * self.batch : (at + 1) * self.batch] for at in range(first_step, self.steps)]
            for step, (views, targets, true) in enumerate(data.batches(batches), start=first_step):
                self.at = (epoch, draw, step)
                if step % _ASK == 0 and self.checkpoints.due():
                    self.checkpoints.save(self.name, self._state(time.perf_counter() - began))
                x = data.centred(draw_views(torch, views, self.generator, data.part(self.batch), self.batch))
                x = x * self.scale
                if how.noise:
                    noise = torch.randn((self.batch, data.dim), generator=self.generator)[data.part(self.batch)]
                    x = x + how.noise * noise.to(x)
                loss = data.loss(torch.nn.functional.log_softmax(net(x), 1), targets, true, how.country_loss)
                self.optimiser.zero_grad(set_to_none=True)
                (loss * (share * data.group.size) if data.group.size > 1 else loss).backward()
                self.optimiser.step()
                self.schedule.step()
                self.running += float(loss.detach()) * share
            first_step, self.order = 0, None

    def _held_out(self) -> float:
        """Mean validation loss over one view and all of each place, shared out among the processes."""
        torch, data = self.torch, self.data
        self.net.eval()
        found = 0.0
        with torch.no_grad():
            for x, targets in data.validation():
                log_p = torch.nn.functional.log_softmax(self.net(x * self.scale), 1)
                found -= float((targets * log_p).sum())
        return data.total(found) / len(data.val)

    def _state(self, seconds: float) -> dict[str, Any]:
        running = self.data.total(self.running)
        return {
            "done": False,
            "net": self.net.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
            "generator": self.generator.get_state(),
            "order": self.order,
            "at": list(self.at),
            "numbers": [running, self.best, float(self.since), seconds],
            "best_state": self.best_state,
            "history": [list(pair) for pair in self.history],
        }

    def _restore(self, known: dict[str, Any]) -> None:
        self.net.load_state_dict(known["net"])
        self.optimiser.load_state_dict(known["optimiser"])
        self.schedule.load_state_dict(known["schedule"])
        self.generator.set_state(known["generator"])
        self.order, self.at = known["order"], tuple(known["at"])
        self.running, self.best, since, self.seconds = known["numbers"]
        self.since, self.best_state = int(since), known["best_state"]
        self.history = [(a, b) for a, b in known["history"]]
        if not self.data.group.first:
            self.running = 0.0  # the first process has the sum of all


def _network(torch: Any, data: Data, how: HeadSettings, generator: Any, batch: int) -> Any:
    nn, dim, cells, part = torch.nn, data.dim, data.cells, data.part(batch)
    sizes = (dim, how.hidden, cells) if how.hidden else (dim, cells)
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    for layer in layers:  # torch's default initialisation, from our generator, so the global seed is untouched
        bound = 1.0 / np.sqrt(layer.in_features)
        with torch.no_grad():
            for parameter in (layer.weight, layer.bias):
                parameter.copy_((torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound)
    if not how.hidden:
        return nn.Sequential(layers[0])
    drop = _dropout(torch, how.dropout, generator, batch, part)
    return nn.Sequential(layers[0], nn.GELU(approximate="tanh"), drop, layers[1])


def _dropout(torch: Any, share: float, generator: Any, batch: int, part: slice) -> Any:
    """Dropout that uses our generator, and draws for the whole batch of which a process has a part."""

    class Drop(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            if not self.training or share == 0:
                return x
            keep = torch.rand((batch, x.shape[1]), generator=generator)[part].to(x) >= share
            return x * keep / (1.0 - share)

    return Drop()


def _joined(models: list[list[Float32]], mean: Float32, encoder: str, cells: str, how: HeadSettings) -> CellHead:
    """Merge an ensemble: the mean of its logits is one layer over all hidden units."""
    if not how.hidden:
        weight, bias = models[0]
        return CellHead(weight, bias, encoder, cells, mean=mean, unit=True)
    mixed = np.concatenate([m[2] for m in models], axis=1) / len(models)
    return CellHead(
        weight=np.asarray(mixed, dtype=np.float32),
        bias=np.mean([m[3] for m in models], axis=0),
        encoder=encoder,
        cells=cells,
        mean=mean,
        hidden_weight=np.concatenate([m[0] for m in models], axis=0),
        hidden_bias=np.concatenate([m[1] for m in models], axis=0),
        unit=True,
    )


def _numbered(progress: Progress | None, number: int, how: HeadSettings) -> Callable[[int], None]:
    def tell(epoch: int) -> None:
        if progress is not None:
            progress("training the head", number * how.epochs + epoch, how.models * how.epochs)

    return tell

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
from geoagent.worlds.training.views import centre, draw_views, mean_view

Progress = Callable[[str, int, int], None]
"""Progress callback, called with (stage, done, total)."""

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
        device: "cpu", "cuda", or "auto", which uses a GPU if available.
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
    views: Float32,
    targets: Float32,
    val_views: Float32,
    val_targets: Float32,
    *,
    country: ArrayLike | None = None,
    true_country: ArrayLike | None = None,
    encoder: str,
    cells: str,
    settings: HeadSettings | None = None,
    progress: Progress | None = None,
) -> Fitted:
    """Train a head on places with several views each.

    Each draw of a place is the mean of a random, non-empty subset of its views, so that one head serves any number of
    views. Embeddings are centred on the mean of all training views and normalised to unit length, which matters: image
    encoders' features share a large common component that carries no information about places.

    Args:
        views: `(N, V, D)` unit rows.
        targets: `(N, C)` soft labels.
        val_views: `(n, V', D)` of held-out places, for early stopping.
        val_targets: `(n, C)`.
        country: `(C,)` country of each cell as an index from 0, for `country_loss`; None for no country loss.
        true_country: `(N,)` country of each place, likewise.
        encoder: name of the encoder that made the views.
        cells: fingerprint of the geocells.
        settings: training settings.
        progress: see `Progress`.

    Raises:
        InputError: arrays of mismatched shapes.
        MissingDependency: torch is not installed.
    """
    how = settings or HeadSettings()
    if len(views) != len(targets) or len(val_views) != len(val_targets) or len(views) == 0 or len(val_views) == 0:
        raise InputError(
            f"expected a target for each place, and places for training and validation; got {len(views)} places and "
            f"{len(targets)} targets, {len(val_views)} and {len(val_targets)} for validation"
        )
    with needs("train", "torch"):
        import torch
    started = time.perf_counter()
    mean = centre(views)
    device = torch.device(pick_device(torch, how.device))
    data = _Data(torch, device, views, targets, val_views, val_targets, mean)
    if country is not None and true_country is not None and how.country_loss:
        data.add_countries(torch, np.asarray(country, dtype=np.int64), np.asarray(true_country, dtype=np.int64))
    models, history = [], []
    for number in range(how.models):
        tell = _numbered(progress, number, how)
        layers, epochs = _train_one(torch, data, how, how.seed + 1000 * number, tell)
        models.append(layers)
        history.append(epochs)
    return Fitted(_joined(models, mean, encoder, cells, how), tuple(history), time.perf_counter() - started)


def pick_device(torch: Any, wanted: str) -> str:
    """Resolve the training device: as requested, or a GPU if available."""
    return wanted if wanted != "auto" else "cuda" if torch.cuda.is_available() else "cpu"


class _Data:
    """Training tensors on the device."""

    def __init__(
        self, torch: Any, device: Any, views: Any, targets: Any, val: Any, val_targets: Any, mean: Any
    ) -> None:
        self.device = device
        self.views = torch.as_tensor(views, device=device)
        self.mean = torch.as_tensor(mean, device=device)
        self.targets = torch.as_tensor(targets, device=device)
        # Validate on one view and on all, matching how the head is used.
        both = np.concatenate([val[:, 0], mean_view(val)])
        self.val = self.centred(torch, torch.as_tensor(both, device=device))
        self.val_targets = torch.as_tensor(val_targets, device=device)
        self.member: Any = None
        self.true_country: Any = None

    def add_countries(self, torch: Any, country: Any, true_country: Any) -> None:
        """The cells of each country, and the country of each place."""
        member = np.zeros((int(country.max()) + 1, len(country)), dtype=np.float32)
        member[country, np.arange(len(country))] = 1.0
        self.member = torch.as_tensor(member, device=self.device)
        self.true_country = torch.as_tensor(true_country, device=self.device)

    def loss(self, torch: Any, log_p: Any, rows: Any, weight: float) -> Any:
        """Cross entropy with the soft targets, and with the true countries, whose borders smoothing ignores."""
        cells = -(self.targets[rows] * log_p).sum(1).mean()
        if self.member is None:
            return cells
        mass = (log_p.exp() * self.member[self.true_country[rows]]).sum(1)
        return cells - weight * torch.log(mass + 1e-9).mean()

    def centred(self, torch: Any, x: Any) -> Any:
        return torch.nn.functional.normalize(x - self.mean, dim=1)

    def draw(self, torch: Any, rows: Any, generator: Any) -> Any:
        """Means of random subsets of views, centred, `(B, D)`."""
        return self.centred(torch, draw_views(torch, self.views[rows], generator))


def _train_one(
    torch: Any, data: _Data, how: HeadSettings, seed: int, tell: Callable[[int], None]
) -> tuple[list[Float32], tuple[tuple[float, float], ...]]:
    """Train one model; return its layers as arrays, from the epoch with the best validation loss."""
    functional = torch.nn.functional
    generator = torch.Generator().manual_seed(seed)
    dim, cells = data.views.shape[2], data.targets.shape[1]
    net = _network(torch, dim, cells, how, generator).to(data.device)
    rates = {"lr": how.learning_rate, "weight_decay": how.weight_decay}
    optimiser = torch.optim.AdamW(net.parameters(), fused=True, **rates)
    count = len(data.views)
    batch = min(how.batch, count)
    draws = max(how.draws, math.ceil(_LEAST_STEPS / (count // batch)))
    total = how.epochs * draws * (count // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, how.learning_rate, total_steps=total + 1, pct_start=0.1, anneal_strategy="cos"
    )
    scale = float(np.sqrt(dim))  # unit rows have entries of 1 / √D; layers are initialised for entries of 1
    best, best_state, since = np.inf, None, 0
    history: list[tuple[float, float]] = []
    began = time.perf_counter()
    for epoch in range(how.epochs):
        if how.budget_s is not None and epoch and time.perf_counter() - began > how.budget_s:
            break
        net.train()
        running, steps = 0.0, 0
        for _ in range(draws):
            order = torch.randperm(count, generator=generator)
            for step in range(count // batch):
                rows = order[step * batch : (step + 1) * batch]
                x = data.draw(torch, rows, generator) * scale
                if how.noise:
                    x = x + how.noise * torch.randn(x.shape, generator=generator).to(x)
                loss = data.loss(torch, functional.log_softmax(net(x), 1), rows, how.country_loss)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
                schedule.step()
                running, steps = running + float(loss.detach()), steps + 1
        net.eval()
        with torch.no_grad():
            log_p = functional.log_softmax(net(data.val * scale), 1).reshape(2, len(data.val_targets), cells)
            held_out = float(-(data.val_targets * log_p).sum(2).mean())
        history.append((running / steps, held_out))
        tell(epoch + 1)
        if held_out < best - 1e-4:
            best, since = held_out, 0
            best_state = {k: v.detach().cpu().clone() for k, v in net.state_dict().items()}
        else:
            since += 1
            if since >= how.patience:
                break
    assert best_state is not None
    arrays = [best_state[name].numpy() for name in net.state_dict()]
    arrays[0] = arrays[0] * scale  # so that the head accepts unit rows
    return arrays, tuple(history)


def _network(torch: Any, dim: int, cells: int, how: HeadSettings, generator: Any) -> Any:
    nn = torch.nn
    sizes = (dim, how.hidden, cells) if how.hidden else (dim, cells)
    layers = [nn.Linear(a, b) for a, b in itertools.pairwise(sizes)]
    for layer in layers:  # torch's default initialisation, from our generator, so the global seed is untouched
        bound = 1.0 / np.sqrt(layer.in_features)
        with torch.no_grad():
            for parameter in (layer.weight, layer.bias):
                parameter.copy_((torch.rand(parameter.shape, generator=generator) * 2 - 1) * bound)
    if not how.hidden:
        return nn.Sequential(layers[0])
    return nn.Sequential(layers[0], nn.GELU(approximate="tanh"), _dropout(torch, how.dropout, generator), layers[1])


def _dropout(torch: Any, share: float, generator: Any) -> Any:
    """Dropout that uses our generator."""

    class Drop(torch.nn.Module):  # type: ignore[misc]
        def forward(self, x: Any) -> Any:
            if not self.training or share == 0:
                return x
            keep = torch.rand(x.shape, generator=generator).to(x) >= share
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

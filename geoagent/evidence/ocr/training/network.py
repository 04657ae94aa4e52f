"""The network: convolutions down to one row, two layers of attention along the line, and scores for CTC.

Parameter names are those of the shipped checkpoint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geoagent.errors import ConfigError, WeightsError
from geoagent.optional import needs

with needs("reader", "torch"):
    import torch
    from torch import nn
    from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """Size of a network; the defaults are those of the shipped model.

    Attributes:
        channels: of the three stages of convolutions.
        depth: blocks of each stage.
        width: of the attention layers; a multiple of `heads`.
        layers: of attention.
        heads: of each.
    """

    channels: tuple[int, int, int] = (64, 128, 256)
    depth: tuple[int, int, int] = (2, 3, 3)
    width: int = 320
    layers: int = 2
    heads: int = 5

    def __post_init__(self) -> None:
        if self.width % self.heads:
            raise ConfigError(f"width {self.width} is no multiple of heads {self.heads}")


class Reader(nn.Module):  # type: ignore[misc]
    """Grey lines `(B, 1, 48, W)` in [-1, 1] to scores `(B, W / 4, classes)`.

    Args:
        classes: characters and the blank.
        shape: of the network.
    """

    def __init__(self, classes: int, shape: Shape | None = None) -> None:
        super().__init__()
        shape = shape or Shape()
        a, b, c = shape.channels
        few, more, most = shape.depth
        self.conv = nn.Sequential(
            _reduce(1, 32, (2, 2)),
            _reduce(32, a, (2, 2)),
            *(_Block(a, 3, (5, 5)) for _ in range(few)),
            _reduce(a, b, (2, 1)),
            *(_Block(b, 3, (5, 5)) for _ in range(more)),
            _reduce(b, c, (2, 1)),
            *(_Block(c, 2, (3, 7)) for _ in range(most)),
            nn.Conv2d(c, shape.width, (3, 1), bias=False),
            nn.BatchNorm2d(shape.width),
            nn.ReLU(),
        )
        self.mix = nn.ModuleList([_Attend(shape.width, shape.heads, 3 * shape.width) for _ in range(shape.layers)])
        self.norm, self.head = nn.LayerNorm(shape.width), nn.Linear(shape.width, classes)

    def forward(self, lines: Any) -> Any:
        """Return scores before the softmax."""
        x = self.conv(lines).squeeze(2).transpose(1, 2)
        for layer in self.mix:
            x = layer(x)
        return self.head(self.norm(x))


class Probabilities(nn.Module):  # type: ignore[misc]
    """What is exported: a reader's probabilities `(B, W / 4, classes)`."""

    def __init__(self, net: Reader) -> None:
        super().__init__()
        self.net = net

    def forward(self, lines: Any) -> Any:
        """Return probabilities."""
        return torch.softmax(self.net(lines), -1)


class _Block(nn.Module):  # type: ignore[misc]
    """A depthwise convolution and two pointwise ones, added to the input."""

    def __init__(self, dim: int, expand: int, kernel: tuple[int, int]) -> None:
        super().__init__()
        around = (kernel[0] // 2, kernel[1] // 2)
        self.mix = nn.Conv2d(dim, dim, kernel, padding=around, groups=dim, bias=False)
        self.norm = nn.BatchNorm2d(dim)
        self.up, self.down = nn.Conv2d(dim, dim * expand, 1), nn.Conv2d(dim * expand, dim, 1)
        self.scale = nn.Parameter(torch.full((1, dim, 1, 1), 0.3))

    def forward(self, x: Any) -> Any:
        return x + self.scale * self.down(functional.relu(self.up(self.norm(self.mix(x)))))


class _Attend(nn.Module):  # type: ignore[misc]
    """A layer of attention; a depthwise convolution tells it where along the line it is."""

    def __init__(self, dim: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.place = nn.Conv1d(dim, dim, 7, padding=3, groups=dim)
        self.n1, self.n2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.up, self.down = nn.Linear(dim, hidden), nn.Linear(hidden, dim)

    def forward(self, x: Any) -> Any:
        x = x + self.place(x.transpose(1, 2)).transpose(1, 2)
        b, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(b, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        seen = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, t, d)
        x = x + self.out(seen)
        return x + self.down(functional.gelu(self.up(self.n2(x)), approximate="tanh"))


def _reduce(a: int, b: int, stride: tuple[int, int]) -> Any:
    return nn.Sequential(nn.Conv2d(a, b, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())


@dataclass(frozen=True, eq=False, slots=True)
class Checkpoint:
    """Weights to continue from.

    Attributes:
        weights: parameter name to tensor.
        characters: class 1 first.
        shape: of the network.
        lines: that the weights have been trained on, as far as is known.
    """

    weights: dict[str, Any]
    characters: tuple[str, ...]
    shape: Shape
    lines: int = 0

    def network(self) -> Reader:
        """Build the network with these weights, in single precision.

        Raises:
            WeightsError: the weights do not fit.
        """
        net = Reader(len(self.characters) + 1, self.shape)
        try:
            net.load_state_dict(self.weights)
        except RuntimeError as error:
            raise WeightsError(f"the weights do not fit the network: {error}") from error
        return net

    def save(self, path: Path) -> None:
        """Write the checkpoint, weights in half precision."""
        half = {k: v.half().cpu() if v.is_floating_point() else v.cpu() for k, v in self.weights.items()}
        shape = {name: getattr(self.shape, name) for name in Shape.__slots__}
        temporary = path.with_name(path.name + ".part")
        torch.save(
            {"weights": half, "characters": list(self.characters), "shape": shape, "lines": self.lines}, temporary
        )
        temporary.replace(path)

    @classmethod
    def load(cls, path: Path) -> Checkpoint:
        """Read a checkpoint: one of `save`, or bare weights with charset.txt (one character a line) beside it.

        Raises:
            WeightsError: the file cannot be read, or holds something else.
        """
        try:
            saved = torch.load(path, map_location="cpu", weights_only=True)
            if "weights" in saved:
                characters = tuple(saved["characters"])
                return cls(saved["weights"], characters, Shape(**saved["shape"]), int(saved["lines"]))
            listed = (path.parent / "charset.txt").read_text("utf-8").split("\n")
            return cls(saved, tuple(listed), Shape())
        except Exception as error:  # what torch raises on a file that is none of its own is not documented
            raise WeightsError(
                f"{path} is no checkpoint of a reader ({error}); expected one of train-reader"
            ) from error

"""The cells of NASNet-A: their wiring is data, and one class reads it.

Zoph et al., "Learning Transferable Architectures for Scalable Image Recognition", CVPR 2018,
figure 4. Every child bears the name that the public checkpoints give it.

The weights were trained under TensorFlow, which pads maps of an even size with one pixel more at
their end than at their beginning before it halves them; so do aligned cells. Maps of an odd size
are padded alike on both sides, as there. Hence every input size is taken, where ports that treat
all maps as even need multiples of 32.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Kind: TypeAlias = Literal["", "separable", "mean", "max"]
Previous: TypeAlias = Literal["as it is", "projected", "halved"]

_EPSILON = 1e-3

# What the nodes of a cell may read: the output of the cell before, that of the cell before it, and
# the nodes of the cell itself, which follow as 2, 3, ...
_CURRENT, _PREVIOUS = 0, 1


@dataclass(frozen=True)
class Edge:
    """One input of a node.

    Attributes:
        source: index of what it reads.
        kind: what it does to that; nothing by default.
        window: size of its window.
        stride: 2 halves the maps.
    """

    source: int
    kind: Kind = ""
    window: int = 3
    stride: int = 1


@dataclass(frozen=True)
class Wiring:
    """A kind of cell.

    Attributes:
        nodes: the left and the right input of each node, which adds them.
        joined: indices of the maps whose channels make the output.
    """

    nodes: tuple[tuple[Edge, Edge], ...]
    joined: tuple[int, ...]

    def named_nodes(self) -> Iterator[list[tuple[str, Edge]]]:
        """Yield both edges of each node with the names that checkpoints give them."""
        for number, edges in enumerate(self.nodes):
            names = (f"comb_iter_{number}_left", f"comb_iter_{number}_right")
            yield list(zip(names, edges, strict=True))


NORMAL = Wiring(
    nodes=(
        (Edge(_CURRENT, "separable", 5), Edge(_PREVIOUS, "separable", 3)),
        (Edge(_PREVIOUS, "separable", 5), Edge(_PREVIOUS, "separable", 3)),
        (Edge(_CURRENT, "mean"), Edge(_PREVIOUS)),
        (Edge(_PREVIOUS, "mean"), Edge(_PREVIOUS, "mean")),
        (Edge(_CURRENT, "separable", 3), Edge(_CURRENT)),
    ),
    joined=(_PREVIOUS, 2, 3, 4, 5, 6),
)
REDUCTION = Wiring(
    nodes=(
        (Edge(_CURRENT, "separable", 5, 2), Edge(_PREVIOUS, "separable", 7, 2)),
        (Edge(_CURRENT, "max", 3, 2), Edge(_PREVIOUS, "separable", 7, 2)),
        (Edge(_CURRENT, "mean", 3, 2), Edge(_PREVIOUS, "separable", 5, 2)),
        (Edge(3), Edge(2, "mean")),
        (Edge(2, "separable", 3), Edge(_CURRENT, "max", 3, 2)),
    ),
    joined=(3, 4, 5, 6),
)


@dataclass(frozen=True)
class Place:
    """Where a cell stands.

    Attributes:
        wiring: its kind.
        width: channels of each of its nodes.
        previous: how the maps from before the last cell become as wide and as small as its own:
            ``"halved"`` where the last cell has halved.
        aligned: whether it pads as TensorFlow does.
    """

    wiring: Wiring
    width: int
    previous: Previous
    aligned: bool = False


class Cell(nn.Module):
    """One cell.

    Args:
        place: what it is made of.
        c_current: channels of the last cell's maps.
        c_previous: channels of the maps from before.
    """

    def __init__(self, place: Place, c_current: int, c_previous: int) -> None:
        super().__init__()
        width = place.width
        if place.previous == "projected":
            self.conv_prev_1x1 = _projection(c_previous, width)
        self.conv_1x1 = _projection(c_current, width)
        if place.previous == "halved":
            self.relu = nn.ReLU()
            self.path_1 = _every_second(c_previous, width // 2, offset=0)
            self.path_2 = _every_second(c_previous, width // 2, offset=1)
            self.final_path_bn = norm(width)
        unfitted = {_PREVIOUS: c_previous} if place.previous == "as it is" else {}
        for name, edge in chain.from_iterable(place.wiring.named_nodes()):
            if edge.kind:
                c_in = unfitted.get(edge.source, width)
                self.add_module(name, _operation(edge, c_in, width, place.aligned))
        self._place = place

    def forward(self, current: Tensor, previous: Tensor) -> Tensor:
        """(B, c_current, h, w) and the maps from before -> (B, channels, h, w), or half of that."""
        maps = [self.conv_1x1(current), self._fitted(previous)]
        for node in self._place.wiring.named_nodes():
            left, right = (self._read(maps, name, edge) for name, edge in node)
            maps.append(left + right)
        return torch.cat([maps[index] for index in self._place.wiring.joined], 1)

    def _read(self, maps: list[Tensor], name: str, edge: Edge) -> Tensor:
        source = maps[edge.source]
        return self.get_submodule(name)(source) if edge.kind else source

    def _fitted(self, previous: Tensor) -> Tensor:
        if self._place.previous == "as it is":
            return previous
        if self._place.previous == "projected":
            fitted: Tensor = self.conv_prev_1x1(previous)
            return fitted
        positive = self.relu(previous)
        fitted = self.final_path_bn(torch.cat([self.path_1(positive), self.path_2(positive)], 1))
        return fitted


class Separable(nn.Module):
    """A convolution of each channel by itself, then one across channels."""

    def __init__(self, c_in: int, c_out: int, edge: Edge, aligned: bool = False) -> None:
        super().__init__()
        window, stride = edge.window, edge.stride
        self.depthwise_conv2d = nn.Conv2d(
            c_in, c_in, window, stride, padding=window // 2, groups=c_in, bias=False
        )
        self.pointwise_conv2d = nn.Conv2d(c_in, c_out, 1, bias=False)
        self._aligned = aligned

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h / stride, w / stride)."""
        return aligned(self._convolved, maps) if self._aligned else self._convolved(maps)

    def _convolved(self, maps: Tensor) -> Tensor:
        convolved: Tensor = self.pointwise_conv2d(self.depthwise_conv2d(maps))
        return convolved


class AlignedPool(nn.Module):
    """Pooling that halves, padded as TensorFlow does."""

    def __init__(self, pool: nn.Module) -> None:
        super().__init__()
        self.pool = pool

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, channels, h / 2, w / 2)."""
        return aligned(self.pool, maps)


def aligned(layer: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    """Run ``layer`` with its windows one pixel further down and right where a size is even."""
    down, right = (int(size % 2 == 0) for size in maps.shape[-2:])
    return layer(F.pad(maps, (right, 0, down, 0)))[..., down:, right:]


def _operation(edge: Edge, c_in: int, c_out: int, is_aligned: bool) -> nn.Module:
    if edge.kind == "separable":
        return _separables(c_in, c_out, edge, is_aligned)
    size = (edge.window, edge.stride, edge.window // 2)
    pool = nn.MaxPool2d(*size) if edge.kind == "max" else _mean_pool(*size)
    return AlignedPool(pool) if is_aligned and edge.stride == 2 else pool


def _mean_pool(window: int, stride: int, padding: int) -> nn.Module:
    return nn.AvgPool2d(window, stride, padding, count_include_pad=False)


def _separables(c_in: int, c_out: int, edge: Edge, is_aligned: bool) -> nn.Sequential:
    """Two separable convolutions, the first of which may halve the maps."""
    return named(
        relu=nn.ReLU(),
        separable_1=Separable(c_in, c_out, edge, is_aligned),
        bn_sep_1=norm(c_out),
        relu1=nn.ReLU(),
        separable_2=Separable(c_out, c_out, replace(edge, stride=1)),
        bn_sep_2=norm(c_out),
    )


def _projection(c_in: int, c_out: int) -> nn.Sequential:
    return named(relu=nn.ReLU(), conv=nn.Conv2d(c_in, c_out, 1, bias=False), bn=norm(c_out))


def _every_second(c_in: int, c_out: int, offset: int) -> nn.Sequential:
    """Take every second pixel of every second row, from ``offset`` on; mix the channels."""
    return named(
        pad=nn.ZeroPad2d((-offset, offset, -offset, offset)),
        avgpool=nn.AvgPool2d(1, stride=2),
        conv=nn.Conv2d(c_in, c_out, 1, bias=False),
    )


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch norm with TensorFlow's epsilon."""
    return nn.BatchNorm2d(channels, eps=_EPSILON)


def named(**layers: nn.Module) -> nn.Sequential:
    """Layers that run one after the other, under these names."""
    return nn.Sequential(OrderedDict(layers))

"""The parts of Inception networks: what they are made of is data, written here as layers.

Every block runs several branches on the same maps and joins their channels. Every child bears the
name that the public checkpoints give it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeAlias

import torch
from torch import Tensor, nn

_EPSILON = 1e-3


@dataclass(frozen=True)
class Conv:
    """A convolution with batch norm and ReLU.

    Attributes:
        channels: channels going out.
        window: its size, or its height and width.
        stride: 2 halves the maps.
        padded: whether maps keep their size at stride 1; else they lose a border.
    """

    channels: int
    window: int | tuple[int, int] = 1
    stride: int = 1
    padded: bool = True


@dataclass(frozen=True)
class Pool:
    """Pooling over 3x3 pixels: the maximum, in maps of half the size, or the mean around each."""

    halves: bool


Step: TypeAlias = Conv | Pool


class Branch(NamedTuple):
    """A part of a block.

    Attributes:
        name: what checkpoints call it.
        steps: its layers, one after the other.
        reads: name of the branch that it continues; empty for one that reads the block's input.
    """

    name: str
    steps: Sequence[Step]
    reads: str = ""


Block: TypeAlias = Sequence[Branch]

MEAN, MAX = Pool(halves=False), Pool(halves=True)
halving = partial(Conv, window=3, stride=2, padded=False)
unpadded = partial(Conv, window=3, padded=False)


def branches(*steps: Sequence[Step]) -> Block:
    """Give each sequence of steps the usual name of a branch."""
    return [Branch(f"branch{number}", of_branch) for number, of_branch in enumerate(steps)]


class Branches(nn.Module):
    """A block: what no branch continues is joined, in the order of the branches.

    Args:
        c_in: channels coming in.
        block: its branches.

    Attributes:
        c_out: channels going out.
    """

    def __init__(self, c_in: int, block: Block) -> None:
        super().__init__()
        channels = {"": c_in}
        for branch in block:
            layers, channels[branch.name] = chain(channels[branch.reads], branch.steps)
            self.add_module(branch.name, layers[0] if len(layers) == 1 else layers)
        self._reads = {branch.name: branch.reads for branch in block}
        self._joined = [name for name in self._reads if name not in self._reads.values()]
        self.c_out = sum(channels[name] for name in self._joined)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h, w), or about half that size."""
        results = {"": maps}
        for name, source in self._reads.items():
            results[name] = self.get_submodule(name)(results[source])
        return torch.cat([results[name] for name in self._joined], 1)


class Residual(Branches):
    """A block whose joined branches are added to its input.

    Args:
        channels: channels coming in and going out.
        block: its branches.
        scale: weighs what is added; deep stacks train better when it is little.
        active: whether a ReLU follows.
    """

    def __init__(self, channels: int, block: Block, scale: float, active: bool = True) -> None:
        super().__init__(channels, block)
        self.conv2d = nn.Conv2d(self.c_out, channels, 1)
        self.relu = nn.ReLU(inplace=True) if active else nn.Identity()
        self._scale = scale

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        total: Tensor = self.relu(self.conv2d(super().forward(maps)) * self._scale + maps)
        return total


def chain(c_in: int, parts: Sequence[Step | Block]) -> tuple[nn.Sequential, int]:
    """Return layers that run one after the other, and the channels that come out of the last."""
    layers = nn.Sequential()
    for part in parts:
        layer, c_in = built(c_in, part)
        layers.append(layer)
    return layers, c_in


def built(c_in: int, part: Step | Block) -> tuple[nn.Module, int]:
    """Return the layer, and the channels that come out of it."""
    if isinstance(part, Conv):
        return _convolution(c_in, part), part.channels
    if isinstance(part, Pool):
        return _pooling(part), c_in
    block = Branches(c_in, part)
    return block, block.c_out


def _convolution(c_in: int, conv: Conv) -> nn.Sequential:
    window = (conv.window, conv.window) if isinstance(conv.window, int) else conv.window
    padding = (window[0] // 2, window[1] // 2) if conv.padded else 0
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(c_in, conv.channels, window, conv.stride, padding, bias=False),
            bn=nn.BatchNorm2d(conv.channels, eps=_EPSILON),
            relu=nn.ReLU(inplace=True),
        )
    )


def _pooling(pool: Pool) -> nn.Module:
    if pool.halves:
        return nn.MaxPool2d(3, stride=2)
    return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)

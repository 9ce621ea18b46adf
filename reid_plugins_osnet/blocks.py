"""The parts of OSNet: convolutions, the channel gate, the omni-scale block.

Every child bears the name that the public checkpoints give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Where a block normalises each image by itself: nowhere, on the residual sum (OSNet-IBN), or
# inside the residual branch in place of its last batch norm (OSNet-AIN).
InstanceNorm: TypeAlias = Literal["none", "sum", "branch"]
Norm: TypeAlias = Callable[[int], nn.Module]

_REDUCTION = 4
_GATE_REDUCTION = 16
_SCALES = 4


def batch_norm(channels: int) -> nn.Module:
    """Normalise over the batch."""
    return nn.BatchNorm2d(channels)


def instance_norm(channels: int) -> nn.Module:
    """Normalise each image by itself, with a learnt scale and shift."""
    return nn.InstanceNorm2d(channels, affine=True)


def conv(
    c_in: int,
    c_out: int,
    kernel: int = 1,
    *,
    stride: int = 1,
    norm: Norm | None = batch_norm,
    relu: bool = True,
) -> nn.Sequential:
    """Convolution, norm and ReLU: (B, c_in, h, w) -> (B, c_out, h / stride, w / stride)."""
    convolution = nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False)
    return _named(
        conv=convolution,
        bn=norm(c_out) if norm else None,
        relu=nn.ReLU(inplace=True) if relu else None,
    )


def shrink(channels: int) -> nn.Sequential:
    """Mix the channels and halve the size of the maps."""
    return nn.Sequential(conv(channels, channels), nn.AvgPool2d(2))


class ChannelGate(nn.Module):
    """Weighs each channel of each image by what the whole map shows.

    All streams of a block share one gate (the "unified aggregation gate" of OSNet, section 3.2).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.relu = nn.ReLU(inplace=True)
        self.fc1 = nn.Conv2d(channels, channels // _GATE_REDUCTION, 1)
        self.fc2 = nn.Conv2d(channels // _GATE_REDUCTION, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        summary = self.relu(self.fc1(self.global_avgpool(maps)))
        return maps * torch.sigmoid(self.fc2(summary))


class OmniScaleBlock(nn.Module):
    """Residual block whose streams see 3, 5, 7 and 9 pixels wide, fused by one gate.

    Args:
        c_in: channels coming in.
        c_out: channels going out; the streams work on a quarter of them.
        normalise: where images are normalised one by one.
        listed: keep the streams in one list, as OSNet-AIN's checkpoints do.
    """

    def __init__(
        self, c_in: int, c_out: int, normalise: InstanceNorm = "none", listed: bool = False
    ) -> None:
        super().__init__()
        mid = c_out // _REDUCTION
        self.conv1 = conv(c_in, mid)
        streams = _streams(mid, listed)
        for name, stream in streams.items():
            self.add_module(name, stream)
        self._stream_names = tuple(streams)
        self.gate = ChannelGate(mid)
        self.conv3 = conv(
            mid, c_out, norm=None if normalise == "branch" else batch_norm, relu=False
        )
        self.downsample = conv(c_in, c_out, relu=False) if c_in != c_out else None
        self.IN = instance_norm(c_out) if normalise != "none" else None
        self._normalise = normalise

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h, w)."""
        narrow = self.conv1(maps)
        branch = self.conv3(sum(self.gate(stream(narrow)) for stream in self._each_stream()))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        if self.IN is None:
            return F.relu(branch + shortcut)
        if self._normalise == "branch":
            return F.relu(self.IN(branch) + shortcut)
        return F.relu(self.IN(branch + shortcut))

    def _each_stream(self) -> Iterator[nn.Module]:
        for name in self._stream_names:
            child = self.get_submodule(name)
            yield from child if isinstance(child, nn.ModuleList) else (child,)


def _streams(channels: int, listed: bool) -> dict[str, nn.Module]:
    """One to four light convolutions in a row: each adds two pixels to what a stream sees."""
    chains = [
        nn.Sequential(*(_light_conv(channels) for _ in range(depth)))
        for depth in range(1, _SCALES + 1)
    ]
    if listed:
        return {"conv2": nn.ModuleList(_named(layers=chain) for chain in chains)}
    first, *others = chains
    return {"conv2a": first[0], **dict(zip(("conv2b", "conv2c", "conv2d"), others, strict=True))}


def _light_conv(channels: int) -> nn.Sequential:
    """A 3x3 convolution made light: across channels at each pixel, then across pixels in each."""
    return _named(
        conv1=nn.Conv2d(channels, channels, 1, bias=False),
        conv2=nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
        bn=nn.BatchNorm2d(channels),
        relu=nn.ReLU(inplace=True),
    )


def _named(**layers: nn.Module | None) -> nn.Sequential:
    sequence = nn.Sequential()
    for name, layer in layers.items():
        if layer is not None:
            sequence.add_module(name, layer)
    return sequence

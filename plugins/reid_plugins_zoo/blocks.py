"""What several networks are made of: a convolution with its batch norm, streams side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Size: TypeAlias = int | tuple[int, int]


class ConvBlock(nn.Module):
    """Convolution, batch norm and activation, under the keys ``conv`` and ``bn``.

    Args:
        c_in: channels coming in.
        c_out: channels going out.
        kernel: size of the convolution.
        stride: of the convolution.
        padding: of the convolution; by default what keeps the size at stride 1.
        groups: of the convolution.
        bias: whether the convolution has one, as some published checkpoints do.
        activation: the last step; a function, since it has no weights.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernel: Size = 1,
        stride: int = 1,
        padding: Size | None = None,
        *,
        groups: int = 1,
        bias: bool = True,
        activation: Callable[[Tensor], Tensor] = F.relu,
    ) -> None:
        super().__init__()
        around = _half(kernel) if padding is None else padding
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride, around, groups=groups, bias=bias)
        self.bn = nn.BatchNorm2d(c_out)
        self._activation = activation

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h / stride, w / stride)."""
        return self._activation(self.bn(self.conv(maps)))


class Streams(nn.Module):
    """Layers side by side, all given the same maps, under the keys ``stream1``, ``stream2``, ..."""

    def __init__(self, *streams: nn.Module) -> None:
        super().__init__()
        for number, stream in enumerate(streams, 1):
            self.add_module(f"stream{number}", stream)

    def each(self, maps: Tensor) -> list[Tensor]:
        """(B, c_in, h, w) -> the maps (B, c, h', w') of each stream."""
        return [stream(maps) for stream in self.children()]

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h', w'): those of all streams, channel upon channel."""
        return torch.cat(self.each(maps), 1)


def _half(kernel: Size) -> Size:
    return kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)

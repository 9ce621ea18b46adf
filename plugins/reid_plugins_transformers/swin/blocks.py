"""The layers of a Swin Transformer, which takes images of any size.

Liu et al., "Swin Transformer: Hierarchical Vision Transformer using Shifted Windows", ICCV 2021.

Maps whose sides are no multiple of the window are padded with zeros and *then* shifted, as
mmsegmentation does and as the networks of people were pre-trained. timm shifts first, which gives
other features with the same weights.

B images, h and w the size of maps, C channels, M the side of a window, N = M * M its positions, W
windows. Maps have their channels last.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import StochasticDepth

_MLP_RATIO = 4
_OTHER_REGION = -100.0  # what the published networks add to the scores of what is no neighbour


class PatchEmbedding(nn.Module):
    """Turns squares of pixels into vectors, images padded with zeros at the right and the bottom.

    Args:
        channels: C.
        patch: side of the squares, in pixels.
    """

    def __init__(self, channels: int, patch: int) -> None:
        super().__init__()
        self.patch = patch
        self.proj = nn.Conv2d(3, channels, patch, patch)
        self.norm = nn.LayerNorm(channels)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, h, w, C)."""
        height, width = images.shape[-2:]
        padded = F.pad(images, (0, -width % self.patch, 0, -height % self.patch))
        maps: Tensor = self.norm(self.proj(padded).permute(0, 2, 3, 1))
        return maps


class PatchMerging(nn.Module):
    """Halves maps and doubles their channels: (B, h, w, C) -> (B, h / 2, w / 2, 2 C), rounded up.

    The four vectors of a square are joined column by column, as in the published weights of Swin.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(4 * channels)
        self.reduction = nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, h, w, C) -> (B, h / 2, w / 2, 2 C)."""
        maps = F.pad(maps, (0, 0, 0, maps.shape[2] % 2, 0, maps.shape[1] % 2))
        batch, height, width, channels = maps.shape
        squares = maps.reshape(batch, height // 2, 2, width // 2, 2, channels)
        # (B, h / 2, row, w / 2, column, C) -> (B, h / 2, w / 2, column * row * C)
        joined = squares.permute(0, 1, 3, 4, 2, 5).flatten(3)
        merged: Tensor = self.reduction(self.norm(joined))
        return merged


class WindowAttention(nn.Module):
    """Self-attention among the positions of a window, with a bias for each offset between two.

    Args:
        channels: C.
        heads: number of heads.
        window: M.
    """

    relative_position_index: Tensor

    def __init__(self, channels: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(channels, 3 * channels)
        self.proj = nn.Linear(channels, channels)
        self.relative_position_bias_table = nn.Parameter(torch.empty((2 * window - 1) ** 2, heads))
        nn.init.trunc_normal_(self.relative_position_bias_table, std=0.02)
        index = _offsets(window)
        self.register_buffer("relative_position_index", index, persistent=False)

    def forward(self, windows: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what each position gathers in its window.

        Args:
            windows: (B, W, N, C).
            mask: (W, N, N), added to the scores.

        Returns:
            (B, W, N, C).
        """
        batch, count, area, _ = windows.shape
        qkv = self.qkv(windows).reshape(batch, count, area, 3, self.heads, -1)
        # (B, W, N, 3, heads, d) -> 3 of (B, W * heads, N, d): four dimensions, for fused attention
        query, key, value = qkv.permute(3, 0, 1, 4, 2, 5).flatten(2, 3).unbind(0)
        bias = self.relative_position_bias_table[self.relative_position_index].permute(2, 0, 1)
        bias = bias.expand(count, -1, -1, -1)  # (W, heads, N, N)
        if mask is not None:
            bias = bias + mask[:, None].to(bias.dtype)
        scores = bias.reshape(1, count * self.heads, area, area).to(query.dtype)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=scores)
        # (B, W * heads, N, d) -> (B, W, N, C)
        seen = seen.reshape(batch, count, self.heads, area, -1).transpose(2, 3).flatten(3)
        gathered: Tensor = self.proj(seen)
        return gathered


class SwinBlock(nn.Module):
    """Attention inside windows and a multilayer perceptron, each added to its input.

    Args:
        channels: C.
        heads: number of heads.
        window: M.
        is_shifted: lay the windows half a window further.
        drop_path: probability that an image skips one of the two in training.
    """

    def __init__(
        self, channels: int, heads: int, window: int, is_shifted: bool, drop_path: float
    ) -> None:
        super().__init__()
        self.window = window
        self.shift = window // 2 if is_shifted else 0
        self.norm1 = nn.LayerNorm(channels)
        self.attn = WindowAttention(channels, heads, window)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = _MultilayerPerceptron(channels)
        self.drop_path = StochasticDepth(drop_path, "row")

    def forward(self, maps: Tensor) -> Tensor:
        """(B, h, w, C) -> the same shape."""
        maps = maps + self.drop_path(self._attend(self.norm1(maps)))
        changed: Tensor = maps + self.drop_path(self.mlp(self.norm2(maps)))
        return changed

    def _attend(self, maps: Tensor) -> Tensor:
        height, width = maps.shape[1:3]
        padded = F.pad(maps, (0, 0, 0, -width % self.window, 0, -height % self.window))
        size = (padded.shape[1], padded.shape[2])
        mask = None
        if self.shift:
            padded = padded.roll((-self.shift, -self.shift), dims=(1, 2))
            mask = _regions_mask(size, self.window, self.shift, maps.device)
        windows = self.attn(_windows(padded, self.window), mask)
        seen = _maps(windows, self.window, size)
        if self.shift:
            seen = seen.roll((self.shift, self.shift), dims=(1, 2))
        return seen[:, :height, :width]


class _MultilayerPerceptron(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, _MLP_RATIO * channels)
        self.fc2 = nn.Linear(_MLP_RATIO * channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        out: Tensor = self.fc2(F.gelu(self.fc1(maps)))
        return out


def _windows(maps: Tensor, window: int) -> Tensor:
    """(B, h, w, C) -> (B, W, N, C)."""
    batch, height, width, channels = maps.shape
    # (B, h, w, C) -> (B, h / M, M, w / M, M, C) -> (B, h / M, w / M, M, M, C)
    split = maps.reshape(batch, height // window, window, width // window, window, channels)
    return split.transpose(2, 3).reshape(batch, -1, window * window, channels)


def _maps(windows: Tensor, window: int, size: tuple[int, int]) -> Tensor:
    """(B, W, N, C) -> (B, h, w, C)."""
    batch = windows.shape[0]  # whose length would be a number, and fixed where it is exported
    rows, columns = size[0] // window, size[1] // window
    # (B, W, N, C) -> (B, h / M, w / M, M, M, C) -> (B, h / M, M, w / M, M, C)
    split = windows.reshape(batch, rows, columns, window, window, -1)
    return split.transpose(2, 3).reshape(batch, *size, -1)


def _regions_mask(size: tuple[int, int], window: int, shift: int, device: torch.device) -> Tensor:
    """Return what keeps apart positions that shifted maps put beside each other: (W, N, N)."""
    rows = _regions(size[0], window, shift, device)
    columns = _regions(size[1], window, shift, device)
    regions = 3 * rows[:, None] + columns  # (h, w), a number for each of nine regions
    held = _windows(regions[None, :, :, None], window)[0, :, :, 0]  # (W, N)
    return (held[:, :, None] != held[:, None, :]) * _OTHER_REGION


def _regions(length: int, window: int, shift: int, device: torch.device) -> Tensor:
    """Number the positions along a side: before the last window, in it, and wrapped around."""
    positions = torch.arange(length, device=device)
    return (positions >= length - window).long() + (positions >= length - shift).long()


def _offsets(window: int) -> Tensor:
    """Return the row of the table of biases for each pair of positions: (N, N)."""
    positions = torch.arange(window)
    distances = positions[:, None] - positions + window - 1  # (M, M), from 0
    rows = distances[:, None, :, None] * (2 * window - 1)
    # (row, column, row of the other, column of the other) -> (N, N)
    return (rows + distances[None, :, None, :]).reshape(window**2, window**2)


def drop_path_rates(rate: float, depths: tuple[int, ...]) -> list[list[float]]:
    """Return the rate of each block by stage, from 0 at the images linearly up to ``rate``."""
    last = max(1, sum(depths) - 1)
    rates = (rate * number / last for number in range(sum(depths)))
    return [[next(rates) for _ in range(depth)] for depth in depths]

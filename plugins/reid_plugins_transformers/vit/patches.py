"""From images to tokens: overlapping patches, behind a convolutional stem or none.

B images, D dimensions, N patches in h rows and w columns.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from reidcore.errors import ConfigError

PATCH = 16
"""Height and width of a patch, in pixels."""

_STEM_STRIDE = 2
_STEM_CHANNELS = 64


class PatchEmbedding(nn.Module):
    """A token for each patch of an image; at a stride below 16 patches overlap.

    He et al., "TransReID: Transformer-based Object Re-Identification", ICCV 2021.

    Args:
        width: D.
        stride: pixels from a patch to the next one.
    """

    def __init__(self, width: int, stride: int = PATCH) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, width, PATCH, stride)
        nn.init.normal_(self.proj.weight, std=math.sqrt(2 / (PATCH * PATCH * width)))

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, N, D), row by row."""
        maps: Tensor = self.proj(images)
        return maps.flatten(2).transpose(1, 2)  # (B, D, h, w) -> (B, N, D)


class StemPatchEmbedding(PatchEmbedding):
    """Patches of what a convolutional stem sees, half as large as the image.

    The stem of Luo et al., "Self-Supervised Pre-Training for Transformer-Based Person
    Re-Identification", 2021: three convolutions, the first two with IBN.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__(width)
        channels = _STEM_CHANNELS
        self.conv = nn.Sequential(
            nn.Conv2d(3, channels, 7, _STEM_STRIDE, padding=3, bias=False),
            InstanceBatchNorm(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            InstanceBatchNorm(channels),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(inplace=True),
        )
        side = PATCH // _STEM_STRIDE
        self.proj = nn.Conv2d(channels, width, side, side)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, N, D), row by row."""
        return super().forward(self.conv(images))


class InstanceBatchNorm(nn.Module):
    """Instance norm of the first half of the channels, batch norm of the second.

    Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net", ECCV
    2018.

    Args:
        channels: an even number.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.IN = nn.InstanceNorm2d(channels // 2, affine=True)
        self.BN = nn.BatchNorm2d(channels - channels // 2)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        first, second = maps.chunk(2, dim=1)
        return torch.cat([self.IN(first), self.BN(second)], dim=1)


def grid_of(size: tuple[int, int], stride: int = PATCH) -> tuple[int, int]:
    """Return the rows and columns of patches on images of a size.

    Args:
        size: height and width, in pixels.
        stride: pixels from a patch to the next one. Where patches overlap, pixels at the right and
            lower border that fill no patch are not seen, as in the published networks.

    Raises:
        ConfigError: if there is no such stride, the images are smaller than a patch, or patches
            beside one another do not fill them; names the nearest sizes.
    """
    if not 1 <= stride <= PATCH:
        raise ConfigError(
            f"patches cannot be {stride} pixels apart",
            f"Set model.stride from 1 to {PATCH}; TransReID has 16, 12 or 11.",
        )
    smallest = min(size)
    has_rest = stride == PATCH and any(side % PATCH for side in size)
    if smallest < PATCH or has_rest:
        nearest = " or ".join(
            f"{height}x{width}" for height, width in dict.fromkeys(_nearest_sizes(size))
        )
        what = "fill no patch" if smallest < PATCH else "are not filled by patches"
        raise ConfigError(
            f"images of {size[0]}x{size[1]} (height x width) {what} of {PATCH}x{PATCH} pixels",
            f"Set data.height and data.width (in Python image_size) to {nearest}.",
        )
    rows, columns = ((side - PATCH) // stride + 1 for side in size)
    return rows, columns


def _nearest_sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """Return the size below and the one above that patches beside one another fill."""
    height, width = size
    return [
        (max(PATCH, way(height / PATCH) * PATCH), max(PATCH, way(width / PATCH) * PATCH))
        for way in (math.floor, math.ceil)
    ]

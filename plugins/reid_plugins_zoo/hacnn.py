"""HACNN, with the keys and outputs of the public checkpoints.

Li et al., "Harmonious Attention Network for Person Re-Identification", CVPR 2018.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_zoo.blocks import ConvBlock, Streams
from reid_plugins_zoo.embedding import fully_connected
from reidcore.models import Outputs, ReidModel

_log = logging.getLogger(f"reidcore.{__name__}")

_REGIONS = 4
_STEM = 32
_CHANNELS = (128, 256, 384)
# Size (h, w) at which each level looks at a region.
_REGION_SIZES = ((24, 28), (12, 14), (6, 7))
_BRANCH = 512
# Where the centres of the regions start, one above the other: from -1, the top, to 1.
_CENTRES = (-0.75, -0.25, 0.25, 0.75)
_REDUCTION = 16


class Level(NamedTuple):
    """What one level does.

    Attributes:
        given: the maps that it was given (B, c_in, h, w).
        attended: the maps that it hands on (B, c_out, h / 2, w / 2).
        centres: of the regions to look at (B, regions, 2), as (x, y) from -1 to 1.
    """

    given: Tensor
    attended: Tensor
    centres: Tensor


class SpatialAttention(nn.Module):
    """How much each pixel matters, from the mean of its channels (section 3.1 of the paper)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = ConvBlock(1, 1, 3, stride=2)
        self.conv2 = ConvBlock(1, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, 1, h, w), for even h and w."""
        coarse = self.conv1(maps.mean(1, keepdim=True))
        fine = F.interpolate(coarse, maps.shape[2:], mode="bilinear", align_corners=True)
        weights: Tensor = self.conv2(fine)
        return weights


class ChannelAttention(nn.Module):
    """How much each channel matters, from its mean over the map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = ConvBlock(channels, channels // _REDUCTION)
        self.conv2 = ConvBlock(channels // _REDUCTION, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, channels, 1, 1)."""
        weights: Tensor = self.conv2(self.conv1(maps.mean((2, 3), keepdim=True)))
        return weights


class SoftAttention(nn.Module):
    """How much each pixel of each channel matters."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.spatial_attn = SpatialAttention()
        self.channel_attn = ChannelAttention(channels)
        self.conv = ConvBlock(channels, channels)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        return torch.sigmoid(self.conv(self.spatial_attn(maps) * self.channel_attn(maps)))


class HardAttention(nn.Module):
    """Where the regions are that the local branch looks at."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc = nn.Linear(channels, _REGIONS * 2)
        nn.init.zeros_(self.fc.weight)
        with torch.no_grad():
            self.fc.bias.copy_(torch.tensor([(0.0, centre) for centre in _CENTRES]).flatten())

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> centres (B, regions, 2) as (x, y) from -1 to 1."""
        return torch.tanh(self.fc(maps.mean((2, 3)))).view(-1, _REGIONS, 2)


class HarmoniousAttention(nn.Module):
    """Soft attention to pixels and channels, hard attention to regions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.soft_attn = SoftAttention(channels)
        self.hard_attn = HardAttention(channels)

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, channels, h, w) -> the maps attended to, and the regions' centres (B, regions, 2)."""
        return maps * self.soft_attn(maps), self.hard_attn(maps)


class HACNN(ReidModel):
    """Harmonious attention network: a global branch, and a local one that looks at four regions.

    Logits and features are pairs, global and local.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    fixed_size = (160, 64)
    _scale: Tensor

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        steps = tuple(pairwise((_STEM, *_CHANNELS)))
        self.conv = ConvBlock(3, _STEM, 3, stride=2)
        for number, (c_in, c_out) in enumerate(steps, 1):
            mixing = nn.Sequential(_mix(c_in, c_out), _shrink(c_out, c_out))
            self.add_module(f"inception{number}", mixing)
            self.add_module(f"ha{number}", HarmoniousAttention(c_out))
        self.fc_global = fully_connected(_CHANNELS[-1], [_BRANCH])
        self.classifier_global = nn.Linear(_BRANCH, num_classes)
        for number, (c_in, c_out) in enumerate(steps, 1):
            self.add_module(f"local_conv{number}", _shrink(c_in, c_out))
        self.fc_local = fully_connected(_CHANNELS[-1] * _REGIONS, [_BRANCH])
        self.classifier_local = nn.Linear(_BRANCH, num_classes)
        self.feature_dim = 2 * _BRANCH
        # A region is as wide as the image and a quarter of its height.
        scale = torch.tensor([[1.0, 0.0], [0.0, 1 / _REGIONS]])
        self.register_buffer("_scale", scale, persistent=False)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, 160, 64) -> the last maps of the global branch (B, 384, 10, 4)."""
        return self._levels(images)[-1].attended

    def describe(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 3, 160, 64) -> global and local embeddings, (B, 512) each."""
        levels = self._levels(images)
        regions: list[Any] = [0.0] * _REGIONS
        for number, (level, size) in enumerate(zip(levels, _REGION_SIZES, strict=True), 1):
            local = self.get_submodule(f"local_conv{number}")
            regions = [
                local(region + self._cut(level.given, centre, size))
                for region, centre in zip(regions, level.centres.unbind(1), strict=True)
            ]
        parts = torch.cat([region.mean((2, 3)) for region in regions], 1)
        return self.fc_global(levels[-1].attended.mean((2, 3))), self.fc_local(parts)

    def heads(self, embedding: tuple[Tensor, Tensor], pids: Tensor | None) -> Outputs:
        """Classify both branches."""
        whole, parts = embedding
        return Outputs((self.classifier_global(whole), self.classifier_local(parts)), embedding)

    def retrieval(self, embedding: tuple[Tensor, Tensor]) -> Tensor:
        """Scale both embeddings to length 1 and string them together: (B, 1024)."""
        return torch.cat([F.normalize(branch) for branch in embedding], 1)

    def _levels(self, images: Tensor) -> list[Level]:
        """Run the global branch."""
        maps, levels = self.conv(images), []
        for number in range(1, len(_CHANNELS) + 1):
            mixed = self.get_submodule(f"inception{number}")(maps)
            levels.append(Level(maps, *self.get_submodule(f"ha{number}")(mixed)))
            maps = levels[-1].attended
        return levels

    def _cut(self, maps: Tensor, centre: Tensor, size: tuple[int, int]) -> Tensor:
        """Cut the region about ``centre`` (B, 2) out of maps: (B, c, h, w) -> (B, c, *size)."""
        # maps.shape[0], not len(maps): tracing and exporting keep it open.
        scale = self._scale.expand(maps.shape[0], 2, 2)
        affine = torch.cat((scale, centre.unsqueeze(2)), 2)  # (B, 2, 3)
        where = F.affine_grid(affine, maps.shape, align_corners=False)  # type: ignore[arg-type]
        region = F.grid_sample(maps, where, align_corners=False)
        return F.interpolate(region, size, mode="bilinear", align_corners=True)


def _mix(c_in: int, c_out: int) -> Streams:
    """Convolutions side by side that keep the size of the maps."""
    mid = c_out // 4
    return Streams(
        *(nn.Sequential(ConvBlock(c_in, mid), ConvBlock(mid, mid, 3)) for _ in range(3)),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), ConvBlock(c_in, mid)),
    )


def _shrink(c_in: int, c_out: int) -> Streams:
    """Convolutions side by side that halve the size of the maps."""
    mid = c_out // 4
    return Streams(
        nn.Sequential(ConvBlock(c_in, mid), ConvBlock(mid, mid, 3, stride=2)),
        nn.Sequential(
            ConvBlock(c_in, mid), ConvBlock(mid, mid, 3), ConvBlock(mid, mid, 3, stride=2)
        ),
        nn.Sequential(nn.MaxPool2d(3, stride=2, padding=1), ConvBlock(c_in, 2 * mid)),
    )


def hacnn(num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True) -> HACNN:
    """Harmonious attention network; it has no published starting weights."""
    if pretrained:
        _log.info("hacnn has no published weights: it starts from random ones")
    return HACNN(num_classes, loss)

"""ShuffleNet, with the keys and outputs of the public checkpoints.

Zhang et al., "ShuffleNet: An Extremely Efficient Convolutional Neural Network for Mobile Devices",
CVPR 2018. (torchvision has only its successor.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.errors import ConfigError
from reidcore.models import ReidModel, load_published_weights

_STEM = 24
_REDUCTION = 4
_REPEATS = {"stage2": 4, "stage3": 8, "stage4": 4}

# Channels of stage 2 by number of groups (table 1 of the paper); each later stage has twice those.
WIDTHS = {1: 144, 2: 200, 3: 240, 4: 272, 8: 384}


class ShuffleNet(ReidModel):
    """Grouped convolutions across channels, which are shuffled so that groups exchange them.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        num_groups: groups of each convolution across channels: 1, 2, 3, 4 or 8.

    Raises:
        ConfigError: for another number of groups.
    """

    def __init__(self, num_classes: int, loss: str = "softmax", num_groups: int = 3) -> None:
        super().__init__(loss)
        if num_groups not in WIDTHS:
            raise ConfigError(
                f"there is no ShuffleNet of {num_groups} groups",
                f"num_groups is one of {', '.join(map(str, WIDTHS))}.",
            )
        self.conv1 = nn.Sequential(
            nn.Conv2d(3, _STEM, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(_STEM),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        width, wider = _STEM, WIDTHS[num_groups]
        for name, repeats in _REPEATS.items():
            blocks = [Bottleneck(width, wider, num_groups)]
            blocks += [Bottleneck(wider, wider, num_groups) for _ in range(repeats - 1)]
            self.add_module(name, nn.Sequential(*blocks))
            width, wider = wider, 2 * wider
        self.feature_dim = width
        self.classifier = nn.Linear(width, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32)."""
        maps: Tensor = self.conv1(images)
        for name in _REPEATS:
            maps = self.get_submodule(name)(maps)
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, channels)."""
        return maps.mean((2, 3))


class Bottleneck(nn.Module):
    """A residual block; where channels grow it halves the maps and joins instead of adding.

    Args:
        c_in: channels coming in.
        c_out: channels going out.
        num_groups: groups of the convolutions across channels.
    """

    def __init__(self, c_in: int, c_out: int, num_groups: int) -> None:
        super().__init__()
        mid = c_out // _REDUCTION
        halves = c_in != c_out
        # The stem has too few channels for groups.
        first_groups = 1 if c_in == _STEM else num_groups
        self.conv1 = nn.Conv2d(c_in, mid, 1, groups=first_groups, bias=False)
        self.bn1 = nn.BatchNorm2d(mid)
        self.conv2 = nn.Conv2d(
            mid, mid, 3, stride=2 if halves else 1, padding=1, groups=mid, bias=False
        )
        self.bn2 = nn.BatchNorm2d(mid)
        added = c_out - c_in if halves else c_out
        self.conv3 = nn.Conv2d(mid, added, 1, groups=num_groups, bias=False)
        self.bn3 = nn.BatchNorm2d(added)
        self.shortcut = nn.AvgPool2d(3, stride=2, padding=1) if halves else None
        self._num_groups = num_groups

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h, w), or half that size."""
        branch = shuffled(F.relu(self.bn1(self.conv1(maps))), self._num_groups)
        branch = self.bn3(self.conv3(self.bn2(self.conv2(branch))))
        if self.shortcut is None:
            return F.relu(maps + branch)
        return F.relu(torch.cat([self.shortcut(maps), branch], 1))


def shuffled(maps: Tensor, groups: int) -> Tensor:
    """Deal the channels (B, channels, h, w) out, so that each group gets some of every group."""
    batch, channels, height, width = maps.shape
    grouped = maps.reshape(batch, groups, channels // groups, height, width)
    return grouped.transpose(1, 2).reshape(maps.shape)


def shufflenet(
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    num_groups: int = 3,
) -> ShuffleNet:
    """Build a ShuffleNet; published weights are for three groups."""
    model = ShuffleNet(num_classes, loss, num_groups)
    if pretrained:
        load_published_weights(model, "shufflenet")
    return model

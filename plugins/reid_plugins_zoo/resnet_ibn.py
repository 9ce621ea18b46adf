"""ResNet-50 with instance normalisation, on torchvision's layers.

Pan et al., "Two at Once: Enhancing Learning and Generalization Capacities via IBN-Net", ECCV 2018.

Normalising each image by itself takes appearance away, normalising over the batch keeps it. IBN-a
does both at the start of a block, on half of the channels each; IBN-b normalises the sums of two
stages. Starting weights are the authors' own, where Torchreid takes those of a plain ResNet-50.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import resnet

from reid_plugins_zoo.resnet import TRUNKS, Architecture, factory_of
from reidcore.models import initialise


class InstanceBatchNorm(nn.Module):
    """Instance norm on the first half of the channels, batch norm on the second."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.IN = nn.InstanceNorm2d(channels // 2, affine=True)
        self.BN = nn.BatchNorm2d(channels - channels // 2)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        half = self.IN.num_features
        return torch.cat((self.IN(maps[:, :half]), self.BN(maps[:, half:])), dim=1)


class NormalisedSum(resnet.Bottleneck):  # type: ignore[misc]
    """Residual block whose sum is normalised image by image."""

    def __init__(self, block: resnet.Bottleneck) -> None:
        channels = block.conv3.out_channels
        super().__init__(channels, block.conv2.out_channels)
        self.IN = nn.InstanceNorm2d(channels, affine=True)
        initialise(self)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        branch = self.relu(self.bn1(self.conv1(x)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        summed: Tensor = self.relu(self.IN(self.bn3(self.conv3(branch)) + x))
        return summed


def _ibn_a() -> resnet.ResNet:
    """IBN-a: in all stages but the last."""
    trunk = TRUNKS["resnet50"]()
    for stage in (trunk.layer1, trunk.layer2, trunk.layer3):
        for block in stage:
            block.bn1 = InstanceBatchNorm(block.bn1.num_features)
    return trunk


def _ibn_b() -> resnet.ResNet:
    """IBN-b: on the stem and on the sums that end the first two stages."""
    trunk = TRUNKS["resnet50"]()
    trunk.bn1 = nn.InstanceNorm2d(trunk.bn1.num_features, affine=True)
    for stage in (trunk.layer1, trunk.layer2):
        stage[-1] = NormalisedSum(stage[-1])
    return trunk


# Instance norm takes maps of two places or more.
resnet50_ibn_a = factory_of(Architecture("resnet50_ibn_a", _ibn_a, pooled=5))
resnet50_ibn_b = factory_of(Architecture("resnet50_ibn_b", _ibn_b, pooled=3))

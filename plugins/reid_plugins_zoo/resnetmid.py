"""ResNet-50 whose features also tell of the layers before the last.

Yu et al., "The Devil is in the Middle: Exploiting Mid-level Representations for Cross-Domain
Instance Matching", arXiv:1711.08106.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reid_plugins_zoo.embedding import fully_connected
from reid_plugins_zoo.resnet import TRUNKS, ResidualMaps
from reidcore.models import initialise, load_published_weights

_FUSED = 1024


class ResNetMid(ResidualMaps):
    """ResNet-50 that describes an image by all three blocks of its last stage.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(TRUNKS["resnet50"](), loss)
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc_fusion = fully_connected(2 * self.channels, [_FUSED])
        self.feature_dim = _FUSED + self.channels
        self.classifier = nn.Linear(self.feature_dim, num_classes)
        initialise(self.fc_fusion)
        initialise(self.classifier)

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        maps, pooled = self.before_last(images), []
        for block in self.layer4:
            maps = block(maps)
            pooled.append(self.global_avgpool(maps).flatten(1))
        *middle, last = pooled
        return torch.cat((self.fc_fusion(torch.cat(middle, 1)), last), 1)


def resnet50mid(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> ResNetMid:
    """ResNet-50 with mid-level features; it starts from the weights of a plain one."""
    model = ResNetMid(num_classes, loss)
    if pretrained:
        load_published_weights(model, "resnet50mid")
    return model

"""Inception-v4, with the keys and outputs of the public checkpoints.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", AAAI 2017. (torchvision has only Inception-v3.)
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from reid_plugins_zoo.embedding import PooledModel
from reid_plugins_zoo.inception_blocks import (
    MAX,
    MEAN,
    Block,
    Branch,
    Conv,
    Step,
    branches,
    chain,
    halving,
    unpadded,
)
from reidcore.models import load_published_weights

# Figures 3 to 8 of the paper.
STEM: Sequence[Step | Block] = (
    halving(32),
    unpadded(32),
    Conv(64, 3),
    [Branch("maxpool", [MAX]), Branch("conv", [halving(96)])],
    branches(
        [Conv(64), unpadded(96)],
        [Conv(64), Conv(64, (1, 7)), Conv(64, (7, 1)), unpadded(96)],
    ),
    [Branch("conv", [halving(192)]), Branch("maxpool", [MAX])],
)
A = branches(
    [Conv(96)],
    [Conv(64), Conv(96, 3)],
    [Conv(64), Conv(96, 3), Conv(96, 3)],
    [MEAN, Conv(96)],
)
REDUCTION_A = branches(
    [halving(384)],
    [Conv(192), Conv(224, 3), halving(256)],
    [MAX],
)
B = branches(
    [Conv(384)],
    [Conv(192), Conv(224, (1, 7)), Conv(256, (7, 1))],
    [Conv(192), Conv(192, (7, 1)), Conv(224, (1, 7)), Conv(224, (7, 1)), Conv(256, (1, 7))],
    [MEAN, Conv(128)],
)
REDUCTION_B = branches(
    [Conv(192), halving(192)],
    [Conv(256), Conv(256, (1, 7)), Conv(320, (7, 1)), halving(320)],
    [MAX],
)
C = (
    Branch("branch0", [Conv(256)]),
    Branch("branch1_0", [Conv(384)]),
    Branch("branch1_1a", [Conv(256, (1, 3))], reads="branch1_0"),
    Branch("branch1_1b", [Conv(256, (3, 1))], reads="branch1_0"),
    Branch("branch2_0", [Conv(384)]),
    Branch("branch2_1", [Conv(448, (3, 1))], reads="branch2_0"),
    Branch("branch2_2", [Conv(512, (1, 3))], reads="branch2_1"),
    Branch("branch2_3a", [Conv(256, (1, 3))], reads="branch2_2"),
    Branch("branch2_3b", [Conv(256, (3, 1))], reads="branch2_2"),
    Branch("branch3", [MEAN, Conv(256)]),
)
LAYERS: Sequence[Step | Block] = (*STEM, *[A] * 4, REDUCTION_A, *[B] * 7, REDUCTION_B, *[C] * 3)


class InceptionV4(PooledModel):
    """A stem and three kinds of blocks, between which maps are halved.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    min_size = (75, 75)

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        self.features, channels = chain(3, LAYERS)
        self.add_head(channels, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1536, H / 32, W / 32), less a border."""
        maps: Tensor = self.features(images)
        return maps


def inceptionv4(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> InceptionV4:
    """Build an Inception-v4."""
    model = InceptionV4(num_classes, loss)
    if pretrained:
        load_published_weights(model, "inceptionv4")
    return model

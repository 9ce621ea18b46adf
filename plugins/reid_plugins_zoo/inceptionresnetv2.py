"""Inception-ResNet-v2, with the keys and outputs of the public checkpoints.

Szegedy et al., "Inception-v4, Inception-ResNet and the Impact of Residual Connections on
Learning", AAAI 2017. (torchvision has only Inception-v3.)
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from reid_plugins_zoo.embedding import PooledModel
from reid_plugins_zoo.inception_blocks import (
    MAX,
    MEAN,
    Block,
    Conv,
    Residual,
    Step,
    branches,
    built,
    halving,
    unpadded,
)
from reidcore.models import load_published_weights


@dataclass(frozen=True)
class Stack:
    """Residual blocks one after the other.

    Attributes:
        block: the branches of each.
        times: how many there are.
        scale: weighs what each adds to its input.
    """

    block: Block
    times: int
    scale: float


_BLOCK_8 = branches(
    [Conv(192)],
    [Conv(192), Conv(224, (1, 3)), Conv(256, (3, 1))],
)
LAYERS: dict[str, Step | Block | Stack] = {
    "conv2d_1a": halving(32),
    "conv2d_2a": unpadded(32),
    "conv2d_2b": Conv(64, 3),
    "maxpool_3a": MAX,
    "conv2d_3b": Conv(80),
    "conv2d_4a": unpadded(192),
    "maxpool_5a": MAX,
    "mixed_5b": branches(
        [Conv(96)],
        [Conv(48), Conv(64, 5)],
        [Conv(64), Conv(96, 3), Conv(96, 3)],
        [MEAN, Conv(64)],
    ),
    "repeat": Stack(
        branches(
            [Conv(32)],
            [Conv(32), Conv(32, 3)],
            [Conv(32), Conv(48, 3), Conv(64, 3)],
        ),
        times=10,
        scale=0.17,
    ),
    "mixed_6a": branches(
        [halving(384)],
        [Conv(256), Conv(256, 3), halving(384)],
        [MAX],
    ),
    "repeat_1": Stack(
        branches(
            [Conv(192)],
            [Conv(128), Conv(160, (1, 7)), Conv(192, (7, 1))],
        ),
        times=20,
        scale=0.10,
    ),
    "mixed_7a": branches(
        [Conv(256), halving(384)],
        [Conv(256), halving(288)],
        [Conv(256), Conv(288, 3), halving(320)],
        [MAX],
    ),
    "repeat_2": Stack(_BLOCK_8, times=9, scale=0.20),
}


class InceptionResNetV2(PooledModel):
    """A stem and three stacks of residual blocks, between which maps are halved.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    min_size = (75, 75)

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        channels = 3
        for name, part in LAYERS.items():
            if isinstance(part, Stack):
                blocks = (Residual(channels, part.block, part.scale) for _ in range(part.times))
                self.add_module(name, nn.Sequential(*blocks))
            else:
                layer, channels = built(channels, part)
                self.add_module(name, layer)
        self.block8 = Residual(channels, _BLOCK_8, scale=1.0, active=False)
        self.conv2d_7b, channels = built(channels, Conv(1536))
        self._layer_names = tuple(name for name, _ in self.named_children())
        self.add_head(channels, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 1536, H / 32, W / 32), less a border."""
        maps = images
        for name in self._layer_names:
            maps = self.get_submodule(name)(maps)
        return maps


def inceptionresnetv2(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> InceptionResNetV2:
    """Build an Inception-ResNet-v2."""
    model = InceptionResNetV2(num_classes, loss)
    if pretrained:
        load_published_weights(model, "inceptionresnetv2")
    return model

"""ShuffleNetV2, on torchvision's layers.

Ma et al., "ShuffleNet V2: Practical Guidelines for Efficient CNN Architecture Design", ECCV 2018.

Published checkpoints have torchvision's keys save those of the classifier, so the other layers are
torchvision's own.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from torch import Tensor
from torchvision.models import shufflenetv2

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import load_published_weights

_LAYERS = ("conv1", "maxpool", "stage2", "stage3", "stage4", "conv5")
_REPEATS = (4, 8, 4)

# Channels of the stem, of the three stages and of the last convolution.
WIDTHS = {
    "shufflenet_v2_x0_5": (24, 48, 96, 192, 1024),
    "shufflenet_v2_x1_0": (24, 116, 232, 464, 1024),
    "shufflenet_v2_x1_5": (24, 176, 352, 704, 1024),
    "shufflenet_v2_x2_0": (24, 244, 488, 976, 2048),
}


class ShuffleNetV2(PooledModel):
    """Blocks that work on half of the channels and shuffle both halves.

    Args:
        name: which width.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    def __init__(self, name: str, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        widths = WIDTHS[name]
        trunk = shufflenetv2.ShuffleNetV2(list(_REPEATS), list(widths), num_classes=1)
        for layer in _LAYERS:
            self.add_module(layer, trunk.get_submodule(layer))
        self.add_head(widths[-1], num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32)."""
        maps = images
        for layer in _LAYERS:
            maps = self.get_submodule(layer)(maps)
        return maps


def _build(
    name: str, num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> ShuffleNetV2:
    """Build a ShuffleNetV2 (Ma et al., 2018), from ImageNet weights if ``pretrained``."""
    model = ShuffleNetV2(name, num_classes, loss)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., ShuffleNetV2]

shufflenet_v2_x0_5: Factory = partial(_build, "shufflenet_v2_x0_5")
shufflenet_v2_x1_0: Factory = partial(_build, "shufflenet_v2_x1_0")
shufflenet_v2_x1_5: Factory = partial(_build, "shufflenet_v2_x1_5")
shufflenet_v2_x2_0: Factory = partial(_build, "shufflenet_v2_x2_0")

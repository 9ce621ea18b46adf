"""SqueezeNet, on torchvision's layers.

Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model
size", arXiv:1602.07360.

Published checkpoints have torchvision's keys below ``features``, so these layers are torchvision's
own; the pooling and the classifier are those of the zoo.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from torch import Tensor
from torchvision.models import squeezenet

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import initialise, load_published_weights

_CHANNELS = 512

# The smallest image, by version, that leaves something to pool.
_MIN_SIZE = {"1_0": (21, 21), "1_1": (17, 17)}


class SqueezeNet(PooledModel):
    """Squeezed and expanded maps, again and again.

    Args:
        version: ``"1_0"``, or ``"1_1"``, which costs a third.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        widths: size of each fully connected layer between the pooled maps and the classifier.
    """

    def __init__(
        self,
        version: str,
        num_classes: int,
        loss: str = "softmax",
        widths: Sequence[int] = (),
    ) -> None:
        super().__init__(loss)
        self.features = squeezenet.SqueezeNet(version, num_classes=1).features
        initialise(self.features)
        self.min_size = _MIN_SIZE[version]
        self.add_head(_CHANNELS, num_classes, widths)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 512, H / 16, W / 16)."""
        maps: Tensor = self.features(images)
        return maps


def _build(
    name: str,
    version: str,
    widths: Sequence[int],
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
) -> SqueezeNet:
    """Build a SqueezeNet (Iandola et al., 2016), from ImageNet weights if ``pretrained``."""
    model = SqueezeNet(version, num_classes, loss, widths)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., SqueezeNet]

squeezenet1_0: Factory = partial(_build, "squeezenet1_0", "1_0", ())
squeezenet1_0_fc512: Factory = partial(_build, "squeezenet1_0_fc512", "1_0", (512,))
squeezenet1_1: Factory = partial(_build, "squeezenet1_1", "1_1", ())

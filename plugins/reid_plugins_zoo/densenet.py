"""DenseNet, on torchvision's layers.

Huang et al., "Densely Connected Convolutional Networks", CVPR 2017.

Published checkpoints have torchvision's keys below ``features``, so these layers are torchvision's
own; the pooling and the classifier are those of the zoo.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from torch import Tensor
from torch.nn import functional as F
from torchvision.models import densenet

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import initialise, load_published_weights

Trunk: TypeAlias = Callable[..., densenet.DenseNet]

_DOTTED = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)")

_trunk = partial(densenet.DenseNet, num_classes=1)

TRUNKS: dict[str, Trunk] = {
    "densenet121": partial(_trunk, 32, (6, 12, 24, 16), 64),
    "densenet169": partial(_trunk, 32, (6, 12, 32, 32), 64),
    "densenet201": partial(_trunk, 32, (6, 12, 48, 32), 64),
    "densenet161": partial(_trunk, 48, (6, 12, 36, 24), 96),
}


class DenseNet(PooledModel):
    """Densely connected network.

    Args:
        trunk: the network that gives its layers.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        widths: size of each fully connected layer between the pooled maps and the classifier.
    """

    min_size = (29, 29)

    def __init__(
        self,
        trunk: densenet.DenseNet,
        num_classes: int,
        loss: str = "softmax",
        widths: Sequence[int] = (),
    ) -> None:
        super().__init__(loss)
        self.features = trunk.features
        initialise(self.features)
        self.add_head(trunk.classifier.in_features, num_classes, widths)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32)."""
        return F.relu(self.features(images))


def undotted(key: str) -> str:
    """Return the layers' name of a key in torchvision's files, which are older than these names.

    ``denselayer1.norm.1.weight`` is ``denselayer1.norm1.weight`` here.
    """
    return _DOTTED.sub(r"\1\2", key)


def _build(
    name: str,
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    drop_rate: float = 0.0,
) -> DenseNet:
    """Build a DenseNet (Huang et al., 2017), from ImageNet weights if ``pretrained``.

    ``drop_rate`` is the share of the maps that each layer adds which training leaves out.
    """
    trunk, _, width = name.partition("_fc")
    widths = [int(width)] if width else []
    model = DenseNet(TRUNKS[trunk](drop_rate=drop_rate), num_classes, loss, widths)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., DenseNet]

densenet121: Factory = partial(_build, "densenet121")
densenet169: Factory = partial(_build, "densenet169")
densenet201: Factory = partial(_build, "densenet201")
densenet161: Factory = partial(_build, "densenet161")
densenet121_fc512: Factory = partial(_build, "densenet121_fc512")

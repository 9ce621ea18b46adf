"""ResNet and ResNeXt, on torchvision's layers.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; Xie et al., "Aggregated
Residual Transformations for Deep Neural Networks", CVPR 2017.

Published checkpoints have torchvision's keys, so the layers are torchvision's own; only the
classifier is another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn
from torchvision.models import resnet

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import ReidModel, load_published_weights

Trunk: TypeAlias = Callable[[], resnet.ResNet]

_BEFORE_LAST = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")

_basic = partial(resnet.ResNet, resnet.BasicBlock, num_classes=1)
_deep = partial(resnet.ResNet, resnet.Bottleneck, num_classes=1)

TRUNKS: dict[str, Trunk] = {
    "resnet18": partial(_basic, [2, 2, 2, 2]),
    "resnet34": partial(_basic, [3, 4, 6, 3]),
    "resnet50": partial(_deep, [3, 4, 6, 3]),
    "resnet101": partial(_deep, [3, 4, 23, 3]),
    "resnet152": partial(_deep, [3, 8, 36, 3]),
    "resnext50_32x4d": partial(_deep, [3, 4, 6, 3], groups=32, width_per_group=4),
    "resnext101_32x8d": partial(_deep, [3, 4, 23, 3], groups=32, width_per_group=8),
}


class ResidualMaps(ReidModel):
    """The convolutions of a ResNet; a subclass adds what comes after the maps.

    Args:
        trunk: the network that gives its layers.
        loss: what training returns (see ``ReidModel``).
        last_stride: 1 leaves the last maps at a sixteenth of the image, twice as large as 2 does.

    Attributes:
        channels: channels of the last maps.
    """

    stages = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))

    def __init__(self, trunk: resnet.ResNet, loss: str = "softmax", last_stride: int = 2) -> None:
        super().__init__(loss)
        for name in _BEFORE_LAST:
            self.add_module(name, trunk.get_submodule(name))
        self.layer4 = trunk.layer4
        if last_stride == 1:
            _keep_size(self.layer4)
        self.channels = trunk.fc.in_features

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32), or / 16 where the last stride is 1."""
        maps: Tensor = self.layer4(self.before_last(images))
        return maps

    def before_last(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels / 2, H / 16, W / 16): what the last stage is given."""
        maps = images
        for name in _BEFORE_LAST:
            maps = self.get_submodule(name)(maps)
        return maps


class ResNet(ResidualMaps, PooledModel):
    """Residual network.

    Args:
        trunk: the network that gives its layers.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        last_stride: see ``ResidualMaps``.
        widths: size of each fully connected layer between the pooled maps and the classifier.
    """

    def __init__(
        self,
        trunk: resnet.ResNet,
        num_classes: int,
        loss: str = "softmax",
        last_stride: int = 2,
        widths: Sequence[int] = (),
    ) -> None:
        super().__init__(trunk, loss, last_stride)
        self.add_head(self.channels, num_classes, widths)


def _keep_size(stage: nn.Module) -> None:
    for layer in stage.modules():
        if isinstance(layer, nn.Conv2d):
            layer.stride = (1, 1)


def _build(
    name: str, num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> ResNet:
    """Build the network called ``name``; the other arguments are those of ``ResNet``."""
    model = ResNet(TRUNKS[name](), num_classes, loss)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., ResNet]

resnet18: Factory = partial(_build, "resnet18")
resnet34: Factory = partial(_build, "resnet34")
resnet50: Factory = partial(_build, "resnet50")
resnet101: Factory = partial(_build, "resnet101")
resnet152: Factory = partial(_build, "resnet152")
resnext50_32x4d: Factory = partial(_build, "resnext50_32x4d")
resnext101_32x8d: Factory = partial(_build, "resnext101_32x8d")


def resnet50_fc512(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> ResNet:
    """ResNet-50 with last stride 1 and 512-dim features."""
    model = ResNet(TRUNKS["resnet50"](), num_classes, loss, last_stride=1, widths=[512])
    if pretrained:
        load_published_weights(model, "resnet50_fc512")
    return model

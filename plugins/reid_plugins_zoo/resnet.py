"""ResNet and ResNeXt, on torchvision's layers.

He et al., "Deep Residual Learning for Image Recognition", CVPR 2016; Xie et al., "Aggregated
Residual Transformations for Deep Neural Networks", CVPR 2017.

Published checkpoints have torchvision's keys, so the layers are torchvision's own; only the
classifier is another. What re-identification changes in them is in ``resnet_variants``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from torch import Tensor, nn
from torchvision.models import resnet

from reid_plugins_zoo.embedding import PooledModel
from reid_plugins_zoo.resnet_variants import (
    NonLocalCounts,
    Stem,
    Width,
    add_non_local,
    set_stem,
    smallest_side,
)
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
        stem: how the network begins.
    """

    stem: Stem = "torchvision"
    stages = (("conv1", "bn1"), ("layer1",), ("layer2",), ("layer3",), ("layer4",))

    def __init__(self, trunk: resnet.ResNet, loss: str = "softmax", last_stride: int = 2) -> None:
        super().__init__(loss)
        for name in _BEFORE_LAST:
            self.add_module(name, trunk.get_submodule(name))
        self.layer4 = trunk.layer4
        if last_stride == 1:
            keep_size(self.layer4)
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


def keep_size(stage: nn.Module) -> None:
    """Let the maps of a stage keep their size, whatever its stride was."""
    for layer in stage.modules():
        if isinstance(layer, nn.Conv2d):
            layer.stride = (1, 1)


@dataclass(frozen=True)
class Architecture:
    """A ResNet by its name, which is that of its published weights too.

    Attributes:
        name: as it is registered.
        trunk: makes the network that gives its layers.
        last_stride: see ``ResidualMaps``.
        widths: see ``ResNet``.
        pooled: the fewest rows behind the stem that it can be trained with.
    """

    name: str
    trunk: Trunk
    last_stride: int = 2
    widths: Sequence[int] = ()
    pooled: int = 1


Factory: TypeAlias = Callable[..., ResNet]


def factory_of(architecture: Architecture) -> Factory:
    """Return the function that builds a ResNet, whose keyword arguments are its options."""

    def build(
        num_classes: int = 1000,
        loss: str = "softmax",
        pretrained: bool = True,
        *,
        stem: Stem = "torchvision",
        non_local: NonLocalCounts = (0, 0, 0, 0),
        non_local_channels: Width | None = 1,
    ) -> ResNet:
        """Build the network.

        Args:
            num_classes: number of training identities (C).
            loss: what training returns (see ``ReidModel``).
            pretrained: start from published weights.
            stem: how the network begins, which weights may depend on.
            non_local: how many non-local blocks stand behind the last blocks of each stage.
            non_local_channels: channels that they work on; None for half of the maps'. The weights
                of AGW and FastReID have 1.

        Raises:
            ConfigError: if a stage has fewer blocks than non-local ones.
        """
        trunk, last_stride = architecture.trunk(), architecture.last_stride
        model = ResNet(trunk, num_classes, loss, last_stride, architecture.widths)
        if pretrained:
            load_published_weights(model, architecture.name)
        set_stem(model, stem)
        model.stem = stem
        model.min_size = (smallest_side(stem, architecture.pooled), smallest_side(stem))
        if any(non_local):
            add_non_local(model, model.channels, non_local, non_local_channels)
        return model

    return build


def _plain(name: str) -> Factory:
    return factory_of(Architecture(name, TRUNKS[name]))


resnet18 = _plain("resnet18")
resnet34 = _plain("resnet34")
resnet50 = _plain("resnet50")
resnet101 = _plain("resnet101")
resnet152 = _plain("resnet152")
resnext50_32x4d = _plain("resnext50_32x4d")
resnext101_32x8d = _plain("resnext101_32x8d")
resnet50_fc512 = factory_of(
    Architecture("resnet50_fc512", TRUNKS["resnet50"], last_stride=1, widths=(512,))
)

"""SE-ResNet and SE-ResNeXt: residual networks that weigh their channels.

Hu et al., "Squeeze-and-Excitation Networks", CVPR 2018.

Published checkpoints descend from the authors' Caffe models, which torchvision's ResNet cannot
hold: the stem has keys of its own and rounds up where it pools, SE-ResNet strides in the first
convolution of a block, and channels are weighed before the sum.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor, nn

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import load_published_weights

_EXPANSION = 4
_CHANNELS = 8 * 64 * _EXPANSION
_REDUCTION = 16


@dataclass(frozen=True)
class Variant:
    """One published network.

    Attributes:
        depths: blocks of each stage.
        width: channels inside the blocks of the first stage; each later stage has twice those.
        groups: of the 3x3 convolutions.
        strided: which convolution of a stage's first block halves the maps, 1 or 2.
    """

    depths: tuple[int, int, int, int]
    width: int = 64
    groups: int = 1
    strided: int = 1


_next = partial(Variant, width=128, groups=32, strided=2)

VARIANTS = {
    "se_resnet50": Variant((3, 4, 6, 3)),
    "se_resnet101": Variant((3, 4, 23, 3)),
    "se_resnext50_32x4d": _next((3, 4, 6, 3)),
    "se_resnext101_32x4d": _next((3, 4, 23, 3)),
}


class ChannelWeights(nn.Module):
    """Weighs each channel of each image by what the whole map shows."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(channels, channels // _REDUCTION, 1)
        self.relu = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // _REDUCTION, channels, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        summary = self.relu(self.fc1(self.avg_pool(maps)))
        return maps * torch.sigmoid(self.fc2(summary))


class Bottleneck(nn.Module):
    """Residual block of three convolutions whose channels are weighed before the sum.

    Args:
        c_in: channels coming in.
        width: channels inside.
        c_out: channels going out.
        strides: of the first and of the second convolution.
        groups: of the second convolution.
    """

    def __init__(
        self, c_in: int, width: int, c_out: int, strides: tuple[int, int] = (1, 1), groups: int = 1
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, width, 1, strides[0], bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, strides[1], padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, c_out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(c_out)
        self.relu = nn.ReLU(inplace=True)
        self.se_module = ChannelWeights(c_out)
        self.downsample: nn.Module | None = None
        if c_in != c_out or max(strides) > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, max(strides), bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h / stride, w / stride)."""
        branch = self.relu(self.bn1(self.conv1(maps)))
        branch = self.relu(self.bn2(self.conv2(branch)))
        branch = self.se_module(self.bn3(self.conv3(branch)))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        summed: Tensor = self.relu(branch + shortcut)
        return summed


class SENet(PooledModel):
    """Residual network with weighed channels.

    Args:
        variant: which one.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        last_stride: 1 leaves the last maps at a sixteenth of the image, twice as large as 2 does.
        widths: size of each fully connected layer between the pooled maps and the classifier.
    """

    min_size = (3, 3)

    def __init__(
        self,
        variant: Variant,
        num_classes: int,
        loss: str = "softmax",
        last_stride: int = 2,
        widths: Sequence[int] = (),
    ) -> None:
        super().__init__(loss)
        self.layer0 = _stem()
        self.layer1, self.layer2, self.layer3, self.layer4 = _stages(variant, last_stride)
        self.add_head(_CHANNELS, num_classes, widths)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048, H / 32, W / 32), or / 16 where the last stride is 1."""
        maps = self.layer2(self.layer1(self.layer0(images)))
        last: Tensor = self.layer4(self.layer3(maps))
        return last


def _stem() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False),
            bn1=nn.BatchNorm2d(64),
            relu1=nn.ReLU(inplace=True),
            pool=nn.MaxPool2d(3, stride=2, ceil_mode=True),
        )
    )


def _stages(variant: Variant, last_stride: int) -> Iterator[nn.Sequential]:
    c_in, width, c_out = 64, variant.width, 64 * _EXPANSION
    for depth, stride in zip(variant.depths, (1, 2, 2, last_stride), strict=True):
        strides = (stride, 1) if variant.strided == 1 else (1, stride)
        blocks = [Bottleneck(c_in, width, c_out, strides, variant.groups)]
        blocks += [Bottleneck(c_out, width, c_out, groups=variant.groups) for _ in range(depth - 1)]
        yield nn.Sequential(*blocks)
        c_in, width, c_out = c_out, 2 * width, 2 * c_out


def _build(
    name: str, num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> SENet:
    """Build an SE-ResNet or SE-ResNeXt (Hu et al., 2018), from ImageNet weights if asked."""
    model = SENet(VARIANTS[name], num_classes, loss)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., SENet]

se_resnet50: Factory = partial(_build, "se_resnet50")
se_resnet101: Factory = partial(_build, "se_resnet101")
se_resnext50_32x4d: Factory = partial(_build, "se_resnext50_32x4d")
se_resnext101_32x4d: Factory = partial(_build, "se_resnext101_32x4d")


def se_resnet50_fc512(
    num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> SENet:
    """SE-ResNet-50 with last stride 1 and 512-dim features."""
    model = SENet(VARIANTS["se_resnet50"], num_classes, loss, last_stride=1, widths=[512])
    if pretrained:
        load_published_weights(model, "se_resnet50_fc512")
    return model

"""MobileNetV2, with the keys and outputs of the public checkpoints.

Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018.

torchvision's is another network: its first bottleneck has no convolution that expands, and it
rounds channels to multiples of eight, so neither its layers nor its weights fit these checkpoints.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias

from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_zoo.blocks import ConvBlock
from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import initialise, load_published_weights

_STEM = 32
_LAST = 1280

_conv = partial(ConvBlock, bias=False, activation=F.relu6)


class Stage(NamedTuple):
    """A row of the paper's table 2.

    Attributes:
        expansion: how much wider a bottleneck is inside.
        channels: channels going out, at width 1.
        repeats: number of bottlenecks.
        stride: of the first one.
    """

    expansion: int
    channels: int
    repeats: int
    stride: int


STAGES = (
    Stage(1, 16, 1, 1),
    Stage(6, 24, 2, 2),
    Stage(6, 32, 3, 2),
    Stage(6, 64, 4, 2),
    Stage(6, 96, 3, 1),
    Stage(6, 160, 3, 2),
    Stage(6, 320, 1, 1),
)


class MobileNetV2(PooledModel):
    """A convolution, seven stages of inverted residuals, a wide last convolution.

    Args:
        width: multiplies the channels; below 1 the last convolution keeps its own.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    def __init__(self, width: float, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        last = int(_LAST * max(width, 1.0))
        layers = list(_layers(width, last))
        for number, layer in enumerate(layers, 1):
            self.add_module(f"conv{number}", layer)
        self._depth = len(layers)
        initialise(self)
        self.add_head(last, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, H / 32, W / 32)."""
        maps = images
        for number in range(1, self._depth + 1):
            maps = self.get_submodule(f"conv{number}")(maps)
        return maps


class Bottleneck(nn.Module):
    """Expands the maps, convolves each channel by itself, and projects without an activation.

    Args:
        c_in: channels coming in.
        c_out: channels going out.
        expansion: how much wider it is inside.
        stride: of the convolution of each channel.
    """

    def __init__(self, c_in: int, c_out: int, expansion: int, stride: int = 1) -> None:
        super().__init__()
        mid = c_in * expansion
        self.conv1 = _conv(c_in, mid)
        self.dwconv2 = _conv(mid, mid, 3, stride, groups=mid)
        self.conv3 = nn.Sequential(nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out))
        self._is_residual = stride == 1 and c_in == c_out

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h / stride, w / stride)."""
        branch: Tensor = self.conv3(self.dwconv2(self.conv1(maps)))
        return maps + branch if self._is_residual else branch


def _layers(width: float, last: int) -> Iterator[nn.Module]:
    c_in = int(_STEM * width)
    yield _conv(3, c_in, 3, stride=2)
    for stage in STAGES:
        c_out = int(stage.channels * width)
        yield _stage(c_in, c_out, stage)
        c_in = c_out
    yield _conv(c_in, last)


def _stage(c_in: int, c_out: int, stage: Stage) -> nn.Sequential:
    first = Bottleneck(c_in, c_out, stage.expansion, stage.stride)
    others = (Bottleneck(c_out, c_out, stage.expansion) for _ in range(stage.repeats - 1))
    return nn.Sequential(first, *others)


def _build(
    name: str, width: float, num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True
) -> MobileNetV2:
    """Build a MobileNetV2 (Sandler et al., 2018), from ImageNet weights if ``pretrained``."""
    model = MobileNetV2(width, num_classes, loss)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., MobileNetV2]

mobilenetv2_x1_0: Factory = partial(_build, "mobilenetv2_x1_0", 1.0)
mobilenetv2_x1_4: Factory = partial(_build, "mobilenetv2_x1_4", 1.4)

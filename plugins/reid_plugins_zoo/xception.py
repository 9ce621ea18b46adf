"""Xception, with the keys and outputs of the public checkpoints.

Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_zoo.embedding import PooledModel
from reidcore.models import initialise, load_published_weights


class Flow(NamedTuple):
    """One block, by the channels of its convolutions.

    Attributes:
        widths: channels coming in, then going out of each separable convolution.
        halves: whether it halves the maps.
        starts_active: whether it begins with a ReLU.
    """

    widths: tuple[int, ...]
    halves: bool = True
    starts_active: bool = True


_MIDDLE = Flow((728, 728, 728, 728), halves=False)
BLOCKS = (
    Flow((64, 128, 128), starts_active=False),
    Flow((128, 256, 256)),
    Flow((256, 728, 728)),
    *(_MIDDLE,) * 8,
    Flow((728, 728, 1024)),
)


class Xception(PooledModel):
    """Twelve residual blocks of separable convolutions between two pairs of convolutions.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    min_size = (7, 7)

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        self._add_convolution(1, nn.Conv2d(3, 32, 3, stride=2, bias=False), 32)
        self._add_convolution(2, nn.Conv2d(32, 64, 3, bias=False), 64)
        for number, flow in enumerate(BLOCKS, 1):
            self.add_module(f"block{number}", Block(flow))
        self._add_convolution(3, Separable(1024, 1536), 1536)
        self._add_convolution(4, Separable(1536, 2048), 2048)
        initialise(self)
        self.add_head(2048, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048, H / 32, W / 32)."""
        maps = self._convolve(2, self._convolve(1, images))
        for number in range(1, len(BLOCKS) + 1):
            maps = self.get_submodule(f"block{number}")(maps)
        return self._convolve(4, self._convolve(3, maps))

    def _add_convolution(self, number: int, convolution: nn.Module, channels: int) -> None:
        self.add_module(f"conv{number}", convolution)
        self.add_module(f"bn{number}", nn.BatchNorm2d(channels))

    def _convolve(self, number: int, maps: Tensor) -> Tensor:
        convolved = self.get_submodule(f"conv{number}")(maps)
        return F.relu(self.get_submodule(f"bn{number}")(convolved))


class Block(nn.Module):
    """Two or three separable convolutions with a shortcut."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        c_in, *_, c_out = flow.widths
        self.skip = nn.Conv2d(c_in, c_out, 1, stride=2, bias=False) if flow.halves else None
        self.skipbn = nn.BatchNorm2d(c_out) if flow.halves else None
        self.relu = nn.ReLU(inplace=True)
        self.rep = nn.Sequential(*_layers(flow, self.relu))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h, w), or half that size."""
        shortcut = maps
        if self.skip is not None and self.skipbn is not None:
            shortcut = self.skipbn(self.skip(maps))
        branch: Tensor = self.rep(maps)
        return branch + shortcut


class Separable(nn.Module):
    """A 3x3 convolution of each channel by itself, then one across channels."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_in, 3, padding=1, groups=c_in, bias=False)
        self.pointwise = nn.Conv2d(c_in, c_out, 1, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, c_in, h, w) -> (B, c_out, h, w)."""
        convolved: Tensor = self.pointwise(self.conv1(maps))
        return convolved


def _layers(flow: Flow, relu: nn.Module) -> Iterator[nn.Module]:
    for number, c_out in enumerate(flow.widths[1:]):
        if number:
            yield relu
        elif flow.starts_active:
            # Not in place: the shortcut needs the maps as they are.
            yield nn.ReLU()
        yield Separable(flow.widths[number], c_out)
        yield nn.BatchNorm2d(c_out)
    if flow.halves:
        yield nn.MaxPool2d(3, stride=2, padding=1)


def xception(num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True) -> Xception:
    """Build an Xception."""
    model = Xception(num_classes, loss)
    if pretrained:
        load_published_weights(model, "xception")
    return model

"""MLFN, with the keys and outputs of the public checkpoints.

Chang et al., "Multi-Level Factorisation Net for Person Re-Identification", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.models import ReidModel, initialise, load_published_weights

_FACTORS = 32
_EMBEDDING = 1024

# Of each stage: its blocks, their channels, the channels of the two layers that select factors.
_STAGES = (
    (3, 256, (128, 64)),
    (4, 512, (256, 128)),
    (6, 1024, (512, 128)),
    (3, 2048, (512, 128)),
)


class FactorBlock(nn.Module):
    """Residual block of 32 factors, of which each image selects its own mixture.

    Args:
        c_in: channels coming in.
        c_out: channels going out.
        stride: of the middle convolution.
        selecting: channels of the two layers before the selection.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, selecting: tuple[int, int]) -> None:
        super().__init__()
        mid = c_out // 2
        self.fm_conv1 = nn.Conv2d(c_in, mid, 1, bias=False)
        self.fm_bn1 = nn.BatchNorm2d(mid)
        self.fm_conv2 = nn.Conv2d(mid, mid, 3, stride, padding=1, groups=_FACTORS, bias=False)
        self.fm_bn2 = nn.BatchNorm2d(mid)
        self.fm_conv3 = nn.Conv2d(mid, c_out, 1, bias=False)
        self.fm_bn3 = nn.BatchNorm2d(c_out)
        self.fsm = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            *(nn.Conv2d(c_in, selecting[0], 1), nn.BatchNorm2d(selecting[0]), nn.ReLU(True)),
            *(nn.Conv2d(*selecting, 1), nn.BatchNorm2d(selecting[1]), nn.ReLU(True)),
            *(nn.Conv2d(selecting[1], _FACTORS, 1), nn.BatchNorm2d(_FACTORS), nn.Sigmoid()),
        )
        self.downsample: nn.Module | None = None
        if c_in != c_out or stride > 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out)
            )

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """(B, c_in, h, w) -> (B, c_out, h', w') and how much of each factor is in it (B, 32, 1, 1).

        A factor is one group of neighbouring channels in the middle of the block.
        """
        selection = self.fsm(maps)
        factors = F.relu(self.fm_bn1(self.fm_conv1(maps)))
        factors = F.relu(self.fm_bn2(self.fm_conv2(factors)))
        factors = factors * selection.repeat_interleave(factors.shape[1] // _FACTORS, dim=1)
        branch = F.relu(self.fm_bn3(self.fm_conv3(factors)))
        shortcut = maps if self.downsample is None else self.downsample(maps)
        return F.relu(branch + shortcut), selection


class MLFN(ReidModel):
    """Multi-level factorisation net: the mean of what is seen and of which factors were selected.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.feature = nn.ModuleList(_blocks(64))
        self.global_avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc_x = _projection(_STAGES[-1][1])
        self.fc_s = _projection(_FACTORS * len(self.feature))
        self.feature_dim = _EMBEDDING
        self.classifier = nn.Linear(_EMBEDDING, num_classes)
        initialise(self)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 2048, H / 32, W / 32)."""
        return self._factorised(images)[0]

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        maps, selections = self._factorised(images)
        seen, selected = self.fc_x(self.global_avgpool(maps)), self.fc_s(selections)
        features: Tensor = (seen + selected).flatten(1) / 2
        return features

    def _factorised(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return the last maps and the selections of all blocks (B, 32 x blocks, 1, 1)."""
        maps, selections = self.maxpool(F.relu(self.bn1(self.conv1(images)))), []
        for block in self.feature:
            maps, selection = block(maps)
            selections.append(selection)
        return maps, torch.cat(selections, 1)


def _blocks(c_in: int) -> Iterator[FactorBlock]:
    for number, (depth, c_out, selecting) in enumerate(_STAGES):
        for position in range(depth):
            stride = 2 if number > 0 and position == 0 else 1
            yield FactorBlock(c_in, c_out, stride, selecting)
            c_in = c_out


def _projection(c_in: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(c_in, _EMBEDDING, 1, bias=False), nn.BatchNorm2d(_EMBEDDING), nn.ReLU(True)
    )


def mlfn(num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True) -> MLFN:
    """Multi-level factorisation net."""
    model = MLFN(num_classes, loss)
    if pretrained:
        load_published_weights(model, "mlfn")
    return model

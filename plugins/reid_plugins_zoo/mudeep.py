"""MuDeep, with the keys and outputs of the public checkpoints.

Qian et al., "Multi-scale Deep Learning Architectures for Person Re-identification", ICCV 2017.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from reid_plugins_zoo.blocks import ConvBlock, Streams
from reid_plugins_zoo.embedding import fully_connected
from reidcore.models import ReidModel

_log = logging.getLogger(f"reidcore.{__name__}")

_FUSED = 256
_FEATURES = 4096
_ACROSS, _DOWN = (1, 3), (3, 1)


class Fusion(nn.Module):
    """Sum of streams, in which each channel of each stream has a weight of its own; then shrunk.

    It is not called as a layer is, since published figures do not count its weights.
    """

    def __init__(self) -> None:
        super().__init__()
        for number in range(1, 5):
            self.register_parameter(f"a{number}", nn.Parameter(torch.rand(1, _FUSED, 1, 1)))
        self.avgpool = nn.AvgPool2d(4)

    def fuse(self, streams: Sequence[Tensor]) -> Tensor:
        """Four maps (B, 256, h, w) -> (B, 256, h / 4, w / 4)."""
        weighed = (
            weights * stream for weights, stream in zip(self.parameters(), streams, strict=True)
        )
        fused: Tensor = self.avgpool(sum(weighed))
        return fused


class MuDeep(ReidModel):
    """Multi-scale deep network: streams of several fields of view, fused by learnt weights.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
    """

    # The first fully connected layer reads whole maps, of 16 x 8 pixels.
    fixed_size = (256, 128)

    def __init__(self, num_classes: int, loss: str = "softmax") -> None:
        super().__init__(loss)
        self.block1 = _stem()
        self.block2 = _multi_scale_a()
        self.block3 = _reduction()
        self.block4 = _multi_scale_b()
        self.block5 = Fusion()
        self.fc = fully_connected(_FUSED * 16 * 8, [_FEATURES])
        self.feature_dim = _FEATURES
        self.classifier = nn.Linear(_FEATURES, num_classes)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, 256, 128) -> (B, 256, 16, 8)."""
        maps = self.block3(self.block2(self.block1(images)))
        fused: Tensor = self.block5.fuse(self.block4.each(maps))
        return fused

    def embed(self, maps: Tensor) -> Tensor:
        """(B, 256, 16, 8) -> (B, 4096)."""
        features: Tensor = self.fc(maps.flatten(1))
        return features

    def retrieval(self, embedding: Tensor) -> Tensor:
        """Return the features (B, 4096)."""
        # Torchreid classifies at test time as well, so published figures count the classifier.
        self.classifier(embedding)
        return embedding


def _stem() -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            conv1=ConvBlock(3, 48, 3),
            conv2=ConvBlock(48, 96, 3),
            maxpool=nn.MaxPool2d(3, stride=2, padding=1),
        )
    )


def _multi_scale_a() -> Streams:
    return Streams(
        nn.Sequential(ConvBlock(96, 96), ConvBlock(96, 24, 3)),
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), ConvBlock(96, 24)),
        ConvBlock(96, 24),
        nn.Sequential(ConvBlock(96, 16), ConvBlock(16, 24, 3), ConvBlock(24, 24, 3)),
    )


def _reduction() -> Streams:
    return Streams(
        nn.MaxPool2d(3, stride=2, padding=1),
        ConvBlock(96, 96, 3, stride=2),
        nn.Sequential(ConvBlock(96, 48), ConvBlock(48, 56, 3), ConvBlock(56, 64, 3, stride=2)),
    )


def _multi_scale_b() -> Streams:
    return Streams(
        nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), ConvBlock(256, 256)),
        nn.Sequential(ConvBlock(256, 64), ConvBlock(64, 128, _ACROSS), ConvBlock(128, 256, _DOWN)),
        ConvBlock(256, 256),
        nn.Sequential(
            ConvBlock(256, 64),
            *(ConvBlock(64, 64, _ACROSS), ConvBlock(64, 128, _DOWN)),
            *(ConvBlock(128, 128, _ACROSS), ConvBlock(128, 256, _DOWN)),
        ),
    )


def mudeep(num_classes: int = 1000, loss: str = "softmax", pretrained: bool = True) -> MuDeep:
    """Multi-scale deep network; it has no published starting weights."""
    if pretrained:
        _log.info("mudeep has no published weights: it starts from random ones")
    return MuDeep(num_classes, loss)

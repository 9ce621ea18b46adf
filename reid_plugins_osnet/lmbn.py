"""LightMBN: OSNet with three branches, for the whole person, its halves and groups of channels.

Herzog et al., "Lightweight Multi-Branch Network for Person Re-Identification", ICIP 2021, as the
authors' code has it. Its drop block is that of Quispe and Pedrini, "Top-DB-Net: Top DropBlock for
Activation Enhancement in Person Re-Identification", ICPR 2020.

B images, C identities, D features of a part; h and w are the size of the last maps.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_osnet.blocks import OmniScaleBlock, conv
from reid_plugins_osnet.osnet import VARIANTS, OSNet
from reidcore.models import (
    Outputs,
    ReidModel,
    batch_norm_neck,
    load_published_weights,
)

_BRANCHES = ("whole", "part", "channel")
# What the parts are: the whole person; the same under the drop block; the strongest places of the
# second branch, its upper and its lower half; two groups of channels of the third.
_REDUCED, _CHANNEL_GROUPS = 5, 2
_PARTS = _REDUCED + _CHANNEL_GROUPS
_SEEN_BY_METRIC_LOSSES = 3


class PartFeatures(NamedTuple):
    """What describes the parts of images: ``(B, D)`` of each, before and behind its neck."""

    before: list[Tensor]
    behind: list[Tensor]


class TopDropBlock(nn.Module):
    """In training, blanks out the rows of each image's maps that hold its strongest places.

    Args:
        share: of the rows.
    """

    def __init__(self, share: float = 0.33) -> None:
        super().__init__()
        self.share = share

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        if not self.training:
            return maps
        strength = maps.detach().square().sum(1).amax(2)  # (B, h): of each row's strongest place
        dropped = strength.topk(round(self.share * maps.shape[2]), dim=1).indices
        kept = torch.ones_like(strength).scatter(1, dropped, 0)
        return maps * kept[:, None, :, None]


class LightMBN(ReidModel):
    """Lightweight multi-branch network.

    Its last maps are those of its three branches, channel upon channel. In training it gives the
    logits of its seven parts, and the features of the first three, which see the whole person.
    Images are compared by all seven, each of length 1, so that each counts as much.

    Args:
        trunk: the OSNet that gives its layers, which the branches have in common up to the first
            block of ``conv3``. Its weights are copied into each branch.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        feature_dim: size of the features of each part (D).
    """

    classifier: nn.ModuleList
    min_size = (32, 16)
    stages = (
        ("backbone.conv1",),
        ("backbone.conv2",),
        ("backbone.conv3", *(f"branches.{name}.conv3" for name in _BRANCHES)),
        tuple(f"branches.{name}.conv4" for name in _BRANCHES),
        tuple(f"branches.{name}.conv5" for name in _BRANCHES),
    )

    def __init__(
        self, trunk: OSNet, num_classes: int, loss: str = "softmax", feature_dim: int = 512
    ) -> None:
        super().__init__(loss)
        self.backbone, branch = _split(trunk)
        self.branches = nn.ModuleDict({name: copy.deepcopy(branch) for name in _BRANCHES})
        channels = trunk.channels
        self.bottleneck = OmniScaleBlock(channels, channels)
        self.drop = TopDropBlock()
        self.reductions = _linear_layers(_REDUCED, channels, feature_dim)
        self.shared = conv(channels // _CHANNEL_GROUPS, feature_dim)
        nn.init.kaiming_normal_(self.shared.get_parameter("conv.weight"), mode="fan_in")
        self.necks = nn.ModuleList(batch_norm_neck(feature_dim) for _ in range(_PARTS))
        self.classifier = _linear_layers(_PARTS, feature_dim, num_classes)
        for weight in self.classifier.parameters():
            nn.init.normal_(weight, std=0.001)
        self.feature_dim = _PARTS * feature_dim

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3 * channels, H / 16, W / 16)."""
        shared = self.backbone(images)
        return torch.cat([self.branches[name](shared) for name in _BRANCHES], 1)

    def embed(self, maps: Tensor) -> PartFeatures:
        """(B, 3 * channels, h, w) -> the features of each part."""
        whole, part, channel = maps.chunk(len(_BRANCHES), 1)
        whole = self.bottleneck(whole)
        halves = F.adaptive_avg_pool2d(part, (2, 1)).flatten(2)  # (B, channels, 2)
        pooled = [
            whole.mean((2, 3)),
            self.drop(whole).amax((2, 3)),
            part.amax((2, 3)),
            *halves.unbind(2),
        ]
        groups = channel.mean((2, 3), keepdim=True).chunk(_CHANNEL_GROUPS, 1)
        before = [reduce(each) for reduce, each in zip(self.reductions, pooled, strict=True)]
        before += [self.shared(group).flatten(1) for group in groups]
        behind = [neck(each) for neck, each in zip(self.necks, before, strict=True)]
        return PartFeatures(before, behind)

    def heads(self, embedding: PartFeatures, pids: Tensor | None) -> Outputs:
        """Return logits (B, C) of each part, and the features that metric losses see."""
        pairs = zip(self.classifier, embedding.behind, strict=True)
        logits = [classifier(features) for classifier, features in pairs]
        return Outputs(logits, tuple(embedding.before[:_SEEN_BY_METRIC_LOSSES]))

    def retrieval(self, embedding: PartFeatures) -> Tensor:
        """Return the features of all parts, each of length 1: (B, 7 * D)."""
        return torch.cat([F.normalize(features) for features in embedding.behind], 1)


def lmbn_n(
    num_classes: int = 1000,
    pretrained: bool = True,
    loss: str = "softmax",
    *,
    feature_dim: Annotated[int, Field(ge=1)] = 512,
) -> LightMBN:
    """LightMBN on OSNet x1.0; it starts from OSNet's ImageNet weights.

    Args:
        num_classes: number of training identities (C).
        pretrained: start from OSNet's published weights.
        loss: what training returns (see ``LightMBN``).
        feature_dim: size of the features of each of the 7 parts.
    """
    trunk = OSNet(VARIANTS["osnet_x1_0"], num_classes=1)
    if pretrained:
        load_published_weights(trunk, "osnet_x1_0")
    return LightMBN(trunk, num_classes, loss, feature_dim)


def _split(trunk: OSNet) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers that branches share, and those that each has for itself."""
    first, *others = trunk.get_submodule("conv3").named_children()
    shared = [(name, trunk.get_submodule(name)) for name in ("conv1", "maxpool", "conv2")]
    own = [(name, trunk.get_submodule(name)) for name in ("conv4", "conv5")]
    return (
        nn.Sequential(OrderedDict([*shared, ("conv3", first[1])])),
        nn.Sequential(OrderedDict([("conv3", nn.Sequential(OrderedDict(others))), *own])),
    )


def _linear_layers(count: int, width_in: int, width_out: int) -> nn.ModuleList:
    return nn.ModuleList(nn.Linear(width_in, width_out, bias=False) for _ in range(count))

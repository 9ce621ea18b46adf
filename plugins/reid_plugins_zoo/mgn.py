"""MGN: a ResNet with three branches, which look at a person whole, in halves and in thirds.

Wang et al., "Learning Discriminative Features with Multiple Granularities for Person
Re-Identification", ACM MM 2018, in the form of FastReID (He et al., "FastReID: A Pytorch Toolbox
for General Instance Re-identification", 2020): each branch keeps the size of its maps, every part
has a classifier, and the losses see features behind the neck. In the paper the branch of the whole
person halves its maps, and its classifiers see features before they are reduced.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from reid_plugins_zoo.part_model import Choice, Part, PartModel, make_pool, rows_of
from reid_plugins_zoo.resnet import ResidualMaps, ResNet, keep_size, resnet50, resnet101
from reid_plugins_zoo.resnet_ibn import resnet50_ibn_a
from reid_plugins_zoo.resnet_variants import Stem, Width, smallest_side

_FACTORIES = {"resnet50": resnet50, "resnet101": resnet101, "resnet50_ibn_a": resnet50_ibn_a}

_STRIPES = (1, 2, 3)  # of each branch
# The whole of each branch, then the stripes of the second and of the third, as (branch, stripe).
_PARTS = ((0, None), (1, None), (2, None), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2))
# Parts that the metric losses see as one vector.
_SEEN_TOGETHER = ((0,), (1,), (2,), (3, 4), (5, 6, 7))
# Rows behind the stem that leave three in the last maps, one for each stripe.
_POOLED = 9


class MGN(PartModel):
    """Multiple granularity network.

    Its last maps are those of its branches, channel upon channel.

    Args:
        trunk: the ResNet that gives its layers, which the branches have in common up to the first
            block of the third stage. Its weights are copied into each branch.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``). Logits are those of 8 parts: three times
            the whole person, two halves, three thirds. Features are 5: three times the whole
            person, the halves, the thirds.
        embedding: size of the features of each part (D); images are compared by 8 D.
        pool: a registered pooling; each part has its own.
        classifier: a registered classifier; likewise.
    """

    seen_by_losses = "after_neck"
    stages = (
        ("backbone.conv1", "backbone.bn1"),
        ("backbone.layer1",),
        ("backbone.layer2",),
        ("backbone.layer3", *(f"branches.{branch}.layer3" for branch in range(3))),
        tuple(f"branches.{branch}.layer4" for branch in range(3)),
    )

    def __init__(
        self,
        trunk: ResidualMaps,
        num_classes: int,
        loss: str = "softmax",
        embedding: int = 256,
        pool: Choice = "gem",
        classifier: Choice = "linear",
    ) -> None:
        super().__init__(loss)
        shared, own = _split(trunk)
        self.backbone = shared
        self.branches = nn.ModuleList(copy.deepcopy(own) for _ in _STRIPES)
        parts = (Part([make_pool(pool, trunk.channels)], trunk.channels, embedding) for _ in _PARTS)
        self.add_parts(parts, num_classes, classifier)
        self.stem = trunk.stem
        self.min_size = (
            max(trunk.min_size[0], smallest_side(trunk.stem, _POOLED)),
            trunk.min_size[1],
        )

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, 3 * channels, H / 16, W / 16)."""
        shared = self.backbone(images)
        return torch.cat([branch(shared) for branch in self.branches], 1)

    def regions(self, maps: Tensor) -> Sequence[Sequence[Tensor]]:
        """(B, 3 * channels, h, w) -> the whole of each branch, and its stripes."""
        branches = maps.chunk(len(_STRIPES), 1)
        cut = [rows_of(each, count) for each, count in zip(branches, _STRIPES, strict=True)]
        return [
            [branches[branch] if stripe is None else cut[branch][stripe]]
            for branch, stripe in _PARTS
        ]

    def for_losses(self, features: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """(B, D) of each part -> (B, D) three times, (B, 2 D) of the halves, (B, 3 D)."""
        return tuple(torch.cat([features[part] for part in seen], 1) for seen in _SEEN_TOGETHER)


def mgn(
    num_classes: int = 1000,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    backbone: Literal["resnet50", "resnet101", "resnet50_ibn_a"] = "resnet50_ibn_a",
    stem: Stem = "torchvision",
    embedding: Width = 256,
    pool: Choice = "gem",
    classifier: Choice = "linear",
) -> MGN:
    """MGN; it starts from the ImageNet weights of its backbone.

    Args:
        num_classes: number of training identities (C).
        loss: what training returns (see ``MGN``).
        pretrained: start from the backbone's published weights.
        backbone: the ResNet that gives the layers.
        stem: how it begins; FastReID's weights are for ``fastreid``.
        embedding: size of the features of each of the 8 parts.
        pool: a registered pooling, or ``{name: {its options}}``.
        classifier: a registered classifier, or ``{name: {its options}}``.
    """
    trunk = _FACTORIES[backbone](num_classes=1, pretrained=pretrained, stem=stem)
    keep_size(trunk.layer4)
    return MGN(trunk, num_classes, loss, embedding, pool, classifier)


def _split(trunk: ResNet | ResidualMaps) -> tuple[nn.Sequential, nn.Sequential]:
    """Return the layers that branches share, and those that each has for itself."""
    first, *others = trunk.get_submodule("layer3").named_children()
    shared = [(name, trunk.get_submodule(name)) for name in ("conv1", "bn1", "relu", "maxpool")]
    shared += [(name, trunk.get_submodule(name)) for name in ("layer1", "layer2")]
    own = [("layer3", nn.Sequential(OrderedDict(others))), ("layer4", trunk.layer4)]
    return (
        nn.Sequential(OrderedDict([*shared, ("layer3", nn.Sequential(OrderedDict([first])))])),
        nn.Sequential(OrderedDict(own)),
    )

"""What re-identification changes in a ResNet: its stem, and non-local blocks between its blocks.

Both change what a network computes and leave the keys of its own weights alone, so that a network
can be given the stem that a file of weights was trained with.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn

from reidcore.errors import ConfigError, counted

Stem: TypeAlias = Literal["torchvision", "bot", "fastreid"]
"""How a network begins behind its first convolution and its norm.

* ``torchvision``: ReLU, then a maximum over 3x3 with a margin of 1.
* ``bot``: no ReLU, as in the code of BoT and AGW (Luo et al., "Bag of Tricks and a Strong Baseline
  for Deep Person Re-identification", CVPRW 2019; Ye et al., "Deep Learning for Person
  Re-identification: A Survey and Outlook", TPAMI 2021).
* ``fastreid``: ReLU, then the maximum without a margin, over what there is at the far edges (He et
  al., "FastReID: A Pytorch Toolbox for General Instance Re-identification", 2020).
"""

Count = Annotated[int, Field(ge=0)]
NonLocalCounts: TypeAlias = Annotated[Sequence[Count], Field(min_length=4, max_length=4)]
Width: TypeAlias = Annotated[int, Field(ge=1)]


class NonLocal(nn.Module):
    """Adds to each place of the maps a mean over all places, weighted by dot products.

    The form "embedded dot product" of Wang et al., "Non-local Neural Networks", CVPR 2018, under
    the keys that AGW's and FastReID's weights have. It starts as the identity.

    Args:
        channels: of the maps.
        inner: channels that the products are taken over.
    """

    def __init__(self, channels: int, inner: int) -> None:
        super().__init__()
        self.g = nn.Conv2d(channels, inner, 1)
        self.W = nn.Sequential(nn.Conv2d(inner, channels, 1), nn.BatchNorm2d(channels))
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        nn.init.zeros_(self.W[1].weight)  # type: ignore[arg-type]

    def forward(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> the same shape."""
        # (B, channels, h, w) -> (B, inner, h * w) each
        query, key, value = (layer(maps).flatten(2) for layer in (self.theta, self.phi, self.g))
        # Without a softmax the product of three matrices may begin on either side: from the right
        # it takes inner x inner numbers, from the left one for each pair of places.
        summed = value @ (key / key.shape[2]).transpose(1, 2)
        seen = torch.unflatten(summed @ query, 2, maps.shape[2:])
        added: Tensor = self.W(seen)
        return maps + added


def set_stem(network: nn.Module, stem: Stem) -> None:
    """Change the layers ``relu`` and ``maxpool`` of a ResNet to those of a stem.

    Args:
        network: with torchvision's stem; changed in place.
        stem: see ``Stem``.
    """
    if stem == "bot":
        network.relu = nn.Identity()
    elif stem == "fastreid":
        network.maxpool = nn.MaxPool2d(kernel_size=3, stride=2, ceil_mode=True)


def smallest_side(stem: Stem, pooled: int = 1) -> int:
    """Return how many pixels it takes for so many to be left behind the stem."""
    return 4 * pooled - (1 if stem == "fastreid" else 3)


def add_non_local(
    network: nn.Module, channels: int, counts: Sequence[int], inner: int | None
) -> None:
    """Put non-local blocks behind the last blocks of each stage, ``layer1`` to ``layer4``.

    They become children ``NL_0``, ``NL_1``, ... of the stage.

    Args:
        network: changed in place.
        channels: of the maps of the last stage, twice those of the one before.
        counts: how many in each stage.
        inner: channels they work on; None for half of the maps'.

    Raises:
        ConfigError: if a stage has fewer blocks.
    """
    for number, count in enumerate(counts, 1):
        stage = network.get_submodule(f"layer{number}")
        blocks = dict(stage.named_children())
        if count > len(blocks):
            raise ConfigError(
                f"model.non_local: stage {number} has {counted(len(blocks), 'block')}, which "
                f"{counted(count, 'non-local one')} cannot stand behind",
                "Give four numbers, each from 0 to the blocks of its stage: [0, 2, 3, 0].",
            )
        width = channels >> (4 - number)
        first = len(blocks) - count
        children: OrderedDict[str, nn.Module] = OrderedDict()
        for index, (name, block) in enumerate(blocks.items()):
            children[name] = block
            if index >= first:
                children[f"NL_{index - first}"] = NonLocal(width, inner or max(1, width // 2))
        setattr(network, f"layer{number}", nn.Sequential(children))

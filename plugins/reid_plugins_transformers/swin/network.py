"""Swin Transformers pre-trained on people, whose features are steered towards meaning or looks.

Chen et al., "Beyond Appearance: a Semantic Controllable Self-Supervised Learning Framework for
Human-Centric Visual Tasks" (SOLIDER), CVPR 2023. B images, H and W their size, h and w that of
maps, C channels, D feature dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, NamedTuple, TypeAlias

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_transformers.swin.blocks import (
    PatchEmbedding,
    PatchMerging,
    SwinBlock,
    drop_path_rates,
)
from reidcore.models import ReidModel, initialise, load_published_weights

_PATCH = 4
_WINDOW = 7

_PLACE = re.compile(r"layers\.(?P<stage>\d+)\.(?:blocks\.(?P<block>\d+)|downsample)\.")

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class Architecture(NamedTuple):
    """What Swin Transformers differ by.

    Attributes:
        channels: of the first stage; each further stage has twice as many as the one before.
        depths: blocks of each stage.
        heads: of the attention in each stage.
        patch: side of the squares that an image is cut into, in pixels.
        window: side of the windows, in positions of the maps.
    """

    channels: int
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    patch: int = _PATCH
    window: int = _WINDOW


TINY = Architecture(96, (2, 2, 6, 2), (3, 6, 12, 24))
SMALL = Architecture(96, (2, 2, 18, 2), (3, 6, 12, 24))
BASE = Architecture(128, (2, 2, 18, 2), (4, 8, 16, 32))


class SemanticController(nn.Module):
    """Scales and shifts channels as pre-training has learnt to do for a share of semantics.

    Both are linear in (share, 1 - share). What it holds is no parameter: it was learnt with shares
    drawn at random, and stays as it is.

    Args:
        channels: C.
        share: of semantics.
    """

    scale_weight: Tensor
    scale_bias: Tensor
    shift_weight: Tensor
    shift_bias: Tensor

    def __init__(self, channels: int, share: float) -> None:
        super().__init__()
        self.share = share
        for name in ("scale", "shift"):
            weight = nn.init.trunc_normal_(torch.empty(channels, 2), std=0.02)
            self.register_buffer(f"{name}_weight", weight)
            self.register_buffer(f"{name}_bias", torch.zeros(channels))

    def forward(self, maps: Tensor) -> Tensor:
        """(B, h, w, C) -> the same shape."""
        scale = self._mixed(self.scale_weight) + self.scale_bias
        shift = self._mixed(self.shift_weight) + self.shift_bias
        return maps * F.softplus(scale) + shift

    def _mixed(self, weight: Tensor) -> Tensor:
        """(C, 2) -> (C,)."""
        return self.share * weight[:, 0] + (1 - self.share) * weight[:, 1]

    def extra_repr(self) -> str:
        """Say what was chosen, where the network is printed."""
        return f"{len(self.scale_bias)}, share={self.share}"


class SwinStage(nn.Module):
    """Blocks on maps of one size, behind what brings maps to that size.

    Args:
        channels: C.
        heads: of the attention.
        window: side of the windows.
        rates: drop path of each block.
        merges: the maps come from a stage of half the channels.
        semantic_weight: of a controller behind the merging; None for no controller.
    """

    def __init__(
        self,
        channels: int,
        heads: int,
        window: int,
        rates: list[float],
        merges: bool,
        semantic_weight: float | None,
    ) -> None:
        super().__init__()
        self.downsample = PatchMerging(channels // 2) if merges else nn.Identity()
        self.semantic: nn.Module = nn.Identity()
        if merges and semantic_weight is not None:
            self.semantic = SemanticController(channels, semantic_weight)
        self.blocks = nn.Sequential(
            *(
                SwinBlock(channels, heads, window, number % 2 == 1, rate)
                for number, rate in enumerate(rates)
            )
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps (B, h, w, C), of maps (B, 2h, 2w, C / 2) where it merges."""
        passed: Tensor = self.blocks(self.semantic(self.downsample(maps)))
        return passed


class Swin(nn.Module):
    """The stages of a Swin Transformer, with the names of timm's layers.

    Pre-training also controls what leaves the last stage, which no network here uses.

    Args:
        architecture: its sizes.
        drop_path_rate: drop path of the last block.
        semantic_weight: share of semantics; None for a network without semantic controllers.
    """

    def __init__(
        self, architecture: Architecture, drop_path_rate: float, semantic_weight: float | None
    ) -> None:
        super().__init__()
        self.architecture = architecture
        rates = drop_path_rates(drop_path_rate, architecture.depths)
        widths = [architecture.channels << stage for stage in range(len(rates))]
        self.patch_embed = PatchEmbedding(architecture.channels, architecture.patch)
        self.layers = nn.Sequential(
            *(
                SwinStage(width, heads, architecture.window, own, stage > 0, semantic_weight)
                for stage, (width, heads, own) in enumerate(
                    zip(widths, architecture.heads, rates, strict=True)
                )
            )
        )
        self.norm = nn.LayerNorm(widths[-1])
        for layer in self.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=0.02)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> the last maps (B, h, w, C)."""
        last: Tensor = self.norm(self.layers(self.patch_embed(images)))
        return last

    def depth_of(self, name: str) -> int | None:
        """Return how many blocks lie before a parameter's, counting its own; None above all."""
        if name.startswith("patch_embed."):
            return 0
        place = _PLACE.match(name)
        if place is None:
            return None
        before = sum(self.architecture.depths[: int(place["stage"])])
        return before if place["block"] is None else before + int(place["block"]) + 1


class SoliderSwin(ReidModel):
    """A Swin Transformer whose features are the average of its last maps.

    Images may have any size: they, and the maps, are padded with zeros. The published networks
    learn with a batch-norm neck and compare the features before it: ``model.head: {neck: bnneck,
    test_features: before_neck}``.

    Args:
        architecture: its sizes.
        num_classes: number of training identities.
        loss: what training returns (see ``ReidModel``).
        drop_path_rate: share of images that skip the last block's branches in training; it falls
            linearly to 0 towards the images.
        semantic_weight: from 0, features of looks, to 1, features of meaning such as body parts;
            None for a network that was pre-trained without semantic controllers.
    """

    def __init__(
        self,
        architecture: Architecture,
        num_classes: int,
        loss: str = "softmax",
        drop_path_rate: float = 0.1,
        semantic_weight: float | None = 0.2,
    ) -> None:
        super().__init__(loss)
        self.semantic_weight = semantic_weight
        self.backbone = Swin(architecture, drop_path_rate, semantic_weight)
        self.feature_dim = self.backbone.norm.normalized_shape[0]
        self.classifier = nn.Linear(self.feature_dim, num_classes)
        initialise(self.classifier)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D, h, w)."""
        maps: Tensor = self.backbone(images).permute(0, 3, 1, 2)
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """(B, D, h, w) -> (B, D)."""
        return maps.mean((2, 3))

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each parameter: 0 for the patches, then block by block.

        A merging is as deep as the block before it, and the last norm above all blocks, as where
        Swin Transformers were first trained so (Xie et al., "SimMIM: A Simple Framework for Masked
        Image Modeling", CVPR 2022).
        """
        named = [name for name, _ in self.backbone.named_parameters()]
        depths = {f"backbone.{name}": self.backbone.depth_of(name) for name in named}
        return {name: depth for name, depth in depths.items() if depth is not None}


def _build(
    name: str,
    architecture: Architecture,
    num_classes: int,
    loss: str = "softmax",
    pretrained: bool = True,
    *,
    drop_path_rate: Rate = 0.1,
    semantic_weight: Share | None = 0.2,
) -> SoliderSwin:
    """Build a Swin Transformer with SOLIDER's weights (Chen et al., 2023) if ``pretrained``.

    ``semantic_weight`` goes from 0, features of looks, to 1, features of meaning such as parts of
    the body; None is for a network that was pre-trained without semantic controllers.
    ``drop_path_rate`` is the share of images that skip the last block's branches in training; it
    falls linearly to 0 towards the images.
    """
    model = SoliderSwin(architecture, num_classes, loss, drop_path_rate, semantic_weight)
    if pretrained:
        load_published_weights(model, name)
    return model


Factory: TypeAlias = Callable[..., SoliderSwin]

solider_swin_t: Factory = partial(_build, "solider_swin_t", TINY)
solider_swin_s: Factory = partial(_build, "solider_swin_s", SMALL)
solider_swin_b: Factory = partial(_build, "solider_swin_b", BASE)

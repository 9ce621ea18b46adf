"""The transformer itself: tokens of patches, a class token, positions and blocks.

B images, D dimensions, N patches, P tokens before them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from reid_plugins_transformers.vit.patches import (
    PATCH,
    PatchEmbedding,
    StemPatchEmbedding,
    grid_of,
)
from reidcore.errors import ConfigError

_STD = 0.02

layer_norm: Any = partial(nn.LayerNorm, eps=1e-6)
"""The norm of all these networks."""


@dataclass(frozen=True)
class Architecture:
    """The form of a vision transformer with patches of 16x16.

    Attributes:
        width: D.
        depth: number of blocks.
        heads: of the attention.
        mlp_ratio: width of the hidden layer over D.
        qkv_bias: whether queries, keys and values have a bias.
        attention_scale: factor on the products of queries and keys, if it is not one over the root
            of a head's width.
        stem: what patches are cut from: ``image``, or the ``ics`` stem's maps.
        part_tokens: number of tokens for parts of a person, beside the class token.
    """

    width: int
    depth: int
    heads: int
    mlp_ratio: float = 4.0
    qkv_bias: bool = True
    attention_scale: float | None = None
    stem: Literal["image", "ics"] = "image"
    part_tokens: int = 0

    def block(self, drop_path: float) -> nn.Module:
        """Return one block, with its starting weights.

        Args:
            drop_path: share of images whose residual branches are left out in training.
        """
        block: Any = Block(
            self.width,
            self.heads,
            mlp_ratio=self.mlp_ratio,
            qkv_bias=self.qkv_bias,
            drop_path=drop_path,
            norm_layer=layer_norm,
        )
        if self.attention_scale is not None:
            block.attn.scale = self.attention_scale
            block.attn.fused_attn = False  # the fused kernel takes no other scale
        for layer in block.modules():
            if isinstance(layer, nn.Linear):
                nn.init.trunc_normal_(layer.weight, std=_STD)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
        return block  # type: ignore[no-any-return]

    def patches(self, stride: int) -> PatchEmbedding:
        """Return what cuts images into patches.

        Raises:
            ConfigError: if patches of a stem's maps are to overlap.
        """
        if self.stem == "image":
            return PatchEmbedding(self.width, stride)
        if stride != PATCH:
            raise ConfigError(
                f"behind the ics stem patches lie {PATCH} pixels apart, not {stride}",
                "Leave model.stride out, or choose a model without that stem.",
            )
        return StemPatchEmbedding(self.width)


class VisionTransformer(nn.Module):
    """A vision transformer without a head, for images of one size.

    Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image Recognition at
    Scale", ICLR 2021.

    Args:
        form: its architecture.
        image_size: height and width.
        stride: pixels from a patch to the next one.
        rates: of each block the share of dropped branches (see ``Architecture.block``).

    Attributes:
        grid: rows and columns of patches.
        prefix: P.
    """

    def __init__(
        self, form: Architecture, image_size: tuple[int, int], stride: int, rates: list[float]
    ) -> None:
        super().__init__()
        self.grid = grid_of(image_size, stride)
        self.prefix = 1 + form.part_tokens
        self.patch_embed = form.patches(stride)
        self.cls_token = _token(form.width)
        self._add_positions(form)
        self.blocks = nn.ModuleList(form.block(rate) for rate in rates)

    def forward(self, images: Tensor, side: Tensor | None = None) -> Tensor:
        """Return the tokens behind the last block: (B, 3, H, W) -> (B, P + N, D).

        Args:
            images: of the size that the network is for.
            side: side information (B, D) or (1, D), added to each token.
        """
        patches = self.patch_embed(images)
        first = self._first_tokens().expand(patches.shape[0], -1, -1)
        tokens = torch.cat([first, patches], dim=1) + self._positions()
        if side is not None:
            tokens = tokens + side[:, None]
        for block in self.blocks:
            tokens = block(tokens)
        return tokens

    def depths(self) -> Iterator[tuple[str, int]]:
        """Yield the depth of each parameter: 0 before the blocks, from 1 on in them."""
        for name, _ in self.named_parameters():
            part, _, rest = name.partition(".")
            yield name, int(rest.partition(".")[0]) + 1 if part == "blocks" else 0

    def _add_positions(self, form: Architecture) -> None:
        self.pos_embed = _token(form.width, self.prefix + self.grid[0] * self.grid[1])

    def _first_tokens(self) -> Tensor:
        """Return the tokens before the patches (1, P, D)."""
        return self.cls_token

    def _positions(self) -> Tensor:
        """Return what is added to all tokens (1, P + N, D)."""
        return self.pos_embed


class PartTransformer(VisionTransformer):
    """A vision transformer with tokens for parts of a person beside the class token.

    Zhu et al., "PASS: Part-Aware Self-Supervised Pre-Training for Person Re-Identification", ECCV
    2022. Positions of the patches and of the tokens before them are apart.
    """

    def _add_positions(self, form: Architecture) -> None:
        self.part_tokens = _tokens(form.part_tokens, form.width)
        self.prefix_positions = _tokens(self.prefix, form.width)
        self.pos_embed = _token(form.width, self.grid[0] * self.grid[1])

    def _first_tokens(self) -> Tensor:
        return torch.cat([self.cls_token, *self.part_tokens], dim=1)

    def _positions(self) -> Tensor:
        return torch.cat([*self.prefix_positions, self.pos_embed], dim=1)


def _token(width: int, count: int = 1) -> nn.Parameter:
    token = nn.Parameter(torch.empty(1, count, width))
    nn.init.trunc_normal_(token, std=_STD)
    return token


def _tokens(count: int, width: int) -> nn.ParameterList:
    return nn.ParameterList(_token(width) for _ in range(count))

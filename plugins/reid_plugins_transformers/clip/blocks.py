"""What CLIP's two towers have in common: residual attention blocks with a cheap GELU.

Shapes: B sequences of L tokens, D the width of a token.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.errors import ConfigError

HEAD_WIDTH = 64
"""Width of an attention head, in all networks that were published."""


class QuickGELU(nn.Module):
    """The sigmoid approximation of GELU that CLIP's published networks were trained with."""

    def forward(self, values: Tensor) -> Tensor:
        """Return the values, each weighed by a sigmoid of its own."""
        return values * torch.sigmoid(1.702 * values)


class SelfAttention(nn.Module):
    """Tokens look at one another, in heads of 64 dimensions.

    Args:
        width: D.

    Raises:
        ConfigError: if D is no multiple of 64.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        if width % HEAD_WIDTH:
            raise ConfigError(
                f"CLIP's attention has heads of {HEAD_WIDTH} dimensions, and a token {width}",
                f"Set model.width and model.text_width to multiples of {HEAD_WIDTH}.",
            )
        self.in_proj = nn.Linear(width, 3 * width)
        self.out_proj = nn.Linear(width, width)

    def forward(self, tokens: Tensor, is_causal: bool) -> Tensor:
        """(B, L, D) -> (B, L, D); of a causal one each token sees itself and those before it."""
        query, key, value = map(by_head, self.in_proj(tokens).chunk(3, dim=2))
        seen = F.scaled_dot_product_attention(query, key, value, is_causal=is_causal)
        # (B, heads, L, HEAD_WIDTH) -> (B, L, D)
        mixed: Tensor = self.out_proj(seen.transpose(1, 2).flatten(2))
        return mixed


class AttentionBlock(nn.Module):
    """Attention and two linear layers, each behind a layer norm and added to what comes in.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(width)
        self.attn = SelfAttention(width)
        self.ln_2 = nn.LayerNorm(width)
        layers = {
            "c_fc": nn.Linear(width, 4 * width),
            "gelu": QuickGELU(),
            "c_proj": nn.Linear(4 * width, width),
        }
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, tokens: Tensor, is_causal: bool) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        tokens = tokens + self.attn(self.ln_1(tokens), is_causal)
        changed: Tensor = tokens + self.mlp(self.ln_2(tokens))
        return changed


class Blocks(nn.Module):
    """Blocks one behind the other.

    Args:
        width: of a token (D).
        depth: number of blocks.
        is_causal: a token sees itself and those before it alone.
    """

    def __init__(self, width: int, depth: int, is_causal: bool = False) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(AttentionBlock(width) for _ in range(depth))
        self.is_causal = is_causal

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the last block but one gives of tokens (B, L, D), and what the last."""
        before = tokens
        for block in self.resblocks:
            before, tokens = tokens, block(tokens, self.is_causal)
        return before, tokens


def by_head(tokens: Tensor) -> Tensor:
    """(B, L, D) -> (B, heads, L, HEAD_WIDTH)."""
    return torch.unflatten(tokens, 2, (-1, HEAD_WIDTH)).transpose(1, 2)

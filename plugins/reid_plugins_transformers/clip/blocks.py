"""What CLIP's two towers have in common: residual attention blocks with a cheap GELU."""

from __future__ import annotations

import torch
from torch import Tensor, nn

HEAD_WIDTH = 64
"""Width of an attention head, in all networks that were published."""


def quick_gelu(values: Tensor) -> Tensor:
    """Return the sigmoid approximation of GELU that CLIP's published networks were trained with."""
    return values * torch.sigmoid(1.702 * values)


def attention_block(width: int) -> nn.TransformerEncoderLayer:
    """Return a block (B, tokens, width) -> the same shape, with its norms before its layers."""
    return nn.TransformerEncoderLayer(
        width,
        nhead=max(1, width // HEAD_WIDTH),
        dim_feedforward=4 * width,
        dropout=0.0,
        activation=quick_gelu,
        batch_first=True,
        norm_first=True,
    )


class Blocks(nn.Module):
    """Blocks one behind the other, under the names of CLIP's own state dicts.

    Args:
        width: of a token.
        depth: number of blocks.
    """

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.resblocks = nn.ModuleList(attention_block(width) for _ in range(depth))

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run the blocks on tokens (B, tokens, width).

        Args:
            tokens: (B, tokens, width).
            mask: (tokens, tokens), true where a token does not see another.

        Returns:
            What the last block but one gives, and what the last gives, each (B, tokens, width).
        """
        before = tokens
        for block in self.resblocks:
            before, tokens = tokens, block(tokens, src_mask=mask)
        return before, tokens

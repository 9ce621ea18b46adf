"""The non-local block: every place of the maps looks at every other."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class NonLocalBlock(nn.Module):
    """Adds to each place a sum over all places, weighted by how alike they are.

    The embedded-Gaussian form of Wang et al., "Non-local Neural Networks", CVPR 2018. It starts as
    the identity, so that it may be put behind trained layers.

    Args:
        channels: of the maps; the block works on half of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        query, key, value = (
            layer(maps).flatten(2).transpose(1, 2) for layer in (self.theta, self.phi, self.g)
        )
        seen = F.scaled_dot_product_attention(query, key, value, scale=1.0)  # (B, h w, C / 2)
        seen = seen.transpose(1, 2).reshape(len(maps), -1, *maps.shape[2:])
        added: Tensor = self.norm(self.out(seen))
        return maps + added

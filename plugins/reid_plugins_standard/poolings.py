"""From maps (B, C, h, w) to features: average, maximum, both, and the generalized mean."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

_LEAST = 1e-6


class AvgMaxPool(nn.Module):
    """The average of each map plus its maximum."""

    def __init__(self) -> None:
        super().__init__()

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C)."""
        return maps.mean((2, 3)) + maps.amax((2, 3))


class MaxAvgPool(nn.Module):
    """The maximum of each map, and behind all of them the average of each.

    Gu et al., "Clothes-Changing Person Re-identification with RGB Modality Only", CVPR 2022, in
    the order of their code.
    """

    def __init__(self) -> None:
        super().__init__()

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 2 C)."""
        return torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)


class GeneralizedMeanPool(nn.Module):
    """Generalized mean: (mean of x^p)^(1/p), with p learnt or fixed.

    p = 1 is the average; the larger p, the nearer the maximum. Values below 1e-6 count as 1e-6, as
    the power is for maps that no activation made negative. Radenovic et al., "Fine-tuning CNN Image
    Retrieval with No Human Annotation", TPAMI 2018.

    Args:
        p: where the exponent starts, 1 or more.
        learnable: learn the exponent; one that stays as it is is not in the state dict.
    """

    p: Tensor

    def __init__(self, p: Annotated[float, Field(ge=1)] = 3.0, learnable: bool = True) -> None:
        super().__init__()
        exponent = torch.tensor([float(p)])
        if learnable:
            self.p = nn.Parameter(exponent)
        else:
            self.register_buffer("p", exponent, persistent=False)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, C)."""
        # Through logarithms and in full precision, which mixed precision leaves such functions in:
        # a large power of the maps themselves would overflow.
        logs = maps.float().flatten(2).clamp(min=_LEAST).log()
        p = self.p.float()
        return ((torch.logsumexp(p * logs, dim=2) - math.log(logs.shape[2])) / p).exp()


def average() -> nn.Module:
    """Return average pooling: (B, C, h, w) -> (B, C)."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def maximum() -> nn.Module:
    """Return maximum pooling: (B, C, h, w) -> (B, C)."""
    return nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten())

"""Euclidean distances and cosines between all images of a batch, exact and without waiting."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

_MOST_ELEMENTS = 2**26
"""How many components of differences are held at once, 256 MiB in float32."""

_FEW = 4
"""Up to how many pairs an image, on the average, the way back takes pair by pair."""


def euclidean_distances(features: Tensor) -> Tensor:
    """Return the distances ``(B, B)`` between features ``(B, D)``.

    They come from differences of features, so they stay exact far from the origin, and a
    distance of 0 has the slope 0.
    """
    distances: Tensor = _Distances.apply(features)
    return distances


def cosines(features: Tensor) -> Tensor:
    """Return the cosines ``(B, B)`` between features ``(B, D)``."""
    directions = F.normalize(features)
    return directions @ directions.T


def reading_waits(tensor: Tensor) -> bool:
    """Say whether to read a value is to wait for the work before it."""
    return tensor.device.type != "cpu"


class _Distances(torch.autograd.Function):
    """Euclidean distances ``(B, B)`` between features ``(B, D)``.

    ``cdist`` knows the way forward. Its own way back holds B x B x D numbers, and Apple's GPUs
    lack it.
    """

    @staticmethod
    def forward(ctx: Any, features: Tensor) -> Tensor:
        distances = torch.cdist(features, features, compute_mode="donot_use_mm_for_euclid_dist")
        ctx.save_for_backward(features, distances)
        return distances

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        features, distances = ctx.saved_tensors
        # Equal features have no direction to move in.
        weights = (gradient / distances).masked_fill(~(distances > 0), 0)  # (B, B)
        return (_pull_of_few if _are_few(weights) else _pull_of_all)(features, weights)


def _are_few(weights: Tensor) -> bool:
    """Say whether few pairs have a weight; where to find out is to wait, that is not asked."""
    if reading_waits(weights):
        return False
    return int(weights.count_nonzero()) <= _FEW * len(weights)


def _pull_of_few(features: Tensor, weights: Tensor) -> Tensor:
    """Return ``(B, D)``: the weighted differences of the pairs that have a weight, summed."""
    left, right = weights.nonzero(as_tuple=True)
    pull = weights[left, right, None] * (features[left] - features[right])
    return torch.zeros_like(features).index_add_(0, left, pull).index_add_(0, right, -pull)


def _pull_of_all(features: Tensor, weights: Tensor) -> Tensor:
    """Return the same from all pairs, some rows at a time: which ones have a weight is not read."""
    mutual = weights + weights.T
    rows = max(1, _MOST_ELEMENTS // features.numel())
    pulls = [
        # Not a product of matrices: TF32 would round it.
        (few[:, None] - features).mul_(weight[:, :, None]).sum(dim=1)  # (rows, B, D) to (rows, D)
        for few, weight in zip(torch.split(features, rows), torch.split(mutual, rows), strict=True)
    ]
    return torch.cat(pulls)

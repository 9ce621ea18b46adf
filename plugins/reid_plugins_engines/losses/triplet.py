"""The triplet loss on the hardest pairs of a batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from reid_plugins_engines.losses.cross_entropy import CrossEntropyLoss
from reidcore.errors import ConfigError, UserError, counted

_FIX = (
    "Train on P identities x K images a batch: train_sampler=RandomIdentitySampler, num_instances "
    "(K) 2 or more, and a batch of at least twice as many images on each process."
)
_MOST_ELEMENTS = 2**26
"""How many components of differences are held at once, 256 MiB in float32."""


class TripletLoss(nn.Module):
    """Batch-hard triplet loss (Hermans et al., In Defense of the Triplet Loss, 2017).

    Each image of a batch is an anchor. Its furthest image of the same identity is to be closer
    than its closest image of another one, by ``margin``; distances are Euclidean. An image that is
    its identity's only one is its own positive, at distance 0. Where several pairs are equally
    hard, the gradient is shared evenly among them.

    Distances come from differences of features, in float32 or better, so they stay exact far from
    the origin and under mixed precision.

    On a GPU nothing is read from the device, as that waits for it: a batch without pairs costs NaN
    there, and is refused on the CPU.

    Args:
        margin: how much closer.
        across_ranks: search the pairs in the images of all processes, as one process would in the
            same batch; otherwise each process searches its own images.
    """

    takes = "features"
    needs_positives = needs_negatives = True

    def __init__(self, margin: float = 0.3, *, across_ranks: bool = True) -> None:
        super().__init__()
        self.margin = margin
        self.across_ranks = across_ranks

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of the batch, a scalar.

        Args:
            inputs: features ``(B, D)``.
            targets: identities ``(B,)``.

        Raises:
            UserError: if all images are of one identity, or each is of another one; on the CPU.
        """
        same = targets[:, None] == targets  # (B, B)
        is_unread = _reading_waits(inputs)
        if not is_unread:
            _check_pairs(same)
        distances = _Distances.apply(inputs.to(torch.promote_types(inputs.dtype, torch.float32)))
        hardest_positive = distances.masked_fill(~same, -torch.inf).amax(dim=1)  # (B,)
        hardest_negative = distances.masked_fill(same, torch.inf).amin(dim=1)  # (B,)
        closer = torch.ones_like(hardest_negative)
        loss = F.margin_ranking_loss(hardest_negative, hardest_positive, closer, self.margin)
        return loss.masked_fill(_lacks_pairs(same), torch.nan) if is_unread else loss


def triplet_terms(
    num_classes: int,
    margin: float = 0.3,
    weight_t: float = 1.0,
    weight_x: float = 0.0,
    label_smooth: bool = True,
    across_ranks: bool = True,
) -> dict[str, tuple[float, Callable[..., Tensor]]]:
    """Make the weighted terms that the configuration's section ``loss.triplet`` describes.

    Args:
        num_classes: number of training identities (C).
        margin: of the triplet loss.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy beside it.
        label_smooth: smooth the targets of the cross entropy.
        across_ranks: with several processes, search the pairs in the images of all of them.

    Returns:
        ``triplet`` and ``softmax``, each a weight and a criterion; a term of weight 0 is left out.

    Raises:
        ConfigError: if a weight is negative, or both are 0.
    """
    softmax = CrossEntropyLoss(num_classes, label_smooth=label_smooth)
    return weigh(TripletLoss(margin, across_ranks=across_ranks), softmax, weight_t, weight_x)


def weigh(
    triplet: Callable[..., Tensor], softmax: Callable[..., Tensor], weight_t: float, weight_x: float
) -> dict[str, tuple[float, Callable[..., Tensor]]]:
    """Return the two criteria as weighted terms; one of weight 0 is left out.

    Raises:
        ConfigError: if a weight is negative, or both are 0.
    """
    if not (weight_t >= 0 and weight_x >= 0 and weight_t + weight_x > 0):
        raise ConfigError(
            f"loss.triplet.weight_t={weight_t} and loss.triplet.weight_x={weight_x}",
            "Give both 0 or more, and one of them more than 0",
        )
    terms = {"triplet": (weight_t, triplet), "softmax": (weight_x, softmax)}
    return {name: term for name, term in terms.items() if term[0] > 0}


class _Distances(torch.autograd.Function):
    """Euclidean distances ``(B, B)`` between features ``(B, D)``.

    ``cdist`` knows the way forward. Its own way back holds B x B x D numbers, and Apple's GPUs
    lack it; only the few pairs that were the hardest have a gradient here.
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
        pull_of = _pull_of_all if _reading_waits(features) else _pull_of_few
        return pull_of(features, weights)


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


def _reading_waits(tensor: Tensor) -> bool:
    """Say whether to read a value is to wait for the work before it."""
    return tensor.device.type != "cpu"


def _lacks_pairs(same: Tensor) -> Tensor:
    """Return, without reading it, whether a batch is of one identity or has one image of each."""
    pairs, size = same.sum(), len(same)
    return (pairs == size * size) | (pairs == size)


def _check_pairs(same: Tensor) -> None:
    """Make sure that a batch has two images of one identity and two identities."""
    pairs, size = int(same.sum()), len(same)
    batch = f"a batch of {counted(size, 'image')}"
    if pairs == size * size:
        raise UserError(f"the triplet loss saw one identity in {batch}", _FIX)
    if pairs == size:
        raise UserError(
            f"the triplet loss saw one image of each identity in {batch}",
            _FIX,
        )

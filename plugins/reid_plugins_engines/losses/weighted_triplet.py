"""The weighted regularised triplet loss: all pairs of an anchor, the harder the heavier."""

from __future__ import annotations

import math
from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import euclidean_distances
from reid_plugins_engines.losses.options import BranchWeights
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs, lowest, mean_over


class WeightedTripletLoss(PairLoss):
    """Weighted regularised triplet loss.

    Ye et al., Deep Learning for Person Re-identification: A Survey and Outlook, TPAMI 2021:
    ``mean_a log(1 + exp(sum_P w_p d(a, p) - sum_N w_n d(a, n)))`` with the weights
    ``w_p = softmax over P of d(a, p)`` and ``w_n = softmax over N of -d(a, n)``. It has no margin.
    Distances are Euclidean, of features as they are.

    An anchor is none of its own positives, and one without positives is left out of the mean. The
    weights of an anchor always sum to 1: where the published code divides sums of exp(-d) by
    themselves plus 1e-6, features of a large norm lose theirs.

    Args:
        normalize: bring features to length 1 first.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "weighted triplet loss"

    def __init__(self, *, normalize: bool = False, across_ranks: bool = True) -> None:
        super().__init__(across_ranks)
        self.normalize = normalize
        self.stuck_at = math.log(2)

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        distances = euclidean_distances(F.normalize(features) if self.normalize else features)
        furthest = _weighted_mean(distances, distances, pairs.positives)
        closest = _weighted_mean(distances, -distances, pairs.negatives)
        return mean_over(F.softplus(furthest - closest), pairs.anchors)


def _weighted_mean(values: Tensor, heaviness: Tensor, mask: Tensor) -> Tensor:
    """Return the means ``(B,)`` of the masked values, weighed by a softmax of their heaviness."""
    weights = heaviness.masked_fill(~mask, lowest(heaviness)).softmax(dim=1)
    return (weights * values).sum(dim=1)


def weighted_triplet_term(
    num_classes: int,
    normalize: bool = False,
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.weighted_triplet`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        normalize: bring features to length 1 first.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = WeightedTripletLoss(normalize=normalize, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "weighted_triplet")

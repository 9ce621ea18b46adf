"""The contrastive loss: positives near, negatives beyond a margin."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import euclidean_distances
from reid_plugins_engines.losses.options import BranchWeights, Margin
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs
from reidcore.errors import ConfigError


class ContrastiveLoss(PairLoss):
    """Contrastive loss over all pairs of a batch.

    Hadsell et al., Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006, with
    distances that are not squared, as PyTorch Metric Learning has it:
    ``mean [d_p - pos_margin]+  +  mean [neg_margin - d_n]+``, each a mean over the pairs of the
    batch that cost something. An image without a positive has its pairs of negatives all the same.

    Args:
        pos_margin: how far apart two images of one identity may be.
        neg_margin: how far apart two images of different ones are to be.
        normalize: bring features to length 1 first, so that distances are at most 2.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "contrastive loss"

    def __init__(
        self,
        pos_margin: float = 0.0,
        neg_margin: float = 1.0,
        *,
        normalize: bool = True,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.normalize = normalize

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        distances = euclidean_distances(F.normalize(features) if self.normalize else features)
        too_far = (distances - self.pos_margin).relu() * pairs.positives
        too_near = (self.neg_margin - distances).relu() * pairs.negatives
        return _mean_of_positive(too_far) + _mean_of_positive(too_near)


def _mean_of_positive(costs: Tensor) -> Tensor:
    """Return the mean of the costs that are more than 0, and 0 if none is."""
    return costs.sum() / (costs > 0).sum().clamp(min=1)


def contrastive_term(
    num_classes: int,
    pos_margin: Margin = 0.0,
    neg_margin: Margin = 1.0,
    normalize: bool = True,
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.contrastive`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        pos_margin: how far apart two images of one identity may be.
        neg_margin: how far apart two images of different ones are to be.
        normalize: bring features to length 1 first.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.

    Raises:
        ConfigError: if two images of one identity may be as far apart as any two.
    """
    if normalize and pos_margin >= 2:
        raise ConfigError(
            f"loss.contrastive.pos_margin is {pos_margin:g}, and features of length 1 are at most "
            "2 apart",
            "Give less, or set loss.contrastive.normalize=false.",
        )
    loss = ContrastiveLoss(pos_margin, neg_margin, normalize=normalize, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "contrastive")

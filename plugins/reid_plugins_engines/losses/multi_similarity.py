"""The multi-similarity loss, with the choice of pairs that belongs to it."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import cosines
from reid_plugins_engines.losses.options import BranchWeights, Cosine, CosineMargin, Scale
from reid_plugins_engines.losses.pair_loss import (
    PairLoss,
    Pairs,
    lowest,
    masked_logsumexp,
    mean_over,
)


class MultiSimilarityLoss(PairLoss):
    """Multi-similarity loss, with the choice of pairs that its authors make.

    Wang et al., Multi-Similarity Loss with General Pair Weighting for Deep Metric Learning, CVPR
    2019: ``mean_a 1/alpha log(1 + sum_P exp(-alpha (s_p - base))) +
    1/beta log(1 + sum_N exp(beta (s_n - base)))`` with the cosines s_p and s_n of an anchor's
    chosen positives and negatives: positives with ``s_p - epsilon`` below its largest s_n, and
    negatives with ``s_n + epsilon`` above its smallest s_p. An anchor that has pairs, none of them
    chosen, costs 0; one without positives is left out of the mean.

    Args:
        alpha: scale of the positives.
        beta: scale of the negatives.
        base: the cosine that divides the two.
        epsilon: how hard a pair must be to be chosen; None takes all.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "multi-similarity loss"

    def __init__(
        self,
        alpha: float = 2.0,
        beta: float = 50.0,
        base: float = 0.5,
        epsilon: float | None = 0.1,
        *,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        self.alpha = alpha
        self.beta = beta
        self.base = base
        self.epsilon = epsilon

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        similarities = cosines(features)
        chosen = pairs if self.epsilon is None else _hard(similarities, pairs, self.epsilon)
        above = similarities - self.base
        of_positives = masked_logsumexp(-self.alpha * above, chosen.positives)  # (B,)
        of_negatives = masked_logsumexp(self.beta * above, chosen.negatives)
        # log(1 + sum exp(x)) is softplus(log sum exp(x)), and a sum of nothing costs nothing.
        costs = F.softplus(of_positives) / self.alpha + F.softplus(of_negatives) / self.beta
        return mean_over(costs, pairs.anchors)


def _hard(similarities: Tensor, pairs: Pairs, epsilon: float) -> Pairs:
    """Return the pairs whose cosines ``(B, B)`` are within ``epsilon`` of the wrong order."""
    far = lowest(similarities)
    nearest_negative = similarities.masked_fill(~pairs.negatives, far).amax(dim=1, keepdim=True)
    furthest_positive = similarities.masked_fill(~pairs.positives, -far).amin(dim=1, keepdim=True)
    return Pairs(
        pairs.positives & (similarities - epsilon < nearest_negative),
        pairs.negatives & (similarities + epsilon > furthest_positive),
    )


def multi_similarity_term(
    num_classes: int,
    alpha: Scale = 2.0,
    beta: Scale = 50.0,
    base: Cosine = 0.5,
    epsilon: CosineMargin | None = 0.1,
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.multi_similarity`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        alpha: scale of the positives.
        beta: scale of the negatives.
        base: the cosine that divides the two.
        epsilon: how hard a pair must be to be chosen; null takes all.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = MultiSimilarityLoss(alpha, beta, base, epsilon, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "multi_similarity")

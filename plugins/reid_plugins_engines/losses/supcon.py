"""The supervised contrastive loss: each positive against all other images of the batch."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import cosines
from reid_plugins_engines.losses.options import BranchWeights, Temperature
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs, masked_logsumexp, mean_over


class SupConLoss(PairLoss):
    """Supervised contrastive loss.

    Khosla et al., Supervised Contrastive Learning, NeurIPS 2020, with the mean over positives
    outside of the logarithm:
    ``mean_a -1/|P| sum_P log(exp(s_p / T) / sum_(P and N) exp(s / T))`` with the cosines s of an
    anchor with the other images; anchors without positives are left out.

    Args:
        temperature: T.
        normalize: take cosines; otherwise products of features as they are.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "supervised contrastive loss"

    def __init__(
        self, temperature: float = 0.1, *, normalize: bool = True, across_ranks: bool = True
    ) -> None:
        super().__init__(across_ranks)
        self.temperature = temperature
        self.normalize = normalize

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        similarities = cosines(features) if self.normalize else features @ features.T
        logits = similarities / self.temperature
        everything = masked_logsumexp(logits, pairs.positives | pairs.negatives)  # (B,)
        of_positives = (logits * pairs.positives).sum(dim=1) / pairs.positives.sum(1).clamp(min=1)
        return mean_over(everything - of_positives, pairs.anchors)


def supcon_term(
    num_classes: int,
    temperature: Temperature = 0.1,
    normalize: bool = True,
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.supcon`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        temperature: what similarities are divided by.
        normalize: take cosines; otherwise products of features as they are.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = SupConLoss(temperature, normalize=normalize, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "supcon")

"""The instance loss: each identity of a batch, or each image, a class of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import cosines
from reid_plugins_engines.losses.options import BranchWeights, Scale
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs

Classes = Literal["identities", "images"]


class InstanceLoss(PairLoss):
    """Instance loss within a batch.

    Zheng et al., Dual-Path Convolutional Image-Text Embeddings with Instance Loss, ACM TOMM 2020,
    as its authors have it for re-identification:
    ``mean_i -log(exp(gamma s_ii) / sum_j exp(gamma s_ij))`` with the cosines s_ij of the mean
    features of the batch's identities i and j; s_ii is 1, so they are pushed apart. With
    ``classes="images"`` i and j are the images, two of one identity like any others.

    Args:
        gamma: what cosines are multiplied by.
        classes: ``identities`` or ``images``.
        across_ranks: take the images of all processes.
    """

    title = "instance loss"
    needs_positives = False

    def __init__(
        self, gamma: float = 32.0, classes: Classes = "identities", *, across_ranks: bool = True
    ) -> None:
        super().__init__(across_ranks)
        self.gamma = gamma
        self.classes = classes

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        same = (~pairs.negatives).to(features.dtype)
        counts = same.sum(dim=1)  # (B,), images of the identity
        if self.classes == "images":
            counts = torch.ones_like(counts)
        else:
            features = same @ features / counts[:, None]  # its mean, once for each of its images
        logits = self.gamma * cosines(features)
        # Of n images of an identity each stands for 1/n of it: how many there are is not read.
        everything = (logits - counts.log()).logsumexp(dim=1)
        costs = (everything - logits.diagonal()) / counts
        return costs.sum() / counts.reciprocal().sum()


def instance_term(
    num_classes: int,
    gamma: Scale = 32.0,
    classes: Classes = "identities",
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.instance`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        gamma: what cosines are multiplied by.
        classes: ``identities`` or ``images``.
        across_ranks: with several processes, take the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = InstanceLoss(gamma, classes, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "instance")

"""Losses that push all cosines of positives above all of negatives: circle loss, CosFace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.distances import cosines
from reid_plugins_engines.losses.options import BranchWeights, CosineMargin, Scale, Share
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs, masked_logsumexp, mean_over

Over = Literal["anchors", "pairs"]


class CirclePairLoss(PairLoss):
    """Circle loss over pairs of images.

    Sun et al., Circle Loss: A Unified Perspective of Pair Similarity Optimization, CVPR 2020:
    ``mean_a log(1 + sum_N exp(scale [s_n + m]+ (s_n - m)) *
    sum_P exp(-scale [1 + m - s_p]+ (s_p - (1 - m))))`` with the cosines s_p and s_n of an anchor's
    positives and negatives and the margin m. What stands in ``[ ]+`` weighs a cosine by how far it
    is off, and has no gradient.

    Args:
        margin: m.
        scale: what the exponents are multiplied by.
        over: ``anchors`` takes the loss of each image and their mean, those without positives left
            out; ``pairs`` takes one of all pairs of the batch, each counted once.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "circle loss"

    def __init__(
        self,
        margin: float = 0.25,
        scale: float = 128.0,
        over: Over = "anchors",
        *,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        self.margin = margin
        self.scale = scale
        self.over = over

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        similarities = cosines(features)
        far = similarities.detach()
        of_positives = -(1 + self.margin - far).relu() * (similarities - 1 + self.margin)
        of_negatives = (far + self.margin).relu() * (similarities - self.margin)
        return _ranked(self.scale * of_positives, self.scale * of_negatives, pairs, self.over)


class CosFacePairLoss(PairLoss):
    """CosFace over pairs of images, as FastReID has it.

    The margin is that of Wang et al., CosFace: Large Margin Cosine Loss for Deep Face Recognition,
    CVPR 2018, the form that of the circle loss:
    ``mean_a log(1 + sum_N exp(scale (s_n + m)) * sum_P exp(-scale s_p))`` with the cosines s_p and
    s_n of an anchor's positives and negatives and the margin m; anchors without positives are left
    out.

    Args:
        margin: m.
        scale: what cosines are multiplied by.
        across_ranks: take the pairs in the images of all processes.
    """

    title = "CosFace loss over pairs"

    def __init__(
        self, margin: float = 0.25, scale: float = 128.0, *, across_ranks: bool = True
    ) -> None:
        super().__init__(across_ranks)
        self.margin = margin
        self.scale = scale

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        logits = self.scale * cosines(features)
        return _ranked(-logits, logits + self.scale * self.margin, pairs, "anchors")


def _ranked(of_positives: Tensor, of_negatives: Tensor, pairs: Pairs, over: Over) -> Tensor:
    """Return ``log(1 + sum_P exp(x) * sum_N exp(y))`` of exponents x and y ``(B, B)``, a scalar."""
    if over == "anchors":
        positive = masked_logsumexp(of_positives, pairs.positives)  # (B,)
        negative = masked_logsumexp(of_negatives, pairs.negatives)
        return mean_over(F.softplus(positive + negative), pairs.anchors)
    once = torch.ones_like(pairs.positives).triu(diagonal=1)
    positive = masked_logsumexp(of_positives.flatten(), (pairs.positives & once).flatten(), dim=0)
    negative = masked_logsumexp(of_negatives.flatten(), (pairs.negatives & once).flatten(), dim=0)
    return F.softplus(positive + negative)


def circle_term(
    num_classes: int,
    margin: Share = 0.25,
    scale: Scale = 128.0,
    over: Over = "anchors",
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.circle`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        margin: how far a cosine may be from 1 or 0.
        scale: what the exponents are multiplied by.
        over: ``anchors`` or ``pairs``.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = CirclePairLoss(margin, scale, over, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "circle")


def cosface_pairs_term(
    num_classes: int,
    margin: CosineMargin = 0.25,
    scale: Scale = 128.0,
    across_ranks: bool = True,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.cosface_pairs`` describes.

    Args:
        num_classes: number of training identities, of no use here.
        margin: by how much the cosines of positives are to be larger.
        scale: what cosines are multiplied by.
        across_ranks: with several processes, take the pairs in the images of all of them.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    loss = CosFacePairLoss(margin, scale, across_ranks=across_ranks)
    return over_branches(loss, branch_weights, "cosface_pairs")

"""The triplet loss on the hardest pairs of a batch."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.cross_entropy import Form, softmax_term
from reid_plugins_engines.losses.distances import euclidean_distances
from reid_plugins_engines.losses.options import BranchWeights, Margin, Smoothing
from reid_plugins_engines.losses.pair_loss import PairLoss, Pairs
from reidcore.errors import ConfigError, quoted

_MARGIN = 0.3


class TripletLoss(PairLoss):
    """Batch-hard triplet loss (Hermans et al., In Defense of the Triplet Loss, 2017).

    ``mean_a [max_P d(a, p) - min_N d(a, n) + margin]+`` over the anchors a, or with ``soft``
    ``mean_a log(1 + exp(max_P d(a, p) - min_N d(a, n) + margin))``.

    Each image of a batch is an anchor. Its furthest image of the same identity is to be closer
    than its closest image of another one, by ``margin``; distances are Euclidean. An image that is
    its identity's only one is its own positive, at distance 0. Where several pairs are equally
    hard, the gradient is shared evenly among them.

    Args:
        margin: how much closer; None is 0.3, or 0 with ``soft``.
        soft: the soft margin, whose slope falls off smoothly and is never 0.
        normalize: bring features to length 1 first. Distances stay Euclidean, not their squares.
        across_ranks: search the pairs in the images of all processes, as one process would in the
            same batch; otherwise each process searches its own images.

    Raises:
        ConfigError: if the margin is no finite number of 0 or more.
    """

    title = "triplet loss"

    def __init__(
        self,
        margin: float | None = None,
        *,
        soft: bool = False,
        normalize: bool = False,
        across_ranks: bool = True,
    ) -> None:
        super().__init__(across_ranks)
        self.margin = (0.0 if soft else _MARGIN) if margin is None else margin
        if not 0 <= self.margin < math.inf:
            raise ConfigError(f"the triplet loss has margin={quoted(margin)}", "Give 0 or more.")
        self.soft = soft
        self.normalize = normalize
        self.stuck_at = math.log1p(math.exp(self.margin)) if soft else self.margin

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        distances = euclidean_distances(F.normalize(features) if self.normalize else features)
        hardest_positive = distances.masked_fill(pairs.negatives, -torch.inf).amax(dim=1)  # (B,)
        hardest_negative = distances.masked_fill(~pairs.negatives, torch.inf).amin(dim=1)  # (B,)
        violation = hardest_positive - hardest_negative + self.margin
        return (F.softplus(violation) if self.soft else violation.clamp(min=0)).mean()


OfTriplet = Field(json_schema_extra={"needs": "weight_t"})
OfSoftmax = Field(json_schema_extra={"needs": "weight_x"})
"""What an option needs to act at all."""


def triplet_terms(
    num_classes: int,
    margin: Annotated[Margin | None, OfTriplet] = None,
    weight_t: float = 1.0,
    weight_x: float = 0.0,
    label_smooth: Annotated[bool, OfSoftmax] = True,
    across_ranks: bool = True,
    soft: Annotated[bool, OfTriplet] = False,
    normalize: Annotated[bool, OfTriplet] = False,
    branch_weights: Annotated[BranchWeights, OfTriplet] = None,
    eps: Annotated[Smoothing | None, OfSoftmax] = None,
    form: Annotated[Form, OfSoftmax] = "k",
    branch_weights_x: Annotated[BranchWeights, OfSoftmax] = None,
) -> dict[str, tuple[float, Callable[..., Tensor]]]:
    """Make the weighted terms that the configuration's section ``loss.triplet`` describes.

    Args:
        num_classes: number of training identities (C).
        margin: of the triplet loss; null is 0.3, or 0 with ``soft``.
        weight_t: weight of the triplet loss.
        weight_x: weight of the cross entropy beside it.
        label_smooth: smooth the targets of the cross entropy.
        across_ranks: with several processes, search the pairs in the images of all of them.
        soft: the soft margin.
        normalize: bring features to length 1 first.
        branch_weights: of the triplet loss, for a network's branches, whose mean is taken without.
        eps: how much of the cross entropy's target is spread, as ``loss.softmax`` has it.
        form: of the cross entropy's smoothing.
        branch_weights_x: of the cross entropy, for a network's branches.

    Returns:
        ``triplet`` and ``softmax``, each a weight and a criterion; a term of weight 0 is left out.

    Raises:
        ConfigError: if a weight is negative, or both are 0, or an option cannot be.
    """
    loss = TripletLoss(margin, soft=soft, normalize=normalize, across_ranks=across_ranks)
    triplet = over_branches(loss, branch_weights, "triplet")
    softmax = softmax_term(num_classes, label_smooth, eps, form, branch_weights_x)
    return weigh(triplet, softmax, weight_t, weight_x)


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

"""The focal loss: cross entropy that looks away from what is recognised already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.class_loss import ClassLoss
from reid_plugins_engines.losses.options import BranchWeights, Exponent


class FocalLoss(ClassLoss):
    """Focal loss (Lin et al., Focal Loss for Dense Object Detection, ICCV 2017).

    ``mean -alpha (1 - p_y)^gamma log p_y`` with the probability p_y of the right identity. All
    classes have the same alpha, so it only scales the loss, as a weight in ``loss.terms`` does.

    Args:
        num_classes: the number of identities C.
        alpha: the scale.
        gamma: how much less what is recognised counts; 0 is cross entropy.
    """

    def __init__(self, num_classes: int, alpha: float = 0.25, gamma: float = 2.0) -> None:
        super().__init__(num_classes)
        self.alpha = alpha
        self.gamma = gamma

    def of_logits(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits ``(B, C)``, a scalar."""
        log_p = logits.log_softmax(dim=1).gather(1, targets[:, None])  # (B, 1)
        # Where the rest is 0 a power below 1 has no slope.
        rest = (-log_p.expm1()).clamp(min=torch.finfo(log_p.dtype).tiny)
        return -self.alpha * (rest**self.gamma * log_p).mean()


def focal_term(
    num_classes: int,
    alpha: Annotated[float, Field(gt=0)] = 0.25,
    gamma: Exponent = 2.0,
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.focal`` describes.

    Args:
        num_classes: number of training identities (C).
        alpha: what the loss is multiplied by.
        gamma: how much less what is recognised counts.
        branch_weights: of a network's branches, whose mean is taken without.
    """
    return over_branches(FocalLoss(num_classes, alpha, gamma), branch_weights, "focal")

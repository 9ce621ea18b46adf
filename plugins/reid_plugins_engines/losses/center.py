"""The centre loss: features of an identity close to its centre, which is learnt."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from reidcore.errors import ConfigError, UserError, counted
from reidcore.models import Outputs


class CenterLoss(nn.Module):
    """Squared distance of features from the centres of their identities.

    ``sum ||f - c_y||^2 / B`` over a batch of B images, as Luo et al. take it (Bag of Tricks and a
    Strong Baseline for Deep Person Re-identification, 2019), twice that of Wen et al. (A
    Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016).

    The centres begin at random and have an optimizer of their own, whose gradients the engine
    divides by the weight of the loss: with a weight of 0.0005, as published, they still learn at
    ``lr``. Distances are computed in float32 or better, also under mixed precision.

    Args:
        num_classes: the number of identities C.
        feature_dim: the number of features D.
        lr: learning rate of the centres.

    Attributes:
        centers: ``(C, D)``.
    """

    takes = "features"
    across_ranks = True

    def __init__(self, num_classes: int, feature_dim: int, lr: float = 0.5) -> None:
        super().__init__()
        self.centers = nn.Parameter(torch.randn(num_classes, feature_dim))
        self.lr = lr

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            inputs: features ``(B, D)``.
            targets: identities ``(B,)``, from 0 to C - 1.

        Raises:
            UserError: if the model gives another number of features.
        """
        if inputs.shape[1] != self.centers.shape[1]:
            raise UserError(
                f"the centre loss was made for {self.centers.shape[1]} features, and the model "
                f"gives {inputs.shape[1]}",
                "Make it with feature_dim=model.feature_dim; for a network of several branches set "
                "loss.center.branches to their number.",
            )
        features = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        return (features - self.centers[targets]).square().sum() / len(features)

    def make_optimizer(self) -> Optimizer:
        """Return the optimizer of the centres: plain gradient descent."""
        return SGD(self.parameters(), lr=self.lr)


class BranchCenterLoss(nn.Module):
    """The mean of centre losses, one for each branch of a network, with centres of its own.

    As it is a mean, the centres of n branches learn at ``lr / n``.

    Args:
        num_classes: the number of identities C.
        feature_dim: the number of features of all branches together, which are equally many.
        branches: how many there are.
        lr: learning rate of the centres.
    """

    takes = "features"
    across_ranks = True

    def __init__(self, num_classes: int, feature_dim: int, branches: int, lr: float = 0.5) -> None:
        super().__init__()
        self.losses = nn.ModuleList(
            CenterLoss(num_classes, feature_dim // branches, lr) for _ in range(branches)
        )
        self.lr = lr

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            outputs: features ``(B, D)`` of each branch.
            batch: has the identities, ``pid (B,)``.

        Raises:
            UserError: if the network has another number of branches, or they another size.
        """
        given = outputs.features
        branches = [given] if isinstance(given, Tensor) else list(given)
        if len(branches) != len(self.losses):
            raise UserError(
                f"loss.center.branches is {len(self.losses)}, and the model gives features of "
                f"{counted(len(branches), 'branch', 'branches')}",
                "Set it to their number.",
            )
        terms = [loss(own, batch["pid"]) for loss, own in zip(self.losses, branches, strict=True)]
        return torch.stack(terms).mean()

    def make_optimizer(self) -> Optimizer:
        """Return the optimizer of the centres: plain gradient descent."""
        return SGD(self.parameters(), lr=self.lr)


def center_term(
    num_classes: int,
    feature_dim: int | None = None,
    lr: Annotated[float, Field(ge=0)] = 0.5,
    branches: Annotated[int, Field(ge=1)] = 1,
) -> CenterLoss | BranchCenterLoss:
    """Make the loss term that the configuration's section ``loss.center`` describes.

    Args:
        num_classes: number of training identities (C).
        feature_dim: number of features (D), as the model says.
        lr: learning rate of the centres.
        branches: how many branches the model's features are of, each with centres of its own.

    Raises:
        ConfigError: if the model does not say how many features it gives, or they are not as many
            in each branch.
    """
    if feature_dim is None:
        raise ConfigError(
            "the centre loss needs to know how many features the model gives",
            "Give the model an attribute feature_dim, or leave the loss out.",
        )
    if feature_dim % branches:
        raise ConfigError(
            f"loss.center.branches is {branches}, and the model's {feature_dim} features are no "
            "multiple of that",
            "Set it to the number of the model's branches.",
        )
    if branches > 1:
        return BranchCenterLoss(num_classes, feature_dim, branches, lr)
    return CenterLoss(num_classes, feature_dim, lr)

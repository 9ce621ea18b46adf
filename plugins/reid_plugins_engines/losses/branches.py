"""One criterion on the several outputs of a network with branches, each with its weight."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from reidcore.errors import ConfigError, UserError, counted
from reidcore.models import Outputs


class BranchWeighted(nn.Module):
    """The weighted sum of a criterion over the branches of a network: ``sum_b w_b loss(x_b, y)``.

    The engine averages a criterion over branches; with this one, recipes that weigh them otherwise
    are followed: their sum has the weights 1, 1, ...

    Args:
        criterion: called as ``criterion(x, pids)``; its ``takes`` says of what, ``logits`` or
            ``features``, and its ``across_ranks`` whether of those of all processes.
        weights: one for each branch, in the network's order; a branch of weight 0 is left out.
        option: what messages call the weights.
    """

    def __init__(
        self, criterion: nn.Module, weights: Sequence[float], option: str = "branch_weights"
    ) -> None:
        super().__init__()
        self.criterion = criterion
        self.weights = tuple(weights)
        self.option = option
        self.takes: str = getattr(criterion, "takes", "logits")
        self.across_ranks = bool(getattr(criterion, "across_ranks", False))
        self.needs_positives = bool(getattr(criterion, "needs_positives", False))
        self.needs_negatives = bool(getattr(criterion, "needs_negatives", False))
        of_one: float | None = getattr(criterion, "stuck_at", None)
        self.stuck_at = None if of_one is None else of_one * sum(self.weights)

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return the weighted sum, a scalar.

        Args:
            outputs: logits ``(B, C)`` and features ``(B, D)``, one of each branch.
            batch: has the identities, ``pid (B,)``.

        Raises:
            UserError: if the network has another number of branches than there are weights.
        """
        given = getattr(outputs, self.takes)
        branches = [given] if isinstance(given, Tensor) else list(given or ())
        if len(branches) != len(self.weights):
            raise UserError(
                f"{self.option} has {counted(len(self.weights), 'weight')}, and the model gives "
                f"{self.takes} of {counted(len(branches), 'branch', 'branches')}",
                "Give one weight for each branch, or leave them out for the mean over branches.",
            )
        weighed = [
            weight * self.criterion(branch, batch["pid"])
            for weight, branch in zip(self.weights, branches, strict=True)
            if weight
        ]
        total: Tensor = sum(weighed[1:], start=weighed[0])
        return total

    def set_epoch(self, epoch: int) -> None:
        """Tell the criterion the epoch, counted from 0, if it wants to know."""
        if callable(tell := getattr(self.criterion, "set_epoch", None)):
            tell(epoch)


def over_branches(
    criterion: nn.Module, weights: Sequence[float] | None, loss: str
) -> Callable[..., Tensor]:
    """Return a criterion with the weights of its branches, itself where there are none.

    Args:
        criterion: called as ``criterion(x, pids)``.
        weights: as the configuration has them.
        loss: the section of the configuration, ``loss.<loss>``.

    Raises:
        ConfigError: if no weight is more than 0.
    """
    if weights is None:
        return criterion
    option = f"loss.{loss}.branch_weights"
    if not sum(weights) > 0:
        raise ConfigError(
            f"{option} is {list(weights)}", "Give one number for each branch, some more than 0."
        )
    return BranchWeighted(criterion, weights, option)

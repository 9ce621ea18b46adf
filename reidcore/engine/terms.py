"""Loss terms: a weight and a criterion each, called in the criterion's own way."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

if TYPE_CHECKING:
    from reidcore.models import Outputs

Criterion = Callable[..., Tensor]
LossTerms = dict[str, tuple[float, Criterion]]


def takes_outputs(criterion: Criterion) -> bool:
    """Say whether a loss is called as ``loss(outputs, batch)``."""
    return _parameters(criterion)[:2] == ["outputs", "batch"]


def input_of(criterion: Criterion, outputs: Outputs) -> Any:
    """Return what a loss called as ``loss(x, pids)`` takes: logits or features.

    A loss says so by its attribute ``takes`` or by naming its first parameter ``features``.
    """
    by_name = "features" if _parameters(criterion)[:1] == ["features"] else "logits"
    return getattr(outputs, getattr(criterion, "takes", by_name))


def weighted(
    terms: LossTerms,
    outputs: Outputs,
    batch: Mapping[str, Any],
    compute_loss: Callable[[Criterion, Any, Tensor], Tensor],
) -> dict[str, Tensor]:
    """Return the weighted terms of a batch; ``compute_loss`` calls those that take ``pids``."""
    return {
        name: weight
        * (
            criterion(outputs, batch)
            if takes_outputs(criterion)
            else compute_loss(criterion, input_of(criterion, outputs), batch["pid"])
        )
        for name, (weight, criterion) in terms.items()
    }


def _parameters(criterion: Criterion) -> list[str]:
    called = criterion.forward if isinstance(criterion, nn.Module) else criterion
    return list(inspect.signature(called).parameters)

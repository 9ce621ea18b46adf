"""One criterion on several outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from reidcore.errors import UserError


def DeepSupervision(
    criterion: Callable[[Tensor, Tensor], Tensor], xs: Sequence[Tensor], y: Tensor
) -> Tensor:
    """Return the mean of a criterion over several outputs of a network, a scalar.

    Args:
        criterion: called as ``criterion(x, y)``.
        xs: logits ``(B, C)`` or features ``(B, D)``, one of each branch.
        y: identities ``(B,)``.

    Raises:
        UserError: if there is no output.
    """
    if not len(xs):
        raise UserError("DeepSupervision was given no output", "Give one or more in xs.")
    return torch.stack([criterion(x, y) for x in xs]).mean()

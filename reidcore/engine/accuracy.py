"""How often a classifier's best guesses hold the right class."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


@torch.no_grad()
def accuracy(
    output: Tensor | Sequence[Tensor], target: Tensor, topk: Sequence[int] = (1,)
) -> list[Tensor]:
    """Return the accuracy over the k best predictions, for each k.

    Args:
        output: (B, C) class scores, or a list of them, of which the first counts.
        target: (B,) true classes.
        topk: the values of k; one greater than C counts all classes.

    Returns:
        One tensor of one element for each k, in percent.
    """
    scores = output if isinstance(output, Tensor) else output[0]
    deepest = min(max(topk), scores.size(1))
    right = scores.topk(deepest, dim=1).indices == target.view(-1, 1)
    return [right[:, :k].sum().mul(100.0 / target.size(0)).view(1) for k in topk]

"""Learning from another network's predictions: the divergence between two distributions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from reidcore.errors import UserError
from reidcore.models import Outputs


def kl_divergence(logits: Tensor, targets: Tensor, temperature: float = 1.0) -> Tensor:
    """Return ``T^2 KL(targets || logits)``, the mean over the images, a scalar.

    Both are softened by the temperature T; the factor keeps the gradient's size whatever T is
    (Hinton et al., Distilling the Knowledge in a Neural Network, 2015). The targets are constants:
    the gradient is that of the cross entropy, which differs by their entropy, so that the value is
    0 where the two agree. In float32 or better, also under mixed precision.

    Args:
        logits: (B, C) of the network that learns.
        targets: (B, C) of the one that it learns from.
        temperature: T, above 0.

    Raises:
        UserError: if they have other numbers of classes.
    """
    if logits.shape != targets.shape:
        raise UserError(
            f"a network of {logits.shape[-1]} classes cannot learn from the logits of one of "
            f"{targets.shape[-1]}",
            "Build both for the same identities.",
        )
    exact = torch.promote_types(logits.dtype, torch.float32)
    learnt = F.log_softmax(logits.to(exact) / temperature, dim=1)
    given = F.log_softmax(targets.detach().to(exact) / temperature, dim=1)
    return temperature**2 * F.kl_div(learnt, given, reduction="batchmean", log_target=True)


def soft_target_loss(outputs: Outputs, targets: Outputs, temperature: float = 1.0) -> Tensor:
    """Return `kl_divergence` between two networks, the mean over their classifiers.

    Networks with as many classifiers (parts, branches) are compared one by one; otherwise each of
    the learner's is compared with the mean of the other's logits.

    Args:
        outputs: of the network that learns.
        targets: of the one that it learns from.
        temperature: T.

    Raises:
        UserError: if one of them gives no logits, or they have other numbers of classes.
    """
    learnt, given = _logits(outputs), _logits(targets)
    if len(learnt) != len(given):
        given = [torch.stack(given).mean(dim=0)] * len(learnt)
    pairs = zip(learnt, given, strict=True)
    return torch.stack([kl_divergence(*pair, temperature) for pair in pairs]).mean()


def _logits(outputs: Outputs) -> list[Tensor]:
    if outputs.logits is None:  # of a foreign module without a classifier
        raise UserError(
            "a network without logits cannot be compared by its predictions",
            "Return (logits, features) in training, or subclass ReidModel.",
        )
    return [outputs.logits] if isinstance(outputs.logits, Tensor) else list(outputs.logits)

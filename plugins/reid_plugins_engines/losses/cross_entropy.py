"""The cross-entropy loss over identities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from reid_plugins_engines.losses.branches import over_branches
from reid_plugins_engines.losses.class_loss import ClassLoss
from reid_plugins_engines.losses.options import BranchWeights, Smoothing
from reidcore.errors import ConfigError

_EPS = 0.1

Form = Literal["k", "k_minus_1"]


class CrossEntropyLoss(ClassLoss):
    """Cross entropy with label smoothing.

    In the form ``k`` the target is ``1 - eps`` on the right identity plus ``eps / C`` on every one
    (Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016), in the
    form ``k_minus_1`` it is ``1 - eps`` on the right identity and ``eps / (C - 1)`` on each other
    one, as in FastReID. The second is the first with ``eps C / (C - 1)``.

    Computed in float32 or better, also under mixed precision.

    Args:
        num_classes: the number of identities C.
        eps: how much of the target is spread.
        use_gpu: accepted for Torchreid's callers; the loss is computed where its inputs are.
        label_smooth: without it, ``eps`` is 0.
        form: ``k`` or ``k_minus_1``.
    """

    def __init__(
        self,
        num_classes: int,
        eps: float = _EPS,
        use_gpu: bool = True,
        label_smooth: bool = True,
        *,
        form: Form = "k",
    ) -> None:
        super().__init__(num_classes)
        self.eps = eps if label_smooth else 0.0
        self.form = form

    def of_logits(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of logits ``(B, C)``, a scalar."""
        classes = logits.shape[1]
        spread = self.eps if self.form == "k" else self.eps * classes / max(classes - 1, 1)
        return F.cross_entropy(logits, targets, label_smoothing=spread)


def softmax_term(
    num_classes: int,
    label_smooth: bool = True,
    eps: Smoothing | None = None,
    form: Annotated[Form, Field(json_schema_extra={"needs": "label_smooth"})] = "k",
    branch_weights: BranchWeights = None,
) -> Callable[..., Tensor]:
    """Make the loss term that the configuration's section ``loss.softmax`` describes.

    Args:
        num_classes: number of training identities (C).
        label_smooth: smooth the targets.
        eps: how much of the target is spread; null is 0.1, or 0 without smoothing.
        form: over all identities, ``k``, or over all others, ``k_minus_1``.
        branch_weights: of a network's branches, whose mean is taken without.

    Raises:
        ConfigError: if ``eps`` is more than 0 without smoothing, or leaves the right identity less
            of the target than the others.
    """
    if eps and not label_smooth:
        raise ConfigError(
            f"loss.softmax.eps is {eps}, and loss.softmax.label_smooth is off", "Leave one out."
        )
    if form == "k_minus_1" and eps and num_classes > 1 and eps > 1 - 1 / num_classes:
        raise ConfigError(
            f"loss.softmax.eps is {eps} with the form k_minus_1, which leaves the right one of "
            f"{num_classes} identities less than each other one",
            f"Give at most {1 - 1 / num_classes:g}; published recipes have {_EPS}.",
        )
    loss = CrossEntropyLoss(
        num_classes, _EPS if eps is None else eps, True, label_smooth, form=form
    )
    return over_branches(loss, branch_weights, "softmax")

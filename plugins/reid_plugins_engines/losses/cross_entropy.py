"""The cross-entropy loss over identities."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.errors import UserError, counted


class CrossEntropyLoss(nn.Module):
    """Cross entropy with label smoothing.

    The target is ``1 - eps`` on the right identity plus ``eps / C`` on every one
    (Szegedy et al., Rethinking the Inception Architecture for Computer Vision, CVPR 2016).

    Args:
        num_classes: the number of identities C.
        eps: how much of the target is spread.
        use_gpu: accepted for Torchreid's callers; the loss is computed where its inputs are.
        label_smooth: without it, ``eps`` is 0.
    """

    takes = "logits"

    def __init__(
        self,
        num_classes: int,
        eps: float = 0.1,
        use_gpu: bool = True,
        label_smooth: bool = True,
    ) -> None:
        super().__init__()
        self.num_classes = num_classes
        self.eps = eps if label_smooth else 0.0

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss, a scalar.

        Args:
            inputs: logits ``(B, C)``.
            targets: identities ``(B,)``, from 0 to C - 1.

        Raises:
            UserError: if the model has no class for an identity.
        """
        classes = inputs.shape[1]
        # Labels are read, which waits for the device, only where there are fewer classes.
        if classes < self.num_classes and int(targets.max()) >= classes:
            raise UserError(
                f"the model has {counted(classes, 'class', 'classes')}, and the loss "
                f"{counted(self.num_classes, 'identity', 'identities')}",
                "Build it with num_classes=datamanager.num_train_pids.",
            )
        return F.cross_entropy(inputs, targets, label_smoothing=self.eps)


def softmax_term(num_classes: int, label_smooth: bool = True) -> CrossEntropyLoss:
    """Make the loss term that the configuration's section ``loss.softmax`` describes."""
    return CrossEntropyLoss(num_classes, label_smooth=label_smooth)

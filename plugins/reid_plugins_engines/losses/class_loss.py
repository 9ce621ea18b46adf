"""What the losses of logits share: whether there is a class for each identity, and precision."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from reidcore.errors import UserError, counted


class ClassLoss(nn.Module):
    """Base of the losses that compare logits with identities.

    A subclass defines ``of_logits``, which gets logits in float32 or better.

    Args:
        num_classes: the number of identities C.
    """

    takes = "logits"

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.num_classes = num_classes

    def of_logits(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of logits ``(B, C)``, a scalar."""
        raise NotImplementedError

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
        return self.of_logits(inputs.to(torch.promote_types(inputs.dtype, torch.float32)), targets)

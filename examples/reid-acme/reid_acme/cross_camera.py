"""The loss: what a person looks like should not depend on the camera."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.errors import UserError
from reidcore.models import Outputs


class CrossCamera(nn.Module):
    """Mean squared distance of the features of one person under two cameras.

    Features are scaled to unit length first. A batch without such a pair has the loss 0.

    Args:
        num_classes: the number of identities; not needed here.
        margin: distances below it cost nothing.
    """

    def __init__(self, num_classes: int, margin: float = 0.0) -> None:
        super().__init__()
        self.margin = margin

    def forward(self, outputs: Outputs, batch: Mapping[str, Any]) -> Tensor:
        """Return a scalar.

        Args:
            outputs: with ``features (B, D)``.
            batch: with ``pid (B,)`` and ``camid (B,)``.

        Raises:
            UserError: if the model gives several features for an image.
        """
        if not isinstance(outputs.features, Tensor):
            raise UserError("cross_camera compares one feature of an image with another's")
        features = F.normalize(outputs.features)
        pids = batch["pid"]
        camids = batch["camid"].to(pids.device)
        pairs = (pids[:, None] == pids[None, :]) & (camids[:, None] != camids[None, :])
        distances = 2 - 2 * torch.matmul(features, features.T)
        costs = (distances - self.margin).clamp(min=0)[pairs]
        return costs.sum() / max(len(costs), 1)

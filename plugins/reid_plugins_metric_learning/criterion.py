"""A loss of PML as a criterion of the engine, with its miner and its memory."""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning.losses import CrossBatchMemory
from torch import Tensor, nn

from reidcore.errors import UserError, counted


class Memory(CrossBatchMemory):  # type: ignore[misc]
    """The features of past batches, which the images of a batch are compared with.

    Wang et al., Cross-Batch Memory for Embedding Learning, CVPR 2020. It goes into checkpoints with
    the place where the next batch is written.
    """

    def get_extra_state(self) -> dict[str, Any]:
        """Return what PML keeps beside buffers."""
        return {"queue_idx": self.queue_idx, "has_been_filled": self.has_been_filled}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take what `get_extra_state` gave."""
        self.queue_idx = state["queue_idx"]
        self.has_been_filled = state["has_been_filled"]


class MetricLoss(nn.Module):
    """A loss of PML on the features of a batch, in float32 or better under mixed precision.

    Args:
        name: the loss as a configuration names it, for messages.
        loss: PML's own; within a `Memory`, if it has one.
        miner: chooses the pairs or triplets; a loss without one takes all.
        feature_dim: the number of features D that the loss was made for, if it depends on that.
        across_ranks: give it the features of all processes, as one process would in the same
            batch; otherwise each process takes its own.

    Attributes:
        needs_positives: whether a batch must have two images of an identity to be learnt from.
        needs_negatives: whether it must have two identities.
    """

    takes = "features"

    def __init__(
        self,
        name: str,
        loss: Any,
        miner: Any = None,
        *,
        feature_dim: int | None = None,
        across_ranks: bool = True,
    ) -> None:
        super().__init__()
        self.__name__ = name
        self.loss = loss
        self.miner = miner
        self.feature_dim = feature_dim
        self.across_ranks = across_ranks
        # What has weights for the identities, or a memory, has others to compare an image with.
        self.needs_positives = self.needs_negatives = feature_dim is None

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of a batch, a scalar.

        Args:
            inputs: features ``(B, D)``.
            targets: identities ``(B,)``, from 0 to C - 1.

        Raises:
            UserError: if the loss was made for another D, its memory is smaller than the batch, or
                PML refuses the batch.
        """
        self._check(inputs)
        features = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
        try:
            with torch.autocast(inputs.device.type, enabled=False):
                mined = self.miner(features, targets) if self.miner is not None else None
                value: Tensor = self.loss(features, targets, mined)
        except (AssertionError, ValueError) as error:
            raise UserError(
                f"the loss {self.__name__!r} cannot learn from a batch of "
                f"{counted(len(inputs), 'image')}: {error}",
                "See what it asks of a batch in the documentation of pytorch-metric-learning.",
            ) from error
        return value

    def _check(self, inputs: Tensor) -> None:
        """Make sure that the loss was made for such features."""
        given = inputs.shape[1]
        if self.feature_dim not in (None, given):
            raise UserError(
                f"the loss {self.__name__!r} was made for {self.feature_dim} features, and the "
                f"model gives {given}",
                f"Set embedding_size={given} in loss.{self.__name__}, if a branch gives so many; "
                "by hand, make it with feature_dim=model.feature_dim.",
            )
        size = self.loss.memory_size if isinstance(self.loss, Memory) else len(inputs)
        if size < len(inputs):
            raise UserError(
                f"the memory of the loss {self.__name__!r} has room for {counted(size, 'image')}, "
                f"and a batch has {len(inputs)}",
                f"Raise loss.{self.__name__}.memory_size.",
            )

"""What the losses over pairs of images share: whose pairs they are, and batches without any."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from reid_plugins_engines.losses.distances import reading_waits
from reidcore.errors import UserError, counted

_FIX = (
    "Train on P identities x K images a batch: train_sampler=RandomIdentitySampler, num_instances "
    "(K) 2 or more, and a batch of at least twice as many images on each process."
)


class Pairs(NamedTuple):
    """Which images of a batch are pairs.

    Attributes:
        positives: ``(B, B)``, whether two are of one identity; no image is a pair with itself.
        negatives: ``(B, B)``, whether they are of two.
    """

    positives: Tensor
    negatives: Tensor

    @classmethod
    def of(cls, targets: Tensor) -> Pairs:
        """Return the pairs of images with the identities ``(B,)``."""
        same = targets[:, None] == targets  # (B, B)
        # By its place: a copy of an image is a pair with it, and rounding plays no part.
        itself = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
        return cls(same & ~itself, ~same)

    @property
    def anchors(self) -> Tensor:
        """``(B,)``: whether an image has pairs of both kinds."""
        return self.positives.any(dim=1) & self.negatives.any(dim=1)


class PairLoss(nn.Module):
    """Base of the losses that compare the images of a batch with one another.

    A subclass defines ``of_pairs``, which gets features in float32 or better and outside of mixed
    precision. Identities may have unequal numbers of images.

    On a GPU nothing is read from the device, as that waits for it: a batch without pairs costs NaN
    there, and is refused on the CPU.

    Args:
        across_ranks: compare the images of all processes, as one process would in the same batch;
            otherwise each process compares its own.

    Attributes:
        title: what messages call the loss.
        needs_positives: whether it learns nothing without two images of one identity.
        needs_negatives: the same of two identities; it always does.
        stuck_at: what it costs while all features are at one point and it has no slope, if so.
    """

    takes = "features"
    title: ClassVar[str] = "loss over pairs"
    needs_positives: ClassVar[bool] = True
    needs_negatives: ClassVar[bool] = True
    stuck_at: float | None = None

    def __init__(self, across_ranks: bool = True) -> None:
        super().__init__()
        self.across_ranks = across_ranks

    def of_pairs(self, features: Tensor, pairs: Pairs) -> Tensor:
        """Return the loss of features ``(B, D)``, a scalar."""
        raise NotImplementedError

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of the batch, a scalar.

        Args:
            inputs: features ``(B, D)``.
            targets: identities ``(B,)``.

        Raises:
            UserError: if the batch lacks pairs that the loss needs: all images are of one identity,
                or each is of another one; on the CPU.
        """
        pairs = Pairs.of(targets)
        is_unread = reading_waits(inputs)
        if not is_unread:
            self._check(pairs)
        with torch.autocast(inputs.device.type, enabled=False):
            features = inputs.to(torch.promote_types(inputs.dtype, torch.float32))
            loss = self.of_pairs(features, pairs)
        return loss.masked_fill(self._lacks_pairs(pairs), torch.nan) if is_unread else loss

    def _lacks_pairs(self, pairs: Pairs) -> Tensor:
        """Return, without reading it, whether pairs that the loss needs are missing."""
        lacks_negatives = ~pairs.negatives.any()
        return lacks_negatives | ~pairs.positives.any() if self.needs_positives else lacks_negatives

    def _check(self, pairs: Pairs) -> None:
        batch = f"a batch of {counted(len(pairs.negatives), 'image')}"
        if not pairs.negatives.any():
            raise UserError(f"the {self.title} saw one identity in {batch}", _FIX)
        if self.needs_positives and not pairs.positives.any():
            raise UserError(f"the {self.title} saw one image of each identity in {batch}", _FIX)


def mean_over(values: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of the chosen ones of some values, NaN where none is chosen."""
    return values.masked_fill(~chosen, 0).sum() / chosen.sum()


def masked_logsumexp(values: Tensor, mask: Tensor, dim: int = 1) -> Tensor:
    """Return log sum exp of the values that a mask leaves, along a dimension.

    Of none it is a very negative number instead of minus infinity, whose slope would be NaN.
    """
    return values.masked_fill(~mask, lowest(values)).logsumexp(dim)


def lowest(values: Tensor) -> float:
    """Return a number far below any, which may still be added to another such one."""
    return torch.finfo(values.dtype).min / 4

"""Losses of PML that would stop a run, or mislead it, mended.

Each is PML's class under PML's name, and gives PML's numbers wherever those are right.
"""

from __future__ import annotations

from typing import Any

import torch
from pytorch_metric_learning import losses
from pytorch_metric_learning.utils.loss_and_miner_utils import (
    convert_to_triplets,
    convert_to_weights,
)
from torch import Tensor

_EDGE = 1e-6
"""How far similarities are kept from 1, where an arc cosine has no slope and bins end."""


class DynamicSoftMarginLoss(losses.DynamicSoftMarginLoss):  # type: ignore[misc]
    """PML's, its histogram a buffer that is no part of the next step's graph.

    PML's own keeps the graph, so that the second step cannot go back, and leaves the histogram out
    of its state.
    """

    hist_: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        histogram: Tensor = self.__dict__.pop("hist_")
        self.register_buffer("hist_", histogram)

    def compute_loss(self, *given: Any) -> Any:
        """Return PML's account of the losses of a batch, which the histogram then has in it."""
        computed = super().compute_loss(*given)
        self.hist_ = self.hist_.detach()
        return computed


class HistogramLoss(losses.HistogramLoss):  # type: ignore[misc]
    """PML's, with equal features in its last bin. PML's own reads beyond that.

    It also indexes by lists, which torch is to read in another way.
    """

    def compute_loss(
        self, embeddings: Tensor, labels: Tensor, indices_tuple: Any, *reference: Tensor
    ) -> Any:
        """Return the loss of a batch of features (B, D) as PML accounts for it."""
        anchors, positives, negatives = convert_to_triplets(indices_tuple, labels, labels, "all")
        if not len(anchors):
            return self.zero_losses()
        similar = self.distance(embeddings)  # (B, B)
        near = self.compute_density(_of_pairs(similar, anchors, positives))
        far = self.compute_density(_of_pairs(similar, anchors, negatives))
        return {
            "loss": {
                "losses": (far * near.cumsum(dim=0)).sum(),
                "indices": None,
                "reduction_type": "already_reduced",
            }
        }

    def compute_density(self, distances: Tensor) -> Tensor:
        """Return the histogram of similarities (N,) from -1 to 1."""
        is_last = (distances - 1).abs() < _EDGE
        density: Tensor = super().compute_density(torch.where(is_last, 1 - _EDGE, distances))
        return density


def _of_pairs(similar: Tensor, one: Tensor, other: Tensor) -> Tensor:
    """Return the entries of a matrix (B, B) for pairs of images, each pair once."""
    pairs = torch.unique(torch.stack((one, other)).sort(dim=0).values, dim=1)  # (2, N)
    return similar[pairs[0], pairs[1]]


class NCALoss(losses.NCALoss):  # type: ignore[misc]
    """PML's, without a loss where no image has another one of its identity. PML's own is NaN."""

    def nca_computation(self, *given: Any) -> Any:
        """Return PML's account of the losses of a batch."""
        computed = super().nca_computation(*given)
        return computed if len(computed["loss"]["losses"]) else self.zero_losses()


class SmoothAPLoss(losses.SmoothAPLoss):  # type: ignore[misc]
    """Smooth average precision, by the labels (Brown et al., Smooth-AP, ECCV 2020).

    PML's own takes neighbours in a batch for images of one identity whatever the labels say, and
    confuses the number of identities with that of images of each: it is right for P identities
    with P images each, in order. Here any batch serves. An image is found by itself too, as in the
    authors' code.
    """

    def compute_loss(
        self, embeddings: Tensor, labels: Tensor, indices_tuple: Any, *reference: Tensor
    ) -> Any:
        """Return the losses of a batch of features (B, D) as PML accounts for them, (B,)."""
        similar = self.distance(embeddings)  # (B, B): of each query with each image
        same = labels[:, None] == labels
        # (B, B, B): for a query, an image and another one, whether the other one comes before.
        before = ((similar[:, None, :] - similar[:, :, None]) / self.temperature).sigmoid()
        before = before * ~torch.eye(len(labels), dtype=torch.bool, device=labels.device)
        rank = 1 + before.sum(dim=2)
        rank_among_same = 1 + (before * same[:, None, :]).sum(dim=2)
        precision = (rank_among_same / rank * same).sum(dim=1) / same.sum(dim=1)
        weights = convert_to_weights(indices_tuple, labels, dtype=precision.dtype)
        return {
            "loss": {
                "losses": (1 - precision) * weights,
                "indices": torch.arange(len(labels), device=labels.device),
                "reduction_type": "element",
            }
        }


class TupletMarginLoss(losses.TupletMarginLoss):  # type: ignore[misc]
    """PML's, with a slope for equal features of one identity. PML's own has NaN."""

    def _compute_loss(self, pos_pairs: Tensor, neg_pairs: Tensor, indices_tuple: Any) -> Any:
        inside = pos_pairs.clamp(-1 + _EDGE, 1 - _EDGE) if len(pos_pairs) else pos_pairs
        return super()._compute_loss(inside, neg_pairs, indices_tuple)


MENDED = {
    mended.__name__: mended
    for mended in (
        DynamicSoftMarginLoss,
        HistogramLoss,
        NCALoss,
        SmoothAPLoss,
        TupletMarginLoss,
    )
}
"""Name -> the class that stands for PML's own."""

"""A backbone with a head in place of its own: mixed into the backbone's class.

The backbone's layers stay the model's own children, so that their state-dict keys, and with them
the published weights, stay as they are. The head's are ``head.*``; the classifier is ``classifier``
as in every model.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from reidcore.models.reid_model import Outputs, ReidModel


class Head(nn.Module):
    """The layers between a backbone's maps and its classifier; those not chosen are None.

    Attributes:
        non_local: (B, channels, h, w) -> the same shape.
        pool: (B, channels, h, w) -> (B, channels); None leaves pooling to the backbone.
        embedding: (B, channels) -> (B, D).
        neck: (B, D) -> (B, D), between the metric losses and the classifier.
        dropout: before the classifier.
    """

    def __init__(self) -> None:
        super().__init__()
        self.non_local: nn.Module | None = None
        self.pool: nn.Module | None = None
        self.embedding: nn.Module | None = None
        self.neck: nn.Module | None = None
        self.dropout: nn.Module | None = None


class HeadedModel(ReidModel):
    """Mixed into a backbone's class, in front of it.

    Metric losses see the features before the neck; the classifier and retrieval those behind it
    (Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person Re-identification", CVPRW
    2019).

    Attributes:
        head: the chosen layers.
    """

    head: Head

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> the last maps (B, channels, h, w), behind the non-local block."""
        return _through(self.head.non_local, super().featuremaps(images))

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> features (B, D) before the neck."""
        if self.head.pool is None:
            features: Tensor = super().describe(images)
        else:
            features = self.head.pool(self.featuremaps(images))
        return _through(self.head.embedding, features)

    def heads(self, embedding: Any, pids: Tensor | None) -> Outputs:
        """Return logits (B, C) of what is behind the neck, and the features (B, D) before it."""
        classified = _through(self.head.dropout, self.retrieval(embedding))
        return Outputs(self.classifier(classified, pids), embedding)

    def retrieval(self, embedding: Any) -> Tensor:
        """(B, D) -> (B, D), behind the neck."""
        return _through(self.head.neck, embedding)


def batch_norm_neck(feature_dim: int) -> nn.BatchNorm1d:
    """Return the batch norm of a BNNeck: without a shift, so that the classes stay around zero.

    It has no bias at all rather than a frozen one, which unfreezing all layers would set free.
    """
    neck = nn.BatchNorm1d(feature_dim)
    neck.register_parameter("bias", None)
    return neck


def _through(layer: nn.Module | None, values: Tensor) -> Tensor:
    passed: Tensor = values if layer is None else layer(values)
    return passed

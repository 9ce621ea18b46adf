"""What fills a network's slot ``head``: the layers between its last maps and its classifier.

The network's own layers stay its children, so that their state-dict keys, and with them the
published weights, stay as they are. The head's are ``head.*``; the classifier is ``classifier`` as
in every model.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reidcore.models.init import initialise


class Head(nn.Module):
    """The layers between a backbone's maps and its classifier; those not chosen are None.

    The classifier sees the features behind the neck. By default metric losses see those before it,
    and retrieval those behind it (Luo et al., "Bag of Tricks and a Strong Baseline for Deep Person
    Re-identification", CVPRW 2019).

    Args:
        metric_features: ``before_neck`` or ``after_neck``: what metric losses see.
        test_features: likewise, what images are compared by.

    Attributes:
        non_local: (B, channels, h, w) -> the same shape.
        pool: (B, channels, h, w) -> (B, channels); None leaves pooling to the backbone.
        embedding: (B, channels) -> (B, D).
        neck: (B, D) -> (B, D), between the metric losses and the classifier.
        dropout: before the classifier.
    """

    def __init__(
        self, metric_features: str = "before_neck", test_features: str = "after_neck"
    ) -> None:
        super().__init__()
        self.metric_features = metric_features
        self.test_features = test_features
        self.non_local: nn.Module | None = None
        self.pool: nn.Module | None = None
        self.embedding: nn.Module | None = None
        self.neck: nn.Module | None = None
        self.dropout: nn.Module | None = None

    def attend(self, maps: Tensor) -> Tensor:
        """Pass maps (B, channels, h, w) through the non-local block."""
        return _through(self.non_local, maps)

    def embed(self, pooled: Tensor) -> Tensor:
        """Reduce pooled maps (B, channels) to features (B, D) before the neck."""
        return _through(self.embedding, pooled)

    def retrieve(self, features: Tensor) -> Tensor:
        """Return the features (B, D) by which images are compared, of those before the neck."""
        return features if self.test_features == "before_neck" else _through(self.neck, features)

    def trained(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the classifier and the metric losses see, (B, D) each.

        Args:
            features: those before the neck (B, D).
        """
        behind = _through(self.neck, features)  # once: it counts the batch
        metric = features if self.metric_features == "before_neck" else behind
        return _through(self.dropout, behind), metric


class NonLocalBlock(nn.Module):
    """Adds to each place of the maps a sum over all places, weighted by how alike they are.

    The embedded-Gaussian form of Wang et al., "Non-local Neural Networks", CVPR 2018. It starts as
    the identity, so that it may be put behind trained layers.

    Args:
        channels: of the maps; the block works on half of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(1, channels // 2)
        self.theta = nn.Conv2d(channels, inner, 1)
        self.phi = nn.Conv2d(channels, inner, 1)
        self.g = nn.Conv2d(channels, inner, 1)
        self.out = nn.Conv2d(inner, channels, 1, bias=False)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, C, h, w) -> the same shape."""
        # (B, C, h, w) -> (B, h * w, C / 2) each
        query, key, value = (
            layer(maps).flatten(2).transpose(1, 2) for layer in (self.theta, self.phi, self.g)
        )
        seen = F.scaled_dot_product_attention(query, key, value, scale=1.0)
        # (B, h * w, C / 2) -> (B, C / 2, h, w)
        seen = torch.unflatten(seen.transpose(1, 2), 2, maps.shape[2:])
        added: Tensor = self.norm(self.out(seen))
        return maps + added


class LinearClassifier(nn.Linear):
    """A linear layer, which has no use for the labels."""

    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        """(B, D) -> logits (B, C)."""
        return super().forward(features)


def linear_classifier(feature_dim: int, num_classes: int, bias: bool = True) -> LinearClassifier:
    """Return a linear classifier (B, D) -> (B, C) with its starting weights."""
    classifier = LinearClassifier(feature_dim, num_classes, bias=bias)
    initialise(classifier)
    return classifier


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

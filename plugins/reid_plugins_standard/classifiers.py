"""Classifiers of identities by cosine, with a margin that training must overcome.

B images, D feature dimensions, C identities. All are called as ``classifier(features, pids)``; the
margin acts in training and where ``pids`` are given, and the logits are plain scaled cosines
otherwise.
"""

from __future__ import annotations

import math
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

Scale = Annotated[float, Field(gt=0, le=10_000)]
"""What cosines are multiplied by; beyond that the largest is all that counts."""
Angle = Annotated[float, Field(ge=0, lt=math.pi)]
"""In radians: 0.5 is 28.6 degrees."""
CosineMargin = Annotated[float, Field(ge=0, le=2)]
"""A difference of cosines, of which 2 is the largest."""
Share = Annotated[float, Field(ge=0, le=1)]

# The sine's slope is infinite where the cosine is 1.
_NEARLY_ONE = 1.0 - 1e-7


class CosineClassifier(nn.Module):
    """Base: cosines between features and one direction for each identity, times ``scale``.

    Args:
        feature_dim: D.
        num_classes: C.
        scale: what cosines are multiplied by.
        margin: see the subclass.
    """

    def __init__(self, feature_dim: int, num_classes: int, scale: float, margin: float) -> None:
        super().__init__()
        self.scale = scale
        self.margin = margin
        self.weight = nn.Parameter(torch.empty(num_classes, feature_dim))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, features: Tensor, pids: Tensor | None = None) -> Tensor:
        """Return logits (B, C) in full precision.

        Args:
            features: (B, D).
            pids: the labels (B,), each from 0 to C - 1.
        """
        with torch.autocast(features.device.type, enabled=False):
            directions = F.normalize(self.weight.float(), dim=1)
            cosines = F.linear(F.normalize(features.float(), dim=1), directions)
            if pids is None or not self.training:
                return self.scale * cosines
            return self.scale * self.with_margin(cosines, pids)

    def with_margin(self, cosines: Tensor, pids: Tensor) -> Tensor:
        """Return the cosines (B, C) made harder for the labels (B,)."""
        raise NotImplementedError(f"{type(self).__name__} defines no with_margin(cosines, pids)")

    def extra_repr(self) -> str:
        """Say what was chosen, where the network is printed."""
        classes, dim = self.weight.shape
        return f"{dim}, {classes}, scale={self.scale}, margin={self.margin}"


class ArcFace(CosineClassifier):
    """Adds the margin to the angle: cos(angle + margin) for the label.

    Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019. Where
    the sum would pass 180 degrees a straight line goes on, so that the logit keeps falling.
    """

    def __init__(
        self, feature_dim: int, num_classes: int, scale: Scale = 30.0, margin: Angle = 0.5
    ) -> None:
        super().__init__(feature_dim, num_classes, scale, margin)

    def with_margin(self, cosines: Tensor, pids: Tensor) -> Tensor:
        """(B, C) -> (B, C)."""
        own = cosines.gather(1, pids[:, None])
        near = own.clamp(-_NEARLY_ONE, _NEARLY_ONE)
        sines = (1 - near.square()).sqrt()
        turned = near * math.cos(self.margin) - sines * math.sin(self.margin)
        straight = own - self.margin * math.sin(self.margin)
        harder = torch.where(own > -math.cos(self.margin), turned, straight)
        return cosines.scatter(1, pids[:, None], harder)


class CosFace(CosineClassifier):
    """Takes the margin off the label's cosine.

    Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018.
    """

    def __init__(
        self, feature_dim: int, num_classes: int, scale: Scale = 30.0, margin: CosineMargin = 0.35
    ) -> None:
        super().__init__(feature_dim, num_classes, scale, margin)

    def with_margin(self, cosines: Tensor, pids: Tensor) -> Tensor:
        """(B, C) -> (B, C)."""
        own = cosines.gather(1, pids[:, None])
        return cosines.scatter(1, pids[:, None], own - self.margin)


class Circle(CosineClassifier):
    """Weighs each cosine by how far it is from where it should be: 1 for the label, else 0.

    Sun et al., "Circle Loss: A Unified Perspective of Pair Similarity Optimization", CVPR 2020, in
    its form for class labels.
    """

    def __init__(
        self, feature_dim: int, num_classes: int, scale: Scale = 64.0, margin: Share = 0.25
    ) -> None:
        super().__init__(feature_dim, num_classes, scale, margin)

    def with_margin(self, cosines: Tensor, pids: Tensor) -> Tensor:
        """(B, C) -> (B, C)."""
        far = cosines.detach()
        others = (far + self.margin).relu() * (cosines - self.margin)
        own = (1 + self.margin - far).relu() * (cosines - 1 + self.margin)
        index = pids[:, None]
        return others.scatter(1, index, own.gather(1, index))

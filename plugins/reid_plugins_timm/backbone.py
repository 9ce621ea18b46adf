"""A timm network under the model contract.

B images, D feature dimensions; H and W are the size of an image, h and w that of the last maps.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from reidcore.errors import UserError
from reidcore.models import ReidModel, initialise


class TimmModel(ReidModel):
    """A network whose last layers give maps: convolutional ones, and transformers in stages.

    Features are what timm's own classifier would be given.

    Args:
        backbone: built without a classifier.
        num_classes: number of training identities (C).
        loss: what training returns (see ``ReidModel``).
        feature_dim: D.
    """

    def __init__(self, backbone: nn.Module, num_classes: int, loss: str, feature_dim: int) -> None:
        super().__init__(loss)
        self.backbone: Any = backbone
        self.feature_dim = feature_dim
        self.classifier = nn.Linear(feature_dim, num_classes)
        initialise(self.classifier)

    def featuremaps(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, channels, h, w)."""
        maps: Tensor = self.backbone.forward_features(images)
        return maps.permute(0, 3, 1, 2) if self._is_channels_last else maps

    def embed(self, maps: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, D)."""
        maps = maps.permute(0, 2, 3, 1) if self._is_channels_last else maps
        features: Tensor = self.backbone.forward_head(maps, pre_logits=True)
        return features

    @property
    def _is_channels_last(self) -> bool:
        return getattr(self.backbone, "output_fmt", "NCHW") == "NHWC"


class TokenModel(TimmModel):
    """A network whose last layer gives tokens: some for the whole image, one for each patch."""

    def featuremaps(self, images: Tensor) -> Tensor:
        """Return the tokens of the patches as maps: (B, 3, H, W) -> (B, channels, h, w).

        Raises:
            UserError: if they form no grid of the image's proportions.
        """
        tokens = self.backbone.forward_features(images)
        leading = getattr(self.backbone, "num_prefix_tokens", 0)
        grid = _grid(tokens, leading, images)
        if grid is None:
            raise UserError(
                f"timm's {type(self.backbone).__name__} gives no feature maps",
                "Choose another network, or leave out what needs maps.",
            )
        return tokens[:, leading:].transpose(1, 2).reshape(len(tokens), -1, *grid)  # type: ignore[no-any-return]

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        tokens = self.backbone.forward_features(images)
        features: Tensor = self.backbone.forward_head(tokens, pre_logits=True)
        return features


def adopt(backbone: nn.Module, num_classes: int, loss: str, size: tuple[int, int]) -> TimmModel:
    """Bring a timm network under the contract, after a look at what it gives.

    Args:
        backbone: built without a classifier.
        num_classes: number of training identities (C).
        loss: what training returns.
        size: height and width of the images.
    """
    network: Any = backbone.eval()
    with torch.no_grad():
        given = network.forward_features(torch.zeros(1, 3, *size))
        features = network.forward_head(given, pre_logits=True)
    gives_maps = isinstance(given, Tensor) and given.dim() == 4
    kind = TimmModel if gives_maps else TokenModel
    return kind(backbone.train(), num_classes, loss, features.shape[1])


def _grid(tokens: object, leading: int, images: Tensor) -> tuple[int, int] | None:
    """Return how the tokens of patches lie on the image, if they do."""
    if not isinstance(tokens, Tensor):
        return None
    height, width = images.shape[-2:]
    patches = tokens.shape[1] - leading
    rows = math.isqrt(patches * height // width)
    columns = patches // max(1, rows)
    fits = rows * columns == patches and rows * width == columns * height
    return (rows, columns) if patches > 0 and fits else None

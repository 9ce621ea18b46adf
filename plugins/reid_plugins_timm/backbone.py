"""A timm network under the model contract.

B images, D feature dimensions; H and W are the size of an image, h and w that of the last maps.
"""

from __future__ import annotations

import math
from typing import Any, Literal

import torch
from reid_plugins_transformers.vit.positions import grid_of_proportions, learnt_grid
from timm.layers.pos_embed import resample_abs_pos_embed
from timm.models import group_parameters
from torch import Tensor, nn

from reidcore.errors import ConfigError, UserError
from reidcore.models import ReidModel, initialise

TokenPool = Literal["own", "all"]
"""What makes features of a transformer's tokens: timm's own pooling, or the mean of them all."""


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

    def layer_depths(self) -> dict[str, int]:
        """Return the depth of each of the backbone's parameters, as timm groups them."""
        matcher = getattr(self.backbone, "group_matcher", None)
        if matcher is None:
            return {}
        depths = group_parameters(self.backbone, matcher(coarse=False), reverse=True)
        return {f"backbone.{name}": depth for name, depth in depths.items()}

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
        return tokens[:, leading:].transpose(1, 2).reshape(tokens.shape[0], -1, *grid)  # type: ignore[no-any-return]

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        tokens = self.backbone.forward_features(images)
        features: Tensor = self.backbone.forward_head(tokens, pre_logits=True)
        return features

    def resampled(self, name: str, entry: Tensor) -> Tensor | None:
        """Interpolate positions (1, tokens, D) learnt on images of another size."""
        own = getattr(self.backbone, "pos_embed", None)
        grid = getattr(getattr(self.backbone, "patch_embed", None), "grid_size", None)
        if name != "backbone.pos_embed" or own is None or grid is None:
            return None
        leading = own.shape[1] - math.prod(grid)
        if entry.dim() != 3 or entry.shape[2] != own.shape[2] or leading < 0:
            return None
        before = learnt_grid(entry.shape[1] - leading, grid)
        if before is None:
            return None
        positions: Tensor = resample_abs_pos_embed(entry, list(grid), list(before), leading)
        return positions


class MeanTokenModel(TokenModel):
    """One whose features are the mean of all its tokens, those for the whole image included."""

    def __init__(self, backbone: nn.Module, num_classes: int, loss: str, feature_dim: int) -> None:
        super().__init__(backbone, num_classes, loss, feature_dim)
        if hasattr(backbone, "attn_pool"):
            self.backbone.attn_pool = None  # timm's own pooling would be weights of no use

    def describe(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) -> (B, D)."""
        mean: Tensor = self.backbone.forward_features(images).mean(dim=1)
        # Where timm pools patches, some networks have their last norm behind the pooling.
        norm = getattr(self.backbone, "fc_norm", None)
        return mean if norm is None else norm(mean)


def adopt(
    backbone: nn.Module,
    num_classes: int,
    loss: str,
    size: tuple[int, int],
    pool_tokens: TokenPool = "own",
) -> TimmModel:
    """Bring a timm network under the contract, after a look at what it gives.

    Args:
        backbone: built without a classifier.
        num_classes: number of training identities (C).
        loss: what training returns.
        size: height and width of the images.
        pool_tokens: what makes features of tokens.

    Raises:
        ConfigError: if all tokens are to be pooled of a network that gives none.
    """
    network: Any = backbone.eval()
    with torch.no_grad():
        given = network.forward_features(torch.zeros(1, 3, *size))
        features = network.forward_head(given, pre_logits=True)
    rank = given.dim() if isinstance(given, Tensor) else 0
    if pool_tokens == "all":
        if rank != 3:
            raise ConfigError(
                f"model.pool_tokens=all: timm's {type(backbone).__name__} gives no tokens",
                "Leave it out; model.head.pool has poolings of maps.",
            )
        return MeanTokenModel(backbone.train(), num_classes, loss, given.shape[2])
    kind = TimmModel if rank == 4 else TokenModel
    return kind(backbone.train(), num_classes, loss, features.shape[1])


def _grid(tokens: object, leading: int, images: Tensor) -> tuple[int, int] | None:
    """Return how the tokens of patches lie on the image, if they do."""
    if not isinstance(tokens, Tensor):
        return None
    height, width = images.shape[-2:]
    return grid_of_proportions(tokens.shape[1] - leading, height, width)

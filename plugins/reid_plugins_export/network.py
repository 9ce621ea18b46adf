"""What is exported: a network from images to features, what surrounds the model folded in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from reidcore.errors import UserError, quoted
from reidcore.models import features_of

Takes: TypeAlias = Literal["normalised", "unit_range", "bytes"]

PREPROCESS: Mapping[str, Takes] = {"none": "normalised", "mean_std": "unit_range", "full": "bytes"}
"""What of the preprocessing is folded in -> what the images must be."""

_SEED = 7


class FeatureNetwork(nn.Module):
    """A model with what surrounds it: ``forward`` takes images alone, and gives features alone.

    Shapes: ``none`` and ``mean_std`` take float (B, 3, height, width); ``full`` takes bytes
    (B, h, w, 3), of any size, and resizes them. Features are (B, D) float32.

    Args:
        model: under the model contract; what it wants beside images is not known to an exported
            file, as it is not known to an extractor.
        size: height and width of the model's images, in pixels.
        mean: of each channel, in 0..1.
        std: of each channel.
        preprocess: a key of ``PREPROCESS``.
        normalise: scale features to unit length.

    Raises:
        UserError: if there is no such ``preprocess``.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        model: nn.Module,
        size: tuple[int, int],
        mean: Sequence[float],
        std: Sequence[float],
        preprocess: str = "none",
        normalise: bool = False,
    ) -> None:
        super().__init__()
        if preprocess not in PREPROCESS:
            raise UserError(
                f"preprocess={quoted(preprocess)}", f"Give one of {', '.join(PREPROCESS)}."
            )
        self.model = model
        self.size = size
        self.preprocess = preprocess
        self.normalise = normalise
        self.register_buffer("mean", torch.tensor(list(mean)).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(list(std)).view(1, 3, 1, 1), persistent=False)
        self.eval().requires_grad_(False)

    @property
    def takes(self) -> Takes:
        """What the images must be."""
        return PREPROCESS[self.preprocess]

    def forward(self, images: Tensor) -> Tensor:
        """Return the features (B, D) of images."""
        features = features_of(self.model, self._prepared(images), {})
        return functional.normalize(features) if self.normalise else features

    def example(self, count: int) -> Tensor:
        """Return images as the network takes them, drawn once and for all."""
        draws = torch.Generator().manual_seed(_SEED + count)
        height, width = self._size_of_example(count)
        # Coarse patterns under noise: the range and the smoothness that pictures have.
        coarse = torch.rand(count, 3, 8, 4, generator=draws)
        smooth = functional.interpolate(coarse, (height, width), mode="bilinear")
        noise = torch.rand(count, 3, height, width, generator=draws)
        pictures = 0.8 * smooth + 0.2 * noise
        if self.takes == "bytes":
            return (255 * pictures).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
        return pictures if self.takes == "unit_range" else (pictures - self.mean) / self.std

    def _size_of_example(self, count: int) -> tuple[int, int]:
        """Return a size of images: where any is taken, one that must be enlarged or reduced."""
        height, width = self.size
        if self.takes != "bytes":
            return height, width
        return round(height * (0.5 + count / 3)), round(width * (0.5 + count / 3))

    def free_sides(self) -> dict[int, torch.export.Dim]:
        """Return the dimensions of the images of which there may be any number."""
        names = ("batch", "height", "width") if self.takes == "bytes" else ("batch",)
        return {place: torch.export.Dim(name) for place, name in enumerate(names)}

    def _prepared(self, images: Tensor) -> Tensor:
        """Return what the model takes, (B, 3, height, width) normalised."""
        if self.takes == "normalised":
            return images
        if self.takes == "bytes":
            images = self._resized(images) / 255
        return (images - self.mean) / self.std

    def _resized(self, images: Tensor) -> Tensor:
        """Return bytes (B, h, w, 3) as whole floats (B, 3, height, width) in 0..255."""
        channels_first = images.permute(0, 3, 1, 2).float()
        resized = functional.interpolate(
            channels_first, self.size, mode="bilinear", antialias=True, align_corners=False
        )
        return resized.round().clamp(0, 255)


def width_of(network: FeatureNetwork) -> int:
    """Return the number of dimensions D of the features."""
    with torch.inference_mode():
        return int(network(network.example(2)).shape[1])

"""Random transforms that draw their parameters apart from their use, as torchvision's v2 does.

What is drawn for an image depends on seed, epoch and index, and is drawn where the image is read.
It is applied there, or later to the whole batch, on the device that the batch is on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reidcore.data.images.resize import Pixels
from reidcore.errors import ConfigError

Stage: TypeAlias = Literal["resize", "image", "tensor"]
"""Where a transform acts, see `reidcore.data.transforms.compose`."""

Params: TypeAlias = Sequence[float]
"""What was drawn for an image: P numbers, as many for each image."""


class RandomTransform(ABC):
    """A random transform of one image or of a batch.

    A plugin's may derive from `PixelTransform` or `TensorTransform`; then it acts on batches where
    ``data.augment`` says so.
    """

    @abstractmethod
    def make_params(self, height: int, width: int) -> Params:
        """Draw what an image of that size is changed by: P numbers, whatever the image."""

    @abstractmethod
    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return a batch changed by what was drawn for each image.

        Args:
            images: (B, 3, height, width), which may be written to.
            params: (B, P), float64, on the CPU.
        """


class PixelTransform(RandomTransform):
    """The base of those that change the bytes of an image, stage ``image``."""

    stage: ClassVar[Stage] = "image"

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return one image (height, width, 3) changed; the one that was given stays as it is."""
        batch = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]  # (h, w, 3) -> (1, 3, h, w)
        changed = self.transform(batch, torch.tensor([params], dtype=torch.float64))
        return np.asarray(changed[0].permute(1, 2, 0).numpy())  # (1, 3, h, w) -> (h, w, 3)

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return an image changed at random."""
        params = self.make_params(image.height, image.width)
        return Image.fromarray(self.transform_pixels(np.asarray(image), params))


class TensorTransform(RandomTransform):
    """The base of those that change the normalised tensor, stage ``tensor``."""

    stage: ClassVar[Stage] = "tensor"

    def __call__(self, image: Tensor) -> Tensor:
        """Return an image (3, height, width) changed at random, a copy."""
        params = torch.tensor([self.make_params(*image.shape[-2:])], dtype=torch.float64)
        return self.transform(image[None].clone(), params)[0]


def to_device_of(images: Tensor, values: Tensor) -> Tensor:
    """Return values on the device of the images."""
    return values.to(images.device, non_blocking=True)


def as_pixels(image: Any) -> Pixels:
    """Return a PIL image, or pixels themselves, as pixels."""
    return np.asarray(image)


def as_pil(image: Any) -> Image.Image:
    """Return pixels, or a PIL image itself, as a PIL image."""
    return image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))


def check_probability(name: str, p: float) -> float:
    """Return ``p`` if it is a probability.

    Raises:
        ConfigError: It is not.
    """
    if not 0 <= p <= 1:
        raise ConfigError(f"{name} has the probability {p}", "It must lie between 0 and 1")
    return p

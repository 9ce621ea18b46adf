"""Transforms whose random numbers are drawn apart from their use.

What is drawn for an image depends on seed, epoch and index, and is drawn where the image is read.
It is applied there, or later to the whole batch, on the device that the batch is on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reidcore.data.images.resize import Pixels

Draw = Sequence[float]
"""What was drawn for an image: as many numbers for each image, P."""


class Drawn(ABC):
    """A random transform of images, of one or of a batch.

    A plugin's may derive from it as well; then it acts per batch where ``data.augment`` says so.
    """

    @abstractmethod
    def draw(self, height: int, width: int) -> Draw:
        """Draw what an image of that size is changed by: P numbers, whatever the image."""

    @abstractmethod
    def on_batch(self, images: Tensor, drawn: Tensor) -> Tensor:
        """Return a batch changed by what was drawn for each image.

        Args:
            images: (B, 3, height, width), which may be written to.
            drawn: (B, P), float64, on the CPU.
        """


class DrawnForPixels(Drawn):
    """The base of those that change the bytes of an image, stage ``image``."""

    stage: ClassVar[str] = "image"

    def on_pixels(self, pixels: Pixels, drawn: Draw) -> Pixels:
        """Return one image (height, width, 3) changed; the one that was given stays as it is."""
        batch = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]
        changed = self.on_batch(batch, torch.tensor([drawn], dtype=torch.float64))
        return np.asarray(changed[0].permute(1, 2, 0).numpy())

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return an image changed at random."""
        drawn = self.draw(image.height, image.width)
        return Image.fromarray(self.on_pixels(np.asarray(image), drawn))


class DrawnForTensors(Drawn):
    """The base of those that change the normalised tensor, stage ``tensor``."""

    stage: ClassVar[str] = "tensor"

    def __call__(self, image: Tensor) -> Tensor:
        """Return an image (3, height, width) changed at random, a copy."""
        drawn = self.draw(*image.shape[-2:])
        return self.on_batch(image[None].clone(), torch.tensor([drawn], dtype=torch.float64))[0]


def moved(values: Tensor, images: Tensor) -> Tensor:
    """Return a tensor on the device of the images."""
    return values.to(images.device, non_blocking=True)


def as_pixels(image: Any) -> Pixels:
    """Return a PIL image, or pixels themselves, as pixels."""
    return np.asarray(image)


def writable(pixels: Pixels) -> Pixels:
    """Return pixels that torch takes without a warning: a copy where Pillow owns them."""
    return pixels if pixels.flags.writeable else pixels.copy()


def as_picture(image: Any) -> Image.Image:
    """Return pixels, or a PIL image itself, as a PIL image."""
    return image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))

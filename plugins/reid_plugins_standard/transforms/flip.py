"""Mirroring: ``random_flip``."""

from __future__ import annotations

import random
from typing import ClassVar

import torch
from torch import Tensor

from reidcore.data import Params, Pixels, PixelTransform, check_probability, to_device_of, writable


class RandomFlip(PixelTransform):
    """Mirrors left and right with probability ``p``.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.

    Raises:
        ConfigError: ``p`` is no probability.
    """

    order: ClassVar[int] = 10

    def __init__(self, height: int, width: int, *, p: float = 0.5) -> None:
        self.p = check_probability("random_flip", p)

    def make_params(self, height: int, width: int) -> Params:
        """Draw whether the image is mirrored."""
        return (float(random.random() < self.p),)

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return the image (height, width, 3), mirrored or not."""
        if not params[0]:
            return pixels
        # A mirrored view is cheap, but copying it is not: torch turns pixels around far faster.
        return torch.from_numpy(writable(pixels)).flip(1).numpy()

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images, some of them mirrored."""
        mirrored = to_device_of(images, params[:, 0].bool())
        return torch.where(mirrored[:, None, None, None], images.flip(-1), images)

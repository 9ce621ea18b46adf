"""Small shifts: ``random_crop`` and ``pad_crop``."""

from __future__ import annotations

import random
from typing import ClassVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from reidcore.data import (
    ImageSource,
    Params,
    PILSource,
    Pixels,
    PixelTransform,
    ResizeTransform,
    SizeRule,
    check_probability,
    to_device_of,
)
from reidcore.errors import ConfigError, quoted

_PADDING = 10
"""Of published recipes; images smaller than that are padded by it all the same."""


class RandomCrop(ResizeTransform):
    """With probability ``p``, resizes to a larger size and cuts the image out of it somewhere.

    Torchreid's ``Random2DTranslation``, except that the file's image is interpolated once rather
    than twice, and that the offsets at the borders are as likely as any other.

    Args:
        height: Of the result, pixels.
        width: Of the result, pixels.
        p: Probability; the image is resized plainly otherwise.
        enlarge: Factor of both sides before cutting.

    Raises:
        ConfigError: ``p`` is no probability or ``enlarge`` is not from 1 to 10.
    """

    is_random = True

    def __init__(self, height: int, width: int, *, p: float = 0.5, enlarge: float = 1.125) -> None:
        if not 1 <= enlarge <= 10:
            raise ConfigError(f"random_crop has enlarge={quoted(enlarge)}", "Give 1 to 10")
        self.p = check_probability("random_crop", p)
        larger = SizeRule(round(height * enlarge), round(width * enlarge))
        self.rules = (SizeRule(height, width), larger)

    def from_source(self, source: ImageSource) -> Pixels:
        """Return an image of the size wanted."""
        plain, enlarged = self.rules
        if random.random() >= self.p:
            return source.sized(plain)
        left = random.randint(0, enlarged.width - plain.width)
        top = random.randint(0, enlarged.height - plain.height)
        return self.cut(source, left, top)

    def cut(self, source: ImageSource, left: int, top: int) -> Pixels:
        """Return the cut-out whose upper left corner lies at an offset, pixels."""
        plain, enlarged = self.rules
        return source.sized(enlarged)[top : top + plain.height, left : left + plain.width]

    def at(self, image: Image.Image, left: int, top: int) -> Image.Image:
        """Return that cut-out of a PIL image."""
        return Image.fromarray(self.cut(PILSource(image), left, top))


class PadCrop(PixelTransform):
    """Surrounds the image with a margin and cuts it out again somewhere, with probability ``p``.

    Luo et al., Bag of Tricks and a Strong Baseline for Deep Person Re-Identification, CVPRW 2019.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        padding: Width of the margin, pixels; at most the longer side of an image.
        fill: Its value, 0 to 255.

    Raises:
        ConfigError: A value is out of range.
    """

    order: ClassVar[int] = 20

    def __init__(
        self, height: int, width: int, *, p: float = 1.0, padding: int = _PADDING, fill: int = 0
    ) -> None:
        most = max(height, width, _PADDING)
        if not 0 <= padding <= most or not 0 <= fill <= 255:
            raise ConfigError(
                f"pad_crop has padding={quoted(padding)} and fill={quoted(fill)}",
                f"Give a padding from 0 to {most}, and a fill from 0 to 255",
            )
        self.p = check_probability("pad_crop", p)
        self.padding = padding
        self.fill = fill

    def make_params(self, height: int, width: int) -> Params:
        """Draw the top and left of the cut-out in the padded image."""
        if random.random() >= self.p:
            return (self.padding, self.padding)
        return (random.randint(0, 2 * self.padding), random.randint(0, 2 * self.padding))

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return the image (height, width, 3), shifted."""
        top, left = map(int, params)
        if top == left == self.padding:
            return pixels
        sides = (self.padding, self.padding)
        padded = np.pad(pixels, (sides, sides, (0, 0)), constant_values=self.fill)
        return padded[top : top + pixels.shape[0], left : left + pixels.shape[1]]

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images, each shifted by itself."""
        height, width = images.shape[-2:]
        padded = F.pad(images, [self.padding] * 4, value=self.fill).permute(0, 2, 3, 1)
        corners = to_device_of(images, params.long())
        rows = corners[:, :1] + torch.arange(height, device=images.device)  # (B, height)
        columns = corners[:, 1:] + torch.arange(width, device=images.device)  # (B, width)
        number = torch.arange(len(images), device=images.device)
        cut = padded[number[:, None, None], rows[:, :, None], columns[:, None, :]]
        return cut.permute(0, 3, 1, 2)

"""Transforms of where things are in the image: ``random_flip`` and ``random_crop``."""

from __future__ import annotations

import random

from PIL import Image
from torchvision.transforms import v2

from reidcore.data.transforms.pipeline import Placed, Resize, check_probability
from reidcore.errors import ConfigError


def random_flip(height: int, width: int, *, p: float = 0.5) -> Placed:
    """Mirror left and right with probability ``p``.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
    """
    return Placed(v2.RandomHorizontalFlip(check_probability("random_flip", p)), order=10)


def random_crop(height: int, width: int, *, p: float = 0.5, enlarge: float = 1.125) -> Placed:
    """With probability ``p``, resize to a larger size and cut the image out of it somewhere.

    Torchreid's ``Random2DTranslation``, except that the file's image is interpolated once rather
    than twice, and that the offsets at the borders are as likely as any other.

    Args:
        height: Of the result, pixels.
        width: Of the result, pixels.
        p: Probability.
        enlarge: Factor of both sides before cutting.

    Raises:
        ConfigError: ``p`` is no probability or ``enlarge`` is less than 1.
    """
    if enlarge < 1:
        raise ConfigError(f"random_crop has enlarge={enlarge}", "It must be at least 1")
    check_probability("random_crop", p)
    return Placed(RandomCrop(height, width, p, enlarge), stage="resize")


class RandomCrop:
    """See `random_crop`."""

    def __init__(self, height: int, width: int, p: float, enlarge: float) -> None:
        self.p = p
        self.plain = Resize(height, width)
        self.size = (width, height)
        self.enlarged = (round(width * enlarge), round(height * enlarge))

    def __call__(self, image: Image.Image) -> Image.Image:
        if random.random() >= self.p:
            return self.plain(image)
        left, top = (
            random.randint(0, large - small)
            for large, small in zip(self.enlarged, self.size, strict=True)
        )
        return self.at(image, left, top)

    def at(self, image: Image.Image, left: int, top: int) -> Image.Image:
        """Return the cut-out whose upper left corner lies at an offset, pixels."""
        width, height = self.size
        large = image.resize(self.enlarged, Image.Resampling.BILINEAR)
        return large.crop((left, top, left + width, top + height))

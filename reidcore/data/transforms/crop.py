"""Small shifts: ``random_crop``."""

from __future__ import annotations

import random
from typing import ClassVar

from PIL import Image

from reidcore.data.transforms.pipeline import Resize, Stage, check_probability
from reidcore.errors import ConfigError


class RandomCrop:
    """With probability ``p``, resizes to a larger size and cuts the image out of it somewhere.

    Torchreid's ``Random2DTranslation``, except that the file's image is interpolated once rather
    than twice, and that the offsets at the borders are as likely as any other.

    Args:
        height: Of the result, pixels.
        width: Of the result, pixels.
        p: Probability; the image is resized plainly otherwise.
        enlarge: Factor of both sides before cutting.

    Raises:
        ConfigError: ``p`` is no probability or ``enlarge`` is less than 1.
    """

    stage: ClassVar[Stage] = "resize"

    def __init__(self, height: int, width: int, *, p: float = 0.5, enlarge: float = 1.125) -> None:
        if enlarge < 1:
            raise ConfigError(f"random_crop has enlarge={enlarge}", "It must be at least 1")
        self.p = check_probability("random_crop", p)
        self.size = (width, height)
        self.enlarged = (round(width * enlarge), round(height * enlarge))
        self.plain = Resize(height, width)

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return an image of the size wanted."""
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

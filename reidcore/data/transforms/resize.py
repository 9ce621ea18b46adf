"""What the first stage of a pipeline works on: an image before and after it is resized."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from reidcore.data.images.resize import Pixels, resized
from reidcore.errors import ConfigError

Colour = tuple[int, int, int]


def as_colour(values: Sequence[int]) -> Colour:
    """Return three values of 0 to 255 as the colour of margins.

    Raises:
        ConfigError: They are no colour.
    """
    colour = tuple(values)
    if len(colour) != 3 or not all(0 <= value <= 255 for value in colour):
        raise ConfigError(
            f"letterbox has fill={list(values)}", "Give three values between 0 and 255"
        )
    return colour


class SizeRule(NamedTuple):
    """How an image is brought to a size, without any chance: what a cache may keep.

    Attributes:
        height: Of the result, pixels.
        width: Of the result, pixels.
        margin: Colour of the margins that keep the shape of what is seen; None stretches it.
    """

    height: int
    width: int
    margin: Colour | None = None

    def apply(self, pixels: Pixels) -> Pixels:
        """Return an image (h, w, 3) as (height, width, 3)."""
        if self.margin is None:
            return resized(pixels, self.height, self.width)
        height, width = self._inner(*pixels.shape[:2])
        framed = np.empty((self.height, self.width, 3), dtype=np.uint8)
        framed[:] = self.margin
        top, left = (self.height - height) // 2, (self.width - width) // 2
        framed[top : top + height, left : left + width] = resized(pixels, height, width)
        return framed

    def _inner(self, height: int, width: int) -> tuple[int, int]:
        scale = min(self.height / height, self.width / width)
        return (
            min(self.height, max(1, round(height * scale))),
            min(self.width, max(1, round(width * scale))),
        )


class Source(Protocol):
    """An image that is about to be resized; what it gives is not to be written to."""

    def pixels(self) -> Pixels:
        """Return the image as it is in its file, (h, w, 3)."""
        ...

    def sized(self, rule: SizeRule) -> Pixels:
        """Return the image in a size, decoded for the purpose or remembered."""
        ...


class Picture:
    """A PIL image as a source.

    Args:
        image: RGB.
    """

    def __init__(self, image: Image.Image) -> None:
        self.image = image

    def pixels(self) -> Pixels:
        """Return the image, (h, w, 3)."""
        return np.asarray(self.image)

    def sized(self, rule: SizeRule) -> Pixels:
        """Return the image in a size."""
        return rule.apply(self.pixels())


class Sizing:
    """The base of transforms that take the first stage and say which sizes they start from.

    Attributes:
        rules: The sizes that `from_source` may ask for.
        is_random: Whether it draws anything.
    """

    rules: tuple[SizeRule, ...] = ()
    is_random: bool = False

    def from_source(self, source: Source) -> Pixels:
        """Return the image (height, width, 3), drawing what is left to chance."""
        raise NotImplementedError

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return a PIL image of the size wanted."""
        return Image.fromarray(self.from_source(Picture(image)))

"""The first stage of a pipeline: an image as it was decoded becomes one of the size wanted."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol, Self

import numpy as np
from PIL import Image

from reidcore.data.images.resize import Pixels, resized
from reidcore.data.transforms.base import OwnedTransform, Stage
from reidcore.errors import ConfigError

Colour = tuple[int, int, int]


class SizeRule(NamedTuple):
    """How an image is brought to a size, without any chance: what a cache may keep.

    Attributes:
        height: Of the result, pixels.
        width: Of the result, pixels.
        margin: Colour of the margins that keep the shape of what is seen; None stretches it.
        resizer: What resizes, see `reidcore.data.images.resize.resized`.
    """

    height: int
    width: int
    margin: Colour | None = None
    resizer: str = "pillow"

    def apply(self, pixels: Pixels) -> Pixels:
        """Return an image (h, w, 3) as (height, width, 3)."""
        if self.margin is None:
            return resized(pixels, self.height, self.width, self.resizer)
        height, width = self._inner(*pixels.shape[:2])
        framed = np.empty((self.height, self.width, 3), dtype=np.uint8)
        framed[:] = self.margin
        top, left = (self.height - height) // 2, (self.width - width) // 2
        inner = resized(pixels, height, width, self.resizer)
        framed[top : top + height, left : left + width] = inner
        return framed

    def _inner(self, height: int, width: int) -> tuple[int, int]:
        """Return the size, without margins, of an image that was of that size."""
        scale = min(self.height / height, self.width / width)
        return (
            min(self.height, max(1, round(height * scale))),
            min(self.width, max(1, round(width * scale))),
        )


class ImageSource(Protocol):
    """An image that is about to be resized; what it gives is not to be written to."""

    def pixels(self) -> Pixels:
        """Return the image as it is in its file, (h, w, 3)."""
        ...

    def sized(self, rule: SizeRule) -> Pixels:
        """Return the image in a size, decoded for the purpose or remembered."""
        ...


class PILSource:
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


class ResizeTransform(OwnedTransform):
    """The base of transforms that take the first stage and say which sizes they start from.

    Attributes:
        rules: The sizes that `from_source` may ask for.
        is_random: Whether it draws anything.
    """

    stage: ClassVar[Stage] = "resize"
    rules: tuple[SizeRule, ...] = ()
    is_random: bool = False

    def from_source(self, source: ImageSource) -> Pixels:
        """Return the image (height, width, 3), drawing what is left to chance."""
        raise NotImplementedError

    def resized(self, source: ImageSource) -> Pixels:
        """Return what `from_source` gives, if it is an image of the first rule's size."""
        pixels = self.from_source(source)
        if not (self.told_as and self.rules):
            return pixels
        shape = (self.rules[0].height, self.rules[0].width, 3)
        return self.checked_pixels(pixels, shape, "from_source")

    def resized_by(self, resizer: str) -> Self:
        """Return the transform with another resizer, see `SizeRule`."""
        changed = copy.copy(self)
        rules = tuple(rule._replace(resizer=resizer) for rule in self.rules)
        object.__setattr__(changed, "rules", rules)  # of a copy: the class may be a frozen one
        return changed

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return a PIL image of the size wanted."""
        return Image.fromarray(self.resized(PILSource(image)))


class Resize(ResizeTransform):
    """Resizes an image (with antialiasing when shrinking), whatever its shape was.

    Args:
        height: Pixels.
        width: Pixels.
        margin: Colour of the margins that keep the shape of what is seen; None stretches it.
        resizer: See `SizeRule`.
    """

    def __init__(
        self, height: int, width: int, margin: Colour | None = None, resizer: str = "pillow"
    ) -> None:
        self.rules = (SizeRule(height, width, margin, resizer),)

    def from_source(self, source: ImageSource) -> Pixels:
        """Return the image (height, width, 3)."""
        return source.sized(self.rules[0])

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the resized image, the same one where nothing is to be done."""
        if image.size == (self.rules[0].width, self.rules[0].height):
            return image
        return super().__call__(image)


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

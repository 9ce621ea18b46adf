"""Resizing that keeps the shape: ``letterbox``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from reidcore.data import ImageSource, Pixels, ResizeTransform, SizeRule, as_colour

MEAN_PIXEL = (124, 116, 104)
"""ImageNet's, which is close to 0 after normalisation."""


class Letterbox(ResizeTransform):
    """Resizes an image as a whole and fills the rest, so that nobody looks stretched.

    It decides what an image looks like rather than varying it: testing does it as well.

    Args:
        height: Of the result, pixels.
        width: Of the result, pixels.
        fill: Colour of the margins, three values of 0 to 255.

    Raises:
        ConfigError: The colour is none.
    """

    in_tests: ClassVar[bool] = True

    def __init__(self, height: int, width: int, *, fill: Sequence[int] = MEAN_PIXEL) -> None:
        self.rules = (SizeRule(height, width, as_colour(fill)),)

    def from_source(self, source: ImageSource) -> Pixels:
        """Return the image in its frame, (height, width, 3)."""
        return source.sized(self.rules[0])

"""Random boxes inside an image, as random erasing and random patch draw them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from torch import Tensor

from reidcore.data import Params
from reidcore.errors import ConfigError, quoted

ATTEMPTS = 100

Range = tuple[float, float]

NO_BOX = (0.0, 0.0, 0.0, 0.0)


Draw = Callable[[float, float], float]
"""Draws a number between two."""


def uniform(low: float, high: float) -> float:
    """Draw a number.

    A function of a module, and no method of Python's generator: a pickled method takes the
    generator with its state along to a worker process.
    """
    return random.uniform(low, high)


def log_uniform(low: float, high: float) -> float:
    """Draw a number whose logarithm is uniform: as often twice as half of the middle."""
    return math.exp(random.uniform(math.log(low), math.log(high)))


def check_box(name: str, height: int, width: int, area: Range, ratio: Range) -> None:
    """Refuse boxes of which none could lie inside an image.

    Args:
        name: Of the transform.
        height: Of the image, pixels.
        width: Of the image, pixels.
        area: Range of the box's share of the image.
        ratio: Range of the box's height divided by its width.

    Raises:
        ConfigError: A range is none, or no box of these is smaller than the image.
    """
    what = f"{name} has area={quoted(area)} and ratio={quoted(ratio)}"
    if not 0 < area[0] <= area[1] <= 1 or not 0 < ratio[0] <= ratio[1]:
        raise ConfigError(what, "Give two numbers above 0 each, in order, and an area of at most 1")
    # A box of the share s is lower than the image up to a ratio of height / (s width), and narrower
    # from s height / width on.
    flattest, steepest = area[0] * height / width, height / (area[0] * width)
    fits = area[0] < 1 and max(flattest, ratio[0]) <= min(steepest, ratio[1])
    if not fits or area[1] * height * width < 1:
        raise ConfigError(
            f"{what}, and no such box fits into an image of {height} x {width}",
            "Give a smaller area of at least a pixel, or a ratio nearer to that of the image",
        )


def draw_size(
    height: int, width: int, area: Range, ratio: Range, draw_ratio: Draw = uniform
) -> tuple[int, int] | None:
    """Draw the size of a box smaller than the image in both directions.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        area: Range of the box's share of the image.
        ratio: Range of the box's height divided by its width.
        draw_ratio: Draws it.

    Returns:
        Height and width, or None where no draw fitted.
    """
    for _ in range(ATTEMPTS):
        pixels = random.uniform(*area) * height * width
        aspect = draw_ratio(*ratio)
        box_height = round(math.sqrt(pixels * aspect))
        box_width = round(math.sqrt(pixels / aspect))
        if 0 < box_height < height and 0 < box_width < width:
            return box_height, box_width
    return None


def draw_corner(height: int, width: int, box_height: int, box_width: int) -> tuple[int, int]:
    """Draw the top and left of a box of that size inside the image, uniformly."""
    return random.randint(0, height - box_height), random.randint(0, width - box_width)


def draw_box(
    height: int, width: int, area: Range, ratio: Range, draw_ratio: Draw = uniform
) -> Params:
    """Draw a box inside the image: top, left, height and width, all 0 where no draw fitted."""
    size = draw_size(height, width, area, ratio, draw_ratio)
    return NO_BOX if size is None else (*draw_corner(height, width, *size), *size)


def boxes(params: Tensor) -> list[tuple[int, slice, slice]]:
    """Return image, rows and columns of each box, the first 4 of what was drawn for an image."""
    return [
        (image, slice(top, top + height), slice(left, left + width))
        for image, (top, left, height, width) in enumerate(params[:, :4].long().tolist())
        if height
    ]

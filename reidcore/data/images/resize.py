"""Bilinear resizing of arrays of pixels, to exactly the bytes that Pillow gives."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""An RGB image (height, width, 3) of bytes."""

Order: TypeAlias = Callable[[int, int, int, int], bool]
"""Whether columns are interpolated before rows: (height, width, new height, new width)."""


def resized(pixels: Pixels, height: int, width: int) -> Pixels:
    """Return the image in another size, antialiased where it shrinks.

    The compiled kernel is two to three times as fast as Pillow, and in use only where it gave
    Pillow's bytes when it was first asked for.

    Args:
        pixels: RGB image, (h, w, 3).
        height: Pixels.
        width: Pixels.
    """
    old_height, old_width = pixels.shape[:2]
    if (old_height, old_width) == (height, width):
        return pixels
    kernel, order = _kernel_and_order()
    if kernel is None:
        return _by_pillow(pixels, height, width)
    target = np.empty((height, width, 3), dtype=np.uint8)
    source = np.ascontiguousarray(pixels)
    kernel.resize(source, target, order(old_height, old_width, height, width))
    return target


def compiled() -> ModuleType | None:
    """Return the compiled extension, or None where it is missing."""
    try:
        from reidcore.data.images import _pixels
    except ImportError:
        return None
    return _pixels


def rows_first(height: int, width: int, new_height: int, new_width: int) -> bool:
    """Tell that columns come second, as they do in most versions of Pillow."""
    return False


def shorter_first(height: int, width: int, new_height: int, new_width: int) -> bool:
    """Tell whether so many rows go that columns come first, as in Pillow 13."""
    return new_height < height and height - new_height > 2 * (width - new_width)


def uses_kernel() -> bool:
    """Say whether the compiled kernel resizes."""
    return _kernel_and_order()[0] is not None


@cache
def _kernel_and_order() -> tuple[ModuleType | None, Order]:
    """Return the kernel, if in one of the known orders it agrees with the Pillow at hand."""
    kernel = compiled()
    for order in (rows_first, shorter_first):
        if kernel is not None and _agrees(kernel, order):
            return kernel, order
    return None, rows_first


_TRIALS = (
    ((16, 8), (32, 16)),
    ((19, 11), (32, 16)),
    ((40, 20), (31, 16)),
    ((40, 20), (33, 16)),
    ((40, 20), (8, 16)),
    ((40, 20), (24, 50)),
    ((20, 40), (9, 7)),
)


def _agrees(kernel: ModuleType, order: Order) -> bool:
    rng = np.random.default_rng(0)
    for old, new in _TRIALS:
        source = rng.integers(0, 256, (*old, 3), dtype=np.uint8)
        target = np.empty((*new, 3), dtype=np.uint8)
        kernel.resize(source, target, order(*old, *new))
        if not np.array_equal(target, _by_pillow(source, *new)):
            return False
    return True


def _by_pillow(pixels: Pixels, height: int, width: int) -> Pixels:
    image = Image.fromarray(pixels)
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))

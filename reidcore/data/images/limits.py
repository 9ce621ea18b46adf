"""How large an image may be: the same for every decoder, and told by its header alone."""

from __future__ import annotations

from PIL import Image

MAX_PIXELS = 89_478_485
"""Pixels of an image, a quarter of a gibibyte of RGB. Pillow warns at this number, and refuses no
image of less than twice as many; OpenCV's limit is a thousand million."""


def excess(height: int, width: int) -> str:
    """Say why an image of that size is not read; nothing if it is."""
    if height * width <= most_pixels():
        return ""
    return f"it is of {width}x{height} pixels, and at most {most_pixels():,} are read"


def most_pixels() -> int:
    """Return the limit in force: Pillow's own where a program made that smaller."""
    return min(MAX_PIXELS, Image.MAX_IMAGE_PIXELS or MAX_PIXELS)

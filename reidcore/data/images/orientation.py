"""Turning images upright, as their EXIF block asks for (CIPA DC-008, tag 0x0112)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from reidcore.data.images.resize import Pixels

_TURNS: Mapping[int, Callable[[Pixels], Pixels]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: pixels[::-1].swapaxes(0, 1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: pixels[:, ::-1].swapaxes(0, 1),
}


def orientation_in(exif: bytes) -> int:
    """Return the orientation, 1 to 8, that an EXIF block says; 1, upright, where it says none.

    From 5 on, the image lies on its side.
    """
    if not exif:
        return 1
    block = Image.Exif()  # of these bytes alone: an image's own also heeds XMP, as no viewer does
    try:
        block.load(exif)
        found = block.get(0x0112)
    except (ValueError, SyntaxError, OSError, struct.error):
        return 1
    return found if isinstance(found, int) and found in _TURNS else 1


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Return an image (h, w, 3) turned, the same one where nothing is to be done."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))

"""Telling of images that use little of the range of their values, before they are read."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from reidcore.data.images.depth import Values, range_of
from reidcore.data.images.opening import open_file
from reidcore.data.images.reading import ImageReading, UnreadableImageError
from reidcore.data.images.rgb import check_size, damage_told, is_deep

_log = logging.getLogger(__name__)

SAMPLE = 16
"""How many images are looked at."""

LEAST = 1 / 16
"""Of its range, what a sample uses: less than 12-bit values leave of 16 bits' range."""


def narrow_use(images: Sequence[Any], reading: ImageReading) -> str:
    """Say if values of more than 8 bits lie so close together that few of 256 levels remain.

    Of most files the header alone is read. Those that cannot be read are told in their turn.
    Nothing is returned where all is well.

    Args:
        images: Files, tuples of a tracklet's files, PIL images or arrays; some of them are looked
            at.
        reading: How they will be read.
    """
    places = np.linspace(0, len(images) - 1, min(SAMPLE, len(images))).astype(int).tolist()
    found = [values for place in places if (values := _deep_values(images[place])) is not None]
    ends = next((ends for values in found if (ends := range_of(values.dtype, reading))), None)
    if ends is None:
        return ""
    low, high = min(float(v.min()) for v in found), max(float(v.max()) for v in found)
    used = np.clip([low, high], *ends)
    if used[1] - used[0] >= LEAST * (ends[1] - ends[0]):
        return ""
    return (
        f"{len(found)} of the images that were looked at hold values from {low:g} to {high:g}, of "
        f"which a range from {ends[0]:g} to {ends[1]:g} leaves few levels of grey: set "
        "data.value_range (value_range= in Python) to what is to become 0 and 255"
    )


def warn_of_narrow_use(images: Sequence[Any], reading: ImageReading) -> None:
    """Log what `narrow_use` says."""
    if told := narrow_use(images, reading):
        _log.warning("%s", told)


def _deep_values(image: Any) -> Values | None:
    """Return the values of an image of more than 8 bits; None of another, or of an unreadable."""
    if isinstance(image, np.ndarray):
        return image if image.size and image.dtype != np.uint8 else None
    if isinstance(image, Image.Image):
        return np.asarray(image) if is_deep(image) else None
    path = os.fspath(image[0] if isinstance(image, tuple) else image)
    try:
        with damage_told(path), open_file(path) as file, Image.open(file) as opened:
            check_size(opened.height, opened.width, path)
            return np.asarray(opened) if is_deep(opened) else None
    except UnreadableImageError:
        return None

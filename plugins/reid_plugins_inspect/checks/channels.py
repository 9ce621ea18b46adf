"""Mean and standard deviation of the colour channels, read once, in exact sums."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from reid_plugins_inspect.checks.scan import Advance, in_pieces
from reidcore.data import VIEWER, ImageReading, UnreadableImageError, read_pixels
from reidcore.errors import DataError, counted

Float64 = npt.NDArray[np.float64]


class ChannelStatistics(NamedTuple):
    """What ``data.norm_mean`` and ``data.norm_std`` take.

    Attributes:
        mean: of red, green and blue, in 0..1.
        std: standard deviation of each.
        images: number of images read.
        skipped: number of images that could not be read.
    """

    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    images: int
    skipped: int


def channel_statistics(
    paths: Sequence[str],
    workers: int | None = None,
    advance: Advance = lambda count: None,
    reading: ImageReading = VIEWER,
) -> ChannelStatistics:
    """Return the statistics of images, each of which counts alike, however large it is.

    They are then those of the batches, whose images are of one size.

    Args:
        paths: Image files.
        workers: Number of processes; as many as there are CPUs if None.
        advance: Called with the number of files that were read since.
        reading: How images are read.

    Raises:
        DataError: No image can be read, or values are of a range that nobody told.
    """
    first, second, images = np.zeros(3), np.zeros(3), 0
    work = partial(_moments, reading=reading)
    for _, (values, squares, count, tried) in in_pieces(work, paths, workers):
        first, second, images = first + values, second + squares, images + count
        advance(tried)
    if not images:
        raise DataError(
            f"of {counted(len(paths), 'image')} none can be read", "Run: reidcore data check"
        )
    mean = first / images
    std = np.sqrt(np.maximum(second / images - mean**2, 0))
    return ChannelStatistics(_three(mean), _three(std), images, len(paths) - images)


def _moments(paths: Sequence[str], reading: ImageReading) -> tuple[Float64, Float64, int, int]:
    """Return the sums of images' mean values and mean squares, (3,) each.

    Behind them the number of images read, and of images tried.
    """
    first, second, count = np.zeros(3), np.zeros(3), 0
    for path in paths:
        try:
            pixels = read_pixels(path, reading=reading).reshape(-1, 3)
        except UnreadableImageError:
            continue
        values = pixels.astype(np.uint32)
        first += pixels.sum(axis=0, dtype=np.int64) / (255 * len(pixels))
        second += (values * values).sum(axis=0, dtype=np.int64) / (255**2 * len(pixels))
        count += 1
    return first, second, count, len(paths)


def _three(values: Float64) -> tuple[float, float, float]:
    red, green, blue = values.tolist()
    return red, green, blue

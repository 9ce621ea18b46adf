"""Resizing of arrays of pixels, antialiased where an image shrinks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from reidcore.errors import ConfigError, did_you_mean, quoted

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""An RGB image (height, width, 3) of bytes."""


def resized(pixels: Pixels, height: int, width: int, resizer: str) -> Pixels:
    """Return the image in another size, the same one where nothing is to be done.

    Args:
        pixels: RGB image, (h, w, 3).
        height: Pixels.
        width: Pixels.
        resizer: ``torch``, or ``pillow`` for Pillow's own bytes, which Torchreid's models were
            trained on and which take three times as long. They differ by at most 2 of 255. Both
            are bilinear; ``pillow_bicubic`` is not.
    """
    if pixels.shape[:2] == (height, width):
        return pixels
    return RESIZERS[resizer](pixels, height, width)


def check_resizer(name: str) -> str:
    """Return the name of a resizer if it is one.

    Raises:
        ConfigError: It is not.
    """
    if name not in RESIZERS:
        near = did_you_mean(name, RESIZERS) or f"Set data.resize to {' or '.join(RESIZERS)}"
        raise ConfigError(f"resize={quoted(name)}", near)
    return name


def writable(pixels: Pixels) -> Pixels:
    """Return pixels that torch takes without a warning: a copy where Pillow owns them."""
    return np.require(pixels, requirements=("C", "W"))


def _by_torch(pixels: Pixels, height: int, width: int) -> Pixels:
    import torch  # here: datasets are read by commands that need no torch
    from torch.nn.functional import interpolate

    # (h, w, 3) -> (1, 3, h, w) in channels-last layout, for which torch has vectorised code
    image = torch.from_numpy(writable(pixels))[None].permute(0, 3, 1, 2)
    resized = interpolate(image, (height, width), mode="bilinear", antialias=True)
    return np.ascontiguousarray(resized[0].permute(1, 2, 0).numpy())


def _by_pillow(mode: Image.Resampling, pixels: Pixels, height: int, width: int) -> Pixels:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    return np.asarray(image.resize((width, height), mode))


RESIZERS: Mapping[str, Callable[[Pixels, int, int], Pixels]] = {
    "torch": _by_torch,
    "pillow": partial(_by_pillow, Image.Resampling.BILINEAR),
    "pillow_bicubic": partial(_by_pillow, Image.Resampling.BICUBIC),
}
"""Name -> what returns an image (h, w, 3) in another height and width."""

"""Decoding of JPEG files by torchvision, where it gives Pillow's pixels in half the time."""

from __future__ import annotations

import io
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

from reidcore.data.resizing import Pixels

Bytes: TypeAlias = npt.NDArray[np.uint8]

_MAGIC = b"\xff\xd8\xff"


def decoded(file: Bytes) -> Pixels | None:
    """Return a JPEG file's image (h, w, 3), or None if Pillow had better look at it.

    That is so for files of other formats and for damaged ones, and where the two do not agree on
    images whose pixels are known.

    Args:
        file: The bytes of an image file, (n,).
    """
    if file[:3].tobytes() != _MAGIC or not _agrees_with_pillow():
        return None
    return _by_torchvision(file)


def _by_torchvision(file: Bytes) -> Pixels | None:
    from torchvision.io import ImageReadMode, decode_jpeg

    try:
        image = decode_jpeg(torch.from_numpy(file), mode=ImageReadMode.RGB)
    except RuntimeError:  # damaged, or torchvision was built without a decoder
        return None
    pixels: Pixels = np.ascontiguousarray(image.permute(1, 2, 0).numpy())
    return pixels


@cache
def _agrees_with_pillow() -> bool:
    """Compare the decoders on small images of each kind that there is."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (5, 3, 3), dtype=np.uint8))
    image = coarse.resize((37, 51), Image.Resampling.BICUBIC)
    kinds = [(image, sampling, progressive) for sampling in (0, 1, 2) for progressive in (0, 1)]
    for picture, sampling, progressive in [*kinds, (image.convert("L"), 0, 0)]:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80, subsampling=sampling, progressive=bool(progressive))
        found = _by_torchvision(np.frombuffer(bytearray(file.getvalue()), dtype=np.uint8))
        with Image.open(file) as opened:
            expected = np.asarray(opened.convert("RGB"))
        if found is None or not np.array_equal(found, expected):
            return False
    return True

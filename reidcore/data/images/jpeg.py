"""Decoding of JPEG files by torchvision, where it gives Pillow's pixels in half the time."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from reidcore.data.images.resize import Pixels

if TYPE_CHECKING:
    from torch import Tensor

Bytes: TypeAlias = npt.NDArray[np.uint8]

_RGB = 3
"""The mode that torchvision calls so."""

_MAGIC = b"\xff\xd8\xff"


def decoded(file: Bytes) -> Pixels | None:
    """Return a JPEG file's image (h, w, 3), or None if Pillow had better look at it.

    That is so for files of other formats and for damaged ones, and where the two do not agree on
    images whose pixels are known.

    Args:
        file: The bytes of an image file, (n,).
    """
    if file[:3].tobytes() != _MAGIC or not agrees_with_pillow():
        return None
    return _by_torchvision(file)


def _by_torchvision(file: Bytes) -> Pixels | None:
    decode = _decoder()
    if decode is None:
        return None
    import torch  # here: datasets are read by commands that need no torch

    try:
        image = decode(torch.from_numpy(file), _RGB, False)
    except RuntimeError:  # damaged
        return None
    return np.ascontiguousarray(image.permute(1, 2, 0).numpy())


@cache
def _decoder() -> Callable[[Tensor, int, bool], Tensor] | None:
    """Return the decoder below torchvision's function, or None where there is none any more.

    torchvision gives its image codecs up in favour of torchcodec, and the function says so at each
    call.
    """
    try:
        import torch
        import torchvision.io  # noqa: F401  (it loads the library)

        found: Callable[[Tensor, int, bool], Tensor] = torch.ops.image.decode_jpeg
    except (ImportError, AttributeError, RuntimeError):
        return None
    return found


@cache
def agrees_with_pillow() -> bool:
    """Say whether both decoders give the same pixels of small images of each kind."""
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

"""Image files to pictures in memory."""

from __future__ import annotations

import os
from io import BytesIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from reidcore.data.images.jpeg import agrees_with_pillow, decoded
from reidcore.data.images.resize import Pixels, uses_kernel
from reidcore.errors import DataError


class UnreadableImageError(DataError):
    """An image file is missing, truncated or not an image.

    Attributes:
        path: The file.
        reason: What the decoder said.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(
            f"cannot read the image {path} ({reason})",
            "Repair or remove it, or leave such images out with data.on_bad_image=skip",
        )
        self.path = path
        self.reason = reason

    def __reduce__(self) -> tuple[type[UnreadableImageError], tuple[str, str]]:
        return type(self), (self.path, self.reason)


def read_image(path: str | os.PathLike[str]) -> Image.Image:
    """Decode an image file completely, as 8-bit RGB.

    Raises:
        UnreadableImageError: The file is missing, truncated or not an image.
    """
    return _by_pillow(path, os.fspath(path))


def read_pixels(path: str, draft: tuple[int, int] | None = None) -> Pixels:
    """Decode an image file completely, to the pixels that `read_image` gives, or faster to others.

    Args:
        path: The file.
        draft: Height and width below which a JPEG file need not be decoded: its decoder may leave
            out detail that so small an image would not show, which changes pixels slightly.

    Returns:
        The image, (h, w, 3).

    Raises:
        UnreadableImageError: The file is missing, truncated or not an image.
    """
    if draft is not None:
        return np.asarray(_by_pillow(path, path, draft))
    try:
        with open(path, "rb", buffering=0) as opened:  # noqa: PTH123  (quicker by half)
            file = bytearray(opened.readall())
    except OSError as error:
        raise UnreadableImageError(path, error.strerror or str(error)) from error
    pixels = decoded(np.frombuffer(file, dtype=np.uint8))
    return np.asarray(_by_pillow(path, BytesIO(file))) if pixels is None else pixels


def decoders_in_use() -> str:
    """Say who decodes and resizes: ``"JPEG by torchvision, resizing by the kernel"``."""
    decoder = "torchvision" if agrees_with_pillow() else "Pillow"
    return f"JPEG by {decoder}, resizing by {'the kernel' if uses_kernel() else 'Pillow'}"


def _by_pillow(
    path: str | os.PathLike[str],
    file: str | BytesIO,
    draft: tuple[int, int] | None = None,
) -> Image.Image:
    try:
        with Image.open(file) as image:
            if draft is not None:
                image.draft("RGB", (draft[1], draft[0]))
            return image.convert("RGB")
    except UnidentifiedImageError as error:
        raise UnreadableImageError(os.fspath(path), "not an image") from error
    # Pillow's decoders tell of damage by any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableImageError(os.fspath(path), reason) from error

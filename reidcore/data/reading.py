"""Image files to pictures in memory."""

from __future__ import annotations

import os

from PIL import Image, UnidentifiedImageError

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
    try:
        with Image.open(path) as image:
            return image.convert("RGB")
    except UnidentifiedImageError as error:
        raise UnreadableImageError(os.fspath(path), "not an image") from error
    # Pillow's decoders tell of damage by any of these.
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableImageError(os.fspath(path), reason) from error

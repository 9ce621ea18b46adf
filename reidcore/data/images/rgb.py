"""PIL images and arrays as 8-bit RGB: the one place where depth, transparency and EXIF count."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PIL import Image, UnidentifiedImageError

from reidcore.data.images.depth import Values, as_bytes
from reidcore.data.images.limits import excess, most_pixels
from reidcore.data.images.orientation import orientation_in, upright
from reidcore.data.images.reading import ImageReading, UnreadableImageError
from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError

GROUND = 255
"""What transparent images lie over: white, the paper of documents and web pages."""

_DEEP = ("I", "F")
"""How the modes begin in which Pillow keeps more than 8 bits: ``I;16``, ``I``, ``F``."""


def rgb_of_picture(
    image: Image.Image, reading: ImageReading, name: str, draft: tuple[int, int] | None = None
) -> Pixels:
    """Return a PIL image, which may not be decoded yet, as RGB (h, w, 3).

    Args:
        image: Of any mode.
        reading: The rule.
        name: What it is, for messages.
        draft: Height and width below which a JPEG file need not be decoded, see `read_pixels`.

    Raises:
        UnreadableImageError: It is damaged or too large.
        DataError: Its values are of a range that nobody told.
    """
    with damage_told(name):
        check_size(image.height, image.width, name)
        turn = orientation_in(image.info.get("exif", b"")) if reading.is_viewer else 1
        if draft is not None:
            image.draft("RGB", draft if turn >= 5 else (draft[1], draft[0]))
        return upright(_rgb(image, reading, name), turn)


def rgb_of_array(values: Values, reading: ImageReading, name: str) -> Pixels:
    """Return an array (h, w, 3) as bytes.

    Args:
        values: RGB of any numeric type.
        reading: The rule.
        name: What it is, for messages.

    Raises:
        UnreadableImageError: It is too large, or holds values that are not finite.
        DataError: Its values are of a range that nobody told.
    """
    check_size(values.shape[0], values.shape[1], name)
    return as_bytes(values, reading, name)


def is_deep(image: Image.Image) -> bool:
    """Say whether Pillow keeps more than 8 bits of each value of an image."""
    return image.mode.startswith(_DEEP)


def is_cut(image: Image.Image) -> bool:
    """Say whether an image that is not decoded yet has 16 bits, of which Pillow drops the lower 8.

    So it does for colours, and for grey values beside transparency.
    """
    return not is_deep(image) and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))


def check_size(height: int, width: int, name: str) -> None:
    """Make sure that an image is large enough to be one, and not too large.

    Raises:
        UnreadableImageError: It is not.
    """
    fault = excess(height, width) if height and width else "it has no pixels"
    if fault:
        raise UnreadableImageError(name, fault)


@contextmanager
def damage_told(name: str) -> Iterator[None]:
    """Tell of damage that Pillow finds.

    Raises:
        UnreadableImageError: Pillow found some.
    """
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableImageError(name, "not an image") from error
    except Image.DecompressionBombError as error:
        fault = f"it is larger than the {most_pixels():,} pixels that are read"
        raise UnreadableImageError(name, fault) from error
    # Pillow's decoders tell of damage by any of these.
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise UnreadableImageError(name, reason) from error


def _rgb(image: Image.Image, reading: ImageReading, name: str) -> Pixels:
    if is_deep(image):
        grey = _grey(image, reading, name)
        return np.repeat(grey[..., None], 3, axis=2)
    if reading.value_range is not None and is_cut(image):
        raise DataError(
            f"{name} is a colour image of 16 bits, of which Pillow decodes the upper 8 alone, and "
            f"data.value_range={list(reading.value_range)} is of all of them",
            "Convert such images to 8 bits, or leave data.value_range out",
        )
    if reading.is_viewer and image.has_transparency_data:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, (GROUND, GROUND, GROUND, 255))
        image = Image.alpha_composite(ground, seen)
    return np.asarray(image.convert("RGB"))


def _grey(image: Image.Image, reading: ImageReading, name: str) -> Pixels:
    values = np.asarray(image)
    grey = as_bytes(values, reading, name)
    hidden = image.info.get("transparency")
    if reading.is_viewer and isinstance(hidden, int):
        return np.where(values == hidden, np.uint8(GROUND), grey)
    return grey

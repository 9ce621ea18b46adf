"""A picture of training images as the network sees them, augmented and resized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from torch import Tensor

MOST = 16
"""Images in a picture."""

_COLUMNS = 8
_GAP, _CAPTION, _TEXT = 4, 16, 11
_PAPER, _INK = (255, 255, 255), (73, 80, 87)


def picture_of(
    batch: Mapping[str, Any], mean: Sequence[float] | None, std: Sequence[float] | None
) -> Image.Image | None:
    """Draw the first images of a training batch, each with its identity and camera.

    What is no batch of colour images, as a data manager of one's own may give, is not drawn.

    Args:
        batch: ``img`` (B, 3, h, w), clips (B, S, 3, h, w), or a list of K views, of which the first
            is drawn; ``pid`` and ``camid`` (B,), numbered as in training.
        mean: what the images were normalised with, to take that back; None if that is not known.
        std: likewise.
    """
    images = _images(batch.get("img"))
    if images is None:
        return None
    shown = [Image.fromarray(pixels) for pixels in _pixels(images[:MOST], mean, std)]
    width, height = shown[0].size
    step_x, step_y = width + _GAP, height + _CAPTION + _GAP
    columns = min(_COLUMNS, len(shown))
    size = (_GAP + columns * step_x, _GAP + -(-len(shown) // columns) * step_y)
    sheet = Image.new("RGB", size, _PAPER)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_TEXT)
    for place, image in enumerate(shown):
        row, column = divmod(place, columns)
        x, y = _GAP + column * step_x, _GAP + row * step_y
        sheet.paste(image, (x, y))
        middle = (x + width // 2, y + height + _CAPTION // 2)
        draw.text(middle, _caption(batch, place), _INK, font, anchor="mm")
    return sheet


def _images(given: Any) -> Tensor | None:
    """Return (B, 3, h, w): of several views the first, of clips the frame in their middle."""
    images = given[0] if isinstance(given, list | tuple) and given else given
    if getattr(images, "ndim", 0) == 5:
        images = images[:, images.shape[1] // 2]
    is_drawable = getattr(images, "ndim", 0) == 4 and images.shape[1] == 3 and len(images)
    return images if is_drawable else None


def _pixels(
    images: Tensor, mean: Sequence[float] | None, std: Sequence[float] | None
) -> npt.NDArray[np.uint8]:
    """Return (B, h, w, 3), bytes; without a mean from the darkest value to the brightest."""
    values = images.detach().float().cpu().numpy()
    if mean is None or std is None:
        low, high = float(values.min()), float(values.max())
        values = (values - low) / (high - low or 1.0)
    else:
        values = values * np.reshape(std, (3, 1, 1)) + np.reshape(mean, (3, 1, 1))
    return np.round(values.clip(0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _caption(batch: Mapping[str, Any], place: int) -> str:
    names = {"pid": "id", "camid": "cam"}
    return " ".join(
        f"{name} {int(batch[key][place])}" for key, name in names.items() if key in batch
    )

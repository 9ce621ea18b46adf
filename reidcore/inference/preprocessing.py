"""From pixels to what a model takes, as testing does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from reidcore.data.images.reading import TORCHREID, ImageReading
from reidcore.data.images.resize import Pixels, check_resizer
from reidcore.data.transforms.build import normalisation
from reidcore.data.transforms.normalise import ToNormalisedTensor
from reidcore.data.transforms.resize import SizeRule, as_colour
from reidcore.errors import ConfigError, quoted
from reidcore.inference.backend import Takes
from reidcore.models.reid_model import USUAL_SIZE


class Preprocessing:
    """Resizes images one by one, and normalises them together, where the model is.

    Args:
        height: pixels.
        width: pixels.
        mean: of each channel, in 0..1.
        std: of each channel.
        letterbox: colour of the margins that keep an image's shape; None stretches it.
        resize: what resizes images, see ``data.resize``.
        reading: what becomes of the orientation, transparency and depth of images.

    Attributes:
        record: all of this, as a checkpoint records it.

    Raises:
        ConfigError: if there is no such resizer, or the colour is none.
    """

    def __init__(
        self,
        height: int,
        width: int,
        mean: Sequence[float],
        std: Sequence[float],
        letterbox: Sequence[int] | None = None,
        resize: str = "pillow",
        reading: ImageReading = TORCHREID,
    ) -> None:
        self.reading = reading
        self.height, self.width = height, width
        self.mean, self.std = list(mean), list(std)
        margin = as_colour(letterbox) if letterbox else None
        self.record: dict[str, Any] = {
            "height": height,
            "width": width,
            "norm_mean": self.mean,
            "norm_std": self.std,
            "letterbox": margin,
            "resize": resize,
            "reading": reading.preset,
            "value_range": reading.value_range,
        }
        self._rule = SizeRule(height, width, margin, check_resizer(resize))
        self._makers = {
            "normalised": ToNormalisedTensor(mean, std),
            "unit_range": ToNormalisedTensor((0, 0, 0), (1, 1, 1)),
        }

    def resized(self, pixels: Pixels) -> Pixels:
        """Return an RGB image (h, w, 3) in the model's size, (height, width, 3)."""
        return self._rule.apply(pixels)

    def normalised(self, pixels: Sequence[Pixels], device: torch.device) -> Tensor:
        """Return (B, 3, height, width) float images on a device, in channels-last layout."""
        return self.batch(pixels, "normalised", device, torch.channels_last)

    def batch(
        self,
        pixels: Sequence[Pixels],
        form: Takes,
        device: torch.device,
        layout: torch.memory_format,
    ) -> Tensor:
        """Return images (height, width, 3) together, (B, 3, height, width), on a device.

        Bytes travel to the device, not floats.

        Args:
            pixels: images in the model's size.
            form: what the model takes.
            device: of the result.
            layout: of the result.
        """
        batch = torch.from_numpy(np.stack(pixels)).to(device)
        if form == "bytes":
            return batch.permute(0, 3, 1, 2).contiguous(memory_format=layout)
        return self._makers[form].on_batch(batch, layout)


def choose_preprocessing(
    recorded: Mapping[str, Any],
    image_size: int | Sequence[int] | None,
    pixel_mean: Sequence[float] | None,
    pixel_std: Sequence[float] | None,
    pixel_norm: bool,
    reading: str | None = None,
    value_range: Sequence[float] | None = None,
) -> Preprocessing:
    """Return what was asked for; where nothing was, what was recorded; else the usual.

    Args:
        recorded: ``preprocessing`` of a checkpoint; may be empty.
        image_size: height and width, or one number for both.
        pixel_mean: mean of each channel in 0..1.
        pixel_std: standard deviation of each channel.
        pixel_norm: False leaves pixels in 0..1.
        reading: ``viewer`` or ``torchreid``.
        value_range: what becomes 0 and 255 of values of more than 8 bits.

    Raises:
        ConfigError: if a size, a mean or a deviation makes no sense.
    """
    if image_size is None:
        image_size = (recorded.get("height", USUAL_SIZE[0]), recorded.get("width", USUAL_SIZE[1]))
    height, width = two_sides(image_size)
    # Torchreid's checkpoints, which record nothing, were trained on Pillow's pixels.
    asked = {"reading": reading, "value_range": value_range}
    given = {key: value for key, value in asked.items() if value is not None}
    make = partial(
        Preprocessing,
        height,
        width,
        letterbox=recorded.get("letterbox"),
        resize=recorded.get("resize", "pillow"),
        reading=ImageReading.recorded({**recorded, **given}),
    )
    if not pixel_norm:
        return make((0, 0, 0), (1, 1, 1))
    usual_mean, usual_std = normalisation(recorded.get("norm_mean"), recorded.get("norm_std"))
    mean = usual_mean if pixel_mean is None else pixel_mean
    std = usual_std if pixel_std is None else pixel_std
    return make(*normalisation(mean, std))


def two_sides(image_size: int | Sequence[int]) -> tuple[int, int]:
    """Return height and width in pixels, of a square where one number is given.

    Raises:
        ConfigError: if these are no sides.
    """
    sides = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    if len(sides) != 2 or min(sides) < 1:
        raise ConfigError(
            f"image_size={quoted(image_size)}",
            "Give height and width in pixels, such as (256, 128)",
        )
    return sides

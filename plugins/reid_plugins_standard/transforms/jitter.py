"""Changes of colour: ``color_jitter``."""

from __future__ import annotations

import random
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from reid_plugins_standard.transforms import colour
from reidcore.data import (
    Params,
    Pixels,
    PixelTransform,
    as_pil,
    check_probability,
    to_device_of,
)
from reidcore.errors import ConfigError

FACTORS = ("brightness", "contrast", "saturation", "hue")
CHANGES = (colour.brighter, colour.contrasted, colour.saturated, colour.hue_shifted)


UNCHANGED = (-1.0,) * 4 + (0.0,) * 4
"""The parameters of an image that stays as it is: no change has a place in the order."""

Amount = float | tuple[float, float]


class ColorJitter(PixelTransform):
    """Changes brightness, contrast, saturation and hue by random amounts, in a random order.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        brightness: Factors are drawn from 1 - brightness to 1 + brightness, or from a range.
        contrast: Likewise.
        saturation: Likewise.
        hue: Shifts are drawn from -hue to hue, or from a range; at most 0.5, half the colour wheel.

    Raises:
        ConfigError: An amount is out of range.
    """

    order: ClassVar[int] = 40

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 1.0,
        brightness: Amount = 0.2,
        contrast: Amount = 0.15,
        saturation: Amount = 0.0,
        hue: Amount = 0.0,
    ) -> None:
        self.p = check_probability("color_jitter", p)
        try:
            self.jitter = v2.ColorJitter(brightness, contrast, saturation, hue)
        except ValueError as error:
            raise ConfigError(f"color_jitter cannot be made ({error})") from error
        self.used = [n for n, name in enumerate(FACTORS) if getattr(self.jitter, name) is not None]

    def make_params(self, height: int, width: int) -> Params:
        """Draw the order of the four changes, and their four amounts; 0 where one is not used."""
        if self.p < 1 and random.random() >= self.p:
            return UNCHANGED
        params = self.jitter.make_params([])
        amounts = [params[f"{name}_factor"] or 0.0 for name in FACTORS]
        return (*map(float, params["fn_idx"].tolist()), *amounts)

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return the image (height, width, 3) with its colours changed."""
        if params[0] < 0:
            return pixels
        amounts: dict[str, Any] = {"fn_idx": [int(number) for number in params[:4]]}
        for number, name in enumerate(FACTORS):
            amounts[f"{name}_factor"] = params[4 + number] if number in self.used else None
        return np.asarray(self.jitter.transform(as_pil(pixels), amounts))

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images with their colours changed, each in its own order."""
        orders, amounts = params[:, :4].long(), to_device_of(images, params[:, 4:].float())
        for place in range(4):
            for number in self.used:
                chosen = torch.nonzero(orders[:, place] == number)[:, 0]
                if len(chosen):
                    there = to_device_of(images, chosen)
                    changed = CHANGES[number](images[there], amounts[there, number])
                    images = images.index_copy(0, there, changed)
        return images

"""Random erasing: ``random_erase``."""

from __future__ import annotations

import random
from typing import ClassVar

import torch
from torch import Tensor

from reid_plugins_standard.transforms.boxes import NO_BOX, Range, boxes, draw_box
from reidcore.data import Params, TensorTransform, check_probability, to_device_of
from reidcore.errors import ConfigError, did_you_mean, quoted

FILLS: dict[str, tuple[float, float, float]] = {
    "mean": (0.0, 0.0, 0.0),
    "torchreid": (0.485, 0.456, 0.406),
}
"""Values after normalisation: the mean pixel is 0 there. Torchreid writes the mean unnormalised."""


class RandomErase(TensorTransform):
    """Fills a random box with one colour, with probability ``p``.

    Zhong et al., Random Erasing Data Augmentation, AAAI 2020.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        area: Range of the box's share of the image.
        ratio: Range of the box's height divided by its width.
        fill: ``mean`` (the mean pixel) or ``torchreid`` (what Torchreid's code writes).

    Raises:
        ConfigError: ``p`` is no probability or ``fill`` is unknown.
    """

    order: ClassVar[int] = 10

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 0.5,
        area: Range = (0.02, 0.4),
        ratio: Range = (0.3, 1 / 0.3),
        fill: str = "mean",
    ) -> None:
        if fill not in FILLS:
            raise ConfigError(
                f"random_erase has no fill {quoted(fill)}",
                did_you_mean(fill, FILLS) or f"It must be one of {', '.join(FILLS)}",
            )
        self.p = check_probability("random_erase", p)
        self.area = area
        self.ratio = ratio
        self.colour = torch.tensor(FILLS[fill])[:, None, None]

    def make_params(self, height: int, width: int) -> Params:
        """Draw the box, if there is to be one."""
        if random.random() >= self.p:
            return NO_BOX
        return draw_box(height, width, self.area, self.ratio)

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images (B, 3, height, width) with their boxes filled."""
        colour = to_device_of(images, self.colour)
        for image, rows, columns in boxes(params):
            images[image, :, rows, columns] = colour
        return images

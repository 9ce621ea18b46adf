"""Colour taken away from a part of the image: ``gray_patch``."""

from __future__ import annotations

import random
from typing import ClassVar

from torch import Tensor

from reid_plugins_standard.transforms.boxes import NO_BOX, Range, boxes, check_box, draw_box
from reid_plugins_standard.transforms.colour import luminance
from reidcore.data import Params, PixelTransform, check_probability


class GrayPatch(PixelTransform):
    """Makes a random box grey with probability ``p``, and the whole image with ``p_whole``.

    Gong et al., Eliminate Deviation with Deviation for Data Augmentation and a General Multi-modal
    Data Learning Method, 2021: local and global grayscale transformation.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability of a grey box.
        p_whole: Probability that the whole image becomes grey instead.
        area: Range of the box's share of the image.
        ratio: Range of the box's height divided by its width.

    Raises:
        ConfigError: A probability is none.
    """

    order: ClassVar[int] = 50

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 0.4,
        p_whole: float = 0.05,
        area: Range = (0.02, 0.4),
        ratio: Range = (0.3, 1 / 0.3),
    ) -> None:
        check_box("gray_patch", height, width, area, ratio)
        self.p = check_probability("gray_patch", p)
        self.p_whole = check_probability("gray_patch", p_whole)
        self.area = area
        self.ratio = ratio

    def make_params(self, height: int, width: int) -> Params:
        """Draw the box, if there is to be one."""
        if random.random() < self.p_whole:
            return (0.0, 0.0, height, width)
        if random.random() >= self.p:
            return NO_BOX
        return draw_box(height, width, self.area, self.ratio)

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images (B, 3, height, width) with their boxes in grey."""
        for image, rows, columns in boxes(params):
            box = images[image, :, rows, columns]
            box.copy_(luminance(box[None])[0].expand_as(box))
        return images

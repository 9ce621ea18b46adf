"""Random erasing: ``random_erase``."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from reid_plugins_standard.transforms.boxes import (
    NO_BOX,
    Draw,
    Range,
    boxes,
    check_box,
    draw_box,
    log_uniform,
    uniform,
)
from reidcore.data import Params, TensorTransform, check_probability, to_device_of
from reidcore.errors import ConfigError, did_you_mean, quoted

COLOURS: dict[str, tuple[float, float, float]] = {
    "mean": (0.0, 0.0, 0.0),
    "torchreid": (0.485, 0.456, 0.406),
}
"""Values after normalisation: the mean pixel is 0 there. Torchreid writes the mean unnormalised."""

NOISE = "noise"
"""The fill that draws each value of a box from a normal distribution."""

ASPECTS: dict[str, Draw] = {"uniform": uniform, "log": log_uniform}
"""How a box's height divided by its width is drawn."""


class RandomErase(TensorTransform):
    """Fills a random box with one colour, or with noise, with probability ``p``.

    Zhong et al., Random Erasing Data Augmentation, AAAI 2020. Three forms of it are published; the
    defaults are the paper's, which draws the aspect uniformly, so that most boxes are upright.
    torchvision's and timm's draw its logarithm and erase at most a third of the image.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        area: Range of the box's share of the image.
        ratio: Range of the box's height divided by its width.
        aspect: How that is drawn: ``uniform``, or ``log`` for its logarithm uniformly.
        fill: ``mean`` (the mean pixel), ``torchreid`` (what the code of Torchreid and of BoT
            writes), ``noise`` (a standard normal number for each value), or three values of the
            normalised tensor.

    Raises:
        ConfigError: ``p`` is no probability, a range is none, or ``aspect`` or ``fill`` is unknown.
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
        aspect: str = "uniform",
        fill: str | Sequence[float] = "mean",
    ) -> None:
        if aspect not in ASPECTS:
            raise _unknown("aspect", aspect, list(ASPECTS))
        check_box("random_erase", height, width, area, ratio)
        self.p = check_probability("random_erase", p)
        self.area = area
        self.ratio = ratio
        self.draw_aspect = ASPECTS[aspect]
        self.colour = None if fill == NOISE else _colour(fill)

    def make_params(self, height: int, width: int) -> Params:
        """Draw the box, if there is to be one, and the seed of its noise if that fills it."""
        box: Params = NO_BOX
        if random.random() < self.p:
            box = draw_box(height, width, self.area, self.ratio, self.draw_aspect)
        return box if self.colour is not None else (*box, random.getrandbits(32))

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images (B, 3, height, width) with their boxes filled."""
        if self.colour is None:
            return _filled_with_noise(images, params)
        colour = to_device_of(images, self.colour)
        for image, rows, columns in boxes(params):
            images[image, :, rows, columns] = colour
        return images


def _filled_with_noise(images: Tensor, params: Tensor) -> Tensor:
    """Fill the boxes with numbers of their own seeds, the same ones on every device."""
    generator = torch.Generator()
    for image, rows, columns in boxes(params):
        generator.manual_seed(int(params[image, 4]))
        shape = images[image, :, rows, columns].shape
        noise = torch.randn(shape, generator=generator, dtype=torch.float32)
        images[image, :, rows, columns] = to_device_of(images, noise).to(images.dtype)
    return images


def _colour(fill: str | Sequence[float]) -> Tensor:
    """Return what a box is filled with, (3, 1, 1).

    Raises:
        ConfigError: It is no known name, nor three values.
    """
    if isinstance(fill, str) and fill not in COLOURS:
        raise _unknown("fill", fill, [*COLOURS, NOISE])
    values = COLOURS[fill] if isinstance(fill, str) else tuple(fill)
    if len(values) != 3:
        raise ConfigError(f"random_erase has fill={quoted(fill)}", "Give a name, or three numbers")
    return torch.tensor(values, dtype=torch.float32)[:, None, None]


def _unknown(option: str, given: str, known: list[str]) -> ConfigError:
    return ConfigError(
        f"random_erase has no {option} {quoted(given)}",
        did_you_mean(given, known) or f"It must be one of {', '.join(known)}",
    )

"""Torchreid's transforms, by its arguments, for transforms that a script puts together itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from reidcore.data import check_probability
from reidcore.registry import choose

__all__ = ["ColorAugmentation", "Random2DTranslation", "RandomErasing", "RandomPatch"]

_SIZE = 256, 128  # Torchreid's; these transforms hold their options to a size, and take any


def Random2DTranslation(height: int, width: int, p: float = 0.5, interpolation: int = 2) -> Any:
    """Return ``random_crop``: enlarge an image by an eighth, then cut one of the wanted size.

    Args:
        height: of the result, pixels.
        width: of the result, pixels.
        p: probability; the image is resized plainly otherwise.
        interpolation: not looked at; images are resized bilinearly.
    """
    return _made("random_crop", height, width, p=p)


def RandomErasing(
    probability: float = 0.5,
    sl: float = 0.02,
    sh: float = 0.4,
    r1: float = 0.3,
    mean: Sequence[float] = (0.4914, 0.4822, 0.4465),
) -> Any:
    """Return ``random_erase`` of a tensor (3, height, width), filled as Torchreid does.

    Args:
        probability: that a box is filled.
        sl: smallest share of the image.
        sh: largest share of the image.
        r1: smallest height divided by width; the largest is its inverse.
        mean: what the box is filled with.
    """
    area, ratio = (sl, sh), (r1, 1 / r1)
    return _made("random_erase", *_SIZE, p=probability, area=area, ratio=ratio, fill=list(mean))


def RandomPatch(
    prob_happen: float = 0.5,
    pool_capacity: int = 50000,
    min_sample_size: int = 100,
    patch_min_area: float = 0.01,
    patch_max_area: float = 0.5,
    patch_min_ratio: float = 0.1,
    prob_rotate: float = 0.5,
    prob_flip_leftright: float = 0.5,
) -> Any:
    """Return ``random_patch``, which keeps no pool: outside a run an image is its own donor.

    Args:
        prob_happen: probability that a patch is pasted.
        pool_capacity: not looked at.
        min_sample_size: not looked at.
        patch_min_area: smallest share of the image.
        patch_max_area: largest share of the image.
        patch_min_ratio: smallest height divided by width; the largest is its inverse.
        prob_rotate: probability that the patch is turned.
        prob_flip_leftright: probability that it is mirrored.
    """
    return _made(
        "random_patch",
        *_SIZE,
        p=prob_happen,
        area=(patch_min_area, patch_max_area),
        ratio=(patch_min_ratio, 1 / patch_min_ratio),
        p_rotate=prob_rotate,
        p_flip=prob_flip_leftright,
    )


class ColorAugmentation:
    """Adds to the colours of a tensor along the principal axes of ImageNet's pixels.

    Krizhevsky et al., ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012,
    section 4.1: the sum of the axes, each times its standard deviation times a number drawn from a
    normal distribution of deviation 0.1. Torchreid multiplies rows for columns.

    Args:
        p: probability.

    Raises:
        ConfigError: if ``p`` is no probability.
    """

    def __init__(self, p: float = 0.5) -> None:
        self.p = check_probability("ColorAugmentation", p)
        # Columns are axes of (red, green, blue), the first of which is brightness.
        self.axes = torch.tensor(
            [[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]]
        )
        self.deviations = torch.tensor([0.2175, 0.0188, 0.0045])

    def __call__(self, tensor: Tensor) -> Tensor:
        """(3, height, width) -> the same with other colours."""
        if torch.rand(()) >= self.p:
            return tensor
        drawn = torch.randn(3) * 0.1 * self.deviations
        return tensor + (self.axes @ drawn).to(tensor)[:, None, None]  # (3,) -> (3, 1, 1)


def _made(name: str, height: int, width: int, **options: Any) -> Any:
    return choose("transforms", name, options).make(height=height, width=width)

"""The ImageNet policy of AutoAugment with the magnitudes of its paper: ``policy: original``.

torchvision's policy ``imagenet`` has the same pairs of operations, and other magnitudes: a colour
goes up or down where here its level is one factor, and a higher level takes more bits and tones
away where here it takes fewer (Cubuk et al., AutoAugment: Learning Augmentation Strategies from
Data, CVPR 2019). FastReID trains with this one, which is timm's.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, TypeAlias

from PIL import Image, ImageEnhance, ImageOps

GRAY = (128, 128, 128)
"""What a turned or sheared image leaves open."""

RESAMPLINGS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)

Change: TypeAlias = Callable[[Image.Image, int], Image.Image]
"""Changes an image by a level of 0 to 10."""


def _signed(amount: float) -> float:
    return -amount if random.random() > 0.5 else amount


def _rotated(image: Image.Image, level: int) -> Image.Image:
    """Turn by up to 30 degrees."""
    angle = _signed(level / 10 * 30)
    return image.rotate(angle, resample=random.choice(RESAMPLINGS), fillcolor=GRAY)


def _sheared(image: Image.Image, level: int) -> Image.Image:
    """Shift rows by up to 0.3 of a pixel for each row further down."""
    matrix = (1, _signed(level / 10 * 0.3), 0, 0, 1, 0)
    resample = random.choice(RESAMPLINGS)
    return image.transform(
        image.size, Image.Transform.AFFINE, matrix, resample=resample, fillcolor=GRAY
    )


def _posterized(image: Image.Image, level: int) -> Image.Image:
    """Keep 4 to 8 bits."""
    bits = 4 + level * 4 // 10
    return image if bits == 8 else ImageOps.posterize(image, bits)


def _solarized(image: Image.Image, level: int) -> Image.Image:
    """Invert what is brighter than a value of 0 to 256."""
    return ImageOps.solarize(image, level * 256 // 10)


Enhancer: TypeAlias = (
    type[ImageEnhance.Color] | type[ImageEnhance.Contrast] | type[ImageEnhance.Sharpness]
)


def _enhanced(enhancer: Enhancer, image: Image.Image, level: int) -> Image.Image:
    """Change a property to 0.1 to 1.9 of what it is."""
    return enhancer(image).enhance(level / 10 * 1.8 + 0.1)


CHANGES: dict[str, Change] = {
    "rotate": _rotated,
    "shear_x": _sheared,
    "posterize": _posterized,
    "solarize": _solarized,
    "color": partial(_enhanced, ImageEnhance.Color),
    "contrast": partial(_enhanced, ImageEnhance.Contrast),
    "sharpness": partial(_enhanced, ImageEnhance.Sharpness),
    "autocontrast": lambda image, level: ImageOps.autocontrast(image),
    "equalize": lambda image, level: ImageOps.equalize(image),
    "invert": lambda image, level: ImageOps.invert(image),
}


class Operation(NamedTuple):
    """A change, how likely it is, and its level, which some changes have no use for."""

    name: str
    p: float
    level: int = 0


_O = Operation

# The paper's table of what was learnt on ImageNet; five of the 25 pairs stand there twice.
PAIRS: tuple[tuple[Operation, Operation], ...] = (
    (_O("posterize", 0.4, 8), _O("rotate", 0.6, 9)),
    (_O("solarize", 0.6, 5), _O("autocontrast", 0.6)),
    (_O("equalize", 0.8), _O("equalize", 0.6)),
    (_O("posterize", 0.6, 7), _O("posterize", 0.6, 6)),
    (_O("equalize", 0.4), _O("solarize", 0.2, 4)),
    (_O("equalize", 0.4), _O("rotate", 0.8, 8)),
    (_O("solarize", 0.6, 3), _O("equalize", 0.6)),
    (_O("posterize", 0.8, 5), _O("equalize", 1.0)),
    (_O("rotate", 0.2, 3), _O("solarize", 0.6, 8)),
    (_O("equalize", 0.6), _O("posterize", 0.4, 6)),
    (_O("rotate", 0.8, 8), _O("color", 0.4, 0)),
    (_O("rotate", 0.4, 9), _O("equalize", 0.6)),
    (_O("equalize", 0.0), _O("equalize", 0.8)),
    (_O("invert", 0.6), _O("equalize", 1.0)),
    (_O("color", 0.6, 4), _O("contrast", 1.0, 8)),
    (_O("rotate", 0.8, 8), _O("color", 1.0, 2)),
    (_O("color", 0.8, 8), _O("solarize", 0.8, 7)),
    (_O("sharpness", 0.4, 7), _O("invert", 0.6)),
    (_O("shear_x", 0.6, 5), _O("equalize", 1.0)),
    (_O("color", 0.4, 0), _O("equalize", 0.6)),
    (_O("equalize", 0.4), _O("solarize", 0.2, 4)),
    (_O("solarize", 0.6, 5), _O("autocontrast", 0.6)),
    (_O("invert", 0.6), _O("equalize", 1.0)),
    (_O("color", 0.6, 4), _O("contrast", 1.0, 8)),
    (_O("equalize", 0.8), _O("equalize", 0.6)),
)


def original_policy(image: Image.Image) -> Image.Image:
    """Return an RGB image after one pair of the policy, drawn at random."""
    for operation in random.choice(PAIRS):
        if operation.p == 1 or random.random() <= operation.p:
            image = CHANGES[operation.name](image, operation.level)
    return image

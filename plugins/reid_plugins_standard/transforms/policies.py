"""Policies of many small changes: ``auto_augment``, ``rand_augment``, ``aug_mix``.

They act image by image. What torchvision's leave open, such as the corners of a turned image, is
black; the policy ``original`` of ``auto_augment`` leaves it grey.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import ClassVar, TypeAlias

import numpy as np
from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.autoaugment import AutoAugmentPolicy

from reid_plugins_standard.transforms.imagenet_policy import original_policy
from reidcore.data import (
    ImageSource,
    Pixels,
    ResizeTransform,
    SizeRule,
    Stage,
    as_pil,
    check_probability,
)
from reidcore.errors import ConfigError, did_you_mean, quoted

_MOST = 100
"""Operations on an image, or chains of them, that one asks for at most."""

Change: TypeAlias = Callable[[Image.Image], Image.Image]


class Policy:
    """Changes the resized image with a probability.

    Args:
        p: Probability.
        change: Changes an RGB image.
        order: Its place among what changes the resized image.
    """

    stage: ClassVar[Stage] = "image"

    def __init__(self, p: float, change: Change, order: int = 35) -> None:
        self.p = p
        self.change = change
        self.order = order

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image, changed or as it is."""
        return self.change(image) if random.random() < self.p else image


class PolicyBeforeResizing(ResizeTransform):
    """Changes the image as it lies in its file with a probability, then resizes it.

    Args:
        p: Probability.
        change: Changes an RGB image of any size.
        size: Of the result.
    """

    is_random = True

    def __init__(self, p: float, change: Change, size: SizeRule) -> None:
        self.p = p
        self.change = change
        self.rules = (size,)

    def from_source(self, source: ImageSource) -> Pixels:
        """Return the image (height, width, 3), changed or plainly resized."""
        if random.random() >= self.p:
            return source.sized(self.rules[0])
        changed = np.asarray(self.change(as_pil(source.pixels())))
        return self.rules[0].apply(changed)


def auto_augment(
    height: int,
    width: int,
    *,
    p: float = 0.1,
    policy: str = "imagenet",
    before_resize: bool = False,
) -> Policy | PolicyBeforeResizing:
    """Apply one of a policy's pairs of operations, learnt elsewhere, with probability ``p``.

    Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, CVPR 2019.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        policy: The data that it was learnt on, as torchvision has it: ``imagenet``, ``cifar10`` or
            ``svhn``; or ``original``, ImageNet's with the paper's magnitudes, as FastReID has it.
        before_resize: Change the image as it lies in its file; no transform that resizes, such as
            ``random_crop``, can stand beside it then.

    Raises:
        ConfigError: ``p`` is no probability, or there is no such policy.
    """
    known = {each.value: each for each in AutoAugmentPolicy}
    if policy != "original" and policy not in known:
        names = [*known, "original"]
        raise ConfigError(
            f"auto_augment has no policy {quoted(policy)}",
            did_you_mean(policy, names) or f"It must be one of {', '.join(names)}",
        )
    change = original_policy if policy == "original" else v2.AutoAugment(known[policy])
    return _placed(check_probability("auto_augment", p), change, (height, width), before_resize)


def rand_augment(
    height: int,
    width: int,
    *,
    p: float = 0.5,
    num_ops: int = 2,
    magnitude: int = 9,
    before_resize: bool = False,
) -> Policy | PolicyBeforeResizing:
    """Apply some operations of one strength, drawn among all, with probability ``p``.

    Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space,
    CVPRW 2020.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        num_ops: How many operations.
        magnitude: Their strength, 0 to 30.
        before_resize: As in `auto_augment`.

    Raises:
        ConfigError: A value is out of range.
    """
    if not 1 <= num_ops <= _MOST or not 0 <= magnitude <= 30:
        raise ConfigError(
            f"rand_augment has num_ops={num_ops} and magnitude={magnitude}",
            f"Give 1 to {_MOST} operations, and a magnitude from 0 to 30",
        )
    change = v2.RandAugment(num_ops, magnitude)
    return _placed(check_probability("rand_augment", p), change, (height, width), before_resize)


def aug_mix(
    height: int,
    width: int,
    *,
    p: float = 0.5,
    severity: int = 3,
    mixture_width: int = 3,
    alpha: float = 1.0,
) -> Policy:
    """Mix the image with chains of operations on it, with probability ``p``.

    Hendrycks et al., AugMix: A Simple Data Processing Method to Improve Robustness and
    Uncertainty, ICLR 2020.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        severity: Strength of the operations, 1 to 10.
        mixture_width: How many chains are mixed.
        alpha: Parameter of the distribution of their weights.

    Raises:
        ConfigError: A value is out of range.
    """
    if not 1 <= severity <= 10 or not 1 <= mixture_width <= _MOST or alpha <= 0:
        raise ConfigError(
            f"aug_mix has severity={severity}, mixture_width={mixture_width}, alpha={alpha}",
            f"Give a severity from 1 to 10, 1 to {_MOST} chains, and an alpha above 0",
        )
    change = v2.AugMix(severity, mixture_width, alpha=alpha)
    return Policy(check_probability("aug_mix", p), change, order=45)


def _placed(
    p: float, change: Change, size: tuple[int, int], before_resize: bool
) -> Policy | PolicyBeforeResizing:
    return PolicyBeforeResizing(p, change, SizeRule(*size)) if before_resize else Policy(p, change)

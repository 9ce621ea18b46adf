"""Policies of many small changes, torchvision's: ``auto_augment``, ``rand_augment``, ``aug_mix``.

They act image by image. What they leave open, such as the corners of a turned image, is black.
"""

from __future__ import annotations

import random
from typing import Any, ClassVar

from PIL import Image
from torchvision.transforms import v2
from torchvision.transforms.autoaugment import AutoAugmentPolicy

from reidcore.data import Stage, check_probability
from reidcore.errors import ConfigError, did_you_mean, quoted


class _Policy:
    """Applies a transform of torchvision with a probability."""

    stage: ClassVar[Stage] = "image"

    def __init__(self, name: str, p: float, transform: Any) -> None:
        self.p = check_probability(name, p)
        self.transform = transform

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return the image, changed or as it is."""
        if random.random() >= self.p:
            return image
        changed: Image.Image = self.transform(image)
        return changed


class AutoAugment(_Policy):
    """Applies one of a policy's pairs of operations, learnt elsewhere, with probability ``p``.

    Cubuk et al., AutoAugment: Learning Augmentation Strategies from Data, CVPR 2019.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        policy: The data that it was learnt on: ``imagenet``, ``cifar10`` or ``svhn``.

    Raises:
        ConfigError: ``p`` is no probability, or there is no such policy.
    """

    order: ClassVar[int] = 35

    def __init__(
        self, height: int, width: int, *, p: float = 0.1, policy: str = "imagenet"
    ) -> None:
        policies = {known.value: known for known in AutoAugmentPolicy}
        if policy not in policies:
            raise ConfigError(
                f"auto_augment has no policy {quoted(policy)}",
                did_you_mean(policy, policies) or f"It must be one of {', '.join(policies)}",
            )
        super().__init__("auto_augment", p, v2.AutoAugment(policies[policy]))


class RandAugment(_Policy):
    """Applies some operations of one strength, drawn among all, with probability ``p``.

    Cubuk et al., RandAugment: Practical Automated Data Augmentation with a Reduced Search Space,
    CVPRW 2020.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        num_ops: How many operations.
        magnitude: Their strength, 0 to 30.

    Raises:
        ConfigError: A value is out of range.
    """

    order: ClassVar[int] = 35

    def __init__(
        self, height: int, width: int, *, p: float = 0.5, num_ops: int = 2, magnitude: int = 9
    ) -> None:
        if num_ops < 1 or not 0 <= magnitude <= 30:
            raise ConfigError(
                f"rand_augment has num_ops={num_ops} and magnitude={magnitude}",
                "Give 1 or more operations, and a magnitude from 0 to 30",
            )
        super().__init__("rand_augment", p, v2.RandAugment(num_ops, magnitude))


class AugMix(_Policy):
    """Mixes the image with chains of operations on it, with probability ``p``.

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

    order: ClassVar[int] = 45

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 0.5,
        severity: int = 3,
        mixture_width: int = 3,
        alpha: float = 1.0,
    ) -> None:
        if not 1 <= severity <= 10 or mixture_width < 1 or alpha <= 0:
            raise ConfigError(
                f"aug_mix has severity={severity}, mixture_width={mixture_width}, alpha={alpha}",
                "Give a severity from 1 to 10, 1 or more chains, and an alpha above 0",
            )
        super().__init__("aug_mix", p, v2.AugMix(severity, mixture_width, alpha=alpha))

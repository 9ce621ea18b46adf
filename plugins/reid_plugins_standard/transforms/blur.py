"""Loss of sharpness: ``blur``."""

from __future__ import annotations

import random
from typing import ClassVar

from torch import Tensor
from torchvision.transforms.v2 import functional

from reidcore.data import Params, PixelTransform, check_probability
from reidcore.errors import ConfigError, quoted


class Blur(PixelTransform):
    """Blurs the image by a Gaussian of random width, with probability ``p``.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        p: Probability.
        sigma: Range of the standard deviation, pixels.
        kernel_size: Side of the window, pixels; an odd number.

    Raises:
        ConfigError: A value is out of range.
    """

    order: ClassVar[int] = 60

    def __init__(
        self,
        height: int,
        width: int,
        *,
        p: float = 0.2,
        sigma: tuple[float, float] = (0.1, 2.0),
        kernel_size: int = 7,
    ) -> None:
        if not 0 < sigma[0] <= sigma[1]:
            raise ConfigError(
                f"blur has sigma={quoted(sigma)}", "Give two numbers above 0, in order"
            )
        if kernel_size < 1 or kernel_size % 2 == 0 or kernel_size // 2 >= min(height, width):
            raise ConfigError(
                f"blur has kernel_size={quoted(kernel_size)}",
                "Give an odd number that is less than twice the image's sides",
            )
        self.p = check_probability("blur", p)
        self.sigma = sigma
        self.kernel_size = kernel_size

    def make_params(self, height: int, width: int) -> Params:
        """Draw the standard deviation, 0 for none."""
        return (random.uniform(*self.sigma) if random.random() < self.p else 0.0,)

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return the images, some of them blurred."""
        sides = [self.kernel_size, self.kernel_size]
        for image, (sigma,) in enumerate(params.tolist()):
            if sigma:
                images[image] = functional.gaussian_blur(images[image], sides, [sigma, sigma])
        return images

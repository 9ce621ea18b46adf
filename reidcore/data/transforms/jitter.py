"""Changes of colour: ``color_jitter``."""

from __future__ import annotations

from typing import Any, ClassVar

from torchvision.transforms import v2

from reidcore.data.transforms.pipeline import Stage
from reidcore.errors import ConfigError


class ColorJitter:
    """Changes brightness, contrast, saturation and hue by random amounts.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        brightness: Factors are drawn from 1 - brightness to 1 + brightness.
        contrast: Likewise.
        saturation: Likewise.
        hue: Shifts are drawn from -hue to hue; at most 0.5, half the colour wheel.

    Raises:
        ConfigError: An amount is out of range.
    """

    stage: ClassVar[Stage] = "image"
    order: ClassVar[int] = 40

    def __init__(
        self,
        height: int,
        width: int,
        *,
        brightness: float = 0.2,
        contrast: float = 0.15,
        saturation: float = 0.0,
        hue: float = 0.0,
    ) -> None:
        try:
            self.jitter = v2.ColorJitter(brightness, contrast, saturation, hue)
        except ValueError as error:
            raise ConfigError(f"color_jitter cannot be made ({error})") from error

    def __call__(self, image: Any) -> Any:
        """Return the image with its colours changed."""
        return self.jitter(image)

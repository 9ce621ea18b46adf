"""Transforms of colours: ``color_jitter``."""

from __future__ import annotations

from torchvision.transforms import v2

from reidcore.data.transforms.pipeline import Placed


def color_jitter(
    height: int,
    width: int,
    *,
    brightness: float = 0.2,
    contrast: float = 0.15,
    saturation: float = 0.0,
    hue: float = 0.0,
) -> Placed:
    """Change brightness, contrast, saturation and hue by random amounts.

    Args:
        height: Of the image, pixels.
        width: Of the image, pixels.
        brightness: Factors are drawn from 1 - brightness to 1 + brightness.
        contrast: Likewise.
        saturation: Likewise.
        hue: Shifts are drawn from -hue to hue; at most 0.5, half the colour wheel.
    """
    return Placed(v2.ColorJitter(brightness, contrast, saturation, hue), order=40)

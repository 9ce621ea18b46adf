"""Changes of colour of a whole batch of bytes, with Pillow's arithmetic.

Images are (B, 3, h, w) uint8; factors (B,) float32, on their device.
"""

from __future__ import annotations

import torch
from torch import Tensor


def luminance(images: Tensor) -> Tensor:
    """Return the grey values (B, 1, h, w), int32 in 0..255, by the weights of ITU-R 601."""
    red, green, blue = images.int().unbind(1)
    return ((red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16)[:, None]


def brighter(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images blended with black."""
    return _blended(torch.zeros_like(images), images, factors)


def contrasted(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images blended with their mean grey value."""
    means = _wide(luminance(images)).mean(dim=(2, 3), keepdim=True).add(0.5).floor()
    return _blended(means, images, factors)


def saturated(images: Tensor, factors: Tensor) -> Tensor:
    """Return the images blended with their grey values."""
    return _blended(luminance(images), images, factors)


def hue_shifted(images: Tensor, shifts: Tensor) -> Tensor:
    """Return the images with their hues moved by shares of the colour wheel, in steps of 1/255."""
    hue, saturation, value = _to_hsv(images)
    steps = (shifts * 255).trunc()[:, None, None]
    return _to_rgb(torch.remainder(hue + steps, 256), saturation, value)


def _blended(others: Tensor, images: Tensor, factors: Tensor) -> Tensor:
    """Return ``others + factor * (images - others)``, cut off to whole numbers in 0..255."""
    start = others.float()
    mixed = start + factors[:, None, None, None] * (images.float() - start)
    return mixed.clamp(0, 255).to(torch.uint8)


def _to_hsv(images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hue, saturation and value, (B, h, w) each, whole numbers in 0..255."""
    red, green, blue = images.float().unbind(1)
    highest, lowest = images.float().amax(1), images.float().amin(1)
    span = highest - lowest
    divisor = span.clamp(min=1)
    reds, greens, blues = (_wide((highest - c) / divisor) for c in (red, green, blue))
    turn = torch.where(
        red == highest,
        blues - greens,
        torch.where(green == highest, 2 + reds - blues, 4 + greens - reds),
    ).float()
    turn = torch.remainder(_wide(turn) / 6 + 1, 1).float()
    hue = torch.where(span == 0, torch.zeros_like(turn), turn)
    saturation = span / highest.clamp(min=1)
    return _wide(hue).mul(255).floor(), _wide(saturation).mul(255).floor(), _wide(highest)


def _to_rgb(hue: Tensor, saturation: Tensor, value: Tensor) -> Tensor:
    """Return (B, 3, h, w) bytes of (B, h, w) numbers in 0..255."""
    place = hue * 6 / 255
    sector = place.floor()
    within, purity = _wide((place - sector).float()), _wide((saturation / 255).float())
    low = _rounded(value * (1 - purity))
    falling = _rounded(value * (1 - purity * within))
    rising = _rounded(value * (1 - purity * (1 - within)))
    choices = torch.stack([value, falling, low, low, rising, value])
    sector = sector.long() % 6
    channels = [choices.gather(0, ((sector + turn) % 6)[None])[0] for turn in (0, 4, 2)]
    return torch.stack(channels, 1).to(torch.uint8)


def _rounded(values: Tensor) -> Tensor:
    return (values + 0.5).floor().clamp(0, 255)


def _wide(values: Tensor) -> Tensor:
    """Return values as exact as C's are in between, where the device can."""
    return values.float() if values.device.type == "mps" else values.double()

"""The bytes of images to the normalised floats that a model is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reidcore.data.images.decode import loaded_opencv


class ToNormalisedTensor:
    """Makes ``(values / 255 - mean) / std`` of bytes, as floats.

    Args:
        mean: Of each channel, in 0..1.
        std: Of each channel.

    Attributes:
        mean: (3, 1, 1), of bytes.
        scale: (3, 1, 1), what differences of bytes are multiplied by.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        self.mean = torch.tensor(mean, dtype=torch.float64)[:, None, None].mul(255).float()
        self.scale = torch.tensor(std, dtype=torch.float64)[:, None, None].mul(255).pow(-1).float()

    def __call__(self, image: Image.Image) -> Tensor:
        """Return a PIL image as a tensor (3, height, width)."""
        return self.on_batch(torch.from_numpy(np.array(image))[None])[0]

    def on_batch(
        self, pixels: Tensor, layout: torch.memory_format = torch.contiguous_format
    ) -> Tensor:
        """Return a batch of images as floats, on the device that its bytes are on.

        Args:
            pixels: (B, height, width, 3) uint8.
            layout: Of the result, contiguous or channels-last.

        Returns:
            (B, 3, height, width) float32.
        """
        if pixels.device.type == "cpu" and (opencv := loaded_opencv()):
            return self._looked_up(opencv, pixels.contiguous(), layout)
        mean, scale = (
            values.to(pixels.device, non_blocking=True) for values in (self.mean, self.scale)
        )
        planes = pixels.permute(0, 3, 1, 2)  # (B, h, w, 3) -> (B, 3, h, w)
        return planes.to(torch.float32, memory_format=layout).sub_(mean).mul_(scale)

    def _looked_up(self, opencv: Any, pixels: Tensor, layout: torch.memory_format) -> Tensor:
        """Return the same by a table of what each byte becomes: one pass over the memory.

        The floats are numpy's, which asks the system for huge pages: half as long to come by.
        """
        images = pixels.numpy()
        table = torch.arange(256.0).sub(self.mean[:, 0]).mul(self.scale[:, 0]).numpy()  # (3, 256)
        if layout == torch.channels_last:
            floats = np.empty(images.shape, dtype=np.float32)
            interleaved = np.ascontiguousarray(table.T)[None]  # (1, 256, 3)
            for image, target in zip(images, floats, strict=True):
                opencv.LUT(image, interleaved, target)
            return torch.from_numpy(floats).permute(0, 3, 1, 2)  # (B, h, w, 3) -> (B, 3, h, w)
        batch, height, width, channels = images.shape
        floats = np.empty((batch, channels, height, width), dtype=np.float32)
        planes = list(np.empty(floats.shape[1:], dtype=np.uint8))
        for image, target in zip(images, floats, strict=True):
            opencv.split(image, planes)
            for plane, values, normalised in zip(planes, table, target, strict=True):
                opencv.LUT(plane, values, normalised)
        return torch.from_numpy(floats)

"""Random transforms that draw their parameters apart from their use, as torchvision's v2 does.

What is drawn for an image depends on seed, epoch and index, and is drawn where the image is read.
It is applied there, or later to the whole batch, on the device that the batch is on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from reidcore._validation import kind_of
from reidcore.data.images.resize import Pixels
from reidcore.errors import ConfigError, PluginDefectError

Stage: TypeAlias = Literal["resize", "image", "tensor"]
"""Where a transform acts, see `reidcore.data.transforms.compose`."""

Params: TypeAlias = Sequence[float]
"""What was drawn for an image: P numbers, as many for each image."""


class OwnedTransform:
    """The base of transforms that are held to what their kind gives."""

    told_as: str = ""
    """The transform and its plugin, for messages; see `reidcore.data.transforms.checked`."""

    def wrong_answer(self, gave: Any, where: str, wanted: str) -> PluginDefectError:
        """Return the error that a wrong answer of one of its methods is."""
        more = f" of {gave.dtype}" if isinstance(gave, np.ndarray | Tensor) else ""
        more = f" {gave.mode} {gave.size}" if isinstance(gave, Image.Image) else more
        origin = self.told_as or f"the transform {type(self).__name__}"
        return PluginDefectError(
            f"{origin} gave {kind_of(gave)}{more} in {where}; it must give {wanted}"
        )

    def checked_pixels(self, gave: Any, shape: tuple[int, ...], where: str) -> Pixels:
        """Return the bytes of an image if they are of that shape."""
        if not isinstance(gave, np.ndarray) or gave.dtype != np.uint8 or gave.shape != shape:
            raise self.wrong_answer(gave, where, f"bytes {shape}")
        pixels: Pixels = gave
        return pixels


class RandomTransform(OwnedTransform, ABC):
    """A random transform of one image or of a batch.

    A plugin's may derive from `PixelTransform` or `TensorTransform`; then it acts on batches where
    ``data.augment`` says so.
    """

    def checked_params(self, height: int, width: int) -> Params:
        """Return what `make_params` draws, if it is numbers."""
        params = self.make_params(height, width)
        try:
            is_right = len(params) == len([each + 0.0 for each in params])
        except Exception:  # whatever a foreign object raises
            is_right = False
        if not is_right or isinstance(params, dict | set):
            raise self.wrong_params(params)
        return params

    def wrong_params(self, gave: Any) -> PluginDefectError:
        """Return the error that other parameters are."""
        return self.wrong_answer(gave, "make_params", "numbers, as many for each image")

    def checked_batch(self, images: Tensor, params: Tensor) -> Tensor:
        """Return what `transform` makes of a batch, if it is one like it."""
        shape, dtype = images.shape, images.dtype
        batch = self.transform(images, params)
        if not isinstance(batch, Tensor) or batch.shape != shape or batch.dtype != dtype:
            raise self.wrong_answer(batch, "transform", f"a tensor {tuple(shape)} of {dtype}")
        return batch

    @abstractmethod
    def make_params(self, height: int, width: int) -> Params:
        """Draw what an image of that size is changed by: P numbers, whatever the image."""

    @abstractmethod
    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return a batch changed by what was drawn for each image.

        Args:
            images: (B, 3, height, width), which may be written to.
            params: (B, P), float64, on the CPU.
        """


class PixelTransform(RandomTransform):
    """The base of those that change the bytes of an image, stage ``image``."""

    stage: ClassVar[Stage] = "image"

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return one image (height, width, 3) changed; the one that was given stays as it is."""
        batch = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]  # (h, w, 3) -> (1, 3, h, w)
        changed = self.checked_batch(batch, torch.tensor([params], dtype=torch.float64))
        return np.asarray(changed[0].permute(1, 2, 0).numpy())  # (1, 3, h, w) -> (h, w, 3)

    def changed_at_random(self, pixels: Pixels) -> Pixels:
        """Return one image changed at random."""
        changed = self.transform_pixels(pixels, self.checked_params(*pixels.shape[:2]))
        return self.checked_pixels(changed, pixels.shape, "transform_pixels")

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return an image changed at random."""
        return Image.fromarray(self.changed_at_random(np.asarray(image)))


class TensorTransform(RandomTransform):
    """The base of those that change the normalised tensor, stage ``tensor``."""

    stage: ClassVar[Stage] = "tensor"

    def __call__(self, image: Tensor) -> Tensor:
        """Return an image (3, height, width) changed at random, a copy."""
        params = torch.tensor([self.checked_params(*image.shape[-2:])], dtype=torch.float64)
        return self.checked_batch(image[None].clone(), params)[0]


def to_device_of(images: Tensor, values: Tensor) -> Tensor:
    """Return values on the device of the images."""
    return values.to(images.device, non_blocking=True)


def as_pixels(image: Any) -> Pixels:
    """Return a PIL image, or pixels themselves, as pixels."""
    return np.asarray(image)


def as_pil(image: Any) -> Image.Image:
    """Return pixels, or a PIL image itself, as a PIL image."""
    return image if isinstance(image, Image.Image) else Image.fromarray(np.ascontiguousarray(image))


def check_probability(name: str, p: float) -> float:
    """Return ``p`` if it is a probability.

    Raises:
        ConfigError: It is not.
    """
    if not 0 <= p <= 1:
        raise ConfigError(f"{name} has the probability {p}", "It must lie between 0 and 1")
    return p

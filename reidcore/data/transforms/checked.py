"""Transforms of plugins, held to give what their kind gives.

A plugin's own object is never written to: it may be frozen, and stand under two names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PIL import Image
from torch import Tensor

from reidcore.data.images.resize import Pixels
from reidcore.data.sample import SamplePath
from reidcore.data.transforms.base import (
    OwnedTransform,
    Params,
    PixelTransform,
    RandomTransform,
    TensorTransform,
)
from reidcore.data.transforms.compose import UsesTrainingImages
from reidcore.data.transforms.resize import ImageSource, ResizeTransform


def checked(origin: str, function: Callable[[Any], Any], size: tuple[int, int]) -> CheckedTransform:
    """Return what a factory made, with the checks of its kind around it.

    Args:
        origin: The transform and its plugin, for messages.
        function: What the factory made.
        size: Height and width of the images, pixels.
    """
    kinds = {
        ResizeTransform: CheckedResize,
        PixelTransform: CheckedPixels,
        TensorTransform: CheckedTensors,
    }
    of_kind = (around for kind, around in kinds.items() if isinstance(function, kind))
    return next(of_kind, CheckedStep)(origin, function, size)


class CheckedTransform(OwnedTransform):
    """Stands for a plugin's transform, and has its attributes.

    Args:
        origin: The transform and its plugin, for messages: worker processes are sent no factory,
            which may be a local function that cannot be pickled.
        function: What its factory made.
        size: Height and width of the images, pixels.
    """

    def __init__(self, origin: str, function: Any, size: tuple[int, int]) -> None:
        self.told_as, self.function, self.size = origin, function, size
        vars(self)["stage"] = getattr(function, "stage", "image")  # not that of this class

    def __call__(self, image: Any) -> Any:
        """Return the changed image."""
        raise NotImplementedError

    def with_training_images(self, paths: Sequence[SamplePath]) -> CheckedTransform:
        """Return the transform that knows the files of the training set, if it asks for them."""
        if not isinstance(self.function, UsesTrainingImages):
            return self
        knowing = self.function.with_training_images(paths)
        if not callable(knowing):
            raise self.wrong_answer(knowing, "with_training_images", "a transform")
        return checked(self.told_as, knowing, self.size)

    def __getattr__(self, name: str) -> Any:
        if name == "function" or name.startswith("__"):  # copy and pickle ask before it is set
            raise AttributeError(name)
        return getattr(self.function, name)


class CheckedStep(CheckedTransform):
    """A plugin's function of images, held to give such images."""

    def __call__(self, image: Any) -> Any:
        """Return the changed image.

        Raises:
            PluginDefectError: The function gives something else; its plugin is named.
        """
        changed = self.function(image)
        if self.stage == "tensor":
            if isinstance(changed, Tensor) and changed.dim() == 3 and changed.is_floating_point():
                return changed
            raise self.wrong_answer(changed, "its call", "a tensor (3, height, width) of floats")
        is_pil = isinstance(changed, Image.Image)
        if is_pil and changed.mode == "RGB" and changed.size == self.size[::-1]:
            return changed
        return self.checked_pixels(changed, (*self.size, 3), "its call")


class CheckedRandom(RandomTransform):
    """What checks of random transforms have in common: as many parameters for each image."""

    function: Any
    num_params: int | None = None

    def checked_params(self, height: int, width: int) -> Params:
        """Return what `make_params` draws, if it is numbers, as many as for the image before."""
        params = super().checked_params(height, width)
        if self.num_params is None:
            self.num_params = len(params)
        if len(params) != self.num_params:
            raise self.wrong_params(params)
        return params

    def make_params(self, height: int, width: int) -> Params:
        """Draw what an image of that size is changed by."""
        params: Params = self.function.make_params(height, width)
        return params

    def transform(self, images: Tensor, params: Tensor) -> Tensor:
        """Return a batch changed by what was drawn for each image."""
        changed: Tensor = self.function.transform(images, params)
        return changed


class CheckedPixels(CheckedRandom, PixelTransform, CheckedTransform):
    """A plugin's transform of the bytes of an image."""

    def transform_pixels(self, pixels: Pixels, params: Params) -> Pixels:
        """Return one image (height, width, 3) changed."""
        if type(self.function).transform_pixels is PixelTransform.transform_pixels:
            return super().transform_pixels(pixels, params)  # by `transform`, checked in its name
        changed: Pixels = self.function.transform_pixels(pixels, params)
        return changed


class CheckedTensors(CheckedRandom, TensorTransform, CheckedTransform):
    """A plugin's transform of the normalised tensor."""


class CheckedResize(ResizeTransform, CheckedTransform):
    """A plugin's transform of the first stage."""

    def __init__(self, origin: str, function: Any, size: tuple[int, int]) -> None:
        super().__init__(origin, function, size)
        self.rules, self.is_random = function.rules, function.is_random

    def from_source(self, source: ImageSource) -> Pixels:
        """Return the image (height, width, 3)."""
        pixels: Pixels = self.function.from_source(source)
        return pixels

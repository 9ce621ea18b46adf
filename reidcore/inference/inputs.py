"""What an extractor may be given, told apart and checked before any work is done."""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor

from reidcore.data.images import rgb
from reidcore.data.images.decode import read_pixels
from reidcore.data.images.depth import Values, check_depth
from reidcore.data.images.reading import ImageReading, UnreadableImageError
from reidcore.data.images.resize import Pixels
from reidcore.errors import DataError

ImageInput: TypeAlias = str | os.PathLike[str] | Values | Image.Image
"""One image: a file, an RGB array (H, W, 3), or a PIL image."""

KINDS = (str, os.PathLike, np.ndarray, Image.Image)
"""The types of one image."""

_TOLD = "a path, an RGB array (H, W, 3) or a PIL image"


def as_images(given: Any, reading: ImageReading) -> list[ImageInput]:
    """Return what was given as a list of images.

    Args:
        given: an image, or a list or tuple of images.
        reading: how they will be read.

    Raises:
        DataError: if it holds something else, or values of a range that nobody told; nothing was
            read by then.
    """
    if not isinstance(given, list | tuple):
        check_image(given, "the input", reading)
        return [given]
    for place, image in enumerate(given):
        check_image(image, f"element {place}", reading)
    return list(given)


def open_image(image: ImageInput, reading: ImageReading) -> Pixels:
    """Return an image as 8-bit RGB, (h, w, 3), decoded as training decodes it.

    Args:
        image: a file, an array or a PIL image, which are read by one rule.
        reading: the rule.

    Raises:
        DataError: if an image is missing, truncated, too large or none, or its values are of a
            range that nobody told.
    """
    try:
        if isinstance(image, Image.Image):
            return rgb.rgb_of_picture(
                image, reading, getattr(image, "filename", "") or "<PIL image>"
            )
        if isinstance(image, np.ndarray):
            return rgb.rgb_of_array(image, reading, "<array>")
        return read_pixels(os.fspath(image), reading=reading)
    except UnreadableImageError as error:
        raise DataError(error.what, "Repair it, or leave it out.") from error


def check_tensor(images: Tensor) -> Tensor:
    """Return a tensor of preprocessed images as (B, 3, h, w).

    Raises:
        DataError: if it is not of floats, or its layout is another.
    """
    shape = tuple(images.shape)
    if not images.is_floating_point():
        raise DataError(
            f"the tensor is {images.dtype}, and tensors are taken as preprocessed floats",
            "Give images of bytes as numpy arrays (H, W, 3), which are resized and normalised.",
        )
    batch = images[None] if images.dim() == 3 else images
    if batch.dim() != 4 or batch.size(1) != 3:
        last = shape[-1:] == (3,)
        raise DataError(
            f"the tensor is {shape}, not (3, h, w) or (B, 3, h, w)",
            "Bring the channels forward: tensor.movedim(-1, -3)." if last else "",
        )
    if not batch[:1].numel() and len(batch):
        raise DataError(f"there is no image to extract features from: the tensor is {shape}")
    return batch


def check_image(image: object, where: str, reading: ImageReading) -> None:
    """Make sure that something is an image, before it is read.

    Raises:
        DataError: if it is of another kind or layout, or of a range that nobody told.
    """
    if isinstance(image, np.ndarray):
        _check_array(image, where, reading)
    elif isinstance(image, Tensor):
        raise DataError(
            f"{where} is a tensor in a list", "Give one tensor (B, 3, h, w): torch.stack(list)."
        )
    elif not isinstance(image, KINDS):
        raise DataError(f"{where} is of type {type(image).__name__}", f"Give {_TOLD}.")


def _check_array(image: Values, where: str, reading: ImageReading) -> None:
    told = f"{where} is an array {image.shape} of {image.dtype}"
    if image.ndim == 4:
        raise DataError(told, "Give a batch of images as a list: list(array).")
    if image.ndim == 3 and image.shape[0] == 3 and image.shape[2] != 3:
        raise DataError(told, "Bring the channels last: array.transpose(1, 2, 0).")
    if image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1):
        raise DataError(told, "Repeat the grey values: np.dstack([array] * 3).")
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise DataError(told, "Give RGB images (H, W, 3).")
    check_depth(image.dtype, reading, where)

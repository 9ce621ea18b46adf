"""Activation maps: where a network looks when it describes an image.

A place's activation is the sum of its squared channels (Zagoruyko and Komodakis, "Paying More
Attention to Attention", ICLR 2017; used for re-identification by Zhou et al., "Omni-Scale Feature
Learning for Person Re-Identification", ICCV 2019).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from reid_plugins_inspect.pictures.files import FileNames, save_picture
from reidcore.errors import UserError, counted
from reidcore.models import unwrap, wanted_columns
from reidcore.utils import PathLike, mkdir_if_missing

_log = logging.getLogger(f"reidcore.{__name__}")

Pixels = npt.NDArray[np.uint8]

SPACING = 10  # between the three pictures, in pixels
OVERLAY = 0.6  # how much of the map shows through on the image


def draw_activation_maps(
    model: nn.Module,
    loader: Iterable[Mapping[str, Any]],
    save_dir: PathLike,
    mean: Sequence[float],
    std: Sequence[float],
    device: torch.device | str = "cpu",
) -> list[Path]:
    """Draw image, activation map and overlay, side by side, for each image of a loader.

    Args:
        model: gives ``model(images, return_featuremaps=True)``, maps ``(B, C, h, w)``.
        loader: batches with ``img (B, 3, H, W)`` and ``impath``.
        save_dir: the folder for the pictures; made if it is missing.
        mean: what was subtracted from each channel, in 0..1.
        std: what each channel was divided by.
        device: where the model runs.

    Returns:
        The files written, ``<name of the image's file>.jpg``.

    Raises:
        UserError: if the model gives no feature maps or the folder cannot be written.
    """
    folder = Path(save_dir)
    mkdir_if_missing(folder)
    model = model.to(device).eval()
    written: list[Path] = []
    names = FileNames()
    for batch in loader:
        images = _one_each(batch["img"]).to(device)
        heat = activation_maps(model, images, batch)
        pictures = to_pixels(images, mean, std)
        for path, picture, values in zip(batch["impath"], pictures, heat, strict=True):
            written.append(folder / names.of(path))
            save_picture(side_by_side(picture, values), written[-1])
    _log.info("Drew %s in %s", counted(len(written), "activation map"), folder)
    return written


def activation_maps(
    model: nn.Module, images: Tensor, labels: Mapping[str, Any] | None = None
) -> npt.NDArray[np.float32]:
    """Return where the model is active, ``(B, H, W)`` from 0 to 1, for images ``(B, 3, H, W)``.

    Args:
        model: gives ``model(images, return_featuremaps=True)``, maps ``(B, C, h, w)``.
        images: where the model is.
        labels: columns ``(B,)`` of a batch, of which the model is told those that it wants.

    Raises:
        UserError: if the model gives no feature maps.
    """
    with torch.inference_mode():
        maps = _feature_maps(model, images, labels or {})
        energy = maps.float().square().sum(dim=1, keepdim=True)
        energy = F.interpolate(energy, images.shape[-2:], mode="bilinear", align_corners=False)
    flat = energy.flatten(1)
    low, high = flat.amin(dim=1, keepdim=True), flat.amax(dim=1, keepdim=True)
    scaled = (flat - low) / (high - low).clamp_min(torch.finfo(flat.dtype).tiny)
    return scaled.view(len(images), *images.shape[-2:]).cpu().numpy().astype(np.float32)


def to_pixels(images: Tensor, mean: Sequence[float], std: Sequence[float]) -> Pixels:
    """Undo the normalisation of images ``(B, 3, H, W)``; returns ``(B, H, W, 3)``."""
    shape = (1, 3, 1, 1)
    restored = images.cpu() * torch.tensor(std).view(shape) + torch.tensor(mean).view(shape)
    pixels: Pixels = (
        restored.clamp(0, 1).mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    )
    return pixels


def side_by_side(picture: Pixels, heat: npt.NDArray[np.float32]) -> Image.Image:
    """Set an image ``(H, W, 3)``, its map ``(H, W)`` in colour and their overlay side by side."""
    coloured = colour(heat)
    blend = OVERLAY * coloured + (1 - OVERLAY) * picture
    gap = np.full((picture.shape[0], SPACING, 3), 255)
    row = np.concatenate([picture, gap, coloured, gap, blend], axis=1)
    return Image.fromarray(row.round().astype(np.uint8))


def colour(heat: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Colour values from 0 (blue) over green to 1 (red): ``(H, W)`` to ``(H, W, 3)`` in 0..255."""
    peaks = np.array([3.0, 2.0, 1.0], dtype=np.float32)  # of red, green and blue, in quarters
    shares: npt.NDArray[np.float32] = np.clip(1.5 - np.abs(4 * heat[..., None] - peaks), 0, 1)
    return 255 * shares


def _one_each(images: Tensor) -> Tensor:
    """Return images as they are, and of clips ``(B, S, 3, H, W)`` the middle frames."""
    return images[:, images.shape[1] // 2] if images.dim() == 5 else images


def _feature_maps(model: nn.Module, images: Tensor, labels: Mapping[str, Any]) -> Tensor:
    name = type(unwrap(model)).__name__
    columns = {
        column: values.to(images.device) if isinstance(values, Tensor) else values
        for column, values in wanted_columns(model, labels).items()
    }
    try:
        maps = model(images, return_featuremaps=True, **columns)
    except (TypeError, NotImplementedError) as error:
        raise UserError(
            f"{name} gives no feature maps: {error}",
            "Let its forward take return_featuremaps=True, or subclass ReidModel.",
        ) from error
    if not isinstance(maps, Tensor) or maps.dim() != 4:
        shape = tuple(maps.shape) if isinstance(maps, Tensor) else type(maps).__name__
        raise UserError(
            f"{name} gives {shape} for feature maps", "They must have the shape (B, C, h, w)."
        )
    return maps

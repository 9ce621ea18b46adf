"""What the input and the output of an exported file tell by their shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reid_plugins_export.network import PREPROCESS, Takes
from reidcore.errors import CheckpointError

_CHANNELS = 3


@dataclass(frozen=True)
class ImageInput:
    """The images that a file takes.

    Attributes:
        size: height and width, where the file takes one size only.
        channels_last: its shape is (B, h, w, 3), not (B, 3, h, w).
        as_bytes: its values are 8-bit.
    """

    size: tuple[int, int] | None
    channels_last: bool
    as_bytes: bool

    def takes(self, record: Mapping[str, Any]) -> Takes:
        """Return what the images must be, by the file's record or else by their type."""
        unsaid: Takes = "bytes" if self.as_bytes else "normalised"
        return PREPROCESS.get(str(record.get("preprocess")), unsaid)

    def arranged(self, images: Tensor) -> Tensor:
        """Return images (B, 3, h, w) as the file takes them, contiguous."""
        kind = torch.uint8 if self.as_bytes else torch.float32
        placed = images.movedim(1, -1) if self.channels_last else images
        return placed.to("cpu", kind).contiguous()


def described_input(shape: Sequence[Any], as_bytes: bool, path: Path) -> ImageInput:
    """Return what the shape of a file's input tells; names stand for what is not fixed.

    Raises:
        CheckpointError: if it is no batch of images.
    """
    if len(shape) == 4 and _CHANNELS in (shape[1], shape[3]):
        channels_last = shape[1] != _CHANNELS
        sides = shape[1:3] if channels_last else shape[2:4]
        height, width = (side if isinstance(side, int) else None for side in sides)
        size = (height, width) if height is not None and width is not None else None
        return ImageInput(size, channels_last, as_bytes)
    raise CheckpointError(
        f"{str(path)!r} takes {tuple(shape)}, no batch of images (B, 3, h, w) or (B, h, w, 3)",
        "Export the model again.",
    )


def feature_width(shape: Sequence[Any], path: Path) -> int:
    """Return the number of dimensions of a file's features, (B, D).

    Raises:
        CheckpointError: if its output is no (B, D) of a fixed D.
    """
    if len(shape) == 2 and isinstance(shape[1], int):
        return shape[1]
    raise CheckpointError(
        f"{str(path)!r} gives {tuple(shape)}, no features (B, D)", "Export the model again."
    )

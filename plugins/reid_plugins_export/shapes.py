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
_BYTES, _FLOATS = "uint8", "float32"


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


def described_input(shape: Sequence[Any], kind: str, path: Path) -> ImageInput:
    """Return what a file's input tells by its shape and type.

    Args:
        shape: its sides; names stand for what is not fixed.
        kind: the type of its values, such as ``float32``.
        path: the file.

    Raises:
        CheckpointError: if it is no batch of images, of any number, in bytes or floats of 32 bits.
    """
    told = f"{str(path)!r} takes {tuple(shape)} of {kind}"
    if len(shape) != 4 or _CHANNELS not in (shape[1], shape[3]):
        raise CheckpointError(
            f"{told}, no batch of images (B, 3, h, w) or (B, h, w, 3)", "Export the model again."
        )
    if kind not in (_BYTES, _FLOATS):
        raise CheckpointError(
            f"{told}, and images are given as {_FLOATS} or {_BYTES}",
            f"Export the model again with inputs of {_FLOATS}.",
        )
    if _is_fixed(shape[0]):
        raise CheckpointError(
            f"{told}, and no other number of images than {shape[0]}",
            "Export the model again with a dynamic batch.",
        )
    channels_last = shape[1] != _CHANNELS
    fixed = [side for side in (shape[1:3] if channels_last else shape[2:4]) if _is_fixed(side)]
    if len(fixed) == 1:
        raise CheckpointError(
            f"{told}: one side is fixed, the other is not",
            "Export the model again with both sides fixed, or with neither.",
        )
    size = (fixed[0], fixed[1]) if fixed else None
    return ImageInput(size, channels_last, kind == _BYTES)


def _is_fixed(side: Any) -> bool:
    return isinstance(side, int)


def feature_width(shape: Sequence[Any], path: Path) -> int:
    """Return the number of dimensions of a file's features, (B, D).

    Raises:
        CheckpointError: if its output is no (B, D) of a fixed D.
    """
    if len(shape) == 2 and _is_fixed(shape[1]):
        return int(shape[1])
    raise CheckpointError(
        f"{str(path)!r} gives {tuple(shape)}, no features (B, D)", "Export the model again."
    )

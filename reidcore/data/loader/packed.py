"""A batch on its way from the process that read it: one block of bytes, and what was drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from reidcore.data.images.resize import Pixels
from reidcore.data.table import Int64Array
from reidcore.data.transforms.base import Draw
from reidcore.errors import DataError


@dataclass(frozen=True)
class PackedBatch:
    """The images of a batch before they are normalised.

    Attributes:
        images: (B, V, height, width, 3) uint8, V views or frames of each of B samples; in memory
            that processes share, if a worker made it.
        rows: (B,) rows of the dataset.
        drawn: For each transform that the batch applies, (B * V, P). Small arrays travel faster
            than tensors, each of which would be a block of shared memory.
        skipped: Path and reason of each image that was left out.
    """

    images: Tensor
    rows: Int64Array
    drawn: tuple[npt.NDArray[np.float64], ...]
    skipped: tuple[tuple[str, str], ...] = ()

    def pin_memory(self) -> PackedBatch:
        """Return it with its images in memory that a GPU copies from quickly."""
        return replace(self, images=self.images.pin_memory())


Read = Sequence[tuple[Pixels, list[Draw]]]
"""What reading a sample gives: its views or frames, each with what was drawn for it."""


class Packer:
    """Puts the images of a batch side by side as they are read.

    Args:
        size: How many samples there may be.
        num_drawn: How many transforms the batch applies.
    """

    def __init__(self, size: int, num_drawn: int) -> None:
        self.size = size
        self.rows: list[int] = []
        self.drawn: list[list[Draw]] = [[] for _ in range(num_drawn)]
        self.skipped: list[tuple[str, str]] = []
        self._images = torch.empty(0, 1, 1, 1, 3, dtype=torch.uint8)

    def add(self, row: int, read: Read) -> None:
        """Take in a sample.

        Raises:
            DataError: Its images differ in shape from those before.
        """
        shape = (len(read), *read[0][0].shape)
        if not self.rows:
            self._images = _shared_bytes((self.size, *shape))
            self._array = self._images.numpy()
        for view, (pixels, draws) in enumerate(read):
            expected = self._array.shape[1:]
            if pixels.shape != expected[1:] or len(read) != expected[0]:
                shapes = sorted({(len(read), *pixels.shape), expected})
                raise DataError(
                    f"images of one batch differ in shape: {shapes}",
                    "Use transforms that keep the size, and as many frames of each tracklet",
                )
            self._array[len(self.rows), view] = pixels
            for column, draw in zip(self.drawn, draws, strict=True):
                column.append(draw)
        self.rows.append(row)

    def packed(self) -> PackedBatch:
        """Return the batch."""
        return PackedBatch(
            self._images[: len(self.rows)],
            np.array(self.rows, dtype=np.int64),
            tuple(np.array(column, dtype=np.float64) for column in self.drawn),
            tuple(self.skipped),
        )


def _shared_bytes(shape: tuple[int, ...]) -> Tensor:
    """Return room for bytes, which a worker shares from the start rather than copies later."""
    room = torch.empty(shape, dtype=torch.uint8)
    if get_worker_info() is not None:
        room.share_memory_()  # type: ignore[no-untyped-call]
    return room

"""The cache in memory: it lasts as long as the data manager."""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np
import torch

from reidcore.data.images.store import PixelStore, words_of


class MemoryStore(PixelStore):
    """Images in memory that worker processes share.

    Args:
        count: Number of images there is room for.
        height: Of the images, pixels.
        width: Of the images, pixels.
        forked: Whether workers are forks of this process. Memory is then taken as it is filled.
    """

    def __init__(self, count: int, height: int, width: int, forked: bool) -> None:
        words = words_of(height, width)
        if forked:
            # Not limited by /dev/shm, which is small in containers.
            flat = np.frombuffer(mmap.mmap(-1, max(1, count * words) * 8), dtype=np.uint64)
            super().__init__(flat[: count * words].reshape(count, words), height, width)
            return
        self._shared = torch.zeros(count, words, dtype=torch.int64)
        self._shared.share_memory_()  # type: ignore[no-untyped-call]
        super().__init__(self._shared.numpy().view(np.uint64), height, width)

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in vars(self).items() if key != "table"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.table = self._shared.numpy().view(np.uint64)

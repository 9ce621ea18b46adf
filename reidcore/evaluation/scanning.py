"""A block of queries against the whole gallery: the keys of chosen pairs, and counts."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reidcore.evaluation import counting as counting
from reidcore.evaluation.kernel import compiled, thread_count
from reidcore.evaluation.labels import Int64

_TILES_BYTES = 64 << 20
Keys = npt.NDArray[np.floating[Any]]


class Scan(Protocol):
    """Queries ``start`` to ``stop`` against the whole gallery.

    A key orders the gallery of one query as the distance does. `keys` and `counts` agree on the
    key of each pair to the last bit, so that an item is always within its own limit.
    """

    start: int
    stop: int

    def keys(self, first: Int64, items: Int64) -> Keys:
        """Return the (N,) keys of chosen pairs: query i with ``items[first[i]:first[i + 1]]``."""
        ...

    def counts(self, limits: Keys, first: Int64, strict: bool) -> Int64:
        """Count for each limit the gallery items within it (less, or less or equal).

        ``limits[first[i]:first[i + 1]]`` are query i's, loosest first.
        """
        ...


class RowScan:
    """A scan over distances that lie in memory, on any device.

    Args:
        start: the first query.
        rows: (r, G) float32 or float64 distances.
    """

    def __init__(self, start: int, rows: Tensor) -> None:
        self.start, self.stop = start, start + len(rows)
        self._rows = rows

    def keys(self, first: Int64, items: Int64) -> Keys:
        """Return the distances of chosen pairs."""
        owner = torch.from_numpy(np.repeat(np.arange(len(first) - 1), np.diff(first)))
        device = self._rows.device
        chosen = self._rows[owner.to(device), torch.from_numpy(items).to(device)]
        keys: Keys = chosen.cpu().numpy()
        return keys

    def counts(self, limits: Keys, first: Int64, strict: bool) -> Int64:
        """Count the distances within each limit."""
        extension = compiled()
        if extension is None or self._rows.device.type != "cpu":
            return counting.count_rows(self._rows, limits, first, strict)
        rows = self._rows.contiguous().numpy()
        counts: Int64 = extension.count_rows(rows, limits, first, strict, thread_count())
        return counts


class FeatureScan:
    """A scan that computes distances as it goes, in the compiled kernel.

    Args:
        start: the first query.
        queries: (r, D) float32 features of the block's queries.
        gallery: (G, D) float32 features, contiguous.
        cosine: compare by cosine; otherwise by euclidean distance.
    """

    def __init__(self, start: int, queries: Tensor, gallery: Tensor, cosine: bool) -> None:
        extension = compiled()
        if extension is None:
            raise RuntimeError("FeatureScan needs the compiled kernel")
        self.start, self.stop = start, start + len(queries)
        # Each thread holds a tile of the gallery; wide features leave room for fewer of them.
        room = _TILES_BYTES // (4 * extension.TILE * gallery.size(1))
        self._scan = extension.FeatureScan(
            queries.contiguous().numpy(), gallery.numpy(), cosine, max(1, min(thread_count(), room))
        )

    def keys(self, first: Int64, items: Int64) -> Keys:
        """Return the keys of chosen pairs."""
        keys: Keys = self._scan.keys(first, items)
        return keys

    def counts(self, limits: Keys, first: Int64, strict: bool) -> Int64:
        """Count the keys within each limit."""
        counts: Int64 = self._scan.counts(limits, first, strict)
        return counts

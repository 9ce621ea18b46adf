"""Counting how many gallery items lie within the distances of a query's matches.

A scan is a block of queries against the whole gallery: it gives the keys of chosen pairs, and
counts the items within limits, by the compiled kernel or, on any device, by torch.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reidcore.evaluation.kernel import compiled, thread_count
from reidcore.evaluation.labels import Int64

_TILES_BYTES = 64 << 20
_TILE = 1 << 19  # entries looked at together; the worst case keeps five int64 for each
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
            return count_rows(self._rows, limits, first, strict)
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
        # Each thread holds a tile of the gallery, as floats and as codes of 16 bits; wide features
        # leave room for fewer of them.
        room = _TILES_BYTES // (6 * extension.TILE * gallery.size(1))
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


def count_rows(rows: Tensor, limits: npt.NDArray[np.floating], first: Int64, strict: bool) -> Int64:
    """Count, for each limit of each row, the entries within it.

    Args:
        rows: (r, G) distances, on any device.
        limits: (N,) limits, each row's together, loosest first.
        first: (r + 1,) where each row's limits begin.
        strict: count entries less than the limit; otherwise less or equal.

    Returns:
        (N,) counts.
    """
    within = torch.lt if strict else torch.le
    bounds = torch.from_numpy(limits).to(rows)
    begin = torch.from_numpy(first[:-1]).to(rows.device)
    end = torch.from_numpy(first[1:]).to(rows.device)
    # Nothing is within NaN, the limit of a row that has none.
    padded = torch.cat([bounds, bounds.new_full((1,), torch.nan)])
    loosest = torch.where(end > begin, padded[begin], torch.nan)[:, None]
    steps = int(np.diff(first).max(initial=1) - 1).bit_length()

    tightest = torch.zeros(len(limits), dtype=torch.int64, device=rows.device)
    for columns in torch.split(rows, max(1, _TILE // len(rows)), dim=1):
        row, column = within(columns, loosest).nonzero(as_tuple=True)
        values = columns[row, column]
        low, high = begin[row], end[row] - 1
        for _ in range(steps):  # binary search for the tightest limit that holds the value
            middle = (low + high + 1) // 2
            inside = within(values, bounds[middle])
            low = torch.where(inside, middle, low)
            high = torch.where(inside, high, middle - 1)
        tightest += torch.bincount(low, minlength=len(limits))

    # Whatever is within a limit is within the looser ones of its row too.
    onward = np.append(np.cumsum(tightest.cpu().numpy()[::-1])[::-1], 0)
    row_end = np.repeat(first[1:], np.diff(first))
    counts: Int64 = onward[:-1] - onward[row_end]
    return counts

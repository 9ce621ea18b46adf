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


class Limits:
    """Limits of rows, and how many entries are within each, counted tile by tile on a device.

    Args:
        limits: (N,) limits, each row's together, loosest first.
        first: (r + 1,) where each row's limits begin.
        strict: count entries less than the limit; otherwise less or equal.
        device: where entries are compared.
    """

    def __init__(self, limits: Keys, first: Int64, strict: bool, device: torch.device) -> None:
        self._first = first
        self._within = torch.lt if strict else torch.le
        self._bounds = torch.from_numpy(limits).to(device)
        self._begin = torch.from_numpy(first[:-1]).to(device)
        self._end = torch.from_numpy(first[1:]).to(device)
        # Nothing is within NaN, the limit of a row that has none.
        padded = torch.cat([self._bounds, self._bounds.new_full((1,), torch.nan)])
        self.loosest = torch.where(self._end > self._begin, padded[self._begin], torch.nan)
        self._steps = int(np.diff(first).max(initial=1) - 1).bit_length()
        self._tightest = torch.zeros(len(limits) + 1, dtype=torch.int64, device=device)

    def tightest(self, row: Tensor, values: Tensor) -> Tensor:
        """Return (n,) which limit is the tightest that holds a value within the loosest one.

        Args:
            row: (n,) whose limits each value has.
            values: (n,) entries of these rows.
        """
        low, high = self._begin[row], self._end[row] - 1
        for _ in range(self._steps):
            middle = (low + high + 1) // 2
            inside = self.hold(middle, values)
            low = torch.where(inside, middle, low)
            high = torch.where(inside, high, middle - 1)
        return low

    def tightest_or_none(self, row: Tensor, values: Tensor) -> Tensor:
        """Return the same of any values: N for one that no limit holds."""
        inside = self.hold(self._begin[row], values)
        return torch.where(inside, self.tightest(row, values), len(self._bounds))

    def hold(self, limits: Tensor, values: Tensor) -> Tensor:
        """Return (n,) whether each value is within the limit of an index."""
        return self._within(values, self._bounds[limits])

    def add(self, tightest: Tensor) -> None:
        """Count entries by the tightest limit that holds each; N for none."""
        self._tightest += torch.bincount(tightest, minlength=len(self._tightest))

    def counts(self) -> Int64:
        """Return (N,) how many entries were within each limit: what is, is in looser ones too."""
        tightest = self._tightest[:-1].cpu().numpy()
        onward = np.append(np.cumsum(tightest[::-1])[::-1], 0)
        counts: Int64 = onward[:-1] - onward[np.repeat(self._first[1:], np.diff(self._first))]
        return counts


def count_rows(rows: Tensor, limits: Keys, first: Int64, strict: bool) -> Int64:
    """Count, for each limit of each row, the entries within it.

    Args:
        rows: (r, G) distances, on any device.
        limits: (N,) limits, each row's together, loosest first.
        first: (r + 1,) where each row's limits begin.
        strict: count entries less than the limit; otherwise less or equal.

    Returns:
        (N,) counts.
    """
    found = Limits(limits, first, strict, rows.device)
    within = torch.lt if strict else torch.le
    for columns in torch.split(rows, max(1, _TILE // len(rows)), dim=1):
        row, column = within(columns, found.loosest[:, None]).nonzero(as_tuple=True)
        found.add(found.tightest(row, columns[row, column]))
    return found.counts()

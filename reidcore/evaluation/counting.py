"""Counting without the compiled kernel, on any device."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from reidcore.evaluation.labels import Int64

_TILE = 1 << 19  # entries looked at together; the worst case keeps five int64 for each


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

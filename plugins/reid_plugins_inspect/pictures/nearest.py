"""The nearest few of a row of distances, without sorting the row."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.data import Int64Array


def nearest(row: npt.NDArray[np.floating[Any]], count: int, ignored: Int64Array) -> Int64Array:
    """Return the indices of the nearest items, nearest first; ties go by index.

    Args:
        row: (G,) distances.
        count: how many; fewer are returned where there are no more.
        ignored: indices that are left out.
    """
    kept = np.ones(len(row), dtype=bool)
    kept[ignored] = False
    candidates = np.flatnonzero(kept)
    if count < len(candidates):
        limit = np.partition(row[candidates], count - 1)[count - 1]
        candidates = candidates[row[candidates] <= limit]
    # Stable, so that equal distances stay in the order of their indices.
    order = np.argsort(row[candidates], kind="stable")[:count]
    chosen: Int64Array = candidates[order]
    return chosen

"""Precision over recall, from the ranks of the matches."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.evidence.parts import Floats
from reidcore.evaluation import MatchRanks

LEVELS = np.linspace(0, 1, 101)


def precision_at_recall(ranks: MatchRanks) -> Floats:
    """Return the interpolated precision at 101 levels of recall, the mean over the queries.

    A query's precision at a recall is the best that it has there or beyond (Salton and McGill,
    "Introduction to Modern Information Retrieval", 1983). Queries without a match do not count.

    Returns:
        (101,), or an empty array if no query has a match.
    """
    sizes = np.diff(ranks.first)
    sizes = sizes[sizes > 0]
    if not len(sizes):
        return np.zeros(0)
    starts = np.cumsum(sizes) - sizes
    position = np.arange(len(ranks.ranks)) - np.repeat(starts, sizes) + 1
    precision = position / ranks.ranks  # (N,) one query's after another's
    # The greatest from each place to the end of its query: from the back, each query lifted above
    # those behind it.
    lift = 2.0 * np.repeat(np.arange(len(sizes))[::-1], sizes)
    best = np.maximum.accumulate((precision + lift)[::-1])[::-1] - lift
    # The number of matches that a level of recall asks for, at least one: (queries, 101).
    needed = np.maximum(np.ceil(LEVELS * sizes[:, None] - 1e-9), 1).astype(np.int64)
    means: Floats = best[starts[:, None] + needed - 1].mean(axis=0)
    return means

"""Which gallery items are more to a query than plain non-matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reidcore.evaluation.labels import Int64, Labels


@dataclass(frozen=True, eq=False)
class Related:
    """The related gallery items of r queries, one query's after another's.

    An item that is listed is a match or is ignored; all others are non-matches.

    Args:
        first: (r + 1,) where each query's items begin.
        items: (N,) indices into the gallery.
        match: (N,) True for a match, False for an item that is ignored.
    """

    first: Int64
    items: Int64
    match: npt.NDArray[np.bool_]

    @property
    def owner(self) -> Int64:
        """(N,) the query, counted from 0, that each item belongs to."""
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


class Relations(Protocol):
    """What a protocol says of queries and gallery, asked a span of queries at a time."""

    def rows(self, start: int, stop: int) -> Related:
        """Return the related items of queries ``start`` to ``stop``."""
        ...


class SameIdentity:
    """A match has the query's identity in another camera; its own camera's are ignored.

    The rule of Market1501 (Zheng et al., "Scalable Person Re-identification: A Benchmark",
    ICCV 2015), which nearly all benchmarks follow.
    """

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._by_pid = np.argsort(labels.g_pids, kind="stable")
        self._pids = labels.g_pids[self._by_pid]

    def rows(self, start: int, stop: int) -> Related:
        """Return the gallery items that share an identity with queries ``start`` to ``stop``."""
        pids = self._labels.q_pids[start:stop]
        left = np.searchsorted(self._pids, pids, side="left")
        sizes = np.searchsorted(self._pids, pids, side="right") - left
        first = np.concatenate([[0], np.cumsum(sizes)])
        places = np.arange(first[-1]) + np.repeat(left - first[:-1], sizes)
        items = self._by_pid[places]
        cameras = np.repeat(self._labels.q_camids[start:stop], sizes)
        return Related(first, items, self._labels.g_camids[items] != cameras)


class SameIdentityAnyCamera(SameIdentity):
    """A match has the query's identity, whatever its camera; nothing is ignored."""

    def rows(self, start: int, stop: int) -> Related:
        """Return the gallery items that share an identity with queries ``start`` to ``stop``."""
        related = super().rows(start, stop)
        return Related(related.first, related.items, np.ones(len(related.items), dtype=np.bool_))

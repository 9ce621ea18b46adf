"""Which gallery items are more to a query than plain non-matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from reidcore.evaluation.labels import Int64, Labels

_BLOCK = 1024  # queries whose related items are held at a time


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
        self._by_pid = _Places(labels.g_pids)

    def rows(self, start: int, stop: int) -> Related:
        """Return the gallery items that share an identity with queries ``start`` to ``stop``."""
        first, items = self._by_pid.of(self._labels.q_pids[start:stop])
        cameras = np.repeat(self._labels.q_camids[start:stop], np.diff(first))
        return Related(first, items, self._labels.g_camids[items] != cameras)


class SameIdentityAnyCamera(SameIdentity):
    """A match has the query's identity, whatever its camera; nothing is ignored."""

    def rows(self, start: int, stop: int) -> Related:
        """Return the gallery items that share an identity with queries ``start`` to ``stop``."""
        related = super().rows(start, stop)
        return Related(related.first, related.items, np.ones(len(related.items), dtype=np.bool_))


class OwnFilesIgnored:
    """Relations under which a query ignores the gallery items that are the query's own file.

    Args:
        relations: what the protocol says of all others.
        queries: (P,) queries, ascending, with an item that is their own file.
        items: (P,) the items, which the protocol itself does not ignore.
        gallery: number of gallery items.
    """

    def __init__(self, relations: Relations, queries: Int64, items: Int64, gallery: int) -> None:
        self._relations, self._gallery = relations, gallery
        self.queries, self.items = queries, items

    def rows(self, start: int, stop: int) -> Related:
        """Return the related items of queries ``start`` to ``stop``."""
        related = self._relations.rows(start, stop)
        left, right = np.searchsorted(self.queries, [start, stop])
        if left == right:
            return related
        queries, items = self.queries[left:right] - start, self.items[left:right]
        owner = related.owner
        others = ~np.isin(
            owner * self._gallery + related.items, queries * self._gallery + items
        )  # (N,) pairs that are not listed anew
        owner = np.concatenate([owner[others], queries])
        order = np.argsort(owner, kind="stable")
        sizes = np.bincount(owner, minlength=stop - start)
        return Related(
            np.concatenate([[0], np.cumsum(sizes)]),
            np.concatenate([related.items[others], items])[order],
            np.concatenate([related.match[others], np.zeros(len(items), dtype=np.bool_)])[order],
        )


def without_own_files(relations: Relations, labels: Labels) -> Relations:
    """Leave each query's own file out of its ranking, where the protocol has not done it.

    Returns:
        `OwnFilesIgnored`, or the relations as they are if no query would meet its own file.
    """
    if labels.q_files is None or labels.g_files is None:
        return relations
    count, gallery = labels.shape
    queries, items = equal_pairs(labels.q_files, labels.g_files)
    met = np.ones(len(items), dtype=np.bool_)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        own = slice(*np.searchsorted(queries, [start, stop]))
        if own.start < own.stop:
            related = relations.rows(start, stop)
            ignored = (related.owner * gallery + related.items)[~related.match]
            met[own] = ~np.isin((queries[own] - start) * gallery + items[own], ignored)
    if not met.any():
        return relations
    return OwnFilesIgnored(relations, queries[met], items[met], gallery)


def equal_pairs(wanted: Int64, known: Int64) -> tuple[Int64, Int64]:
    """Return all pairs of a wanted and a known value that are equal, such as a query's own file.

    Args:
        wanted: (Q,) values, such as those of the queries.
        known: (G,) values, such as those of the gallery.

    Returns:
        (P,) indices into ``wanted``, ascending, and (P,) indices into ``known``.
    """
    first, places = _Places(known).of(wanted)
    return np.repeat(np.arange(len(wanted)), np.diff(first)), places


class _Places:
    """Where each value stands in an array, found for many values at a time."""

    def __init__(self, values: Int64) -> None:
        self._order = np.argsort(values, kind="stable")
        self._sorted = values[self._order]

    def of(self, wanted: Int64) -> tuple[Int64, Int64]:
        """Return (r + 1,) where each of r values' places begin, and the (N,) places."""
        left = np.searchsorted(self._sorted, wanted, side="left")
        sizes = np.searchsorted(self._sorted, wanted, side="right") - left
        first = np.concatenate([[0], np.cumsum(sizes)])
        return first, self._order[np.arange(first[-1]) + np.repeat(left - first[:-1], sizes)]

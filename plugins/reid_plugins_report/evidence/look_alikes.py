"""Pairs of different identities that are nearest to one another."""

from __future__ import annotations

import numpy as np

from reid_plugins_report.evidence.labels import rows_of
from reid_plugins_report.evidence.pairs import Block
from reid_plugins_report.evidence.parts import Floats, Ints, LookAlikes
from reidcore.data import SampleTable
from reidcore.evaluation import Related


class NearestNonmatches:
    """Finds each query's nearest non-match.

    Args:
        queries: how many there are.

    Attributes:
        item: (Q,) its place in the gallery.
        distance: (Q,) infinite where there is none.
    """

    def __init__(self, queries: int) -> None:
        self.item = np.zeros(queries, dtype=np.int64)
        self.distance = np.full(queries, np.inf)

    def add(self, start: int, block: Block, related: Related) -> None:
        """Look through a block."""
        others = block.copy()
        others[related.owner, related.items] = np.inf
        rows = np.arange(len(block))
        self.item[start + rows] = nearest = others.argmin(axis=1)
        self.distance[start + rows] = others[rows, nearest]

    def done(self, query: SampleTable, gallery: SampleTable, count: int) -> LookAlikes:
        """Return the nearest pairs, one of each two identities."""
        rows = distinct_pairs(self.distance, query.pids, gallery.pids[self.item], count)
        return LookAlikes(
            self.distance[rows], *rows_of(query, rows), *rows_of(gallery, self.item[rows])
        )


def distinct_pairs(distance: Floats, first: Ints, second: Ints, count: int) -> Ints:
    """Return the rows of the least distances, one for each pair of identities, nearest first.

    Args:
        distance: (N,) infinite for those that are no pair.
        first: (N,) the one identity.
        second: (N,) the other.
        count: how many at most.
    """
    order = np.argsort(distance, kind="stable")
    order = order[np.isfinite(distance[order])]
    pairs = np.sort(np.stack([first[order], second[order]], axis=1), axis=1)
    _, firsts = np.unique(pairs, axis=0, return_index=True)
    chosen: Ints = order[np.sort(firsts)][:count]
    return chosen

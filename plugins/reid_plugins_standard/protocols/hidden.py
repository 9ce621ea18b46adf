"""Pairs of a query and a gallery item that a protocol ignores whoever they show.

Relations list what a query ignores, which is dear where that is a good part of the gallery. So the
distances of such pairs are made infinite for ranking, and relations list only identities' own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.evaluation import Distances, Related, Relations

Bool = npt.NDArray[np.bool_]
Hidden = Callable[[int, int], Bool]
"""Says of queries from a first to before a last (r, G) which gallery items they ignore."""


class VisibleDistances(Distances):
    """Distances of which those of hidden pairs are infinite, and all others less."""

    def __init__(self, whole: Distances, hidden: Hidden) -> None:
        self._whole, self._hidden = whole, hidden

    @property
    def shape(self) -> tuple[int, int]:
        """``(Q, G)``."""
        return self._whole.shape

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, npt.NDArray[np.floating]]]:
        """Yield the blocks of the whole, without the hidden pairs."""
        for start, block in self._whole.blocks(rows):
            # What is infinite already would be a tie with what is hidden, and stand behind it.
            visible = np.minimum(block, np.finfo(block.dtype).max)
            visible[self._hidden(start, start + len(block))] = np.inf
            yield start, visible

    def conditions(self) -> dict[str, Any]:
        """Return what the distances are."""
        return self._whole.conditions()


class VisibleMatches:
    """Relations for `VisibleDistances`: a match that is hidden is ignored; no other is listed."""

    def __init__(self, relations: Relations, hidden: Hidden) -> None:
        self._relations, self._hidden = relations, hidden

    def rows(self, start: int, stop: int) -> Related:
        """Return the related items of queries ``start`` to ``stop``."""
        related = self._relations.rows(start, stop)
        hidden = self._hidden(start, stop)[related.owner, related.items]
        return Related(related.first, related.items, related.match & ~hidden)


class HiddenIgnored:
    """The whole rule for any distances: every hidden item is listed as ignored."""

    def __init__(self, relations: Relations, hidden: Hidden) -> None:
        self._visible, self._hidden = VisibleMatches(relations, hidden), hidden

    def rows(self, start: int, stop: int) -> Related:
        """Return the related items of queries ``start`` to ``stop``."""
        related, listed = self._visible.rows(start, stop), self._hidden(start, stop).copy()
        match = np.zeros_like(listed)
        match[related.owner[related.match], related.items[related.match]] = True
        listed[related.owner, related.items] = True
        owner, items = np.nonzero(listed)
        first = np.searchsorted(owner, np.arange(stop - start + 1))
        return Related(first, items, match[owner, items])

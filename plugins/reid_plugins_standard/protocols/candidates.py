"""Queries that are compared with a few candidates each, and with nothing else in the gallery.

The players of one action, the people of one frame: all others have no part in the ranking, neither
as matches nor as mistakes.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError
from reidcore.evaluation import (
    Distances,
    EvaluationProtocol,
    Labels,
    MatrixDistances,
    RankingResult,
    Related,
    Relations,
    check_shapes,
    match_ranks,
)

Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Candidates:
    """The gallery items that queries are compared with, as N pairs.

    Args:
        queries: (N,) ascending.
        items: (N,) indices into the gallery.
        match: (N,) True where the item is a match, False where it would be a mistake.
    """

    queries: Int64
    items: Int64
    match: Bool

    def where(self, kept: Bool) -> Candidates:
        """Return some of the pairs, given by an (N,) mask."""
        return Candidates(self.queries[kept], self.items[kept], self.match[kept])

    def per_query(self, queries: int) -> Int64:
        """Return (queries,) how many candidates each query has."""
        return np.bincount(self.queries, minlength=queries)


class AmongCandidates(EvaluationProtocol):
    """The base of protocols whose queries have candidates of their own.

    Distances are asked for pairs, so that time and memory grow with the candidates and not with
    the gallery. A query whose match is no candidate is skipped. The CMC goes as far as the longest
    list of candidates; a query counts as found from where its own list ends.
    """

    @abstractmethod
    def candidates(self, labels: Labels) -> Candidates:
        """Return what each query is compared with."""

    def relations(self, labels: Labels) -> Relations:
        """Return the matches among the candidates, and as ignored all that is no candidate."""
        return _NothingElse(self.candidates(labels), labels.shape[1])

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries, each among its candidates; arguments and errors as in the base."""
        check_shapes(distances, labels)
        found = self.candidates(labels)
        own = _own_files(found, labels)
        compact = _compact(distances, found.where(~own))
        result = self.reduce(match_ranks(compact, compact, ties), max_rank)
        return replace(result, own_files=found.queries[own])


class _Compact(MatrixDistances):
    """Distances to each query's candidates, side by side, and which of them match.

    Args:
        matrix: (Q, C) distances to the first, second, ... candidate of each query.
        match: (Q, C) which of them match.
        used: (Q, C) False beyond the end of a query's candidates.
    """

    def __init__(self, matrix: npt.NDArray[np.floating], match: Bool, used: Bool) -> None:
        super().__init__(matrix)
        self._match, self._listed = match, match | ~used

    def rows(self, start: int, stop: int) -> Related:
        """Return the matches of queries ``start`` to ``stop``, and as ignored what is no item."""
        return _listed(self._match[start:stop], self._listed[start:stop])


class _NothingElse:
    """Relations under which a query ignores all that is none of its candidates.

    Args:
        candidates: of all queries.
        gallery: number G of gallery items.
    """

    def __init__(self, candidates: Candidates, gallery: int) -> None:
        self._candidates, self._gallery = candidates, gallery

    def rows(self, start: int, stop: int) -> Related:
        """Return the related items of queries ``start`` to ``stop``: nearly all of the gallery."""
        span = slice(*np.searchsorted(self._candidates.queries, [start, stop]))
        queries, items = self._candidates.queries[span] - start, self._candidates.items[span]
        match = np.zeros((stop - start, self._gallery), dtype=np.bool_)
        listed = ~match
        match[queries, items] = self._candidates.match[span]
        listed[queries, items] = self._candidates.match[span]
        return _listed(match, listed)


def _listed(match: Bool, listed: Bool) -> Related:
    """Return the related items of r queries, given by two (r, columns) masks."""
    _, items = np.nonzero(listed)
    return Related(np.concatenate([[0], np.cumsum(listed.sum(1))]), items, match[listed])


def _compact(distances: Distances, candidates: Candidates) -> _Compact:
    """Gather the distances of all candidates.

    Raises:
        DataError: if one is NaN.
    """
    sizes = candidates.per_query(distances.shape[0])
    used = np.arange(max(1, sizes.max())) < sizes[:, None]  # (Q, C)
    pairs = distances.pairs(candidates.queries, candidates.items)
    if np.isnan(pairs).any():
        first = int(np.flatnonzero(np.isnan(pairs))[0])
        raise DataError(
            f"the distance of query {candidates.queries[first]} to gallery item "
            f"{candidates.items[first]} is NaN",
            "Look for NaN in the features or in the distance matrix.",
        )
    matrix = np.full(used.shape, np.inf, dtype=pairs.dtype)
    match = np.zeros(used.shape, dtype=np.bool_)
    matrix[used], match[used] = pairs, candidates.match  # both run query by query
    return _Compact(matrix, match, used)


def _own_files(candidates: Candidates, labels: Labels) -> Bool:
    """Return (N,) which candidates are the query's own file."""
    if labels.q_files is None or labels.g_files is None:
        return np.zeros(len(candidates.queries), dtype=np.bool_)
    own: Bool = labels.q_files[candidates.queries] == labels.g_files[candidates.items]
    return own

"""Rankings of the hardest queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_report.evidence.labels import as_texts, rows_of
from reid_plugins_report.evidence.pairs import Block
from reid_plugins_report.evidence.parts import Floats, Ints, Rankings
from reidcore.data import SampleTable
from reidcore.evaluation import Related


def hardest(ap: Floats, pids: Ints, count: int) -> Ints:
    """Return the queries of the least average precision, the hardest first, one of an identity.

    Args:
        ap: (Q,) NaN for queries that were skipped, which are not among them.
        pids: (Q,) identities.
        count: how many at most.
    """
    order = np.argsort(ap, kind="stable")
    order = order[~np.isnan(ap[order])]
    _, firsts = np.unique(pids[order], return_index=True)
    chosen: Ints = order[np.sort(firsts)][:count]
    return chosen


@dataclass(eq=False)
class Ranking:
    """The nearest gallery items of one query.

    Attributes:
        items: (k,) nearest first, without those that are ignored.
        distance: (k,).
        matched: (k,) whether each is a match.
        nearest_match: the place in the gallery of its nearest match; None if it has none.
        first_rank: the rank of that match in the whole gallery; 0 if it has none.
        num_matches: in the whole gallery.
    """

    items: Ints
    distance: Block
    matched: npt.NDArray[np.bool_]
    nearest_match: int | None
    first_rank: int
    num_matches: int


@dataclass(eq=False)
class RankingsOf:
    """Ranks the gallery for some queries.

    Args:
        wanted: the queries.
        topk: how many gallery items are kept of each ranking.
        ties: at equal distances a match comes last if ``"pessimistic"``, first if ``"optimistic"``.
    """

    wanted: Ints
    topk: int
    ties: str = "pessimistic"
    found: dict[int, Ranking] = field(default_factory=dict)

    def add(self, start: int, block: Block, related: Related) -> None:
        """Rank those of the wanted queries that a block has."""
        for query in self.wanted[(self.wanted >= start) & (self.wanted < start + len(block))]:
            part = slice(related.first[query - start], related.first[query - start + 1])
            items, match = related.items[part], related.match[part]
            self.found[int(query)] = self._ranking(block[query - start], items, match)

    @property
    def _is_optimistic(self) -> bool:
        return self.ties == "optimistic"

    def _ranking(self, row: Block, related: Ints, match: npt.NDArray[np.bool_]) -> Ranking:
        matches = related[match]
        kept = np.ones(len(row), dtype=bool)
        kept[related[~match]] = False
        nearest = int(matches[row[matches].argmin()]) if len(matches) else None
        first_rank = 0
        if nearest is not None:
            ahead = kept & (row < row[nearest] if self._is_optimistic else row <= row[nearest])
            ahead[matches] = False
            first_rank = 1 + int(ahead.sum())
        candidates = np.flatnonzero(kept)
        if self.topk < len(candidates):
            limit = np.partition(row[candidates], self.topk - 1)[self.topk - 1]
            candidates = candidates[row[candidates] <= limit]
        is_match = np.isin(candidates, matches)
        is_behind = is_match ^ self._is_optimistic
        order = np.lexsort((candidates, is_behind, row[candidates]))[: self.topk]
        chosen = candidates[order]
        return Ranking(chosen, row[chosen], is_match[order], nearest, first_rank, len(matches))

    def done(self, query: SampleTable, gallery: SampleTable, ap: Floats) -> Rankings:
        """Return the rankings, in the order of the wanted queries.

        Args:
            query: the Q queries.
            gallery: the gallery.
            ap: (Q,) average precision, as the protocol has it.
        """
        found = [self.found[int(row)] for row in self.wanted]
        shape = (len(found), self.topk)
        texts: npt.NDArray[Any] = np.full((3, *shape), "", dtype=object)
        distance, matched = np.full(shape, np.nan), np.zeros(shape, dtype=bool)
        for place, ranking in enumerate(found):
            part = slice(0, len(ranking.items))
            texts[:, place, part] = rows_of(gallery, ranking.items)
            distance[place, part], matched[place, part] = ranking.distance, ranking.matched
        path, pid, camid = (each.astype(np.str_) for each in texts)
        return Rankings(
            ap[self.wanted],
            np.array([ranking.first_rank for ranking in found], dtype=np.int64),
            np.array([ranking.num_matches for ranking in found], dtype=np.int64),
            *rows_of(query, self.wanted),
            item_path=path,
            item_pid=pid,
            item_camid=camid,
            distance=distance,
            matched=matched,
            match_path=as_texts([_nearest_match(gallery, ranking) for ranking in found]),
        )


def _nearest_match(gallery: SampleTable, ranking: Ranking) -> str:
    if ranking.nearest_match is None:
        return ""
    return str(rows_of(gallery, np.array([ranking.nearest_match])).path[0])

"""The single-gallery-shot protocol of CUHK03, by drawing lots as its first evaluations did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.over_draws import check_draws, lots
from reidcore.evaluation import (
    Distances,
    Labels,
    Market1501,
    RankingResult,
    Related,
    check_shapes,
    without_own_files,
)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]


class Cuhk03Drawn(Market1501):
    """The CMC of galleries with one image, drawn at random, for each identity.

    CUHK03 (Li et al., "DeepReID: Deep Filter Pairing Neural Network for Person
    Re-Identification", CVPR 2014) averages over draws, and Torchreid over ten for each query.
    Here a draw gives each gallery image a lot, and the smallest of an identity wins: one gallery
    for all queries, but that what a query's own camera has of its person has no lot in it. The
    mean over draws tends to that of the protocol ``cuhk03``, which computes the expectation.

    mAP, mINP and the other figures of each query are over the whole gallery, as in Torchreid.

    Args:
        draws: how many galleries are drawn.
        seed: what they are made of; the same ones come of it on every machine.

    Raises:
        UserError: if there is no draw, or the seed is negative.
    """

    def __init__(self, draws: int = 10, seed: int = 0) -> None:
        check_draws(draws, seed)
        self.draws, self.seed = draws, seed

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base."""
        check_shapes(distances, labels)
        relations = without_own_files(self.relations(labels), labels)
        whole = self._ranked(distances, relations, max_rank, ties)
        galleries = _Galleries(labels.g_pids, self.draws, self.seed)
        ranks = np.concatenate(
            [
                galleries.ranks(
                    rows, relations.rows(start, start + len(rows)), ties == "optimistic"
                )
                for start, rows in distances.blocks()
            ]
        )  # (Q, draws)
        depths = np.arange(1, len(whole.cmc) + 1)
        found = (ranks[:, :, None] <= depths) & (ranks[:, :, None] > 0)  # (Q, draws, depth)
        shares = np.where(whole.valid[:, None], found.mean(1), np.nan)  # (Q, depth)
        of_draws = found[whole.valid, :, 0].mean(0)  # (draws,) rank 1
        return replace(
            whole,
            cmc=np.nanmean(shares, axis=0),
            figures={"rank1_std": float(of_draws.std(ddof=1)) if self.draws > 1 else np.nan},
            per_query={f"rank{depth}": shares[:, depth - 1] for depth in depths.tolist()},
            conditions={"draws": self.draws, "seed": self.seed},
        )

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"gallery": "one of each identity (CMC)"}


class _Galleries:
    """Random galleries of one image for each identity.

    Args:
        pids: (G,) identities of the images that are drawn from.
        draws: how many galleries there are.
        seed: what they are made of.
    """

    def __init__(self, pids: Int64, draws: int, seed: int) -> None:
        people, self._identity = np.unique(pids, return_inverse=True)
        self._lots = np.stack([lots(seed, draw, len(pids)) for draw in range(draws)])  # (draws, G)
        starts = np.searchsorted(np.sort(self._identity), np.arange(len(people)))
        orders = [np.lexsort((lot, self._identity)) for lot in self._lots]
        self._drawn = np.stack([order[starts] for order in orders])  # (draws, identities)

    def ranks(self, rows: npt.NDArray[np.floating[Any]], related: Related, strict: bool) -> Int64:
        """Return the ranks of the drawn matches of r queries, 0 for a query without a match.

        Args:
            rows: (r, G) distances.
            related: what matches and what is ignored.
            strict: whether a rival at a match's own distance stands behind it.

        Returns:
            (r, draws).
        """
        ranks = np.zeros((len(rows), len(self._lots)), dtype=np.int64)
        for query, row in enumerate(rows):
            span = slice(related.first[query], related.first[query + 1])
            items, match = related.items[span], related.match[span]
            if match.any():
                ranks[query] = 1 + self._ahead(row, items[match], strict).sum(1)
        return ranks

    def _ahead(
        self,
        row: npt.NDArray[np.floating[Any]],
        matches: Int64,
        strict: bool,
    ) -> npt.NDArray[np.bool_]:
        """Return (draws, identities): whose drawn image stands before the drawn match."""
        mine = matches[self._lots[:, matches].argmin(1)]  # (draws,)
        rivals, limits = row[self._drawn], row[mine][:, None]
        ahead: npt.NDArray[np.bool_] = rivals < limits if strict else rivals <= limits
        ahead[:, self._identity[mine[0]]] = False  # the query's own, ignored or not, is no rival
        return ahead

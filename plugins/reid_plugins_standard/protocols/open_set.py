"""Open-set identification: some probes show nobody that is in the gallery."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reid_plugins_standard.protocols.choices import check_count
from reid_plugins_standard.protocols.over_draws import (
    check_draws,
    draw_of_each,
    evaluate_part,
    mean_over_draws,
)
from reidcore.errors import DataError, UserError, quoted
from reidcore.evaluation import (
    Distances,
    Labels,
    Market1501,
    RankingResult,
    check_shapes,
    without_own_files,
)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_RATES = {"1%": 100, "10%": 10}  # of false alarms: one of so many


class OpenSet(Market1501):
    """Detection and identification rate at a false-alarm rate, identities being left out by lot.

    A part of the identities is taken out of the gallery, so that their queries are of nobody known.
    The false-alarm rate of a threshold is the share of these whose nearest item is within it. The
    detection and identification rate, DIR, is the share of the other queries whose nearest match
    is within it and at rank k or before: ``DIR@FAR=1%`` at rank 1, ``DIR10@FAR=1%`` at rank 10
    (Liao et al., "Open-set Person Re-identification", arXiv 1408.0872). The threshold is the
    largest at which the false-alarm rate is not above. A query without a match has no part if its
    identity is in the gallery; else it always shows nobody known.

    CMC, mAP and mINP are of the queries of known identities, among what is left of the gallery.

    Args:
        share: of the identities that have a query with a match; 0 leaves none out, for data whose
            own queries show somebody unknown.
        draws: how many times identities are left out by lot.
        seed: what the draws depend on.
        rank: the second rank of which DIR is told.

    Raises:
        UserError: if an option is out of its range.
    """

    def __init__(self, share: float = 0.1, draws: int = 10, seed: int = 0, rank: int = 10) -> None:
        if not 0 <= share < 1:
            raise UserError(f"share is {quoted(share)}", "Give a share from 0 to below 1.")
        check_draws(draws, seed)
        self.share, self.rank, self.seed = share, check_count("rank", rank), seed
        self.draws = draws if share else 1  # there is but one way to leave nobody out

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"left out": f"{100 * self.share:g} % of identities"}

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base.

        Raises:
            DataError: also if there is nobody unknown, or nobody known.
        """
        whole = super().evaluate(distances, labels, max_rank, ties)
        matched = whole.first_rank > 0
        left_out = [*self._left_out(np.unique(labels.q_pids[matched]))]
        strangers = [
            ~np.isin(labels.q_pids, labels.g_pids) | np.isin(labels.q_pids, gone)
            for gone in left_out
        ]
        galleries = [~np.isin(labels.g_pids, gone) for gone in left_out]
        _check_both(matched, strangers)
        nearest, best = self._nearest(distances, labels, strangers, galleries)
        results = []
        for unknown, gallery, false in zip(strangers, galleries, best, strict=True):
            known = np.flatnonzero(matched & ~unknown)
            part = evaluate_part(
                super().evaluate, distances, labels, max_rank, ties, known, np.flatnonzero(gallery)
            )
            side: Literal["left", "right"] = "left" if ties == "optimistic" else "right"
            alarms = np.searchsorted(np.sort(false), nearest, side)  # (Q,) if it is the threshold
            results.append(_with_rates(part, alarms, len(false), (1, self.rank)))
        return mean_over_draws(results, self.seed)

    def _left_out(self, identities: Int64) -> Iterator[Int64]:
        """Yield the identities that each draw takes out of the gallery."""
        count = max(1, round(self.share * len(identities))) if self.share else 0
        for draw in range(self.draws):
            chosen = draw_of_each(np.zeros(len(identities)), count, self.seed, draw)
            yield identities[chosen]

    def _nearest(
        self, distances: Distances, labels: Labels, strangers: list[Bool], galleries: list[Bool]
    ) -> tuple[Float64, list[Float64]]:
        """Find, in one pass, what thresholds are compared with.

        Returns:
            (Q,) distance of each query's nearest match, NaN without; and for each draw that of
            each stranger's nearest item in what is left of the gallery.
        """
        check_shapes(distances, labels)
        relations = without_own_files(self.relations(labels), labels)
        nearest = np.full(len(labels.q_pids), np.inf)
        best: list[list[Float64]] = [[] for _ in strangers]
        for start, block in distances.blocks():
            span = slice(start, start + len(block))
            related = relations.rows(span.start, span.stop)
            owner, items, match = related.owner, related.items, related.match
            np.minimum.at(nearest, start + owner[match], block[owner[match], items[match]])
            rows = block.astype(np.float64)
            rows[owner[~match], items[~match]] = np.inf
            for found, unknown, gallery in zip(best, strangers, galleries, strict=True):
                found.append(rows[unknown[span]][:, gallery].min(1, initial=np.inf))
        return nearest, [np.concatenate(found) for found in best]


def _check_both(matched: Bool, strangers: list[Bool]) -> None:
    if not all(unknown.any() for unknown in strangers):
        raise DataError(
            "every query shows somebody who is in the gallery",
            "Leave a share of the identities out of it: open_set.share=0.1.",
        )
    if not all((matched & ~unknown).any() for unknown in strangers):
        raise DataError(
            "no query with a match is left, as all identities are left out of the gallery",
            "Give a smaller open_set.share, or data of more identities.",
        )


def _with_rates(
    part: RankingResult, alarms: Int64, num_strangers: int, ranks: tuple[int, ...]
) -> RankingResult:
    """Add DIR at each rate of false alarms and each rank.

    Args:
        part: of the known queries.
        alarms: (Q,) how many strangers are accepted where the query's nearest match just is.
        num_strangers: how many there are.
        ranks: of DIR.
    """
    each = {}
    for rank in ranks:
        identified = part.valid & (part.first_rank <= rank)
        for rate, per in _RATES.items():
            detected = identified & (alarms * per <= num_strangers)
            name = f"DIR@FAR={rate}" if rank == 1 else f"DIR{rank}@FAR={rate}"
            each[name] = np.where(part.valid, detected, np.nan)
    figures = {name: float(np.nanmean(values)) for name, values in each.items()}
    return replace(part, figures=figures, per_query=each)

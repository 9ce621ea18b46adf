"""University-1652: buildings seen from drones, satellites and the street."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from reid_plugins_standard.protocols.hidden import HiddenIgnored
from reid_plugins_standard.protocols.over_draws import evaluate_part
from reidcore.evaluation import AnyCamera, Distances, Labels, RankingResult, Relations

_JUNK = -1


class University1652(AnyCamera):
    """Nothing of a view is ignored, a query without a match counts as zero, AP is the trapezoid.

    The protocol of University-1652 (Zheng et al., "University-1652: A Multi-view Multi-source
    Benchmark for Drone-based Geo-localization", ACM MM 2020), as its authors' ``evaluate_gpu.py``
    computes it. Gallery items of pid -1 are ignored. The figure ``rank1%`` is their Recall@top1,
    the CMC at rank round(G / 100) + 1, such as 11 of 951; ignored items count in G. Which view is
    searched for among which is the dataset's affair.
    """

    ap = "trapezoid"
    unmatched = "zero"

    def relations(self, labels: Labels) -> Relations:
        """Return the gallery items of each query's building, and those of none."""
        same, junk = super().relations(labels), labels.g_pids == _JUNK
        if not junk.any():
            return same
        return HiddenIgnored(
            same, lambda start, stop: np.broadcast_to(junk, (stop - start, len(junk)))
        )

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"junk": f"pid {_JUNK}"}

    def evaluate(
        self,
        distances: Distances,
        labels: Labels,
        max_rank: int = 50,
        ties: str = "pessimistic",
    ) -> RankingResult:
        """Evaluate Q queries against G gallery items; arguments and errors as in the base."""
        kept = np.flatnonzero(labels.g_pids != _JUNK)
        result = evaluate_part(super().evaluate, distances, labels, max_rank, ties, gallery=kept)
        rank = round(0.01 * labels.shape[1]) + 1  # theirs counts from 0
        found = (result.first_rank > 0) & (result.first_rank <= rank)
        shares = np.where(result.valid, found, np.nan)
        return replace(
            result,
            figures={"rank1%": float(np.nanmean(shares))},
            per_query={"rank1%": shares},
            conditions={"rank1%": f"rank {rank}"},
        )

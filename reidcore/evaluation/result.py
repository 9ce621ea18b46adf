"""What an evaluation found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UserError, quoted
from reidcore.evaluation.labels import Int64
from reidcore.evaluation.ranking import MatchRanks

Float64 = npt.NDArray[np.float64]
RANKS = (1, 5, 10, 20)


@dataclass(frozen=True, eq=False)
class RankingResult:
    """CMC, mAP and mINP with the figures of each query. All shares lie in [0, 1].

    Args:
        cmc: (min(max_rank, G),) share of valid queries with a match at rank 1, 2, ...
        mAP: mean of ``ap`` over the valid queries.
        mINP: mean of ``inp`` over the valid queries.
        ap: (Q,) average precision; NaN for a query that was skipped.
        inp: (Q,) inverse negative penalty: matches over the rank of the farthest one (Ye et al.,
            "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2022);
            NaN for a query that was skipped.
        first_rank: (Q,) rank of the nearest match; 0 for a query that was skipped.
        num_gallery: G.
        figures: whatever else a protocol measured, by name, in units of its own; NaN where it has
            nothing to say. `summary` has no such name.
        own_files: (P,) queries, ascending, one for each gallery item that was left out of its
            ranking for being the query's own file, where the protocol did not ignore it anyhow.
    """

    cmc: Float64
    mAP: float
    mINP: float
    ap: Float64
    inp: Float64
    first_rank: Int64
    num_gallery: int
    figures: Mapping[str, float] = field(default_factory=dict)
    own_files: Int64 = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(Q,) True for a query that has a match; the others are skipped."""
        return self.first_rank > 0

    @property
    def num_valid(self) -> int:
        """How many queries the means are over."""
        return int(self.valid.sum())

    @property
    def num_skipped(self) -> int:
        """How many queries have no match."""
        return len(self.first_rank) - self.num_valid

    def cmc_at(self, rank: int) -> float:
        """Return the CMC at a rank, counted from 1.

        Raises:
            UserError: if the curve was not computed that far.
        """
        if not 1 <= rank <= len(self.cmc) and not rank > self.num_gallery == len(self.cmc):
            raise UserError(f"the CMC goes from rank 1 to {len(self.cmc)}, {rank} is outside")
        return float(self.cmc[min(rank, len(self.cmc)) - 1])

    def summary(self, ranks: Sequence[int] = RANKS) -> dict[str, float]:
        """Return ``{"mAP": ..., "mINP": ..., "rank1": ...}``, as results.json keeps it.

        Ranks beyond the computed curve are left out.
        """
        reached = self.num_gallery == len(self.cmc)
        shown = [rank for rank in ranks if rank <= len(self.cmc) or reached]
        means = {"mAP": self.mAP, "mINP": self.mINP}
        return means | {f"rank{rank}": self.cmc_at(rank) for rank in shown}

    def further(self) -> dict[str, float]:
        """Return ``figures`` in plain numbers, without those that are NaN."""
        plain = {name: float(value) for name, value in self.figures.items()}
        return {name: value for name, value in plain.items() if not math.isnan(value)}

    def as_dict(self) -> dict[str, Any]:
        """Return everything in plain types, ready for JSON; NaN becomes None."""
        return {
            "mAP": self.mAP,
            "mINP": self.mINP,
            "cmc": self.cmc.tolist(),
            "num_valid": self.num_valid,
            "num_skipped": self.num_skipped,
            "num_gallery": self.num_gallery,
            "figures": self.further(),
            "own_files": self.own_files.tolist(),
            "ap": [None if np.isnan(value) else value for value in self.ap.tolist()],
            "inp": [None if np.isnan(value) else value for value in self.inp.tolist()],
            "first_rank": self.first_rank.tolist(),
        }


def reduce_ranks(ranks: MatchRanks, max_rank: int = 50) -> RankingResult:
    """Turn the ranks of the matches into CMC, AP and INP, in float64.

    Raises:
        UserError: if ``max_rank`` is not positive or no query has a match.
    """
    if max_rank < 1:
        raise UserError(f"max_rank must be at least 1, not {quoted(max_rank)}")
    sizes = np.diff(ranks.first)
    valid = sizes > 0
    if not valid.any():
        raise DataError(
            f"none of the {len(sizes)} queries has a match in the gallery",
            "A match needs the query's pid and, under most protocols, another camid.",
        )
    sizes, starts, ends = sizes[valid], ranks.first[:-1][valid], ranks.first[1:][valid]
    position = np.arange(len(ranks.ranks)) - np.repeat(starts, sizes) + 1

    ap, inp = np.full((2, len(valid)), np.nan)
    first_rank = np.zeros(len(valid), dtype=np.int64)
    ap[valid] = np.add.reduceat(position / ranks.ranks, starts) / sizes
    inp[valid] = sizes / ranks.ranks[ends - 1]
    first_rank[valid] = ranks.ranks[starts]
    depth = min(max_rank, ranks.num_gallery)
    hits = np.bincount(np.minimum(first_rank[valid], depth + 1), minlength=depth + 2)
    return RankingResult(
        cmc=np.cumsum(hits[1 : depth + 1]) / len(sizes),
        mAP=float(ap[valid].mean()),
        mINP=float(inp[valid].mean()),
        ap=ap,
        inp=inp,
        first_rank=first_rank,
        num_gallery=ranks.num_gallery,
    )

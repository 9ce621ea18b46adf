"""What an evaluation found."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, UserError, quoted
from reidcore.evaluation.labels import Int64
from reidcore.evaluation.ranking import MatchRanks, check_known

Float64 = npt.NDArray[np.float64]
RANKS = (1, 5, 10, 20)
AP_KINDS = ("plain", "trapezoid")
UNMATCHED = ("skipped", "zero")
_RANK = re.compile(r"rank[1-9]\d*")
_SAME = 1e-9  # a mean of shares is told from another one by more than this


@dataclass(frozen=True, eq=False)
class RankingResult:
    """CMC, mAP and mINP with the figures of each query. All shares lie in [0, 1].

    Args:
        cmc: (min(max_rank, G),) share of valid queries with a match within rank 1, 2, ...
        mAP: mean of ``ap`` over the valid queries.
        mINP: mean of ``inp`` over the valid queries.
        ap: (Q,) average precision; NaN for a query that was skipped, 0 for one that has no match
            and counts.
        inp: (Q,) inverse negative penalty: matches over the rank of the farthest one (Ye et al.,
            "Deep Learning for Person Re-identification: A Survey and Outlook", TPAMI 2022);
            NaN and 0 as in ``ap``.
        first_rank: (Q,) rank of the nearest match; 0 for a query that has none.
        num_gallery: G.
        figures: whatever else a protocol measured, by name, in units of its own; NaN where it has
            nothing to say. `summary` has no such name.
        own_files: (P,) queries, ascending, one for each gallery item that was left out of its
            ranking for being the query's own file, where the protocol did not ignore it anyhow.
        per_query: what each query adds to further figures, (Q,), NaN where it has no part; the mean
            is the figure of that name, of ``figures`` or, over draws, where the CMC is no mean of
            ``first_rank <= k`` and mAP none of ``ap``, of ``rank{k}``, ``mAP`` and ``mINP``.
        conditions: what the figures are, in plain values: ``ap``, ``ties``, ``junk``, ``draws``...
        intervals: figure -> its 95 % interval, low and high; see `reidcore.evaluation.bootstrap`.
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
    per_query: Mapping[str, Float64] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def valid(self) -> npt.NDArray[np.bool_]:
        """(Q,) True for a query that the means are over; the others are skipped."""
        return ~np.isnan(self.ap)

    @property
    def num_valid(self) -> int:
        """How many queries the means are over."""
        return int(self.valid.sum())

    @property
    def num_skipped(self) -> int:
        """How many queries were left out of the means, having no match."""
        return len(self.first_rank) - self.num_valid

    @property
    def num_unmatched(self) -> int:
        """How many queries have no match, whether they are skipped or count as zero."""
        return int((self.first_rank == 0).sum())

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

    def contributions(self, ranks: Sequence[int] = RANKS) -> dict[str, Float64]:
        """Return what each query adds to the figures: name -> (Q,), whose mean without NaN it is.

        A rank of which no query's share is known, since the CMC is a mean over draws, is left out.
        """
        found = {"mAP": self.ap, "mINP": self.inp}
        for name, figure in self.summary(ranks).items():
            if name in self.per_query:
                found[name] = self.per_query[name]
            elif name not in found:
                hits = (self.first_rank > 0) & (self.first_rank <= int(name.removeprefix("rank")))
                if abs(hits[self.valid].mean() - figure) < _SAME:
                    found[name] = np.where(self.valid, hits, np.nan)
        own = {name: each for name, each in self.per_query.items() if not _RANK.fullmatch(name)}
        return found | own

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
            "conditions": dict(self.conditions),
            "intervals": {name: list(ends) for name, ends in self.intervals.items()},
            "own_files": self.own_files.tolist(),
            "ap": _without_nan(self.ap),
            "inp": _without_nan(self.inp),
            "first_rank": self.first_rank.tolist(),
            "per_query": {name: _without_nan(each) for name, each in self.per_query.items()},
        }


class NoMatchError(DataError):
    """No query has a match in the gallery, so that there is nothing to measure."""


def reduce_ranks(
    ranks: MatchRanks, max_rank: int = 50, ap: str = "plain", unmatched: str = "skipped"
) -> RankingResult:
    """Turn the ranks of the matches into CMC, AP and INP, in float64.

    Of matches at the ranks r_1, ..., r_n the plain AP is the mean of i / r_i, as in Torchreid and
    nearly all later code. The trapezoid one is the area under the precision-recall curve with
    its points joined by lines, as the authors of Market1501 and VeRi compute it: the mean of
    (i / r_i + (i - 1) / (r_i - 1)) / 2, where the second term is 1 for r_i = 1.

    Args:
        ranks: where the matches of Q queries stand.
        max_rank: how far the CMC goes.
        ap: ``"plain"`` or ``"trapezoid"``.
        unmatched: what becomes of a query without a match: ``"skipped"``, or ``"zero"``, as which
            it counts in all means.

    Raises:
        UserError: if ``max_rank`` is not positive or another argument unknown, or no query has a
            match.
    """
    if max_rank < 1:
        raise UserError(f"max_rank must be at least 1, not {quoted(max_rank)}")
    check_known("ap", ap, AP_KINDS)
    check_known("unmatched", unmatched, UNMATCHED)
    sizes = np.diff(ranks.first)
    matched = sizes > 0
    if not matched.any():
        raise NoMatchError(
            f"none of the {len(sizes)} queries has a match in the gallery",
            "A match needs the query's pid and, under most protocols, another camid.",
        )
    sizes, starts, ends = sizes[matched], ranks.first[:-1][matched], ranks.first[1:][matched]
    position = np.arange(len(ranks.ranks)) - np.repeat(starts, sizes) + 1

    aps, inp = np.full((2, len(matched)), 0.0 if unmatched == "zero" else np.nan)
    first_rank = np.zeros(len(matched), dtype=np.int64)
    aps[matched] = np.add.reduceat(_precisions(position, ranks.ranks, ap), starts) / sizes
    inp[matched] = sizes / ranks.ranks[ends - 1]
    first_rank[matched] = ranks.ranks[starts]
    depth = min(max_rank, ranks.num_gallery)
    hits = np.bincount(np.minimum(first_rank[matched], depth + 1), minlength=depth + 2)
    valid = ~np.isnan(aps)
    return RankingResult(
        cmc=np.cumsum(hits[1 : depth + 1]) / valid.sum(),
        mAP=float(aps[valid].mean()),
        mINP=float(inp[valid].mean()),
        ap=aps,
        inp=inp,
        first_rank=first_rank,
        num_gallery=ranks.num_gallery,
    )


def _precisions(position: Int64, ranks: Int64, ap: str) -> Float64:
    """Return (N,) the precision at each match, or its mean with that just before the match.

    Args:
        position: (N,) how many matches of the query there are up to this one.
        ranks: (N,) where it stands.
        ap: ``"plain"`` or ``"trapezoid"``.
    """
    at: Float64 = position / ranks
    if ap == "plain":
        return at
    before = np.where(ranks == 1, 1, (position - 1) / np.maximum(ranks - 1, 1))
    return (at + before) / 2


def _without_nan(values: Float64) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]

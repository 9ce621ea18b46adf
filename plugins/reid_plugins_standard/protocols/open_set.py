"""Open-set identification: some probes show nobody that is in the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
    Relations,
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
    largest at which the false-alarm rate is not above; an interval holds it fixed. A query without
    a match has no part if its identity is in the gallery; else it always shows nobody known.

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
        matched = super().evaluate(distances, labels, max_rank, ties).first_rank > 0
        draws = self._drawn(labels, matched)
        relations = without_own_files(self.relations(labels), labels)
        nearest, best = _nearest(distances, relations, draws)
        side: Literal["left", "right"] = "left" if ties == "optimistic" else "right"
        results = []
        for drawn, false in zip(draws, best, strict=True):
            part = evaluate_part(
                super().evaluate, distances, labels, max_rank, ties, drawn.known, drawn.gallery
            )
            alarms = np.searchsorted(np.sort(false), nearest, side)
            results.append(_with_rates(part, alarms, len(false), (1, self.rank)))
        return mean_over_draws(results, self.seed)

    def _drawn(self, labels: Labels, matched: Bool) -> list[_Draw]:
        """Leave identities out by lot.

        Raises:
            DataError: if there is nobody unknown, or nobody known.
        """
        identities = np.unique(labels.q_pids[matched])
        count = max(1, round(self.share * len(identities))) if self.share else 0
        draws = []
        for draw in range(self.draws):
            gone = identities[draw_of_each(np.zeros(len(identities)), count, self.seed, draw)]
            gallery = np.flatnonzero(~np.isin(labels.g_pids, gone))
            strangers = ~np.isin(labels.q_pids, labels.g_pids) | np.isin(labels.q_pids, gone)
            draws.append(_Draw(np.flatnonzero(matched & ~strangers), strangers, gallery))
        if not all(drawn.strangers.any() for drawn in draws):
            raise DataError(
                "every query shows somebody who is in the gallery",
                "Leave a share of the identities out of it: open_set.share=0.1.",
            )
        if not all(len(drawn.known) for drawn in draws):
            raise DataError(
                "no query with a match is left, as all identities are left out of the gallery",
                "Give a smaller open_set.share, or data of more identities.",
            )
        return draws


@dataclass(frozen=True, eq=False)
class _Draw:
    """Who is known after identities have been left out of the gallery.

    Args:
        known: which queries have a match in what is left of the gallery.
        strangers: (Q,) True for a query of an identity that it lacks.
        gallery: which items are left of it.
    """

    known: Int64
    strangers: Bool
    gallery: Int64


def _nearest(
    distances: Distances, relations: Relations, draws: Sequence[_Draw]
) -> tuple[Float64, list[Float64]]:
    """Find, in one pass, what thresholds are compared with.

    Returns:
        (Q,) distance of each query's nearest match, infinite without one; and for each draw that of
        each stranger's nearest item in what is left of the gallery.
    """
    nearest = np.full(distances.shape[0], np.inf)
    best: list[list[Float64]] = [[] for _ in draws]
    for start, block in distances.blocks():
        stop = start + len(block)
        related = relations.rows(start, stop)
        owner, items, match = related.owner, related.items, related.match
        np.minimum.at(nearest, start + owner[match], block[owner[match], items[match]])
        for found, drawn in zip(best, draws, strict=True):
            # Nothing that a stranger might ignore is left of the gallery.
            among = block[drawn.strangers[start:stop]][:, drawn.gallery]
            found.append(among.min(1, initial=np.inf))
    return nearest, [np.concatenate(found) for found in best]


def _with_rates(
    part: RankingResult, alarms: Int64, num_strangers: int, ranks: tuple[int, ...]
) -> RankingResult:
    """Add DIR at each rate of false alarms and each rank.

    Args:
        part: of the known queries.
        alarms: (Q,) how many strangers are accepted where the query's nearest match just is; their
            share is the false-alarm rate of the tightest threshold that accepts it.
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

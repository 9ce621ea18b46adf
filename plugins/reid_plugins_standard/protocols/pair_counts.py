"""How far apart pairs of one identity are, and how many pairs of two identities are as near.

That is all that a ROC curve needs: the share of accepted pairs of one identity changes at their
own distances alone. So those of two identities, nearly all of the Q x G, are counted, never kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from reidcore.errors import UserError, quoted
from reidcore.evaluation import (
    Distances,
    EvaluationProtocol,
    Labels,
    Market1501,
    Relations,
    check_shapes,
    without_own_files,
)

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Keys = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class PairCounts:
    """The pairs of one identity, nearest first, and how many of two are within their distances.

    A pair is accepted as being of one identity if its distance is at most a threshold. Rates are in
    shares: that of false matches (FMR, or FPR) is of the pairs of two identities, that of true
    ones (TPR, which is 1 - FNMR) of the pairs of one.

    Args:
        same: (P,) distances of the pairs of one identity, ascending.
        owner: (P,) the query of each.
        within: (P,) how many pairs of two identities are accepted where it is the threshold.
        different: how many pairs of two identities there are.
        num_queries: Q.
    """

    same: Keys
    owner: Int64
    within: Int64
    different: int
    num_queries: int

    def accepted(self, per: int) -> Int64:
        """Return which pairs of one identity are accepted if one of ``per`` others may be.

        The threshold is the largest at which the rate of false matches is no more than 1 / per.

        Returns:
            (N,) places in ``same``, which are the first N.
        """
        return np.arange(np.searchsorted(self.within * per, self.different, side="right"))

    def eer(self) -> float:
        """Return the least rate that neither false matches nor false non-matches exceed.

        As the rates move in steps they may never be equal; the larger is taken where that is least.
        """
        missed = 1 - np.arange(1, len(self.same) + 1) / len(self.same)
        return float(np.maximum(self.within / self.different, missed).min(initial=1.0))

    def auc(self) -> float:
        """Return the chance that a pair of one identity is nearer than one of two.

        Of two that are as near it is lost under pessimistic ties, and won under optimistic ones.
        """
        return float(1 - self.within.mean() / self.different)

    def curve(self, points: int = 200) -> tuple[Float64, Float64]:
        """Return the ROC curve: (N,) false match rates, ascending, and (N,) true match rates.

        Args:
            points: how many rates, spread evenly over their logarithm; those at which nothing
                changes are left out.
        """
        if points < 2:
            raise UserError(f"a curve of {quoted(points)} points", "Ask for 2 or more.")
        rates = np.append(np.geomspace(1 / self.different, 1, points), 0)
        most = np.unique(np.round(rates * self.different).astype(np.int64))
        found = np.searchsorted(self.within, most, side="right")
        return most / self.different, found / len(self.same)

    def of_queries(self, gains: Float64) -> Float64:
        """Return what each query adds to a mean over the pairs of one identity.

        A query has as much weight as it has pairs, which a mean over queries does not see. So each
        is told by the mean and by how far its own pairs move that: the mean over queries is that
        over pairs, and so is its spread over identities, to first order.

        Args:
            gains: (P,) what is averaged.

        Returns:
            (Q,) NaN for a query without a pair of one identity.
        """
        mean = gains.mean()
        pairs = np.bincount(self.owner, minlength=self.num_queries)
        excess = np.bincount(self.owner, gains - mean, minlength=self.num_queries)
        each: Float64 = mean + excess * (pairs > 0).sum() / len(gains)
        return np.where(pairs > 0, each, np.nan)


def count_pairs(
    distances: Distances,
    labels: Labels,
    protocol: EvaluationProtocol | None = None,
    ties: str = "pessimistic",
) -> PairCounts:
    """Count pairs in two passes over the distances, exactly and in the memory of a block.

    Args:
        distances: of Q queries to G gallery items, without NaN.
        labels: of the same queries and gallery items.
        protocol: whose matches are pairs of one identity and whose ignored items are no pairs;
            Market1501's by default.
        ties: ``"pessimistic"``: a pair of two identities at the threshold is accepted too;
            ``"optimistic"``: it is not.

    Raises:
        DataError: if shapes differ.
    """
    check_shapes(distances, labels)
    protocol = protocol or Market1501()
    relations = without_own_files(protocol.relations(labels), labels)
    side: Literal["left", "right"] = "left" if ties == "optimistic" else "right"
    same, owner, ignored = _listed(distances, relations)
    within = np.zeros(len(same), dtype=np.int64)
    for _, block in distances.blocks():
        near = block[block <= same.max(initial=-np.inf)]
        near.sort()
        within += np.searchsorted(near, same, side)
    # All pairs have been counted; those of one identity and the ignored ones are taken off.
    within -= np.searchsorted(same, same, side) + np.searchsorted(ignored, same, side)
    queries, gallery = distances.shape
    different = queries * gallery - len(same) - len(ignored)
    return PairCounts(same, owner, within, different, queries)


def _listed(distances: Distances, relations: Relations) -> tuple[Keys, Int64, Keys]:
    """Return the distances of matches, ascending, their queries, and those of ignored pairs."""
    same, owner, ignored = [], [], []
    for start, block in distances.blocks():
        related = relations.rows(start, start + len(block))
        found = block[related.owner, related.items]
        same.append(found[related.match])
        owner.append(start + related.owner[related.match])
        ignored.append(found[~related.match])
    matches = np.concatenate(same)
    order = np.argsort(matches, kind="stable")
    return matches[order], np.concatenate(owner)[order], np.sort(np.concatenate(ignored))

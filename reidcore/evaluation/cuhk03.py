"""The single-gallery-shot protocol of CUHK03, in expectation instead of by drawing lots."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from reidcore.evaluation.distances import Distances, Rows
from reidcore.evaluation.labels import Int64, Labels
from reidcore.evaluation.matches import Related, without_own_files
from reidcore.evaluation.protocols import Market1501, check_shapes
from reidcore.evaluation.result import Float64, RankingResult


class Cuhk03(Market1501):
    """The CMC of a gallery with one image, drawn at random, for each identity.

    CUHK03 (Li et al., "DeepReID: Deep Filter Pairing Neural Network for Person
    Re-Identification", CVPR 2014) averages over random draws. The average that the draws
    approach is computed here: given the drawn match, every other identity stands before it with
    a probability of its own, so the rank is one plus a Poisson-binomial variable.

    mAP, mINP and the figures of each query are over the whole gallery, as in Torchreid.
    """

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
        result = self._ranked(distances, relations, max_rank, ties)
        identities = _Identities(labels.g_pids)
        depth, matched = len(result.cmc), result.first_rank > 0
        curves = np.repeat(np.where(result.valid, 0, np.nan)[:, None], depth, axis=1)
        for start, rows in distances.blocks():
            span = slice(start, start + len(rows))
            related = relations.rows(span.start, span.stop)
            found = identities.curves(rows, related, depth, ties == "optimistic")
            curves[span][matched[span]] = found
        return replace(
            result,
            cmc=np.nanmean(curves, axis=0),
            per_query={f"rank{k}": curve for k, curve in enumerate(curves.T, start=1)},
        )

    def conditions(self) -> dict[str, Any]:
        """Return what the figures are."""
        return super().conditions() | {"gallery": "one of each identity, in expectation (CMC)"}


class _Identities:
    """The gallery, grouped by identity."""

    def __init__(self, pids: Int64) -> None:
        self._order = np.argsort(pids, kind="stable")
        starts = np.flatnonzero(np.diff(pids[self._order], prepend=pids.min() - 1))
        self._starts = starts
        self._sizes = np.diff(np.append(starts, len(pids)))
        self._identity, self._place = np.empty((2, len(pids)), dtype=np.int64)
        self._identity[self._order] = np.repeat(np.arange(len(starts)), self._sizes)
        self._place[self._order] = np.arange(len(pids))

    def curves(self, rows: Rows, related: Related, depth: int, strict: bool) -> Float64:
        """Return (valid queries, depth): the chance of a match by rank 1, 2, ..."""
        curves = [np.zeros((0, depth))]
        for query, row in enumerate(rows):
            span = slice(related.first[query], related.first[query + 1])
            items, match = related.items[span], related.match[span]
            matches = items[match]
            if len(matches):
                ahead = self._chances_ahead(row, row[matches], items[~match], strict)
                ahead[:, self._identity[matches[0]]] = 0  # the query's own is not a rival
                curves.append(_at_most(ahead, depth).mean(0, keepdims=True))
        return np.concatenate(curves)

    def _chances_ahead(
        self,
        row: npt.NDArray[np.floating],
        limits: npt.NDArray[np.floating],
        ignored: Int64,
        strict: bool,
    ) -> Float64:
        """Return (limits, identities): the share of each identity's images within each limit."""
        ordered = row[self._order]
        within = ordered < limits[:, None] if strict else ordered <= limits[:, None]
        within[:, self._place[ignored]] = False
        drawn_from = self._sizes - np.bincount(self._identity[ignored], minlength=len(self._sizes))
        shares: Float64 = np.add.reduceat(within, self._starts, axis=1, dtype=float)
        shares /= np.maximum(drawn_from, 1)
        return shares


def _at_most(chances: Float64, depth: int) -> Float64:
    """Return (n, depth): the probability that fewer than 1, 2, ... of the rivals stand ahead.

    Args:
        chances: (n, identities) independent probabilities.
        depth: how many counts to tell.
    """
    exactly = np.zeros((len(chances), depth))
    exactly[:, 0] = 1
    for chance in chances.T[:, :, None]:
        if chance.any():
            behind = exactly * (1 - chance)
            behind[:, 1:] += exactly[:, :-1] * chance
            exactly = behind
    return np.cumsum(exactly, axis=1)

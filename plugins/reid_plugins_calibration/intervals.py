"""Intervals for error rates whose pairs are not independent.

All pairs of an identity share it, so that a look-alike raises many false matches at once. The
variance of a rate is therefore that of sums over identities: over each alone for matches, and for
non-matches over both of their identities, which is the variance of dyadic data (Fafchamps and
Gubert, "The formation of risk sharing networks", 2007; Aronow, Samii and Assenova, "Cluster-Robust
Variance Estimation for Dyadic Data", Political Analysis 23(4), 2015). The interval is that of a
proportion with as many independent trials as have this variance (Korn and Graubard, "Confidence
intervals for proportions with small expected number of positive counts estimated from survey
data", Survey Methodology 24, 1998). A threshold's interval is that of its rate, read off the curve
of rates (Woodruff, "Confidence intervals for medians and other position measures", Journal of the
American Statistical Association 47, 1952).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.images import Items
from reid_plugins_calibration.pairs import bands, blocks_of, identity_starts
from reid_plugins_calibration.similarity_counts import Advance, edge

LEVEL = 0.95

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Rate:
    """A share of pairs, with the ends of its interval."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class RateSums:
    """Sums over the identities, at K thresholds, for one kind of error.

    Attributes:
        hits: (K,) pairs that are in error.
        trials: pairs.
        variance: (K,) of the number of hits.
        clusters: what is independent of one another: identities, or pairs of them.
        identities: how many take part.
    """

    hits: Counts
    trials: int
    variance: Floats
    clusters: int
    identities: int

    def rate(self, number: int) -> Rate:
        """Return the error rate at one of the thresholds."""
        return share_interval(
            int(self.hits[number]),
            self.trials,
            float(self.variance[number]),
            self.clusters,
            self.identities,
        )


@dataclass(frozen=True, eq=False)
class ErrorSums:
    """The false matches and the false non-matches at K thresholds."""

    false_matches: RateSums
    false_nonmatches: RateSums


def share_interval(hits: int, trials: int, variance: float, clusters: int, identities: int) -> Rate:
    """Return a share with its interval.

    Args:
        hits: how many of the trials count.
        trials: how many there are.
        variance: of ``hits``, by identities.
        clusters: how many trials are taken for independent where no variance is seen: with no hit.
        identities: how many the variance was learnt from.
    """
    from scipy.stats import beta, t

    share, tail = hits / trials, (1 - LEVEL) / 2
    spread = share * (1 - share) * trials
    # As many independent trials as have this variance.
    effective = trials * min(spread / variance, 1) if spread and variance else float(clusters)
    wider = t.ppf(tail, max(effective - 1, 1)) / t.ppf(tail, max(identities - 1, 1))
    effective *= min(float(wider), 1.0) ** 2
    seen = share * effective
    low = beta.ppf(tail, seen, effective - seen + 1) if hits else 0.0
    high = beta.ppf(1 - tail, seen + 1, effective - seen) if hits < trials else 1.0
    return Rate(share, min(float(low), share), max(float(high), share))


def error_sums(
    items: Items, places: list[int], advance: Advance = lambda images: None
) -> ErrorSums:
    """Count the errors at the edges of some bins, and how they vary between identities.

    Args:
        items: the images.
        places: the bins; pairs of at least their lower edges are accepted.
        advance: called with the number of images whose pairs are done.
    """
    edges = np.array([edge(place) for place in places], np.float32)
    starts, parts = identity_starts(items), bands(items)
    sums = _Sums(len(starts) - 1, len(edges))
    for band in parts:
        first, last = np.searchsorted(starts, [band.start, band.stop])
        counted = np.zeros((1 + len(edges), last - first, len(starts) - 1), np.int32)
        for block in blocks_of(items, band, parts):
            begin, end = np.searchsorted(starts, [block.columns.start, block.columns.stop])
            rows = starts[first:last] - block.rows.start
            columns = starts[begin:end] - block.columns.start
            pairs = block.nonmatches
            counted[0, :, begin:end] += _by_identity(pairs, rows, columns)
            sums.add_matches(block.matches, block.similarity, edges, rows, first)
            for number, least in enumerate(edges):
                accepted = pairs & (block.similarity >= least)
                counted[1 + number, :, begin:end] += _by_identity(accepted, rows, columns)
        sums.add_nonmatches(counted, first)
        advance(band.stop - band.start)
    return sums.result()


class _Sums:
    """Sums over I identities at K thresholds, of what was counted block by block."""

    def __init__(self, identities: int, thresholds: int) -> None:
        self._pairs = np.zeros(identities)  # non-matches of each identity with all others
        self._accepted = np.zeros((thresholds, identities))  # those that are false matches
        self._squares = np.zeros((3, thresholds))  # over pairs of identities: pp, pa, aa
        self._dyads = 0
        self._matches = np.zeros(identities)
        self._rejected = np.zeros((thresholds, identities))

    def add_matches(
        self,
        matches: npt.NDArray[np.bool_],
        similarity: npt.NDArray[np.float32],
        edges: npt.NDArray[np.float32],
        rows: Counts,
        first: int,
    ) -> None:
        """Add the matches of a block, whose rows are of the identities from ``first`` on."""
        if not matches.any():
            return
        here = slice(first, first + len(rows))
        self._matches[here] += np.add.reduceat(matches.sum(axis=1), rows)
        for number, least in enumerate(edges):
            rejected = (matches & (similarity < least)).sum(axis=1)
            self._rejected[number, here] += np.add.reduceat(rejected, rows)

    def add_nonmatches(self, counted: npt.NDArray[np.int32], first: int) -> None:
        """Add the pairs of some identities with all those after them.

        Args:
            counted: (1 + K, R, I) how many pairs two identities have, and how many are accepted.
            first: the first of the R.
        """
        pairs, accepted = counted[0].astype(np.float64), counted[1:].astype(np.float64)
        here = slice(first, first + counted.shape[1])
        self._dyads += int((pairs > 0).sum())
        self._pairs += pairs.sum(axis=0)
        self._pairs[here] += pairs.sum(axis=1)
        self._accepted += accepted.sum(axis=1)
        self._accepted[:, here] += accepted.sum(axis=2)
        self._squares[0] += (pairs * pairs).sum()
        self._squares[1] += (accepted * pairs).sum(axis=(1, 2))
        self._squares[2] += (accepted * accepted).sum(axis=(1, 2))

    def result(self) -> ErrorSums:
        """Return the errors with their variances."""
        return ErrorSums(self._false_matches(), self._false_nonmatches())

    def _false_matches(self) -> RateSums:
        trials, hits = self._pairs.sum() / 2, self._accepted.sum(axis=1) / 2
        share = hits / max(trials, 1)
        # What each pair of identities has more than its share, squared and summed.
        within = self._squares[2] - 2 * share * self._squares[1] + share**2 * self._squares[0]
        excess = self._accepted - share[:, None] * self._pairs  # (K, I)
        # Each pair of identities is in the excess of both, and its own square was counted twice.
        variance = _unbiased((excess**2).sum(axis=1), self._pairs) - within
        return RateSums(
            hits.astype(np.int64),
            int(trials),
            np.maximum(variance, within),
            self._dyads,
            int((self._pairs > 0).sum()),
        )

    def _false_nonmatches(self) -> RateSums:
        trials, hits = self._matches.sum(), self._rejected.sum(axis=1)
        excess = self._rejected - (hits / max(trials, 1))[:, None] * self._matches
        taking_part = int((self._matches > 0).sum())
        return RateSums(
            hits.astype(np.int64),
            int(trials),
            _unbiased((excess**2).sum(axis=1), self._matches),
            taking_part,
            taking_part,
        )


def _unbiased(squares: Floats, pairs: Floats) -> Floats:
    """Return sums of squares over identities, of which one is used up by the mean."""
    taking_part = int((pairs > 0).sum())
    return squares * (taking_part / max(taking_part - 1, 1))


def _by_identity(
    pairs: npt.NDArray[np.bool_], rows: Counts, columns: Counts
) -> npt.NDArray[np.int32]:
    """Return how many pairs each two identities have, of a mask (R, C) of images."""
    across = np.add.reduceat(pairs, columns, axis=1, dtype=np.int32)  # (R, identities)
    both: npt.NDArray[np.int32] = np.add.reduceat(across, rows, axis=0)
    return both

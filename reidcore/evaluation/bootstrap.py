"""Intervals of figures, by drawing identities anew.

The queries of one identity are no independent trials, so whole identities are drawn, with
replacement, each with all its queries (Davison and Hinkley, "Bootstrap Methods and their
Application", 1997, section 3.8). The interval holds the middle share of the figures of such draws,
widened for few identities (the expanded percentile interval of Hesterberg, "What Teachers Should
Know About the Bootstrap", The American Statistician 69(4), 2015). Equal arguments give equal
intervals.
"""

from __future__ import annotations

import math
from collections.abc import Container, Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError
from reidcore.evaluation.labels import Int64

Float64 = npt.NDArray[np.float64]
_BLOCK = 1 << 16  # weights that are drawn together: as many as stay in a cache


@dataclass(frozen=True)
class PairedDifference:
    """By how much a second system is better than a first: the mean, and the interval's ends."""

    difference: float
    low: float
    high: float


def intervals(
    contributions: Mapping[str, Float64],
    groups: Int64,
    *,
    shares: Container[str] = (),
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Return an interval for the mean of each figure, from those of the queries.

    Args:
        contributions: figure -> (Q,) what each query adds; NaN where it has no part.
        groups: (Q,) the identity of each query.
        shares: the figures that lie in [0, 1], as their ends do then. Where all queries have 0, or
            all 1, so has each draw: that end is the exact one of Clopper and Pearson (Biometrika
            26(4), 1934), each identity a trial.
        resamples: how many draws.
        seed: of the draws.
        level: the share of them that the interval holds.

    Returns:
        Figure -> low and high end; those of fewer than two identities are not there.

    Raises:
        DataError: if a figure is not of Q queries.
    """
    people, owner = np.unique(groups, return_inverse=True)
    sums, sizes = (np.zeros((len(people), len(contributions))) for _ in range(2))
    for column, (name, values) in enumerate(contributions.items()):
        if len(values) != len(groups):
            raise DataError(f"{name} is of {len(values)} queries, the identities of {len(groups)}")
        known = ~np.isnan(values)
        sums[:, column] = np.bincount(owner[known], values[known], len(people))
        sizes[:, column] = np.bincount(owner[known], minlength=len(people))
    means = _drawn_means(sums, sizes, resamples, seed)
    found = {}
    for column, name in enumerate(contributions):
        taking_part = int((sizes[:, column] > 0).sum())
        if taking_part > 1:
            low, high = np.nanquantile(means[:, column], _ends(level, taking_part))
            if name in shares:
                exact = 1 - ((1 - level) / 2) ** (1 / taking_part)
                low = 1 - exact if np.nanmin(contributions[name]) == 1 else max(low, 0.0)
                high = exact if np.nanmax(contributions[name]) == 0 else min(high, 1.0)
            found[name] = float(low), float(high)
    return found


def paired_interval(
    a: Float64, b: Float64, groups: Int64, *, resamples: int = 1000, seed: int = 0
) -> PairedDifference:
    """Return by how much ``b`` is better than ``a``, over the queries that have a part in both.

    Args:
        a: (Q,) figures of the first system; NaN where a query has no part.
        b: (Q,) those of the second, of the same queries in the same order.
        groups: (Q,) the identity of each query.
        resamples: how many draws.
        seed: of the draws.

    Raises:
        DataError: if lengths differ, or the shared queries are of fewer than two identities.
    """
    if len(a) != len(b):
        raise DataError(f"figures of {len(a)} and of {len(b)} queries are no pairs")
    found = intervals({"gain": b - a}, groups, resamples=resamples, seed=seed)
    if not found:
        raise DataError("an interval needs two identities that both systems were tested on")
    return PairedDifference(float(np.nanmean(b - a)), *found["gain"])


def _drawn_means(sums: Float64, sizes: Float64, resamples: int, seed: int) -> Float64:
    """Return (resamples, F) means of draws of I identities; NaN where nobody drawn has a part.

    Args:
        sums: (I, F) of the figures over each identity's queries.
        sizes: (I, F) how many queries these are.
        resamples: how many draws.
        seed: of the draws.
    """
    rng, people = np.random.default_rng(seed), len(sums)
    means = np.full((resamples, sums.shape[1]), np.nan)
    rows = max(1, _BLOCK // people)
    for start in range(0, resamples, rows):
        block = means[start : start + rows]
        drawn = rng.integers(people, size=(len(block), people))
        drawn += people * np.arange(len(block))[:, None]
        # (rows, I): how often each identity was drawn
        weights = (
            np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)
        )
        total = weights @ sizes
        np.divide(weights @ sums, total, out=block, where=total > 0)
    return means


def _ends(level: float, people: int) -> tuple[float, float]:
    """Return the shares of draws below the interval's ends.

    The normal quantile becomes Student's, by the first terms of its expansion in the degrees of
    freedom, and makes up for a variance that is (I - 1) / I of what it should be.
    """
    z, freedom = NormalDist().inv_cdf((1 + level) / 2), people - 1
    student = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    high = NormalDist().cdf(student * math.sqrt(people / freedom))
    return 1 - high, high

"""Intervals of figures, by drawing identities anew.

The queries of one identity are no independent trials, so whole identities are drawn with
replacement, as Davison and Hinkley ("Bootstrap Methods and their Application", 1997, section 3.8)
advise for grouped data: as many as there are, each with all its queries. The interval holds the
middle share of the figures of such draws, widened for few identities (Hesterberg, "What Teachers
Should Know About the Bootstrap", The American Statistician 69(4), 2015: the expanded percentile
interval). Equal arguments give equal intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from reidcore.errors import DataError, counted
from reidcore.evaluation.labels import Int64

Float64 = npt.NDArray[np.float64]
_BLOCK = 1 << 16  # weights that are drawn together: as many as stay in a cache


@dataclass(frozen=True)
class PairedDifference:
    """By how much a second system is better than a first on the same queries.

    Args:
        difference: the mean of the second's figures less the first's.
        low: where its interval begins; above 0 the second is better beyond chance.
        high: where it ends; below 0 it is worse beyond chance.
    """

    difference: float
    low: float
    high: float


def intervals(
    contributions: Mapping[str, Float64],
    groups: Int64,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> dict[str, tuple[float, float]]:
    """Return an interval for the mean of each figure, from those of the queries.

    Args:
        contributions: figure -> (Q,) what each query adds; NaN where it has no part.
        groups: (Q,) the identity of each query.
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
            told = counted(len(values), "query", "queries")
            raise DataError(f"{name} is of {told}, the identities are of {len(groups)}")
        known = ~np.isnan(values)
        sums[:, column] = np.bincount(owner[known], values[known], len(people))
        sizes[:, column] = np.bincount(owner[known], minlength=len(people))
    means = _drawn_means(sums, sizes, resamples, seed)
    taking_part = (sizes > 0).sum(0)
    ends = {
        name: np.nanquantile(means[:, column], _ends(level, int(taking_part[column])))
        for column, name in enumerate(contributions)
        if taking_part[column] > 1
    }
    return {name: (float(low), float(high)) for name, (low, high) in ends.items()}


def paired_interval(
    a: Float64,
    b: Float64,
    groups: Int64,
    *,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> PairedDifference:
    """Return by how much ``b`` is better than ``a``, over the queries that have a part in both.

    Args:
        a: (Q,) figures of the first system; NaN where a query has no part.
        b: (Q,) those of the second, of the same queries in the same order.
        groups: (Q,) the identity of each query.
        resamples: as in `intervals`, like the others.
        seed: of the draws.
        level: the share of them that the interval holds.

    Raises:
        DataError: if lengths differ, or the shared queries are of fewer than two identities.
    """
    if len(a) != len(b):
        raise DataError(f"figures of {len(a)} and of {len(b)} queries are no pairs")
    gain = {"gain": b - a}
    found = intervals(gain, groups, resamples=resamples, seed=seed, level=level)
    if not found:
        raise DataError("an interval needs two identities that both systems were tested on")
    return PairedDifference(float(np.nanmean(gain["gain"])), *found["gain"])


def _drawn_means(sums: Float64, sizes: Float64, resamples: int, seed: int) -> Float64:
    """Return (resamples, F) means of draws of identities; NaN where nobody drawn has a part.

    Args:
        sums: (I, F) of the figures over each identity's queries.
        sizes: (I, F) how many queries these are.
        resamples: how many draws of I identities.
        seed: of the draws.
    """
    rng, people = np.random.default_rng(seed), len(sums)
    means = np.full((resamples, sums.shape[1]), np.nan)
    rows = max(1, _BLOCK // people)
    for start in range(0, resamples, rows):
        count = min(rows, resamples - start)
        drawn = rng.integers(people, size=(count, people)) + people * np.arange(count)[:, None]
        # (count, I): how often each identity was drawn
        weights = np.bincount(drawn.ravel(), minlength=count * people).reshape(count, people)
        weights = weights.astype(np.float64)
        total = weights @ sizes
        np.divide(weights @ sums, total, out=means[start : start + count], where=total > 0)
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

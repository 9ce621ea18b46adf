"""Joining tracks into identities: two methods, which time and place constrain alike.

Scores are similarities minus the threshold, (T, T): from 0 on a pair is rather the same. Of both
methods the result is a label for each track, in which no two forbidden tracks have one label and
each track but the first of a label follows an earlier one of it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from reid_plugins_link.boxes import Float64, Int64
from reid_plugins_link.constraints import Constraints
from reidcore.errors import UserError, did_you_mean, quoted

_MORE_THAN_ALL = 2.0  # times the largest sum of distances that can stay below the threshold


def group(
    method: str, scores: Float64, constraints: Constraints, sizes: Int64 | None = None
) -> Int64:
    """Return (T,) the label of each track.

    Args:
        method: a name of `METHODS`.
        scores: (T, T), symmetric.
        constraints: what time and place permit.
        sizes: (T,) of how many tracks each is made that a person joined; 1 of each by default.

    Raises:
        UserError: if there is no such method, or scipy is missing.
    """
    check_method(method)
    if not len(scores):
        return np.zeros(0, dtype=np.int64)
    labels = METHODS[method](scores, constraints, sizes)
    return _followed(labels, scores, constraints)


def check_method(method: str) -> None:
    """Refuse what is no method, and any where scipy is missing.

    Raises:
        UserError: naming the nearest, or the extra.
    """
    if method not in METHODS:
        raise UserError(
            f"no method is named {quoted(method)}",
            did_you_mean(method, METHODS) or f"They are: {', '.join(METHODS)}.",
        )
    import_scipy("scipy.optimize")


def by_average(scores: Float64, constraints: Constraints, sizes: Int64 | None = None) -> Int64:
    """Merge the two groups of the highest mean score, again and again, down to a mean of 0.

    That is average linkage (Sokal and Michener, 1958). Forbidden pairs have a distance so large
    that the mean of whatever has one of them is above the cut, and what has none is not touched by
    it: the mean is linear in the distances. So scipy's linkage keeps every constraint, exactly.
    What a person joined counts as all of its tracks, which lie at no distance and merge first.
    """
    if len(scores) < 2:
        return np.arange(len(scores))
    hierarchy = import_scipy("scipy.cluster.hierarchy")
    sizes = np.ones(len(scores), dtype=np.int64) if sizes is None else sizes
    places = np.repeat(np.arange(len(scores)), sizes)  # (N,) which of the T each track is in
    offset = max(float(scores.max(initial=0.0, where=~constraints.forbidden)), 0.0) + 1.0
    apart = offset - scores
    # Of n tracks, a group of a and one of b have a x b <= n^2 / 4 pairs.
    far = _MORE_THAN_ALL * (offset + 1.0) * len(places) ** 2
    apart[constraints.forbidden] = far
    np.fill_diagonal(apart, 0.0)
    apart = apart[np.ix_(places, places)]  # (T, T) -> (N, N)
    merges = hierarchy.linkage(apart[np.triu_indices(len(apart), k=1)], method="average")
    # A mean of exactly 0 is joined, whatever rounding does to it.
    cut = offset * (1 + 1e-9)
    labels: Int64 = hierarchy.fcluster(merges, cut, criterion="distance").astype(np.int64)
    return labels[np.cumsum(sizes) - 1]


def by_chains(scores: Float64, constraints: Constraints) -> Int64:
    """Give each track one successor or none, so that the sum of the scores is highest.

    The assignment problem of Kuhn's Hungarian method, solved by scipy. Where tracks that see
    somebody at the same time make a chain in which two are forbidden, it is cut at its weakest
    step in between.
    """
    assign = import_scipy("scipy.optimize").linear_sum_assignment
    gains = np.where(constraints.follows & (scores >= 0), scores + 1e-9, 0.0)
    before, after = assign(gains, maximize=True)
    steps = {a: b for a, b in zip(before.tolist(), after.tolist(), strict=True) if gains[a, b] > 0}
    labels = np.full(len(scores), -1)
    for first in sorted(set(range(len(scores))) - set(steps.values())):
        chain = [first]
        while chain[-1] in steps:
            chain.append(steps[chain[-1]])
        for part in _unforbidden(chain, scores, constraints):
            labels[part] = labels.max() + 1
    return labels


def _unforbidden(chain: list[int], scores: Float64, constraints: Constraints) -> list[list[int]]:
    """Cut a chain at its weakest steps until no part has a forbidden pair."""
    clashes = np.argwhere(np.triu(constraints.forbidden[np.ix_(chain, chain)]))
    if not len(clashes):
        return [chain]
    start, end = clashes[np.argmin(clashes[:, 1] - clashes[:, 0])]
    steps = [scores[chain[k], chain[k + 1]] for k in range(start, end)]
    cut = int(start) + int(np.argmin(steps)) + 1
    halves = (chain[:cut], chain[cut:])
    return [part for half in halves for part in _unforbidden(half, scores, constraints)]


def _followed(labels: Int64, scores: Float64, constraints: Constraints) -> Int64:
    """Split groups in which a track follows none of those before it; number groups from 0."""
    found = np.full(len(labels), -1)
    count = 0
    for place in range(len(labels)):
        before = np.flatnonzero(
            (labels[:place] == labels[place]) & constraints.follows[:place, place]
        )
        if len(before):
            found[place] = found[before[np.argmax(scores[before, place])]]
        else:
            found[place] = count
            count += 1
    return found


def import_scipy(module: str) -> Any:
    """Import a part of scipy.

    Raises:
        UserError: if it is missing; names the extra.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(
            "tracks are joined by scipy, which is not installed",
            'Run: pip install "reidcore[clustering]"',
        ) from error


METHODS: dict[str, Callable[[Float64, Constraints, Int64 | None], Int64]] = {
    "average": by_average,
    "chain": lambda scores, constraints, sizes: by_chains(scores, constraints),
}
"""How tracks may be joined, by name."""

"""How long the ways between cameras take, learnt from the tracks that are surely joined."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reid_plugins_link.boxes import Float64, Int64
from reid_plugins_link.constraints import Constraints
from reid_plugins_link.network import Pair
from reid_plugins_link.tracklets import Tracklets

_FEWEST = 5  # ways seen, from which their time is learnt
_WIDTH = 3.0  # standard deviations on either side of the median
_DEVIATIONS = 1.4826  # from a median of absolute deviations to a standard deviation
_LEAST_SPREAD = 0.5  # seconds


@dataclass(frozen=True)
class Learnt:
    """How long a way takes.

    Attributes:
        low: the shortest time, in seconds.
        high: the longest.
        median: of the times that were seen.
        count: how many were seen.
    """

    low: float
    high: float
    median: float
    count: int


def learn_transitions(
    tracklets: Tracklets, labels: Int64, scores: Float64, constraints: Constraints
) -> dict[Pair, Learnt]:
    """Learn the times between leaving one camera and coming into view of another.

    Looked at are tracks that follow one another in an identity, and of which each is the most
    similar to the other, of all of its camera that may be the same. Median and median absolute
    deviation let up to half of them be wrong.

    Args:
        tracklets: all tracks.
        labels: (T,) their identities.
        scores: (T, T).
        constraints: what time and place permit.

    Returns:
        (from, to) -> what was learnt, of ways that were seen often enough.
    """
    times: dict[Pair, list[float]] = defaultdict(list)
    best = _best_of_cameras(tracklets, scores, constraints)
    for a, b in _consecutive(labels):
        start, end = (int(tracklets.camera[place]) for place in (a, b))
        if start != end and best[a, end] == b and best[b, start] == a and scores[a, b] >= 0:
            pair = (tracklets.cameras[start], tracklets.cameras[end])
            times[pair].append(float(tracklets.start[b] - tracklets.end[a]))
    return {pair: _robust(np.array(t)) for pair, t in times.items() if len(t) >= _FEWEST}


def _best_of_cameras(tracklets: Tracklets, scores: Float64, constraints: Constraints) -> Int64:
    """Return (T, cameras) for each track the most similar of each camera that may be the same."""
    permitted = np.where(constraints.forbidden, -np.inf, scores)
    best = np.full((len(tracklets), len(tracklets.cameras)), -1)
    for camera in range(len(tracklets.cameras)):
        own = np.flatnonzero(tracklets.camera == camera)
        if len(own):
            best[:, camera] = own[np.argmax(permitted[:, own], axis=1)]
    return best


def _consecutive(labels: Int64) -> Iterator[tuple[int, int]]:
    """Yield tracks that follow one another in an identity; they are in the order of their times."""
    last: dict[int, int] = {}
    for place, label in enumerate(labels.tolist()):
        if label in last:
            yield last[label], place
        last[label] = place


def _robust(times: Float64) -> Learnt:
    median = float(np.median(times))
    spread = max(_DEVIATIONS * float(np.median(np.abs(times - median))), _LEAST_SPREAD)
    low, high = max(0.0, median - _WIDTH * spread), median + _WIDTH * spread
    return Learnt(round(low, 2), round(high, 2), round(median, 2), len(times))

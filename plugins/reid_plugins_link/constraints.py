"""Which tracks can be of one identity, by time and place alone.

One track can follow another if whoever was seen in the first can have walked to where the second
begins. Two tracks can be of one identity only if a chain of such steps leads from the earlier to
the later: somebody whom nobody saw in between cannot have been there. Matrices are (T, T), of
tracks in the order in which they begin; an entry (a, b) is of a before b.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from reid_plugins_link.boxes import Float64
from reid_plugins_link.network import Network
from reid_plugins_link.tracklets import Tracklets

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """What can follow what.

    Attributes:
        network: ways between cameras and common views.
        learnt: (from, to) -> seconds, as in the network, of ways that it does not tell.
        rejoin: seconds within which a track may follow one of its own camera; 0 for never.
        tolerance: seconds by which clocks and the ends of tracks may be wrong.
    """

    network: Network = field(default_factory=Network)
    learnt: Mapping[tuple[str, str], tuple[float, float]] = field(default_factory=dict)
    rejoin: float = math.inf
    tolerance: float = 1.0

    def with_learnt(self, learnt: Mapping[tuple[str, str], tuple[float, float]]) -> Rules:
        """Return the rules with ways that were learnt, besides those that the network tells."""
        known = self.network.seconds
        return replace(self, learnt={pair: s for pair, s in learnt.items() if pair not in known})


@dataclass(frozen=True, eq=False)
class Constraints:
    """What time and place permit.

    Attributes:
        follows: (T, T) whether the later track can follow the earlier with no other in between;
            False on and below the diagonal.
        forbidden: (T, T) whether two tracks cannot be of one identity; symmetric.
    """

    follows: Mask
    forbidden: Mask


def constrain(
    tracklets: Tracklets, rules: Rules, steps: Iterable[tuple[int, int]] = ()
) -> Constraints:
    """Return what the rules permit of all pairs of tracks.

    Args:
        tracklets: T tracks.
        rules: what can follow what.
        steps: pairs of tracks, the earlier first, of which one follows the other all the same.
    """
    follows = np.triu(_may_follow(tracklets, rules), k=1)
    for before, after in steps:
        follows[before, after] = True
    reached = reachable(follows)
    forbidden = ~(reached | reached.T)
    np.fill_diagonal(forbidden, False)
    return Constraints(follows, forbidden)


def _may_follow(tracklets: Tracklets, rules: Rules) -> Mask:
    """Return (T, T) whether b can follow a, by camera and by the seconds in between."""
    names, camera = tracklets.cameras, tracklets.camera
    waited: Float64 = tracklets.start[None, :] - tracklets.end[:, None]
    permitted = np.zeros(waited.shape, dtype=np.bool_)
    for a, start in enumerate(names):
        for b, end in enumerate(names):
            rows = np.ix_(camera == a, camera == b)
            low, high = _span(start, end, rules)
            permitted[rows] = (waited[rows] >= low) & (waited[rows] <= high)
    return permitted


def _span(start: str, end: str, rules: Rules) -> tuple[float, float]:
    """Return the shortest and longest time from one camera to another; impossible: (inf, -inf)."""
    network, slack = rules.network, rules.tolerance
    pair = (start, end)
    if start == end:
        # Of one camera: whoever is in two places of one view at a time is two.
        low, high = network.seconds.get(pair, (0.0, rules.rejoin))
        return (max(low - slack, 1e-9), high + slack) if high > 0 else (math.inf, -math.inf)
    if pair in network.unreachable and pair not in network.overlaps:
        return math.inf, -math.inf
    low, high = network.seconds.get(pair) or rules.learnt.get(pair) or (0.0, math.inf)
    return (-math.inf if pair in network.overlaps else low - slack), high + slack


def reachable(follows: Mask) -> Mask:
    """Return (T, T) whether a chain of steps leads from one track to a later one.

    Args:
        follows: (T, T) the steps, all above the diagonal.
    """
    packed = np.packbits(follows, axis=1)  # (T, T / 8): a row at a time is one operation
    for row in range(len(follows) - 1, -1, -1):
        steps = np.flatnonzero(follows[row])
        if len(steps):
            packed[row] |= np.bitwise_or.reduce(packed[steps], axis=0)
    return np.unpackbits(packed, axis=1, count=len(follows)).astype(np.bool_)

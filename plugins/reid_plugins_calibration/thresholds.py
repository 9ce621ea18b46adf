"""Thresholds for wanted false match rates, as far as the pairs can tell.

A pair is accepted where its similarity is at least the threshold. Accepted non-matches are false
matches, matches that are not accepted false non-matches (ISO/IEC 19795-1).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from reid_plugins_calibration.images import Items
from reid_plugins_calibration.intervals import error_sums
from reid_plugins_calibration.pairs import identity_starts
from reid_plugins_calibration.similarity_counts import (
    BINS,
    Advance,
    Spread,
    edge,
    place_of,
    spread_of,
)
from reidcore.errors import DataError, counted

LEAST_IDENTITIES = 10
"""Identities with matches, below which nothing is said."""

FEW_IDENTITIES = 50
"""Identities below which intervals are narrower than they say."""

_RULE_OF_THREE = 3
_EQUAL = place_of(1 - 1e-5)  # what rounding leaves of a similarity of 1


@dataclass(frozen=True)
class Threshold:
    """A threshold for one false match rate, with 95 % intervals.

    Attributes:
        similarity: pairs of at least this cosine similarity are accepted.
        low: lower end of the interval of the threshold.
        high: its upper end.
        fmr: the wanted false match rate.
        fnmr: the false non-match rate there.
        fnmr_low: lower end of its interval.
        fnmr_high: its upper end.
        false_matches: how many non-matches it accepts.
        nonmatches: of how many.
        matches: how many pairs the false non-match rate is of.
    """

    similarity: float
    low: float
    high: float
    fmr: float
    fnmr: float
    fnmr_low: float
    fnmr_high: float
    false_matches: int
    nonmatches: int
    matches: int

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Threshold:
        """Return what `as_record` gave."""
        return cls(**{name: record[name] for name in cls.__dataclass_fields__})

    def as_record(self) -> dict[str, Any]:
        """Return it in plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Support:
    """What the pairs of some images can tell.

    Attributes:
        identities: how many have matches.
        matches: pairs of one identity.
        nonmatches: pairs of two.
        identity_pairs: how many pairs of identities these are of. Pairs of the same two people are
            no independent trials.
    """

    identities: int
    matches: int
    nonmatches: int
    identity_pairs: int

    def lacks(self) -> str:
        """Return why nothing can be said, or an empty text."""
        if not self.matches:
            return "no two comparable images are of one identity"
        if self.identities < LEAST_IDENTITIES:
            several = counted(self.identities, "identity", "identities")
            return f"{several} with comparable images, and {LEAST_IDENTITIES} are needed"
        return "" if self.nonmatches else "no two comparable images are of two identities"

    def lacks_for(self, fmr: float) -> str:
        """Return why nothing can be said of a false match rate, or an empty text.

        Of so many trials without a single hit, 3 / n is the upper end of the interval.
        """
        needed = math.ceil(_RULE_OF_THREE / fmr - 1e-9)
        if self.identity_pairs >= needed:
            return ""
        identities = math.ceil((1 + math.sqrt(1 + 8 * needed)) / 2)
        return (
            f"FMR {fmr:g} needs {needed:,} pairs of identities ({identities:,} identities), and "
            f"there are {self.identity_pairs:,}"
        )


@dataclass(frozen=True, eq=False)
class Measured:
    """The pairs of some images, with the thresholds that they support.

    Attributes:
        spread: the counts of pairs by their similarity.
        support: how many of everything there are.
        thresholds: by descending false match rate.
        refused: why there are no others.
    """

    spread: Spread
    support: Support
    thresholds: Sequence[Threshold]
    refused: Sequence[str]


def support_of(items: Items) -> Support:
    """Count identities and pairs, by cameras and tracks and without any feature."""
    starts = identity_starts(items)
    images = np.diff(starts)
    identities, matches, same = 0, 0, 0
    for begin, end in pairwise(starts.tolist()):
        pairs = _comparable_pairs(items, slice(begin, end))
        same += pairs
        if items.searched[items.identities[begin]]:
            matches += pairs
            identities += pairs > 0
    nonmatches = _comparable_pairs(items, slice(0, len(items))) - same
    # Two identities are a pair unless all their images are of one camera.
    pairs_of_identities = len(images) * (len(images) - 1) // 2
    if items.across:
        only = _only_cameras(items, starts)
        alone = np.unique(only[only >= 0], return_counts=True)[1]
        pairs_of_identities -= int((alone * (alone - 1) // 2).sum())
    return Support(identities, matches, nonmatches, pairs_of_identities)


def measure(
    items: Items, rates: Sequence[float], what: str, advance: Advance = lambda images: None
) -> Measured:
    """Measure thresholds for false match rates; those of too few pairs are left out, with reasons.

    Args:
        items: the images.
        rates: wanted false match rates.
        what: what the images are called in messages.
        advance: called twice with the number of images whose pairs are done.

    Raises:
        DataError: if there are too few pairs for anything.
    """
    support = support_of(items)
    if lacking := support.lacks():
        raise DataError(f"{what} cannot be calibrated: {lacking}", _more_of(support, items))
    spread = spread_of(items, advance)
    places: dict[float, int] = {}
    refused = []
    for rate in sorted(set(rates), reverse=True):
        if why := support.lacks_for(rate):
            refused.append(why)
        elif (place := spread.at_fmr(rate)) > _EQUAL:
            refused.append(
                f"FMR {rate:g} cannot be had: more non-matches have equal features. Look for "
                "images that are in the data under two identities"
            )
        else:
            places[rate] = place
    sums = error_sums(items, [*places.values()], advance)
    thresholds = []
    for number, (rate, place) in enumerate(places.items()):
        fmr, fnmr = sums.false_matches.rate(number), sums.false_nonmatches.rate(number)
        low, high = (min(spread.at_fmr(end), BINS - 1) for end in (fmr.high, fmr.low))
        thresholds.append(
            Threshold(
                edge(place),
                edge(min(low, place)),
                edge(max(high, place)),
                rate,
                fnmr.share,
                fnmr.low,
                fnmr.high,
                int(sums.false_matches.hits[number]),
                support.nonmatches,
                support.matches,
            )
        )
    return Measured(spread, support, thresholds, refused)


def _more_of(support: Support, items: Items) -> str:
    if support.matches:
        return "Give data of more identities."
    if items.across:
        return (
            "Pairs are compared across cameras, and never within a track: give data in which "
            "identities are seen by two cameras, or compare within cameras too: --within-cameras."
        )
    return "Give data with two images of an identity that are not of one track."


def _comparable_pairs(items: Items, rows: slice) -> int:
    """Return how many pairs of some images are comparable, by inclusion and exclusion."""
    cameras = items.cameras[rows]
    tracks = None if items.tracks is None else items.tracks[rows]
    total = _pairs([len(cameras)])
    if items.across:
        total -= _pairs(np.unique(cameras, return_counts=True)[1])
    if tracks is not None:
        total -= _pairs(np.unique(tracks, return_counts=True)[1])
        if items.across:  # taken away twice
            both = np.stack([cameras, tracks])
            total += _pairs(np.unique(both, axis=1, return_counts=True)[1])
    return total


def _pairs(counts: Sequence[int] | np.ndarray[Any, np.dtype[np.int64]]) -> int:
    many = np.asarray(counts, np.int64)
    return int((many * (many - 1) // 2).sum())


def _only_cameras(
    items: Items, starts: np.ndarray[Any, np.dtype[np.int64]]
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the camera of each identity that one alone saw, and -1 of others."""
    lowest = np.minimum.reduceat(items.cameras, starts[:-1])
    highest = np.maximum.reduceat(items.cameras, starts[:-1])
    return np.where(lowest == highest, lowest, -1)

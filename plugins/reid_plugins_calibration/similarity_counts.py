"""How similar matches and non-matches are: counts of all pairs in bins.

The bins are 2^-19 wide, and their edges are exact in 32 bits: what is counted beyond an edge is
what ``similarity >= edge`` accepts, pair by pair.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.images import FOLDS, Codes, Items
from reid_plugins_calibration.pairs import bands, blocks_of

Advance = Callable[[int], None]
Floats = npt.NDArray[np.float64]

HALF = 1 << 19  # bins from similarity 0 to 1
BINS = 2 * HALF + 1  # the last is that of 1 itself
COARSE = 4096  # wider bins, for curves
_FINE = 2 * HALF // COARSE  # bins in one of them


def edge(place: int) -> float:
    """Return the lowest similarity of a bin."""
    return place / HALF - 1


def place_of(similarity: float) -> int:
    """Return the first bin whose pairs are all of at least that similarity."""
    return int(np.ceil((similarity + 1) * HALF))


@dataclass(frozen=True, eq=False)
class Spread:
    """Counts of pairs by their similarity.

    Attributes:
        matches: (BINS,) pairs of one identity.
        nonmatches: (BINS,) pairs of two identities.
        by_folds: (FOLDS, FOLDS, 2, COARSE) non-matches and matches in wider bins, by the folds of
            both identities, the lower first.
    """

    matches: Codes
    nonmatches: Codes
    by_folds: Codes

    @property
    def num_matches(self) -> int:
        """How many pairs of one identity there are."""
        return int(self.matches.sum())

    @property
    def num_nonmatches(self) -> int:
        """How many pairs of two identities there are."""
        return int(self.nonmatches.sum())

    def fmr(self, place: int) -> float:
        """Return the share of non-matches that the lower edge of a bin accepts."""
        return float(self._from_above[BINS - place] / self.num_nonmatches)

    def fnmr(self, place: int) -> float:
        """Return the share of matches that the lower edge of a bin does not accept."""
        return float(self._below[place] / self.num_matches)

    def at_fmr(self, most: float) -> int:
        """Return the first bin at which the false match rate is at most so high; BINS if none."""
        allowed = _whole(most * self.num_nonmatches)
        return BINS + 1 - int(np.searchsorted(self._from_above, allowed, side="right"))

    def at_fnmr(self, most: float) -> int:
        """Return the last bin at which the false non-match rate is at most so high."""
        allowed = _whole(most * self.num_matches)
        return int(np.searchsorted(self._below, allowed, side="right")) - 1

    @cached_property
    def _from_above(self) -> Codes:
        """(BINS + 1,) non-matches in so many of the uppermost bins."""
        return np.append(0, np.cumsum(self.nonmatches[::-1]))

    @cached_property
    def _below(self) -> Codes:
        """(BINS + 1,) matches below each bin."""
        return np.append(0, np.cumsum(self.matches))


def _whole(pairs: float) -> int:
    """Return a number of pairs, which is no less for a rounding of the product."""
    return math.floor(pairs * (1 + 1e-12))


def spread_of(items: Items, advance: Advance = lambda images: None) -> Spread:
    """Count all comparable pairs by their similarity.

    Args:
        items: the images.
        advance: called with the number of images whose pairs are done.
    """
    fine = np.zeros((2, BINS), np.int64)
    by_folds = np.zeros((FOLDS, FOLDS, 2, COARSE), np.int64)
    parts = bands(items)
    for band in parts:
        for block in blocks_of(items, band, parts):
            pair = tuple(items.folds[items.identities[[block.rows.start, block.columns.start]]])
            # Exact: a product with a power of two, and a sum of whole numbers.
            places = np.floor(block.similarity * np.float32(HALF)).astype(np.int32) + HALF
            for kind, mask in enumerate((block.nonmatches, block.matches)):
                found = places[mask]
                np.add.at(fine[kind], found, 1)
                wide = np.minimum(found // _FINE, COARSE - 1)  # with those of similarity 1
                by_folds[pair][kind] += np.bincount(wide, minlength=COARSE)
        advance(band.stop - band.start)
    return Spread(fine[1], fine[0], by_folds)


def centres() -> Floats:
    """Return the middles of the COARSE bins."""
    middles: Floats = np.linspace(-1, 1, COARSE, endpoint=False, dtype=np.float64) + 1 / COARSE
    return middles

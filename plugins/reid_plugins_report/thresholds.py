"""Thresholds: what share of matches and of non-matches lies within a distance.

A pair is accepted where its distance is less than the threshold. Matches that are not accepted are
false non-matches, non-matches that are accepted false matches (ISO/IEC 19795-1). The thresholds
are edges of bins, at which the counts are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reid_plugins_report.evidence import Spread
from reid_plugins_report.evidence.parts import Floats


@dataclass(frozen=True)
class Operating:
    """A threshold and the errors at it.

    Attributes:
        threshold: pairs nearer than it are accepted.
        fmr: share of the non-matches that are accepted.
        fnmr: share of the matches that are not.
    """

    threshold: float
    fmr: float
    fnmr: float


@dataclass(frozen=True, eq=False)
class Rates:
    """The errors at each edge of the bins.

    Attributes:
        edges: (bins + 1,) thresholds, ascending.
        fmr: (bins + 1,) from 0 to 1.
        tmr: (bins + 1,) share of the matches that are accepted, from 0 to 1.
    """

    edges: Floats
    fmr: Floats
    tmr: Floats

    @classmethod
    def of(cls, spread: Spread) -> Rates | None:
        """Return the errors; None without a match or without a non-match."""
        if not spread.matches.sum() or not spread.nonmatches.sum():
            return None
        return cls(spread.edges, _shares(spread.nonmatches), _shares(spread.matches))

    def at_fmr(self, most: float) -> Operating:
        """Return the greatest threshold whose false match rate is at most ``most``."""
        return self._at(int(np.searchsorted(self.fmr, most, side="right")) - 1)

    def equal_error(self) -> Operating:
        """Return the threshold at which both errors are nearest to one another."""
        return self._at(int(np.abs(self.fmr - (1 - self.tmr)).argmin()))

    def roc(self, levels: Floats) -> list[tuple[float, float]]:
        """Return the true match rate at levels of the false match rate, which are not exceeded."""
        places = np.searchsorted(self.fmr, levels, side="right") - 1
        return list(zip(levels.tolist(), self.tmr[places].tolist(), strict=True))

    def area(self) -> float:
        """Return the area under the ROC; pairs in one bin count as ties, a half each."""
        return float((np.diff(self.fmr) * (self.tmr[:-1] + self.tmr[1:])).sum() / 2)

    def _at(self, place: int) -> Operating:
        fmr, tmr = float(self.fmr[place]), float(self.tmr[place])
        return Operating(float(self.edges[place]), fmr, 1 - tmr)


def _shares(counts: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    summed = np.concatenate([[0], np.cumsum(counts)])
    shares: Floats = summed / summed[-1]
    return shares

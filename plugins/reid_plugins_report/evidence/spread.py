"""How distances are spread: matches and non-matches counted in bins, none of them kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from reid_plugins_report.evidence.pairs import Block
from reid_plugins_report.evidence.parts import Spread
from reidcore.evaluation import Related

BINS = 1 << 14  # so many that a threshold at their edges is as good as any
_MARGIN = 1.0  # spans of the first block's distances, on either side of them


class SpreadOf:
    """Counts distances in bins, matches and non-matches apart.

    The bins reach from the least distance of the first block to its greatest, and as far again on
    both sides.
    """

    def __init__(self) -> None:
        self._low = self._width = 0.0
        self._matches, self._nonmatches = np.zeros((2, BINS), dtype=np.int64)
        self._is_first = True

    def add(self, start: int, block: Block, related: Related) -> None:
        """Count a block."""
        if self._is_first:
            self._choose_bins(block)
        of_related = self._binned(block[related.owner, related.items])
        matches = np.bincount(of_related[related.match], minlength=BINS)
        self._matches += matches
        self._nonmatches += np.bincount(self._binned(block).ravel(), minlength=BINS)
        self._nonmatches -= np.bincount(of_related, minlength=BINS)

    def done(self) -> Spread:
        """Return the counts, without the empty bins at both ends."""
        filled = np.flatnonzero(self._matches + self._nonmatches)
        first, last = (filled[0], filled[-1] + 1) if len(filled) else (0, 1)
        edges = self._low + self._width * np.arange(first, last + 1)
        return Spread(edges, self._matches[first:last], self._nonmatches[first:last])

    def _choose_bins(self, block: Block) -> None:
        finite = block[np.isfinite(block)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
        span = (high - low) or abs(low) or 1.0
        self._low = low - _MARGIN * span
        self._width = (1 + 2 * _MARGIN) * span / BINS
        self._is_first = False

    def _binned(self, values: Block) -> npt.NDArray[np.int32]:
        # Clipped before it is whole: an infinite distance has no bin of its own.
        places = np.clip((values - self._low) * (1 / self._width), 0, BINS - 1)
        binned: npt.NDArray[np.int32] = places.astype(np.int32)
        return binned

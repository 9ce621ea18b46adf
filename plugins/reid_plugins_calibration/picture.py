"""A picture of a calibration: reliability, similarities of both kinds, and error rates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
from reid_plugins_runs.line_chart import Panel, Series, draw_panels

from reid_plugins_calibration.fit import Fitted
from reidcore.utils import PathLike, atomic_write

_BINS = 64  # from -1 to 1, each of several coarse ones
_ACROSS = "similarity (cosine)"
_MATCHES, _NONMATCHES = "matches, FNMR", "non-matches, FMR"
_FEWEST = 5  # pairs in a bin whose share is drawn

Floats = npt.NDArray[np.floating]


def draw(fitted: Fitted, path: PathLike) -> None:
    """Draw a calibration as a PNG.

    Args:
        fitted: the calibration with the counts that it was made from.
        path: the file, written whole or not at all.

    Raises:
        UserError: if it cannot be written.
    """
    panels = panels_of(fitted)
    sheet = draw_panels(panels, f"Calibration on {fitted.calibration.record['data']}")
    with atomic_write(Path(path).expanduser()) as file:
        sheet.save(file, format="PNG")


def panels_of(fitted: Fitted) -> list[Panel]:
    """Return the three panels."""
    counts = fitted.spread.by_folds.sum(axis=(0, 1)).reshape(2, _BINS, -1).sum(axis=2)
    places = (np.arange(_BINS, dtype=np.float64) + 0.5) * (2 / _BINS) - 1
    held = np.flatnonzero(counts.any(axis=0))
    shown = slice(held[0], held[-1] + 1)
    counts, places = counts[:, shown], places[shown]
    thresholds = places - 1 / _BINS  # where a bin begins
    nonmatches, matches = counts / counts.sum(axis=1, keepdims=True)
    prior = fitted.calibration.prior
    both = prior * matches + (1 - prior) * nonmatches
    is_seen = counts.sum(axis=0) >= _FEWEST
    share = np.divide(prior * matches, both, out=np.full(len(both), np.nan), where=both > 0)
    fitted_curve = fitted.calibration.probability(places)
    return [
        Panel(
            f"Probability of one identity, {prior:g} of pairs being matches",
            _ACROSS,
            [
                _series("fitted", 0, places, fitted_curve),
                _series("observed", 1, places[is_seen], share[is_seen]),
            ],
        ),
        Panel(
            "Share of matches and of non-matches, by similarity",
            _ACROSS,
            [
                _series(_MATCHES, 2, places, matches),
                _series(_NONMATCHES, 3, places, nonmatches),
            ],
        ),
        Panel(
            "FNMR and FMR, by threshold",
            _ACROSS,
            [
                _series(_MATCHES, 2, thresholds, np.cumsum(matches) - matches),
                _series(_NONMATCHES, 3, thresholds, np.cumsum(nonmatches[::-1])[::-1]),
            ],
        ),
    ]


def _series(label: str, colour: int, across: Floats, upward: Floats) -> Series:
    return Series(label, colour, list(zip(across.tolist(), upward.tolist(), strict=True)))

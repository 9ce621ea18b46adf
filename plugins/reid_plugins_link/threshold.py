"""From which similarity two tracks are of one identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reid_plugins_link.boxes import Float64
from reid_plugins_link.network import Pair
from reid_plugins_link.tracklets import Tracklets
from reidcore.errors import UserError

if TYPE_CHECKING:
    from reid_plugins_calibration import Calibration

_OTHERWISE = "give --calibration FILE.json or a threshold of your own, --threshold 0.6"


@dataclass(frozen=True)
class Threshold:
    """What similarities mean.

    Attributes:
        similarity: tracks of at least this mean similarity are joined.
        below: how far below the threshold a pair is still undecided.
        above: how far above it.
        pairs: two cameras, in both orders -> a threshold of their own.
        source: where it is from, in words.
        calibration: what gives probabilities; None without one.
    """

    similarity: float
    below: float = 0.0
    above: float = 0.0
    pairs: Mapping[Pair, float] = field(default_factory=dict)
    source: str = "given"
    calibration: Calibration | None = None

    def of(self, tracklets: Tracklets) -> Float64:
        """Return (T, T) the threshold of each pair of tracks."""
        names = tracklets.cameras
        table = np.array([[self.pairs.get((a, b), self.similarity) for b in names] for a in names])
        found: Float64 = table[tracklets.camera[:, None], tracklets.camera[None, :]]
        return found

    def probability(self, similarity: float) -> float | None:
        """Return the probability that a pair of crops is of one identity, if it is calibrated."""
        if self.calibration is None:
            return None
        return float(self.calibration.probability(similarity))

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        pairs = [
            {"cameras": [*pair], "similarity": value}
            for pair, value in self.pairs.items()
            if pair == tuple(sorted(pair))
        ]
        return {
            "similarity": self.similarity,
            "undecided": [self.similarity - self.below, self.similarity + self.above],
            "source": self.source,
            "pairs": pairs,
        }


def given_threshold(similarity: float, undecided: float | None) -> Threshold:
    """Return a threshold that the user chose.

    Args:
        similarity: the threshold.
        undecided: the similarity from which pairs below it are undecided, and as far above it;
            None for none.

    Raises:
        UserError: if one is no cosine, or they are in the wrong order.
    """
    low = similarity if undecided is None else undecided
    if not -1 <= low <= similarity <= 1:
        raise UserError(
            f"--threshold {similarity:g} with --undecided {low:g}",
            "Similarities are cosines, from -1 to 1, and what is undecided begins below the "
            "threshold.",
        )
    return Threshold(similarity, similarity - low, similarity - low)


def calibrated_threshold(
    path: Path,
    model: Path | None,
    fmr: float | None,
    undecided: float | None,
    cameras: Sequence[str],
) -> Threshold:
    """Return the threshold of a calibrated model.

    Args:
        path: a calibrated model, or the ``.json`` of a calibration.
        model: the model whose similarities are asked of, if it is another file.
        fmr: the wanted false match rate; the second of those calibrated by default.
        undecided: as of `given_threshold`; by default between the model's answers ``different``
            and ``same``.
        cameras: names of cameras, which may have thresholds of their own.

    Raises:
        UserError: if it is not calibrated, not for that rate, or with another model's weights.
    """
    from reid_plugins_calibration import require_calibration

    calibration = require_calibration(path, model, otherwise=_OTHERWISE)
    rates = [each.fmr for each in calibration.thresholds]
    rate = fmr if fmr is not None else rates[min(1, len(rates) - 1)]
    similarity = calibration.threshold(rate).similarity
    source = f"calibrated, at a false match rate of {rate:g}"
    pairs = _of_pairs(calibration, rate, cameras)
    if undecided is not None:
        given = given_threshold(similarity, undecided)
        return Threshold(similarity, given.below, given.above, pairs, source, calibration)
    below = max(0.0, similarity - calibration.cuts.different)
    above = max(0.0, calibration.cuts.same - similarity)
    return Threshold(similarity, below, above, pairs, source, calibration)


def _of_pairs(calibration: Calibration, rate: float, cameras: Sequence[str]) -> dict[Pair, float]:
    """Return the thresholds of pairs of cameras that bear the names they were calibrated by."""
    found: dict[Pair, float] = {}
    for record in calibration.record.get("cameras", ()):
        names = [str(name) for name in record.get("names", record["camids"])]
        if len(set(names)) == 2 and set(names) <= set(cameras):
            a, b = record["camids"]
            value = calibration.threshold(rate, (int(a), int(b))).similarity
            found[names[0], names[1]] = found[names[1], names[0]] = value
    return found

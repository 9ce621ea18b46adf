"""What a model's similarities mean: probabilities, thresholds and answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from reid_plugins_calibration.answers import Cuts
from reid_plugins_calibration.probability import Curve, curve_from, probability_of
from reid_plugins_calibration.thresholds import Threshold
from reidcore.errors import DataError, UserError, counted

VERSION = 1

Similarities = npt.NDArray[np.floating] | float


@dataclass(frozen=True, eq=False)
class Calibration:
    """What the similarities of one model mean, as far as it was measured on some images.

    A similarity is the cosine of the angle between two features of the model, in [-1, 1]; a tensor
    is given as its ``numpy()``.

    Attributes:
        record: all of it in plain values, as checkpoints and exports hold it.
        prior: the share of matches among all pairs for which probabilities are given.
        curve: log odds by similarity.
        thresholds: by descending false match rate.
        cuts: of the answer of three.
        by_cameras: two cameras, the lower number first -> their own thresholds.

    Example:
        >>> calibration = read_calibration("log/model.pth.tar-60")
        >>> calibration.threshold(0.01).similarity
        0.61
    """

    record: Mapping[str, Any]
    prior: float
    curve: Curve
    thresholds: Sequence[Threshold]
    cuts: Cuts
    by_cameras: Mapping[tuple[int, int], Sequence[Threshold]]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Calibration:
        """Return the calibration of a record.

        Raises:
            DataError: if it is none, or of a later version.
        """
        if not isinstance(record, Mapping) or record.get("version") != VERSION:
            found = record.get("version") if isinstance(record, Mapping) else record
            raise DataError(
                f"a calibration of version {found!r} cannot be read",
                f"This reidcore reads version {VERSION}: calibrate again, or install a newer one.",
            )
        try:
            return cls(
                record,
                _prior(record["probability"]["prior"]),
                curve_from(record["probability"]),
                [Threshold.from_record(each) for each in record["thresholds"]],
                Cuts.from_record(record["answer"]),
                {
                    (int(a), int(b)): [Threshold.from_record(each) for each in pair["thresholds"]]
                    for pair in record["cameras"]
                    for a, b in [sorted(pair["camids"])]
                },
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(
                f"the record of a calibration is laid out unlike ours ({error!r})",
                "Calibrate again: reidcore calibrate CHECKPOINT --data DATASET",
            ) from error

    def probability(
        self, similarity: Similarities, prior: float | None = None
    ) -> npt.NDArray[np.float64]:
        """Return the probability that pairs are of one identity, of the similarities' shape.

        Args:
            similarity: cosine similarities.
            prior: the share of matches among the pairs that are asked of; by default the one that
                the model was calibrated for. A tracker's candidates may be a half matches, a
                gallery of thousands has few.

        Raises:
            UserError: if ``prior`` is no share between 0 and 1.
        """
        odds = self.curve.log_odds(np.asarray(similarity, np.float64))
        return probability_of(odds, self.prior if prior is None else _prior(prior))

    def threshold(self, fmr: float, cameras: tuple[int, int] | None = None) -> Threshold:
        """Return the threshold for a false match rate.

        Args:
            fmr: one of the rates that the model was calibrated for.
            cameras: two cameras, which may have a threshold of their own; otherwise the one for all
                serves.

        Raises:
            UserError: if it was not calibrated for that rate; names those that it was for.
        """
        own = self.by_cameras.get((min(cameras), max(cameras)), ()) if cameras else ()
        for each in (*own, *self.thresholds):
            if math.isclose(each.fmr, fmr, rel_tol=1e-6):
                return each
        known = ", ".join(f"{each.fmr:g}" for each in self.thresholds) or "none"
        refused = [why for why in self.record.get("refused", ()) if why.startswith(f"FMR {fmr:g} ")]
        raise UserError(
            f"the model is not calibrated for a false match rate of {fmr:g}, but for {known}",
            f"{refused[0]}." if refused else f"Calibrate it again with --fmr {fmr:g}.",
        )

    def answer(self, similarity: Similarities) -> npt.NDArray[np.str_]:
        """Return ``same``, ``different`` or ``undecided`` for each pair, of their shape."""
        return self.cuts.answer(np.asarray(similarity, np.float64))

    def require_width(self, width: int) -> None:
        """Refuse features that are not of this model.

        Raises:
            DataError: if the calibrated features had another number of dimensions.
        """
        own = int(self.record.get("feature_dim", width))
        if width != own:
            raise DataError(
                f"the features have {counted(width, 'dimension')}, and {own} were calibrated",
                "A calibration holds for its own model alone.",
            )


def _prior(share: float) -> float:
    if not 0 < share < 1:
        raise UserError(f"a prior of {share!r}", "Give the share of matches, above 0 and below 1.")
    return float(share)

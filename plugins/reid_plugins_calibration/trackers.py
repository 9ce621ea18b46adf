"""A calibrated threshold in the conventions of trackers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reid_plugins_calibration.calibration import Calibration


@dataclass(frozen=True)
class TrackerThreshold:
    """What to set in a tracker, so that it accepts what a similarity accepts.

    Attributes:
        tracker: its name.
        option: what it calls the threshold.
        value: to set.
        usual: what it has by default; None if it has none.
        measure: what it compares, in terms of the cosine similarity s.
    """

    tracker: str
    option: str
    value: float
    usual: float | None
    measure: str


def tracker_thresholds(calibration: Calibration, fmr: float) -> list[TrackerThreshold]:
    """Return a threshold as trackers have it; all of them are meant for features of unit length.

    Args:
        calibration: of the model that makes the features.
        fmr: the false match rate, one that the model was calibrated for.

    Raises:
        UserError: if it was not calibrated for that rate.
    """
    similarity = calibration.threshold(fmr).similarity
    distance = 1 - similarity
    return [
        TrackerThreshold("BoxMOT BoT-SORT", "appearance_thresh", distance, 0.25, "1 - s"),
        TrackerThreshold("BoxMOT StrongSORT", "max_cos_dist", distance, 0.2, "1 - s"),
        TrackerThreshold(
            "Ultralytics BoT-SORT", "appearance_thresh", 1 - distance / 2, 0.8, "(1 + s) / 2"
        ),
        TrackerThreshold("deep-sort-realtime", "max_cosine_distance", distance, 0.2, "1 - s"),
        TrackerThreshold("norfair", "reid_distance_threshold", distance, None, "1 - s"),
    ]

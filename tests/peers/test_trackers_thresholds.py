"""What trackers compare with their thresholds: a pair just above a cosine passes, one below not."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
from reid_plugins_calibration import tracker_thresholds
from reid_plugins_trackers.norfair import cosine_distance

CUT = 0.6
EAST = np.array([1.0, 0.0], dtype=np.float32)


def at(cosine: float) -> np.ndarray:
    """Return a unit vector that has a cosine with `EAST`."""
    return np.array([cosine, math.sqrt(1 - cosine**2)], dtype=np.float32)


def standing(left: float, feature: np.ndarray) -> SimpleNamespace:
    """Return a track or a detection, as matching functions look at it."""
    box = np.array([left, 0.0, left + 100.0, 100.0])
    return SimpleNamespace(
        xyxy=box, angle=None, curr_feat=feature, smooth_feat=feature, conf=1.0, score=1.0
    )


# Two boxes that overlap by 0.52: near enough for appearance to count, with a cost of 0.48 itself.
OVERLAP_COST, ASIDE = 0.48, 100 * (1 - 0.52) / (1 + 0.52)


def boxmot_botsort(value: float, feature: np.ndarray) -> bool:
    from boxmot.trackers.box.botsort.tracker import BotSort

    model = SimpleNamespace(get_features=print)
    tracker = BotSort(appearance_thresh=value, reid_model=model, use_cmc=False)
    pair = [standing(0, EAST)], [standing(ASIDE, feature)]
    return tracker._first_association_cost(*pair)[0, 0] < OVERLAP_COST - 0.01


def boxmot_strongsort(value: float, feature: np.ndarray) -> bool:
    from boxmot.trackers.box.strongsort.tracker import StrongSort

    metric = StrongSort(max_cos_dist=value, reid_model=SimpleNamespace(get_features=print)).metric
    return nearest(metric, feature)


def deep_sort_realtime(value: float, feature: np.ndarray) -> bool:
    from deep_sort_realtime.deepsort_tracker import DeepSort

    return nearest(DeepSort(embedder=None, max_cosine_distance=value).tracker.metric, feature)


def nearest(metric, feature: np.ndarray) -> bool:
    metric.partial_fit(np.stack([-EAST, EAST]), np.array([1, 1]), [1])
    return metric.distance(np.stack([feature]), [1])[0, 0] <= metric.matching_threshold


def ultralytics_botsort(value: float, feature: np.ndarray) -> bool:
    from ultralytics.trackers import BOTSORT
    from ultralytics.utils import YAML, IterableSimpleNamespace
    from ultralytics.utils.checks import check_yaml

    settings = YAML.load(check_yaml("botsort.yaml")) | {"fuse_score": False, "gmc_method": "none"}
    tracker = BOTSORT(IterableSimpleNamespace(**settings | {"appearance_thresh": value}))
    tracker.args.with_reid, tracker.encoder = True, print
    pair = [standing(0, EAST)], [standing(ASIDE, feature)]
    return tracker.get_dists(*pair)[0, 0] < OVERLAP_COST - 0.01


def norfair(value: float, feature: np.ndarray) -> bool:
    known = SimpleNamespace(embedding=EAST)
    track = SimpleNamespace(last_detection=known, past_detections=[])
    return cosine_distance(SimpleNamespace(embedding=feature), track) < value


# Name in `tracker_thresholds` -> the package, and what it does at a threshold.
TRACKERS = {
    "BoxMOT BoT-SORT": ("boxmot", boxmot_botsort),
    "BoxMOT StrongSORT": ("boxmot", boxmot_strongsort),
    "Ultralytics BoT-SORT": ("ultralytics", ultralytics_botsort),
    "deep-sort-realtime": ("deep_sort_realtime", deep_sort_realtime),
    "norfair": ("norfair", norfair),
}


@pytest.mark.parametrize("name", TRACKERS)
def test_a_pair_is_accepted_from_that_cosine_on(name) -> None:
    package, accepts = TRACKERS[name]
    pytest.importorskip(package)
    calibration = SimpleNamespace(threshold=lambda fmr: SimpleNamespace(similarity=CUT))
    (value,) = [
        each.value for each in tracker_thresholds(calibration, 0.01) if each.tracker == name
    ]
    assert accepts(value, at(CUT + 0.01))
    assert not accepts(value, at(CUT - 0.01))


def test_every_tracker_that_has_a_threshold_is_tried() -> None:
    calibration = SimpleNamespace(threshold=lambda fmr: SimpleNamespace(similarity=CUT))
    assert {each.tracker for each in tracker_thresholds(calibration, 0.01)} == set(TRACKERS)

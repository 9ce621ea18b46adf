"""supervision's detections, with features beside them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from reid_plugins_trackers.supervision import DetectionAnnotator


@dataclass
class Detections:
    xyxy: np.ndarray
    data: dict = field(default_factory=dict)


def test_other_data_stays_and_what_was_given_is_not_changed(extractor, frame, boxes) -> None:
    given = Detections(boxes, {"class_name": np.array(["a", "b"])})
    annotated = DetectionAnnotator(extractor)(given, frame)
    assert annotated.data["embedding"].shape == (2, 24)
    assert annotated.data["class_name"].tolist() == ["a", "b"]
    assert list(given.data) == ["class_name"]


def test_an_empty_frame_keeps_the_length_of_features(extractor, frame) -> None:
    annotated = DetectionAnnotator(extractor)(Detections(np.empty((0, 4))), frame)
    assert annotated.data["embedding"].shape == (0, 24)

"""supervision's detections carry our features, through Roboflow's trackers too."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_trackers.supervision import DetectionAnnotator

sv = pytest.importorskip("supervision")


def found(moment) -> sv.Detections:
    return sv.Detections(
        xyxy=moment.boxes, confidence=np.full(2, 0.9), class_id=np.zeros(2, dtype=int)
    )


def ours(extractor, moment) -> np.ndarray:
    return torch.nn.functional.normalize(extractor.crops(moment.frame, moment.boxes)).numpy()


def test_features_go_where_detections_go(extractor, walk) -> None:
    detections = DetectionAnnotator(extractor)(found(walk[0]), walk[0].bgr)
    expected = ours(extractor, walk[0])
    np.testing.assert_allclose(detections[1].data["embedding"], expected[1:], atol=1e-6)
    merged = sv.Detections.merge([detections, detections])
    np.testing.assert_allclose(merged.data["embedding"], np.vstack([expected] * 2), atol=1e-6)


def test_an_empty_frame_keeps_the_length_of_features(extractor, walk) -> None:
    empty = DetectionAnnotator(extractor)(sv.Detections.empty(), walk[0].bgr)
    assert empty.data["embedding"].shape == (0, extractor.feature_dim)


def test_roboflows_tracker_hands_them_on(extractor, walk) -> None:
    trackers = pytest.importorskip("trackers")
    annotate, tracker, seen = DetectionAnnotator(extractor), trackers.ByteTrackTracker(), set()
    for moment in walk:
        tracked = tracker.update(annotate(found(moment), moment.bgr))
        expected = ours(extractor, moment)
        for row, track in zip(tracked.data["embedding"], tracked.tracker_id, strict=True):
            if track >= 0:
                seen.add((int(track), int((expected @ row).argmax())))
    assert len(seen) == len({track for track, _ in seen}) == 2

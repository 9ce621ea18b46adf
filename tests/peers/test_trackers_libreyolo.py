"""libreyolo's Deep OC-SORT with our embedder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from reid_plugins_trackers.libreyolo import LibreYoloEmbedder

pytest.importorskip("libreyolo")


def found(moment):
    from libreyolo.utils.results import Boxes, Results

    boxes = torch.from_numpy(moment.boxes)
    return Results(
        Boxes(boxes, torch.full((len(boxes),), 0.9), torch.zeros(len(boxes))),
        moment.frame.shape[:2],
    )


def test_the_tracker_keeps_both_people(extractor, walk) -> None:
    from libreyolo.tracking import DeepOCSortTracker

    tracker = DeepOCSortTracker(embedder=LibreYoloEmbedder(extractor))
    tracks = [tracker.update(found(moment), moment.frame) for moment in walk]
    ids = [sorted(int(track) for track in each.track_id) for each in tracks]
    assert ids == [ids[0]] * len(walk)
    assert len(set(ids[0])) == 2
    assert extractor.asked == [2] * len(walk)


def test_its_tracks_hold_our_features(extractor, walk) -> None:
    from libreyolo.tracking import DeepOCSortTracker

    tracker = DeepOCSortTracker(embedder=LibreYoloEmbedder(extractor))
    tracker.update(found(walk[0]), walk[0].frame)
    held = np.stack([track.emb for track in tracker.trackers])
    ours = torch.nn.functional.normalize(extractor.crops(walk[0].frame, walk[0].boxes))
    np.testing.assert_allclose(held, ours.numpy(), atol=1e-6)

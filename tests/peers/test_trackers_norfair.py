"""norfair finds a person again by our embeddings."""

from __future__ import annotations

import pytest
from reid_plugins_trackers.norfair import NorfairEmbedder, cosine_distance

norfair = pytest.importorskip("norfair")


def found(boxes):
    return [norfair.Detection(box.reshape(2, 2)) for box in boxes]


def track(extractor, walk, **options) -> list[set[int]]:
    """Return the ids of each frame; nobody is seen in the middle of the walk."""
    embed = NorfairEmbedder(extractor)
    tracker = norfair.Tracker(
        "iou", 0.7, hit_counter_max=2, initialization_delay=1, reid_hit_counter_max=30, **options
    )
    ids = []
    for step, moment in enumerate(walk):
        boxes = [] if 8 <= step < 16 else moment.boxes
        seen = tracker.update(embed(moment.bgr, found(boxes)))
        ids.append({each.id for each in seen})
    return ids


def test_people_who_were_away_are_known_again(extractor, walk) -> None:
    ids = track(
        extractor, walk, reid_distance_function=cosine_distance, reid_distance_threshold=0.1
    )
    assert ids[7] == ids[-1] == {1, 2}


def test_they_are_others_where_nothing_is_near_enough(extractor, walk) -> None:
    ids = track(
        extractor, walk, reid_distance_function=cosine_distance, reid_distance_threshold=-1.0
    )
    assert ids[7] == {1, 2}
    assert ids[-1] == {3, 4}

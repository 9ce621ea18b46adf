"""deep-sort-realtime's vectors go with the boxes that it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_trackers.deep_sort_realtime import DeepSortEmbedder

BOX, OTHER = [10.0, 12.0, 20.0, 40.0], [60.0, 30.0, 24.0, 50.0]


@pytest.mark.parametrize("flat", [[5.0, 5.0, 0.0, 10.0], [5.0, 5.0, 10.0, -1.0]])
def test_boxes_that_the_tracker_leaves_out_have_no_vector(flat, extractor, frame) -> None:
    embedder = DeepSortEmbedder(extractor)
    with_flat = embedder.embeds(frame, [(BOX, 0.9, "a"), (flat, 0.9, "b"), (OTHER, 0.9, "c")])
    without = embedder.embeds(frame, [(BOX, 0.9, "a"), (OTHER, 0.9, "c")])
    np.testing.assert_array_equal(np.stack(with_flat), np.stack(without))


def test_a_box_outside_has_one(extractor, frame) -> None:
    outside = ([500.0, 500.0, 20.0, 20.0], 0.9, "a")
    (vector,) = DeepSortEmbedder(extractor).embeds(frame, [outside])
    (black,) = DeepSortEmbedder(extractor).predict([np.zeros((9, 9, 3), dtype=np.uint8)])
    np.testing.assert_allclose(vector, black, atol=1e-6)


def test_an_empty_crop_has_one(extractor, frame) -> None:
    crops = [frame[12:52, 10:30], frame[0:0, 10:30]]
    vectors = DeepSortEmbedder(extractor, color="rgb").predict(crops)
    assert [vector.shape for vector in vectors] == [(24,), (24,)]
    assert vectors[0] @ vectors[1] < 0.9


def test_empty_frames_give_empty_lists(extractor, frame) -> None:
    embedder = DeepSortEmbedder(extractor)
    assert embedder.embeds(frame, []) == []
    assert embedder.predict([]) == []

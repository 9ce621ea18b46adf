"""norfair's detections and the distance between them."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from reid_plugins_trackers.norfair import NorfairEmbedder, cosine_distance

from reidcore.errors import DataError


def detection(embedding=None, points=((10, 12), (30, 52))):
    return SimpleNamespace(points=np.array(points), embedding=embedding)


def tracked(*embeddings):
    *past, last = [detection(embedding) for embedding in embeddings]
    return SimpleNamespace(last_detection=last, past_detections=past)


EAST, NORTH = np.array([1.0, 0.0], dtype=np.float32), np.array([0.0, 1.0], dtype=np.float32)


@pytest.mark.parametrize(
    ("new", "known", "distance"),
    [
        (detection(EAST), tracked(EAST), 0),
        (detection(EAST), tracked(-EAST), 2),
        (detection(EAST), tracked(EAST, NORTH), 0),
        (tracked(EAST, NORTH), tracked(EAST), 1),
        (detection(EAST), tracked(None, EAST), 0),
        (detection(None), tracked(EAST), 1),
        (detection(EAST), tracked(None), 1),
    ],
    ids=["equal", "opposite", "the past counts", "of an object the last", "some", "left", "right"],
)
def test_the_distance_is_to_the_nearest_that_is_known(new, known, distance) -> None:
    assert cosine_distance(new, known) == distance


def test_corners_come_in_any_order(extractor, frame) -> None:
    one, other = detection(), detection(points=((30, 52), (10, 12)))
    NorfairEmbedder(extractor)(frame, [one, other])
    np.testing.assert_array_equal(one.embedding, other.embedding)


def test_a_box_without_a_pixel_has_no_embedding(extractor, frame) -> None:
    given = [detection(), detection(EAST, points=((500, 500), (520, 540)))]
    assert NorfairEmbedder(extractor)(frame, given) is given
    assert given[0].embedding.shape == (24,)
    assert given[1].embedding is None


def test_a_point_is_no_box(extractor, frame) -> None:
    with pytest.raises(DataError, match=r"detection 1 has points \(1, 2\)"):
        NorfairEmbedder(extractor)(frame, [detection(), detection(points=((10, 12),))])


def test_no_detections_are_fine(extractor, frame) -> None:
    assert NorfairEmbedder(extractor)(frame, []) == []

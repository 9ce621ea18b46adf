"""BoxMOT's forms of boxes, and its encoder's form."""

from __future__ import annotations

import logging
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from reid_plugins_trackers.box_features import enclosing
from reid_plugins_trackers.boxmot import BoxmotEncoder

from reidcore.errors import DataError, UserError


@pytest.fixture
def encoder(extractor) -> BoxmotEncoder:
    return BoxmotEncoder(extractor)


@pytest.mark.parametrize("further", [0, 2, 4])
def test_upright_boxes_may_go_on_with_more(further, encoder, frame, boxes) -> None:
    longer = np.hstack([boxes, np.full((2, further), 7)])
    np.testing.assert_array_equal(
        encoder.get_features(longer, frame), encoder.get_features(boxes, frame)
    )


@pytest.mark.parametrize("further", [0, 2, 4])
def test_oriented_boxes_are_widened_and_told_once(further, encoder, frame, boxes, caplog) -> None:
    middles, sides = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    turned = np.hstack(
        [middles, sides[:, ::-1], np.full((2, 1), np.pi / 2), np.full((2, further), 7)]
    )
    with caplog.at_level(logging.WARNING):
        rows = encoder.get_features(turned, frame)
        encoder.get_features(turned, frame)
    np.testing.assert_allclose(rows, encoder.get_features(boxes, frame), atol=1e-6)
    assert len(caplog.records) == 1


def test_a_turned_square_needs_more_room() -> None:
    (box,) = enclosing(np.array([[10, 20, 4, 4, np.pi / 4]]))
    reach = 2 * np.sqrt(2)
    np.testing.assert_allclose(box, [10 - reach, 20 - reach, 10 + reach, 20 + reach])


@pytest.mark.parametrize("columns", [3, 10])
def test_other_columns_are_told(columns, encoder, frame) -> None:
    with pytest.raises(DataError, match=rf"\(1, {columns}\)"):
        encoder.get_features(np.ones((1, columns)), frame)


@pytest.mark.parametrize("columns", [4, 5, 6, 7])
def test_no_boxes_give_features_of_the_right_length(columns, encoder, frame) -> None:
    assert encoder.get_features(np.empty((0, columns)), frame).shape == (0, encoder.embedding_dim)


def test_it_says_what_it_needs(extractor) -> None:
    assert not BoxmotEncoder(extractor).requirements.masks
    theirs = SimpleNamespace(masks=False)
    assert BoxmotEncoder(extractor, requirements=theirs).requirements is theirs


def test_each_frame_gets_its_own_rows(encoder, frame, boxes) -> None:
    frames = [SimpleNamespace(image=torch.from_numpy(frame).permute(2, 0, 1))] * 3
    found = [
        SimpleNamespace(geometry=SimpleNamespace(values=torch.from_numpy(some)))
        for some in (boxes, boxes[:0], boxes[:1])
    ]
    rows = encoder.encode(frames, found)
    assert [tuple(each.shape) for each in rows] == [(2, 24), (0, 24), (1, 24)]
    assert all(each.dtype == torch.float32 and each.is_contiguous() for each in rows)
    torch.testing.assert_close(rows[0][:1], rows[2])


def test_frames_and_detections_must_be_as_many(encoder) -> None:
    with pytest.raises(UserError, match="1 frame, detections of 0"):
        encoder.encode([SimpleNamespace()], [])

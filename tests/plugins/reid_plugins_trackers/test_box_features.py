"""Rows of features for boxes: how many calls, and what a box that holds no pixel gets."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from reid_plugins_trackers.box_features import BoxFeatures, first_four, unit_rows

from reidcore.errors import DataError, UserError

NOWHERE = {
    "outside": (200, 10, 240, 60),
    "no area": (10, 10, 10, 60),
    "no number": (10, np.nan, 40, 60),
    "turned around": (40, 60, 10, 10),
}


class Recorder:
    """An extractor that keeps what it was asked for."""

    feature_dim = 3

    def __init__(self) -> None:
        self.asked: list[int] = []

    def crops(self, frame, boxes, format="xyxy", color="rgb"):
        self.asked.append(len(boxes))
        return torch.ones(len(boxes), 3)

    def __call__(self, images):
        self.asked.append(len(images))
        return torch.ones(len(images), 3)


def test_all_boxes_of_a_frame_are_one_call(frame, boxes) -> None:
    recorder = Recorder()
    rows, held = BoxFeatures(recorder).of(frame, np.vstack([boxes] * 20), "xyxy", "rgb")
    assert recorder.asked == [40]
    assert rows.shape == (40, 3)
    assert held.all()


@pytest.mark.parametrize("none", [[], np.empty((0, 4)), np.empty((0, 6))])
def test_no_boxes_ask_for_nothing(none, frame) -> None:
    recorder = Recorder()
    rows, held = BoxFeatures(recorder).of(frame, first_four(none), "xyxy", "rgb")
    assert (rows.shape, rows.dtype, held.shape) == ((0, 3), np.float32, (0,))
    assert recorder.asked == []


@pytest.mark.parametrize("box", NOWHERE.values(), ids=NOWHERE)
def test_a_box_without_a_pixel_gets_the_features_of_black(box, extractor, frame, boxes) -> None:
    given = np.vstack([boxes[:1], [box], boxes[1:]])
    features = BoxFeatures(extractor)
    rows = features.filled(frame, given, "xyxy", "rgb")
    black = extractor([np.zeros((8, 4, 3), dtype=np.uint8)])
    np.testing.assert_allclose(rows[1], unit_rows(black)[0], atol=1e-6)
    np.testing.assert_allclose(rows[[0, 2]], unit_rows(extractor.crops(frame, boxes)), atol=1e-6)
    assert features.blank_count == 1
    rows, held = features.of(frame, given, "xyxy", "rgb")
    assert held.tolist() == [True, False, True]
    assert not rows[1].any()


def test_frames_of_such_boxes_alone_are_no_call(frame) -> None:
    recorder = Recorder()
    found = BoxFeatures(recorder).of(frame, [NOWHERE["outside"]], "xyxy", "rgb")
    assert not found.held.any()
    assert recorder.asked == []


def test_the_first_is_logged_and_all_are_counted(extractor, frame, caplog) -> None:
    features = BoxFeatures(extractor)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            features.filled(frame, [NOWHERE["outside"], NOWHERE["no area"]], "xyxy", "rgb")
    assert features.blank_count == 6
    assert len(caplog.records) == 1
    assert "row 0" in caplog.text
    assert "features of a black image" in caplog.text


def test_who_gets_no_features_is_not_told_of_black_ones(extractor, frame, caplog) -> None:
    with caplog.at_level(logging.WARNING):
        _, held = BoxFeatures(extractor).of(frame, [NOWHERE["outside"]], "xyxy", "rgb")
    assert not held.any()
    assert "gets no features" in caplog.text
    assert "black" not in caplog.text


def test_or_it_is_an_error(extractor, frame, boxes) -> None:
    features = BoxFeatures(extractor, on_bad="raise")
    with pytest.raises(DataError, match="row 2"):
        features.of(frame, [*boxes, NOWHERE["outside"]], "xyxy", "rgb")
    with pytest.raises(DataError, match="crop 0 of 1 is empty"):
        features.of_crops([np.zeros((0, 4, 3), dtype=np.uint8)], "rgb")


def test_a_box_half_outside_is_its_part_inside(extractor, frame) -> None:
    features = BoxFeatures(extractor)
    beyond = features.filled(frame, [(60, 30, 400, 300)], "xyxy", "rgb")
    inside = features.filled(frame, [(60, 30, 120, 90)], "xyxy", "rgb")
    np.testing.assert_array_equal(beyond, inside)
    assert features.blank_count == 0


@pytest.mark.parametrize(
    "frame",
    [np.zeros((9, 9, 3)), np.zeros((3, 9, 9), dtype=np.uint8), np.zeros((9, 9), dtype=np.uint8)],
    ids=["floats", "channels first", "grey"],
)
def test_what_is_no_frame_is_told(frame, extractor) -> None:
    with pytest.raises(DataError, match="the frame is"):
        BoxFeatures(extractor).of(frame, [(0, 0, 5, 5)], "xyxy", "rgb")


@pytest.mark.parametrize(
    "rows", [np.zeros((2, 3)), np.zeros((2, 2, 4)), [[1, 2, 3, 4], [1]], ["a"]]
)
def test_what_are_no_boxes_is_told(rows) -> None:
    with pytest.raises(DataError, match="the boxes are"):
        first_four(rows)


def test_one_box_alone_is_a_row() -> None:
    assert first_four([1, 2, 3, 4, 0.9]).tolist() == [[1, 2, 3, 4]]


def test_threads_get_what_one_gets(extractor, frame, boxes) -> None:
    features = BoxFeatures(extractor)
    given = [*boxes, NOWHERE["outside"]]
    alone = features.filled(frame, given, "xyxy", "rgb")
    with ThreadPoolExecutor(8) as pool:
        together = pool.map(lambda _: features.filled(frame, given, "xyxy", "rgb"), range(40))
        for rows in together:
            np.testing.assert_array_equal(rows, alone)
    assert features.blank_count == 41


def test_what_is_no_extractor_is_told() -> None:
    with pytest.raises(UserError, match="str is no extractor"):
        BoxFeatures("model.pth")
    with pytest.raises(UserError, match="on_bad='zero'"):
        BoxFeatures(Recorder(), on_bad="zero")

"""Boxes of a frame: three forms of the same, what is cut by them, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reidcore.errors import DataError, UserError
from reidcore.inference import boxes_as_xyxy, cut_crops

CORNERS = [[10.0, 20.0, 40.0, 80.0]]
FRAME = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("boxes", "format"),
    [
        (CORNERS, "xyxy"),
        ([[25, 50, 30, 60]], "xywh"),
        ([[10, 20, 30, 60]], "ltwh"),
        (np.array([10, 20, 30, 60], np.float32), "ltwh"),
        (torch.tensor([[10, 20, 30, 60]]), "ltwh"),
    ],
)
def test_each_format_tells_the_same_corners(boxes, format) -> None:
    np.testing.assert_array_equal(boxes_as_xyxy(boxes, format), CORNERS)


@pytest.mark.parametrize("nothing", [[], np.zeros((0, 4)), np.zeros(0), torch.zeros(0, 4)])
@pytest.mark.parametrize("format", ["xyxy", "xywh", "ltwh"])
def test_of_nothing_there_are_no_boxes(nothing, format) -> None:
    assert boxes_as_xyxy(nothing, format).shape == (0, 4)
    assert cut_crops(FRAME, nothing, format) == []


@given(st.lists(st.tuples(*[st.floats(-100, 200)] * 4), min_size=1, max_size=5))
def test_what_is_clipped_lies_in_the_frame_and_the_rest_is_unchanged(boxes) -> None:
    whole, clipped = boxes_as_xyxy(boxes), boxes_as_xyxy(boxes, "xyxy", FRAME.shape)
    assert clipped.min() >= 0
    assert (clipped <= [64, 48, 64, 48]).all()
    inside = (whole >= 0).all(axis=1) & (whole <= [64, 48, 64, 48]).all(axis=1)
    np.testing.assert_array_equal(whole[inside], clipped[inside])


@pytest.mark.parametrize(
    ("box", "rows", "columns"),
    [
        ((3, 5, 20, 30), (5, 30), (3, 20)),
        ((2.6, 5.4, 20.4, 29.6), (5, 30), (3, 20)),
        ((-9, -4, 20, 30), (0, 30), (0, 20)),
        ((50, 40, 900, np.inf), (40, 48), (50, 64)),
    ],
)
def test_a_crop_is_the_frame_inside_of_its_box_in_rgb(box, rows, columns) -> None:
    wanted = FRAME[slice(*rows), slice(*columns)]
    (crop,) = cut_crops(FRAME, [box])
    np.testing.assert_array_equal(crop, wanted)
    (turned,) = cut_crops(FRAME, [box], color="bgr")
    np.testing.assert_array_equal(turned, wanted[..., ::-1])


BAD = [
    (5, 5, 5, 9),
    (9, 5, 4, 9),
    (5, 5, 5.3, 9),
    (70, 5, 90, 9),
    (-9, -9, -1, -1),
    (np.nan, 5, 9, 9),
]


@pytest.mark.parametrize("box", BAD)
def test_a_box_without_a_pixel_of_the_frame_is_told_by_its_row_or_left_out(box) -> None:
    boxes = [(0, 0, 9, 9), box, (1, 1, 4, 4)]
    with pytest.raises(DataError, match=r"row 1 of the boxes holds (NaN|no pixel of the frame)"):
        cut_crops(FRAME, boxes)
    bad = {}
    crops = cut_crops(FRAME, boxes, on_bad=bad.__setitem__)
    assert [crop.shape for crop in crops] == [(9, 9, 3), (3, 3, 3)]
    assert list(bad) == [1]


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ("frame.jpg", "the frame is of type str. Give an array"),
        (FRAME.transpose(2, 0, 1), r"Bring the channels last: frame.transpose\(1, 2, 0\)"),
        (FRAME[..., 0], r"the frame is \(48, 64\) of uint8"),
        (FRAME[None], "Give one frame of three channels"),
        (FRAME / 255, r"float64, .*Scale it to 0..255"),
        (FRAME[:0], r"\(0, 64, 3\)"),
    ],
)
def test_what_is_no_frame_is_refused_with_the_fix(frame, message) -> None:
    with pytest.raises(DataError, match=message):
        cut_crops(frame, CORNERS)


@pytest.mark.parametrize(
    ("boxes", "message"),
    [
        ([[1, 2, 3]], r"the boxes are \(1, 3\), not \(N, 4\)"),
        (np.zeros((2, 6)), r"Leave scores and classes out: boxes\[:, :4\]"),
        ([[1, 2, 3, 4], [1, 2]], "the boxes are no rows of numbers"),
        ([["a", 2, 3, 4]], "the boxes are no rows of numbers"),
    ],
)
def test_what_are_no_boxes_is_refused(boxes, message) -> None:
    with pytest.raises(DataError, match=message):
        boxes_as_xyxy(boxes)


def test_formats_and_colours_that_there_are_not() -> None:
    with pytest.raises(UserError, match=r"no format 'xyhw'. Did you mean 'xywh'"):
        boxes_as_xyxy(CORNERS, "xyhw")
    with pytest.raises(UserError, match=r"color='BGR'. Use rgb, or bgr"):
        cut_crops(FRAME, CORNERS, color="BGR")

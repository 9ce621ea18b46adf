"""Reading and writing tracks as text."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_link.boxes import read_boxes, write_boxes

from reidcore.errors import DataError


def test_rows_come_in_the_order_of_tracks_and_frames(mot, tmp_path) -> None:
    path = mot(
        tmp_path / "a.txt",
        (3, 2, 5, 6, 7, 8, 0.5, -1, -1, -1),
        (1, 2, 1, 2, 3, 4, 97, -1, -1, -1),
        (4, 2, 1, 2, 3, 4, -0.2, -1, -1, -1),
        (2, 1, 9.5, 8, 7, 6, -1, -1, -1, -1),
    )
    boxes = read_boxes(path)
    assert boxes.tracks.tolist() == [1, 2, 2, 2]
    assert boxes.frames.tolist() == [2, 1, 3, 4]
    assert boxes.places[0].tolist() == [9.5, 8, 7, 6]
    assert boxes.confidence.tolist() == [1.0, 1.0, 0.5, 0.0]  # scores of any scale are clipped
    assert boxes.visibility.tolist() == [1.0] * 4


def test_six_columns_are_enough_and_spaces_separate_too(tmp_path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(
        "frame id left top width height\n1, 4, 10  20;30 40,,\n\n2 4 11 20 30 40 0.25\n"
    )
    boxes = read_boxes(path)
    assert boxes.frames.tolist() == [1, 2]
    assert boxes.confidence.tolist() == [1.0, 0.25]


def test_truth_leaves_out_what_does_not_count(mot, tmp_path) -> None:
    path = mot(tmp_path / "gt.txt", (1, 1, 0, 0, 9, 9, 1, 1, 0.4), (1, 2, 0, 0, 9, 9, 0, 7, 1.0))
    boxes = read_boxes(path, is_truth=True)
    assert boxes.tracks.tolist() == [1]
    assert boxes.visibility.tolist() == [0.4]
    assert boxes.confidence.tolist() == [1.0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1,1,3,4,5,6\n2,1,3,x,5,6\n", "line 2 has 'x' as top"),
        ("1,1,3,4,5,6\n1,1,7,4,5,6\n", r"line 2 .*\(frame 1, id 1\) has a track a second time"),
        ("0,1,3,4,5,6\n", "line 1 .* before 1. Frames are counted from 1: add 1"),
        ("1,-1,3,4,5,6\n", "no id, as detections"),
    ],
)
def test_what_is_no_track_is_told_with_its_line(tmp_path, text, told) -> None:
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(DataError, match=told):
        read_boxes(tmp_path / "a.txt")


def test_boxes_without_area_are_left_out_and_told(mot, tmp_path, caplog) -> None:
    path = mot(tmp_path / "a.txt", (1, 1, 3, 4, 0, 6), (2, 1, 3, 4, 5, 6))
    assert read_boxes(path).frames.tolist() == [2]
    assert "1 row left out (boxes without area)" in caplog.text
    assert "a.txt:1" in caplog.text
    with pytest.raises(DataError, match="has boxes without area alone"):
        read_boxes(mot(tmp_path / "a.txt", (1, 1, 3, 4, 0, 6)))


rows = st.tuples(
    st.integers(1, 50), st.integers(0, 9),
    *[st.integers(-5000, 5000).map(lambda n: n / 100)] * 2,
    *[st.integers(1, 5000).map(lambda n: n / 100)] * 2,
    st.integers(0, 1000).map(lambda n: n / 1000),
)  # fmt: skip


@given(st.lists(rows, min_size=1, max_size=20, unique_by=lambda row: row[:2]))
def test_what_is_written_is_read_again(tmp_path_factory, table) -> None:
    path = tmp_path_factory.mktemp("mot") / "a.txt"
    path.write_text("".join(",".join(map(str, row)) + "\n" for row in table))
    boxes = read_boxes(path)
    file = io.BytesIO()
    write_boxes(file, boxes, boxes.tracks)
    path.write_bytes(file.getvalue())
    again = read_boxes(path)
    for name in ("frames", "tracks", "places", "confidence"):
        np.testing.assert_allclose(getattr(again, name), getattr(boxes, name), atol=1e-9)

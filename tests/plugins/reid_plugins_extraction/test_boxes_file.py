"""Boxes as text: rows of several writers, and rows that are none."""

from __future__ import annotations

import numpy as np
import pytest
from reid_plugins_extraction.boxes_file import read_boxes

from reidcore.errors import DataError


def test_rows_are_sorted_by_frame_whatever_separates_them(boxes) -> None:
    table = read_boxes(boxes)
    assert len(table) == 4
    assert table.frames.tolist() == [1, 1, 2, 5]
    assert table.tracks.tolist() == [7, 8, 7, -1]
    np.testing.assert_array_equal(table.boxes[[0, 3]], [[4, 4, 20, 30], [0, 0, 64, 48]])
    assert table.confidence.tolist() == [0.5, 0.9, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no boxes. Each row is: frame, id"),
        ("1,2,3,4,5\n", "line 1 of .* has 5 columns, and not 6 or more"),
        ("1,2,3,4,5,6\n1,2,3,a,5,6\n", "line 2 of .* is no row of numbers: '1 2 3 a 5 6'"),
        ("1.5,2,3,4,5,6\n", "no whole frame and id"),
        ("1,2,3,4,nan,6\n", "no finite box"),
        ("0,2,3,4,5,6\n", "of frame 0. Frames are counted from 1"),
    ],
)
def test_a_row_that_is_none_is_told_by_its_line(tmp_path, text, message) -> None:
    (tmp_path / "b.txt").write_text(text)
    with pytest.raises(DataError, match=message):
        read_boxes(tmp_path / "b.txt")


def test_a_file_that_is_none(tmp_path) -> None:
    with pytest.raises(DataError, match=r"gone.txt' cannot be read: No such file"):
        read_boxes(tmp_path / "gone.txt")
    (tmp_path / "b.bin").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="is no text"):
        read_boxes(tmp_path / "b.bin")

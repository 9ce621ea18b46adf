"""Boxes as text: rows of several writers, and rows that are none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from reid_plugins_tracks.mot import is_mot, read_mot

from reidcore.errors import DataError

ROWS = """\
frame,id,left,top,width,height
2 7 10 5 20 30

# a note
1,7,4,4.5,20,30,0.5,2,-1
1;8;40;10;50;30;0.9;
5,-1,0,0,64,48,-1,-1,-1,-1
"""


def read(path, text: str | bytes, **options):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_mot(path, **options)


def known(values) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


def test_rows_of_several_writers(tmp_path) -> None:
    table = read(tmp_path / "a.txt", ROWS)
    assert len(table) == 4
    assert table.lines.tolist() == [2, 5, 6, 7]
    assert table.frames.tolist() == [2, 1, 1, 5]
    assert table.tracks.tolist() == [7, 7, 8, -1]
    np.testing.assert_array_equal(table.boxes[[1, 3]], [[4, 4.5, 20, 30], [0, 0, 64, 48]])
    assert known(table.confidence) == [None, 0.5, 0.9, None]
    assert known(table.category) == [None, 2, None, None]
    assert known(table.visibility) == [None] * 4
    assert not table.is_ignored.any()


@pytest.mark.parametrize("encode", ["\ufeff{}", "{}\n\n", "  {}"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_files_of_other_systems_are_read_alike(tmp_path, encode, end) -> None:
    rows = "1,2,3,4,5,6,0.5\n2,2,3,4,5,6,0.5\n".replace("\n", end)
    table = read(tmp_path / "a.txt", encode.format(rows))
    assert table.frames.tolist() == [1, 2]
    assert table.confidence.tolist() == [0.5, 0.5]


def test_ground_truth_is_known_by_its_visibility(tmp_path) -> None:
    rows = "1,1,10,5,8,16,1,1,0.9\n1,2,30,6,9,18,0,8,1\n1,3,1,1,2,2,0,8,-1\n"
    table = read(tmp_path / "a.txt", rows)
    assert table.is_ignored.tolist() == [False, True, False]
    assert known(table.visibility) == [0.9, 1, None]
    assert known(table.confidence) == [None, None, 0]
    assert not read(tmp_path / "a.txt", rows, is_truth=False).is_ignored.any()
    assert read(tmp_path / "a.txt", rows, is_truth=True).is_ignored.tolist() == [False, True, True]


def test_the_last_of_ten_columns_are_a_place_in_the_world(tmp_path) -> None:
    table = read(tmp_path / "gt.txt", "1,1,10,5,8,16,0,3.5,4,1\n", is_truth=True)
    assert known(table.category) == known(table.visibility) == [None]
    assert table.is_ignored.tolist() == [True]


def test_rows_are_taken_and_repetitions_found(tmp_path) -> None:
    rows = "1,1,0,0,9,9\n1,2,0,0,9,9\n1,1,5,5,9,9\n1,-1,0,0,9,9\n1,-1,0,0,9,9\n2,1,0,0,9,9\n"
    table = read(tmp_path / "a.txt", rows)
    assert np.flatnonzero(table.repeated()).tolist() == [2]
    assert table.take(table.tracks == 1).lines.tolist() == [1, 3, 6]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"has no boxes\. A row is: frame, id"),
        ("frame,id,left,top,width,height\n", "has no boxes"),
        ("1,2,3,4,5\n", "1 row of .* line 1 has 5 columns, not 6 to 10"),
        ("1,2,3,4,5,6,7,8,9,10,11\n", "line 1 has 11 columns, not 6 to 10"),
        ("1,2,3,4,5,6\n1,2,3,a,5,6\n", "line 2 has 'a' as top, where a finite number stands"),
        ("1,2_10,3,4,5,6\n", "line 1 has '2_10' as id, where a finite number stands"),
        ("1,2,3,4,5,6\nframe,id,a,b,c,d\n", "line 2 has 'frame' as frame"),
        ("1,1,,4,5,6,7\n", "line 1 has '' as left"),
        (",1,1,4,5,6,7\n", "line 1 has '' as frame"),
        ("1.5,2,3,4,5,6\n", "line 1 has a frame or id that is no whole number"),
        ("1,1.5,3,4,5,6\n", "line 1 has a frame or id that is no whole number"),
        ("1e30,1,3,4,5,6\n", "line 1 has a frame or id that is no whole number"),
        ("1,2,3,4,nan,6\n", "line 1 has 'nan' as width"),
        ("1,2,3,4,inf,6\n", "line 1 has 'inf' as width"),
        ("1,2,3,4,5,6,inf\n", "line 1 has 'inf' as confidence"),
        ("-1,2,3,4,5,6\n", "line 1 is of frame -1, and frames are counted from 1"),
        ("frame,id,x1,y1,x2,y2\n1,2,3,4,5,6\n", "line 1 names right and bottom, where width"),
        ("1,2\n" * 5, "5 rows of .*: line 1 .*; line 2 .*; line 3 has 2 columns, not 6 to 10. A"),
    ],
)
def test_rows_that_are_none_are_told_by_their_lines(tmp_path, text, message) -> None:
    with pytest.raises(DataError, match=message):
        read(tmp_path / "b.txt", text)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe1\x00,\x00", b"\x1f\x8b\x08\x00", "1,2,3,4,5,6 é".encode("latin-1")]
)
def test_a_file_that_is_no_text(tmp_path, content) -> None:
    with pytest.raises(DataError, match=r"is no text in UTF-8\. Unpack it, or save it so"):
        read(tmp_path / "b.txt", content)


def test_a_file_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(DataError, match=r"gone.txt' cannot be read: No such file"):
        read_mot(tmp_path / "gone.txt")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        read_mot(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "is_so"),
    [
        ("a.txt", ROWS, True),
        ("a.csv", "# frame_id, track_id\n\n1,2,3,4,5,6\n", True),
        ("a.txt", "to be done\n", False),
        ("a.txt", "frame,id,left,top,width,height\n", False),
        ("a.jpg", ROWS, False),
        ("a.txt", "", False),
    ],
)
def test_files_of_rows_are_known_by_the_first(tmp_path, name, text, is_so) -> None:
    (tmp_path / name).write_text(text)
    assert is_mot(tmp_path / name) == is_so

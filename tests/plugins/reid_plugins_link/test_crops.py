"""Which crops are looked at."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_link.boxes import Boxes
from reid_plugins_link.crops import box_quality, choose_crops, covered
from reid_plugins_link.tracklets import gather


def boxes_of(rows) -> Boxes:
    table = np.array([(*row, 1.0, 1.0)[:8] for row in rows], dtype=np.float64)
    table = table[np.lexsort((table[:, 0], table[:, 1]))]
    whole = table[:, :2].astype(np.int64)
    return Boxes(whole[:, 0], whole[:, 1], table[:, 2:6], table[:, 6], table[:, 7])


def chosen(rows, count):
    tracklets = gather(["a"], [boxes_of(rows)], {"a": (1.0, 0.0)})
    crops = choose_crops(tracklets, count)
    return tracklets.boxes[0].frames[crops.row].tolist(), crops


def test_each_part_of_a_track_gives_its_best() -> None:
    sure = {2: 0.9, 5: 0.8, 9: 0.99}
    rows = [(f, 1, 0, 0, 20, 50, sure.get(f, 0.5)) for f in range(1, 10)]
    assert chosen(rows, 3)[0] == [2, 5, 9]


def test_short_tracks_give_all_they_have() -> None:
    rows = [(f, 1, 0, 0, 20, 50) for f in (1, 2)]
    assert chosen(rows, 8)[0] == [1, 2]


def test_crops_come_in_the_order_of_frames() -> None:
    rows = [(f, track, 30 * track, 0, 20, 50) for track in (1, 2, 3) for f in range(1, 9)]
    frames, crops = chosen(rows, 4)
    assert frames == sorted(frames)
    assert np.bincount(crops.tracklet).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    "worse",
    [(3, 1, 0, 0, 20, 50, 0.5), (3, 1, 0, 0, 20, 50, 1, 0.5), (3, 1, 0, 0, 10, 25),
     (3, 1, 0, 0, 40, 50)],
    ids=["confidence", "visibility", "size", "shape"],
)  # fmt: skip
def test_what_lowers_the_quality(worse) -> None:
    quality = box_quality(boxes_of([(1, 1, 0, 0, 20, 50), (2, 1, 0, 0, 20, 50), worse]))
    assert quality[2] < quality[0] * 0.8


def test_a_box_behind_another_is_worse_than_the_one_in_front() -> None:
    boxes = boxes_of([(1, 1, 0, 0, 20, 50), (1, 2, 10, 5, 20, 50), (2, 1, 0, 0, 20, 50)])
    assert covered(boxes) == pytest.approx([0.45, 0, 0])  # 10 x 45 of 20 x 50; frame 2; front
    quality = box_quality(boxes)
    assert quality[0] == pytest.approx(0.55 * quality[1])


@given(st.lists(st.tuples(st.integers(1, 4), *[st.integers(0, 30)] * 2, *[st.integers(1, 30)] * 2),
                min_size=1, max_size=10))  # fmt: skip
def test_quality_is_a_share_and_never_nothing(table) -> None:
    rows = [(row[0], number, *row[1:]) for number, row in enumerate(table)]
    quality = box_quality(boxes_of(rows))
    assert ((quality > 0) & (quality <= 1)).all()

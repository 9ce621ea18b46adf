"""Which crops are wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_own_data import Crop
from reid_plugins_own_data.importing.selection import Selection

from reidcore.data import noting_left_out
from reidcore.errors import UnknownNameError


def crop(frame: int = 0, track: str = "1", **fields) -> Crop:
    return Crop(Path(f"{frame}.jpg"), frame=frame, track=track, **fields)


def chosen(crops, **options) -> tuple[list[Crop], dict[str, int]]:
    with noting_left_out("test") as left_out:
        kept = Selection(**options).of(crops)
    return kept, {each.why: each.count for each in left_out}


def test_every_k_th_crop_of_each_track_counts_from_its_first() -> None:
    crops = [crop(frame, track) for track in "ab" for frame in (9, 3, 5, 7, 11)]
    kept, left_out = chosen(crops, every=2)
    expected = [(track, frame) for track in "ab" for frame in (3, 7, 11)]
    assert sorted((each.track, each.frame) for each in kept) == expected
    assert left_out == {"of frames between those that are wanted": 4}


def test_at_most_so_many_of_a_track_are_spread_over_it() -> None:
    kept, _ = chosen([crop(frame) for frame in range(12)], max_per_track=3)
    assert [each.frame for each in kept] == [2, 6, 10]
    kept, _ = chosen([crop(frame) for frame in range(12)], every=2, max_per_track=1)
    assert [each.frame for each in kept] == [6]


def test_tracks_of_one_number_are_apart_by_sequence_camera_and_class() -> None:
    crops = [
        crop(frame, sequence=sequence, camid=camid, category=category)
        for frame in (0, 1)
        for sequence in "ab"
        for camid in "cd"
        for category in "ef"
    ]
    kept, _ = chosen(crops, max_per_track=1)
    assert len(kept) == 8


def test_classes_visibility_and_size_are_counted_by_reason() -> None:
    crops = [
        crop(category="car", visibility=0.5, box=(0, 0, 20, 20)),
        crop(category="van", visibility=0.9, box=(0, 0, 20, 20)),
        crop(category="car", visibility=0.2, box=(0, 0, 20, 20)),
        crop(category="car", visibility=None, box=(0, 0, 20, 9)),
        crop(category="car", visibility=None, box=(0, 0, 20, 20)),
    ]
    kept, left_out = chosen(crops, classes=("car",), min_visibility=0.5, min_size=(10, 10))
    assert kept == [crops[0], crops[4]]
    assert left_out == {
        "of other classes than car": 1,
        "visible to less than 0.5": 1,
        "smaller than 10x10 pixels": 1,
    }


def test_a_least_visibility_that_nothing_tells_is_told(caplog) -> None:
    known, unknown = crop(visibility=0.9), crop()
    assert Selection(min_visibility=0.5).of([known, unknown]) == [known, unknown]
    assert caplog.text == ""
    assert Selection(min_visibility=0.5).of([unknown]) == [unknown]
    assert "Nothing says how much of anything is visible" in caplog.text


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (0, 0, 5, -1), (float("nan"), 0, 5, 5)])
def test_boxes_without_area_are_told(box, caplog) -> None:
    assert Selection().of([crop(box=box)]) == []
    assert "1 crop left out (their boxes have no area)" in caplog.text


def test_crops_of_nobody_are_left_out() -> None:
    kept, left_out = chosen([crop(track="-1"), crop(track=""), Crop(Path("a"), pid=" -1 ")])
    assert kept == []
    assert left_out == {"of identity -1": 2, "nothing says whom they show": 1}


def test_a_class_that_is_not_there_is_told_with_the_nearest() -> None:
    crops = [crop(category="bicycle"), crop(category="car")]
    with pytest.raises(UnknownNameError, match=r"no class 'bycicle'\. Did you mean 'bicycle'\?"):
        Selection(classes=("bycicle",)).of(crops)
    with pytest.raises(UnknownNameError, match="It names no classes at all"):
        Selection(classes=("car",)).of([crop()])


@given(
    st.lists(st.tuples(st.integers(0, 50), st.sampled_from("abc")), max_size=40, unique=True),
    st.integers(1, 5),
    st.integers(0, 4),
)
def test_each_track_keeps_its_share_and_no_track_is_lost(pairs, every, most) -> None:
    crops = [crop(frame, track) for frame, track in pairs]
    kept = Selection(every=every, max_per_track=most).of(crops)
    assert [each for each in crops if each in kept] == kept
    for track in {track for _, track in pairs}:
        there = sum(each.track == track for each in crops)
        expected = -(-there // every)
        assert sum(each.track == track for each in kept) == min(expected, most or expected)

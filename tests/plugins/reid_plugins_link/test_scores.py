"""Scores by the truth, against cases that were worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reid_plugins_link.boxes import Boxes
from reid_plugins_link.scores import matching_boxes, score
from reid_plugins_link.tracklets import gather


def boxes_of(rows) -> Boxes:
    """Make boxes of (frame, track, left): all 10 wide and 10 high."""
    table = np.array(sorted(rows, key=lambda row: (row[1], row[0])), dtype=np.float64)
    table = table.reshape(-1, 3)
    places = np.column_stack([table[:, 2], np.zeros(len(table)), np.full((len(table), 2), 10.0)])
    whole, ones = table[:, :2].astype(np.int64), np.ones(len(table))
    return Boxes(whole[:, 0], whole[:, 1], places, ones, ones)


def world(found, truth):
    cameras = sorted(found)
    tracklets = gather(
        cameras, [boxes_of(found[k]) for k in cameras], dict.fromkeys(cameras, (1, 0))
    )
    return tracklets, {name: boxes_of(rows) for name, rows in truth.items()}


def along(track, frames, left=0):
    return [(frame, track, left) for frame in frames]


def test_two_cameras_worked_by_hand() -> None:
    """Ten true boxes of person 1; a finds all five of its own, b three of five, and one of air."""
    tracklets, truth = world(
        {"a": along(1, range(1, 6)), "b": [*along(1, range(11, 14)), (11, 2, 500)]},
        {"a": along(1, range(1, 6)), "b": along(1, range(11, 16))},
    )
    joined = score(tracklets, np.array([1, 1, 2]), truth)
    # 8 boxes rightly bear the one identity, of 9 found and 10 true ones.
    assert joined.found.idp == pytest.approx(8 / 9)
    assert joined.found.idr == pytest.approx(8 / 10)
    assert joined.found.idf1 == pytest.approx(16 / 19)
    assert joined.alone.idf1 == pytest.approx(10 / 19)  # the five of a alone
    assert joined.at_best == joined.found
    assert (joined.joins.precision, joined.joins.recall, joined.joins.nobody) == (1.0, 1.0, 1)
    assert joined.joins.purity == pytest.approx(8 / 9)


def test_a_wrong_join_costs_precision_and_purity() -> None:
    found = {"a": [*along(1, range(1, 5)), *along(2, range(1, 5), 50)], "b": along(1, range(9, 11))}
    truth = {"a": found["a"], "b": along(1, range(9, 11))}
    tracklets, true = world(found, truth)
    wrong = score(tracklets, np.array([1, 2, 2]), true)  # b's track with person 2
    assert wrong.joins.precision == 0.0
    assert wrong.joins.recall == 0.0
    assert wrong.joins.purity == pytest.approx(8 / 10)
    assert wrong.found.idf1 == pytest.approx(8 / 10)
    assert wrong.at_best.idf1 == 1.0


def test_matching_is_one_over_all_cameras() -> None:
    """Found identity 1 is person 1 at a, and person 2 at b: it is matched to one of them."""
    found = {"a": along(1, range(1, 4)), "b": along(1, range(1, 6))}
    tracklets, true = world(found, {"a": along(1, range(1, 4)), "b": along(2, range(1, 6))})
    assert score(tracklets, np.array([1, 1]), true).found.idf1 == pytest.approx(5 / 8)


def test_a_track_belongs_to_whom_most_of_its_boxes_are() -> None:
    switched = [*along(1, range(1, 4)), *along(1, range(4, 9), 50)]
    truth = {
        "a": [*along(1, range(1, 9)), *along(2, range(1, 9), 50)],
        "b": along(2, range(20, 22)),
    }
    tracklets, true = world({"a": switched, "b": along(1, range(20, 22))}, truth)
    assert score(tracklets, np.array([1, 1]), true).joins.precision == 1.0


def test_cameras_without_truth_do_not_count() -> None:
    found = {"a": along(1, range(1, 4)), "b": along(1, range(9, 12))}
    tracklets, true = world(found, {"a": along(1, range(1, 4))})
    scores = score(tracklets, np.array([1, 1]), true)
    assert scores.found.idf1 == 1.0
    assert scores.joins.precision == 1.0
    assert scores.found.boxes == 3


def test_boxes_match_from_half_an_overlap_on() -> None:
    a, b, overlap = matching_boxes(
        boxes_of([(1, 1, 0), (2, 1, 0)]), boxes_of([(1, 1, 3), (2, 1, 4)])
    )
    assert (a.tolist(), b.tolist()) == ([0], [0])
    assert overlap[0] == pytest.approx(7 / 13)


visits = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 60)), min_size=1,
                  max_size=12, unique_by=lambda row: row[:2])  # fmt: skip


@given(visits, visits, st.integers(0, 2**32))
def test_scores_are_shares_and_the_truth_s_joins_are_best(found, truth, seed) -> None:
    tracklets, true = world({"a": found, "b": along(1, range(1, 3))}, {"a": truth})
    identity = np.random.default_rng(seed).integers(1, 4, len(tracklets))
    scores = score(tracklets, identity, true)
    for each in (scores.found, scores.alone, scores.at_best):
        assert 0 <= each.idf1 <= 1
        assert min(each.idp, each.idr) - 1e-9 <= each.idf1 <= max(each.idp, each.idr) + 1e-9
    assert 0 <= scores.joins.purity <= 1
    own = {name: tracklets.boxes[k] for k, name in enumerate(tracklets.cameras)}
    by_track = score(tracklets, np.arange(len(tracklets)), own)
    assert by_track.alone.idf1 >= by_track.found.idf1 - 1e-9

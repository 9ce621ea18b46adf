from __future__ import annotations

import numpy as np
from reid_plugins_report.evidence.pairs import listen
from reid_plugins_report.evidence.rankings import RankingsOf, hardest

from reidcore.data import SampleTable
from reidcore.evaluation import Labels, MatrixDistances, SameIdentity, evaluate


def test_the_hardest_are_one_of_each_identity_and_none_that_was_skipped() -> None:
    ap = np.array([0.9, 0.2, np.nan, 0.1, 0.5, 0.2])
    pids = np.array([1, 2, 3, 2, 1, 4])
    assert hardest(ap, pids, 10).tolist() == [3, 5, 4]
    assert hardest(ap, pids, 2).tolist() == [3, 5]


def test_rankings_leave_out_what_is_ignored_and_put_a_tied_match_last() -> None:
    query = SampleTable.of([("q0", 7, 0), ("q1", 8, 0)])
    gallery = SampleTable.of(
        [("own", 7, 0), ("match", 7, 1), ("tied", 9, 1), ("far", 8, 1), ("near", 9, 2)]
    )
    matrix = MatrixDistances(np.array([[0.0, 2, 2, 5, 1], [1, 2, 3, 4, 5]]))
    labels = Labels.from_samples(query, gallery)
    relations, result = SameIdentity(labels), evaluate(matrix, labels)
    ranked = RankingsOf(np.array([1, 0]), topk=3)
    listen(matrix, relations, [ranked])
    found = ranked.done(query, gallery, result.ap)
    assert found.path.tolist() == ["q1", "q0"]
    assert found.item_path.tolist() == [["own", "match", "tied"], ["near", "tied", "match"]]
    assert found.matched.tolist() == [[False] * 3, [False, False, True]]
    assert found.distance.tolist() == [[1, 2, 3], [1, 2, 2]]
    assert found.first_rank.tolist() == result.first_rank[[1, 0]].tolist() == [4, 3]
    assert found.match_path.tolist() == ["far", "match"]
    assert found.num_matches.tolist() == [1, 1]


def test_a_tied_match_is_first_where_ties_are_optimistic() -> None:
    query = SampleTable.of([("q", 7, 0)])
    gallery = SampleTable.of([("near", 9, 1), ("tied", 9, 1), ("match", 7, 1)])
    matrix, labels = MatrixDistances([[1.0, 2.0, 2.0]]), Labels([7], [9, 9, 7], [0], [1, 1, 1])
    result = evaluate(matrix, labels, ties="optimistic")
    ranked = RankingsOf(np.array([0]), topk=3, ties="optimistic")
    listen(matrix, SameIdentity(labels), [ranked])
    found = ranked.done(query, gallery, result.ap)
    assert found.item_path.tolist() == [["near", "match", "tied"]]
    assert found.first_rank.tolist() == result.first_rank.tolist() == [2]


def test_a_short_gallery_leaves_empty_places() -> None:
    query, gallery = SampleTable.of([("q", 1, 0)]), SampleTable.of([("a", 1, 0), ("b", 1, 1)])
    matrix, labels = MatrixDistances([[1.0, 2.0]]), Labels([1], [1, 1], [0], [0, 1])
    ranked = RankingsOf(np.array([0]), topk=2)
    listen(matrix, SameIdentity(labels), [ranked])
    found = ranked.done(query, gallery, evaluate(matrix, labels).ap)
    assert found.item_path.tolist() == [["b", ""]]
    assert found.matched.tolist() == [[True, False]]

from __future__ import annotations

import numpy as np
from reid_plugins_report.evidence.look_alikes import NearestNonmatches, distinct_pairs
from reid_plugins_report.evidence.pairs import listen

from reidcore.data import SampleTable
from reidcore.evaluation import Labels, MatrixDistances, SameIdentity


def test_matches_and_ignored_items_are_no_look_alikes() -> None:
    query = SampleTable.of([("q0", 1, 0), ("q1", 2, 0), ("q2", 1, 1)])
    gallery = SampleTable.of([("g0", 1, 0), ("g1", 1, 1), ("g2", 2, 1), ("g3", 3, 1)])
    matrix = np.array([[0.0, 0.1, 0.4, 0.9], [0.3, 0.6, 0.0, 0.2], [0.0, 0.0, 0.5, 0.7]])
    before = matrix.copy()
    distances, labels = MatrixDistances(matrix), Labels.from_samples(query, gallery)
    nearest = NearestNonmatches(3)
    listen(distances, SameIdentity(labels), [nearest])
    found = nearest.done(query, gallery, 5)
    # Query 2 is of the same two identities as query 0, which is nearer.
    assert found.path.tolist() == ["q1", "q0"]
    assert found.item_path.tolist() == ["g3", "g2"]
    assert found.distance.tolist() == [0.2, 0.4]
    np.testing.assert_array_equal(matrix, before)


def test_a_query_without_a_nonmatch_has_no_look_alike() -> None:
    distance, pids = np.array([np.inf, 1.0]), np.array([1, 2])
    assert distinct_pairs(distance, pids, np.array([3, 3]), 5).tolist() == [1]

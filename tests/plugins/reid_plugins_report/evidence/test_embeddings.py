from __future__ import annotations

import numpy as np
import torch
from reid_plugins_report.evidence.embeddings import (
    MOST_OF_ONE,
    chosen_rows,
    embeddings_of,
    principal_components,
)

from reidcore.data import SampleTable
from reidcore.engine import TestSet


def test_whole_identities_are_chosen_as_far_as_there_is_room() -> None:
    pids = np.repeat([1, 2, 3, -1], [5, 5, 5, 50])
    rows = chosen_rows(pids, np.array([1, 2, 3]), 11)
    assert len(rows) == 10
    assert sorted(np.unique(pids[rows], return_counts=True)[1].tolist()) == [5, 5]
    assert -1 not in pids[rows]
    np.testing.assert_array_equal(rows, chosen_rows(pids, np.array([1, 2, 3]), 11))
    assert len(chosen_rows(np.repeat(1, 90), np.array([1]), 100)) == MOST_OF_ONE


def test_components_keep_distances_and_come_greatest_first() -> None:
    features = np.random.default_rng(0).normal(size=(20, 6)) * [9, 5, 3, 1, 1, 1]
    found, explained = principal_components(features)
    assert found.shape == (20, 6)
    assert np.all(np.diff(found.var(axis=0)) <= 0)
    apart = np.linalg.norm(features[:, None] - features, axis=2)
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found, axis=2), apart, atol=1e-4)
    assert 0.7 < float(explained) < 1


def test_features_go_with_their_images() -> None:
    query = SampleTable.of([("q1", 1, 0), ("q2", 2, 0)])
    gallery = SampleTable.of([("g0", 0, 1), ("g1", 1, 1), ("g2", 2, 1)])
    features = torch.tensor([[3.0, 0], [0, 2], [9, 9], [5, 0], [0, 1]])
    made = embeddings_of(
        TestSet(query, features[:2]), TestSet(gallery, features[2:]), 10, normalised=True
    )
    assert made.path.tolist() == ["q1", "q2", "g1", "g2"]
    assert made.is_query.tolist() == [True, True, False, False]
    # Of length 1, the images of one identity are the same point.
    np.testing.assert_allclose(made.features[:2], made.features[2:], atol=1e-6)
    few = TestSet(query.take(np.array([0])), features[:1])
    assert embeddings_of(few, TestSet(gallery, features[2:]), 2, normalised=True) is None

from dataclasses import replace

import numpy as np
import pytest
import torch

import reidcore.metrics
from reidcore.errors import UserError
from reidcore.evaluation import Labels, Market1501, evaluate, evaluate_features, evaluate_rank


def test_torchreids_signature_and_returns():
    matrix = torch.tensor([[0.1, 0.4, 0.3], [0.2, 0.1, 0.9]])
    labels = ([1, 2], [1, 2, 3], [0, 0], [1, 1, 1])
    cmc, mean = evaluate_rank(matrix.numpy(), *labels, 2, False, use_cython=True)
    assert isinstance(mean, float)
    assert (cmc.dtype, cmc.tolist(), mean) == (np.float32, [1.0, 1.0], 1.0)
    without, _ = evaluate_rank(matrix, *labels, max_rank=2, use_cython=False)
    assert without.tolist() == cmc.tolist()


@pytest.mark.usefixtures("kernel")
def test_a_small_gallery_with_junk_has_an_exact_curve(reference):
    rng = np.random.default_rng(0)
    labels = [rng.integers(0, high, n) for high in (3, 2) for n in (9, 8)]
    distances = rng.integers(0, 5, (9, 8)).astype(float)
    cmc, mean = evaluate_rank(distances, *labels, max_rank=50)
    expected = reference(distances, *labels)
    np.testing.assert_allclose(cmc, expected.cmc, atol=1e-7)
    assert mean == pytest.approx(np.mean(expected.ap))


def test_features_and_labels_must_be_as_many():
    features = np.eye(4, dtype=np.float32)
    with pytest.raises(UserError, match="4 queries and 4 gallery items, labels for 4 and 3"):
        evaluate_features(features, features, range(4), range(3), [0] * 4, [1] * 3)


def test_the_facade_has_torchreids_names():
    assert reidcore.metrics.evaluate_rank is evaluate_rank
    assert reidcore.metrics.compute_distance_matrix(torch.eye(2), torch.eye(2)).shape == (2, 2)
    assert reidcore.metrics.__all__ == ["accuracy", "compute_distance_matrix", "evaluate_rank"]


def test_an_interval_of_a_share_ends_where_shares_do():
    """What queries add to a mean over draws may be more than 1, and to other figures anything."""

    class Drawn(Market1501):
        def evaluate(self, distances, labels, max_rank=50, ties="pessimistic"):
            found = super().evaluate(distances, labels, max_rank, ties)
            added = np.array([1.5, 0.5, 1.0])
            return replace(found, per_query={"mAP": added, "own": added}, figures={"own": 1.0})

    labels = Labels([1, 2, 3], [1, 2, 3], [0] * 3, [1] * 3)
    found = evaluate(1 - np.eye(3), labels, Drawn()).intervals
    assert found["mAP"][0] < found["mAP"][1] == 1
    assert found["own"][1] > 1

"""The figures, losses and features are Torchreid's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import reidcore
from reidcore.losses import CrossEntropyLoss, TripletLoss
from reidcore.metrics import compute_distance_matrix, evaluate_rank
from reidcore.utils import re_ranking


@pytest.fixture
def gallery():
    """Distances (12, 60) without ties, and labels of queries and gallery."""
    draws = np.random.default_rng(7)
    labels = [draws.integers(0, 6, 12), draws.integers(0, 6, 60)]
    cameras = [draws.integers(0, 3, 12), draws.integers(0, 3, 60)]
    return draws.random((12, 60)).astype(np.float32), *labels, *cameras


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_distances(torchreid, metric) -> None:
    query, gallery = torch.randn(5, 16), torch.randn(9, 16)
    theirs = torchreid.metrics.compute_distance_matrix(query, gallery, metric)
    torch.testing.assert_close(compute_distance_matrix(query, gallery, metric), theirs)


def test_cmc_and_map(torchreid, gallery) -> None:
    cmc, mean = torchreid.metrics.evaluate_rank(*gallery, max_rank=20, use_cython=False)
    own_cmc, own_mean = evaluate_rank(*gallery, max_rank=20)
    np.testing.assert_allclose(own_cmc, cmc, atol=1e-6)
    assert own_mean == pytest.approx(mean, abs=1e-6)


def test_re_ranking(torchreid) -> None:
    draws = np.random.default_rng(3)
    features = draws.random((40, 8)).astype(np.float32)
    whole = ((features[:, None] - features[None]) ** 2).sum(2)
    parts = whole[:10, 10:], whole[:10, :10], whole[10:, 10:]
    theirs = torchreid.utils.re_ranking(*parts)
    np.testing.assert_allclose(re_ranking(*parts), theirs, atol=1e-5)


def test_losses(torchreid) -> None:
    features, logits = torch.randn(16, 8), torch.randn(16, 4)
    identities = torch.arange(16) % 4
    torch.testing.assert_close(
        TripletLoss(margin=0.3)(features, identities),
        torchreid.losses.TripletLoss(margin=0.3)(features, identities),
    )
    torch.testing.assert_close(
        CrossEntropyLoss(4)(logits, identities),
        torchreid.losses.CrossEntropyLoss(4, use_gpu=False)(logits, identities),
    )


@pytest.mark.parametrize("name", ["osnet_x0_25", "resnet50", "mobilenetv2_x1_0"])
def test_features_of_the_same_weights(torchreid, name) -> None:
    theirs = torchreid.models.build_model(name, 10, pretrained=False).eval()
    own = reidcore.models.build_model(name, 10, pretrained=False).eval()
    own.load_state_dict(theirs.state_dict())
    images = torch.randn(2, 3, 128, 64)
    with torch.no_grad():
        torch.testing.assert_close(own(images), theirs(images), rtol=1e-4, atol=1e-4)

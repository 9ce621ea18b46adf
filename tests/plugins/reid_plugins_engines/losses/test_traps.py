"""Mistakes that published code makes, each with a case in which it would show.

Held elsewhere: sums and means over branches by ``test_branches``, gradients of centres under mixed
precision by ``test_center``, pairs across processes by ``test_processes``, waiting for a GPU by
``test_pair_losses``, a further division by the size of the batch by the definitions there, what a
memory takes in, and when, by ``reid_plugins_metric_learning``: no loss of this package keeps one.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from reid_plugins_engines.losses import (
    CenterLoss,
    CirclePairLoss,
    ContrastiveLoss,
    CosFacePairLoss,
    CrossEntropyLoss,
    FocalLoss,
    MultiSimilarityLoss,
    SupConLoss,
    TripletLoss,
    WeightedTripletLoss,
    triplet_terms,
)
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode

from reidcore.engine import ImageTripletEngine


def on_a_line(*places: float) -> Tensor:
    return torch.tensor(places)[:, None]


# 60 negatives, the nearest at the first number and 0.05 from one to the next: the second is the
# mean of their distances by a softmax, beside 10.81, 13.96, 11.55 and 0.80 of published code.
@pytest.mark.parametrize(
    ("nearest", "mean"), [(10.0, 10.82), (14.0, 14.82), (16.0, 16.82), (20.0, 20.82)]
)
def test_weights_of_far_negatives_do_not_vanish(nearest: float, mean: float) -> None:
    negatives = [nearest + 0.05 * number for number in range(60)]
    features = on_a_line(0.0, 0.0, *negatives)  # the first two are of one identity
    pids = torch.tensor([0, 0, *range(1, 61)])
    loss = WeightedTripletLoss()(features, pids).item()
    assert -math.log(math.expm1(loss)) == pytest.approx(mean, abs=0.005)


def test_an_anchor_is_not_among_its_own_positives() -> None:
    loss = WeightedTripletLoss()(on_a_line(0.0, 2.0, 5.0), torch.tensor([0, 0, 1]))
    # positives at 2 and 2, negatives at 5 and 3; with itself the first would be nearer
    expected = [math.log1p(math.exp(2 - negative)) for negative in (5, 3)]
    assert loss.item() == pytest.approx(sum(expected) / 2)


def test_a_lone_identity_is_no_anchor_but_in_torchreids_triplet_loss() -> None:
    features, pids = on_a_line(0.0, 2.0, 5.0), torch.tensor([0, 0, 1])
    # its own positive at 0: [2 - 5 + 1.5]+, [2 - 3 + 1.5]+, [0 - 3 + 1.5]+
    assert TripletLoss(1.5)(features, pids).item() == pytest.approx(0.5 / 3)
    features = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])  # cosines 0.6, 0 and 0.8
    of_anchors = [math.log(1 + math.exp(s + 0.1 - 0.6)) for s in (0.0, 0.8)]
    loss = CosFacePairLoss(margin=0.1, scale=1.0)(features, pids)
    assert loss.item() == pytest.approx(sum(of_anchors) / 2)


@pytest.mark.parametrize("criterion", [TripletLoss(2e-3), WeightedTripletLoss()], ids=["hard", "w"])
def test_near_duplicates_far_from_the_origin_keep_their_distances(criterion: nn.Module) -> None:
    offsets = np.array([0.0, 1e-3, 3e-3, 5e-3])
    features = torch.zeros(4, 64, dtype=torch.float64)
    features[:, 0] = torch.tensor(offsets)
    pids = torch.tensor([0, 0, 1, 1])
    near = criterion(features, pids)
    # 2^-10 apart or more, so that single precision holds them at 100
    far = criterion((features + 100).float(), pids)
    torch.testing.assert_close(far.double(), near, rtol=0, atol=2e-5)


def test_distances_of_normalised_features_are_not_squared() -> None:
    features = torch.tensor([[3.0, 0.0], [5.0, 0.0], [0.0, 2.0], [0.0, 7.0]])
    pids = torch.tensor([0, 0, 1, 1])
    loss = TripletLoss(2.0, normalize=True)(features, pids)
    assert loss.item() == pytest.approx(2.0 - math.sqrt(2))


@pytest.mark.parametrize("criterion", [CrossEntropyLoss(4), FocalLoss(4)], ids=["softmax", "focal"])
def test_losses_of_logits_read_nothing_from_a_gpu(criterion: nn.Module) -> None:
    with FakeTensorMode():
        logits = torch.empty(8, 4, device="cuda")
        assert criterion(logits, torch.empty(8, device="cuda", dtype=torch.int64)).shape == ()


def test_a_duplicate_is_a_pair_and_an_image_is_none_with_itself() -> None:
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])  # cosines 1 and 0
    pids = torch.tensor([0, 0, 1])
    one_of_two = math.log(1 + math.exp(-1))  # the duplicate at 1, the other image at 0
    assert SupConLoss(1.0)(features, pids).item() == pytest.approx(one_of_two)
    loss = MultiSimilarityLoss(2.0, 50.0, 0.5, epsilon=None)(features, pids)
    expected = math.log(1 + math.exp(-1)) / 2 + math.log(1 + math.exp(-25)) / 50
    assert loss.item() == pytest.approx(expected)
    assert ContrastiveLoss()(features, pids).item() == 0.0
    half = features.half() / 3  # rounded, their cosines are not exactly 1
    assert SupConLoss(1.0)(half, pids).item() == pytest.approx(one_of_two, abs=1e-3)


def test_features_at_their_centres_cost_nothing() -> None:
    loss = CenterLoss(5000, 8)  # a clamp of all distances would leave 5e-9
    pids = torch.arange(16)
    assert loss(loss.centers[pids].detach(), pids).item() == 0.0


def test_the_weights_of_the_circle_loss_are_constants() -> None:
    draw = torch.Generator().manual_seed(0)
    features = torch.randn(6, 4, generator=draw, dtype=torch.float64).requires_grad_()
    pids = torch.tensor([0, 0, 0, 1, 1, 2])
    CirclePairLoss(0.3, 8.0)(features, pids).backward()
    assert features.grad is not None
    again = features.detach().clone().requires_grad_()
    directions = nn.functional.normalize(again)
    costs = []
    for anchor in range(5):
        of_positive = of_negative = torch.zeros(())
        for other in range(6):
            cosine = directions[anchor] @ directions[other]
            if other != anchor and pids[other] == pids[anchor]:
                weight = max(1.3 - cosine.item(), 0.0)
                of_positive = of_positive + torch.exp(-8 * weight * (cosine - 0.7))
            elif other != anchor:
                weight = max(cosine.item() + 0.3, 0.0)
                of_negative = of_negative + torch.exp(8 * weight * (cosine - 0.3))
        costs.append(torch.log(1 + of_positive * of_negative))
    torch.stack(costs).mean().backward()
    torch.testing.assert_close(features.grad, again.grad)


def test_cross_entropy_beside_the_triplet_loss_is_torchreids_choice() -> None:
    assert list(triplet_terms(4)) == ["triplet"]
    assert list(triplet_terms(4, weight_x=1.0)) == ["triplet", "softmax"]
    assert ImageTripletEngine.__init__.__kwdefaults__["precision"] is None
    assert ImageTripletEngine.__init__.__defaults__[2] == 1  # weight_x, by hand

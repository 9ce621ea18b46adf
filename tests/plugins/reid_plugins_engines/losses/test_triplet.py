from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from reid_plugins_engines.losses import TripletLoss, distances, pair_loss, triplet_terms
from torch import Tensor

from reidcore import losses
from reidcore.errors import ConfigError, UserError


@pytest.mark.parametrize("margin", [0.3, 0.0, 1.2])
def test_values_and_gradients_are_torchreids(gold: Any, measure: Any, margin: float) -> None:
    value, gradient = measure(TripletLoss(margin), gold["tri_feat"], gold["tri_targets"])
    assert value == pytest.approx(float(gold[f"tri_m{margin}_loss"]), abs=1e-6)
    assert_allclose(gradient, gold[f"tri_m{margin}_grad"], atol=1e-6)


def test_of_normalised_features(gold: Any, measure: Any) -> None:
    features = torch.nn.functional.normalize(torch.tensor(gold["tri_feat"])).numpy()
    value, gradient = measure(TripletLoss(), features, gold["tri_targets"])
    assert value == pytest.approx(float(gold["tri_norm_loss"]), abs=1e-6)
    assert_allclose(gradient, gold["tri_norm_grad"], atol=1e-6)


def test_a_tie_shares_its_gradient_evenly(gold: Any, measure: Any) -> None:
    value, gradient = measure(TripletLoss(3.0), gold["tri_tie_feat"], gold["tri_tie_targets"])
    assert value == pytest.approx(float(gold["tri_tie_m3_loss"]), abs=1e-6)
    assert_allclose(gradient, gold["tri_tie_m3_grad"], atol=1e-6)


def test_duplicates_are_exact_in_single_precision(gold: Any, measure: Any) -> None:
    value, gradient = measure(TripletLoss(), gold["tri_dup_feat"], gold["tri_dup_targets"])
    assert value == pytest.approx(float(gold["tri_dup_loss64"]), abs=2e-6)
    assert_allclose(gradient, gold["tri_dup_grad64"], atol=1e-6)


def test_single_precision_holds_far_from_the_origin(measure: Any) -> None:
    rng = np.random.default_rng(0)
    features = (20 + 0.01 * rng.standard_normal((32, 64))).astype(np.float32)
    targets = np.arange(32) // 4
    value, gradient = measure(TripletLoss(), features, targets)
    exact, direction = measure(TripletLoss(), features.astype(np.float64), targets)
    assert value == pytest.approx(exact, rel=1e-5)
    assert np.linalg.norm(gradient - direction) < 1e-5 * np.linalg.norm(direction)


def test_collapsed_features_cost_the_margin_and_move_nowhere(measure: Any) -> None:
    value, gradient = measure(TripletLoss(0.3), np.ones((8, 4), np.float32), np.arange(8) // 2)
    assert value == pytest.approx(0.3)
    assert not gradient.any()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_features_are_measured_in_single(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    targets = torch.arange(24) // 4
    half = torch.randn(24, 32).to(dtype).requires_grad_()
    loss = TripletLoss()(half, targets)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == TripletLoss()(half.detach().float(), targets).item()
    assert half.grad is not None
    assert half.grad.dtype == dtype
    assert torch.isfinite(half.grad).all()


def test_autocast_changes_nothing() -> None:
    torch.manual_seed(0)
    features, targets = torch.randn(12, 16), torch.arange(12) // 3
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = TripletLoss()(features, targets)
    assert torch.equal(mixed, TripletLoss()(features, targets))


def test_the_gradient_is_the_derivative() -> None:
    torch.manual_seed(0)
    features = torch.randn(9, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([0, 0, 0, 1, 1, 1, 2, 2, 3])
    assert torch.autograd.gradcheck(lambda x: TripletLoss(2.0)(x, targets), (features,))


def written_out(features: Tensor, targets: Tensor, margin: float) -> float:
    """The definition, anchor by anchor."""
    costs = []
    for anchor, pid in zip(features, targets, strict=True):
        distances = (features - anchor).norm(dim=1)
        furthest, closest = distances[targets == pid].max(), distances[targets != pid].min()
        costs.append(max(0.0, (furthest - closest + margin).item()))
    return sum(costs) / len(costs)


@settings(max_examples=60, deadline=None)
@given(
    targets=st.lists(st.integers(0, 4), min_size=3, max_size=14).filter(
        lambda pids: 1 < len(set(pids)) < len(pids)
    ),
    seed=st.integers(0, 1000),
    margin=st.floats(0, 3),
)
def test_any_batch_costs_what_the_definition_says(
    targets: list[int], seed: int, margin: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(len(targets), 5, generator=generator, dtype=torch.float64)
    loss = TripletLoss(margin)(features, torch.tensor(targets))
    assert loss.item() == pytest.approx(written_out(features, torch.tensor(targets), margin))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ([3, 3, 3, 3], "one identity in a batch of 4"),
        ([0, 1, 2, 3], "one image of each identity in a batch of 4"),
        ([0], "one identity"),
    ],
)
def test_batches_without_triplets_are_refused_with_the_fix(
    targets: list[int], message: str
) -> None:
    features = torch.randn(len(targets), 3, requires_grad=True)
    with pytest.raises(UserError, match=f"{message}.*RandomIdentitySampler.*num_instances"):
        TripletLoss()(features, torch.tensor(targets))


def test_arguments_are_torchreids() -> None:
    parameters = inspect.signature(losses.TripletLoss).parameters.values()
    assert [each.name for each in parameters if each.kind is not each.KEYWORD_ONLY] == ["margin"]
    assert TripletLoss().margin == 0.3
    terms = triplet_terms(10, margin=0.5)
    assert list(terms) == ["triplet"]
    assert terms["triplet"][1].margin == 0.5
    assert TripletLoss(soft=True).margin == 0.0


@pytest.fixture
def on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the ways that do not read values."""
    for module in (distances, pair_loss):
        monkeypatch.setattr(module, "reading_waits", lambda tensor: True)


@pytest.mark.usefixtures("on_a_gpu")
@pytest.mark.parametrize("most", [1, 500, 2**26], ids=["a row", "some rows", "all rows"])
def test_without_reads_values_and_gradients_are_the_same(
    gold: Any, measure: Any, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distances, "_MOST_ELEMENTS", most)
    for batch, margin, loss, slope in [
        ("tri", 0.3, "tri_m0.3_loss", "tri_m0.3_grad"),
        ("tri_tie", 3.0, "tri_tie_m3_loss", "tri_tie_m3_grad"),
        ("tri_dup", 0.3, "tri_dup_loss64", "tri_dup_grad64"),
    ]:
        features, targets = gold[f"{batch}_feat"], gold[f"{batch}_targets"]
        value, gradient = measure(TripletLoss(margin), features, targets)
        assert value == pytest.approx(float(gold[loss]), abs=2e-6)
        assert_allclose(gradient, gold[slope], atol=1e-6)


@pytest.mark.usefixtures("on_a_gpu")
@pytest.mark.parametrize("targets", [[3, 3, 3, 3], [0, 1, 2, 3], [0]])
def test_without_reads_a_batch_without_triplets_costs_nan(targets: list[int]) -> None:
    features = torch.randn(len(targets), 3, requires_grad=True)
    assert TripletLoss()(features, torch.tensor(targets)).isnan()


@pytest.mark.parametrize("margin", [-0.3, math.nan, math.inf])
def test_a_margin_that_teaches_nothing_is_refused_by_hand_too(margin: float) -> None:
    with pytest.raises(ConfigError, match=rf"triplet loss has margin={margin}\. Give 0 or more"):
        TripletLoss(margin)

"""What is mended of PML's losses, and that nothing else changed."""

from __future__ import annotations

import math

import pytest
import torch
from pytorch_metric_learning import losses, miners
from reid_plugins_metric_learning.mended import (
    MENDED,
    DynamicSoftMarginLoss,
    HistogramLoss,
    NCALoss,
    SmoothAPLoss,
    TupletMarginLoss,
)
from torch import Tensor

PIDS = torch.tensor([0, 0, 1, 1, 2, 2, 3, 3])
SHUFFLED = torch.tensor([5, 0, 3, 6, 1, 7, 2, 4])


def features(seed: int = 0) -> Tensor:
    return torch.randn(8, 16, generator=torch.Generator().manual_seed(seed))


def gradient(loss: torch.nn.Module, given: Tensor, pids: Tensor = PIDS) -> tuple[float, Tensor]:
    given = given.clone().requires_grad_()
    value = loss(given, pids)
    value.backward()
    assert given.grad is not None
    return value.item(), given.grad


@pytest.mark.parametrize("name", sorted(MENDED.keys() - {"SmoothAPLoss"}))
def test_ordinary_batches_have_pmls_numbers(name: str) -> None:
    expected, slope = gradient(getattr(losses, name)(), features())
    found, own = gradient(MENDED[name](), features())
    assert found == pytest.approx(expected, rel=1e-6)
    torch.testing.assert_close(own, slope)


def test_a_dynamic_margin_goes_on_and_is_in_its_state() -> None:
    loss, again = DynamicSoftMarginLoss(), DynamicSoftMarginLoss()
    gradient(loss, features(0))
    again.load_state_dict(loss.state_dict())
    value, slope = gradient(loss, features(1))
    resumed, own = gradient(again, features(1))
    assert value == resumed
    assert torch.equal(slope, own)
    assert value != gradient(DynamicSoftMarginLoss(), features(1))[0]


def test_equal_features_are_in_the_last_bin_of_a_histogram() -> None:
    given = features()
    given[1] = given[0]
    value, slope = gradient(HistogramLoss(), given)
    assert 0 < value < 1
    assert slope.isfinite().all()


def test_nca_without_positives_is_nothing() -> None:
    value, slope = gradient(NCALoss(), features(), torch.arange(8))
    assert value == 0
    assert not slope.any()
    assert math.isnan(losses.NCALoss()(features(), torch.arange(8)).item())


@pytest.mark.parametrize("miner", [None, miners.BatchHardMiner()])
def test_average_precision_is_that_of_the_labels_in_any_order(
    miner: torch.nn.Module | None,
) -> None:
    def value(order: Tensor) -> float:
        given, pids = features()[order], PIDS[order]
        mined = miner(given, pids) if miner else None
        return float(SmoothAPLoss()(given, pids, mined))

    assert value(SHUFFLED) == pytest.approx(value(torch.arange(8)), rel=1e-5)


@pytest.mark.parametrize(
    "pids", [[0, 0, 1, 1, 2, 2, 3, 3], [0, 1, 0, 1, 2, 2, 0, 3], [4, 4, 4, 4, 4, 2, 2, 2]]
)
def test_average_precision_is_what_it_smooths(pids: list[int]) -> None:
    """1 - mAP, counted rank by rank, where the sigmoid is steep."""
    given = torch.nn.functional.normalize(features())
    similar, precisions = given @ given.T, []
    for query in range(8):
        found = [pids[other] == pids[query] for other in similar[query].argsort(descending=True)]
        ranks = [place for place, is_same in enumerate(found, start=1) if is_same]
        precisions.append(sum(n / rank for n, rank in enumerate(ranks, start=1)) / len(ranks))
    found = SmoothAPLoss(temperature=1e-5)(given, torch.tensor(pids)).item()
    assert found == pytest.approx(1 - sum(precisions) / 8, abs=1e-4)


def test_average_precision_is_pmls_where_that_is_right() -> None:
    given = torch.randn(16, 8, generator=torch.Generator().manual_seed(0))
    pids = torch.arange(16) // 4
    expected, slope = gradient(losses.SmoothAPLoss(temperature=0.1), given, pids)
    found, own = gradient(SmoothAPLoss(temperature=0.1), given, pids)
    assert found == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(own, slope)


def test_equal_features_have_a_slope_by_tuplets() -> None:
    given = features()
    given[:2] = torch.eye(16)[0]  # whose cosine is 1 to the last bit, on any processor
    value, slope = gradient(TupletMarginLoss(), given)
    assert math.isfinite(value)
    assert slope.isfinite().all()
    assert not gradient(losses.TupletMarginLoss(), given)[1].isfinite().all()

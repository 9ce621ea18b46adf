"""Running averages."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from reidcore.engine.meters import EpochMeters
from reidcore.utils import AverageMeter, MetricMeter

numbers = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(numbers, st.integers(1, 5)), min_size=1))
def test_the_average_is_weighted_by_the_counts(updates: list[tuple[float, int]]) -> None:
    meter = AverageMeter()
    for value, count in updates:
        meter.update(value, count)
    total = sum(value * count for value, count in updates)
    assert meter.sum == pytest.approx(total, abs=1e-6)
    assert meter.avg == pytest.approx(total / sum(count for _, count in updates), abs=1e-6)
    assert meter.val == updates[-1][0]


def test_tensors_are_averaged_without_their_graph() -> None:
    meter = AverageMeter()
    weight = torch.tensor(2.0, requires_grad=True)
    meter.update(weight * 3)
    meter.update(torch.tensor(2))
    assert meter.avg == 4.0


def test_an_empty_meter_is_zero() -> None:
    assert AverageMeter().avg == 0.0


def test_metrics_are_kept_by_name_and_printed_in_order() -> None:
    meter = MetricMeter(delimiter=" | ")
    meter.update({"loss": 2.0, "acc": 50.0})
    meter.update({"loss": 4.0})
    meter.update(None)
    assert meter.averages() == {"loss": 3.0, "acc": 50.0}
    assert str(meter) == "loss 4.0000 (3.0000) | acc 50.0000 (50.0000)"


def test_an_epochs_meters_go_on_where_others_were() -> None:
    whole, first = EpochMeters(), EpochMeters()
    for meters in (whole, first):
        meters.update({"loss": torch.tensor(0.1)}, seconds=1)
        meters.update(None, seconds=2)
    second = EpochMeters()
    second.load_state_dict(first.state_dict())
    for meters in (whole, second):
        meters.update({"loss": torch.tensor(0.7), "late": 5.0}, seconds=3)
    assert second.state_dict() == whole.state_dict()
    assert second.figures.averages() == whole.figures.averages()
    assert (second.batches, second.steps) == (3, 2)
    assert second.batch_seconds.sum == 6

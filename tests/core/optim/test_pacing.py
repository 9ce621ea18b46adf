"""A schedule in the units of a run: by epochs or by steps, behind a warm-up."""

from __future__ import annotations

import math
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim import lr_scheduler

from reidcore.errors import ConfigError
from reidcore.optim import PacedScheduler, build_lr_scheduler
from reidcore.optim.resume import continue_optimizer, continue_schedule, fast_forward

SCHEDULERS = ("single_step", "multi_step", "cosine", "polynomial", "one_cycle", "constant")


def sgd(lr: float = 1.0) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr, momentum=0.9)


def built(
    optimizer: torch.optim.Optimizer, name: str, stepsize: Any = 1, max_epoch: int = 1, **pace: Any
) -> Any:
    section = pace.pop("section", None)
    stepsize = [4, 8] if name == "multi_step" and stepsize == 1 else stepsize
    return build_lr_scheduler(
        optimizer, name, stepsize, max_epoch=max_epoch, section=section, **pace
    )


def rates(
    optimizer: torch.optim.Optimizer, schedule: Any, epochs: int, steps: int = 1
) -> list[list[float]]:
    """Return the rate of each step of each epoch, as an engine would ask for them."""
    table = []
    for _ in range(epochs):
        row = []
        for step in range(steps):
            if isinstance(schedule, PacedScheduler):
                schedule.step_update(step)
            row.append(float(optimizer.param_groups[0]["lr"]))
            optimizer.step()
        table.append(row)
        schedule.step()
    return table


# -- the published recipes -------------------------------------------------------------------------


def test_bag_of_tricks_rises_by_epochs_and_falls_where_it_would_without_a_warm_up() -> None:
    optimizer = sgd(3.5e-4)
    schedule = built(optimizer, "multi_step", [40, 70], 120, warmup_epochs=10, warmup_factor=0.01)
    table = [row[0] for row in rates(optimizer, schedule, 120)]
    rise = [3.5e-6, 3.815e-5, 7.28e-5, 1.0745e-4, 1.421e-4, 1.7675e-4, 2.114e-4, 2.4605e-4]
    assert table[:8] == pytest.approx(rise, rel=1e-12)
    golden = {9: 3.1535e-4, 10: 3.5e-4, 39: 3.5e-4, 40: 3.5e-5, 69: 3.5e-5, 70: 3.5e-6, 119: 3.5e-6}
    assert {epoch: table[epoch] for epoch in golden} == pytest.approx(golden, rel=1e-12)


def test_fast_reid_rises_by_iterations_before_a_delayed_cosine() -> None:
    optimizer, steps = sgd(3.5e-4), 202
    schedule = built(
        optimizer,
        "flat_cosine",
        30,
        60,
        section={"eta_min": 7e-7},
        warmup_steps=2000,
        warmup_factor=0.1,
        steps_per_epoch=steps,
    )
    table = rates(optimizer, schedule, 60, steps)
    flat = [rate for row in table for rate in row]
    for iteration in (0, 1, 201, 202, 999, 1999, 2000, 2001, 30 * steps - 1):
        share = min(1.0, iteration / 2000)
        assert flat[iteration] == pytest.approx(3.5e-4 * (0.1 + 0.9 * share), rel=1e-12)
    for epoch in (30, 31, 45, 59):
        height = (1 + math.cos(math.pi * (epoch - 30) / 30)) / 2
        expected = 7e-7 + (3.5e-4 - 7e-7) * height
        assert table[epoch] == [pytest.approx(expected, rel=1e-12)] * steps


def test_trans_reid_counts_the_warm_up_into_its_cosine() -> None:
    """timm's line goes up to the full rate, ours to the cosine's: 0.4 % apart at most."""
    optimizer, lr = sgd(0.008), 0.008
    schedule = built(
        optimizer, "cosine", max_epoch=120, section={"eta_min": 0.002 * lr}, warmup_epochs=5
    )
    table = [row[0] for row in rates(optimizer, schedule, 120)]
    for epoch in range(120):
        cosine = lr * (0.002 + 0.998 * (1 + math.cos(math.pi * epoch / 120)) / 2)
        line = lr * (0.01 + 0.99 * epoch / 5)
        expected, apart = (line, 0.0045) if epoch < 5 else (cosine, 1e-12)
        assert table[epoch] == pytest.approx(expected, rel=apart)


# -- units -----------------------------------------------------------------------------------------


def test_a_plain_schedule_is_torchs_own() -> None:
    assert isinstance(built(sgd(), "cosine", max_epoch=4), lr_scheduler.CosineAnnealingLR)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_by_step_it_is_the_schedule_of_as_many_steps(name: str) -> None:
    epochs, steps = 9, 5
    optimizer = sgd()
    schedule = built(optimizer, name, max_epoch=epochs, step_by="step", steps_per_epoch=steps)
    table = [rate for row in rates(optimizer, schedule, epochs, steps) for rate in row]
    plain = sgd()
    stepsize = [20, 40] if name == "multi_step" else steps
    expected = rates(plain, built(plain, name, stepsize, epochs * steps), epochs * steps)
    assert table == pytest.approx([row[0] for row in expected], rel=1e-12)


def test_a_warm_up_in_epochs_is_a_line_over_steps_where_the_schedule_goes_by_steps() -> None:
    optimizer = sgd()
    schedule = built(
        optimizer,
        "constant",
        max_epoch=4,
        step_by="step",
        steps_per_epoch=5,
        warmup_epochs=2,
        warmup_factor=0.0,
    )
    table = [rate for row in rates(optimizer, schedule, 4, 5) for rate in row]
    assert table == pytest.approx([*(step / 10 for step in range(10)), *[1.0] * 10])


@settings(max_examples=30, deadline=None)
@given(counts=st.lists(st.integers(1, 9), min_size=1, max_size=6), by=st.sampled_from(SCHEDULERS))
def test_epochs_of_any_number_of_steps_end_where_they_should(counts: list[int], by: str) -> None:
    pace = {"step_by": "step", "steps_per_epoch": 5, "warmup_epochs": 2}
    even, odd = sgd(), sgd()
    expected = built(even, by, max_epoch=6, **pace)
    schedule = built(odd, by, max_epoch=6, **pace)
    for steps in counts:
        expected_row = rates(even, expected, 1, 5)[0]
        row = rates(odd, schedule, 1, steps)[0]
        assert row[:5] == expected_row[: len(row)]
        assert set(row[5:]) <= {row[4]} if steps > 5 else True
    assert odd.param_groups[0]["lr"] == even.param_groups[0]["lr"]


def test_no_warning_of_an_order_where_the_first_steps_were_left_out() -> None:
    optimizer = sgd()
    schedule = built(optimizer, "cosine", max_epoch=2, step_by="step", steps_per_epoch=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        schedule.step_update(1)
        schedule.step()


# -- continued -------------------------------------------------------------------------------------

PACES: tuple[dict[str, Any], ...] = (
    {"warmup_epochs": 3},
    {"warmup_steps": 7, "steps_per_epoch": 5},
    {"step_by": "step", "steps_per_epoch": 5},
    {"step_by": "step", "steps_per_epoch": 5, "warmup_epochs": 2, "warmup_factor": 0.1},
)


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", SCHEDULERS)
def test_it_goes_on_from_its_state_within_an_epoch(name: str, pace: dict[str, Any]) -> None:
    def made() -> tuple[torch.optim.Optimizer, Any]:
        optimizer = sgd()
        return optimizer, built(optimizer, name, max_epoch=9, **pace)

    whole = [rate for row in rates(*made(), 9, 5) for rate in row]
    optimizer, schedule = made()
    rates(optimizer, schedule, 1, 5)
    schedule.step_update(3)
    again, resumed = made()
    assert continue_optimizer(again, optimizer.state_dict(), "a.pth") == []
    assert continue_schedule(resumed, schedule.state_dict(), 1) == []
    rest = []
    for step in (3, 4):
        resumed.step_update(step)
        rest.append(again.param_groups[0]["lr"])
    resumed.step()
    rest += [rate for row in rates(again, resumed, 7, 5) for rate in row]
    assert rest == whole[8:]


@pytest.mark.parametrize("pace", PACES)
@pytest.mark.parametrize("name", SCHEDULERS)
def test_it_is_brought_to_an_epoch_without_its_state(name: str, pace: dict[str, Any]) -> None:
    optimizer = sgd()
    schedule = built(optimizer, name, max_epoch=9, **pace)
    curve = rates(optimizer, schedule, 9, 5)
    # Forwards from a start, and backwards from the end of an earlier run.
    fresh = sgd()
    for other, later in ((fresh, built(fresh, name, max_epoch=9, **pace)), (optimizer, schedule)):
        fast_forward(later, 4)
        assert rates(other, later, 5, 5) == curve[4:]


@pytest.mark.parametrize("before", [{}, *PACES])
@pytest.mark.parametrize("after", [{}, *PACES])
def test_another_pace_goes_on_along_its_own_curve(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    fresh, first, second = sgd(), sgd(), sgd()
    curve = rates(fresh, built(fresh, "cosine", max_epoch=9, **after), 9, 5)
    saved = built(first, "cosine", max_epoch=9, **before)
    rates(first, saved, 4, 5)
    own = built(second, "cosine", max_epoch=9, **after)
    continue_optimizer(second, first.state_dict(), "a.pth")
    told = continue_schedule(own, saved.state_dict(), 4)
    assert bool(told) == (before != after)
    found = [rate for row in rates(second, own, 5, 5) for rate in row]
    # torch's own cosine sums its steps, and stands a rounding beside the same without a stop
    assert found == pytest.approx([rate for row in curve[4:] for rate in row], rel=1e-12)


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pace", "message"),
    [
        ({"warmup_epochs": 2, "warmup_steps": 9, "steps_per_epoch": 5}, "both give.*Set one"),
        ({"warmup_steps": 9}, "steps_per_epoch=len"),
        ({"step_by": "step"}, "steps_per_epoch=len"),
        ({"step_by": "batch"}, "'epoch' or 'step'"),
        ({"warmup_epochs": -1}, "warmup_epochs is -1"),
        ({"warmup_epochs": 1, "warmup_factor": 1.5}, "warmup_factor is 1.5"),
    ],
)
def test_a_pace_that_cannot_be_kept_is_refused(pace: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        built(sgd(), "cosine", max_epoch=9, **pace)

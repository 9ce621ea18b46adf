"""What a checkpoint's optimizer and schedule become under other settings."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from reidcore.errors import CheckpointError
from reidcore.optim.resume import check_kind, continue_optimizer, continue_schedule, fast_forward

Schedule = lr_scheduler.LRScheduler


def adam(lr: float = 0.0003, weight_decay: float = 0.0005, **options: Any) -> torch.optim.Adam:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 2)
    return torch.optim.Adam(layer.parameters(), lr=lr, weight_decay=weight_decay, **options)


def stepped(optimizer: torch.optim.Optimizer, schedule: Schedule | None, epochs: int) -> list[Any]:
    """Train for some epochs, and return the rate of each and of the next."""
    rates = [optimizer.param_groups[0]["lr"]]
    for _ in range(epochs):
        for parameter in optimizer.param_groups[0]["params"]:
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        if schedule is not None:
            schedule.step()
        rates.append(optimizer.param_groups[0]["lr"])
    return rates


def test_the_rate_and_the_decay_of_this_run_act_and_the_moments_are_the_checkpoints() -> None:
    before, after = adam(), adam(lr=0.01, weight_decay=0.1)
    stepped(before, None, 3)
    told = continue_optimizer(after, before.state_dict(), "a.pth")
    group = after.param_groups[0]
    assert (group["lr"], group["weight_decay"]) == (0.01, 0.1)
    moments = [state["exp_avg"] for state in after.state.values()]
    for moment, other in zip(moments, before.state.values(), strict=True):
        assert torch.equal(moment, other["exp_avg"])
    assert told == [
        "lr is 0.01, in the checkpoint 0.0003",
        "weight_decay is 0.1, in the checkpoint 0.0005",
    ]


def test_an_optimizer_made_alike_goes_on_at_the_rate_that_the_schedule_had_reached() -> None:
    before = adam()
    rates = stepped(before, lr_scheduler.StepLR(before, 2), 3)
    after = adam()
    lr_scheduler.StepLR(after, 2)
    assert continue_optimizer(after, before.state_dict(), "a.pth") == []
    assert after.param_groups[0]["lr"] == rates[-1] == pytest.approx(0.00003)


def test_groups_that_differ_alike_are_told_once() -> None:
    layers = torch.nn.Linear(3, 2), torch.nn.Linear(3, 2)
    groups = [[{"params": layer.parameters()} for layer in layers] for _ in range(2)]
    before, after = torch.optim.SGD(groups[0], lr=0.1), torch.optim.SGD(groups[1], lr=0.2)
    assert len(continue_optimizer(after, before.state_dict(), "a.pth")) == 1


def test_a_cosine_of_two_epochs_goes_on_as_one_of_six() -> None:
    fresh = adam()
    curve = stepped(fresh, lr_scheduler.CosineAnnealingLR(fresh, 6), 6)
    before = adam()
    short = lr_scheduler.CosineAnnealingLR(before, 2)
    stepped(before, short, 2)
    after = adam()
    longer = lr_scheduler.CosineAnnealingLR(after, 6)
    continue_optimizer(after, before.state_dict(), "a.pth")
    told = continue_schedule(longer, short.state_dict(), 2)
    assert told == [
        "the schedule is built anew and continued at epoch 2: T_max of CosineAnnealingLR is 6, in "
        "the checkpoint 2"
    ]
    assert stepped(after, longer, 4) == curve[2:]


def test_another_rate_goes_on_along_its_own_curve() -> None:
    fresh = adam(lr=0.01)
    curve = stepped(fresh, lr_scheduler.CosineAnnealingLR(fresh, 4), 4)
    before = adam()
    schedule = lr_scheduler.CosineAnnealingLR(before, 4)
    stepped(before, schedule, 2)
    after = adam(lr=0.01)
    own = lr_scheduler.CosineAnnealingLR(after, 4)
    continue_optimizer(after, before.state_dict(), "a.pth")
    continue_schedule(own, schedule.state_dict(), 2)
    assert stepped(after, own, 2) == curve[2:]


@pytest.mark.parametrize("first", ["StepLR", "CosineAnnealingLR", "ExponentialLR"])
def test_the_state_of_another_schedule_is_not_loaded(first: str) -> None:
    makers = {
        "StepLR": lambda optimizer: lr_scheduler.StepLR(optimizer, 1, gamma=0.5),
        "CosineAnnealingLR": lambda optimizer: lr_scheduler.CosineAnnealingLR(optimizer, 4),
        "ExponentialLR": lambda optimizer: lr_scheduler.ExponentialLR(optimizer, 0.1),
    }
    before = adam()
    schedule = makers[first](before)
    stepped(before, schedule, 1)
    for name, make in makers.items():
        fresh, after = adam(), adam()
        curve = stepped(fresh, make(fresh), 3)
        own = make(after)
        continue_optimizer(after, before.state_dict(), "a.pth")
        told = continue_schedule(own, schedule.state_dict(), 1)
        assert bool(told) == (name != first)
        assert stepped(after, own, 2) == pytest.approx(curve[1:], rel=1e-12)
        assert set(own.__dict__) == set(make(adam()).__dict__)


def test_a_schedule_keeps_what_it_has_learnt_beside_its_settings() -> None:
    class Plateau(Schedule):
        """Halves the rate when asked to, and counts how often."""

        def __init__(self, optimizer: torch.optim.Optimizer, factor: float) -> None:
            self.factor, self.falls = factor, 0
            super().__init__(optimizer)

        def get_lr(self) -> list[float]:
            return [base * self.factor**self.falls for base in self.base_lrs]

    before, after = adam(), adam()
    schedule, own = Plateau(before, 0.5), Plateau(after, 0.5)
    schedule.falls = 2
    stepped(before, schedule, 1)
    assert continue_schedule(own, schedule.state_dict(), 1) == []
    assert own.falls == 2
    assert continue_schedule(Plateau(adam(), 0.1), schedule.state_dict(), 1) != []


def test_a_schedule_made_of_others_goes_on_at_another_rate() -> None:
    def made(lr: float) -> tuple[torch.optim.Optimizer, Schedule]:
        optimizer = adam(lr)
        parts = [
            lr_scheduler.LinearLR(optimizer, 0.1, total_iters=2),
            lr_scheduler.StepLR(optimizer, 1),
        ]
        return optimizer, lr_scheduler.SequentialLR(optimizer, parts, milestones=[2])

    curve = stepped(*made(0.01), 4)
    before, schedule = made(0.0003)
    stepped(before, schedule, 3)
    after, own = made(0.01)
    continue_optimizer(after, before.state_dict(), "a.pth")
    assert len(continue_schedule(own, schedule.state_dict(), 3)) == 1
    assert stepped(after, own, 1) == curve[3:]
    same, resumed = made(0.0003)
    assert continue_optimizer(same, before.state_dict(), "a.pth") == []
    assert continue_schedule(resumed, schedule.state_dict(), 3) == []
    assert stepped(same, resumed, 1) == stepped(before, schedule, 1)


def test_another_kind_of_optimizer_is_refused() -> None:
    with pytest.raises(CheckpointError, match=r"no Adam of these settings \(amsgrad\)"):
        check_kind(adam(amsgrad=True), adam().state_dict(), "a.pth")
    with pytest.raises(CheckpointError, match=r"a\.pth' is no SGD"):
        check_kind(torch.optim.SGD([torch.ones(1)], lr=1.0), adam().state_dict(), "a.pth")


def test_a_scheduler_with_a_first_step_of_its_own_is_brought_forward() -> None:
    def rates(start: int) -> list[float]:
        optimizer = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=1.0)
        scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 0.1, total_iters=5)
        fast_forward(scheduler, start)
        found = []
        for _ in range(4):
            found.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
        return found

    assert rates(0)[2:] == pytest.approx(rates(2)[:2])
    assert rates(0)[0] == pytest.approx(0.1)


def test_a_scheduler_made_of_others_needs_its_state() -> None:
    optimizer = torch.optim.SGD(torch.nn.Linear(1, 1).parameters(), lr=1.0)
    parts = [torch.optim.lr_scheduler.StepLR(optimizer, 1) for _ in range(2)]
    scheduler = torch.optim.lr_scheduler.SequentialLR(optimizer, parts, milestones=[2])
    with pytest.raises(CheckpointError, match="SequentialLR cannot be brought to epoch 2"):
        fast_forward(scheduler, 2)

"""Gradients are clipped before each step, by whatever engine, and their norm is shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from reid_plugins_training.clipping import GradientClipping
from reid_plugins_training.stepping import StepListener

from reidcore import hookimpl
from reidcore.engine import Engine, StepOutcome
from reidcore.errors import ConfigError, UserError
from reidcore.testing import TinyRun
from tests.plugins.reid_plugins_training.comparing import assert_same, figures, weights

Train = Callable[..., TinyRun]


class Gradients:
    """Keeps the gradients that each step of the optimizer sees, and those before clipping."""

    def __init__(self) -> None:
        self.before: list[float] = []
        self.used: list[torch.Tensor] = []

    @hookimpl
    def reid_before_optimizer_step(self, engine: Engine) -> None:
        self.before.append(float(self.flat(engine.optimizers[0]).norm()))

    @hookimpl(trylast=True)
    def reid_run_start(self, engine: Engine) -> None:
        optimizer = engine.optimizers[0]
        optimizer.register_step_post_hook(lambda *_: self.used.append(self.flat(optimizer)))

    def flat(self, optimizer: torch.optim.Optimizer) -> torch.Tensor:
        parameters = [each for group in optimizer.param_groups for each in group["params"]]
        return torch.cat([each.grad.flatten().clone() for each in parameters])


def test_the_norm_of_all_gradients_is_bounded_and_shown_as_it_was(train: Train) -> None:
    seen = Gradients()
    run = train("run", "settings.training.clip.norm=0.5", plugins=(seen,))
    assert len(seen.before) == 6
    assert min(seen.before) > 0.5
    assert [float(used.norm()) for used in seen.used] == pytest.approx([0.5] * 6, rel=1e-4)
    shown = [epoch["grad_norm"] for epoch in figures(run)]
    means = [sum(seen.before[:3]) / 3, sum(seen.before[3:]) / 3]
    assert shown == pytest.approx(means, rel=1e-5)


def test_each_number_is_bounded(train: Train) -> None:
    seen = Gradients()
    run = train("run", "settings.training.clip.value=0.01", plugins=(seen,))
    assert [float(used.abs().max()) for used in seen.used] == pytest.approx([0.01] * 6)
    assert all(epoch["grad_norm"] > 0.1 for epoch in figures(run))


def test_a_bound_that_no_gradient_reaches_changes_nothing(train: Train) -> None:
    free, bounded = train("free"), train("bounded", "settings.training.clip.norm=1e6")
    mine, yours = weights(free), weights(bounded)
    assert all(torch.equal(mine[key], yours[key]) for key in mine)


class ByHand:
    """Steps the optimizer itself, past the engine's verbs."""

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Any) -> StepOutcome:
        losses = engine.losses(batch)
        engine.optimizers[0].zero_grad()
        sum(losses.values()).backward()
        engine.optimizers[0].step()
        return engine.outcome(losses)


def test_a_step_that_is_taken_by_hand_is_clipped_too(train: Train) -> None:
    seen = Gradients()
    train("run", "settings.training.clip.norm=0.5", plugins=(seen, ByHand()))
    assert [float(used.norm()) for used in seen.used] == pytest.approx([0.5] * 6, rel=1e-4)


def test_accumulated_gradients_are_clipped_as_one(train: Train) -> None:
    seen = Gradients()
    train("run", "settings.training.clip.norm=0.5", "train.accumulate=2", plugins=(seen,))
    assert len(seen.used) == 4  # two batches, and the rest of one, in each of two epochs
    assert [float(used.norm()) for used in seen.used] == pytest.approx([0.5] * 4, rel=1e-4)


class Overflow:
    """Makes a gradient infinite before the first step."""

    def __init__(self) -> None:
        self.steps = 0

    @hookimpl(wrapper=True)
    def reid_forward_backward(self, engine: Engine) -> Any:
        self.steps += 1
        if self.steps == 1:
            parameter = next(engine.model.parameters())
            handle = parameter.register_hook(lambda grad: grad * math.inf)
            try:
                return (yield)
            finally:
                handle.remove()
        return (yield)


def test_an_infinite_gradient_is_bounded_by_a_value_like_any_other(train: Train) -> None:
    seen = Gradients()
    train("run", "settings.training.clip.value=0.01", plugins=(seen, Overflow()))
    assert [float(used.abs().max()) for used in seen.used] == pytest.approx([0.01] * 6)


@pytest.mark.parametrize("fused", [False, True])
def test_a_step_that_overflows_under_fp16_is_left_out_and_not_shown(
    train: Train, fused: bool
) -> None:
    class Fuse:
        @hookimpl
        def reid_run_start(self, engine: Engine) -> None:
            for group in engine.optimizers[0].param_groups:
                group["fused"], group["foreach"] = fused, not fused
            engine.optimizers[0]._step_supports_amp_scaling = fused  # type: ignore[attr-defined]

    run = train(
        "run", "settings.training.clip.norm=0.5", "train.amp=fp16", plugins=(Overflow(), Fuse())
    )
    assert all(torch.isfinite(value).all() for value in weights(run).values())
    assert all(0 < epoch["grad_norm"] < 100 for epoch in figures(run))


def test_a_resumed_epoch_shows_the_mean_of_all_of_it(train: Train, train_in_parts: Train) -> None:
    whole = train("whole", "settings.training.clip.norm=0.5")
    assert_same(whole, train_in_parts("parts", "settings.training.clip.norm=0.5", batches=5))


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("settings.training.clip={}", "expected either norm or value, not {}"),
        ("settings.training.clip={norm: 1, value: 1}", "expected either norm or value, not "),
        ("settings.training.clip.norm=0", "expected more than 0.0"),
        ("settings.training.clip.nrom=1", "did you mean .norm"),
    ],
)
def test_bounds_that_bound_nothing_are_refused(train: Train, setting: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"(?i){told}"):
        train("run", setting)


def test_by_hand_too() -> None:
    with pytest.raises(ValueError, match="either norm or value"):
        GradientClipping()


def test_no_section_brings_no_trick(train: Train) -> None:
    run = train("run")
    assert not [name for name in run.engine.plugins if name.name.startswith("training.")]


def test_a_trick_is_listed_in_the_record_under_its_name(train: Train) -> None:
    run = train("run", "settings.training.clip.norm=1")
    assert {"name": "training.clip", "distribution": "reidcore"}.items() <= {
        key: value
        for plugin in run.result["plugins"]
        if plugin["name"] == "training.clip"
        for key, value in plugin.items()
    }.items()


class Heard:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def listen(self, optimizer: torch.optim.Optimizer) -> StepListener:
        return StepListener(
            optimizer,
            before=lambda: self.calls.append("before"),
            after=lambda: self.calls.append("after"),
        )


def test_a_step_that_calls_its_parents_is_one() -> None:
    class Twice(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            return super().step(closure)

    weight = torch.nn.Parameter(torch.ones(1))
    torch.optim.SGD([weight], lr=0.1)  # from now on a step of the parent tells by itself
    optimizer, heard = Twice([weight], lr=0.1), Heard()
    listener = heard.listen(optimizer)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert heard.calls == ["before", "after"]
    listener.close()
    optimizer.step()
    assert heard.calls == ["before", "after"]


def test_steps_after_one_that_failed_are_heard() -> None:
    def fail() -> float:
        raise FloatingPointError

    weight = torch.nn.Parameter(torch.ones(1))
    optimizer, heard = torch.optim.SGD([weight], lr=0.1), Heard()
    heard.listen(optimizer)
    with pytest.raises(FloatingPointError):
        optimizer.step(fail)
    weight.grad = torch.ones(1)
    optimizer.step()
    assert heard.calls == ["before", "before", "after"]


def test_an_optimizer_that_tells_no_step_is_refused() -> None:
    class Mute(torch.optim.Optimizer):
        def __init__(self) -> None:
            self.param_groups = []

        def step(self, closure: Any = None) -> None:
            """Update nothing."""

    with pytest.raises(UserError, match="Mute does not tell when it steps"):
        StepListener(Mute())

"""A batch whose loss is not finite stops a run, or is left out without a trace in the weights."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.engine import Engine, NonFiniteLossError
from reidcore.registry import Registrar
from reidcore.testing import TinyRun

Train = Callable[..., TinyRun]
SKIP = "settings.training.alarms.non_finite=skip"


class Spoils:
    """Makes the images of some batches infinite, which spoils losses and batch statistics.

    Args:
        batches: their numbers, from 0.
    """

    def __init__(self, *batches: int) -> None:
        self.batches = batches
        self.seen = 0
        self.before: dict[str, Tensor] = {}

    @hookimpl(wrapper=True, trylast=True)
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> Any:
        if self.seen in self.batches:
            self.before = {name: v.clone() for name, v in engine.model.state_dict().items()}
            batch["img"].fill_(float("inf"))
        self.seen += 1
        return (yield)


class LooksLater:
    """Has losses looked at after their steps, as ``train.speed=fast`` does on CUDA."""

    @hookimpl(tryfirst=True)
    def reid_run_start(self, engine: Engine) -> None:
        engine.accelerator.finite.is_late = True


class Compares:
    """Looks at the weights and statistics after each batch that was left out."""

    def __init__(self, spoils: Spoils) -> None:
        self.spoils = spoils
        self.changed: list[str] = []
        self.skipped = 0

    @hookimpl
    def reid_step_end(self, engine: Engine, outcome: Any) -> None:
        if outcome.was_skipped:
            self.skipped += 1
            before = self.spoils.before
            self.changed += [
                name
                for name, value in engine.model.state_dict().items()
                if not torch.equal(value, before[name])
            ]


class Memory(nn.Module):
    """A loss that remembers the mean of all features."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.zeros(8))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        self.mean.lerp_(features.detach().mean(0), 0.5)
        return (features - self.mean).square().mean()


class Queue(nn.Module):
    """A loss that remembers the features of all batches so far."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.seen: Tensor
        self.register_buffer("seen", torch.zeros(1, 8))

    def forward(self, features: Tensor, pids: Tensor) -> Tensor:
        loss = (features - self.seen.mean(0)).square().mean()
        if torch.isfinite(loss):
            self.seen = torch.cat([self.seen, features.detach()])
        return loss


class Remembers:
    @hookimpl
    def reid_register_losses(self, registry: Registrar) -> None:
        registry.add("memory", Memory)
        registry.add("queue", Queue)


def test_a_run_stops_at_a_loss_that_is_not_finite_and_names_its_images(train: Train) -> None:
    named = r"the loss of the batch '.*\.png', '.*\.png', '.*\.png' and 5 more is not finite"
    with pytest.raises(NonFiniteLossError, match=named) as error:
        train("log", plugins=(Spoils(1),))
    assert SKIP in error.value.hint


def test_a_clip_is_named_once_by_its_first_frame() -> None:
    clip = ("a.jpg", "b.jpg")
    error = NonFiniteLossError(torch.tensor(float("nan")), [clip, clip, "c.jpg"])
    assert error.what.startswith("the loss of the batch 'a.jpg', 'c.jpg' is not finite")


def test_what_another_process_could_not_learn_from_has_no_names_here() -> None:
    error = NonFiniteLossError({"softmax": torch.tensor(1.5)}, ["a.jpg"])
    assert error.what == "the loss is not finite in another process; here (softmax 1.5)"


@pytest.mark.parametrize("others", [(), (LooksLater(),)])
def test_a_batch_is_left_out_without_a_trace(
    others: tuple[Any, ...], train: Train, caplog: pytest.LogCaptureFixture
) -> None:
    spoils = Spoils(1, 2)
    compares = Compares(spoils)
    with caplog.at_level(logging.WARNING):
        run = train("log", SKIP, plugins=(*others, spoils, compares))
    assert compares.skipped == 2
    assert compares.changed == []
    assert "training.skip" in run.result["step"]["step_wrappers"]
    assert all(torch.isfinite(v).all() for v in run.engine.model.state_dict().values())
    assert (
        len([each for each in caplog.messages if "Left out a batch: the loss of the batch" in each])
        == 2
    )
    assert "2 batches of epoch 1 left out, their loss not finite" in caplog.messages


def test_the_memory_of_a_loss_is_as_it_was(train: Train) -> None:
    run = train("log", SKIP, "loss.terms={softmax: 1, memory: 1}", plugins=(Spoils(1), Remembers()))
    mean = run.engine.terms["memory"][1].mean  # type: ignore[attr-defined]
    assert torch.isfinite(mean).all()
    assert mean.abs().sum() > 0


def test_a_memory_that_grows_is_taken_as_it_comes(train: Train) -> None:
    run = train("log", SKIP, "loss.terms={softmax: 1, queue: 1}", plugins=(Spoils(1), Remembers()))
    assert len(run.engine.terms["queue"][1].seen) == 1 + 5 * 8  # type: ignore[attr-defined]


class TwoBackwards:
    """Takes the gradients of two sums one after the other, of which the second may be spoilt."""

    def __init__(self, *batches: int) -> None:
        self.batches = batches
        self.seen = 0
        self.left: list[int] = []

    @hookimpl
    def reid_forward_backward(self, engine: Engine, batch: Mapping[str, Any]) -> Any:
        losses = engine.losses(batch)
        total = torch.stack(list(losses.values())).sum()
        engine.backward(total / 2)
        self.seen += 1
        factor = float("nan") if self.seen - 1 in self.batches else 0.5
        engine.backward(engine.losses(batch)["softmax"] * factor)
        engine.optimizer_step()
        return engine.outcome(losses)

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.left.append(sum(each.grad is not None for each in engine.model.parameters()))


@pytest.mark.parametrize("amp", ["off", "fp16"])
def test_half_of_a_batch_is_left_out_too(amp: str, train: Train) -> None:
    step = TwoBackwards(2)  # the last of an epoch, after which no step is to come
    train("log", SKIP, f"train.amp={amp}", plugins=(step,))
    assert step.left == [0] * 6


class Steps:
    """Counts the steps of the optimizer in the first epoch."""

    def __init__(self) -> None:
        self.taken = 0

    @hookimpl
    def reid_before_optimizer_step(self, engine: Engine) -> None:
        self.taken += engine.epoch == 0


@pytest.mark.parametrize("spoilt", [0, 1])
def test_a_step_still_sums_as_many_batches_as_it_is_to(spoilt: int, train: Train) -> None:
    steps = Steps()
    train("log", SKIP, "train.accumulate=2", plugins=(Spoils(spoilt), steps))
    assert steps.taken == 1  # of three batches two were learnt from


def test_too_many_in_a_row_stop_the_run(train: Train) -> None:
    most = "settings.training.alarms.most_skipped=2"
    with pytest.raises(NonFiniteLossError):
        train("log", SKIP, most, plugins=(Spoils(0, 1),))
    assert train("apart", SKIP, most, plugins=(Spoils(0, 2),)).result["training"]


def test_other_runs_have_no_such_step(train: Train) -> None:
    assert train("log").result["step"]["step_wrappers"] == []

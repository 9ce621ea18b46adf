"""Stages: parts of one run, which resumes inside each as if it had never stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted, RunPlan, Stage
from reidcore.engine.latest import newest_checkpoint
from reidcore.errors import CheckpointError, PluginDefectError
from reidcore.utils import resume_from_checkpoint
from tests.stopping import StopAfter

MakeEngine = Callable[..., Engine]


class TwoStages(Engine):
    """Trains the classifier alone for two epochs, at rates of its own; then all layers."""

    first_epochs = 2
    is_interrupted = False

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        """A first stage of gradient descent, and the one that the engine was made for."""
        first = Stage("classifier", self.first_epochs, self.train_classifier)
        return [first, Stage("everything", plan.max_epoch)]

    def train_classifier(self) -> None:
        """Begin the first stage."""
        torch.rand(3)  # which must leave no trace
        if self.is_interrupted:
            self.interruption.ask()
            self.interruption.check()
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad_(name.startswith("classifier"))
        classifier = self.model.get_submodule("classifier")
        optimizer = torch.optim.SGD(classifier.parameters(), lr=0.5, momentum=0.9)
        state = self.states["model"]
        state.optimizer = optimizer
        state.scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        self.terms = {"plain": (1.0, nn.functional.cross_entropy)}


class Recorder:
    """Writes down in which stage each step was taken, at which rate, by which optimizer."""

    def __init__(self) -> None:
        self.seen: list[tuple[Any, ...]] = []

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Note the epoch."""
        frozen = not next(engine.model.parameters()).requires_grad
        kind = type(engine.optimizer).__name__
        self.seen.append((engine.stage.name, engine.epoch, kind, engine.get_current_lr(), frozen))


@pytest.fixture
def make_staged(make_engine: MakeEngine) -> MakeEngine:
    """Return a function that builds an engine of two stages."""

    def build(*extra: Any, **options: Any) -> Engine:
        engine = make_engine(*extra, engine_class=TwoStages, max_epoch=3, **options)
        engine.terms = {"softmax": (1.0, nn.functional.cross_entropy)}
        return engine

    return build


def run(engine: Engine, folder: Path, **options: Any) -> dict[str, Any]:
    """Train for as many epochs as the main stage has."""
    return engine.run(save_dir=str(folder), max_epoch=3, **options)


def test_each_stage_has_its_epochs_parameters_and_schedule(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    recorder = Recorder()
    result = run(make_staged(recorder), tmp_path)
    cosine = [0.01, 0.0075, 0.0025]
    assert recorder.seen == [
        ("classifier", 0, "SGD", 0.5, True),
        ("classifier", 1, "SGD", 0.25, True),
        *(
            ("everything", 2 + done, "Adam", pytest.approx(rate), False)
            for done, rate in enumerate(cosine)
        ),
    ]
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2, 3, 4, 5]
    assert result["max_epoch"] == 5
    assert ["plain" in epoch for epoch in result["training"]] == [True, True, False, False, False]


def test_a_checkpoint_by_hand_after_the_run_is_of_its_last_stage(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    engine = make_staged()
    run(engine, tmp_path / "run")
    engine.save_model(4, save_dir=str(tmp_path / "hand"))
    (written,) = (tmp_path / "hand").glob("model.pth.tar-*")
    going_on = make_staged()
    start = going_on.resume(str(written))
    assert start.stage == {"name": "everything", "first": 2, "is_last": True}
    result = going_on.run(save_dir=str(tmp_path / "on"), max_epoch=4, start_epoch=start)
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2, 3, 4, 5, 6]


class Learning:
    """Writes down which layers learn in each epoch."""

    def __init__(self) -> None:
        self.layers: list[set[str]] = []

    @hookimpl
    def reid_epoch_start(self, engine: Engine) -> None:
        """Note them."""
        named = engine.model.named_parameters()
        self.layers.append({name.partition(".")[0] for name, each in named if each.requires_grad})


def test_layers_are_held_back_in_the_last_stage_alone(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    learning, everything = Learning(), {"conv", "norm", "classifier"}
    run(make_staged(learning), tmp_path, fixbase_epoch=1, open_layers="norm")
    assert learning.layers == [{"classifier"}, {"classifier"}, {"norm"}, everything, everything]


def test_a_losss_own_optimizer_is_kept_for_the_stages_that_have_the_loss(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    from reid_plugins_engines.losses import CenterLoss

    engine = make_staged()
    center = CenterLoss(engine.datamanager.num_train_pids, 8)
    engine.terms = {**engine.terms, "center": (0.1, center)}
    run(engine, tmp_path / "first")
    (optimizer,) = engine.loss_optimizers.values()
    run(engine, tmp_path / "second")  # its first stage has no such loss
    assert engine.loss_optimizers == {"center": optimizer}


def test_what_a_stage_set_is_undone_at_its_end(make_staged: MakeEngine, tmp_path: Path) -> None:
    engine = make_staged()
    before = engine.optimizer, engine.scheduler, engine.terms, engine.train_loader
    run(engine, tmp_path)
    after = engine.optimizer, engine.scheduler, engine.terms, engine.train_loader
    assert all(one is other for one, other in zip(before, after, strict=True))
    assert all(parameter.requires_grad for parameter in engine.model.parameters())


@pytest.mark.parametrize("epochs", [1, 2, 3, 4])
def test_a_run_resumed_after_any_epoch_equals_one_that_never_stopped(
    make_staged: MakeEngine, tmp_path: Path, epochs: int
) -> None:
    whole = make_staged()
    run(whole, tmp_path / "whole", keep_checkpoints=9)
    again = make_staged()
    start = again.resume(str(tmp_path / "whole" / f"model.pth.tar-{epochs}"))
    assert start == epochs
    run(again, tmp_path / "again", start_epoch=start)
    assert_equal(whole, again)


@pytest.mark.parametrize("steps", [1, 4, 8, 10])
def test_and_so_does_one_that_was_stopped_within_an_epoch(
    make_staged: MakeEngine, tmp_path: Path, steps: int
) -> None:
    whole = make_staged()
    run(whole, tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(make_staged(StopAfter(steps)), tmp_path / "again")
    again = make_staged()
    (stopped,) = (tmp_path / "again").glob("model-interrupted.pth.tar-*")
    run(again, tmp_path / "again", start_epoch=again.resume(str(stopped)))
    assert_equal(whole, again)


class DrawsAsItBegins(TwoStages):
    """Draws random numbers as its last stage begins."""

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        """As before."""
        first, last = super().stages(plan)
        return [first, replace(last, begin=self.draw)]

    def draw(self) -> None:
        """Draw some."""
        torch.rand(7)


class Draws:
    """Draws a random number in each epoch."""

    def __init__(self) -> None:
        self.drawn: list[float] = []

    @hookimpl
    def reid_epoch_start(self) -> None:
        """Draw."""
        self.drawn.append(torch.rand(1).item())


def test_what_a_stage_draws_as_it_begins_moves_no_later_number(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole, again = Draws(), Draws()
    engine = make_engine(whole, engine_class=DrawsAsItBegins, max_epoch=3)
    engine.terms = {"softmax": (1.0, nn.functional.cross_entropy)}
    run(engine, tmp_path / "whole", keep_checkpoints=9)
    engine = make_engine(again, engine_class=DrawsAsItBegins, max_epoch=3)
    engine.terms = {"softmax": (1.0, nn.functional.cross_entropy)}
    start = engine.resume(str(tmp_path / "whole" / "model.pth.tar-2"))
    run(engine, tmp_path / "again", start_epoch=start)
    assert again.drawn == whole.drawn[2:]


def assert_equal(whole: Engine, again: Engine) -> None:
    """Compare all that was learnt."""
    one, other = whole.model.state_dict(), again.model.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)
    losses = [
        [{k: v for k, v in epoch.items() if "seconds" not in k} for epoch in each.record.history]
        for each in (whole, again)
    ]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_so_does_one_that_is_resumed_without_the_engine(
    make_staged: MakeEngine, tmp_path: Path, epochs: int
) -> None:
    whole = make_staged()
    run(whole, tmp_path / "whole", keep_checkpoints=9)
    again = make_staged()
    file = tmp_path / "whole" / f"model.pth.tar-{epochs}"
    start = resume_from_checkpoint(file, again.model, again.optimizer, again.scheduler)
    run(again, tmp_path / "again", start_epoch=start)
    assert_equal(whole, again)


def test_one_that_is_stopped_while_its_stage_begins_leaves_the_checkpoint_before(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    whole = make_staged()
    run(whole, tmp_path / "whole")
    with pytest.raises(Interrupted):
        run(make_staged(StopAfter(1)), tmp_path / "again")
    before = newest_checkpoint(tmp_path / "again")
    stopped = make_staged()
    stopped.is_interrupted = True  # type: ignore[attr-defined]
    start = stopped.resume(str(before))
    with pytest.raises(Interrupted):
        run(stopped, tmp_path / "again", start_epoch=start)
    assert newest_checkpoint(tmp_path / "again") == before
    again = make_staged()
    run(again, tmp_path / "again", start_epoch=again.resume(str(before)))
    assert_equal(whole, again)


def test_a_run_begins_where_it_is_told_to(make_staged: MakeEngine, tmp_path: Path) -> None:
    recorder = Recorder()
    run(make_staged(recorder), tmp_path, start_epoch=3)
    rates = [pytest.approx(rate) for rate in (0.0075, 0.0025)]
    assert recorder.seen == [
        ("everything", 3 + done, "Adam", rate, False) for done, rate in enumerate(rates)
    ]


@pytest.mark.parametrize("epochs", [3, 5])  # at 5 the stage would begin, but it was under way
def test_other_epochs_of_the_stages_than_the_checkpoint_had_are_refused(
    make_staged: MakeEngine, tmp_path: Path, epochs: int
) -> None:
    run(make_staged(), tmp_path, keep_checkpoints=9)
    again = make_staged()
    again.first_epochs = 5  # type: ignore[attr-defined]
    start = again.resume(str(tmp_path / f"model.pth.tar-{epochs}"))
    with pytest.raises(CheckpointError, match="from the stage 'everything', which began after 2"):
        run(again, tmp_path / "again", start_epoch=start)


def test_another_optimizer_in_the_last_stage_is_refused(
    make_staged: MakeEngine, tmp_path: Path
) -> None:
    engine = make_staged()
    only = Stage("all", 3, engine.train_classifier)  # type: ignore[attr-defined]
    engine.stages = lambda plan: [only]  # type: ignore[method-assign]
    before = engine.optimizer
    with pytest.raises(PluginDefectError, match=r"'all' of TwoStages is the last.*register_model"):
        run(engine, tmp_path)
    assert engine.optimizer is engine.states["model"].optimizer is before


def test_stages_of_one_name_are_refused(make_staged: MakeEngine, tmp_path: Path) -> None:
    engine = make_staged()
    engine.stages = lambda plan: [Stage("a", 1), Stage("a", plan.max_epoch)]  # type: ignore[method-assign]
    with pytest.raises(PluginDefectError, match="stages of different names"):
        run(engine, tmp_path)

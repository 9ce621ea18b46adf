"""A resumed run is the run that never stopped, bit for bit."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted, StepOutcome
from reidcore.engine.latest import newest_checkpoint
from reidcore.engine.precision import Precision
from reidcore.errors import CheckpointError
from reidcore.utils import (
    load_checkpoint,
    load_pretrained_weights,
    resume_from_checkpoint,
    save_checkpoint,
)

MakeEngine = Callable[..., Engine]


def weights(engine: Engine) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in engine.model.state_dict().items()}


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


def figures(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the record says of each epoch, but for what a clock measured."""
    return [
        {name: value for name, value in epoch.items() if not name.endswith("seconds")}
        for epoch in result["training"]
    ]


class StopAtFive:
    """Asks for the run's end after the second batch of the second epoch."""

    steps = 0

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.steps += 1
        if self.steps == 5:
            engine.interruption.ask()


@pytest.mark.parametrize("workers", [0, 2])
def test_two_epochs_resumed_for_two_equal_four(
    make_engine: MakeEngine, tmp_path: Path, workers: int
) -> None:
    whole = make_engine(workers=workers)
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=4)

    make_engine(workers=workers).run(save_dir=str(tmp_path / "parts"), max_epoch=2)
    second = make_engine(workers=workers, seed=3)
    start = second.resume(str(tmp_path / "parts" / "model.pth.tar-2"))
    torch.manual_seed(999)  # what happens between resuming and running does not matter
    second.run(save_dir=str(tmp_path / "parts"), max_epoch=4, start_epoch=start)

    assert start == 2
    assert_same(weights(whole), weights(second))


def test_a_run_stopped_within_an_epoch_goes_on_with_the_next_batch(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole = make_engine()
    result = whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)

    stopped = make_engine(StopAtFive())
    with pytest.raises(Interrupted):
        stopped.run(save_dir=str(tmp_path / "parts"), max_epoch=3)
    resumed = make_engine()
    path = tmp_path / "parts" / "model-interrupted.pth.tar-1"
    again = resumed.run(
        save_dir=str(tmp_path / "parts"), max_epoch=3, start_epoch=resumed.resume(str(path))
    )

    assert load_checkpoint(path)["reidcore"]["step"] == 2
    assert_same(weights(whole), weights(resumed))
    assert figures(again) == figures(result)  # those of the whole epoch, not of its rest


class StopAt:
    """Asks for the run's end after a batch of the first epoch, from 1."""

    def __init__(self, batch: int) -> None:
        self.batch, self.seen = batch, 0

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        self.seen += 1
        if self.seen == self.batch:
            engine.interruption.ask()


class LeaveOut:
    """Leaves a batch of each epoch out, from 1."""

    def __init__(self, batch: int) -> None:
        self.batch = batch

    @hookimpl
    def reid_forward_backward(self, engine: Engine) -> StepOutcome | None:
        at = engine.active_run.position.batch if engine.active_run else 0
        return StepOutcome.skipped() if at + 1 == self.batch else None


@pytest.mark.parametrize("amp", ["off", "fp16"])
@pytest.mark.parametrize("batch", [1, 2, 3])
def test_a_run_stopped_while_gradients_wait_for_further_batches_goes_on_with_them(
    make_engine: MakeEngine, tmp_path: Path, batch: int, amp: str
) -> None:
    """Epochs have three batches here: after the third a rest of one waits for the epoch's end."""

    def accumulating(*plugins: object) -> Engine:
        return make_engine(*plugins, precision=Precision(amp=amp, accumulate=2))

    whole = accumulating()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=2)
    with pytest.raises(Interrupted):
        accumulating(StopAt(batch)).run(save_dir=str(tmp_path / "parts"), max_epoch=2)
    resumed = accumulating()
    start = resumed.resume(str(tmp_path / "parts" / "model-interrupted.pth.tar-0"))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=2, start_epoch=start)
    assert start.state["step"] == batch
    assert_same(weights(whole), weights(resumed))


def test_a_batch_that_was_left_out_counts_towards_the_next_step_after_a_stop_too(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    def accumulating(*plugins: object) -> Engine:
        return make_engine(LeaveOut(1), *plugins, precision=Precision(accumulate=2))

    whole = accumulating()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=1)
    with pytest.raises(Interrupted):
        accumulating(StopAt(1)).run(save_dir=str(tmp_path / "parts"), max_epoch=1)
    resumed = accumulating()
    start = resumed.resume(str(tmp_path / "parts" / "model-interrupted.pth.tar-0"))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=1, start_epoch=start)
    assert_same(weights(whole), weights(resumed))


def test_one_that_ends_an_epoch_is_no_part_of_the_next(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    def accumulating() -> Engine:
        return make_engine(LeaveOut(3), precision=Precision(accumulate=2))

    whole = accumulating()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=2)
    accumulating().run(save_dir=str(tmp_path / "parts"), max_epoch=1)
    resumed = accumulating()
    start = resumed.resume(str(tmp_path / "parts" / "model.pth.tar-1"))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=2, start_epoch=start)
    assert_same(weights(whole), weights(resumed))


@pytest.mark.parametrize(
    ("gradients", "told"),
    [
        ([torch.ones(1)], "1 gradients of 6 parameters"),
        ([torch.ones(2, 2)] * 6, r"a gradient \(2, 2\) of \(8, 3, 3, 3\) numbers"),
        ("none", "does not fit"),
    ],
)
def test_gradients_of_another_model_are_refused(
    make_engine: MakeEngine, tmp_path: Path, gradients: Any, told: str
) -> None:
    with pytest.raises(Interrupted):
        make_engine(StopAt(1)).run(save_dir=str(tmp_path), max_epoch=1)
    held = load_checkpoint(tmp_path / "model-interrupted.pth.tar-0")
    held["reidcore"]["accumulated"] = {"batches": 1, "gradients": gradients}
    path = save_checkpoint(held, tmp_path, name="doctored")
    engine = make_engine()
    start = engine.resume(str(path))
    with pytest.raises(CheckpointError, match=told):
        engine.run(save_dir=str(tmp_path), max_epoch=1, start_epoch=start)


class FailsLate(torch.optim.lr_scheduler.StepLR):
    """A scheduler of somebody else's, which is out of steps at the second epoch's end."""

    def step(self, epoch: int | None = None) -> None:
        super().step(epoch)
        if self.last_epoch == 2:
            raise ValueError("tried to step 2 times")


def test_a_schedule_that_fails_at_an_epochs_end_leaves_the_epoch_before_it(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Weights one epoch ahead of their rate would be no state of any run."""

    def stepped(kind: Any = torch.optim.lr_scheduler.StepLR) -> Engine:
        engine = make_engine(scheduler="single_step")
        held = engine.states["model"]
        for group in held.optimizer.param_groups:  # type: ignore[union-attr]
            group.pop("initial_lr")
        schedule = kind(held.optimizer, step_size=1)
        engine.states["model"] = replace(held, scheduler=schedule)
        return engine

    caplog.set_level("INFO")
    whole = stepped()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    with pytest.raises(ValueError, match="tried to step"):
        stepped(FailsLate).run(save_dir=str(tmp_path / "parts"), max_epoch=3)
    newest = tmp_path / "parts" / "model.pth.tar-1"
    assert newest_checkpoint(tmp_path / "parts") == newest
    assert f"model.resume={newest}" in caplog.text
    resumed = stepped()
    start = resumed.resume(str(newest))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=3, start_epoch=start)
    assert_same(weights(whole), weights(resumed))


def test_a_plugin_that_fails_at_an_epochs_end_does_so_too(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    """Others after it have not seen the epoch."""

    class Fail:
        @hookimpl
        def reid_epoch_end(self, engine: Engine) -> None:
            if engine.epoch == 1:
                raise RuntimeError("no connection")

    with pytest.raises(RuntimeError, match="no connection"):
        make_engine(Fail()).run(save_dir=str(tmp_path), max_epoch=3)
    assert newest_checkpoint(tmp_path) == tmp_path / "model.pth.tar-1"


def test_figures_that_fail_at_an_epochs_end_cost_no_batch(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Fail:
        asked = 0

        @hookimpl
        def reid_figures(self) -> dict[str, float]:
            self.asked += 1
            if self.asked == 2:  # the first time is after the last batch
                raise RuntimeError("no figures")
            return {}

    whole = make_engine()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=2)
    with pytest.raises(RuntimeError, match="no figures"):
        make_engine(Fail()).run(save_dir=str(tmp_path / "parts"), max_epoch=2, print_freq=10)
    resumed = make_engine()
    start = resumed.resume(str(tmp_path / "parts" / "model-interrupted.pth.tar-0"))
    assert start.state["step"] == 3
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=2, start_epoch=start)
    assert_same(weights(whole), weights(resumed))


def test_the_seconds_of_a_resumed_epoch_are_those_before_the_stop_too(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class Slow:
        @hookimpl
        def reid_forward_backward(self, engine: Engine, batch: Any) -> Any:
            time.sleep(0.1)
            return engine.forward_backward(batch)

    with pytest.raises(Interrupted):
        make_engine(StopAtFive(), Slow()).run(save_dir=str(tmp_path), max_epoch=2)
    resumed = make_engine()
    start = resumed.resume(str(tmp_path / "model-interrupted.pth.tar-1"))
    result = resumed.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    assert result["training"][1]["seconds"] > 0.2


def test_images_left_out_before_the_stop_are_counted_after_it(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    engine.train_loader.skipped["a.png"] = "truncated"  # type: ignore[attr-defined]
    engine.run(save_dir=str(tmp_path), max_epoch=1)
    resumed = make_engine()
    start = resumed.resume(str(tmp_path / "model.pth.tar-1"))
    result = resumed.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    assert [epoch["skipped_images"] for epoch in result["training"]] == [1, 1]


def test_resuming_a_model_by_itself_goes_on_bit_for_bit(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    """As in Torchreid: what the function returns is the run's start_epoch."""
    whole = make_engine()
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    make_engine().run(save_dir=str(tmp_path / "parts"), max_epoch=2)
    second = make_engine()
    start_epoch = resume_from_checkpoint(
        tmp_path / "parts" / "model.pth.tar-2", second.model, second.optimizer, second.scheduler
    )
    result = second.run(save_dir=str(tmp_path / "parts"), max_epoch=3, start_epoch=start_epoch)
    assert_same(weights(whole), weights(second))
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2, 3]


def test_a_checkpoint_is_taken_by_the_run_that_starts_where_it_ended(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    engine = make_engine()
    engine.resume(str(tmp_path / "model.pth.tar-2"))
    result = engine.run(save_dir=str(tmp_path), max_epoch=1)
    assert [epoch["epoch"] for epoch in result["training"]] == [1]


@pytest.mark.parametrize("scheduler", ["cosine", "single_step"])
def test_the_learning_rate_curve_continues_where_no_scheduler_was_passed(
    make_engine: MakeEngine, tmp_path: Path, scheduler: str
) -> None:
    whole = make_engine(scheduler=scheduler)
    curve = record_rates(whole, tmp_path / "whole", start_epoch=0)
    make_engine(scheduler=scheduler).run(save_dir=str(tmp_path / "parts"), max_epoch=2)
    second = make_engine(scheduler=scheduler)
    start = resume_from_checkpoint(
        tmp_path / "parts" / "model.pth.tar-2", second.model, second.optimizer
    )
    assert record_rates(second, tmp_path / "parts", start) == pytest.approx(curve[2:], rel=1e-12)


@pytest.mark.parametrize("scheduler", ["cosine", "single_step"])
def test_starting_late_without_a_checkpoint_starts_late_on_the_curve(
    make_engine: MakeEngine, tmp_path: Path, scheduler: str
) -> None:
    curve = record_rates(make_engine(scheduler=scheduler), tmp_path / "whole", start_epoch=0)
    late = record_rates(make_engine(scheduler=scheduler), tmp_path / "late", start_epoch=3)
    assert late == pytest.approx(curve[3:], rel=1e-9)


def record_rates(engine: Engine, save_dir: Path, start_epoch: int) -> list[float]:
    rates: list[float] = []
    forward_backward = engine.forward_backward

    def noting(batch: Any) -> Any:
        rate = engine.get_current_lr()
        if not rates or rates[-1] != rate:
            rates.append(rate)
        return forward_backward(batch)

    engine.forward_backward = noting  # type: ignore[method-assign]
    engine.run(save_dir=str(save_dir), max_epoch=4, start_epoch=start_epoch)
    return rates


def test_only_tested_and_last_epochs_keep_their_checkpoints(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    make_engine(max_epoch=5).run(save_dir=str(tmp_path), max_epoch=5, eval_freq=2)
    kept = sorted(path.name for path in tmp_path.glob("model.pth.tar-*"))
    assert kept == ["model.pth.tar-2", "model.pth.tar-4", "model.pth.tar-5"]
    assert (tmp_path / "model-best.pth.tar").is_file()


def test_a_checkpoint_has_torchreids_keys_and_the_rank1(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    result = make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    checkpoint = load_checkpoint(tmp_path / "model.pth.tar-1")
    assert {"state_dict", "epoch", "rank1", "optimizer", "scheduler"} <= checkpoint.keys()
    assert checkpoint["epoch"] == 1
    assert checkpoint["rank1"] == pytest.approx(result["targets"]["tiny"]["rank1"])
    assert checkpoint["reidcore"]["plugins"]


def test_a_dataparallel_checkpoint_resumes_into_a_bare_model(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    prefixed = {f"module.{key}": value for key, value in engine.model.state_dict().items()}
    path = save_checkpoint({"state_dict": prefixed, "epoch": 7, "rank1": 0.5}, tmp_path)
    fresh = make_engine(seed=5)
    assert resume_from_checkpoint(path, fresh.model) == 7
    assert_same(weights(engine), weights(fresh))


def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    before = weights(engine)
    path = save_checkpoint({"state_dict": {"other.weight": torch.ones(2)}, "epoch": 1}, tmp_path)
    with pytest.raises(CheckpointError, match="checkpoint of another model: 10 names differ"):
        engine.resume(str(path))
    assert_same(before, weights(engine))


def test_bare_weights_are_no_state_to_resume_from(make_engine: MakeEngine, tmp_path: Path) -> None:
    engine = make_engine()
    path = tmp_path / "weights.pth"
    torch.save(engine.model.state_dict(), path)
    with pytest.raises(CheckpointError, match="load_pretrained_weights"):
        engine.resume(str(path))


def test_an_optimizer_restored_before_the_model_moved_follows_it(make_engine: MakeEngine) -> None:
    """What happens on a GPU: the state is loaded on the CPU, then the engine moves the weights."""
    engine = make_engine()
    loaded: list[torch.device] = []

    class Recording(torch.optim.SGD):
        def load_state_dict(self, state_dict: Any) -> None:
            loaded.append(next(iter(engine.model.parameters())).device)
            super().load_state_dict(state_dict)

    layer = torch.nn.Linear(2, 2)
    optimizer = Recording(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    engine.register_model("second", layer, optimizer)
    assert len(loaded) == 1
    momentum = optimizer.state[layer.weight]["momentum_buffer"]
    assert momentum.device == layer.weight.device


def test_history_and_best_are_carried_over(make_engine: MakeEngine, tmp_path: Path) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2, eval_freq=1)
    resumed = make_engine()
    start = resumed.resume(str(tmp_path / "model.pth.tar-2"))
    result = resumed.run(save_dir=str(tmp_path), max_epoch=3, start_epoch=start)
    assert [epoch["epoch"] for epoch in result["training"]] == [1, 2, 3]
    best = load_checkpoint(tmp_path / "model-best.pth.tar")
    ranks = [epoch["rank1"] for epoch in result["training"]]
    assert best["rank1"] == pytest.approx(max(ranks))


def test_several_models_resume_together(make_engine: MakeEngine, tmp_path: Path) -> None:
    def with_two() -> Engine:
        engine = make_engine()
        second = torch.nn.Linear(2, 2)
        engine.register_model("second", second, torch.optim.SGD(second.parameters(), lr=0.1))
        return engine

    first = with_two()
    first.save_model(0, save_dir=str(tmp_path))
    fresh = with_two()
    assert fresh.resume(str(tmp_path / "model.pth.tar-1")) == 1
    for name, saved in first.states.items():
        for key, value in saved.model.state_dict().items():
            assert torch.equal(fresh.states[name].model.state_dict()[key], value)


def test_a_resumed_run_with_nothing_left_says_so(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    engine = make_engine()
    caplog.set_level("INFO")
    start = engine.resume(str(tmp_path / "model.pth.tar-1"))
    engine.run(save_dir=str(tmp_path), max_epoch=1, start_epoch=start)
    assert "model.pth.tar-1: 1 epoch done, rank-1" in caplog.text
    assert "Nothing to train: 1 of 1 epoch done" in caplog.text


@pytest.mark.parametrize(
    "state",
    [
        {"state_dict": [], "epoch": 1},
        {"state_dict": {}, "epoch": "x"},
        {"state_dict": {}, "epoch": -3},
        {"state_dict": {"conv.weight": "text"}, "epoch": 1},
        {"state_dict": {}, "epoch": 1, "reidcore": "foreign"},
    ],
)
def test_a_file_laid_out_otherwise_is_refused(
    make_engine: MakeEngine, tmp_path: Path, state: dict[str, Any]
) -> None:
    torch.save(state, tmp_path / "odd.pth")
    with pytest.raises(CheckpointError, match="laid out unlike a checkpoint"):
        make_engine().resume(str(tmp_path / "odd.pth"))


def test_another_kind_of_optimizer_is_refused_before_anything_is_loaded(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    engine = make_engine(seed=5)
    before = weights(engine)
    sgd = torch.optim.SGD(engine.model.parameters(), lr=0.1, momentum=0.9)
    with pytest.raises(CheckpointError, match=r"no SGD.*train.optim"):
        resume_from_checkpoint(tmp_path / "model.pth.tar-1", engine.model, sgd)
    assert_same(before, weights(engine))


class Plain(Engine):
    """An engine of one's own, from the bare class, written as for Torchreid."""

    def forward_backward(self, data: Any) -> dict[str, float]:
        images, pids = self.parse_data_for_train(data)
        loss = torch.nn.functional.cross_entropy(self.model(images), pids)
        assert self.optimizer is not None
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss.item()}


def test_an_engine_of_ones_own_trains_tests_checkpoints_and_resumes(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    whole = make_engine(engine_class=Plain)
    result = whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    assert result["targets"]["tiny"]["mAP"] > 0

    make_engine(engine_class=Plain).run(save_dir=str(tmp_path / "parts"), max_epoch=2)
    resumed = make_engine(engine_class=Plain)
    start = resumed.resume(str(tmp_path / "parts" / "model.pth.tar-2"))
    resumed.run(save_dir=str(tmp_path / "parts"), max_epoch=3, start_epoch=start)
    assert_same(weights(whole), weights(resumed))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"step": 10**6},
            r"doctored.*reidcore\.step 1000000, batches done of an epoch of \d",
        ),
        ({"torch": torch.zeros(3)}, r"state of the generators in .*doctored"),
        ({"python": (3, (5,) * 624 + (10**6,), None)}, r"state of the generators in .*doctored"),
        ({"position": 10**6}, r"doctored.*reidcore\.rng\.numpy\[2\] is 1000000"),
    ],
)
def test_a_doctored_place_or_generator_is_refused(
    make_engine: MakeEngine, tmp_path: Path, changes: dict[str, Any], told: str
) -> None:
    engine = make_engine()
    engine.save_model(0, save_dir=str(tmp_path))
    held = torch.load(tmp_path / "model.pth.tar-1", weights_only=True)
    own = held["reidcore"]
    own["step"] = changes.pop("step", 0)
    name, words, position, *rest = own["rng"]["numpy"]
    own["rng"]["numpy"] = (name, words, changes.pop("position", position), *rest)
    own["rng"] |= changes
    torch.save(held, tmp_path / "doctored.pth")
    doctored = str(tmp_path / "doctored.pth")
    with pytest.raises(CheckpointError, match=told):
        engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=engine.resume(doctored))


def test_by_hand_other_images_and_another_distance_are_told(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trained = make_engine()
    trained.data_facts.preprocessing["norm_std"][:] = [0.1, 0.1, 0.1]
    trained.run(save_dir=str(tmp_path), max_epoch=1, dist_metric="cosine")
    caplog.clear()
    trained.test()
    assert "Other results" not in caplog.text  # it was trained so
    path = tmp_path / "model.pth.tar-1"
    for load in (resume_from_checkpoint, load_pretrained_weights):
        caplog.clear()
        engine = make_engine()
        load(path, engine.model) if load is resume_from_checkpoint else load(engine.model, path)
        engine.run(save_dir=str(tmp_path / "test"), test_only=True)
        assert "norm_std is [0.229, 0.224, 0.225], with" in caplog.text
        assert "dist_metric is 'euclidean', with" in caplog.text
        caplog.clear()
        engine.test(dist_metric="cosine", save_dir=str(tmp_path / "test"))
        assert caplog.text.count("Other results than in training") == 1


def test_by_hand_another_rate_acts_and_is_told(
    make_engine: MakeEngine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=2)
    caplog.set_level("INFO")
    engine = make_engine(max_epoch=4)
    for group in engine.optimizer.param_groups:  # type: ignore[union-attr]
        group.update(lr=0.5, initial_lr=0.5)
    engine.scheduler.base_lrs = [0.5 for _ in engine.scheduler.base_lrs]  # type: ignore[union-attr]
    start = engine.resume(str(tmp_path / "model.pth.tar-2"))
    assert record_rates(engine, tmp_path, start)[0] == pytest.approx(0.25)
    assert "Resumed with other settings: lr is 0.5, in the checkpoint 0.01" in caplog.text

"""A resumed run is the run that never stopped, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted
from reidcore.errors import CheckpointError
from reidcore.utils import load_checkpoint, resume_from_checkpoint, save_checkpoint

MakeEngine = Callable[..., Engine]


def weights(engine: Engine) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in engine.model.state_dict().items()}


def assert_same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> None:
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert torch.equal(value, second[key]), key


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
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)

    class StopAtFive:
        steps = 0

        @hookimpl
        def reid_step_end(self, engine: Engine, outcome: Any) -> None:
            self.steps += 1
            if self.steps == 5:
                engine.interruption.ask()

    stopped = make_engine(StopAtFive())
    with pytest.raises(Interrupted):
        stopped.run(save_dir=str(tmp_path / "parts"), max_epoch=3)
    resumed = make_engine()
    path = tmp_path / "parts" / "model-interrupted.pth.tar-1"
    resumed.run(
        save_dir=str(tmp_path / "parts"), max_epoch=3, start_epoch=resumed.resume(str(path))
    )

    assert load_checkpoint(path)["reidcore"]["step"] == 2
    assert_same(weights(whole), weights(resumed))


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

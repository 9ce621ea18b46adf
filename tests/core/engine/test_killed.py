"""A run that is killed between a checkpoint and what follows it loses nothing."""

from __future__ import annotations

import json
import os
import resource
import runpy
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted
from reidcore.engine.latest import newest_checkpoint
from reidcore.engine.precision import Precision
from reidcore.errors import DataError
from reidcore.testing import tiny_run
from reidcore.utils import load_checkpoint

# The sweep over every moment has what both need.
_KILLS = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "kills.py"))
in_a_fork, without_clocks = _KILLS["in_a_fork"], _KILLS["without_clocks"]

OVERRIDES = ["train.max_epoch=2", "test.eval_freq=1", "train.print_freq=1", "test.visrank=false"]


class DieInTest:
    """Ends the process in the test of an epoch, when its figures are known to the writers or not.

    Args:
        epoch: from 1.
        is_reported: die once the writers have them; before there are any otherwise.
    """

    def __init__(self, epoch: int, is_reported: bool) -> None:
        self.epoch, self.is_reported = epoch, is_reported

    @hookimpl(tryfirst=True)
    def reid_evaluate(self, engine: Engine) -> None:
        """Maybe die."""
        if not self.is_reported and engine.epoch + 1 == self.epoch:
            os.kill(os.getpid(), signal.SIGKILL)

    @hookimpl(trylast=True)
    def reid_report(self, engine: Engine) -> None:
        """Maybe die."""
        if self.is_reported and engine.epoch + 1 == self.epoch:
            os.kill(os.getpid(), signal.SIGKILL)


def run(
    folder: Path,
    root: Path,
    *plugins: Any,
    resume: Path | None = None,
    minutes: float | None = None,
) -> dict[str, Any]:
    further = [f"model.resume={resume}"] if resume else []
    further += [f"train.checkpoint_minutes={minutes}"] if minutes else []
    return tiny_run(*plugins, save_dir=folder, root=root, overrides=[*OVERRIDES, *further]).result


def facts_of(folder: Path) -> dict[str, Any]:
    """Return what a run leaves, clocks and paths aside."""
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    checkpoints = {
        name: load_checkpoint(folder / name)
        for name in ("model-best.pth.tar", "model.pth.tar-1", "model.pth.tar-2")
    }
    return {
        "results": without_clocks(json.loads((folder / "results.json").read_text())),
        "lines": [without_clocks(json.loads(line)) for line in lines],
        "files": sorted(path.name for path in folder.iterdir() if "events" not in path.name),
        **{
            name: [without_clocks(held[key]) for key in ("state_dict", "optimizer", "rank1")]
            for name, held in checkpoints.items()
        },
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody stops; datasets are beside it."""
    folder = tmp_path_factory.mktemp("whole")
    run(folder / "run", folder / "data")
    return folder / "run"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork")
@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize("is_reported", [False, True])
def test_a_run_killed_in_a_test_and_resumed_is_the_run_that_was_not(
    whole: Path, tmp_path: Path, epoch: int, is_reported: bool
) -> None:
    root = whole.parent / "data"
    death = DieInTest(epoch, is_reported)
    assert in_a_fork(lambda: run(tmp_path, root, death)) == signal.SIGKILL
    checkpoint = tmp_path / f"model.pth.tar-{epoch}"
    assert load_checkpoint(checkpoint)["reidcore"]["test_due"]
    run(tmp_path, root, resume=checkpoint)
    assert facts_of(tmp_path) == facts_of(whole)
    assert not load_checkpoint(checkpoint)["reidcore"]["test_due"]


def test_a_test_cut_short_is_due_again_however_often(whole: Path, tmp_path: Path) -> None:
    """Ctrl-C in a test, and then in the test that the resumed run begins with."""

    class Stop:
        @hookimpl(tryfirst=True)
        def reid_evaluate(self, engine: Engine) -> None:
            engine.interruption.ask()

    root, stopped = whole.parent / "data", tmp_path / "model-interrupted.pth.tar-1"
    for resume in (None, stopped):
        with pytest.raises(Interrupted):
            run(tmp_path, root, Stop(), resume=resume)
        own = load_checkpoint(stopped)["reidcore"]
        assert (own["epoch"], own["step"], own["test_due"]) == (1, 0, True)
    stopped = stopped.rename(tmp_path.with_suffix(".tar"))
    run(tmp_path, root, resume=stopped)
    assert facts_of(tmp_path) == facts_of(whole)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork")
def test_a_checkpoint_that_was_half_written_is_removed_by_the_next_run(
    whole: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = whole.parent / "data"

    def die_in_second_checkpoint() -> None:
        def save(obj: Any, file: Any) -> None:
            if obj.get("epoch") == 2:
                file.write(b"half of it")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            saved(obj, file)

        saved, torch.save = torch.save, save
        run(tmp_path, root)

    assert in_a_fork(die_in_second_checkpoint) == signal.SIGKILL
    assert list(tmp_path.glob(".model.pth.tar-2.*"))
    caplog.set_level("INFO")
    run(tmp_path, root, resume=tmp_path / "model.pth.tar-1")
    assert facts_of(tmp_path) == facts_of(whole)
    assert "left half-written" in caplog.text


def test_a_run_killed_before_its_first_checkpoint_begins_its_lines_anew(
    whole: Path, tmp_path: Path
) -> None:
    class DieInEpoch:
        @hookimpl
        def reid_epoch_end(self) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

    root = whole.parent / "data"
    assert in_a_fork(lambda: run(tmp_path, root, DieInEpoch())) == signal.SIGKILL
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"kind": "step", "epo')  # as the process died
    run(tmp_path, root)
    assert facts_of(tmp_path) == facts_of(whole)


def test_lines_of_a_run_that_ended_stay(whole: Path, tmp_path: Path) -> None:
    root = whole.parent / "data"
    for times in (1, 2):
        run(tmp_path, root)
        lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
        assert len(lines) == times * len((whole / "metrics.jsonl").read_text().splitlines())


class Failing:
    """A loader whose worker is killed when it reads the third batch of an epoch."""

    def __init__(self, loader: Any, epoch: int) -> None:
        self.loader, self.epoch = loader, epoch

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        for number, batch in enumerate(self.loader):
            if number == 2 and self.loader.epoch == self.epoch:
                raise DataError("a worker process that reads images was killed (SIGKILL)")
            yield batch


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_worker_that_is_killed_costs_no_batch_that_was_done(
    make_engine: Callable[..., Engine], tmp_path: Path, accumulate: int
) -> None:
    """Of three batches that step together, two have left gradients."""
    precision = Precision(accumulate=accumulate)
    whole = make_engine(precision=precision)
    whole.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    engine = make_engine(precision=precision)
    engine.__dict__["train_loader"] = Failing(engine.train_loader, epoch=1)
    with pytest.raises(DataError, match="was killed"):
        engine.run(save_dir=str(tmp_path), max_epoch=3)
    left = tmp_path / "model-interrupted.pth.tar-1"
    assert load_checkpoint(left)["reidcore"]["step"] == 2
    resumed = make_engine(precision=precision)
    start_epoch = resumed.resume(str(left))
    resumed.run(save_dir=str(tmp_path), max_epoch=3, start_epoch=start_epoch)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


def test_a_step_that_fails_leaves_the_last_epoch_alone(
    make_engine: Callable[..., Engine], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Half a step is none to go on from."""

    class Fail:
        @hookimpl
        def reid_before_optimizer_step(self, engine: Engine) -> None:
            if engine.epoch == 1:
                raise RuntimeError("half a step")

    caplog.set_level("INFO")
    with pytest.raises(RuntimeError, match="half a step"):
        make_engine(Fail()).run(save_dir=str(tmp_path), max_epoch=3)
    assert not list(tmp_path.glob("*interrupted*"))
    assert f"model.resume={tmp_path / 'model.pth.tar-1'}" in caplog.text


def test_of_several_models_the_first_ones_checkpoint_comes_last(
    make_engine: Callable[..., Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    engine.register_model("second", torch.nn.Linear(2, 2))
    written: list[str] = []
    monkeypatch.setattr(
        "reidcore.engine.checkpointing.save_atomically", lambda _, path: written.append(path.name)
    )
    engine.save_model(0, save_dir=str(tmp_path), is_best=True)
    assert written == [
        "second-best.pth.tar",
        "second.pth.tar-1",
        "model-best.pth.tar",
        "model.pth.tar-1",
    ]


class FillDisk:
    """Lets no file of the process grow from a step on, from 1."""

    def __init__(self, step: int) -> None:
        self.step, self.seen = step, 0

    @hookimpl(tryfirst=True)
    def reid_step_end(self) -> None:
        self.seen += 1
        if self.seen == self.step:
            resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork")
@pytest.mark.parametrize(("step", "newest"), [(4, "model.pth.tar-1"), (5, "model.pth.tar-1")])
def test_a_run_whose_disk_gets_full_fails_and_goes_on_from_what_is_whole(
    whole: Path, tmp_path: Path, step: int, newest: str
) -> None:
    """Epochs have three steps."""
    root = whole.parent / "data"
    with pytest.raises(RuntimeError, match="failed by itself"):
        in_a_fork(lambda: run(tmp_path, root, FillDisk(step)))
    found = newest_checkpoint(tmp_path)
    assert found == tmp_path / newest
    run(tmp_path, root, resume=found)
    assert facts_of(tmp_path) == facts_of(whole)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="takes a fork")
@pytest.mark.parametrize("half_written", [2, 4])
def test_a_run_killed_while_it_writes_within_an_epoch_goes_on_from_what_is_whole(
    whole: Path, tmp_path: Path, half_written: int
) -> None:
    """A checkpoint comes after each step; of the first epoch's, or of the second one's."""
    root = whole.parent / "data"

    def die_within() -> None:
        def save(obj: Any, file: Any) -> None:
            saves.append(obj.get("reidcore", {}).get("step"))
            if len([step for step in saves if step]) == half_written:
                file.write(b"half of it")
                file.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            saved(obj, file)

        saves: list[Any] = []
        saved, torch.save = torch.save, save
        run(tmp_path, root, minutes=1e-9)

    assert in_a_fork(die_within) == signal.SIGKILL
    found = newest_checkpoint(tmp_path)
    assert found is not None
    assert load_checkpoint(found)["reidcore"]["step"] == (1 if half_written == 2 else 0)
    run(tmp_path, root, resume=found, minutes=1e-9)
    assert facts_of(tmp_path) == facts_of(whole)

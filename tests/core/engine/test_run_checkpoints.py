"""Which checkpoints a run writes, and which of them stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, run_checkpoints
from reidcore.engine.latest import newest_checkpoint
from reidcore.errors import ConfigError
from reidcore.utils import load_checkpoint

MakeEngine = Callable[..., Engine]


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.pth.tar*"))


def epochs(*numbers: int, best: bool = True) -> list[str]:
    return [*(["model-best.pth.tar"] if best else []), *(f"model.pth.tar-{n}" for n in numbers)]


@pytest.mark.parametrize(
    ("keep", "eval_freq", "kept"),
    [
        (None, -1, epochs(4)),
        (None, 2, epochs(2, 4)),
        (1, 2, epochs(4)),
        (2, -1, epochs(3, 4)),
        (3, 1, epochs(2, 3, 4)),
        (9, -1, epochs(1, 2, 3, 4)),
    ],
)
def test_the_newest_stay_and_the_best(
    make_engine: MakeEngine, tmp_path: Path, keep: int | None, eval_freq: int, kept: list[str]
) -> None:
    make_engine().run(
        save_dir=str(tmp_path), max_epoch=4, eval_freq=eval_freq, keep_checkpoints=keep
    )
    assert files(tmp_path) == kept


def test_those_of_before_a_resume_count(make_engine: MakeEngine, tmp_path: Path) -> None:
    make_engine().run(save_dir=str(tmp_path), max_epoch=3, keep_checkpoints=3)
    engine = make_engine()
    start = engine.resume(str(tmp_path / "model.pth.tar-3"))
    engine.run(save_dir=str(tmp_path), max_epoch=4, start_epoch=start, keep_checkpoints=2)
    assert files(tmp_path) == epochs(3, 4)


def test_what_a_killed_run_could_not_remove_is_removed_by_the_next(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    """It was killed between a checkpoint and the removal of those before it."""
    make_engine().run(save_dir=str(tmp_path), max_epoch=2, eval_freq=1)
    (tmp_path / "model-midepoch.pth.tar-1").write_bytes(b"of before the second one's end")
    engine = make_engine()
    start = engine.resume(str(tmp_path / "model.pth.tar-2"))
    engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start, keep_checkpoints=1)
    assert files(tmp_path) == epochs(2)


def test_of_several_models_all_files_of_a_moment_go(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    engine = make_engine()
    engine.register_model("second", torch.nn.Linear(2, 2))
    engine.run(save_dir=str(tmp_path), max_epoch=3, keep_checkpoints=1)
    assert files(tmp_path) == [
        "model-best.pth.tar",
        "model.pth.tar-3",
        "second-best.pth.tar",
        "second.pth.tar-3",
    ]


def test_no_checkpoint_at_all_is_refused(make_engine: MakeEngine, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="keep_checkpoints is 0"):
        make_engine().run(save_dir=str(tmp_path), max_epoch=1, keep_checkpoints=0)


# -- inside an epoch -------------------------------------------------------------------------------


class Clock:
    """A clock that a minute passes on with each step; tells which files are there then."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.folder, self.seen = 0.0, folder, []
        self.seen: list[list[str]] = []
        monkeypatch.setattr(run_checkpoints, "monotonic", lambda: self.now)

    @hookimpl
    def reid_step_end(self) -> None:
        self.seen.append(files(self.folder))
        self.now += 60


def test_after_so_many_minutes_a_rolling_one_is_written_until_the_epoch_ends(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Epochs have three batches; the rolling file comes after the second of each."""
    clock = Clock(tmp_path, monkeypatch)
    make_engine(clock).run(save_dir=str(tmp_path), max_epoch=2, checkpoint_minutes=2)
    assert clock.seen == [
        [],
        [],
        ["model-midepoch.pth.tar-0"],
        ["model.pth.tar-1"],
        ["model.pth.tar-1"],
        ["model-midepoch.pth.tar-1", "model.pth.tar-1"],
    ]
    assert files(tmp_path) == epochs(2)


def test_without_minutes_there_is_none(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(tmp_path, monkeypatch)
    make_engine(clock).run(save_dir=str(tmp_path), max_epoch=1)
    assert clock.seen == [[], [], []]


class Dies(BaseException):
    """What no run can leave anything behind after, as SIGKILL."""


class DieAt:
    """Ends the run in a step, from 1, without a word."""

    def __init__(self, step: int) -> None:
        self.step, self.seen = step, 0

    @hookimpl
    def reid_before_optimizer_step(self) -> None:
        self.seen += 1
        if self.seen == self.step:
            raise Dies


@pytest.mark.parametrize("dies_at", [3, 6])
def test_a_run_that_dies_goes_on_from_the_rolling_one_bit_for_bit(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    whole = make_engine()
    told = whole.run(save_dir=str(tmp_path / "whole"), max_epoch=2)
    folder = tmp_path / "parts"
    with pytest.raises(Dies):
        make_engine(Clock(folder, monkeypatch), DieAt(dies_at)).run(
            save_dir=str(folder), max_epoch=2, checkpoint_minutes=1
        )
    found = newest_checkpoint(folder)
    assert found == folder / f"model-midepoch.pth.tar-{dies_at // 3 - 1}"
    assert load_checkpoint(found)["reidcore"]["step"] == 2
    resumed = make_engine()
    start = resumed.resume(str(found))
    result = resumed.run(save_dir=str(folder), max_epoch=2, start_epoch=start)
    for key, value in whole.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key
    assert losses(result) == losses(told)
    assert not list(folder.glob("*midepoch*"))


def losses(result: dict[str, Any]) -> list[float]:
    return [epoch["softmax"] for epoch in result["training"]]

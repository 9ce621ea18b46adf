"""What a checkpoint keeps of several processes, and what other processes make of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from reidcore import hookimpl
from reidcore.engine import Engine, Interrupted, checkpointing
from reidcore.engine.rng import capture_rng, set_random_seed
from reidcore.errors import CheckpointError
from reidcore.utils import load_checkpoint

MakeEngine = Callable[..., Engine]


def as_rank(monkeypatch: pytest.MonkeyPatch, rank: int, world: int) -> None:
    monkeypatch.setattr(checkpointing, "rank_and_world", lambda: (rank, world))


@pytest.fixture
def of_two(
    make_engine: MakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[str, torch.Tensor]:
    """A checkpoint of two processes, and the state of the second one's generator."""
    set_random_seed(77)
    other = {"rng": capture_rng(), "meters": None}
    monkeypatch.setattr(checkpointing, "gather_objects", lambda own: [own, other])
    make_engine().run(save_dir=str(tmp_path), max_epoch=1)
    return str(tmp_path / "model.pth.tar-1"), other["rng"]["torch"]


def restored(engine: Engine, path: str) -> torch.Tensor:
    checkpointing.restore_run(engine, engine.resume(path))
    return torch.get_rng_state()


def test_each_process_takes_its_own_generators_back(
    make_engine: MakeEngine, of_two: tuple[str, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, of_second = of_two
    own = load_checkpoint(path)["reidcore"]
    assert len(own["other_ranks"]) == 1
    for rank, expected in enumerate((own["rng"]["torch"], of_second)):
        as_rank(monkeypatch, rank, 2)
        assert torch.equal(restored(make_engine(), path), expected)


def test_other_processes_draw_anew_each_its_own_numbers_and_say_so(
    make_engine: MakeEngine,
    of_two: tuple[str, torch.Tensor],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    path, _ = of_two
    caplog.set_level("INFO")
    drawn = []
    for rank, world in ((0, 1), (0, 1), (0, 3), (1, 3), (2, 3)):
        as_rank(monkeypatch, rank, world)
        drawn.append(restored(make_engine(), path))
    assert torch.equal(drawn[0], drawn[1])
    distinct = {bytes(each.numpy()) for each in drawn}
    assert len(distinct) == 3  # of ranks 0, 1 and 2
    assert "was written by 2 processes, and 3 go on" in caplog.text


def test_another_batch_size_is_refused_within_an_epoch_alone(
    make_engine: MakeEngine, tmp_path: Path
) -> None:
    class StopInSecondEpoch:
        @hookimpl
        def reid_step_end(self, engine: Engine) -> None:
            if engine.epoch == 1:
                engine.interruption.ask()

    with pytest.raises(Interrupted):
        make_engine(StopInSecondEpoch()).run(save_dir=str(tmp_path), max_epoch=2)
    within = str(tmp_path / "model-interrupted.pth.tar-1")
    other: dict[str, Any] = {"batch_size": 4}
    engine = make_engine(**other)
    start = engine.resume(within)
    with pytest.raises(CheckpointError, match=r"in batches of 8 images .* of 4 now") as refused:
        engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)
    assert "train.batch_size=8" in refused.value.hint
    engine = make_engine(**other)
    start = engine.resume(str(tmp_path / "model.pth.tar-1"))
    engine.run(save_dir=str(tmp_path), max_epoch=2, start_epoch=start)

"""Samplers that look at the training, or remember something, come back with a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from reidcore import hookimpl
from reidcore.data import ImageDataManager, SampleTable
from reidcore.engine import Engine, ImageSoftmaxEngine, Interrupted
from reidcore.errors import CheckpointError, PluginDefectError
from reidcore.models import build_model
from reidcore.optim import build_optimizer
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld
from reidcore.utils import load_checkpoint, save_checkpoint, set_random_seed


class Looking:
    """Orders images by a number of the model, and counts how often it has ordered them.

    Args:
        table: the training samples.
        batch_size, seed: not used.
    """

    made: ClassVar[list[Looking]] = []

    def __init__(self, table: SampleTable, batch_size: int, seed: int) -> None:
        self.rows, self.ordered, self.updated_at, self.look = len(table), 0, [], 0
        self.updated_at: list[int] = []
        self.made.append(self)

    def update(self, engine: Engine) -> None:
        self.updated_at.append(engine.epoch)
        weight = next(engine.model.parameters()).detach().flatten()[0]
        self.look = int(weight.abs() * 1e6) % self.rows

    def order(self, epoch: int) -> np.ndarray:
        self.ordered += 1
        return np.roll(np.random.default_rng(self.ordered).permutation(self.rows), self.look)

    def state_dict(self) -> dict[str, Any]:
        return {"ordered": self.ordered}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.ordered = state["ordered"]


class Seen:
    """Keeps what each step was shown; asks for the run's end after a step, from 1."""

    def __init__(self, stop_after: int = 0) -> None:
        self.batches: list[list[str]] = []
        self.stop_after = stop_after

    @hookimpl
    def reid_register_samplers(self, registry: Any) -> None:
        registry.add("Looking", Looking)

    @hookimpl
    def reid_compute_losses(self, batch: dict[str, Any]) -> None:
        self.batches.append([str(path) for path in batch["impath"]])

    @hookimpl
    def reid_step_end(self, engine: Engine) -> None:
        if len(self.batches) == self.stop_after:
            engine.interruption.ask()


@pytest.fixture
def make(root: Path) -> Callable[[Seen], Engine]:
    """Return a function that builds an engine whose sampler looks at the training."""

    def build(seen: Seen) -> Engine:
        plugins = make_plugins(extra=[TinyWorld(), seen])
        set_random_seed(3)
        data = ImageDataManager(
            str(root), "tiny", height=32, width=16, workers=0, batch_size=8,
            train_sampler="Looking", plugins=plugins,
        )  # fmt: skip
        model = build_model("tinynet", data.num_train_pids, plugins=plugins)
        return ImageSoftmaxEngine(data, model, build_optimizer(model, lr=0.01), plugins=plugins)

    return build


def test_a_sampler_looks_before_each_epoch_and_orders_it_once(
    make: Callable[[Seen], Engine], tmp_path: Path
) -> None:
    make(Seen()).run(save_dir=str(tmp_path), max_epoch=3)
    sampler = Looking.made[-1]
    assert sampler.updated_at == [0, 1, 2]
    assert sampler.look  # at weights that have changed since


@pytest.mark.parametrize("stop_after", [1, 3, 4, 5])
def test_a_run_goes_on_with_the_order_it_was_stopped_in(
    make: Callable[[Seen], Engine], tmp_path: Path, stop_after: int
) -> None:
    """Of three batches an epoch: also where the epoch's order depends on weights since changed."""
    whole, parts, rest = Seen(), Seen(stop_after), Seen()
    engine = make(whole)
    engine.run(save_dir=str(tmp_path / "whole"), max_epoch=3)
    with pytest.raises(Interrupted):
        make(parts).run(save_dir=str(tmp_path), max_epoch=3)
    (stopped,) = tmp_path.glob("*interrupted*")
    resumed = make(rest)
    resumed.run(save_dir=str(tmp_path), max_epoch=3, start_epoch=resumed.resume(str(stopped)))
    assert parts.batches + rest.batches == whole.batches
    for key, value in engine.model.state_dict().items():
        assert torch.equal(value, resumed.model.state_dict()[key]), key


def test_an_order_of_other_data_is_none_to_go_on_with(
    make: Callable[[Seen], Engine], tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        make(Seen(1)).run(save_dir=str(tmp_path), max_epoch=1)
    held = load_checkpoint(tmp_path / "model-interrupted.pth.tar-0")
    held["reidcore"]["sampler"]["order"][0] = 10**6
    engine = make(Seen())
    start = engine.resume(str(save_checkpoint(held, tmp_path / "other")))
    with pytest.raises(CheckpointError, match=r"sampler in .* no order of rows"):
        engine.run(save_dir=str(tmp_path), max_epoch=1, start_epoch=start)


def test_a_state_that_cannot_be_read_back_is_refused_when_it_is_written(
    make: Callable[[Seen], Engine], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Looking, "state_dict", lambda self: {"self": self})
    with pytest.raises(PluginDefectError, match="Looking gave the checkpoint something that"):
        make(Seen()).run(save_dir=str(tmp_path), max_epoch=1)

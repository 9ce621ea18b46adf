"""Runs in stages: what is bound to an optimizer or counts tests goes by the stage under way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from reid_plugins_training.averaging import MovingAverage
from reid_plugins_training.clipping import GradientClipping
from reid_plugins_training.early_stopping import EarlyStopping
from reid_plugins_training.freezing import LayerFreezing

from reidcore import hookimpl
from reidcore.data import ImageDataManager
from reidcore.engine import ImageSoftmaxEngine, RunPlan, Stage
from reidcore.models import build_model
from reidcore.optim import build_optimizer
from reidcore.plugins import make_plugins
from reidcore.testing import TinyWorld
from reidcore.utils import load_checkpoint, set_random_seed
from tests.plugins.reid_plugins_training.test_averaging import averaged, copied

Train = Callable[..., "TwoStages"]


class TwoStages(ImageSoftmaxEngine):
    """Trains an epoch with an optimizer of its own, then as configured."""

    def stages(self, plan: RunPlan) -> Sequence[Stage]:
        return [Stage("first", 1, self.begin_first), Stage("second", plan.max_epoch)]

    def begin_first(self) -> None:
        state = self.states["model"]
        state.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1)
        state.scheduler = None


class Gradients:
    """Keeps the norm of all gradients that each step is taken by, and the weights behind it."""

    def __init__(self) -> None:
        self.norms: list[float] = []
        self.stepped: list[dict[str, torch.Tensor]] = []
        self._handles: list[Any] = []

    @hookimpl(trylast=True)
    def reid_epoch_start(self, engine: TwoStages) -> None:
        optimizer, model = engine.optimizers[0], engine.model

        def keep(*_: Any) -> None:
            norms = [each.grad.norm() for each in model.parameters() if each.grad is not None]
            self.norms.append(float(torch.stack(norms).norm()))
            self.stepped.append(copied(model))

        self._handles.append(optimizer.register_step_post_hook(keep))

    @hookimpl
    def reid_epoch_end(self) -> None:
        for handle in self._handles:
            handle.remove()


@pytest.fixture
def train(root: Path, tmp_path: Path) -> Train:
    """Return a function that trains in two stages beside some plugins."""

    def run(*plugins: Any, **plan: Any) -> TwoStages:
        with make_plugins(extra=[TinyWorld(), *plugins]) as made:
            set_random_seed(1)
            data = ImageDataManager(
                root=str(root), sources="tiny", height=32, width=16, batch_size=8, workers=0
            )
            model = build_model("tinynet", data.num_train_pids)
            optimizer = build_optimizer(model, lr=0.01)
            engine = TwoStages(data, model, optimizer, use_gpu=False, plugins=made)
            engine.run(**{"save_dir": str(tmp_path / "run"), "max_epoch": 1, **plan})
            return engine

    return run


def test_gradients_are_clipped_in_each(train: Train) -> None:
    seen = Gradients()
    train(GradientClipping(norm=0.1), seen)
    assert seen.norms == pytest.approx([0.1] * 6, rel=1e-4)


def test_the_average_is_of_the_steps_of_all(train: Train, tmp_path: Path) -> None:
    seen = Gradients()
    engine = train(MovingAverage(decay=0.8), seen)
    held = load_checkpoint(tmp_path / "run/model.pth.tar-2")["state_dict"]
    wanted = averaged(seen.stepped, lambda _: 0.8)
    assert len(seen.stepped) == 6
    for key, value in copied(engine.model).items():
        if value.is_floating_point():
            assert torch.allclose(held[key].double(), wanted[key], atol=1e-6)


def test_layers_are_held_for_steps_of_all(train: Train) -> None:
    seen = Gradients()
    train(LayerFreezing("classifier", steps=4), seen)
    weights = [each["classifier.weight"] for each in seen.stepped]
    assert torch.equal(weights[0], weights[3])
    assert not torch.equal(weights[3], weights[4])


class NeverBetter:
    """Has all tests find the same."""

    @hookimpl(tryfirst=True)
    def reid_stop_training(self, engine: TwoStages) -> None:
        values = engine.record.selection.values
        for epoch in values:
            values[epoch] = 0.5


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4)])
def test_training_stops_by_the_tests_of_the_last(train: Train, patience: int, epochs: int) -> None:
    stopping = EarlyStopping(patience=patience)
    engine = train(stopping, NeverBetter(), max_epoch=6, eval_freq=1, select_on="targets")
    assert len(engine.record.history) == epochs

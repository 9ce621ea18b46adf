"""Trainings of averaged weights that are tested, and stopped by their tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from reidcore import hookimpl
from reidcore.data.loader.batch_sampler import rank_and_world
from reidcore.engine import Engine, barrier
from reidcore.models import unwrap
from reidcore.testing import fake_dataset, tiny_run


@dataclass(eq=False)
class Averaged:
    """A plugin that notes what is tested.

    Attributes:
        tested: the model's entries in each test.
        averages: those of the average in this process, before the test.
        stopped: why training ended.
        epochs: how many there were.
    """

    tested: list[dict[str, Tensor]] = field(default_factory=list)
    averages: list[dict[str, Tensor]] = field(default_factory=list)
    stopped: str | None = None
    epochs: int = 0

    @hookimpl
    def reid_evaluate(self, engine: Engine) -> None:
        held = unwrap(engine.model).state_dict()
        self.tested.append({key: value.clone() for key, value in held.items()})

    @hookimpl
    def reid_epoch_end(self, engine: Engine) -> None:
        averaged = engine.states["model"].averaged
        assert averaged is not None
        held = unwrap(averaged).state_dict()
        self.averages.append({key: value.clone() for key, value in held.items()})


def case_averaged(folder: Path) -> dict[str, Any]:
    """Train until a test is no better than the first; statistics are each process's own."""
    data = folder / "data"
    if rank_and_world()[0] == 0:
        fake_dataset(data / "tiny")
    barrier()
    averaged = Averaged()
    done = tiny_run(
        averaged,
        save_dir=folder,
        root=data,
        overrides=[
            "settings.training.ema.decay=0.5",
            "settings.training.early_stop={patience: 1, min_delta: 1.0}",
            "train.max_epoch=4",
            "test.eval_freq=1",
        ],
    )
    averaged.stopped = done.result["stopped"]
    averaged.epochs = len(done.result["training"])
    assert torch.equal(averaged.tested[-1]["conv.weight"], unwrap(done.engine.model).conv.weight)
    return vars(averaged)

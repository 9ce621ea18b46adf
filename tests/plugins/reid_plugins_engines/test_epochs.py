"""A criterion is told each epoch before its first batch."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import reid_plugins_engines
from torch import Tensor, nn

from reidcore import hookimpl
from reidcore.engine import Stage
from reidcore.registry import Registrar
from reidcore.testing import tiny_run


class Late(nn.Module):
    """A loss that begins in its second epoch, and notes the epoch of each batch."""

    takes = "features"

    def __init__(self) -> None:
        super().__init__()
        self.epoch = -1
        self.seen: list[int] = []

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def forward(self, inputs: Tensor, targets: Tensor) -> Tensor:
        self.seen.append(self.epoch)
        return inputs.square().mean() * (self.epoch > 0)


class Plugin:
    def __init__(self) -> None:
        self.criterion = Late()

    @hookimpl
    def reid_register_losses(self, registry: Registrar) -> None:
        registry.add("late", lambda num_classes: self.criterion)


def test_epochs_are_counted_from_0_in_a_resumed_run_too(tmp_path: Path) -> None:
    whole, resumed = Plugin(), Plugin()
    terms = ["loss.terms={softmax: 1.0, late: 1.0}", "train.max_epoch=2"]
    run = tiny_run(whole, save_dir=tmp_path / "log", overrides=[*terms, "train.keep_checkpoints=2"])
    batches = len(whole.criterion.seen) // 2
    assert whole.criterion.seen == [0] * batches + [1] * batches
    assert [row["late"] > 0 for row in run.result["training"]] == [False, True]
    tiny_run(
        resumed,
        save_dir=tmp_path / "log",
        root=tmp_path / "log/data",
        overrides=[*terms, f"model.resume={tmp_path / 'log/model.pth.tar-1'}"],
    )
    assert resumed.criterion.seen == [1] * batches


def test_epochs_are_those_of_the_stage_and_others_are_not_told() -> None:
    late = Late()
    terms = {"late": (1.0, late), "other": (1.0, nn.functional.cross_entropy)}
    plan = SimpleNamespace(start_epoch=0)
    engine: Any = SimpleNamespace(epoch=127, stage=Stage(first=120), terms=terms, plan=plan)
    reid_plugins_engines.reid_epoch_start(engine)
    assert late.epoch == 7

"""The guarded step."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest
from reid_acme.guard import Guard
from torch import Tensor

from reidcore import hookimpl
from reidcore.testing import tiny_run

Losses = dict[str, Tensor]


class Poison:
    """A plugin that makes the first so many losses NaN."""

    def __init__(self, count: int) -> None:
        self.left = count

    @hookimpl(wrapper=True)
    def reid_compute_losses(self) -> Generator[None, Losses, Losses]:
        losses = yield
        self.left -= 1
        factor = float("nan") if self.left >= 0 else 1.0
        return {name: factor * loss for name, loss in losses.items()}


class Seen:
    """A plugin that looks at what the guard counted, before it forgets."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.skipped = -1

    @hookimpl
    def reid_epoch_end(self) -> None:
        self.skipped = self.guard.skipped


def test_bad_batches_are_left_out_and_counted(tmp_path: Path) -> None:
    guard = Guard()
    seen = Seen(guard)
    run = tiny_run(guard, Poison(2), seen, save_dir=tmp_path)
    assert seen.skipped == 2
    assert guard.skipped == 0  # forgotten at the end of the run
    assert all(weight.isfinite().all() for weight in run.engine.model.parameters())
    assert run.result["training"][0]["softmax"] > 0


def test_its_patience_is_a_setting(tmp_path: Path) -> None:
    overrides = ["settings.acme_guard.patience=1"]
    with pytest.raises(FloatingPointError):
        tiny_run("reid-acme", Poison(2), save_dir=tmp_path, overrides=overrides)
    tiny_run("reid-acme", Poison(1), save_dir=tmp_path, overrides=overrides)


def test_the_count_survives_a_resume(tmp_path: Path) -> None:
    tiny_run(Guard(), Poison(1), save_dir=tmp_path / "first")
    resumed = Guard()
    seen = Seen(resumed)
    checkpoint = tmp_path / "first" / "model.pth.tar-1"
    tiny_run(
        resumed,
        Poison(1),
        seen,
        save_dir=tmp_path / "second",
        overrides=[f"model.resume={checkpoint}", "train.max_epoch=2"],
    )
    assert seen.skipped == 2

"""What ``train.speed=fast`` does on CUDA, by what it sets: no test needs a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from reid_plugins_training import accelerations_of, fast_cuda
from reid_plugins_training.fast_cuda import FastCuda
from reid_plugins_training.skipping import SkipNonFinite
from torch import nn

from reidcore.config import TrainOptions
from reidcore.plugins import make_plugins

CUDA, MATMUL, CUDNN = torch.device("cuda"), torch.backends.cuda.matmul, torch.backends.cudnn


@pytest.fixture(autouse=True)
def _exact_kernels() -> Iterator[None]:
    before = kernels()
    MATMUL.allow_tf32 = CUDNN.allow_tf32 = CUDNN.benchmark = False
    yield
    MATMUL.allow_tf32, CUDNN.allow_tf32, CUDNN.benchmark = before


def kernels() -> tuple[bool, bool, bool]:
    return MATMUL.allow_tf32, CUDNN.allow_tf32, CUDNN.benchmark


def engine_on(device: torch.device, *fused: bool) -> Any:
    """Return what stands for an engine, with an optimizer for each argument."""
    optimizers = [torch.optim.SGD(nn.Linear(1, 1).parameters(), fused=each) for each in fused]
    finite = SimpleNamespace(is_late=False)
    accelerator = SimpleNamespace(finite=finite)
    return SimpleNamespace(device=device, optimizers=optimizers, accelerator=accelerator)


def is_late(engine: Any, *plugins: object) -> bool:
    with make_plugins(extra=plugins) as made:
        made.subset_hook("reid_run_start", made.active[-len(plugins) :])(engine=engine)
    late: bool = engine.accelerator.finite.is_late
    return late


def test_kernels_are_fast_for_as_long_as_a_run_lasts() -> None:
    engine, fast = engine_on(CUDA, True), FastCuda()
    fast.reid_run_start(engine)
    assert kernels() == (True, True, True)
    fast.reid_run_end(engine)
    assert kernels() == (False, False, False)
    assert not engine.accelerator.finite.is_late


def test_elsewhere_nothing_changes() -> None:
    engine, fast = engine_on(torch.device("cpu"), True), FastCuda()
    fast.reid_run_start(engine)
    assert kernels() == (False, False, False)
    assert not engine.accelerator.finite.is_late
    CUDNN.benchmark = True  # as a plugin may have set it meanwhile
    fast.reid_run_end(engine)
    assert kernels() == (False, False, True)


def test_losses_are_looked_at_late_where_the_weights_are_guarded_until_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert is_late(engine_on(CUDA, True), FastCuda())
    assert is_late(engine_on(CUDA, True, True), FastCuda())
    assert not is_late(engine_on(CUDA, True, False), FastCuda())
    monkeypatch.setattr(fast_cuda, "rank_and_world", lambda: (0, 2))
    assert not is_late(engine_on(CUDA, True), FastCuda())


def test_a_batch_that_would_be_skipped_is_looked_at_in_its_own_step() -> None:
    assert not is_late(engine_on(CUDA, True), FastCuda(), SkipNonFinite())
    assert not is_late(engine_on(CUDA, True), SkipNonFinite(), FastCuda())


def test_it_comes_to_runs_that_are_to_be_fast() -> None:
    assert accelerations_of(TrainOptions()) == {}
    (found,) = accelerations_of(TrainOptions(speed="fast"), is_trained=False).values()
    assert isinstance(found, FastCuda)
